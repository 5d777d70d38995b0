"""Wages for making goods at the village desk."""


from flask import Blueprint, Response, flash, render_template, request
from flask_login import current_user

from market import clock, uploads
from market.access import requires
from market.i18n import gettext as _
from market.web import once, page_number, parse, see_other, shows_again, unflatten
from orders.income import wages
from orders.income.wage_schemas import WagesSchema

bp = Blueprint("wages", __name__)

LOT = "<int(max=999999999999):lot_id>"


@bp.get("/village/income/making")
@requires("supplier.read")
def index() -> str:
    """Processed lots with wages: stated, declared, confirmed."""
    return render_template("orders/village/making_wages.html", found=wages.stated(current_user, page_number()))


@bp.get(f"/village/income/making/{LOT}")
@requires("lot.book")
def show(lot_id: int) -> str:
    lot = wages.of_lot(lot_id, current_user)
    sent = unflatten(request.form.to_dict()).get("lines", []) if request.method == "POST" else []
    return render_template(
        "orders/village/making_wage.html", lot=lot, workers=wages.workers(lot.plant_village_id, current_user),
        values=request.form if request.method == "POST" else {"month": clock.period_of(lot.harvested_on)},
        typed_fen={row.get("household_id"): (number, row.get("amount_fen")) for number, row in enumerate(
            row for row in sent if row.get("amount_fen"))})


@bp.post(f"/village/income/making/{LOT}")
@requires("lot.book")
@shows_again(show)
def declare(lot_id: int) -> Response:
    wages.of_lot(lot_id, current_user)
    values, proof = parse(WagesSchema), uploads.needed("proof")

    def work() -> Response:
        wages.declare(lot_id, [(row["household_id"], row["amount_fen"]) for row in values["lines"]],
                      values["month"], proof.keep().id, current_user)
        flash(_("Declared. It is income once the village has confirmed it."), "good")
        return see_other("wages.index")

    return once(work)
