"""The page with an organisation's news."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, render_template, url_for
from flask_login import current_user

from market import db, notices
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.schemas import Input, Whole
from market.web import MenuEntry, parse, see_other

bp = Blueprint("notices", __name__)

MENU = (MenuEntry("account", N_("News"), "notices.index", "account.own", "info"),)


class TickOffSchema(Input):
    up_to = Whole(required=True)


@bp.get("/notices")
@requires("account.own")
def index() -> str:
    """What happened to the organisation's orders and payments, the newest first."""
    return render_template("market/notices.html", news=newest())


@bp.post("/notices/read")
@requires("account.own")
def tick_off() -> Response:
    """Everything shown on the page is read."""
    values = parse(TickOffSchema)
    with db.transaction():
        notices.tick_off(current_user.organisation_id or 0, values["up_to"])
    return see_other("notices.index")


def newest(limit: int = 50) -> list[dict[str, Any]]:
    """The visitor's organisation's news in the reader's words; also a template function, `newest_notices()`."""
    if not current_user.organisation_id:
        return []
    kinds: notices.Kinds = current_app.extensions["sijin_notices"]
    return [
        {"id": row.id, "at": row.created_at, "is_new": row.read_at is None,
         "text": _text(kinds[row.kind], row.details), "url": _url(kinds[row.kind], row.thing_id)}
        for row in notices.newest(current_user.organisation_id, limit)
    ]


def _text(kind: notices.Kind, details: Mapping[str, Any]) -> str:
    return str(_(kind.text, **{**details, **{name: _(details[name]) for name in kind.words}}))


def _url(kind: notices.Kind, thing_id: int) -> str:
    arguments: dict[str, Any] = {kind.argument: thing_id}
    return url_for(kind.endpoint, **arguments)
