"""What the worker does for card payments: follows bells and attempts up, closes pages, tells both sides."""

from collections.abc import Mapping
from typing import Any

from flask import current_app
from sqlalchemy import select

from market import db, money, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.models import CardPayment, Order
from orders.paying import card_booking, card_closing, card_events, card_following, card_late, cards
from orders.paying.gateway import Gateway

KINDS: Kinds = {
    "card.paid": Kind(N_("%(unit)s paid ¥%(yuan)s by card or wallet: order %(number)s."), "packing.show", "order_id"),
    "card.paid_here": Kind(N_("Your payment of ¥%(yuan)s by card or wallet has arrived: order %(number)s."),
                           "buying.order", "order_id"),
    "card.back": Kind(N_("Order %(number)s was paid late and is placed again, for delivery on %(day)s."),
                      "packing.show", "order_id"),
    "card.back_here": Kind(N_("Order %(number)s was paid late and is placed again, for delivery on %(day)s."),
                           "buying.order", "order_id"),
}


def gateway() -> Gateway:
    """This site's way to the card provider."""
    found: Gateway = current_app.extensions["sijin_gateway"]
    return found


def follow() -> bool:
    """Ask about attempts that are due."""
    return card_following.follow(gateway())


def rang(payload: Mapping[str, Any]) -> None:
    """A bell was kept: follow it up."""
    card_events.follow_up(payload["event_id"], gateway())


def close(payload: Mapping[str, Any]) -> None:
    """Cancelled or paid otherwise while a page was open."""
    cards.close(payload["payment_id"], gateway())


def paid(payload: Mapping[str, Any]) -> None:
    """Paid: both sides hear of it."""
    with db.transaction() as session:
        row = session.execute(
            select(CardPayment.order_id, CardPayment.supplier_id, CardPayment.unit_id, CardPayment.amount_fen,
                   CardPayment.key, Order.number, Organisation.short_name)
            .join(Order, Order.id == CardPayment.order_id).join(Organisation, Organisation.id == CardPayment.unit_id)
            .where(CardPayment.id == payload["payment_id"])).one()
        told = {"unit": row.short_name, "yuan": money.yuan(row.amount_fen), "number": row.number}
        notices.tell(row.supplier_id, "card.paid", row.order_id, told, occasion=row.key)
        notices.tell(row.unit_id, "card.paid_here", row.order_id, told, occasion=row.key)


def back(payload: Mapping[str, Any]) -> None:
    """Placed again: the co-operative packs after all, and the unit knows that the goods come."""
    with db.transaction() as session:
        row = session.execute(select(Order.id, Order.supplier_id, Order.unit_id, Order.number, Order.delivery_day)
                              .where(Order.id == payload["order_id"])).one()
        told = {"number": row.number, "day": row.delivery_day.isoformat()}
        notices.tell(row.supplier_id, "card.back", row.id, told)
        notices.tell(row.unit_id, "card.back_here", row.id, told)


HANDLERS: Mapping[str, Handler] = {
    card_events.RANG: rang,
    card_closing.CLOSE: close,
    card_booking.PAID: paid,
    card_late.BACK: back,
}
