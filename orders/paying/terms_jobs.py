"""What the worker does about payments: ends unpaid orders, tells both sides what happened to claims and terms."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market import db, money, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.models import Order, PaymentClaim
from orders.paying import claims, expiry, terms

KINDS: Kinds = {
    expiry.EXPIRED: Kind(N_("Order %(number)s was not paid by %(day)s and is cancelled; its goods are free again."),
                         "buying.order", "order_id"),
    f"{expiry.EXPIRED}_here": Kind(
        N_("%(unit)s did not pay order %(number)s by %(day)s: it is cancelled; its goods are free again."),
        "packing.show", "order_id"),
    expiry.STANDS: Kind(
        N_("Order %(number)s of %(unit)s was to be paid by %(day)s and is not paid in full; it stands because money "
           "may be on its way."), "packing.show", "order_id"),
    f"{expiry.STANDS}_here": Kind(
        N_("Order %(number)s was to be paid by %(day)s and is not paid in full; it stands because money may be on its "
           "way."), "paying.order_claims", "order_id"),
    terms.EXTENDED: Kind(N_("%(unit)s has until %(day)s to pay order %(number)s: 15 days more."),
                         "packing.show", "order_id"),
    claims.WITHDRAWN: Kind(N_("%(unit)s took back its claim %(number)s over ¥%(yuan)s."), "receipts.show", "claim_id"),
    claims.REFUSED: Kind(N_("%(supplier)s did not find the ¥%(yuan)s of claim %(number)s: %(reason)s"),
                         "paying.show", "claim_id"),
}


def expire() -> bool:
    """End what is over, each order in a transaction of its own; whether more waits."""
    over = expiry.due()
    for order_id in over:
        with db.transaction():
            expiry.expire(order_id)
    _tell_standing()
    return len(over) == expiry.AT_ONCE


def _tell_standing() -> None:
    for order_id in expiry.untold():
        with db.transaction():
            order = _order({"order_id": order_id})
            _tell_both(order, expiry.STANDS, f"{expiry.STANDS}_here")


def expired(payload: Mapping[str, Any]) -> None:
    """Both sides hear that an order is over."""
    with db.transaction():
        _tell_both(_order(payload), f"{expiry.EXPIRED}_here", expiry.EXPIRED)


def extended(payload: Mapping[str, Any]) -> None:
    """The co-operative hears that it waits longer for its money."""
    with db.transaction():
        order = _order(payload)
        notices.tell(order.supplier_id, terms.EXTENDED, order.id, _about(order))


def withdrawn(payload: Mapping[str, Any]) -> None:
    """The co-operative need not look any more."""
    with db.transaction():
        claim = _claim(payload)
        notices.tell(claim.supplier_id, claims.WITHDRAWN, claim.id, {
            "unit": claim.unit_name, "number": claim.number, "yuan": money.yuan(claim.amount_fen)})


def refused(payload: Mapping[str, Any]) -> None:
    """The unit hears that its money was not found."""
    with db.transaction():
        claim = _claim(payload)
        notices.tell(claim.unit_id, claims.REFUSED, claim.id, {
            "supplier": claim.supplier_name, "number": claim.number, "yuan": money.yuan(claim.amount_fen),
            "reason": claim.reason})


def _tell_both(order: Any, to_supplier: str, to_unit: str) -> None:
    notices.tell(order.supplier_id, to_supplier, order.id, _about(order))
    notices.tell(order.unit_id, to_unit, order.id, _about(order))


def _about(order: Any) -> dict[str, str]:
    return {"unit": order.unit_name, "number": order.number, "day": order.pay_by.isoformat()}


def _order(payload: Mapping[str, Any]) -> Any:
    return db.session().execute(
        select(Order.id, Order.number, Order.unit_id, Order.supplier_id, Order.pay_by,
               Organisation.short_name.label("unit_name"))
        .join(Organisation, Organisation.id == Order.unit_id).where(Order.id == payload["order_id"])).one()


def _claim(payload: Mapping[str, Any]) -> Any:
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    return db.session().execute(
        select(db.table(PaymentClaim), unit.c.short_name.label("unit_name"),
               supplier.c.short_name.label("supplier_name"))
        .join(unit, unit.c.id == PaymentClaim.unit_id).join(supplier, supplier.c.id == PaymentClaim.supplier_id)
        .where(PaymentClaim.id == payload["claim_id"])).one()


HANDLERS: Mapping[str, Handler] = {
    expiry.EXPIRED: expired, terms.EXTENDED: extended, claims.WITHDRAWN: withdrawn, claims.REFUSED: refused,
}
