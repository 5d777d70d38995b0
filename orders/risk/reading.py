"""The income of every household and village of a county, as signals need it: a constant number of statements.

Households by where they live today, villages by what they are today. A village's own sums are all its income; owed to
it, as a village, is the collective's share and what growers not yet named have earned.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from market import clock, db
from market.households import Household
from market.ledger import INCOME_EVENTS
from market.places import Division
from market.sealing import TRANSFERS
from orders.collective.figures import Succession
from orders.income import households
from orders.risk.rules import Series


@dataclass
class County:
    """What happened in one county: series by household and by village of today, months in which anything was earned."""

    id: int
    series_of_household: defaultdict[int, Series] = field(default_factory=lambda: defaultdict(Series))
    series_of_village: defaultdict[int, Series] = field(default_factory=lambda: defaultdict(Series))
    village_of: dict[int, int] = field(default_factory=dict)  # of a household
    open_months: set[str] = field(default_factory=set)


def counties_with_income() -> list[int]:
    """Counties whose villages have earned anything."""
    earning = select(TRANSFERS.c.village_id).where(TRANSFERS.c.event == "attributed").distinct()
    return list(db.session().scalars(
        select(Division.county_id).where(Division.id.in_(earning), Division.county_id.is_not(None)).distinct()
        .order_by(Division.county_id)))


def of_county(county_id: int) -> County:
    """Read it all. Open a snapshot around."""
    db.need_one_moment()
    county, succession = County(county_id), Succession()
    villages = list(db.session().scalars(
        select(TRANSFERS.c.village_id).join(Division, Division.id == TRANSFERS.c.village_id)
        .where(TRANSFERS.c.event == "attributed", Division.county_id == county_id).distinct()))
    for entry in households.entries(villages=villages):
        village = county.series_of_village[succession.today_of(entry.village_id)]
        if entry.earned_fen:
            village.earn(entry.business_date, entry.earned_fen)
            county.open_months.add(clock.period_of(entry.business_date))
        owed_to = village
        if entry.household_id is not None:
            owed_to = county.series_of_household[entry.household_id]
            owed_to.earn(entry.business_date, entry.earned_fen)
        owed_to.owe(entry.supplier_id, entry.income_kind, entry.business_date, entry.earned_fen, entry.paid_fen)
    _add_collectives(county, villages, succession)
    county.village_of = _homes(county.series_of_household)
    return county


def _add_collectives(county: County, villages: Collection[int], succession: Succession) -> None:
    """The collectives' shares, by day and co-operative."""
    keys = [TRANSFERS.c[name] for name in ("village_id", "supplier_id", "business_date", "event", "backward")]
    for row in db.session().execute(
            select(*keys, db.sum_of(TRANSFERS.c.amount_fen).label("fen"))
            .where(TRANSFERS.c.income_kind == "collective", TRANSFERS.c.event.in_(INCOME_EVENTS),
                   TRANSFERS.c.village_id.in_(villages)).group_by(*keys).order_by(*keys)):
        series = county.series_of_village[succession.today_of(row.village_id)]
        fen = -row.fen if row.backward else row.fen
        earned = {"attributed": fen, "withdrawn": -fen}.get(row.event, 0)
        if earned:
            series.earn(row.business_date, earned)
            county.open_months.add(clock.period_of(row.business_date))
        series.owe(row.supplier_id, "collective", row.business_date, earned, fen if row.event == "paid_out" else 0)


def _homes(ids: Iterable[int]) -> dict[int, int]:
    homes: dict[int, int] = {}
    for some in db.chunks(sorted(ids)):
        homes.update((row.id, row.village_id) for row in db.session().execute(
            select(Household.id, Household.village_id).where(Household.id.in_(some))))
    return homes
