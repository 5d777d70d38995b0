"""One household's income card of a year: its entries, what they add up to, and what an estimate makes of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from market import db, money
from market.access import Visitor
from market.errors import N_, NotFound
from market.households import CoopMember, Household, HouseholdClass
from market.linkages import TIES
from market.parties import Organisation
from market.places import Division
from orders.households import costs, goods, lines, sums, years
from orders.households.costs import Estimate, Ratios
from orders.households.goods import Goods
from orders.households.sums import Sums
from orders.income.areas import in_area
from orders.income.households import Entry, entries
from orders.models import Payout, PayoutLine

# printed on every card, list and file of this room
ONLY_HERE = N_("Income through this platform, not the household's total income.")


@dataclass(frozen=True)
class Line:
    """One row: income earned or, below zero, taken back; or a payout. Grams and price only for goods that were sold.

    `proof` is the number of the paper of `proof_kind`: order, return, declaration, payout or weigh_in.
    """

    day: date
    period: str
    is_late: bool
    income_kind: str
    amount_fen: int
    payer: str
    proof_kind: str
    proof: str
    linkage: Any | None = None  # kind, form
    goods: Goods | None = None
    grams: int | None = None


@dataclass(frozen=True)
class Card:
    """A household with its year. `supplier_id`: only what this co-operative paid."""

    household: Any  # id, register_code, member_no, head_name, people, village_id, path
    year: int
    household_class: Any | None  # the newest up to the year: household_class, year
    lines: Sequence[Line]
    payouts: Sequence[Line]
    sums: Sums
    estimate: Estimate
    ratios: Ratios
    linkages: Sequence[Any]  # kind, form, since, until, supplier
    monitoring: Any | None
    supplier_id: int | None = None

    @property
    def months(self) -> tuple[str, str]:
        return years.months(self.year)

    @property
    def code(self) -> str:
        return code_of(self.household)

    @property
    def per_head_fen(self) -> int:
        return money.average(self.sums.gross_fen, self.household.people)

    @property
    def net_per_head_fen(self) -> int | None:
        net = self.estimate.net_fen
        return None if net is None else money.average(net, self.household.people)


def code_of(row: Any) -> str:
    """Register code, else member number, else a number of our own."""
    return str(row.register_code or row.member_no or f"H{row.id}")


def of_area(household_id: int, year: int, by: Visitor) -> Card:
    """Any household of the office's area. Raises NotFound."""
    found = household(household_id)
    if found is None or not in_area(found.village_id, by):
        raise NotFound()
    return _card(found, year, None)


def need_in_area(household_id: int, by: Visitor) -> None:
    """Raises NotFound for a household elsewhere, as for one that is not there."""
    village = db.session().scalar(select(Household.village_id).where(Household.id == household_id))
    if village is None or not in_area(village, by):
        raise NotFound()


def of_member(household_id: int, year: int, by: Visitor) -> Card:
    """A member of the visitor's own co-operative, with what this one paid and nothing else. Raises NotFound."""
    found = household(household_id, by.organisation_id)
    if found is None or found.member_no is None:
        raise NotFound()
    return _card(found, year, by.organisation_id)


def household(household_id: int, supplier_id: int | None = None) -> Any | None:
    """A household with its place, and the number this co-operative (else the first one) knows it by."""
    return db.session().execute(
        select(Household.id, Household.register_code, Household.head_name, Household.people, Household.village_id,
               Division.path, Division.name.label("village"), CoopMember.member_no)
        .join(Division, Division.id == Household.village_id)
        .outerjoin(CoopMember, (CoopMember.household_id == Household.id)
                   & (CoopMember.supplier_id == supplier_id if supplier_id is not None else CoopMember.id.is_not(None)))
        .where(Household.id == household_id).order_by(CoopMember.id).limit(1)).first()


def class_up_to(household_id: int, year: int) -> Any | None:
    """The newest class of a household up to a year, with the year it was said for."""
    return db.session().execute(
        select(HouseholdClass.household_class, HouseholdClass.year)
        .where(HouseholdClass.household_id == household_id, HouseholdClass.year <= year)
        .order_by(HouseholdClass.year.desc()).limit(1)).first()


