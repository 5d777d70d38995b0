"""Income that does not come from a lot: wages, land rent, dividends, and the collective's dated share."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update

from catalog.models import Lot
from market import clock, db, journal, ledger
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider
from market.households import Household
from market.linkages import Linkage
from market.places import Division
from orders.income import linkages, posting, weigh_in
from orders.income.areas import in_area
from orders.models import (
    AcceptanceLine,
    AcceptancePart,
    CollectiveAgreement,
    IncomeDeclaration,
    Order,
    OrderLine,
)
from orders.models.income import DECLARED_KINDS


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


def declare(declared: Declared, by: Visitor) -> IncomeDeclaration:
    """Keep a declaration; it counts once the village confirms it. Raises NotFound, InvalidInput, NoLinkage."""
    if declared.kind not in DECLARED_KINDS or declared.amount_fen <= 0 or (
            (declared.kind == "collective") != (declared.household_id is None)):
        raise InvalidInput({"amount": [N_("This number is outside what is possible here.")]})
    village_id = _home_of(declared)
    if village_id is None or by.organisation_kind != "supplier" or by.organisation_id is None:
        raise NotFound()
    row = IncomeDeclaration(
        supplier_id=by.organisation_id, village_id=village_id, household_id=declared.household_id,
        linkage_id=linkages.behind(by.organisation_id, village_id, declared.household_id, declared.kind,
                                   declared.month),
        kind=declared.kind, month=declared.month, amount_fen=declared.amount_fen, proof_id=declared.proof_id,
        lot_id=declared.lot_id, declared_by=by.id, declared_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("income.declared", "income_declaration", row.id, by, income_kind=row.kind, amount_fen=row.amount_fen)
    return row


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
    session = db.session()
    row = session.scalar(select(IncomeDeclaration).where(IncomeDeclaration.id == declaration_id).with_for_update())
    if row is None or not in_area(row.village_id, by):
        raise NotFound()
    if row.declared_by == by.id:
        raise SecondPersonNeeded()
    need_outsider(row.supplier_id, by)
    if row.confirmed_at is not None or row.refused_at is not None:
        raise Conflict()
    row.confirmed_by, row.confirmed_at, row.business_date = by.id, clock.now(), clock.today()
    session.flush()
    ledger.post(posting.declared(row))
    journal.record("income.confirmed", "income_declaration", row.id, by, amount_fen=row.amount_fen)


def agree_collective(village_id: int, basis_points: int, valid_from: date, by: Visitor,
                     confirmed_by: Visitor) -> CollectiveAgreement:
    """Set the collective's share of what is accepted (hundredths of a percent, 0 to 5000) from a day on.

    A former agreement ends on that day. Raises SecondPersonNeeded unless a person of the village confirms.
    """
    if not in_area(village_id, confirmed_by) or confirmed_by.id == by.id:
        raise SecondPersonNeeded()
    if not 0 <= basis_points <= 5000 or by.organisation_id is None:
        raise InvalidInput({"basis_points": [N_("This number is outside what is possible here.")]})
    need_outsider(by.organisation_id, confirmed_by)
    session = db.session()
    tie = _tie_collective(village_id, valid_from, by, confirmed_by)
    session.execute(
        update(CollectiveAgreement)
        .where(CollectiveAgreement.supplier_id == by.organisation_id, CollectiveAgreement.village_id == village_id,
               CollectiveAgreement.valid_to.is_(None)).values(valid_to=valid_from))
    row = CollectiveAgreement(supplier_id=by.organisation_id, village_id=village_id, basis_points=basis_points,
                              valid_from=valid_from, agreed_by=by.id, confirmed_by=confirmed_by.id, linkage_id=tie)
    session.add(row)
    session.flush()
    journal.record("collective.agreed", "collective_agreement", row.id, by, basis_points=basis_points,
                   second=confirmed_by.id)
    return row


def _tie_collective(village_id: int, since: date, by: Visitor, confirmed_by: Visitor) -> int:
    """The tie behind the collective's share; the one of a former share ends with it."""
    session = db.session()
    session.execute(
        update(Linkage).where(Linkage.supplier_id == by.organisation_id, Linkage.village_id == village_id,
                              Linkage.form == "collective_share", Linkage.until.is_(None), Linkage.since <= since)
        .values(until=since))
    row = Linkage(supplier_id=by.organisation_id, village_id=village_id, kind="shareholding", form="collective_share",
                  since=since, entered_by=by.id, entered_at=clock.now(), confirmed_by=confirmed_by.id,
                  confirmed_at=clock.now())
    session.add(row)
    session.flush()
    return row.id


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


def follow_village(old_id: int, new_id: int) -> None:
    """A village has become another one: its agreements hold for the new one too; old lots keep the old one's."""
    agreement = db.table(CollectiveAgreement)
    rows = db.session().execute(select(agreement).where(
        agreement.c.village_id == old_id, agreement.c.valid_to.is_(None)).order_by(agreement.c.id)).mappings().all()
    db.insert_rows(CollectiveAgreement, [
        {**{name: value for name, value in row.items() if name != "id"}, "village_id": new_id} for row in rows])
