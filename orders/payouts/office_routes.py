"""The village's side of a payment run: what the co-operative says it has paid, confirmed or objected to."""

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
from orders.payouts import lists, runs
from orders.payouts.routes import LINE, RUN
from orders.payouts.schemas import DisputeSchema, LinesSchema

bp = Blueprint("office_payouts", __name__, url_prefix="/office/payout-runs")

MENU = (MenuEntry("office", N_("Money to households"), "office_payouts.index", "village.confirm", "money",
                  group="todo"),)


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Payments that the village has still to confirm."""
    if can(visitor, "village.confirm") and (count := lists.lines_to_confirm(visitor)):
        yield Waiting(ngettext("%(num)s payment to households waits for the village's yes.",
                               "%(num)s payments to households wait for the village's yes.", count),
                      url_for("office_payouts.index"))


@bp.get("")
@requires("village.confirm")
def index() -> str:
    tab = "all" if request.args.get("tab") == "all" else "waiting"
    return render_template(
        "orders/payouts/office_runs.html", tab=tab,
        found=lists.runs_in_area(current_user, page_number(), waiting=tab == "waiting"),
        address=lambda page: url_for("office_payouts.index", tab=tab, page=page))


@bp.get(f"/{RUN}")
@requires("village.confirm")
def show(payout_run_id: int) -> str:
    run, found = lists.lines_in_area(payout_run_id, current_user, page_number())
    return render_template(
        "orders/payouts/office_run.html", run=run, found=found, labels=lists.STATE_LABELS, ways=lists.WAY_LABELS,
        ticked=request.form.getlist("lines[]"), is_sent=request.method == "POST",
        address=lambda page: url_for("office_payouts.show", payout_run_id=payout_run_id, page=page))


@bp.post(f"/{RUN}/confirmation")
@requires("village.confirm")
@shows_again(show)
def confirm(payout_run_id: int) -> Any:
    lists.lines_in_area(payout_run_id, current_user, 1)
    values = parse(LinesSchema)

    def work() -> Response:
        runs.confirm(payout_run_id, values["line_ids"], current_user)
        flash(_("Confirmed: the money is in the households' hands."), "good")
        return see_other("office_payouts.show", payout_run_id=payout_run_id)

    return once(work)


@bp.post(f"/{RUN}/dispute")
@requires("village.confirm")
@shows_again(show)
def dispute(payout_run_id: int) -> Any:
    lists.lines_in_area(payout_run_id, current_user, 1)
    values = parse(DisputeSchema)

    def work() -> Response:
        runs.dispute(payout_run_id, values["line_ids"], values["words"], current_user)
        flash(_("The co-operative is told. Nothing of these lines is booked."), "good")
        return see_other("office_payouts.show", payout_run_id=payout_run_id)

    return once(work)


@bp.get(f"/lines/{LINE}/proof")
@requires("village.confirm")
def proof(payout_run_line_id: int) -> Response:
    return file_routes.send(lists.proof_in_area(payout_run_line_id, current_user))
