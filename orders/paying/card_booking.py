"""What the provider told about an attempt is entered: once, compared first, and never backwards from paid."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from market import clock, db, journal, outbox
from orders.models import CardPayment, Order
from orders.models.cards import WAYS
from orders.paying import card_late, receipts, tasks
from orders.paying.gateway import CURRENCY, Charge, Session

PAID = "card.paid"
CLOSED_ORDERS = frozenset({"cancelled", "rejected"})


def enter(payment_id: int, page: Session | None, charge: Charge | None) -> str:
    """Enter what was found on the page (None: there never was one) and the charge (None: no money); returns the state.

    Rivals wait for the order's row, then find it done.
    """
    order, payment = _locked(payment_id)
    if payment.state == "paid":
        return "paid"
    if charge is not None:
        wrong = dict(_differences(payment, order, page, charge))
        return _set_aside(payment, charge, wrong) if wrong else _receive(order, payment, charge)
    if page is None or page.state == "expired":
        _end(payment, "expired")
    return payment.state


def refuse(payment_id: int, reason: str) -> str:
    """The provider would not even open a page; returns the state."""
    _order, payment = _locked(payment_id)
    if payment.state == "asked":
        payment.reason = reason
        _end(payment, "refused")
    return payment.state


def _locked(payment_id: int) -> tuple[Order, CardPayment]:
    """The order first, as everywhere else."""
    session = db.session()
    order = session.scalars(
        select(Order).join(CardPayment, CardPayment.order_id == Order.id).where(CardPayment.id == payment_id)
        .with_for_update(of=Order)).one()
    payment = session.scalars(
        select(CardPayment).where(CardPayment.id == payment_id).with_for_update()).one()
    return order, payment


def _differences(payment: CardPayment, order: Order, page: Session | None,
                 charge: Charge) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """What is not as it was asked for, as (what, (asked, found))."""
    told: dict[str, tuple[Any, Any]] = {
        "amount_fen": (payment.amount_fen, charge.captured_fen), "currency": (CURRENCY, charge.currency),
        "live": (payment.live, charge.live), "payment": (str(payment.id), charge.reference),
        "order": (order.number, charge.order_number),
    }
    if page is not None:
        told["page"] = (str(payment.id), page.reference)
    yield from ((what, pair) for what, pair in told.items() if pair[0] != pair[1])


def _set_aside(payment: CardPayment, charge: Charge, wrong: dict[str, tuple[Any, Any]]) -> str:
    """Money that is not what was asked for is not booked: somebody has to look."""
    kind = "amount_differs" if wrong.keys() == {"amount_fen"} else "charge_differs"
    tasks.find(kind, charge.id, payment.supplier_id, amount_fen=charge.captured_fen, order_id=payment.order_id,
               card_payment_id=payment.id, asked={what: str(asked) for what, (asked, _found) in wrong.items()},
               found={what: str(found) for what, (_asked, found) in wrong.items()})
    if payment.state != "different":
        _end(payment, "different")
        journal.record("payment.card_different", "order", payment.order_id, None, key=payment.key,
                       amount_fen=charge.captured_fen)
    return payment.state


def _receive(order: Order, payment: CardPayment, charge: Charge) -> str:
    payment.intent_id, payment.charge_id = charge.intent_id, charge.id
    payment.way = charge.way if charge.way in WAYS else None
    payment.business_date = clock.today()
    _end(payment, "paid")
    receipts.lay(order, receipts.Brought(card_payment_id=payment.id), payment.amount_fen, payment.business_date)
    receipts.update_payment(order)
    journal.record("payment.card_received", "order", order.id, None, key=payment.key, amount_fen=payment.amount_fen)
    for kind in ("amount_differs", "charge_differs"):  # looked at again, and it is right
        tasks.heal(kind, charge.id)
    if order.state in CLOSED_ORDERS:
        _late(order, payment, charge)
    outbox.enqueue(PAID, {"payment_id": payment.id})
    return payment.state


def _late(order: Order, payment: CardPayment, charge: Charge) -> None:
    """The order is placed again where that is still possible; else the money is to go back."""
    if card_late.bring_back(order):
        receipts.update_payment(order)
        return
    tasks.find("paid_late", charge.id, order.supplier_id, amount_fen=payment.amount_fen, order_id=order.id,
               card_payment_id=payment.id, order=order.number, state_of_order=order.state)


def _end(payment: CardPayment, state: str) -> None:
    payment.state, payment.settled_at = state, clock.now()
    db.session().flush()
