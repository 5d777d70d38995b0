"""The unit's card payments: to the provider's page, back from it, and what came of it."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request
from flask_login import current_user

from market.access import requires
from market.i18n import gettext as _
from market.web import once, see_other, shows_again
from orders.buying import lists as orders_lists
from orders.paying import card_lists, cards
from orders.paying.gateway import Declined, Gateway, OutcomeUnknown

bp = Blueprint("cards", __name__)

ORDER = "/orders/<int(max=999999999999):order_id>/card-payments"
PAYMENT = f"{ORDER}/<int(max=999999999999):payment_id>"
MOST_LOOKS = 20  # that a page makes by itself


def gateway() -> Gateway:
    found: Gateway = current_app.extensions["sijin_gateway"]
    return found


def panel_of(order: Any) -> card_lists.Panel:
    """What orders/cards/panel.html shows of an order, as orders.buying.lists.order() gives it."""
    panel = card_lists.panel(order, current_user, gateway())
    return replace(panel, why=panel.refusal.message(_)) if panel.refusal else panel


@bp.get(ORDER)
@requires("purchase.read")
def index(order_id: int) -> str:
    order = orders_lists.order(order_id, orders_lists.unit_ids(current_user))
    return render_template("orders/cards/order.html", order=order)


@bp.post(ORDER)
@requires("payment.card")
@shows_again(index)
def start(order_id: int) -> Response:
    """Write the attempt down, open its page, go there. What is not known yet is shown as being checked."""
    orders_lists.order(order_id, orders_lists.unit_ids(current_user))
    cards.close_changed(order_id, current_user, gateway())

    def write_down() -> Response:
        payment = cards.start(order_id, current_user, gateway())
        return see_other("cards.show", order_id=order_id, payment_id=payment.id)

    answer = once(write_down)
    payment = cards.newest(order_id)
    try:
        state = cards.open_page(payment.id, gateway())
    except OutcomeUnknown:
        return answer
    return redirect(cards.newest(order_id).session_url, 303) if state == "open" else answer  # type: ignore[return-value]


@bp.get(PAYMENT)
@requires("purchase.read")
def show(order_id: int, payment_id: int) -> str:
    """Where the payer comes back to. Looking it up is a form of its own, as reading changes nothing."""
    payment = card_lists.one(payment_id, order_id, orders_lists.unit_ids(current_user))
    looks = request.args.get("looks", "0")
    looks_made = int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 3 else MOST_LOOKS
    return render_template(
        "orders/cards/payment.html", payment=payment, looks=looks_made, known=card_lists.is_known(payment),
        payable=card_lists.may_still_pay(payment), by_itself=looks_made < MOST_LOOKS,
        wait_ms=min(1_000 * looks_made, 5_000), labels=card_lists.STATE_LABELS, tones=card_lists.TONES,
        ways=card_lists.WAY_LABELS)


@bp.post(f"{PAYMENT}/check")
@requires("payment.card")
def check(order_id: int, payment_id: int) -> Response:
    """Look up what became of an attempt; harmless however often."""
    card_lists.one(payment_id, order_id, orders_lists.unit_ids(current_user))
    looks = request.form.get("looks", "0")
    with suppress(OutcomeUnknown, Declined):  # still being checked: the worker asks again as well
        cards.book(payment_id, gateway())
    made = int(looks) + 1 if looks.isascii() and looks.isdigit() and len(looks) < 3 else MOST_LOOKS
    return see_other("cards.show", order_id=order_id, payment_id=payment_id, looks=made)
