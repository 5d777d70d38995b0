"""What a co-operative sees of its members; by name to itself alone. Each list in a fixed number of reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, case, func, select

from catalog.members import surplus
from catalog.members.models import SurplusLine, SurplusReturn
from catalog.members.volume import Volume, volumes
from catalog.models import Lot, LotContribution, Product
from catalog.on_sale import harvested
from market import clock, db, paging
from market.access import Visitor
from market.errors import NotFound
from market.households import CoopMember, Household, HouseholdClass
from market.places import Division
from market.users import User

MOST_LOTS = 100
Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Members:
    """A page of members with what each of them traded in the period, and the capital each holds."""

    page: paging.Page
    volumes: Mapping[int, Volume]
    capital: Mapping[int, int]


@dataclass(frozen=True)
class Member:
    """One member's account: facts, volume of the period, lots, returns."""

    facts: Columns
    volume: Volume
    capital_fen: int
    lots: Sequence[Columns]
    returns: Sequence[Columns]


@dataclass(frozen=True)
class Settlement:
    """A surplus return with its members' lines."""

    row: Columns
    lines: Sequence[Columns]

    @property
    def sums(self) -> dict[str, int]:
        return {name: sum(getattr(line, name) for line in self.lines)
                for name in ("grams", "amount_fen", "capital_fen", "volume_fen", "share_fen")}


def members(by: Visitor, first: date, last: date, query: str, page: int) -> Members:
    """By number; `query` is part of a name or number. In four statements."""
    member, household = db.table(CoopMember), db.table(Household)
    mine = [member.c.supplier_id == by.organisation_id]
    if query:
        mine.append(household.c.head_name.contains(query, autoescape=True)
                    | member.c.member_no.contains(query, autoescape=True))
    joined = select(func.count()).select_from(member).join(household, household.c.id == member.c.household_id)
    total = db.session().scalar(joined.where(*mine)) or 0
    found = paging.read(_facts().where(*mine).order_by(member.c.member_no), total, page)
    ids = [row.id for row in found.rows]
    return Members(found, volumes(by.organisation_id, first, last, ids), surplus.capital_of(by.organisation_id, ids))


def member(household_id: int, first: date, last: date, by: Visitor) -> Member:
    """Raises NotFound for a household that is not a member of the visitor's co-operative."""
    table, read = db.table(CoopMember), db.session().execute
    facts = read(_facts().where(table.c.supplier_id == by.organisation_id,
                                table.c.household_id == household_id)).first()
    if facts is None:
        raise NotFound()
    traded = volumes(by.organisation_id, first, last, [household_id]).get(household_id, Volume())
    capital = surplus.capital_of(by.organisation_id, [household_id]).get(household_id, 0)
    return Member(facts, traded, capital, read(_lots(household_id, first, last, by)).all(),
                  read(_returns(household_id, by)).all())


def settlements(by: Visitor, page: int) -> paging.Page:
    """The co-operative's surplus returns, the newest first, in two statements."""
    row = db.table(SurplusReturn)
    total = db.session().scalar(
        select(func.count()).select_from(row).where(row.c.supplier_id == by.organisation_id)) or 0
    return paging.read(_settlements(by).order_by(row.c.id.desc()), total, page)


def settlement(return_id: int, by: Visitor) -> Settlement:
    """Raises NotFound for another co-operative's."""
    row, line, read = db.table(SurplusReturn), db.table(SurplusLine), db.session().execute
    found = read(_settlements(by).where(row.c.id == return_id)).first()
    if found is None:
        raise NotFound()
    return Settlement(found, read(select(line).where(line.c.return_id == return_id).order_by(line.c.id)).all())


def waiting_drafts(by: Visitor) -> int:
    """Drafts that this person may confirm: drawn up by somebody else."""
    row = db.table(SurplusReturn)
    return db.session().scalar(select(func.count()).select_from(row).where(
        row.c.supplier_id == by.organisation_id, row.c.confirmed_at.is_(None), row.c.discarded_at.is_(None),
        row.c.drawn_by != by.id)) or 0


def _facts() -> Select[Any]:
    table, household, village = db.table(CoopMember), db.table(Household), db.table(Division)
    of_year = db.table(HouseholdClass)
    return (
        select(household.c.id, table.c.member_no, household.c.head_name, household.c.people,
               household.c.register_code, village.c.name.label("village"), village.c.path,
               of_year.c.household_class)
        .select_from(table).join(household, household.c.id == table.c.household_id)
        .join(village, village.c.id == household.c.village_id)
        .outerjoin(of_year, (of_year.c.household_id == household.c.id) & (of_year.c.year == clock.today().year)))


def _lots(household_id: int, first: date, last: date, by: Visitor) -> Select[Any]:
    given, lot, product = db.table(LotContribution), db.table(Lot), db.table(Product)
    return (
        select(lot.c.id, lot.c.code, lot.c.harvested_on, lot.c.farm_gate_fen_per_kg, lot.c.confirmed_at,
               product.c.name, product.c.name_en, db.sum_of(given.c.grams).label("grams"))
        .join_from(given, lot, lot.c.id == given.c.lot_id).join(product, product.c.id == lot.c.product_id)
        .where(given.c.household_id == household_id, lot.c.supplier_id == by.organisation_id, harvested(),
               lot.c.harvested_on.between(first, last))
        .group_by(lot.c.id, lot.c.code, lot.c.harvested_on, lot.c.farm_gate_fen_per_kg, lot.c.confirmed_at,
                  product.c.name, product.c.name_en)
        .order_by(lot.c.harvested_on.desc(), lot.c.id.desc()).limit(MOST_LOTS))


def _returns(household_id: int, by: Visitor) -> Select[Any]:
    row, line = db.table(SurplusReturn), db.table(SurplusLine)
    return (
        select(row.c.id, row.c.first_day, row.c.last_day, line.c.volume_fen, line.c.share_fen)
        .join_from(line, row, row.c.id == line.c.return_id)
        .where(line.c.household_id == household_id, row.c.supplier_id == by.organisation_id,
               row.c.confirmed_at.is_not(None)).order_by(row.c.first_day.desc()))


def _settlements(by: Visitor) -> Select[Any]:
    row = db.table(SurplusReturn)
    drawer, second = db.table(User).alias("drawer"), db.table(User).alias("second")
    state = case((row.c.confirmed_at.is_not(None), "confirmed"), (row.c.discarded_at.is_not(None), "discarded"),
                 else_="draft")
    return (
        select(row, state.label("state"), drawer.c.name.label("drawn_by_name"),
               second.c.name.label("confirmed_by_name"))
        .select_from(row).join(drawer, drawer.c.id == row.c.drawn_by)
        .outerjoin(second, second.c.id == row.c.confirmed_by).where(row.c.supplier_id == by.organisation_id))
