"""Reports for programs: the same rows as the page, amounts as integers."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_login import current_user
from marshmallow import Schema, fields

from market import api
from market.access import requires
from orders.reports import routes
from orders.reports.readers import reader_of

bp = api.blueprint("reports_api", __name__, "Reports added up from single orders")


class MonthsSchema(Schema):
    from_ = fields.String(required=True, data_key="from")
    to = fields.String(required=True)


class ColumnSchema(Schema):
    key = fields.String(required=True)
    heading = fields.String(required=True)
    kind = fields.String(required=True, metadata={"description": "text, code, fen, grams, count or percent; percent "
                                                                 "in hundredths of a percent"})
    stage = fields.String(allow_none=True)
    sums = fields.Boolean(required=True)


class ReportSchema(Schema):
    """A report as read at one moment. Null stands where a value is not known or not shown."""

    report = fields.String(required=True)
    title = fields.String(required=True)
    period = fields.Nested(MonthsSchema, required=True)
    time_zone = fields.String(required=True)
    place = fields.String(allow_none=True)
    filters = fields.Dict(required=True, metadata={"description": "what the figures are narrowed to"})
    stage = fields.String(allow_none=True)
    compare = fields.List(fields.String(), required=True)
    made_at = fields.String(required=True)
    ledger_head = fields.String(allow_none=True)
    unsealed_transfers = fields.Integer(required=True)
    demo = fields.Boolean(required=True)
    demo_mark = fields.String()
    columns = fields.List(fields.Nested(ColumnSchema), required=True)
    rows = fields.List(fields.Dict(), required=True)
    totals = fields.Dict(required=True)
    notes = fields.List(fields.String(), required=True)


@bp.get("/reports/<name>")
@requires("account.own")
@bp.arguments(routes.AskedSchema, location="query")
@bp.response(200, ReportSchema)
def report(_wishes: Mapping[str, Any], name: str) -> Response:
    """A report: offices read their area, everybody else what is public."""
    return routes.json_of(routes.filled_as_asked(routes.known(name), reader_of(current_user)))
