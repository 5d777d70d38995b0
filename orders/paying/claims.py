"""对公转账: the unit's finance person says that money was transferred; the co-operative says that it arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from market import clock, db, faults, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from orders import numbers
from orders.approving import people
from orders.models import Acceptance, ClaimPart, Order, PaymentClaim
from orders.paying import receipts


@dataclass(frozen=True)
class Remittance:
    """A bank transfer as the payer describes it. The payer's name may differ from the unit's (a treasury centre)."""

    payer_name: str
    paid_on: date
    voucher_id: int | None = None


class NothingToPay(Conflict):
    """The order was cancelled or refused."""

    code = "nothing_to_pay"
    text = N_("Order %(number)s was cancelled or refused; there is nothing to pay.")


def claim(amounts: Mapping[int, int], remittance: Remittance, by: Visitor) -> PaymentClaim:
    """Claim one transfer to one co-operative for one or several orders: {order id: fen > 0}.

    The payer is a person of their own: not who ordered, approved or received. Raises NotFound, NothingToPay,
    SecondPersonNeeded, InvalidInput.
    """
    orders = _orders(amounts, by)
    if remittance.paid_on > clock.today():
        raise InvalidInput({"paid_on": [N_("The day of payment lies in the future.")]})
    if len({order.supplier_id for order in orders}) != 1 or any(fen <= 0 for fen in amounts.values()):
        raise InvalidInput({"orders": [N_("One transfer goes to one co-operative.")]})
    for order in orders:
        if order.state in {"cancelled", "rejected", "waiting"}:
            raise NothingToPay(number=order.number)
    check_payer(orders, by)
    row = PaymentClaim(
        number=numbers.new("K", clock.today()), unit_id=orders[0].unit_id, supplier_id=orders[0].supplier_id,
        payer_name=remittance.payer_name, paid_on=remittance.paid_on, amount_fen=sum(amounts.values()),
        voucher_id=remittance.voucher_id, state="claimed", claimed_by=by.id, claimed_at=clock.now())
    session = db.session()
    session.add(row)
    session.flush()
    db.insert_rows(ClaimPart, [{"claim_id": row.id, "order_id": order.id, "amount_fen": amounts[order.id]}
                               for order in orders])
    for order in orders:
        receipts.update_payment(order)
        journal.record("payment.claimed", "order", order.id, by, claim=row.number, amount_fen=amounts[order.id])
    outbox.enqueue("payment.claimed", {"claim_id": row.id})
    return row


def confirm(claim_id: int, by: Visitor) -> PaymentClaim:
    """The co-operative has found the money on its account. Raises NotFound, Conflict."""
    row = _open_claim(claim_id, by)
    day = clock.today()
    row.state, row.answered_by, row.answered_at, row.business_date = "received", by.id, clock.now(), day
    session = db.session()
    session.flush()
    parts = session.execute(
        select(ClaimPart.id, ClaimPart.order_id, ClaimPart.amount_fen).where(ClaimPart.claim_id == row.id)
        .order_by(ClaimPart.order_id)).all()
    orders = {o.id: o for o in session.scalars(
        select(Order).where(Order.id.in_([p.order_id for p in parts])).order_by(Order.id).with_for_update())}
    for part in parts:
        receipts.lay(orders[part.order_id], receipts.Brought(claim_part_id=part.id), part.amount_fen, day)
        receipts.update_payment(orders[part.order_id])
        journal.record("payment.received", "order", part.order_id, by, claim=row.number, amount_fen=part.amount_fen)
    faults.point("claim_received")
    return row


def refuse(claim_id: int, reason: str, by: Visitor) -> PaymentClaim:
    """The money has not arrived; the unit may claim again. Raises NotFound, Conflict."""
    row = _open_claim(claim_id, by)
    row.state, row.answered_by, row.answered_at, row.reason = "refused", by.id, clock.now(), reason
    session = db.session()
    session.flush()
    for order in session.scalars(select(Order).join(ClaimPart, ClaimPart.order_id == Order.id)
                                 .where(ClaimPart.claim_id == row.id).order_by(Order.id).with_for_update()):
        receipts.update_payment(order)
        journal.record("payment.not_found", "order", order.id, by, claim=row.number, reason=reason)
    return row


def _orders(amounts: Mapping[int, int], by: Visitor) -> list[Order]:
    orders = list(db.session().scalars(
        select(Order).where(Order.id.in_(amounts), Order.unit_id == by.organisation_id).order_by(Order.id)
        .with_for_update()))
    if not amounts or len(orders) != len(amounts):
        raise NotFound()
    return orders


def check_payer(orders: list[Order], by: Visitor) -> None:
    """requester, approver and receivers never pay, in a reduced scheme either."""
    session = db.session()
    bought = {o.purchase_id for o in orders}
    persons = people.deciders(bought) | people.askers(bought)
    for received in session.execute(select(Acceptance.first_receiver, Acceptance.second_receiver)
                                    .where(Acceptance.order_id.in_([o.id for o in orders]))):
        persons |= {received.first_receiver, received.second_receiver}
    if by.id in persons:
        raise SecondPersonNeeded()


def _open_claim(claim_id: int, by: Visitor) -> PaymentClaim:
    row = db.session().scalar(
        select(PaymentClaim).where(PaymentClaim.id == claim_id, PaymentClaim.supplier_id == by.organisation_id)
        .with_for_update())
    if row is None:
        raise NotFound()
    if row.state != "claimed":
        raise Conflict()
    if row.claimed_by == by.id:
        raise SecondPersonNeeded()
    return row
