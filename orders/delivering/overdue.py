"""What came and was not accepted: nothing accepts by itself, so it waits, and both sides are told."""

from datetime import date

from sqlalchemy import ColumnElement, and_, case, exists, or_, select

from catalog.models import Category
from catalog.tracing.rules import NEEDS_CERTIFICATE
from market import clock, db
from orders.delivering.cold import COLD
from orders.models import Order, OrderLine, Shipment

DAYS = 7  # for goods that keep; fresh ones are looked at on the day they come
FRESH = sorted({*NEEDS_CERTIFICATE, *COLD})


def is_fresh() -> ColumnElement[bool]:
    """That an order holds something harvested to order, or of a shelf of fresh goods."""
    shelf = db.table(Category).alias()
    fresh = select(Category.code).outerjoin(shelf, shelf.c.id == Category.parent_id).where(
        or_(Category.code.in_(FRESH), shelf.c.code.in_(FRESH)))
    return exists().where(OrderLine.order_id == Order.id,
                          or_(OrderLine.supply == "daily", OrderLine.category.in_(fresh)))


def came_on() -> ColumnElement[date]:
    """The day on which an order was to be at the door; not before it left."""
    left = (select(Shipment.business_date).where(Shipment.order_id == Order.id).correlate(Order).scalar_subquery())
    return case((left > Order.delivery_day, left), else_=Order.delivery_day)


def acceptance_due(came: date, fresh: bool) -> date:
    """The last day for looking at what came on a day: fresh goods at once, others within a week.

    >>> acceptance_due(date(2026, 10, 12), False).isoformat()
    '2026-10-19'
    """
    return came if fresh else clock.days_after(came, DAYS)


def delivered(today: date) -> ColumnElement[bool]:
    """That an order should be at the door and nobody has accepted or refused it."""
    return and_(Order.state == "shipped", Order.delivery_day <= today)


def overdue(today: date) -> ColumnElement[bool]:
    """That it should have been looked at: fresh goods on the day they came, others within a week."""
    return and_(delivered(today), came_on() < case((is_fresh(), today), else_=clock.days_after(today, -DAYS)))
