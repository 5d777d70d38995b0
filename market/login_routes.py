"""The door: logging in and out by password, PIN, second factor or printed code."""

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer

from market import clock, credentials, db, devices, journal, logins, menus, resets, second_factor, web
from market.access import public, requires
from market.errors import N_
from market.i18n import gettext as _
from market.login_frame import TOKEN
from market.schemas import Input, Secret, Words

bp = Blueprint("account", __name__)

PHONE = "phone"  # the cookie that makes a phone a bound one
PENDING = "pending"  # in the signed session: who has given a password and still owes a code
PENDING_SECONDS = 300
ENROL_SECONDS = 900


class LoginEntry(web.MenuEntry):
    """The way in, shown to those who are still outside."""

    @property
    def shown(self) -> bool:
        return not current_user.is_authenticated


MENU = (
    LoginEntry("account", N_("Log in"), "account.login", None, "login"),
    web.MenuEntry("account", N_("My account"), "account.show", "account.own", "user"),
    web.MenuEntry("account", N_("Log out"), "account.logout", "account.own", "logout", post=True),
)


class LoginSchema(Input):
    login = Words(required=True, longest=64)
    password = Secret(required=True)


class PinSchema(Input):
    pin = Secret(required=True)


class CodeSchema(Input):
    code = Words(required=True, longest=20)


class ResetSchema(Input):
    code = Words(required=True, longest=40)
    password = Secret(required=True)
    pin = Secret(load_default="")


# ---- password and PIN -----------------------------------------------------------------------------------------------


def login_page() -> str:
    phone = request.cookies.get(PHONE)
    return render_template("market/account/login.html", owner=devices.owner(phone) if phone else None)


@bp.route("/login", methods=["GET", "POST"])
@public
@web.shows_again(login_page)
def login() -> Any:
    """By login name or mobile number and password."""
    if request.method == "GET":
        return redirect(_onward(current_user)) if current_user.is_authenticated else login_page()
    values = web.parse(LoginSchema)
    examined = credentials.examine(values["login"], values["password"])
    with db.transaction():
        right = credentials.settle(examined, address())
        owes_code = right and _owes_code(examined.user_id)
        token = credentials.enter(examined.user_id, "password", address(), device()) if right and not owes_code else ""
    if not right:
        raise credentials.WrongLogin()
    return _wait_for_code(examined) if owes_code else come_in(token)


@bp.post("/login/pin")
@public
@web.shows_again(login_page)
def pin_login() -> Response:
    """By six digits, on a bound phone only."""
    values = web.parse(PinSchema)
    examined = devices.examine_pin(request.cookies.get(PHONE, ""), values["pin"])
    with db.transaction():
        right = devices.settle_pin(examined, address())
        token = credentials.enter(examined.user_id, "pin", address(), device()) if right else ""
    if not right:
        raise devices.WrongPin()
    return come_in(token)


def _owes_code(user_id: int) -> bool:
    demanded = current_app.extensions["sijin"].second_factor and second_factor.required_of(user_id)
    return demanded or second_factor.is_enrolled(user_id)


def come_in(token: str) -> Response:
    """Nothing of the session before the login stays: neither a planted token nor the CSRF secret."""
    session.clear()
    session[TOKEN] = token
    session.permanent = True
    return redirect(_onward(logins.visitor_of_session(token)), 303)  # type: ignore[return-value]


def come_in_newly(register: Callable[[str | None], int], password: str) -> Response:
    """A stranger registers and comes in. `register` takes the form's token and returns the user's id.

    A second press of the same button finds what the first one made, for who knows the password.
    """
    try:
        with db.transaction():
            user_id = register(_form_token())
            token = credentials.enter(user_id, "registration", address(), device())
    except credentials.AlreadyRegistered as earlier:
        return _come_in_again(earlier.user_id, password)
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


def _onward(visitor: Any) -> str:
    return web.safe_next(request.args.get("next")) or menus.desk_url(visitor)


def address() -> str:
    """Where the request comes from, for the journal."""
    return request.remote_addr or ""


def device() -> str:
    """What the visitor's browser calls itself, in short."""
    return devices.short_name(request.user_agent.string)


# ---- second factor --------------------------------------------------------------------------------------------------


