"""Letting people in again: the township's desk for clerks, the security operator's for lost second factors."""

from typing import Any

from flask import Blueprint, flash, render_template, request
from flask_login import current_user

from market import db, resets, second_factor, web, words
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.schemas import Input, Words

bp = Blueprint("resets", __name__, url_prefix="/office/logins")

MENU = (
    web.MenuEntry("office", N_("Let people in again"), "resets.desk", "login.reset", "key", group="keep"),
    web.MenuEntry("office", N_("Lost second factors"), "resets.second_factors", "login.reset_second_factor", "shield",
                  group="keep"),
)


class LoginSchema(Input):
    login = Words(required=True, longest=64)


@bp.get("")
@requires("login.reset")
def desk() -> str:
    """The clerks and village officers of this township."""
    return render_template("market/account/reset_desk.html", people=_by_person(resets.people_of(current_user)))


def _by_person(rows: list[Any]) -> list[dict[str, Any]]:
    """One line per person and organisation, with the labels of all roles there."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        person = found.setdefault((row.id, row.organisation_name), {**row._mapping, "roles": []})
        person["roles"].append(words.ROLES[row.role])
    return list(found.values())


@bp.post("/<int:user_id>/code")
@requires("login.reset")
def issue(user_id: int) -> str:
    """The sheet is the answer itself: the code is kept nowhere and can be shown only once."""
    with db.transaction():
        sheet = resets.issue(current_user, user_id)
    return render_template("market/account/reset_sheet.html", sheet=sheet, issuer=current_user)


def second_factors_page() -> str:
    return render_template("market/account/second_factors.html")


@bp.route("/second-factors", methods=["GET", "POST"])
@requires("login.reset_second_factor")
@web.shows_again(second_factors_page)
def second_factors() -> Any:
    """Take a lost second factor away; its owner enrols anew at the next login."""
    if request.method == "GET":
        return second_factors_page()
    values = web.parse(LoginSchema)
    with db.transaction():
        second_factor.reset(values["login"], current_user)
    flash(_("The second factor of %(login)s is taken away.", login=values["login"]), "good")
    return web.see_other("resets.second_factors")
