"""The way in for a new buying unit: the public form."""

from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask_login import current_user

from market import passwords, words
from market.access import public
from market.errors import N_
from market.login_routes import come_in_newly
from market.menus import MenuEntry, desk_url
from market.web import parse, shows_again
from orders.units import admission, desk
from orders.units.admission import Newcomer
from orders.units.schemas import RegistrationSchema

bp = Blueprint("unit_door", __name__, url_prefix="/buy")

MENU = (MenuEntry("footer", N_("Buy for a canteen"), "unit_door.register", None, "canteen"),)


def page() -> Any:
    return render_template("orders/units/register.html", types=words.UNIT_TYPES, counties=desk.counties())


@bp.route("/register", methods=["GET", "POST"])
@public
@shows_again(page)
def register() -> Any:
    """A login and a unit that applies; whoever is logged in already has an own desk."""
    if current_user.is_authenticated:
        return redirect(desk_url(current_user))
    if request.method == "GET":
        return page()
    values = parse(RegistrationSchema)
    passwords.refuse_easy_password(values["password"], values["name"], values["mobile"])
    newcomer = Newcomer(**{name: value for name, value in values.items() if name != "password"},
                        password_hash=passwords.hashed(values["password"]))
    return come_in_newly(partial(admission.register, newcomer), values["password"])
