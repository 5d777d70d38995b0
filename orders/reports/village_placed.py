"""What was ordered of a village's goods: placed less taken back, by the village that a good is listed from.

Which village really brought the goods is known only when they are packed; so these figures need not be those that are
accepted later. What an order is taken back counts in the month in which it was taken back.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from catalog.models import Product
from market import clock, db, money
from market.errors import N_
from market.figures import EVERYWHERE
from market.i18n import gettext as _
from orders.models import Order, OrderLine
from orders.reports import taken_back
from orders.reports.declared import Asked, Column
from orders.reports.readers import Area

PLACED = {"placed_fen": 1, "back_fen": -1}
COLUMNS = (
    Column("placed_fen", N_("Ordered"), "fen", "placed", sums=True, formula={"placed_fen": 1}),
    Column("back_fen", N_("Orders taken back"), "fen", "placed", sums=True, formula={"back_fen": 1}),
    Column("net_placed_fen", N_("Placed less taken back"), "fen", "placed", sums=True, formula=PLACED),
)


def sums(asked: Asked, area: Area) -> dict[int, Mapping[str, int]]:
    """By village: `placed_fen` and `back_fen`."""
    found: defaultdict[int, dict[str, int]] = defaultdict(lambda: {"placed_fen": 0, "back_fen": 0})
    dated = Order.business_date.between(clock.first_day(asked.first), clock.last_day(asked.last))
    query = _lines(db.sum_of(OrderLine.amount_fen).label("fen")).where(
        dated, area.where.holds(Product.village_id), _narrowed(asked)).group_by(Product.village_id)
    for row in db.session().execute(query):
        found[row.village_id]["placed_fen"] += row.fen
    ends = taken_back.ended(asked, Area(EVERYWHERE))
    parts = _parts({one.order.id for one in ends}, area, asked)
    for one in ends:
        for village, fen in _split(-one.fen, parts.get(one.order.id, ())):
            found[village]["back_fen"] += fen
    return dict(found)


def _lines(*columns: Any) -> Select[Any]:
    return (select(Product.village_id, *columns).select_from(OrderLine)
            .join(Order, Order.id == OrderLine.order_id).join(Product, Product.id == OrderLine.product_id))


def _narrowed(asked: Asked) -> ColumnElement[bool]:
    facets = asked.facets
    wanted = {Order.unit_type: facets.unit_type, Order.method: facets.method, Order.fund_source: facets.fund_source,
              OrderLine.category: facets.category, OrderLine.certified: facets.certified}
    condition: ColumnElement[bool] = Order.id.is_not(None)
    for column, value in wanted.items():
        if value is not None:
            condition &= column == value
    return condition


def _parts(order_ids: Collection[int], area: Area, asked: Asked) -> dict[int, list[Any]]:
    """By order: its lines with village and amount, and whether they are of what is asked for."""
    parts: defaultdict[int, list[Any]] = defaultdict(list)
    wanted = func.coalesce(area.where.holds(Product.village_id) & _narrowed(asked), False)
    for some in db.chunks(sorted(order_ids)):
        for row in db.session().execute(
                _lines(OrderLine.order_id, OrderLine.amount_fen, wanted.label("wanted"))
                .where(OrderLine.order_id.in_(some)).order_by(OrderLine.id)):
            parts[row.order_id].append(row)
    return parts


def _split(fen: int, lines: Collection[Any]) -> list[tuple[int, int]]:
    """What was taken back of an order, by the villages of its lines; only lines that are wanted."""
    weights = [line.amount_fen for line in lines]
    if not sum(weights):
        return []
    shares = money.allocate(abs(fen), weights)
    return [(line.village_id, share if fen >= 0 else -share) for line, share in zip(lines, shares, strict=True)
            if line.wanted]


def notes() -> list[str]:
    """What these figures are, and are not."""
    return [_("Ordered: amounts of order lines by the village that the good is listed from, on the day of the order, "
              "as the lines stand now. Taken back: orders cancelled, declined, rejected or sent back whole in these "
              "months. Which village really brought the goods shows when they are accepted.")]
