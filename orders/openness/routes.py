"""A co-operative's costs at the village desk, a unit's word on being named, and shares for the public pages."""

from typing import Any

from flask import Blueprint, Response, flash, render_template, request
from flask_login import current_user

from market import clock, db, file_routes, uploads
from market.access import can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.page_cache import fragment
from market.web import MenuEntry, once, parse, see_other, shows_again
from orders.openness import costs, naming, shares
from orders.openness.schemas import CostSchema, NamingSchema
from orders.openness.shares import Told

bp = Blueprint("openness", __name__)

MENU = (MenuEntry("supplier", N_("Farmers' share and costs"), "openness.index", "supplier.read", "chart",
                  group="keep"),)
COST = "<int(max=999999999999):cost_id>"


def told_share(supplier_id: int, category: str) -> Told:
    """For templates of the shop: what anybody may read of a co-operative's goods of a category."""
    def read() -> Told:
        with db.snapshot():
            return shares.told([(supplier_id, category)])[supplier_id, category]

    return fragment("farmers' share", (supplier_id, category), read)


# ---- the co-operative -----------------------------------------------------------------------------------------------


@bp.get("/village/costs")
@requires("supplier.read")
def index() -> str:
    """What buyers read of each category, and what the co-operative has said so far."""
    categories = costs.categories(current_user)
    with db.snapshot():
        told = shares.told((current_user.organisation_id, code) for code, _names in categories)
    return render_template(
        "orders/openness/costs.html", categories=categories, told=[(row, told[current_user.organisation_id, code])
                                                                   for code, row in categories],
        declared=costs.declared(current_user), declares=can(current_user, "cost.declare"),
        months=shares.MONTHS_NEEDED, orders=shares.ORDERS_NEEDED, window=shares.window(),
        values=request.form if request.method == "POST" else {"valid_from": clock.period_of(clock.today())})


@bp.post("/village/costs")
@requires("cost.declare")
@shows_again(index)
def declare() -> Response:
    values, evidence = parse(CostSchema), uploads.sent("evidence")

    def work() -> Response:
        costs.declare(values, evidence.keep().id if evidence else None, current_user)
        flash(_("Saved. It stands beside the farmers' share as your word."), "good")
        return see_other("openness.index")

    return once(work)


@bp.get(f"/village/costs/{COST}/evidence")
@requires("supplier.read")
def evidence(cost_id: int) -> Response:
    return file_routes.send(costs.evidence(cost_id, current_user))


# ---- the unit -------------------------------------------------------------------------------------------------------


@bp.post("/unit/naming")
@requires("unit.manage")
def set_naming() -> Any:
    """Whether village pages name the unit among the buyers."""
    agreed = parse(NamingSchema)["agreed"]

    def work() -> Response:
        naming.set_named(agreed, current_user)
        flash(_("Village pages name your unit now.") if agreed else _("Village pages name your unit no more."), "good")
        return see_other("units.show")

    return once(work)
