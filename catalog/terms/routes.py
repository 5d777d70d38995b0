"""Where we deliver: the village desk's page of delivery terms; and the door, day and window a unit looks for."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_login import current_user

from catalog.terms import choosing, desk, stating
from catalog.terms.schemas import BreakSchema, ChoiceSchema, NewTermsSchema, TermsSchema
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, parse, safe_next, see_other, shows_again

bp = Blueprint("terms", __name__)

MENU = (MenuEntry("supplier", N_("Where we deliver"), "terms.index", "terms.state", "truck", group="keep"),)
WEEKDAYS: Mapping[str, str] = {
    "1": N_("Mon"), "2": N_("Tue"), "3": N_("Wed"), "4": N_("Thu"), "5": N_("Fri"), "6": N_("Sat"), "7": N_("Sun"),
}
TERMS, BREAK = "<int(max=999999999999):terms_id>", "<int(max=999999999999):break_id>"


@bp.get("/village/terms")
@requires("terms.state")
def index() -> str:
    return render_template("catalog/terms/index.html", areas=desk.areas(current_user),
                           breaks=desk.breaks(current_user), weekdays=WEEKDAYS)


@bp.get("/village/terms/new")
@requires("terms.state")
def new() -> str:
    return render_template("catalog/terms/edit.html", row=None, areas=desk.areas_to_choose(), weekdays=WEEKDAYS)


@bp.post("/village/terms")
@requires("terms.state")
@shows_again(new)
def add() -> Response:
    said = parse(NewTermsSchema)
    area = said.pop("area")

    def work() -> Response:
        stating.add(area, said, current_user)
        flash(_("Stated. Units in this area see it from now on."), "good")
        return see_other("terms.index")

    return once(work)


@bp.get(f"/village/terms/{TERMS}")
@requires("terms.state")
def edit(terms_id: int) -> str:
    return render_template("catalog/terms/edit.html", row=desk.area(terms_id, current_user), areas=(),
                           weekdays=WEEKDAYS)


@bp.post(f"/village/terms/{TERMS}")
@requires("terms.state")
@shows_again(edit)
def change(terms_id: int) -> Response:
    desk.area(terms_id, current_user)  # somebody else's is unknown, whatever the form says
    said = parse(TermsSchema)

    def work() -> Response:
        stating.change(terms_id, said, current_user)
        flash(_("Changed. Orders already placed keep what they were promised."), "good")
        return see_other("terms.index")

    return once(work)


@bp.post(f"/village/terms/{TERMS}/closing")
@requires("terms.state")
def close(terms_id: int) -> Response:
    def work() -> Response:
        stating.close(terms_id, current_user)
        flash(_("Closed. Orders already placed keep what they were promised."), "good")
        return see_other("terms.index")

    return once(work)


@bp.post("/village/terms/breaks")
@requires("terms.state")
@shows_again(index)
def pause() -> Response:
    said = parse(BreakSchema)

    def work() -> Response:
        stating.pause(said["first_day"], said["last_day"], said["reason"], current_user)
        return see_other("terms.index")

    return once(work)


@bp.post(f"/village/terms/breaks/{BREAK}/ending")
@requires("terms.state")
def resume(break_id: int) -> Response:
    def work() -> Response:
        stating.resume(break_id, current_user)
        return see_other("terms.index")

    return once(work)


@bp.post("/delivery-choice")
@requires("purchase.read")
def choose() -> Response:
    """Look at the shelf for another door, day or window; kept in this browser only."""
    said = parse(ChoiceSchema)
    choosing.keep(said, current_user)
    target: Any = safe_next(said["next"]) or url_for("shop.goods")
    return redirect(target, 303)  # type: ignore[return-value]
