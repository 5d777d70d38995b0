"""What a refusal looks like: JSON, the same page with the message at its field, or a page of its own."""

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, current_app, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from market import db
from market.errors import N_, MarketError
from market.i18n import gettext as _

log = structlog.get_logger("sijin")

def wants_json() -> bool:
    return request.path.startswith("/api/") or request.is_json


def init_app(app: Flask) -> None:
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
