"""Income that does not come from a lot: wages, land rent, dividends; and income that was held, cleared."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count

from sqlalchemy import select

from catalog.models import Lot
from market import clock, db, journal, ledger
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.files import StoredFile
from market.four_eyes import need_outsider
from market.households import Household
from market.places import Division
from orders.income import linkages, posting, weigh_in
from orders.income.areas import in_area as in_area
from orders.models import (
    AcceptanceLine,
    AcceptancePart,
    IncomeDeclaration,
    Order,
    OrderLine,
)
from orders.models.income import DECLARED_KINDS


class SamePayment(Conflict):
    """Two payments alike in everything are most often one, typed twice."""

    code = "same_payment"
    text = N_("The very same payment, with the same proof, is declared already. If this is a second one in the same "
              "month, say so by the tick.")


@dataclass(frozen=True)
class Declared:
    """What a co-operative says a household earned in a month ('2026-10'), in fen, with its proof's file.

    For the collective of `village_id`: no household, kind 'collective'.
    """

    household_id: int | None
    kind: str
    month: str
    amount_fen: int
    proof_id: int
    lot_id: int | None = None  # a wage for making these goods
    village_id: int | None = None  # of the collective; a household's is its own
    linkage_id: int | None = None  # it rests on this one; None: on the one that fits best
    again: bool = False  # a second payment of the same amount in the same month, with the same proof


def declare(declared: Declared, by: Visitor) -> IncomeDeclaration:
    """Keep a declaration; it counts once the village confirms it.

    Raises NotFound, InvalidInput, NoLinkage, SamePayment.
    """
    if declared.kind not in DECLARED_KINDS or declared.amount_fen <= 0 or (
            (declared.kind == "collective") != (declared.household_id is None)):
        raise InvalidInput({"amount": [N_("This number is outside what is possible here.")]})
    if declared.month > clock.period_of(clock.today()):
        raise InvalidInput({"month": [N_("This month has not begun yet.")]})
    village_id = _home_of(declared)
    if village_id is None or by.organisation_kind != "supplier" or by.organisation_id is None:
        raise NotFound()
    linkage_id = linkages.behind(by.organisation_id, village_id, declared.household_id, declared.kind, declared.month,
                                 declared.linkage_id)
    row = _kept({
        "supplier_id": by.organisation_id, "village_id": village_id, "household_id": declared.household_id,
        "linkage_id": linkage_id, "kind": declared.kind, "month": declared.month, "amount_fen": declared.amount_fen,
        "proof_id": declared.proof_id, "lot_id": declared.lot_id, "declared_by": by.id, "declared_at": clock.now(),
        "refusal": ""}, declared.again)
    journal.record("income.declared", "income_declaration", row.id, by, income_kind=row.kind, amount_fen=row.amount_fen)
    return row


def declare_list(rows: Mapping[int, Declared], by: Visitor,
                 field: str = "lines-%s-member") -> list[IncomeDeclaration]:
    """Several at once, by their numbers in the form or table, or none. Raises InvalidInput at each row's field."""
    kept: list[IncomeDeclaration] = []
    problems: dict[str, list[str | MarketError]] = {}
    for number, row in rows.items():
        try:
            kept.append(declare(row, by))
        except InvalidInput as wrong:
            problems |= {name if name == "month" else field % number: messages
                         for name, messages in wrong.fields.items()}
        except MarketError as refusal:
            problems[field % number] = [refusal]
    if problems:
        raise InvalidInput(problems)
    return kept


def _kept(values: dict[str, object], again: bool) -> IncomeDeclaration:
    """Insert under the key of the same payment; whoever comes second finds the first. Raises SamePayment."""
    session = db.session()
    proof = session.scalars(select(StoredFile.sha256).where(StoredFile.id == values["proof_id"])).one()
    receiver = values["household_id"] or f"v{values['village_id']}"
    key = "/".join(str(part) for part in (values["supplier_id"], receiver, values["kind"], values["month"],
                                          values["amount_fen"], proof, values["lot_id"] or ""))
    if again:
        taken = set(session.scalars(select(IncomeDeclaration.twin_key).where(
            IncomeDeclaration.twin_key.startswith(key, autoescape=True))))
        key = next(name for name in (f"{key}#{number}" if number > 1 else key for number in count(1))
                   if name not in taken)
    new_id = session.scalar(db.insert_new(IncomeDeclaration).values(**values, twin_key=key)
                            .returning(db.table(IncomeDeclaration).c.id))
    if new_id is None:
        raise SamePayment()
    return session.get_one(IncomeDeclaration, new_id)


