"""Names that follow: who brought how much of a village's goods, from the notebook, until the month is closed.

The price was confirmed already; a split says which household, never how much. The village's officer sees it listed.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from catalog.lot_models import LotSplit
from catalog.lot_parts import Contribution, origins
from catalog.models import Lot, LotContribution, LotShare
from market import clock, db, journal, linkages, money, sealing
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound
from market.places import Division


class MonthClosed(Conflict):
    """What was published stays as it was."""

    code = "month_closed"
    text = N_("The month %(month)s is closed: names can no longer follow.")


class WeightsDiffer(MarketError):
    """Said at the rows: the names bring exactly what was weighed."""

    status = 422
    code = "weights_differ"
    text = N_("%(village)s: weighed were %(weighed)s kg, the names bring %(named)s kg.")


def split(lot_id: int, contributions: Sequence[Contribution], by: Visitor) -> None:
    """Name the households of goods that were weighed by village; by village the sum is exactly what was weighed.

    Villages that no contribution names stay in the notebook. Raises NotFound for somebody else's lot or household,
    MonthClosed once a month is closed in which the lot was harvested or has earned, InvalidInput.
    """
    lot = db.session().scalar(
        select(Lot).where(Lot.id == lot_id, Lot.supplier_id == by.organisation_id, Lot.expected_on.is_(None))
        .with_for_update())
    if lot is None:
        raise NotFound()
    villages = origins(contributions, by)
    if any(c.household_id is None for c in contributions):
        raise InvalidInput({"contributions": [N_("Name the households that brought these goods.")]})
    named: dict[int, int] = defaultdict(int)
    for contribution, village_id in zip(contributions, villages, strict=True):
        named[village_id] += contribution.grams
    _check_weights(lot_id, named)
    _replace(lot_id, contributions, villages)
    _count_again(lot)
    if lot.confirmed_at is not None:
        linkages.by_delivery(lot.supplier_id, [(home, c.household_id) for c, home in zip(
            contributions, villages, strict=True)], lot.harvested_on, lot.id, lot.booked_by, lot.confirmed_by)
    households = {village: len({c.household_id for c, home in zip(contributions, villages, strict=True)
                                if home == village}) for village in named}
    db.insert_rows(LotSplit, [
        {"lot_id": lot_id, "village_id": village, "grams": grams, "households": households[village],
         "split_by": by.id, "split_at": clock.now()} for village, grams in sorted(named.items())])
    journal.record("lot.split", "lot", lot_id, by, grams=sum(named.values()), households=sum(households.values()))


def open_villages(lot_id: int) -> Sequence[Any]:
    """Villages of a lot whose households are not named yet: village_id, path, grams."""
    given, village = db.table(LotContribution), db.table(Division)
    return db.session().execute(
        select(given.c.village_id, village.c.path, db.sum_of(given.c.grams).label("grams"))
        .join_from(given, village, village.c.id == given.c.village_id)
        .where(given.c.lot_id == lot_id, given.c.unsplit.is_(True))
        .group_by(given.c.village_id, village.c.path).order_by(given.c.village_id)).all()


def _check_weights(lot_id: int, named: dict[int, int]) -> None:
    weighed = {row.village_id: row for row in open_villages(lot_id)}
    if set(named) - set(weighed):
        raise InvalidInput({"contributions": [N_("No goods of this household's village wait for names.")]})
    wrong: list[str | MarketError] = [
        WeightsDiffer(village=weighed[village].path, weighed=money.plain_decimal(weighed[village].grams),
                      named=money.plain_decimal(grams))
        for village, grams in named.items() if grams != weighed[village].grams]
    if wrong:
        raise InvalidInput({"contributions": wrong})


def _replace(lot_id: int, contributions: Sequence[Contribution], villages: Sequence[int]) -> None:
    db.session().execute(delete(LotContribution).where(
        LotContribution.lot_id == lot_id, LotContribution.unsplit, LotContribution.village_id.in_(set(villages))))
    db.insert_rows(LotContribution, [
        {"lot_id": lot_id, "village_id": village_id, "household_id": c.household_id, "grams": c.grams,
         "unsplit": False}
        for c, village_id in zip(contributions, villages, strict=True)])


def _count_again(lot: Lot) -> None:
    """The households count from now on in the months in which the lot, or what was made of it, has already earned."""
    made_of_it = set(db.session().scalars(select(LotShare.lot_id).where(LotShare.origin_lot_id == lot.id)))
    months = {clock.period_of(lot.harvested_on)} | sealing.note_again(made_of_it)
    closed = sorted(months & sealing.closed_months())
    if closed:
        raise MonthClosed(month=closed[0])
