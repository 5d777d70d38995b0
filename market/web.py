"""The web frame: what surrounds every request. Rooms bring views; this file brings safety, words and refusals."""

import hashlib
import json
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, abort, current_app, g, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from marshmallow import Schema
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from market import access, clock, db, i18n, limits, money, schemas, submissions, words
from market.config import Config
from market.errors import N_, InvalidInput, MarketError
from market.i18n import gettext as _

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
log = structlog.get_logger("sijin")

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
                               "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
                               "frame-ancestors 'none'; manifest-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}
PRIVATE = "private, no-store"
UNLOGGED = {"site.healthz", "site.readyz", "site.metrics_"}  # asked every few seconds by machines
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
NO_OBJECT = N_("The request must hold one JSON object.")
# fields that hold rows, named lines-0-grams in a form; a plain field of such a name holds none
ROWS = {"lines", "contributions", "ingredients"}
NOT_CONTENT = {"csrf_token", "second_password", "password"}  # of a form; a quick hash must not give a password away


def init_app(app: Flask, config: Config) -> None:
    """Order matters: limits count before CSRF refuses, CSRF before the access rule."""
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    _log_as_json()
    app.before_request(_begin)
    limits.init_app(app)
    csrf.init_app(app)
    app.before_request(_refuse_nul)
    app.before_request(_check_access)
    app.after_request(_finish)
    _register_errors(app)
    _register_jinja(app, config)


def _begin() -> None:
    g.began = time.perf_counter()
    g.request_id = uuid.uuid4().hex[:16]
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _refuse_nul() -> None:
    """No NUL in addresses, forms and file names: PostgreSQL cannot hold one in a text, and nobody types one."""
    asked = request.query_string
    if "\0" in request.path or b"%00" in asked or b"\0" in asked:
        abort(400)
    takes_forms = not request.path.startswith("/api/")
    if takes_forms and request.mimetype in FORMS and any("\0" in text for text in _sent_texts()):
        abort(400)


def _sent_texts() -> Iterator[str]:
    for name, value in request.form.items(multi=True):
        yield from (name, value)
    for name, file in request.files.items(multi=True):
        yield from (name, file.filename or "")


def _check_access() -> Response | None:
    """Ask the one table whether this visitor may call this route."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or request.endpoint == "static":
        return None
    verb = access_of(view)
    if verb is None or access.can(current_user, verb):
        return None
    if current_user.is_authenticated:
        abort(403)
    if wants_json():
        abort(401)
    return redirect(url_for("account.login", next=_here() if request.method == "GET" else None))  # type: ignore[return-value]


def access_of(view: Callable[..., Any]) -> str | None:
    """The verb a view requires, None for a public one. A view that declares neither is closed to everybody."""
    return getattr(view, "access", "undeclared") if hasattr(view, "access") else _undeclared(view)


def _undeclared(view: Callable[..., Any]) -> str:
    raise RuntimeError(f"{view.__module__}.{view.__name__} declares neither @requires nor @public")


def _here() -> str:
    return request.full_path.rstrip("?")


def _finish(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("X-Request-Id", g.get("request_id", "-"))
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", PRIVATE)
    if "lang" in request.args and request.args["lang"] in i18n.LOCALES:
        response.set_cookie("lang", request.args["lang"], max_age=31_536_000, samesite="Lax",
                            secure=current_app.config["SESSION_COOKIE_SECURE"], httponly=True)
    if request.method != "GET" or (response.status_code >= 500 and request.endpoint not in UNLOGGED):
        log.info("request", method=request.method, endpoint=request.endpoint, status=response.status_code,
                 user=getattr(current_user, "id", None), ms=round((time.perf_counter() - g.began) * 1000, 1))
    return response


# ---- input, answers -------------------------------------------------------------------------------------------------


def parse(schema: type[Schema] | Schema) -> dict[str, Any]:
    """Input of this request, by the one schema that form and JSON share. Raises InvalidInput with messages by field."""
    loaded = schema() if isinstance(schema, type) else schema
    if request.is_json:
        with schemas.json_numbers():
            return load(loaded, _json_body())
    return load(loaded, unflatten({**request.form.to_dict(), **_lists()}))


def load(schema: Schema, source: Mapping[str, Any]) -> dict[str, Any]:
    """Parse plain values by a schema; raises InvalidInput."""
    errors = schema.validate(source)
    if errors:
        raise InvalidInput(flat_errors(errors))
    return dict(schema.load(source))


def flat_errors(errors: Mapping[Any, Any], prefix: str = "") -> dict[str, list[Any]]:
    """Nested messages under the names that the form's fields have: lines-0-grams."""
    flat: dict[str, list[Any]] = {}
    for key, value in errors.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flat_errors(value, name + "-"))
        else:
            flat[name] = list(value)
    return flat


