"""The way in for a new buying unit: the public form."""

import hashlib
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from flask_login import current_user

from market import credentials, db, passwords, words
from market.access import public
from market.errors import N_
from market.login_routes import address, come_in, device
from market.menus import MenuEntry, desk_url
from market.web import parse, shows_again
from orders.units import admission, desk
from orders.units.admission import AlreadyRegistered, Newcomer
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
    try:
        with db.transaction():
            user_id = admission.register(newcomer, _form_token())
            token = credentials.enter(user_id, "registration", address(), device())
    except AlreadyRegistered as earlier:
        return _come_in_again(earlier.user_id, values["password"])
    return come_in(token)


def _form_token() -> str | None:
    sent = request.form.get("submit_token", "")
    return hashlib.sha256(sent.encode()).hexdigest() if sent else None


def _come_in_again(user_id: int, password: str) -> Response:
    """A second press of the same button finds what the first one made, for who knows the password."""
    examined = credentials.examine_own(user_id, password)
    with db.transaction():
        right = credentials.settle(examined, address())
        token = credentials.enter(user_id, "registration", address(), device()) if right else ""
    if not right:
        raise credentials.WrongLogin()
    return come_in(token)