def _card(found: Any, year: int, supplier_id: int | None) -> Card:
    first, last = years.months(year)
    known = entries(supplier_id=supplier_id, household_id=found.id)
    within = [entry for entry in known if first <= entry.period <= last]
    total = sums.together(sums.summed(known, first, last, lambda entry: None).values())
    ratios = costs.holding(year)
    ties = _ties(found.id, {entry.linkage_id for entry in known if entry.linkage_id is not None}, supplier_id)
    rows = _lines(within, known, {tie.id: tie for tie in ties})
    return Card(found, year, class_up_to(found.id, year), [line for line, event in rows if event != "paid_out"],
                [line for line, event in rows if event == "paid_out"], total, total.estimate(ratios), ratios,
                _told([tie for tie in ties if _held(tie, first, last)]), lines.of_village(found.village_id, year),
                supplier_id)


def _lines(within: Sequence[Entry], known: Sequence[Entry], ties: Mapping[int, Any]) -> list[tuple[Line, str]]:
    found = goods.behind(within)
    grams = goods.grams_of(known, found)
    payers = {row.id: row.short_name for row in db.session().execute(
        select(Organisation.id, Organisation.short_name).where(
            Organisation.id.in_({entry.supplier_id for entry in within})))}
    numbers = _payout_numbers(within)
    rows = []
    for entry in sorted(within, key=lambda one: (one.period, one.business_date, one.transfer_id)):
        sold = found.goods.get(entry.part_id or 0) if entry.income_kind == "farm_gate" else None
        rows.append((Line(
            entry.business_date, entry.period, entry.is_late, entry.income_kind,
            entry.paid_fen if entry.event == "paid_out" else entry.earned_fen, payers[entry.supplier_id],
            *_proof(entry, sold, numbers), linkage=ties.get(entry.linkage_id or 0), goods=sold,
            grams=grams.get((entry.transfer_id, entry.household_id))), entry.event))
    return rows


def _proof(entry: Entry, sold: Goods | None, numbers: Mapping[int, str]) -> tuple[str, str]:
    """The kind of the paper behind an entry, and its number."""
    name, _colon, rest = entry.source.partition(":")
    if name == "payout":
        return "payout", numbers.get(int(rest.partition(":")[0]), "")
    if name == "part":
        return ("weigh_in", sold.lot_code if sold else "") if entry.event == "paid_out" else (
            "order", entry.order_ref or "")
    return ("return", entry.order_ref or "") if name == "return" else (name, rest)


def _payout_numbers(within: Collection[Entry]) -> dict[int, str]:
    ids = {int(entry.source.split(":")[1]) for entry in within if entry.source.startswith("payout:")}
    return {row.id: row.number for row in db.session().execute(
        select(PayoutLine.id, Payout.number).join(Payout, Payout.id == PayoutLine.payout_id)
        .where(PayoutLine.id.in_(ids)))}


def _ties(household_id: int, behind: Collection[int], supplier_id: int | None) -> Sequence[Any]:
    """Confirmed ties of the household itself, and those its income points to."""
    mine = (TIES.c.household_id == household_id) & TIES.c.confirmed_at.is_not(None)
    if supplier_id is not None:
        mine &= TIES.c.supplier_id == supplier_id
    return db.session().execute(
        select(TIES.c.id, TIES.c.kind, TIES.c.form, TIES.c.since, TIES.c.until, TIES.c.household_id,
               Organisation.short_name.label("supplier"))
        .join(Organisation, Organisation.id == TIES.c.supplier_id)
        .where(mine | TIES.c.id.in_(behind)).order_by(TIES.c.id)).all()


def _told(ties: Sequence[Any]) -> Sequence[Any]:
    """Each way of being tied to a co-operative once: a household's delivery stands beside that of its village."""
    return list({(tie.supplier, tie.kind, tie.form): tie for tie in ties}.values())


def _held(tie: Any, first: str, last: str) -> bool:
    return bool(tie.since.isoformat()[:7] <= last and (tie.until is None or tie.until.isoformat()[:7] >= first))
