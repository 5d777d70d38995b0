"""对账 on the desks: nights, what they found, what was done about it. A co-operative sees its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, downloads, outbox
from market.access import Visitor, can, requires
from market.errors import N_, NotFound
from market.files import StoredFile
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.paying import tasks as verbs
from orders.reconciling import jobs, lists, night, words
from orders.reconciling.schemas import SettleSchema

bp = Blueprint("reconciliation", __name__, url_prefix="/reconciliation")

MENU = (MenuEntry("supplier", N_("Reconciliation"), "reconciliation.index", "reconciliation.read", "check",
                  group="money"),
        MenuEntry("office", N_("Reconciliation"), "reconciliation.index", "reconciliation.read", "check",
                  group="money"))
RUN = "<int(max=999999999999):run_id>"
TASK = "<int(max=999999999999):task_id>"
PART = "<int(max=999999999999):part_id>"

LINKS = ((N_("The order"), "packing.show", "order_id", "order"),
         (N_("The claim"), "receipts.show", "claim_id", "money"),
         (N_("The refund"), "refunds.show", "refund_id", "money"))
GIVEN_BACK, REFUND_FORM = ("provider_refund", "paid_late", "amount_differs", "refund_failed"), "refunds.new"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Tasks about money that somebody has to look at."""
    if can(visitor, "reconciliation.settle") and (count := lists.open_tasks(visitor)):
        yield Waiting(ngettext("%(num)s difference about money waits for you.",
                               "%(num)s differences about money wait for you.", count),
                      url_for("reconciliation.tasks"), overdue=True)


@bp.get("")
@requires("reconciliation.read")
def index() -> str:
    return render_template(
        "orders/reconciling/runs.html", found=lists.runs(current_user, page_number()), words=words,
        newest=lists.newest(current_user), open_tasks=lists.open_tasks(current_user), is_own=lists.is_own(current_user))


@bp.get(f"/runs/{RUN}")
@requires("reconciliation.read")
def run(run_id: int) -> str:
    found, parts = lists.run(run_id, current_user)
    return render_template("orders/reconciling/run.html", run=found, parts=parts, words=words,
                           is_own=lists.is_own(current_user))


@bp.post("/runs")
@requires("reconciliation.run")
def run_now() -> Response:
    """Begin a comparison; the worker does it, the run's line shows how far it is."""
    def work() -> Response:
        begun = [run_id for scope in jobs.scopes_with_work()
                 if (run_id := night.begin(scope, f"asked {scope} {clock.now().isoformat()}", current_user))]
        for run_id in begun:
            outbox.enqueue(jobs.RUN, {"run_id": run_id})
        if begun:
            flash(_("The comparison has begun."), "waiting")
        else:
            flash(_("There is nothing to compare: no account at a card provider, no bank statement."), "info")
        return see_other("reconciliation.index")

    return once(work)


@bp.get(f"/runs/{RUN}/list.csv")
@requires("reconciliation.read")
def list_of_run(run_id: int) -> Response:
    return _kept(lists.list_of_run(run_id, current_user))


@bp.get(f"/parts/{PART}/list.csv")
@requires("reconciliation.read")
def list_of_part(part_id: int) -> Response:
    """The list as it was kept, byte by byte, so that its checksum holds."""
    return _kept(lists.list_of_part(part_id, current_user))


def _kept(stored: StoredFile) -> Response:
    folder: Path = current_app.extensions["sijin"].files_dir
    path = folder / stored.name
    if not path.is_file():
        raise NotFound()
    response = downloads.file(path.read_bytes(), stored.original_name.removesuffix(".csv"), "csv")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/tasks")
@requires("reconciliation.read")
def tasks() -> str:
    state, kind = request.args.get("state", "open"), request.args.get("kind", "")
    state, kind = state if state in words.STATES else "open", kind if kind in words.KINDS else ""
    found, kinds = lists.tasks(current_user, state, kind, page_number())

    def address(**changes: Any) -> str:
        wanted = {"state": state, "kind": kind, **changes}
        return url_for("reconciliation.tasks", **{name: value for name, value in wanted.items() if value})

    return render_template("orders/reconciling/tasks.html", found=found, kinds=kinds, state=state, kind=kind,
                           words=words, address=address, is_own=lists.is_own(current_user))


@bp.get(f"/tasks/{TASK}")
@requires("reconciliation.read")
def task(task_id: int) -> str:
    found = lists.task(task_id, current_user)
    return render_template("orders/reconciling/task.html", task=found, words=words, told=words.KINDS[found.kind],
                           figures=words.figures(found), facts=words.facts(found), links=list(_links(found)))


def _links(found: Any) -> Iterator[tuple[str, str, str]]:
    """Where the co-operative goes on from a task: label, address, icon."""
    if not lists.is_own(current_user):
        return
    for label, endpoint, argument, icon in LINKS:
        thing_id = getattr(found, argument)
        if thing_id and endpoint in current_app.view_functions:
            yield label, url_for(endpoint, **{argument: thing_id}), icon
    if found.kind in GIVEN_BACK and found.order_id and REFUND_FORM in current_app.view_functions:
        yield N_("Give money back"), url_for(REFUND_FORM, order_id=found.order_id), "money"


@bp.post(f"/tasks/{TASK}/settlement")
@requires("reconciliation.settle")
@shows_again(task)
def settle(task_id: int) -> Response:
    """Somebody says what was done about it."""
    lists.task(task_id, current_user)
    remark = parse(SettleSchema)["remark"]

    def work() -> Response:
        verbs.settle(task_id, remark, current_user)
        flash(_("Settled."), "good")
        return see_other("reconciliation.tasks")

    return once(work)
