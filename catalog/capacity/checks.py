"""The audit of what villages bring: the counters must be what the booked harvests say."""

from collections.abc import Iterator

from sqlalchemy import func, select

from catalog.capacity.models import SeasonCapacity, VillageCapacity
from catalog.models import Lot, LotShare
from catalog.on_sale import harvested
from market import db
from market.errors import N_
from market.problem import Problem


def booked() -> Iterator[Problem]:
    """A village's booked grams are the sum of its harvests in the season; a season approves the sum of its villages."""
    for row in db.session().execute(_BOOKED):
        if row.booked_grams != row.grams:
            yield Problem(N_("Village capacity %(id)s: %(kept)s g are counted as booked, the lots say %(right)s g."),
                          id=row.id, kept=row.booked_grams, right=row.grams)
    for row in db.session().execute(_APPROVED):
        if row.approved_grams != row.grams:
            yield Problem(N_("Season %(id)s: %(kept)s g are approved, its villages add up to %(right)s g."),
                          id=row.id, kept=row.approved_grams, right=row.grams)


_season, _village, _lot, _share = (db.table(e) for e in (SeasonCapacity, VillageCapacity, Lot, LotShare))


_brought = (
    select(_season.c.id.label("season_id"), _share.c.village_id, db.sum_of(_share.c.grams).label("grams"))
    .join_from(_season, _lot, (_lot.c.product_id == _season.c.product_id) & (_lot.c.kind == "harvest") & harvested()
               & _lot.c.harvested_on.between(_season.c.first_day, _season.c.last_day))
    .join(_share, _share.c.lot_id == _lot.c.id).group_by(_season.c.id, _share.c.village_id).subquery()
)
_BOOKED = (
    select(_village.c.id, _village.c.booked_grams, func.coalesce(_brought.c.grams, 0).label("grams"))
    .outerjoin(_brought, (_brought.c.season_id == _village.c.season_id)
               & (_brought.c.village_id == _village.c.village_id)).order_by(_village.c.id)
)
_APPROVED = (
    select(_season.c.id, _season.c.approved_grams, db.sum_of(_village.c.approved_grams).label("grams"))
    .outerjoin(_village, _village.c.season_id == _season.c.id).group_by(_season.c.id).order_by(_season.c.id)
)
CHECKS = (booked,)
