"""My account: who I am here, for whom I act, and everything that lets me in."""

from itertools import groupby
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, session
from flask_login import current_user

from market import credentials, db, devices, logins, menus, own_pin, second_factor, web, words
from market.access import requires
from market.errors import NotAllowed
from market.i18n import gettext as _
from market.login_frame import TOKEN
from market.login_routes import PHONE, address, device, enrolment_of, enrolment_secret, remember_phone
from market.login_routes import bp as bp  # its pages and the door's are one blueprint, handed on
from market.schemas import EmailAddress, Input, Secret, Whole, Words


class OrganisationSchema(Input):
    organisation_id = Whole(required=True)


class EmailSchema(Input):
    email = EmailAddress(longest=254, load_default="")


class PasswordSchema(Input):
    current = Secret(required=True)
    password = Secret(required=True)


class PhoneSchema(Input):
    current = Secret(required=True)
    pin = Secret(required=True)


class AppSchema(Input):
    current = Secret(required=True)
    code = Words(required=True, longest=20)


@bp.get("/account")
@requires("account.own")
def show() -> str:
    """Name, roles, organisations, sessions, phones, second factor."""
    doors = logins.open_doors(current_user.id)
    phone = request.cookies.get(PHONE)
    here = devices.owner(phone) if phone else None
    return render_template(
        "market/account/show.html", doors=doors, organisations=_organisations(), here=here.device_id if here else None,
        may_use_pin=devices.may_use_pin(current_user.id), enrolled=second_factor.is_enrolled(current_user.id),
        may_have_pin=own_pin.may_have(current_user.id), has_pin=bool(own_pin.holders([current_user.id])),
        must_enrol=_must_have_second_factor(), email=credentials.email_of(current_user.id),
    )


def _organisations() -> list[dict[str, Any]]:
    """Each organisation once, with the labels of the roles held there."""
    duties = sorted(logins.duties(current_user.id), key=lambda d: d.organisation_id)
    return [
        {"id": key, "name": held[0].organisation_name, "roles": [words.ROLES[d.role] for d in held],
         "current": key == current_user.organisation_id}
        for key, held in ((key, list(rows)) for key, rows in groupby(duties, key=lambda d: d.organisation_id))
    ]


def _must_have_second_factor() -> bool:
    return current_app.extensions["sijin"].second_factor and second_factor.required_of(current_user.id)


@bp.post("/account/email")
@requires("account.own")
@web.shows_again(show)
def set_email() -> Response:
    """Where reminders are written to; empty: nowhere."""
    values = web.parse(EmailSchema)
    with db.transaction():
        credentials.set_email(current_user, values["email"])
    flash(_("Saved."), "good")
    return web.see_other("account.show")


@bp.post("/account/organisation")
@requires("account.own")
def switch_organisation() -> Response:
    """Act for another organisation from now on."""
    values = web.parse(OrganisationSchema)
    with db.transaction():
        logins.switch_organisation(current_user, values["organisation_id"])
    return redirect(menus.desk_url(logins.visitor_of_session(session[TOKEN])), 303)  # type: ignore[arg-type,return-value]


def _confirm_password(current: str) -> None:
    """Before a change to a login the password is asked again, so that a session left open is not enough."""
    examined = credentials.examine_own(current_user.id, current)
    with db.transaction():
        right = credentials.settle(examined, address())
        if right:
            credentials.forget_failures(current_user.id)
    if not right:
        raise credentials.WrongPassword()


def password_page() -> str:
    return render_template("market/account/change_password.html")


@bp.route("/account/password", methods=["GET", "POST"])
@requires("account.own")
@web.shows_again(password_page)
def change_password() -> Any:
    """A new password; everything else that lets this person in ends."""
    if request.method == "GET":
        return password_page()
    values = web.parse(PasswordSchema)
    _confirm_password(values["current"])
    with db.transaction():
        credentials.change_password(current_user, values["password"])
    flash(_("Your password is changed. All other devices are logged out."), "good")
    return web.see_other("account.show")


def phone_page() -> str:
    if not devices.may_use_pin(current_user.id):
        raise NotAllowed()
    return render_template("market/account/bind_phone.html")


@bp.route("/account/phone", methods=["GET", "POST"])
@requires("account.own")
@web.shows_again(phone_page)
def bind_phone() -> Any:
    """From now on a PIN is enough on this phone."""
    if request.method == "GET":
        return phone_page()
    values = web.parse(PhoneSchema)
    _confirm_password(values["current"])
    with db.transaction():
        token = devices.bind_own(current_user, values["pin"], device(), request.cookies.get(PHONE, ""))
    flash(_("This phone is bound for 90 days. Next time your PIN is enough here."), "good")
    return remember_phone(web.see_other("account.show"), token)


def pin_page() -> str:
    if not own_pin.may_have(current_user.id):
        raise NotAllowed()
    return render_template("market/account/own_pin.html", has_pin=bool(own_pin.holders([current_user.id])))


@bp.route("/account/pin", methods=["GET", "POST"])
@requires("account.own")
@web.shows_again(pin_page)
def set_pin() -> Any:
    """Six digits of one's own, to sign as second receiver on a colleague's phone."""
    if request.method == "GET" or not own_pin.may_have(current_user.id):
        return pin_page()
    values = web.parse(PhoneSchema)
    _confirm_password(values["current"])
    with db.transaction():
        own_pin.put(current_user, values["pin"])
    flash(_("Your PIN is set. You sign with it at the kitchen door; it never opens your login."), "good")
    return web.see_other("account.show")


def app_page() -> str:
    return render_template("market/account/enrol.html", enrolment=enrolment_of(current_user.id))


@bp.route("/account/second-factor", methods=["GET", "POST"])
@requires("account.own")
@web.shows_again(app_page)
def enrol_second_factor() -> Any:
    """Add an authenticator app."""
    if request.method == "GET":
        return web.see_other("account.show") if second_factor.is_enrolled(current_user.id) else app_page()
    values = web.parse(AppSchema)
    _confirm_password(values["current"])
    with db.transaction():
        second_factor.enrol(current_user.id, enrolment_secret(current_user.id), values["code"], by=current_user)
    flash(_("From now on every login asks for a code of your app."), "good")
    return web.see_other("account.show")


def remove_app_page() -> str:
    if _must_have_second_factor():
        raise NotAllowed()
    return render_template("market/account/remove_second_factor.html")


@bp.route("/account/second-factor/removal", methods=["GET", "POST"])
@requires("account.own")
@web.shows_again(remove_app_page)
def remove_second_factor() -> Any:
    """Give the app up, where it is not demanded."""
    if request.method == "GET":
        return remove_app_page()
    values = web.parse(AppSchema)
    if _must_have_second_factor():
        raise NotAllowed()
    _confirm_password(values["current"])
    with db.transaction():
        right = second_factor.prove(current_user.id, values["code"], address())
        if right:
            second_factor.remove(current_user)
    if not right:
        raise second_factor.WrongCode()
    flash(_("Your logins no longer ask for a code."), "good")
    return web.see_other("account.show")


@bp.post("/account/<any(session, phone, token):kind>/<int:door_id>/end")
@requires("account.own")
def end_session(kind: str, door_id: int) -> Response:
    """End one session, bound phone or API token of one's own."""
    with db.transaction():
        logins.end_own(current_user, kind, door_id)
    return web.see_other("account.show")


@bp.post("/account/end-all")
@requires("account.own")
def end_everything() -> Response:
    """Log out everywhere, this device too."""
    with db.transaction():
        logins.end_everything(current_user)
    session.clear()
    return web.see_other("account.login")
