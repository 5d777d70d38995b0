"""What the worker does for phone orders: ends what nobody confirmed, and tells both sides."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market import clock, db, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.phone import calls
from orders.phone.models import PhoneOrder

KINDS: Kinds = {
    "phone.typed": Kind(N_("%(supplier)s typed what you ordered by phone for %(day)s. Please confirm it by %(until)s."),
                        "phone.show", "phone_order_id"),
    "phone.declined": Kind(N_("%(unit)s declined the phone order for %(day)s."), "phone.typed", "phone_order_id"),
    "phone.expired": Kind(N_("Nobody confirmed the phone order of %(unit)s for %(day)s: it is not ordered."),
                          "phone.typed", "phone_order_id"),
    "phone.expired_here": Kind(N_("Nobody confirmed the phone order with %(supplier)s for %(day)s: it is not ordered."),
                               "phone.show", "phone_order_id"),
}


def expire() -> bool:
    """End what is over; opens no write transaction where nothing is."""
    due = select(PhoneOrder.id).where(PhoneOrder.state == "open", PhoneOrder.expires_at <= clock.now()).limit(1)
    if db.session().scalar(due) is not None:
        with db.transaction():
            calls.expire_due()
    return False


def typed(payload: Mapping[str, Any]) -> None:
    """Typed: the canteen is asked to confirm, as long as it can."""
    with db.transaction():
        order = _order(payload)
        if order.state == "open":
            notices.tell(order.unit_id, "phone.typed", order.id, _about(order))


def decided(payload: Mapping[str, Any]) -> None:
    """Declined: the co-operative hears of it. Expired: both do."""
    with db.transaction():
        order = _order(payload)
        notices.tell(order.supplier_id, f"phone.{order.state}", order.id, _about(order))
        if order.state == "expired":
            notices.tell(order.unit_id, "phone.expired_here", order.id, _about(order))


def _about(order: Any) -> dict[str, str]:
    return {"supplier": order.supplier, "unit": order.unit, "day": order.delivery_day.isoformat(),
            "until": order.expires_at.astimezone(clock.SHANGHAI).strftime("%m-%d %H:%M")}


def _order(payload: Mapping[str, Any]) -> Any:
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    return db.session().execute(
        select(db.table(PhoneOrder), unit.c.short_name.label("unit"), supplier.c.short_name.label("supplier"))
        .join(unit, unit.c.id == PhoneOrder.unit_id).join(supplier, supplier.c.id == PhoneOrder.supplier_id)
        .where(PhoneOrder.id == payload["phone_order_id"])).one()


HANDLERS: Mapping[str, Handler] = {"phone.typed": typed, "phone.decided": decided}
