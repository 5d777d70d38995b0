"""A second person's yes to a purchase, bound to its content; and taking a purchase or order back before it ships."""

from typing import Any

from sqlalchemy import select, update

from catalog import stock
from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, NotFound, SecondPersonNeeded
from market.parties import Organisation
from orders import seasons, states
from orders.buying import checkout, refusals
from orders.models import Order, OrderLine, Purchase
from orders.paying import receipts


class ContentChanged(Conflict):
    """What lies there now is not what was shown for approval."""

    code = "content_changed"
    text = N_("The purchase has changed since it was shown to you. Please look again.")


def approve(purchase_id: int, shown_hash: str | None, by: Visitor) -> None:
    """Let a waiting purchase go to the co-operatives, as long as all its goods are still on sale.

    Raises SecondPersonNeeded, ContentChanged, GoodsWithdrawn, Conflict, NotFound.
    """
    purchase = _waiting(purchase_id, by)
    if purchase.ordered_by == by.id:
        raise SecondPersonNeeded()
    current = _hash_now(purchase)
    if current != purchase.content_hash or (shown_hash is not None and shown_hash != current):
        raise ContentChanged()
    refusals.check_still_sold(_goods_waiting(purchase))
    _settle(purchase, "approved", "placed", by)
    journal.record("purchase.approved", "purchase", purchase.id, by, content_hash=current)
    outbox.enqueue("purchase.approved", {"purchase_id": purchase.id})


def decline(purchase_id: int, reason: str, by: Visitor) -> None:
    """Refuse a waiting purchase; its goods are free again."""
    purchase = _waiting(purchase_id, by)
    if purchase.ordered_by == by.id:
        raise SecondPersonNeeded()
    declined = _settle(purchase, "declined", "cancelled", by)
    _free(_line_ids(Order.id.in_(declined)))
    journal.record("purchase.declined", "purchase", purchase.id, by, reason=reason)


def cancel(order_id: int, reason: str, by: Visitor) -> None:
    """Take an order back that has not been shipped; its goods are free again. Raises WrongState, NotFound."""
    session = db.session()
    order = session.scalar(select(Order).where(Order.id == order_id, is_of(by)).with_for_update())
    if order is None:
        raise NotFound()
    states.check_next(order.state, "cancelled")
    order.state = "cancelled"
    receipts.update_payment(order)
    _free(_line_ids(Order.id == order.id))
    journal.record("order.cancelled", "order", order.id, by, reason=reason)


def is_of(by: Visitor) -> Any:
    """Orders of this visitor's unit and of the units it supervises."""
    supervised = select(Organisation.id).where(Organisation.parent_id == by.organisation_id)
    return (Order.unit_id == by.organisation_id) | Order.unit_id.in_(supervised)


def _waiting(purchase_id: int, by: Visitor) -> Purchase:
    supervised = select(Organisation.id).where(Organisation.parent_id == by.organisation_id)
    purchase = db.session().scalar(
        select(Purchase).where(Purchase.id == purchase_id, (Purchase.unit_id == by.organisation_id)
                               | Purchase.unit_id.in_(supervised)).with_for_update()
    )
    if purchase is None:
        raise NotFound()
    if purchase.approval != "waiting":
        raise Conflict()
    return purchase


def _hash_now(purchase: Purchase) -> str:
    rows = db.session().execute(
        select(OrderLine.product_id, OrderLine.ordered_milli, OrderLine.price_fen, OrderLine.amount_fen)
        .join(Order, Order.id == OrderLine.order_id).where(Order.purchase_id == purchase.id)
        .order_by(OrderLine.product_id)
    ).mappings().all()
    return checkout.content_hash([dict(row) for row in rows], db.columns_of(purchase))


def _goods_waiting(purchase: Purchase) -> dict[int, str]:
    """What the orders that still wait are about, name by product id."""
    return {row.product_id: row.product_name for row in db.session().execute(
        select(OrderLine.product_id, OrderLine.product_name).join(Order, Order.id == OrderLine.order_id)
        .where(Order.purchase_id == purchase.id, Order.state == "waiting"))}


def _settle(purchase: Purchase, approval: str, state: str, by: Visitor) -> list[int]:
    """The orders that still waited move on; returns their ids: one that was taken back before stays as it is."""
    purchase.approval, purchase.approved_by, purchase.approved_at = approval, by.id, clock.now()
    db.session().flush()
    return list(db.session().scalars(
        update(Order).where(Order.purchase_id == purchase.id, Order.state == "waiting").values(state=state)
        .returning(Order.id)))


def _free(line_ids: list[int]) -> None:
    """Goods of cancelled lines may be ordered again, in store and in their season."""
    stock.release(line_ids)
    seasons.give_back_cancelled(line_ids)


def _line_ids(*conditions: Any) -> list[int]:
    return list(db.session().scalars(
        select(OrderLine.id).join(Order, Order.id == OrderLine.order_id).where(*conditions)))