def unflatten(form: Mapping[str, Any]) -> dict[str, Any]:
    """Form names like lines-0-grams as nested lists of dictionaries; at most 500 lines."""
    nested: dict[str, Any] = {}
    for name, value in form.items():
        parts = name.split("-")
        if len(parts) == 3 and parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 4:
            lines = nested.setdefault(parts[0], {})
            if isinstance(lines, dict):  # a plain field of the same name would stand in the way
                lines.setdefault(int(parts[1]), {})[parts[2]] = value
        else:
            nested[name] = [] if name in ROWS else value
    return {
        name: [value[key] for key in sorted(value)][:500] if isinstance(value, dict) else value
        for name, value in nested.items()
    }


def _lists() -> dict[str, list[str]]:
    """Fields that may occur several times are named with a trailing []."""
    return {name: request.form.getlist(name) for name in request.form if name.endswith("[]")}


def _json_body() -> dict[str, Any]:
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # nested deeper than Python reads
        body = None
    if not isinstance(body, dict):
        raise InvalidInput({"": [NO_OBJECT]})
    return body


def see_other(endpoint: str, **values: Any) -> Response:
    """After a deed, show a page."""
    return redirect(url_for(endpoint, **values), 303)  # type: ignore[return-value]


def once(work: Callable[[], Response]) -> Response:
    """Run a command in one transaction, at most once per submit token; a repeat gets the first answer.

    The token is the form's hidden `submit_token` or the API's Idempotency-Key; without one the command just runs.
    """
    token = sent_token()
    g.may_be_repeated = bool(token)
    with db.transaction():
        if token:
            earlier = submissions.begin(current_user.id, token, _fingerprint())
            if earlier is not None:
                return _answer_again(earlier)
        response = work()
        if token:
            submissions.finish(current_user.id, token, _answer_to_keep(response))
    return response


def sent_token() -> str:
    """This request's token as it is kept, at most 80 characters, for the organisation acted for; empty without one."""
    sent = request.headers.get("Idempotency-Key") or request.form.get("submit_token")
    return submissions.kept_token(sent, current_user.organisation_id) if sent else ""


def _fingerprint() -> str:
    try:
        content = json.dumps(_content(), sort_keys=True)
    except RecursionError:  # deeper than can be compared
        raise InvalidInput({"": [NO_OBJECT]}) from None
    return hashlib.sha256(f"{request.method} {request.path} {content}".encode()).hexdigest()


def _content() -> Any:
    if request.is_json:
        return _without_secrets(request.get_json(silent=True))
    return sorted((k, v) for k, v in request.form.items(multi=True) if k not in NOT_CONTENT)


def _without_secrets(value: Any) -> Any:
    """A JSON body without its passwords, at any depth."""
    if isinstance(value, dict):
        return {name: _without_secrets(item) for name, item in value.items() if name not in NOT_CONTENT}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _answer_to_keep(response: Response) -> dict[str, Any]:
    body = response.get_data(as_text=True) if response.is_json else ""
    return {"status": response.status_code, "location": response.headers.get("Location"), "body": body}


def _answer_again(earlier: dict[str, Any]) -> Response:
    response = Response(earlier.get("body") or "", earlier.get("status", 200))
    if earlier.get("body"):
        response.mimetype = "application/json"
    if earlier.get("location"):
        response.headers["Location"] = earlier["location"]
    response.headers["Idempotent-Replay"] = "true"
    return response


def shows_again(page: Callable[..., Any]) -> Callable[[View], View]:
    """A refusal of this form shows `page` (called with the same address parts) with the message and what was typed."""

    def mark(view: View) -> View:
        view.again = page  # type: ignore[attr-defined]
        return view

    return mark


