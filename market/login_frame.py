"""Flask-Login, told how to know a visitor: by the session cookie's token, or by a Bearer token on the API."""

from flask import Flask, Response, request, session
from flask_login import LoginManager

from market import logins
from market.access import Anonymous, Visitor

TOKEN = "token"  # noqa: S105 - where the cookie keeps the session token


class ServerSessions(LoginManager):  # type: ignore[misc]
    """Flask-Login without its remember cookie, for which it would open the cookie of every visitor."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


def init_app(app: Flask) -> None:
    """Tell Flask-Login how to know a visitor."""
    manager = ServerSessions(app)
    manager.session_protection = None  # the session lives on the server
    manager.anonymous_user = Anonymous
    manager.request_loader(load)


def load(_request: object) -> Visitor | None:
    """The visitor of this request; anonymous pages touch neither cookie nor database."""
    if request.path.startswith("/api/"):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return logins.visitor_of_token(token) if scheme == "Bearer" and token else None
    kept = session.get(TOKEN) if request.cookies.get("sijin") else None
    return logins.visitor_of_session(kept) if kept else None
