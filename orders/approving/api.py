"""Changed orders for programs: the same verb as the page."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_login import current_user

from market import api
from market.access import requires
from market.web import once
from orders import feed
from orders.api_schemas import WholeOrderSchema
from orders.approving import amending
from orders.approving.schemas import AmendmentSchema

bp = api.blueprint("approving_api", __name__, "Changes of placed orders")


@bp.post("/orders/<int(max=999999999999):order_id>/amendment")
@requires("purchase.amend")
@bp.arguments(AmendmentSchema)
@bp.response(201, WholeOrderSchema)
@api.repeatable(bp)
def amend(values: Mapping[str, Any], order_id: int) -> Response:
    """Change quantities before the cut-off; 0 cancels a line. Less needs nobody, more waits again for approval."""
    wanted = {row["line_id"]: row["ordered_milli"] for row in values["lines"]}
    new = [(row["product_id"], row["ordered_milli"]) for row in values["new"]]

    def work() -> Response:
        amending.amend(order_id, wanted, new, values["reason"], current_user)
        return api.created(WholeOrderSchema, feed.order(order_id, current_user))

    return once(work)
