"""News of changed orders: to the co-operative what the buyer changed, to the buyer what comes later."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market import db, money, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.approving.models import OrderAmendment
from orders.models import Order

KINDS: Kinds = {
    "order.amended": Kind(N_("%(unit)s changed order %(number)s: it is now over ¥%(yuan)s."),
                          "order_changes.show", "amendment_id"),
    "order.amended_waiting": Kind(
        N_("%(unit)s changed order %(number)s; it waits for approval again. Please do not pack it yet."),
        "order_changes.show", "amendment_id"),
    "order.amended_approved": Kind(
        N_("The change of order %(number)s by %(unit)s is approved: please pack it as changed."),
        "order_changes.show", "amendment_id"),
    "order.parted": Kind(N_("%(supplier)s sends a part of order %(number)s later, on %(day)s: order %(rest)s."),
                         "buying.order", "order_id"),
}


def order_amended(payload: Mapping[str, Any]) -> None:
    """Changed: the co-operative hears of it, and whether it still has to wait."""
    with db.transaction():
        row = _amendment(OrderAmendment.id == payload["amendment_id"])[0]
        _tell(row, "order.amended_waiting" if row.round_no is not None else "order.amended")


def approved_again(payload: Mapping[str, Any]) -> None:
    """A grown purchase has all its yeses: the co-operatives may pack what was changed."""
    with db.transaction():
        for row in _amendment((OrderAmendment.purchase_id == payload["purchase_id"])
                              & (OrderAmendment.round_no == payload["round_no"])):
            _tell(row, "order.amended_approved")


def order_parted(payload: Mapping[str, Any]) -> None:
    """Parted: the unit hears what follows when, and may cancel it."""
    with db.transaction() as session:
        row = _amendment(OrderAmendment.id == payload["amendment_id"])[0]
        rest = session.execute(select(Order.id, Order.number, Order.delivery_day)
                               .where(Order.id == row.new_order_id)).one()
        notices.tell(row.unit_id, "order.parted", rest.id, {
            "supplier": row.supplier_name, "number": row.number, "rest": rest.number,
            "day": rest.delivery_day.isoformat()})


def _amendment(condition: Any) -> Any:
    return db.session().execute(
        select(OrderAmendment.id, OrderAmendment.round_no, OrderAmendment.after_fen, OrderAmendment.new_order_id,
               Order.number, Order.supplier_id, Order.supplier_name, Order.unit_id, Organisation.name)
        .join(Order, Order.id == OrderAmendment.order_id).join(Organisation, Organisation.id == Order.unit_id)
        .where(condition).order_by(OrderAmendment.id)).all()


def _tell(row: Any, kind: str) -> None:
    notices.tell(row.supplier_id, kind, row.id, {
        "unit": row.name, "number": row.number, "yuan": money.yuan(row.after_fen)})


HANDLERS: Mapping[str, Handler] = {
    "order.amended": order_amended,
    "order.parted": order_parted,
    "purchase.approved_again": approved_again,
}
