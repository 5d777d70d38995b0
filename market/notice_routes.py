"""The page with an organisation's news."""

from typing import Any

from flask import Blueprint, Response, current_app, render_template, url_for
from flask_login import current_user

from market import db, messages, notices
from market.access import requires
from market.errors import N_
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
    return [_shown(kinds[row.kind], row) for row in notices.newest(current_user.organisation_id, limit)]


def _shown(kind: notices.Kind, row: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {kind.argument: row.thing_id}
    return {"id": row.id, "at": row.created_at, "is_new": row.read_at is None,
            "text": messages.sentence(kind, row.details), "url": url_for(kind.endpoint, **arguments),
            "chat": messages.ready_text(kind, row.details, messages.link_to(kind, row.thing_id))}
