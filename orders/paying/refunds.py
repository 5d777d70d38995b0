"""Money the co-operative gives back: after a return, for an overpayment, for a cancelled order paid ahead."""

from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, db, journal, ledger, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from orders.income import posting
from orders.models import Order, Refund, RefundShare
from orders.paying import receipts


class NotOwed(Conflict):
    """More than the unit has paid too much."""

    code = "not_owed"
    text = N_("At most ¥%(most)s is to be refunded.")


def owed_fen(order: Order) -> int:
    """What the unit has paid more than it owes, in fen."""
    owes = order.accepted_fen - order.returned_fen + order.freight_due_fen
    if order.state in {"placed", "waiting", "shipped"}:
        return 0
    return max(0, order.received_fen - order.refunded_fen - owes)


def give(order_id: int, amount_fen: int, paid_on: date, by: Visitor, confirmed_by: Visitor) -> Refund:
    """Book a refund the co-operative has made, by two of its persons. Raises NotOwed, SecondPersonNeeded, NotFound."""
    order = db.session().scalar(
        select(Order).where(Order.id == order_id, Order.supplier_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    if confirmed_by.id == by.id or confirmed_by.organisation_id != by.organisation_id:
        raise SecondPersonNeeded()
    if amount_fen <= 0 or paid_on > clock.today():
        raise InvalidInput({"amount": [N_("This number is outside what is possible here.")]})
    most = owed_fen(order)
    if amount_fen > most:
        raise NotOwed(most=money.yuan(most))
    refund = Refund(order_id=order.id, amount_fen=amount_fen, paid_on=paid_on, made_by=by.id,
                    confirmed_by=confirmed_by.id, business_date=clock.today())
    session = db.session()
    session.add(refund)
    session.flush()
    _post(order, refund)
    order.refunded_fen += amount_fen
    receipts.update_payment(order)
    journal.record("payment.refunded", "order", order.id, by, amount_fen=amount_fen, second=confirmed_by.id)
    return refund


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
        transfers += posting.refunded(posting.facts_of(order, part), share_id, fen, refund.business_date)
        if part is not None:
            receipts.move_received(part["id"], -fen)
    ledger.post(transfers)