def safe_next(target: str | None) -> str | None:
    """A path of our own to go on to after login, or None: never another host, never control characters."""
    if not target or any(ord(c) < 33 or c == "\\" for c in target) or not target.startswith("/"):
        return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or target.startswith("//"):
        return None
    try:
        current_app.url_map.bind("").match(parts.path, method="GET")
    except HTTPException:
        return None
    return target


# ---- refusals -------------------------------------------------------------------------------------------------------


def wants_json() -> bool:
    return request.path.startswith("/api/") or request.is_json


def _register_errors(app: Flask) -> None:
    app.register_error_handler(MarketError, _refuse)
    app.register_error_handler(CSRFError, _refuse_csrf)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DBAPIError, _try_again)
    app.register_error_handler(Exception, _crash)


def _refuse(error: MarketError) -> Any:
    """One handler: JSON, the same page with the message at its field, or a page of its own."""
    fields = error.field_messages(_)
    if wants_json():
        return error_json(error.code, error.message(_), error.status, fields)
    again = getattr(current_app.view_functions.get(request.endpoint or ""), "again", None)
    if again is not None and error.status not in {403, 404}:  # no form for who may not, or for what is not there
        g.refusal, g.refused_fields = error, fields
        try:
            return current_app.make_response(again(**(request.view_args or {}))), error.status
        except MarketError as closed:  # the form's own page is not there for this visitor
            return _error_page(closed.status, closed.message(_))
    return _error_page(error.status, error.message(_))


def _refuse_csrf(error: CSRFError) -> Any:
    return _http_answer(400, _("This page has been open for too long. Please go back, reload it and send it again."))


HTTP_WORDS = {
    400: N_("The request could not be understood."),
    401: N_("Please log in first."),
    403: N_("Your role does not allow this."),
    404: N_("There is nothing at this address, or it is not yours to see."),
    405: N_("This address does not take such a request."),
    413: N_("What you sent is too large."),
    429: N_("Too many tries in a short time. Please wait a little."),
    500: N_("Something went wrong on our side. Nothing you entered was half saved; please try again."),
    503: N_("The site is busy or being maintained. Please try again in a minute."),
}


def _http_error(error: HTTPException) -> Any:
    status = error.code or 500
    if status in {301, 302, 303, 307, 308}:
        return error
    answer = current_app.make_response(_http_answer(status, _(HTTP_WORDS.get(status, HTTP_WORDS[400]))))
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            answer.headers[name] = value
    return answer


def _try_again(error: DBAPIError) -> Any:
    """What the database undid is tried once more; so is what was lost on the way, where a second run does no harm."""
    harmless = g.get("may_be_repeated") or request.method in {"GET", "HEAD"}
    if (db.was_undone(error) or (db.was_lost(error) and harmless)) and not g.get("tried_again"):
        g.tried_again = True
        db.session().rollback()
        view = current_app.view_functions[request.endpoint or ""]
        try:
            return current_app.make_response(current_app.ensure_sync(view)(**(request.view_args or {})))
        except MarketError as refusal:
            return _refuse(refusal)
        except DBAPIError as second:
            return _give_up(second)
    return _give_up(error)


def _give_up(error: DBAPIError) -> Any:
    log.error("database", exc_info=error, endpoint=request.endpoint)
    db.session().rollback()
    status = 503 if db.was_undone(error) or db.was_lost(error) else 500
    return _http_answer(status, _(HTTP_WORDS[status]))


def _crash(error: Exception) -> Any:
    if current_app.testing or current_app.debug:
        raise error
    log.error("crash", exc_info=error, endpoint=request.endpoint)
    db.session().rollback()
    return _http_answer(500, _(HTTP_WORDS[500]))


def _http_answer(status: int, message: str) -> Any:
    if wants_json():
        return error_json("http_" + str(status), message, status, {})
    return _error_page(status, message)


def error_json(code: str, message: str, status: int, fields: Mapping[str, list[str]]) -> Any:
    """The one error shape of the API."""
    return jsonify({"error": {"code": code, "message": message, "fields": fields}}), status


def _error_page(status: int, message: str) -> Any:
    return render_template("market/errors/error.html", status=status, message=message), status


# ---- templates ------------------------------------------------------------------------------------------------------


