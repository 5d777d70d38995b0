"""The unit an order counts for, put right: asked for by one person, decided by a second, never silently.

Before the goods are accepted the order simply moves. Afterwards what was booked for the first unit is taken back and
booked for the second, both on the day of the decision; villages and co-operative are untouched.
"""

from typing import Any

from sqlalchemy import exists, or_, select

from market import clock, db, journal, ledger, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.ledger import Transfer
from market.parties import Organisation
from market.schemas import REQUIRED
from orders import families
from orders.income import posting
from orders.models import (
    AcceptanceLine,
    AcceptancePart,
    ClaimPart,
    CreditChange,
    Order,
    OrderLine,
    PaymentClaim,
)
from orders.papers.models import InvoiceRequest, InvoiceRequestOrder
from orders.paying import card_closing, receipts


class CannotMove(Conflict):
    """The order is on its way, or money, invoices or returns already belong to the first unit."""

    code = "cannot_move"
    text = N_("The unit can be changed before the goods are on their way, or after they are accepted and before any "
              "payment, invoice or return.")


class AlreadyAsked(Conflict):
    """One change of the unit for each order."""

    code = "already_asked"
    text = N_("A change of the unit was already asked for.")


def family(unit_id: int) -> Any:
    """Ids of the units that an order of this one may be moved to: above it, below it, beside it. A subquery."""
    parent = select(Organisation.parent_id).where(Organisation.id == unit_id).scalar_subquery()
    return select(Organisation.id).where(
        Organisation.kind == "unit", Organisation.status == "active", Organisation.id != unit_id,
        (Organisation.parent_id == unit_id) | (Organisation.id == parent) | (Organisation.parent_id == parent))


def ask(order_id: int, to_unit_id: int, reason: str, evidence_id: int | None, by: Visitor) -> CreditChange:
    """Ask that an order count for another unit of the family.

    Raises NotFound, CannotMove, AlreadyAsked, InvalidInput.
    """
    order = db.session().scalar(
        select(Order).where(Order.id == order_id, Order.unit_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    if not reason:
        raise InvalidInput({"reason": [REQUIRED]})
    if db.session().scalar(select(exists().where(Organisation.id == to_unit_id,
                                                 Organisation.id.in_(family(order.unit_id))))) is not True:
        raise InvalidInput({"to_unit_id": [N_("Please choose one of the list.")]})
    _check_may_move(order)
    change_id = db.session().execute(db.insert_new(CreditChange).returning(db.table(CreditChange).c.id), {
        "order_id": order.id, "from_unit_id": order.unit_id, "from_unit_type": order.unit_type,
        "to_unit_id": to_unit_id, "reason": reason, "evidence_id": evidence_id, "state": "asked", "asked_by": by.id,
        "asked_at": clock.now(), "remark": "", "after_acceptance": False}).scalar()
    if change_id is None:
        raise AlreadyAsked()
    journal.record("credit.asked", "order", order.id, by, reason=reason, to_unit=to_unit_id)
    outbox.enqueue("credit.moved", {"change_id": change_id})
    return db.session().get_one(CreditChange, change_id)


def approve(change_id: int, by: Visitor) -> CreditChange:
    """A second person, of the unit or of the one above it, lets the order count for the other unit.

    Raises NotFound, SecondPersonNeeded, CannotMove, Conflict.
    """
    change, order = _asked(change_id, by)
    _check_may_move(order)
    unit = db.session().get_one(Organisation, change.to_unit_id)
    change.state, change.decided_by, change.decided_at = "approved", by.id, clock.now()
    change.business_date, change.after_acceptance = clock.today(), order.state == "accepted"
    if change.after_acceptance:
        ledger.post(transfers(change, order, unit.unit_type, receipts.open_parts(order.id)))
    order.unit_id, order.unit_type = unit.id, unit.unit_type or order.unit_type
    db.session().flush()
    journal.record("credit.approved", "order", order.id, by, to_unit=unit.id, from_unit=change.from_unit_id,
                   amount_fen=order.accepted_fen)
    outbox.enqueue("credit.moved", {"change_id": change.id})
    return change


def decline(change_id: int, remark: str, by: Visitor) -> CreditChange:
    """The order stays where it counts. Raises NotFound, SecondPersonNeeded, Conflict."""
    change, order = _asked(change_id, by)
    change.state, change.decided_by, change.decided_at, change.remark = "declined", by.id, clock.now(), remark
    db.session().flush()
    journal.record("credit.declined", "order", order.id, by, reason=remark)
    outbox.enqueue("credit.moved", {"change_id": change.id})
    return change


def transfers(change: Any, order: Any, to_unit_type: str | None, parts: Any) -> list[Transfer]:
    """For each part one row back and one forth: the units' accounts change, the villages' sums do not."""
    rows: list[Transfer] = []
    for back, unit in ((True, {"unit_id": change.from_unit_id, "unit_type": change.from_unit_type}),
                       (False, {"unit_id": change.to_unit_id, "unit_type": to_unit_type})):
        for part in parts:
            rows += posting.moved(posting.facts_of(order, part) | unit, change.id, part["amount_fen"], part["grams"],
                                  change.business_date, back=back)
        rows += posting.freight_moved(posting.facts_of(order, None) | unit, change.id, order.freight_fen,
                                      change.business_date, back=back)
    return rows


def _check_may_move(order: Order) -> None:
    """Money, invoices, returns and held income belong to the books of the first unit; a van on its way to its door."""
    claimed = select(exists().where(ClaimPart.order_id == order.id, PaymentClaim.id == ClaimPart.claim_id,
                                    PaymentClaim.state == "claimed"))
    held = select(exists().where(
        AcceptancePart.acceptance_line_id == AcceptanceLine.id, AcceptanceLine.order_line_id == OrderLine.id,
        OrderLine.order_id == order.id, AcceptancePart.income_held.is_(True), AcceptancePart.cleared_on.is_(None)))
    invoiced = select(exists().where(InvoiceRequestOrder.order_id == order.id, InvoiceRequest.state != "cancelled",
                                     InvoiceRequest.id == InvoiceRequestOrder.request_id))
    by_card = select(exists().where(Order.id == order.id, or_(card_closing.is_open(), card_closing.is_looked_at())))
    session = db.session()
    if (order.state not in {"waiting", "placed", "accepted"} or order.received_fen or order.returned_fen
            or session.scalar(claimed) or session.scalar(by_card) or session.scalar(held) or session.scalar(invoiced)):
        raise CannotMove()


def _asked(change_id: int, by: Visitor) -> tuple[CreditChange, Order]:
    """The open request of a family the visitor decides for, its order locked first."""
    session = db.session()
    order = session.scalar(
        select(Order).join(CreditChange, CreditChange.order_id == Order.id)
        .where(CreditChange.id == change_id, CreditChange.from_unit_id.in_(families.within(by.organisation_id)))
        .with_for_update(of=Order))
    if order is None:
        raise NotFound()
    change = session.scalars(select(CreditChange).where(CreditChange.id == change_id).with_for_update()
                             .execution_options(populate_existing=True)).one()
    if change.state != "asked":
        raise Conflict()
    if change.asked_by == by.id:
        raise SecondPersonNeeded()
    return change, order
