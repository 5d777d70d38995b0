"""Declared income on the officials' desk: confirmed one by one or as a list, or refused; minus entries too."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market import file_routes
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.income import corrections, declarations
from orders.linkages import lists, words
from orders.linkages.schemas import IdsSchema, RefusalSchema

bp = Blueprint("confirming", __name__, url_prefix="/office")

MENU = (MenuEntry("office", N_("Wages, rent, dividends"), "confirming.index", "village.confirm", "people",
                  group="todo"),)
DECLARATION = "<int(max=999999999999):declaration_id>"
CORRECTION = "<int(max=999999999999):correction_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Declared income that an officer of the village has still to confirm."""
    if can(visitor, "village.confirm") and (count := lists.count_declared_waiting(visitor)):
        yield Waiting(ngettext("%(num)s declared wage, rent or dividend waits for confirmation.",
                               "%(num)s declared wages, rents or dividends wait for confirmation.", count),
                      url_for("confirming.index"))


@bp.get("/declarations")
@requires("village.confirm")
def index(declaration_id: int | None = None, correction_id: int | None = None) -> str:
    """What waits, lists of one proof together."""
    found = lists.declared_waiting(current_user, page_number())
    return render_template("orders/linkages/to_confirm.html", found=found, w=words, asked=declaration_id,
                           asked_back=correction_id, parts=_parts(found.rows))


def _parts(rows: Any) -> list[list[Any]]:
    """Rows of one proof and state beside each other."""
    parts: list[list[Any]] = []
    for row in rows:
        if parts and (parts[-1][0].proof_id, parts[-1][0].state) == (row.proof_id, row.state):
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts


@bp.get(f"/declarations/{DECLARATION}/proof")
@requires("village.confirm")
def proof(declaration_id: int) -> Response:
    return file_routes.send(lists.proof_in_area("declaration", declaration_id, current_user))


@bp.post(f"/declarations/{DECLARATION}/confirmation")
@requires("village.confirm")
@shows_again(index)
def confirm(declaration_id: int) -> Any:
    def work() -> Response:
        declarations.confirm(declaration_id, current_user)
        flash(_("The income is confirmed."), "good")
        return see_other("confirming.index")

    return once(work)


@bp.post("/declarations/confirmation")
@requires("village.confirm")
@shows_again(index)
def confirm_list() -> Any:
    """All rows of a list as the officer has seen them, or none."""
    ids = parse(IdsSchema)["ids"]

    def work() -> Response:
        declarations.confirm_list(ids, current_user)
        flash(ngettext("%(num)s payment is confirmed.", "%(num)s payments are confirmed.", len(set(ids))), "good")
        return see_other("confirming.index")

    return once(work)


@bp.post(f"/declarations/{DECLARATION}/refusal")
@requires("village.confirm")
@shows_again(index)
def refuse(declaration_id: int) -> Any:
    reason = parse(RefusalSchema)["reason"]

    def work() -> Response:
        declarations.refuse(declaration_id, reason, current_user)
        flash(_("Refused. The co-operative reads why."), "good")
        return see_other("confirming.index")

    return once(work)


@bp.post(f"/corrections/{CORRECTION}/confirmation")
@requires("village.confirm")
@shows_again(index)
def confirm_correction(correction_id: int) -> Any:
    def work() -> Response:
        corrections.confirm(correction_id, current_user)
        flash(_("So much less is income from today."), "good")
        return see_other("confirming.index")

    return once(work)


@bp.post(f"/corrections/{CORRECTION}/refusal")
@requires("village.confirm")
@shows_again(index)
def refuse_correction(correction_id: int) -> Any:
    reason = parse(RefusalSchema)["reason"]

    def work() -> Response:
        corrections.refuse(correction_id, reason, current_user)
        flash(_("Refused. The co-operative reads why."), "good")
        return see_other("confirming.index")

    return once(work)
