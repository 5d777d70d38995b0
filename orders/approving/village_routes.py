"""The co-operative's side: what a buyer changed of an order."""

from flask import Blueprint, render_template
from flask_login import current_user

from market.access import requires
from orders.approving import changes

bp = Blueprint("order_changes", __name__, url_prefix="/village/order-changes")


@bp.get("/<int(max=999999999999):amendment_id>")
@requires("supplier.read")
def show(amendment_id: int) -> str:
    change, lines = changes.for_supplier(amendment_id, current_user)
    return render_template("orders/approving/change.html", change=change, lines=lines)
