"""What the worker does for refunds: sends those to cards, looks after them, tells the unit."""

from collections.abc import Mapping
from typing import Any

from flask import current_app
from sqlalchemy import select

from market import db, money, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from orders.models import Order, Refund
from orders.paying import card_refunds, refunds
from orders.paying.gateway import Gateway

RANG = "card.refund_event"  # of the room that hears webhooks: {account_id, object_id, refund_mark}

KINDS: Kinds = {
    refunds.DONE: Kind(N_("%(supplier)s gave ¥%(yuan)s back for order %(number)s."), "buying.order", "order_id"),
}


def send(payload: Mapping[str, Any]) -> None:
    """Confirmed: the money goes to the card it came from."""
    card_refunds.carry_on(payload["refund_id"], _gateway())


def rang(payload: Mapping[str, Any]) -> None:
    """The provider rang about a refund of an account; one of none of ours is for the reconciliation to find."""
    refund_id = card_refunds.named(payload["account_id"], str(payload.get("refund_mark") or ""), payload["object_id"])
    if refund_id is not None:
        card_refunds.look_again(refund_id, _gateway())


def done(payload: Mapping[str, Any]) -> None:
    """Given back: the unit hears of it."""
    with db.transaction() as session:
        found = session.execute(
            select(Order.id, Order.number, Order.unit_id, Order.supplier_name, Refund.amount_fen,
                   Refund.number.label("refund_number"))
            .join(Order, Order.id == Refund.order_id).where(Refund.id == payload["refund_id"])).one()
        notices.tell(found.unit_id, refunds.DONE, found.id, {
            "supplier": found.supplier_name, "number": found.number, "yuan": money.yuan(found.amount_fen)},
            found.refund_number)


def follow() -> None:
    """See to every refund that is still on its way to a card."""
    for refund_id in card_refunds.under_way():
        card_refunds.carry_on(refund_id, _gateway())


def _gateway() -> Gateway:
    found: Gateway = current_app.extensions["sijin_gateway"]
    return found


HANDLERS: Mapping[str, Handler] = {card_refunds.SEND: send, RANG: rang, refunds.DONE: done}
