"""A whole list of transfers confirmed by a program: the same verb as the page's one button."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_login import current_user
from marshmallow import Schema, fields

from market import api
from market.access import requires
from market.schemas import Input, Whole
from market.web import once
from orders.agency import confirming
from orders.api_schemas import ClaimSchema

bp = api.blueprint("agency_api", __name__, "Lists of transfers")


class ReceiptListSchema(Input):
    """Claims, and what they were seen to come to: how many and how much (fen)."""

    claim_ids = fields.List(Whole(), required=True)
    seen_claims = Whole(low=0, required=True)
    seen_fen = Whole(low=0, required=True)


class ReceivedSchema(Schema):
    """The claims that are now received."""

    claims = fields.List(fields.Nested(ClaimSchema), required=True)


@bp.post("/payment-receipts")
@requires("payment.receive")
@bp.arguments(ReceiptListSchema)
@bp.response(201, ReceivedSchema)
@api.repeatable(bp)
def receive_all(values: Mapping[str, Any]) -> Response:
    """The money of every one of these claims is on the co-operative's account: all of them or none."""
    seen = confirming.Seen(values["seen_claims"], values["seen_fen"])
    return once(lambda: api.created(
        ReceivedSchema, {"claims": confirming.confirm_all(values["claim_ids"], seen, current_user)}))
