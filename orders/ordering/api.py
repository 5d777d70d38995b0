"""A text read by a program as the page reads it; nothing is ordered."""

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, jsonify
from flask_login import current_user
from marshmallow import Schema, fields

from market import api
from market.access import requires
from market.i18n import gettext as _
from market.web import once, sent_token
from orders.ordering import reading
from orders.ordering.schemas import TextSchema

bp = api.blueprint("ordering_api", __name__, "Reading what somebody typed")


class Problem(fields.Field[Any]):
    """A refusal as a sentence, null where nothing is wrong."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_options: Any) -> str | None:
        return value.message(_) if value is not None else None


class ReadCandidateSchema(Schema):
    """A good on sale; `ordered_milli` is null where the quantity cannot be ordered, `problem` says why."""

    product_id = fields.Integer(required=True)
    name = fields.String(required=True)
    supplier = fields.String(required=True)
    unit = fields.String(required=True)
    price_fen = fields.Integer(required=True)
    ordered_milli = fields.Integer(required=True, allow_none=True)
    ordered_before = fields.Boolean(required=True)
    problem = Problem(allow_none=True)


class ReadLineSchema(Schema):
    text = fields.String(required=True)
    word = fields.String(required=True)
    candidates = fields.List(fields.Nested(ReadCandidateSchema), required=True)


class NotUnderstoodSchema(Schema):
    text = fields.String(required=True)
    word = fields.String(required=True)
    problem = Problem(allow_none=True)


class ReadingSchema(Schema):
    """What is understood, best candidate first, and what is not, in its own words."""

    lines = fields.List(fields.Nested(ReadLineSchema), required=True)
    not_understood = fields.List(fields.Nested(NotUnderstoodSchema), required=True)


@bp.post("/quick-order")
@requires("purchase.prepare")
@bp.arguments(TextSchema)
@bp.response(200, ReadingSchema)
@api.repeatable(bp)
def read(values: Mapping[str, Any]) -> Response:
    """Read a text such as 土豆50斤 白菜30: goods, quantities, and what is not understood. Orders nothing."""
    def work() -> Response:
        found = reading.read(values["text"], current_user.organisation_id, current_app.extensions["sijin_search"])
        answer: Response = jsonify(ReadingSchema().dump(reading.plain(found)))
        return answer

    return once(work) if sent_token() else work()  # without a key nothing is written, so no writer has to wait
