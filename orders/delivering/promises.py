"""Which orders wait for goods of a lot: the catalogue keeps order lines without knowing what they are."""

from collections.abc import Sequence

from sqlalchemy import select

from catalog.lot_arrivals import Promise
from market import db
from market.parties import Organisation
from orders.models import Order, OrderLine


def named(line_ids: Sequence[int]) -> dict[int, Promise]:
    """Order lines by id: the order, who ordered, for which day."""
    rows = db.session().execute(
        select(OrderLine.id, Order.id.label("order_id"), Order.number, Order.delivery_day,
               Organisation.short_name)
        .join(Order, Order.id == OrderLine.order_id).join(Organisation, Organisation.id == Order.unit_id)
        .where(OrderLine.id.in_(line_ids)))
    return {row.id: Promise(row.order_id, row.number, row.short_name, row.delivery_day) for row in rows}
