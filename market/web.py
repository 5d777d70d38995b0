"""The web frame: what surrounds every request. Rooms bring views; this file brings safety, words and refusals."""

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import HTTPException

from market import access, clock, db, faults, i18n, limits, menus, page_words, refusals, schemas, submissions
from market.errors import N_, Conflict, InvalidInput
from market.menus import MenuEntry as MenuEntry
from market.refusals import wants_json

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
log = structlog.get_logger("sijin")

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
                               "font-src 'self'; connect-src 'self'; form-action 'self'{form_action}; base-uri 'none'; "
                               "frame-ancestors 'none'; manifest-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}
PRIVATE = "private, no-store"
UNLOGGED = {"site.healthz", "site.readyz", "site.metrics_"}  # asked every few seconds by machines
OF_THE_PERSON = "account.own"  # whoever they act for
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
NO_OBJECT = N_("The request must hold one JSON object.")
# fields that hold rows, named lines-0-grams in a form; a plain field of such a name holds none
ROWS = {"lines", "new", "contributions", "ingredients"}
# of a form; a quick hash must not give a password or PIN away
NOT_CONTENT = {"csrf_token", "acting_for", "second_password", "password", "pin"}


class ActingForAnother(Conflict):
    """A form of one organisation, sent while acting for another: it would write into the wrong books."""

    code = "acting_for_another"
    text = N_("Nothing was changed: this page was opened for another organisation, and you now act for %(name)s. "
              "Please open the page again.")


def init_app(app: Flask) -> None:
    """Order matters: limits count before CSRF refuses, CSRF before the access rule."""
    app.extensions["sijin_headers"] = _headers(app.extensions["sijin"].hosted_page)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    _log_as_json()
    app.before_request(_begin)
    limits.init_app(app)
    csrf.init_app(app)
    app.before_request(_refuse_nul)
    app.before_request(_check_access)
    app.after_request(_finish)
    refusals.init_app(app)
    menus.init_app(app)
    page_words.init_app(app)


def _headers(hosted_page: str) -> dict[str, str]:
    """Chromium drops the redirect from a form to the payment page in silence unless the page's host may take forms."""
    policy = SECURITY_HEADERS["Content-Security-Policy"].format(form_action=f" {hosted_page}" if hosted_page else "")
    return {**SECURITY_HEADERS, "Content-Security-Policy": policy}


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
    if verb is None:
        return None
    if verb != OF_THE_PERSON and _is_stale():
        raise ActingForAnother(name=current_user.organisation_name)
    if access.can(current_user, verb):
        return None
    if current_user.is_authenticated:
        abort(403)
    if wants_json():
        abort(401)
    return redirect(url_for("account.login", next=_here() if request.method == "GET" else None))  # type: ignore[return-value]


def _is_stale() -> bool:
    """Whether this form was opened while the person acted for another organisation than now, in another tab."""
    is_form = request.method == "POST" and not request.path.startswith("/api/")  # there the body stays unread
    opened_for = request.form.get("acting_for", "") if is_form else ""
    return current_user.is_authenticated and opened_for not in ("", str(current_user.organisation_id or ""))


def access_of(view: Callable[..., Any]) -> str | None:
    """The verb a view requires, None for a public one. A view that declares neither is closed to everybody."""
    return getattr(view, "access", "undeclared") if hasattr(view, "access") else _undeclared(view)


def _undeclared(view: Callable[..., Any]) -> str:
    raise RuntimeError(f"{view.__module__}.{view.__name__} declares neither @requires nor @public")


def _here() -> str:
    return request.full_path.rstrip("?")


def _finish(response: Response) -> Response:
    for name, value in current_app.extensions["sijin_headers"].items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("X-Request-Id", g.get("request_id", "-"))
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", PRIVATE)
    if "lang" in request.args and request.args["lang"] in i18n.LOCALES:
        response.set_cookie("lang", request.args["lang"], max_age=31_536_000, samesite="Lax",
                            secure=current_app.config["SESSION_COOKIE_SECURE"], httponly=True)
    if request.method not in {"GET", "HEAD"} or (response.status_code >= 500 and request.endpoint not in UNLOGGED):
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
        faults.point("before_commit")
    faults.point("after_commit")
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


def asked_month() -> str:
    """The month asked for, such as 2026-11; the present one for anything else."""
    try:
        return schemas.Month().deserialize(request.values.get("month", ""))
    except ValidationError:
        return clock.period_of(clock.today())
