"""Standing orders for programs: the unit's plans and what comes next."""

from collections.abc import Mapping
from typing import Any

from flask_login import current_user
from marshmallow import Schema, fields

from market import api
from market.access import requires
from orders.standing import lists

bp = api.blueprint("standing_api", __name__, "Standing orders")


class PlanSchema(Schema):
    """A standing order; next_day and next_due_at are null where nothing comes."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": "draft, waiting, active, paused or ended"})
    delivery_point_id = fields.Integer(required=True)
    delivery_window = fields.String(required=True)
    fund_source = fields.String(required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    year_limit_fen = fields.Integer(required=True)
    next_day = fields.Date(allow_none=True)
    next_due_at = fields.DateTime(allow_none=True)


@bp.get("/standing-orders")
@requires("purchase.read")
@bp.arguments(api.PageSchema, location="query")
@bp.response(200, api.page_of(PlanSchema))
def plans(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The unit's standing orders, the newest first."""
    return api.page(lists.feed(current_user.organisation_id, wishes["cursor"], wishes["limit"] + 1), wishes["limit"])
