"""Money the co-operative gives back: after a return, for an overpayment, for a cancelled order paid ahead."""

from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, db, faults, journal, ledger, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from orders import numbers
from orders.income import posting
from orders.models import Order, Refund, RefundShare
from orders.paying import receipts


class NotOwed(Conflict):
    """More than the unit has paid too much."""

    code = "not_owed"
    text = N_("At most ¥%(most)s is to be refunded.")


def owed_fen(order: Order) -> int:
    """What the unit has paid more than it owes, in fen, and is not on its way back already."""
    owes = order.accepted_fen - order.returned_fen + order.freight_due_fen
    if order.state in {"placed", "waiting", "shipped"}:
        return 0
    return max(0, order.received_fen - order.refunded_fen - owes - _on_their_way_fen(order.id))


def give(order_id: int, amount_fen: int, paid_on: date, by: Visitor, confirmed_by: Visitor) -> Refund:
    """Book a bank refund the co-operative has made, by two of its persons at once. Raises NotOwed,
    SecondPersonNeeded, NotFound.
    """
    if confirmed_by.id == by.id or confirmed_by.organisation_id != by.organisation_id:
        raise SecondPersonNeeded()
    asked = ask(order_id, amount_fen, "", by)
    return confirm(asked.id, paid_on, confirmed_by)


def ask(order_id: int, amount_fen: int, reason: str, by: Visitor, card_payment_id: int | None = None) -> Refund:
    """Write down that money is to go back, before anything moves: by bank, or to the card it came from.

    Raises NotFound, NotOwed, InvalidInput.
    """
    order = _locked(order_id, by)
    if amount_fen <= 0:
        raise InvalidInput({"amount": [N_("This number is outside what is possible here.")]})
    most = owed_fen(order)
    if amount_fen > most:
        raise NotOwed(most=money.yuan(most))
    refund = Refund(
        number=numbers.new("R", clock.today()), order_id=order.id, amount_fen=amount_fen,
        way="card" if card_payment_id else "bank", state="asked", card_payment_id=card_payment_id, reason=reason,
        made_by=by.id, made_at=clock.now())
    session = db.session()
    session.add(refund)
    session.flush()
    faults.point("refund_asked")
    journal.record("payment.refund_asked", "order", order.id, by, refund=refund.number, amount_fen=amount_fen)
    return refund


def confirm(refund_id: int, paid_on: date, by: Visitor) -> Refund:
    """A second person of the co-operative says that the bank transfer was made: it is in the books.

    Raises NotFound, Conflict, SecondPersonNeeded, InvalidInput.
    """
    refund = db.session().scalar(
        select(Refund).join(Order, Order.id == Refund.order_id)
        .where(Refund.id == refund_id, Order.supplier_id == by.organisation_id).with_for_update(of=Refund))
    if refund is None:
        raise NotFound()
    if refund.state != "asked" or refund.way != "bank":
        raise Conflict()
    if refund.made_by == by.id:
        raise SecondPersonNeeded()
    if paid_on > clock.today():
        raise InvalidInput({"paid_on": [N_("The day of payment lies in the future.")]})
    refund.paid_on, refund.confirmed_by, refund.confirmed_at = paid_on, by.id, clock.now()
    book(refund)
    journal.record("payment.refunded", "order", refund.order_id, by, refund=refund.number,
                   amount_fen=refund.amount_fen, second=refund.made_by)
    return refund


def book(refund: Refund) -> None:
    """The money has gone back: post it. The caller holds the refund's row and has its two persons."""
    order = db.session().scalars(select(Order).where(Order.id == refund.order_id).with_for_update()).one()
    refund.state, refund.business_date = "done", clock.today()
    db.session().flush()
    _post(order, refund)
    order.refunded_fen += refund.amount_fen
    receipts.update_payment(order)
    faults.point("refund_booked")


def _locked(order_id: int, by: Visitor) -> Order:
    order = db.session().scalar(
        select(Order).where(Order.id == order_id, Order.supplier_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    return order


def _on_their_way_fen(order_id: int) -> int:
    """Refunds of an order that were asked for and are neither done nor refused, in fen."""
    return int(db.session().scalar(select(db.sum_of(Refund.amount_fen)).where(
        Refund.order_id == order_id, Refund.state.in_(("asked", "sending")))) or 0)


def _post(order: Order, refund: Refund) -> None:
    """From goods that are paid more than they cost; what is left, from money that lies on no goods."""
    parts = receipts.open_parts(order.id)
    over = [receipts.over_fen(part) for part in parts]
    ahead = refund.amount_fen - min(refund.amount_fen, sum(over))
    shares: list[tuple[dict[str, Any] | None, int]] = [(None, ahead)] if ahead else []
    if refund.amount_fen > ahead:
        shares += [(part, fen) for part, fen
                   in zip(parts, money.allocate(refund.amount_fen - ahead, over), strict=True) if fen]
    ids = db.insert_returning_ids(RefundShare, [
        {"refund_id": refund.id, "acceptance_part_id": part["id"] if part else None, "amount_fen": fen}
        for part, fen in shares
    ])
    transfers = []
    for (part, fen), share_id in zip(shares, ids, strict=True):
        transfers += posting.refunded(posting.facts_of(order, part), share_id, fen, clock.today())
        if part is not None:
            receipts.move_received(part["id"], -fen)
    ledger.post(transfers)
