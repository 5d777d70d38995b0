"""Closing the page on which an order could be paid by card, where one is open: told to the worker of the card room."""

from sqlalchemy import ColumnElement, exists, select

from market import db, outbox
from orders.models import CardPayment, Order
from orders.models.cards import LIVE_STATES

EXPIRE_PAGE = "card.expire_page"


def close(order_id: int) -> None:
    """Nothing is to be paid any more: have the page closed, if there is one."""
    if db.session().scalar(select(is_open()).select_from(Order).where(Order.id == order_id)):
        outbox.enqueue(EXPIRE_PAGE, {"order_id": order_id})


def is_open() -> ColumnElement[bool]:
    """That an order has an attempt at the card provider whose end is not yet known."""
    return exists().where(CardPayment.order_id == Order.id, CardPayment.state.in_(LIVE_STATES))
