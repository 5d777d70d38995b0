"""A page on which an order may still be paid is closed once the order costs something else, or nothing."""

from sqlalchemy import ColumnElement, exists, select

from market import db, outbox
from orders.models import CardPayment, MoneyTask, Order
from orders.models.cards import LIVE_STATES

CLOSE = "card.close"


def close_pages(order_id: int) -> None:
    """Have the open attempt of an order closed at the provider after the commit; nothing where there is none."""
    for payment_id in db.session().scalars(
            select(CardPayment.id).where(CardPayment.order_id == order_id, CardPayment.state.in_(LIVE_STATES))).all():
        outbox.enqueue(CLOSE, {"payment_id": payment_id}, unique_key=f"{CLOSE}:{payment_id}")


def is_open() -> ColumnElement[bool]:
    """That an order has an attempt at the card provider whose end is not yet known."""
    return exists().where(CardPayment.order_id == Order.id, CardPayment.state.in_(LIVE_STATES))


def is_looked_at() -> ColumnElement[bool]:
    """That money came for an order by card which is not what was asked for, and nobody has settled it yet."""
    return exists().where(CardPayment.order_id == Order.id, CardPayment.state == "different",
                          MoneyTask.card_payment_id == CardPayment.id, MoneyTask.state == "open",
                          MoneyTask.kind.in_(("amount_differs", "charge_differs")))
