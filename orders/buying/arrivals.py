"""What comes to a kitchen today and tomorrow, by window and co-operative, and what of it is short."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import literal, select, union_all

from catalog.models import Lot
from catalog.tracing.models import RecallRelease
from market import clock, db, words
from market.errors import N_
from orders.buying import lists
from orders.models import OrderLine, Shipment, ShipmentLine

PACKED_LESS, RECALLED, WITHDRAWN, NOT_PACKED = "packed_less", "recalled", "withdrawn", "not_packed"
REASONS: Mapping[str, str] = {
    PACKED_LESS: N_("Packed less than ordered"), RECALLED: N_("Packed from a recalled lot"),
    WITHDRAWN: N_("The promised lot was recalled"), NOT_PACKED: N_("Not packed yet"),
}


@dataclass(frozen=True)
class Short:
    """A line of an order that is, or may be, less than ordered: what was ordered and what is packed (milli)."""

    order: Any
    line: Any
    reason: str

    @property
    def packed_milli(self) -> int | None:
        return None if self.order.state == "placed" else int(self.line.packed_milli)


@dataclass(frozen=True)
class Window:
    """Orders that come in one window of a day."""

    name: str
    orders: Sequence[Any]

    @property
    def label(self) -> str:
        return words.WINDOWS[self.name]


@dataclass(frozen=True)
class Day:
    """A day's orders by window, the early one first, with their goods, and what is short."""

    day: date
    windows: Sequence[Window]
    goods: Mapping[int, Sequence[Any]]
    short: Sequence[Short]

    @property
    def orders(self) -> list[Any]:
        return [order for window in self.windows for order in window.orders]

    @property
    def not_packed(self) -> list[Any]:
        """Orders that no van has left with although they are due."""
        return [order for order in self.orders if order.state == "placed"]


def days(units: Collection[int], today: date) -> list[Day]:
    """Today and tomorrow; three statements."""
    both = [today, clock.days_after(today, 1)]
    orders = lists.coming(units, both[0], both[1])
    goods: dict[int, list[Any]] = {order.id: [] for order in orders}
    for line in lists.lines(list(goods)):
        goods[line.order_id].append(line)
    unsafe = _of_recalled_lots(list(goods))
    return [_day(day, [order for order in orders if order.delivery_day == day], goods, unsafe) for day in both]


def _day(day: date, orders: Sequence[Any], goods: Mapping[int, Sequence[Any]], unsafe: Mapping[int, str]) -> Day:
    windows = [Window(name, [order for order in orders if order.delivery_window == name]) for name in words.WINDOWS]
    short = [Short(order, line, reason) for order in orders for line in goods[order.id]
             if (reason := unsafe.get(line.id) or _less(order, line))]
    return Day(day, [window for window in windows if window.orders], {order.id: goods[order.id] for order in orders},
               short)


def _less(order: Any, line: Any) -> str | None:
    return PACKED_LESS if order.state == "shipped" and line.packed_milli < line.ordered_milli else None


def _of_recalled_lots(order_ids: Collection[int]) -> dict[int, str]:
    """Lines that a recalled lot was promised to and that are still to be packed, or that were packed from one."""
    promised = (select(OrderLine.id, literal(WITHDRAWN))
                .join(RecallRelease, RecallRelease.line_id == OrderLine.id)
                .outerjoin(Shipment, Shipment.order_id == OrderLine.order_id)
                .where(OrderLine.order_id.in_(order_ids), Shipment.id.is_(None)))
    packed = (select(ShipmentLine.order_line_id, literal(RECALLED))
              .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Lot, Lot.id == ShipmentLine.lot_id)
              .where(Shipment.order_id.in_(order_ids), Lot.recalled_at.is_not(None)))
    return {row[0]: row[1] for row in db.session().execute(union_all(promised, packed))}