def _wait_for_code(examined: credentials.Examined) -> Response:
    session.clear()
    session[PENDING] = {
        "user": examined.user_id, "mark": credentials.password_mark(examined.user_id),
        "until": _now() + PENDING_SECONDS,
    }
    return web.see_other("account.second_factor", next=request.args.get("next"))


def _pending_user() -> int | None:
    """Who has given a password in the last five minutes, and not changed it since."""
    pending = session.get(PENDING)
    if not pending or pending["until"] < _now() or pending["mark"] != credentials.password_mark(pending["user"]):
        return None
    return int(pending["user"])


def _now() -> int:
    return int(clock.now().timestamp())


def second_factor_page() -> Any:
    user_id = _pending_user()
    if user_id is None:
        flash(_("Please give your password again."), "waiting")
        return redirect(url_for("account.login", next=request.args.get("next")))
    enrolment = None if second_factor.is_enrolled(user_id) else enrolment_of(user_id)
    return render_template("market/account/code.html", enrolment=enrolment)


@bp.route("/login/code", endpoint="second_factor", methods=["GET", "POST"])
@public
@web.shows_again(second_factor_page)
def prove_second_factor() -> Any:
    """The second step of a login: a code of the app; who must have an app and has none yet enrols here."""
    user_id = _pending_user()
    if request.method == "GET" or user_id is None:
        return second_factor_page()
    code = web.parse(CodeSchema)["code"]
    with db.transaction():
        if second_factor.is_enrolled(user_id):
            right = second_factor.prove(user_id, code, address())
        else:
            second_factor.enrol(user_id, enrolment_secret(user_id), code, by=None)
            right = True
        token = credentials.enter(user_id, "code", address(), device()) if right else ""
    if not right:
        raise second_factor.WrongCode()
    return come_in(token)


def enrolment_of(user_id: int) -> dict[str, str]:
    """What the enrolling page shows: QR, the secret to type, and a signed ticket that brings the secret back."""
    secret = _secret_in_ticket(user_id) or second_factor.new_secret()
    return {
        "qr": second_factor.qr_svg(secret, logins.login_of(user_id)),
        "secret": " ".join(secret[i:i + 4] for i in range(0, len(secret), 4)),
        "ticket": _tickets().dumps([user_id, secret]),
    }


def enrolment_secret(user_id: int) -> str:
    """The secret this person was shown within the last quarter of an hour. Raises WrongCode without one."""
    secret = _secret_in_ticket(user_id)
    if secret is None:
        raise second_factor.WrongCode()
    return secret


def _secret_in_ticket(user_id: int) -> str | None:
    try:
        owner, secret = _tickets().loads(request.form.get("ticket", ""), max_age=ENROL_SECONDS)
    except BadData:
        return None
    return str(secret) if owner == user_id else None


def _tickets() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="enrol")


# ---- out, and in again ----------------------------------------------------------------------------------------------


@bp.post("/logout")
@requires("account.own")
def logout() -> Response:
    """Here, on the server: a copied cookie is worth nothing afterwards."""
    with db.transaction():
        logins.end_session(current_user.session_id)
        journal.record("login.left", "user", current_user.id, current_user)
    session.clear()
    return redirect("/", 303)  # type: ignore[return-value]


def reset_page() -> str:
    return render_template("market/account/use_reset_code.html")


@bp.route("/login/reset", methods=["GET", "POST"])
@public
@web.shows_again(reset_page)
def use_reset_code() -> Any:
    """A code printed by the township sets a new password, and if wanted a PIN for this phone."""
    if request.method == "GET":
        return reset_page()
    values = web.parse(ResetSchema)
    with db.transaction():
        phone = resets.use(values["code"], values["password"], values["pin"], device(), address())
    session.clear()
    flash(_("Your new password is set. Please log in."), "good")
    response = web.see_other("account.login")
    return remember_phone(response, phone) if phone else response


def remember_phone(response: Response, token: str) -> Response:
    """Make this browser a bound phone for 90 days."""
    response.set_cookie(PHONE, token, max_age=devices.DAYS * 86_400, httponly=True, samesite="Lax",
                        secure=current_app.config["SESSION_COOKIE_SECURE"])
    return response