def _register_jinja(app: Flask, config: Config) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        yuan=money.yuan, plain_yuan=money.plain_yuan, quantity=money.decimal_text, plain_quantity=money.plain_decimal,
        kilograms=money.decimal_text, plain_kilograms=money.plain_decimal, percent=money.percent, day=_day,
        moment=_moment,
    )
    app.jinja_env.globals.update(
        static_url=static_url, submit_token=submit_token, switch_language_url=switch_language_url, words=words,
        typed=typed, errors_of=errors_of, refusal=refusal, in_locale=i18n.in_locale, can=can,
        menu_entries=menu_entries, today=clock.today,
    )
    app.context_processor(lambda: {"locale": i18n.locale(), "installation_is_demo": installation_is_demo()})
    app.extensions["sijin_menu"] = []
    app.extensions["sijin_desks"] = {}
    app.extensions["sijin_demo"] = lambda: False


def can(verb: str) -> bool:
    """Whether the current visitor may do this; for buttons and menus."""
    return access.can(current_user, verb)


def installation_is_demo() -> bool:
    """Whether this installation holds the invented demo world; wsgi.py hands the answer in."""
    return bool(current_app.extensions["sijin_demo"]())


class MenuEntry:
    """One way through a desk or the shop: a door, a label, a route, the verb it needs (None: anybody), an icon.

    Doors are 'unit', 'supplier', 'office', 'shop', 'account' and 'footer'. `post` entries are sent by a form.
    """

    def __init__(self, door: str, label: str, endpoint: str, verb: str | None, icon: str, post: bool = False) -> None:
        self.door, self.text, self.endpoint, self.verb, self.icon = door, label, endpoint, verb, icon
        self.post = post

    @property
    def label(self) -> str:
        return str(_(self.text))

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def active(self) -> bool:
        return request.endpoint == self.endpoint

    @property
    def shown(self) -> bool:
        return self.verb is None or can(self.verb)


def add_menu(app: Flask, *entries: MenuEntry) -> None:
    app.extensions["sijin_menu"].extend(entries)


def add_desks(app: Flask, desks: Mapping[str, str]) -> None:
    """Where people start: the first page by kind of office ('township', 'platform') or organisation ('unit')."""
    app.extensions["sijin_desks"].update(desks)


def desk_url(visitor: access.Visitor) -> str:
    """The first page of a person's desk, the home page where there is none."""
    desks = current_app.extensions["sijin_desks"]
    endpoint = desks.get(visitor.office_kind) or desks.get(visitor.organisation_kind)
    return url_for(endpoint) if endpoint else "/"


def menu_entries(door: str) -> list[MenuEntry]:
    """The entries of a desk that this visitor may open."""
    return [e for e in current_app.extensions["sijin_menu"] if e.door == door and e.shown]


def typed(name: str, default: Any = "") -> Any:
    """What the visitor typed into a refused form, else the default."""
    return request.form.get(name, default) if g.get("refusal") else default


def errors_of(name: str) -> list[str]:
    """The messages at one field of a refused form."""
    return list(g.get("refused_fields", {}).get(name, []))


def refusal() -> str | None:
    """The sentence above a refused form."""
    error = g.get("refusal")
    return error.message(_) if error else None


def submit_token() -> str:
    """A fresh token for a form that creates something."""
    return secrets.token_urlsafe(16)


def switch_language_url(locale: str) -> str:
    """This page in the other language."""
    arguments = {**(request.view_args or {}), **request.args.to_dict(), "lang": locale}
    try:
        return url_for(request.endpoint or "", **arguments) if request.method == "GET" else f"/?lang={locale}"
    except Exception:  # noqa: BLE001 - an error page has no address of its own
        return f"/?lang={locale}"


def static_url(path: str) -> str:
    """A static file's address with a mark of its content, so that it may be kept for a year."""
    return f"/static/{path}?v={_mark(str(Path(current_app.static_folder or '') / path))}"


@cache
def _mark(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]


def _day(value: Any) -> str:
    return value.isoformat() if value else ""


def _moment(value: datetime | None) -> str:
    return value.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M") if value else ""


def _log_as_json() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def page_number() -> int:
    """The page asked for, 1 to 9999."""
    text = request.args.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text) else 1


def whole_argument(name: str) -> int | None:
    """A number or id asked for in the address, 1 to 999,999,999,999; None for anything else."""
    text = request.args.get(name, "")
    return (int(text) or None) if text.isascii() and text.isdigit() and len(text) < 13 else None
