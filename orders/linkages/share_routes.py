"""The collective's share at the village desk: what is agreed, what is proposed with the record of the decision."""

from typing import Any

from flask import Blueprint, Response, flash, render_template, request
from flask_login import current_user

from market import clock, file_routes, uploads
from market.access import requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.web import once, page_number, parse, see_other, shows_again
from orders.linkages import lists, proposals, receivers, words
from orders.linkages.schemas import ProposalSchema

bp = Blueprint("shares", __name__, url_prefix="/village/collective-shares")

PROPOSAL = "<int(max=999999999999):proposal_id>"
LABELS = {"village": N_("Village"), "basis_points": N_("Share of what is accepted"), "valid_from": N_("From"),
          "decision_no": N_("Number of the decision record"), "evidence": N_("Decision record")}


@bp.get("")
@requires("supplier.read")
def index(proposal_id: int | None = None) -> str:
    return render_template(
        "orders/linkages/shares.html", agreements=lists.agreements_of(current_user), labels=LABELS, w=words,
        found=lists.proposals_of(current_user, page_number()), today=clock.today(),
        villages=[row for row in lists.villages(current_user) if row.valid_to is None],
        values=request.form if request.method == "POST" else {"valid_from": clock.today().isoformat()})


@bp.post("")
@requires("collective.propose")
@shows_again(index)
def propose() -> Any:
    values, evidence = parse(ProposalSchema), uploads.needed("evidence")

    def work() -> Response:
        village = receivers.villages([values["village"]])[0]
        if not isinstance(village, int):
            raise InvalidInput({"village": [village]})
        proposals.propose(proposals.Proposed(village, values["basis_points"], values["valid_from"],
                                             values["decision_no"], evidence.keep().id), current_user)
        flash(_("Proposed. It holds once the village has confirmed it."), "good")
        return see_other("shares.index")

    return once(work)


@bp.post(f"/{PROPOSAL}/withdrawal")
@requires("collective.propose")
@shows_again(index)
def withdraw(proposal_id: int) -> Any:
    def work() -> Response:
        proposals.withdraw(proposal_id, current_user)
        flash(_("The proposal is withdrawn."), "good")
        return see_other("shares.index")

    return once(work)


@bp.get(f"/{PROPOSAL}/evidence")
@requires("supplier.read")
def evidence(proposal_id: int) -> Response:
    return file_routes.send(lists.own_proof("proposal", proposal_id, current_user))
