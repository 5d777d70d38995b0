"""Lists of the officials' side: villages with their sums, households with their year, who looked at which name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from market import db, figures, paging, places
from market.access import Visitor
from market.figures import Where
from market.households import CoopMember, Household, HouseholdClass
from market.parties import Organisation
from market.places import Division
from market.users import User
from orders.households import costs, sums, years
from orders.households.cards import code_of
from orders.households.costs import Estimate
from orders.households.models import NameReveal
from orders.households.sums import Sums
from orders.income.households import entries

HOUSEHOLD_FEN = ("farm_gate_fen", "wage_fen", "land_fen", "dividend_fen")


# ---- villages -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VillageRow:
    """A village of today: households, how many of them registered, what all its households earned in the year."""

    village: Any  # id, code, name, path
    households: int
    registered: int
    income_fen: int


def villages(where: Where, year: int) -> list[VillageRow]:
    """Villages with households, by code; inside a snapshot, in a fixed number of statements."""
    first, last = years.months(year)
    counts = db.session().execute(
        select(Division.id, Division.code, Division.name, Division.path, func.count(Household.id).label("households"),
               func.count(Household.register_code).label("registered"))
        .join(Household, Household.village_id == Division.id).where(where.holds(Division.id))
        .group_by(Division.id, Division.code, Division.name, Division.path).order_by(Division.code)).all()
    today = _successors()
    earned: dict[int, int] = {}
    for row in figures.village_figures(first, last, _with_former(where)):
        village = _today(row["village_id"], today)
        earned[village] = earned.get(village, 0) + sum(row[name] for name in HOUSEHOLD_FEN)
    return [VillageRow(row, row.households, row.registered, earned.get(row.id, 0)) for row in counts]


def total(rows: Sequence[VillageRow]) -> tuple[int, int, int]:
    """Households, registered ones, income of the year in fen: of all villages shown."""
    return (sum(row.households for row in rows), sum(row.registered for row in rows),
            sum(row.income_fen for row in rows))


def _with_former(where: Where) -> Where:
    """An area with the villages that its own came from."""
    if where.village_ids is None:
        return where
    return Where(village_ids=[one for village in where.village_ids for one in villages_in(village)])


def _successors() -> dict[int, int]:
    return {row.id: row.successor_id for row in db.session().execute(
        select(Division.id, Division.successor_id).where(Division.successor_id.is_not(None)))}


def _today(village_id: int, successors: Mapping[int, int]) -> int:
    while village_id in successors:
        village_id = successors[village_id]
    return village_id


def villages_in(place_id: int) -> list[int]:
    """Ids of the villages of a place, former ones among them."""
    return list(db.session().scalars(
        select(Division.id).where(Division.level == "village", places.lies_in(place_id)).order_by(Division.id)))


# ---- households -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HouseholdRow:
    """A household with its year; `facts` is None for growers whose names have not followed yet."""

    facts: Any | None  # id, register_code, member_no, head_name, people, village_id, village
    household_class: str | None
    sums: Sums
    estimate: Estimate

    @property
    def code(self) -> str:
        return code_of(self.facts) if self.facts is not None else ""


SORTS: Mapping[str, Callable[[HouseholdRow], Any]] = {
    "code": lambda one: one.code, "people": lambda one: one.facts.people if one.facts else 0,
    "farm_gate": lambda one: one.sums.by_kind["farm_gate"], "wage": lambda one: one.sums.by_kind["wage"],
    "land": lambda one: one.sums.by_kind["land"], "dividend": lambda one: one.sums.by_kind["dividend"],
    "gross": lambda one: one.sums.gross_fen, "paid": lambda one: one.sums.paid_fen,
    "unpaid": lambda one: one.sums.unpaid_fen,
}


def of_place(place_id: int, year: int, chosen_class: str = "", sort: str = "code",
             descending: bool = False) -> list[HouseholdRow]:
    """Every household that lives in a place or had income there; growers without names last. A fixed number of
    statements, whose cost follows the income of these villages.
    """
    ids = villages_in(place_id)
    first, last = years.months(year)
    by_household = sums.summed(entries(villages=ids), first, last, lambda entry: entry.household_id)
    known = facts(ids, {household for household in by_household if household is not None})
    ratios = costs.holding(year)
    classes = classes_up_to(known, year)
    rows = [_row(one, classes.get(one.id), by_household.get(one.id, Sums()), ratios) for one in known.values()]
    if chosen_class:
        rows = [row for row in rows if row.household_class == chosen_class]
    elif None in by_household:
        rows.append(_row(None, None, by_household[None], ratios))
    rows.sort(key=lambda row: row.code)
    rows.sort(key=SORTS[sort], reverse=descending)
    return sorted(rows, key=lambda row: row.facts is None)


def _row(known: Any | None, household_class: str | None, of_year: Sums, ratios: costs.Ratios) -> HouseholdRow:
    return HouseholdRow(known, household_class, of_year, of_year.estimate(ratios))


def facts(villages_: Collection[int], others: Collection[int]) -> dict[int, Any]:
    """Households of villages, and some others, by id; each with the first number a co-operative knows it by."""
    first = (select(CoopMember.household_id, func.min(CoopMember.id).label("member_id"))
             .group_by(CoopMember.household_id).subquery())
    query = (
        select(Household.id, Household.register_code, Household.head_name, Household.people, Household.village_id,
               Division.name.label("village"), CoopMember.member_no)
        .join(Division, Division.id == Household.village_id)
        .outerjoin(first, first.c.household_id == Household.id)
        .outerjoin(CoopMember, CoopMember.id == first.c.member_id))
    found = {row.id: row for row in db.session().execute(query.where(Household.village_id.in_(villages_)))}
    for some in db.chunks(sorted({*others} - set(found))):
        found.update((row.id, row) for row in db.session().execute(query.where(Household.id.in_(some))))
    return found


def classes_up_to(households: Collection[int], year: int) -> dict[int, str]:
    """The newest class of each household up to a year."""
    found: dict[int, str] = {}
    for some in db.chunks(sorted(households)):
        found.update((row.household_id, row.household_class) for row in db.session().execute(
            select(HouseholdClass.household_id, HouseholdClass.household_class)
            .where(HouseholdClass.household_id.in_(some), HouseholdClass.year <= year)
            .order_by(HouseholdClass.year)))
    return found


# ---- who looked at a name -------------------------------------------------------------------------------------------


def reveals(by: Visitor, everywhere: bool, page: int) -> paging.Page:
    """Full views of names, the newest first: of the office's area, or all of them; codes only."""
    person, village = aliased(User), aliased(Division)
    where = [] if everywhere else [Household.village_id.in_(
        select(Division.id).where(places.lies_in(by.division_id), Division.level == "village"))]
    base = select(NameReveal).join(Household, Household.id == NameReveal.household_id).where(*where)
    total = db.session().scalar(select(func.count()).select_from(base.subquery())) or 0
    return paging.read(
        select(NameReveal.id, NameReveal.revealed_at, NameReveal.purpose, NameReveal.household_id,
               Household.register_code, village.path, person.name.label("who"), Organisation.name.label("office"))
        .join(Household, Household.id == NameReveal.household_id).join(village, village.id == Household.village_id)
        .join(person, person.id == NameReveal.revealed_by)
        .join(Organisation, Organisation.id == NameReveal.organisation_id)
        .where(*where).order_by(NameReveal.id.desc()), total, page)