def withdraw(declaration_id: int, by: Visitor) -> None:
    """The co-operative takes back what nobody has confirmed yet. Raises NotFound, Conflict."""
    row = db.session().scalar(select(IncomeDeclaration).where(
        IncomeDeclaration.id == declaration_id, IncomeDeclaration.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    _need_open(row)
    row.withdrawn_at, row.twin_key = clock.now(), None
    db.session().flush()
    journal.record("income.withdrawn", "income_declaration", row.id, by, amount_fen=row.amount_fen)


def _home_of(declared: Declared) -> int | None:
    """The village of today that the income is for."""
    if declared.household_id is not None:
        return db.session().scalar(select(Household.village_id).where(Household.id == declared.household_id))
    return db.session().scalar(select(Division.id).where(
        Division.id == declared.village_id, Division.level == "village", Division.valid_to.is_(None)))


def confirm(declaration_id: int, by: Visitor) -> None:
    """The village confirms a declaration; now it is income.

    Raises NotFound, SecondPersonNeeded, OwnCooperative, Conflict.
    """
    row = _waiting(declaration_id, by)
    row.confirmed_by, row.confirmed_at, row.business_date = by.id, clock.now(), clock.today()
    db.session().flush()
    ledger.post(posting.declared(row))
    journal.record("income.confirmed", "income_declaration", row.id, by, amount_fen=row.amount_fen)


def confirm_list(ids: Collection[int], by: Visitor) -> None:
    """The village confirms a whole list, or nothing of it. Raises as confirm() does."""
    for declaration_id in sorted(set(ids)):
        confirm(declaration_id, by)


def refuse(declaration_id: int, why: str, by: Visitor) -> None:
    """The village says that it is not so, and why. Raises as confirm() does."""
    row = _waiting(declaration_id, by)
    row.refused_by, row.refused_at, row.refusal, row.twin_key = by.id, clock.now(), why, None
    db.session().flush()
    journal.record("income.refused", "income_declaration", row.id, by, why=why)


def _waiting(declaration_id: int, by: Visitor) -> IncomeDeclaration:
    row = db.session().scalar(select(IncomeDeclaration).where(
        IncomeDeclaration.id == declaration_id).with_for_update())
    if row is None or not in_area(row.village_id, by):
        raise NotFound()
    if row.declared_by == by.id:
        raise SecondPersonNeeded()
    need_outsider(row.supplier_id, by)
    _need_open(row)
    return row


def _need_open(row: IncomeDeclaration) -> None:
    if row.confirmed_at is not None or row.refused_at is not None or row.withdrawn_at is not None:
        raise Conflict()


def clear(part_id: int, by: Visitor) -> None:
    """An officer has looked at income above the goods' price and lets it count, but for goods that went back.

    Raises NotFound, OwnCooperative, Conflict.
    """
    session = db.session()
    _lock_order_of(part_id)
    part = session.scalar(select(AcceptancePart).where(AcceptancePart.id == part_id).with_for_update())
    if part is None or not part.income_held or not in_area(part.village_id, by):
        raise NotFound()
    if part.cleared_on is not None:
        raise Conflict()
    need_outsider(session.scalars(select(Lot.supplier_id).where(Lot.id == part.lot_id)).one(), by)
    part.cleared_by, part.cleared_on, part.cleared_returned_grams = by.id, clock.today(), part.returned_grams
    session.flush()
    order, line = session.execute(
        select(Order, OrderLine).join(OrderLine, OrderLine.order_id == Order.id)
        .join(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .where(AcceptanceLine.id == part.acceptance_line_id)).one()
    facts = posting.facts_of(order, {
        "id": part.id, "village_id": part.village_id, "lot_id": part.lot_id, "line_id": line.id,
        "category": line.category, "certified": line.certified, "linkage_id": part.linkage_id,
        "collective_linkage_id": part.collective_linkage_id})
    farm_gate, collective = (posting.left_of(fen, part.grams, part.returned_grams)
                             for fen in (part.farm_gate_fen, part.collective_fen))
    paid = weigh_in.count([(part.id, part.lot_share_id, farm_gate)])
    ledger.post(posting.attributed(facts, farm_gate, collective, part.cleared_on, paid.get(part.id, 0)))
    journal.record("income.cleared", "acceptance_part", part.id, by, farm_gate_fen=part.farm_gate_fen)


def _lock_order_of(part_id: int) -> None:
    """A return of the same goods waits, and sees afterwards that their income counts."""
    db.session().execute(
        select(Order.id).join(OrderLine, OrderLine.order_id == Order.id)
        .join(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .join(AcceptancePart, AcceptancePart.acceptance_line_id == AcceptanceLine.id)
        .where(AcceptancePart.id == part_id).with_for_update(of=db.table(Order)))
