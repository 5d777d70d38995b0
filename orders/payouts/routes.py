"""Payment runs at the village desk: built, approved, sent to the bank, marked with their proof."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, db, downloads, file_routes, journal, uploads
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.ledger import INCOME_KINDS
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, unflatten, whole_argument
from orders.payouts import bank_table, lists, owed, runs
from orders.payouts.runs import Wanted
from orders.payouts.schemas import FailedSchema, LinesSchema, PaidSchema, RunSchema

bp = Blueprint("payout_runs", __name__, url_prefix="/village/payout-runs")

MENU = (MenuEntry("supplier", N_("Payment runs"), "payout_runs.index", "supplier.money", "money", group="people"),)
RUN, LINE = "<int(max=999999999999):payout_run_id>", "<int(max=999999999999):payout_run_line_id>"
MOST_ROWS = 500  # of a form
ACT_LABELS = {
    "payout_run.built": N_("Built"), "payout_run.approved": N_("Approved"), "payout_run.cancelled": N_("Cancelled"),
    "payout_run.exported": N_("Bank list downloaded"), "payout_run.paid": N_("Marked as paid"),
    "payout_run.failed": N_("Marked as failed"), "payout_run.reopened": N_("Taken back"),
    "payout_run.confirmed": N_("Confirmed by the village"), "payout_run.disputed": N_("The village objects"),
}


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """At the co-operative: runs and accounts for a second person, money that did not arrive, what villages say."""
    if not can(visitor, "payout.prepare"):
        return
    found, here = lists.to_do(visitor), url_for("payout_runs.index")
    if found.to_approve:
        yield Waiting(ngettext("%(num)s payment run waits for a second person.",
                               "%(num)s payment runs wait for a second person.", found.to_approve), here)
    if found.failed:
        yield Waiting(ngettext("%(num)s payment to a household did not arrive: it is still owed.",
                               "%(num)s payments to households did not arrive: they are still owed.", found.failed),
                      here, overdue=True)
    if found.disputed:
        yield Waiting(ngettext("%(num)s payment is not found by the village.",
                               "%(num)s payments are not found by the village.", found.disputed), here, overdue=True)
    if found.accounts:
        yield Waiting(ngettext("%(num)s household account waits for a second person.",
                               "%(num)s household accounts wait for a second person.", found.accounts),
                      url_for("household_accounts.index"))


@bp.get("")
@requires("supplier.money")
def index() -> str:
    return render_template("orders/payouts/runs.html", found=lists.own_runs(current_user, page_number()),
                           states=lists.RUN_STATES, address=lambda page: url_for("payout_runs.index", page=page))


@bp.get("/new")
@requires("payout.prepare")
def new() -> str:
    """Who is owed what, ticked; narrowed to a village and a kind of income."""
    village, kind = whole_argument("village"), request.args.get("kind", "")
    everything = owed.of(supplier_id=current_user.organisation_id)
    free = [one for one in everything if one.free_fen and village in (None, one.village_id)
            and kind in ("", one.income_kind)]
    sent = unflatten(request.form.to_dict()).get("lines", []) if request.method == "POST" else []
    rows = [row for row in sent if isinstance(row, dict)] if isinstance(sent, list) else []
    return render_template(
        "orders/payouts/new.html", rows=free[:MOST_ROWS], left_out=max(0, len(free) - MOST_ROWS), village=village,
        kind=kind, paths=lists.paths({one.village_id for one in everything}), kinds=INCOME_KINDS,
        names=lists.names(current_user.organisation_id, {one.household_id for one in free if one.household_id}),
        is_sent=request.method == "POST",
        ticked={row.get("receiver"): number for number, row in enumerate(row for row in rows if row.get("take"))},
        typed={row.get("receiver"): row.get("amount_fen") for row in rows})


@bp.post("")
@requires("payout.prepare")
@shows_again(new)
def build() -> Response:
    values = parse(RunSchema)
    wanted = [Wanted(village, household, kind, row["amount_fen"]) for row in values["lines"]
              for village, household, kind in (row["receiver"],)]

    def work() -> Response:
        run = runs.build(wanted, current_user, in_cash=values["in_cash"], note=values["note"])
        flash(_("The run is built. A second person of the co-operative approves it."), "good")
        return see_other("payout_runs.show", payout_run_id=run.id)

    return once(work)


@bp.get(f"/{RUN}")
@requires("supplier.money")
def show(payout_run_id: int) -> str:
    run = lists.own_run(payout_run_id, current_user)
    return render_template(
        "orders/payouts/run.html", run=run, found=lists.own_lines(payout_run_id, page_number()), acts=ACT_LABELS,
        history=journal.timeline("payout_run", payout_run_id), states=lists.RUN_STATES, labels=lists.STATE_LABELS,
        ways=lists.WAY_LABELS, failures=lists.FAILURE_LABELS, today_is=clock.today(),
        ticked=request.form.getlist("lines[]"),
        address=lambda page: url_for("payout_runs.show", payout_run_id=payout_run_id, page=page))


@bp.post(f"/{RUN}/approval")
@requires("payout.prepare")
@shows_again(show)
def approve(payout_run_id: int) -> Response:
    return _done(payout_run_id, lambda: runs.approve(payout_run_id, current_user),
                 _("Approved. It can be paid now."))


@bp.post(f"/{RUN}/cancellation")
@requires("payout.prepare")
@shows_again(show)
def cancel(payout_run_id: int) -> Response:
    return _done(payout_run_id, lambda: runs.cancel(payout_run_id, current_user),
                 _("Cancelled. What it held may stand in another run."))


@bp.post(f"/{RUN}/bank-list.<any(csv, xlsx):ending>")
@requires("account.reveal")
@shows_again(lambda payout_run_id, ending: show(payout_run_id))
def export(payout_run_id: int, ending: str) -> Response:
    """The list for the bank; every download is journalled."""
    with db.transaction():
        run = runs.export(payout_run_id, ending, current_user)
        table = bank_table.table(run.number, lists.bank_list(payout_run_id), current_user.organisation_name)
    return downloads.table(table, f"bank-list-{run.number}", ending)


@bp.post(f"/{RUN}/payments")
@requires("payout.prepare")
@shows_again(show)
def mark_paid(payout_run_id: int) -> Response:
    lists.own_run(payout_run_id, current_user)
    values = parse(PaidSchema)
    proof = uploads.needed("proof", N_("Please add the bank's receipt or the photo of the signed slip."))
    return _done(payout_run_id, lambda: runs.mark_paid(
        payout_run_id, values["line_ids"], values["paid_on"], proof.keep().id, current_user),
        _("Marked as paid. Now the village confirms that it has come."))


@bp.post(f"/{RUN}/failures")
@requires("payout.prepare")
@shows_again(show)
def fail(payout_run_id: int) -> Response:
    lists.own_run(payout_run_id, current_user)
    values = parse(FailedSchema)
    return _done(payout_run_id, lambda: runs.fail(
        payout_run_id, values["line_ids"], values["failure"], values["note"], current_user),
        _("Marked as failed: it stays owed and may stand in the next run."))


@bp.post(f"/{RUN}/reopening")
@requires("payout.prepare")
@shows_again(show)
def reopen(payout_run_id: int) -> Response:
    lists.own_run(payout_run_id, current_user)
    values = parse(LinesSchema)
    return _done(payout_run_id, lambda: runs.reopen(payout_run_id, values["line_ids"], current_user),
                 _("Taken back: these lines are to be paid again."))


@bp.get(f"/lines/{LINE}/proof")
@requires("supplier.money")
def proof(payout_run_line_id: int) -> Response:
    return file_routes.send(lists.own_proof(payout_run_line_id, current_user))


def _done(run_id: int, verb: Callable[[], Any], words: str) -> Response:
    def work() -> Response:
        verb()
        flash(words, "good")
        return see_other("payout_runs.show", payout_run_id=run_id)

    return once(work)
