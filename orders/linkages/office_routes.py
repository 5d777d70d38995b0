"""The officials' side: linkages and collectives' shares that wait for the village, and all of an area's linkages."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import file_routes
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.income import linkages as ties
from orders.linkages import lists, proposals, words
from orders.linkages.schemas import RefusalSchema

bp = Blueprint("office_linkages", __name__, url_prefix="/office")

MENU = (MenuEntry("office", N_("Linkages"), "office_linkages.index", "linkage.read", "handshake", group="todo"),)
LINKAGE = "<int(max=999999999999):linkage_id>"
PROPOSAL = "<int(max=999999999999):proposal_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Linkages and shares that an officer of the village has still to confirm."""
    if not can(visitor, "village.confirm"):
        return
    if count := lists.waiting_ties(visitor):
        yield Waiting(ngettext("%(num)s linkage waits for the village to confirm it.",
                               "%(num)s linkages wait for the village to confirm them.", count),
                      url_for("office_linkages.index"))
    if count := lists.count_proposals_waiting(visitor):
        yield Waiting(ngettext("%(num)s share of the collective waits for the village to confirm it.",
                               "%(num)s shares of the collective wait for the village to confirm them.", count),
                      url_for("office_linkages.shares"))


@bp.get("/linkages")
@requires("linkage.read")
def index(linkage_id: int | None = None) -> str:
    """The area's linkages by state; first of all those that wait."""
    state = request.args.get("state", "waits")
    state = state if state in words.STATES else ""
    return render_template("orders/linkages/office.html", state=state, w=words, asked=linkage_id,
                           found=lists.in_area(current_user, state, page_number()))


@bp.get(f"/linkages/{LINKAGE}/evidence")
@requires("linkage.read")
def evidence(linkage_id: int) -> Response:
    return file_routes.send(lists.proof_in_area("linkage", linkage_id, current_user))


@bp.post(f"/linkages/{LINKAGE}/confirmation")
@requires("village.confirm")
@shows_again(index)
def confirm(linkage_id: int) -> Any:
    def work() -> Response:
        ties.confirm(linkage_id, current_user)
        flash(_("The linkage is confirmed."), "good")
        return see_other("office_linkages.index")

    return once(work)


@bp.post(f"/linkages/{LINKAGE}/refusal")
@requires("village.confirm")
@shows_again(index)
def refuse(linkage_id: int) -> Any:
    reason = parse(RefusalSchema)["reason"]

    def work() -> Response:
        ties.refuse(linkage_id, reason, current_user)
        flash(_("Refused. The co-operative reads why."), "good")
        return see_other("office_linkages.index")

    return once(work)


# ---- shares of collectives ------------------------------------------------------------------------------------------


@bp.get("/collective-shares")
@requires("linkage.read")
def shares(proposal_id: int | None = None) -> str:
    return render_template("orders/linkages/office_shares.html", w=words, asked=proposal_id,
                           found=lists.proposals_in(current_user, page_number()))


@bp.get(f"/collective-shares/{PROPOSAL}/evidence")
@requires("linkage.read")
def share_evidence(proposal_id: int) -> Response:
    return file_routes.send(lists.proof_in_area("proposal", proposal_id, current_user))


@bp.post(f"/collective-shares/{PROPOSAL}/confirmation")
@requires("village.confirm")
@shows_again(shares)
def confirm_share(proposal_id: int) -> Any:
    def work() -> Response:
        proposals.confirm(proposal_id, current_user)
        flash(_("The share is agreed."), "good")
        return see_other("office_linkages.shares")

    return once(work)


@bp.post(f"/collective-shares/{PROPOSAL}/refusal")
@requires("village.confirm")
@shows_again(shares)
def refuse_share(proposal_id: int) -> Any:
    reason = parse(RefusalSchema)["reason"]

    def work() -> Response:
        proposals.refuse(proposal_id, reason, current_user)
        flash(_("Refused. The co-operative reads why."), "good")
        return see_other("office_linkages.shares")

    return once(work)
