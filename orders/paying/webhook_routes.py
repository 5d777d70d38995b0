"""The door for the card provider's bells: checked, kept and answered, nothing more. When unsure it is rung again."""

from flask import Blueprint, Response, current_app, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from market import db, faults
from market.access import public
from market.web import csrf
from orders.paying import card_events
from orders.paying.gateway import BadWebhook, Bell

bp = Blueprint("webhooks", __name__)
csrf.exempt(bp)  # the signature says who rings; no browser sends one

MOST_BYTES = 256 * 1024


@bp.post("/webhooks/stripe")
@public
def stripe() -> Response:
    """200: kept, or kept before. 400: not to be believed, nothing has changed. 503: please ring again."""
    try:
        bell = _heard()
        with db.transaction():
            card_events.keep(bell)
            faults.point("webhook_stored")
        faults.point("webhook_committed")
    except BadWebhook:
        return Response(status=400)
    except DBAPIError:
        return Response(status=503)
    return Response(status=200)


def _heard() -> Bell:
    """Raises BadWebhook, for a body that is too large as well."""
    request.max_content_length = MOST_BYTES
    try:
        body = request.get_data(cache=False, parse_form_data=False)
    except HTTPException as error:
        raise BadWebhook("size") from error
    bell: Bell = current_app.extensions["sijin_gateway"].heard(body, request.headers.get("Stripe-Signature", ""))
    return bell
