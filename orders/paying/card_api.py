"""Payment by card for programs: the page to pay on, and what came of it."""

from typing import Any

from flask import Response, current_app
from flask_login import current_user
from marshmallow import Schema, fields

from market import api
from market.access import requires
from market.web import once
from orders.paying import card_lists, cards
from orders.paying.gateway import Gateway, OutcomeUnknown

bp = api.blueprint("card_api", __name__, "Payment by card and wallet")

ORDER = "/orders/<int(max=999999999999):order_id>/card-payments"


class CardPaymentSchema(Schema):
    """One attempt. `state` is asked (being checked: ask again), open (pay on `url`), paid, expired, refused, or
    different (somebody has to look).
    """

    id = fields.Integer(required=True)
    order_id = fields.Integer(required=True)
    amount_fen = fields.Integer(required=True)
    state = fields.String(required=True)
    url = fields.String(required=True, metadata={"description": "empty unless the state is open"})
    way = fields.String(required=True, allow_none=True)
    expires_at = fields.AwareDateTime(required=True)


@bp.post(ORDER)
@requires("payment.card")
@bp.response(201, CardPaymentSchema)
@api.repeatable(bp)
def start(order_id: int) -> Response:
    """Open the page on which what is open of an order is paid. Repeated, the same attempt is told as it stands now."""
    gateway: Gateway = current_app.extensions["sijin_gateway"]
    cards.close_changed(order_id, current_user, gateway)

    def write_down() -> Response:
        payment = cards.start(order_id, current_user, gateway)
        return api.created(CardPaymentSchema, _told(payment.id, order_id))

    answer = once(write_down)
    payment_id = answer.get_json()["id"]
    try:
        cards.open_page(payment_id, gateway)
    except OutcomeUnknown:
        return answer
    told = api.created(CardPaymentSchema, _told(payment_id, order_id))
    if "Idempotent-Replay" in answer.headers:
        told.headers["Idempotent-Replay"] = "true"
    return told


@bp.get(f"{ORDER}/<int(max=999999999999):payment_id>")
@requires("order.read")
@bp.response(200, CardPaymentSchema)
def show(order_id: int, payment_id: int) -> dict[str, Any]:
    """One attempt, for either side of the order."""
    return _told(payment_id, order_id)


def _told(payment_id: int, order_id: int) -> dict[str, Any]:
    row = card_lists.one_of_either(payment_id, order_id, current_user)
    return {**row._mapping, "url": row.session_url if row.state == "open" else ""}
