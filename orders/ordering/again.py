"""Ordering as before: the goods of a week, or of one purchase, for the same days a week later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, func, select

from market import clock, db
from market.access import Visitor
from market.errors import NotFound
from orders.models import Order, OrderLine, Purchase
from orders.ordering.drafts import Delivery, Part, Want

WEEK = 7


@dataclass(frozen=True)
class Copied:
    """A week's parts for their new days, those whose day is over, and the first days of both weeks."""

    parts: Sequence[Part]
    passed: Sequence[Part]
    source: date
    target: date


def monday_of(day: date) -> date:
    """The Monday of a day's week.

    >>> monday_of(date(2026, 10, 18)).isoformat()
    '2026-10-12'
    """
    return day - timedelta(days=day.weekday())


def last_week(by: Visitor) -> Copied:
    """Last week's deliveries for this week, as long as a day of them is still to come and nothing is ordered for those
    days; else this week's for the next."""
    this = monday_of(clock.today())
    copied = week(clock.days_after(this, -WEEK), by)
    days = {part.delivery.delivery_day for part in copied.parts}
    return copied if days and not _ordered_for(days, by) else week(this, by)


def week(source: date, by: Visitor) -> Copied:
    """What came in the week that begins on a Monday, for the same weekdays of the week after."""
    rows = _lines(by, Order.delivery_day.between(source, clock.days_after(source, WEEK - 1)))
    parts = [_later(part, WEEK) for part in _parts(rows)]
    today = clock.today()
    return Copied([p for p in parts if p.delivery.delivery_day > today],
                  [p for p in parts if p.delivery.delivery_day <= today], source, clock.days_after(source, WEEK))


def purchase(purchase_id: int, by: Visitor) -> list[Part]:
    """One purchase again, for the same weekday, a week later or the first one still to come. Raises NotFound."""
    parts = _parts(_lines(by, Purchase.id == purchase_id, cancelled_too=True))
    if not parts:
        raise NotFound()
    day, tomorrow = parts[0].delivery.delivery_day, clock.days_after(clock.today(), 1)
    weeks = max(1, -(-(tomorrow - day).days // WEEK))
    return [_later(part, weeks * WEEK) for part in parts]


def _mine(by: Visitor) -> Any:
    """Purchases that count for the visitor's unit, or that they placed for another."""
    return (Purchase.unit_id == by.organisation_id) | (Purchase.ordered_by == by.id)


def _lines(by: Visitor, *which: Any, cancelled_too: bool = False) -> Sequence[Row[*tuple[Any, ...]]]:
    conditions = [_mine(by), *which, *([] if cancelled_too else [Order.state != "cancelled"])]
    return db.session().execute(
        select(OrderLine.product_id, OrderLine.ordered_milli, OrderLine.price_fen, Purchase.delivery_point_id,
               Purchase.delivery_day, Purchase.delivery_window, Purchase.fund_source, Purchase.unit_id)
        .join(Order, Order.id == OrderLine.order_id).join(Purchase, Purchase.id == Order.purchase_id)
        .where(*conditions)
        .order_by(Purchase.delivery_day, Order.supplier_name, OrderLine.id)).all()


def _ordered_for(days: set[date], by: Visitor) -> int:
    return db.session().scalar(
        select(func.count()).select_from(Order).join(Purchase, Purchase.id == Order.purchase_id)
        .where(_mine(by), Order.delivery_day.in_(days), Order.state != "cancelled")) or 0


def _parts(rows: Sequence[Any]) -> list[Part]:
    """Lines put together by where and when they came; of a good ordered twice the sum, at the newest price."""
    wants: dict[Delivery, dict[int, Want]] = {}
    for row in rows:
        delivery = Delivery(row.delivery_point_id, row.delivery_day, row.delivery_window, row.fund_source, row.unit_id)
        goods = wants.setdefault(delivery, {})
        before = goods.get(row.product_id)
        milli = row.ordered_milli + (before.milli or 0 if before else 0)
        goods[row.product_id] = Want(row.product_id, milli, row.price_fen, milli)
    order = ("dawn", "morning", "noon", "afternoon")
    return [Part(delivery, list(goods.values())) for delivery, goods in sorted(
        wants.items(), key=lambda pair: (pair[0].delivery_day, order.index(pair[0].delivery_window)))]


def _later(part: Part, days: int) -> Part:
    old = part.delivery
    return Part(Delivery(old.delivery_point_id, clock.days_after(old.delivery_day, days), old.delivery_window,
                         old.fund_source, old.budget_unit_id), part.wants)
