"""The way in for strangers: the public page and registration."""

from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask_login import current_user

from catalog.entry import labels, registration, steps
from catalog.entry.registration import Newcomer
from catalog.entry.schemas import RegistrationSchema
from market import passwords
from market.access import public
from market.errors import N_
from market.login_routes import come_in_newly
from market.menus import MenuEntry, desk_url
from market.web import parse, shows_again

bp = Blueprint("entry_door", __name__, url_prefix="/sell")

MENU = (MenuEntry("shop", N_("Sell here"), "entry_door.invitation", None, "handshake"),)


@bp.get("")
@public
def invitation() -> str:
    return render_template("catalog/entry/sell.html", labels=labels, days=steps.WORKING_DAYS)


def registration_page() -> Any:
    return render_template("catalog/entry/register.html")


@bp.route("/register", methods=["GET", "POST"])
@public
@shows_again(registration_page)
def register() -> Any:
    """A login and an empty application; whoever is logged in already has an own desk."""
    if current_user.is_authenticated:
        return redirect(desk_url(current_user))
    if request.method == "GET":
        return registration_page()
    values = parse(RegistrationSchema)
    passwords.refuse_easy_password(values["password"], values["name"], values["mobile"])
    newcomer = Newcomer(values["organisation"], values["name"], values["mobile"], passwords.hashed(values["password"]))
    return come_in_newly(partial(registration.register, newcomer), values["password"])
