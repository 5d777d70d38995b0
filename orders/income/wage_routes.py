"""Wages for making goods at the village desk, and declarations that a village's officer confirms."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, file_routes, uploads
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, unflatten
from orders.income import declarations, desk, wages
from orders.income.wage_schemas import WagesSchema

bp = Blueprint("wages", __name__)

MENU = (MenuEntry("office", N_("Wages, rent, dividends"), "wages.to_confirm", "village.confirm", "household",
                  group="todo"),)
LOT = "<int(max=999999999999):lot_id>"
DECLARATION = "<int(max=999999999999):declaration_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Declared income that an officer of the village has still to confirm."""
    if can(visitor, "village.confirm"):
        count = desk.declared_in_area(visitor, 1).total
        if count:
            yield Waiting(ngettext("%(num)s declared wage, rent or dividend waits for confirmation.",
                                   "%(num)s declared wages, rents or dividends wait for confirmation.", count),
                          url_for("wages.to_confirm"))


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


# ---- the officer's side ---------------------------------------------------------------------------------------------


@bp.get("/office/declarations")
@requires("village.confirm")
def to_confirm(declaration_id: int | None = None) -> str:
    return render_template("orders/village/declarations_to_confirm.html",
                           found=desk.declared_in_area(current_user, page_number()))


@bp.get(f"/office/declarations/{DECLARATION}/proof")
@requires("village.confirm")
def proof(declaration_id: int) -> Response:
    return file_routes.send(desk.proof_in_area(declaration_id, current_user))


@bp.post(f"/office/declarations/{DECLARATION}/confirmation")
@requires("village.confirm")
@shows_again(to_confirm)
def confirm(declaration_id: int) -> Any:
    def work() -> Response:
        declarations.confirm(declaration_id, current_user)
        flash(_("The income is confirmed."), "good")
        return see_other("wages.to_confirm")

    return once(work)
