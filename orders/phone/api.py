"""Phone orders for programs: the canteen's confirmation."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_login import current_user

from market import api
from market.access import requires
from market.web import once
from orders import feed
from orders.api_schemas import WholePurchaseSchema
from orders.phone import calls
from orders.phone.schemas import ConfirmationSchema

bp = api.blueprint("phone_api", __name__, "Phone orders typed by a co-operative")


@bp.post("/phone-orders/<int(max=999999999999):phone_order_id>/confirmation")
@requires("purchase.place")
@bp.arguments(ConfirmationSchema)
@bp.response(201, WholePurchaseSchema)
@api.repeatable(bp)
def confirm(values: Mapping[str, Any], phone_order_id: int) -> Response:
    """The canteen says yes to what was typed and to its sum; a repeat answers with the first purchase."""
    def work() -> Response:
        purchase_id = calls.confirm(phone_order_id, values["delivery_point_id"], values["fund_source"],
                                    values["expected_total_fen"], current_user)
        return api.created(WholePurchaseSchema, feed.purchase(purchase_id, current_user))

    return once(work)
