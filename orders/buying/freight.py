"""The freight of an order: agreed when it is placed, lowered by the co-operative until it ships, never raised."""

from sqlalchemy import select, update

from market import db, journal, money
from market.access import Visitor
from market.errors import N_, Conflict, NotFound
from orders.models import Order
from orders.paying import card_closing, receipts


class FreightRaised(Conflict):
    """What was agreed is the most that may be asked for."""

    code = "freight_raised"
    text = N_("The freight can only be lowered: it is ¥%(freight)s now.")


class FreightFixed(Conflict):
    """Goods on the way bring the freight that the note says."""

    code = "freight_fixed"
    text = N_("The freight can be lowered until the order is shipped.")


def lower(order_id: int, freight_fen: int, by: Visitor) -> None:
    """Ask less freight (fen) for an order of this co-operative. Raises NotFound, FreightRaised, FreightFixed."""
    order = db.session().scalar(
        select(Order).where(Order.id == order_id, Order.supplier_id == by.organisation_id, Order.state != "waiting")
        .with_for_update())
    if order is None:
        raise NotFound()
    if order.state != "placed":
        raise FreightFixed()
    before = order.freight_fen
    if not 0 <= freight_fen < before:
        raise FreightRaised(freight=money.yuan(before))
    table = db.table(Order).c
    lowered = db.session().execute(update(Order).where(
        table.id == order.id, table.state == "placed", table.freight_fen == before)
        .values(freight_fen=freight_fen).execution_options(synchronize_session=False))
    if not lowered.rowcount:  # type: ignore[attr-defined]
        raise FreightFixed()
    db.session().refresh(order)
    receipts.update_payment(order)
    card_closing.close_pages(order.id)
    journal.record("order.freight_lowered", "order", order.id, by, before_fen=before, after_fen=freight_fen)
