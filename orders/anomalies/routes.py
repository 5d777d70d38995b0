"""The officials' side of what stands out: cases of the area, one case with its evidence, decisions by two persons."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, db
from market.access import Visitor, can, requires
from market.errors import N_
from market.figures import Where
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, asked_month, once, page_number, parse, see_other, shows_again
from orders.anomalies import cases, lists, looks
from orders.anomalies import found as sights
from orders.anomalies.models import UNDECIDED
from orders.anomalies.schemas import DecisionSchema, RefusalSchema, SecondSchema
from orders.reports.readers import reader_of

bp = Blueprint("anomalies", __name__, url_prefix="/office/anomalies")

MENU = (MenuEntry("office", N_("Anomalies"), "anomalies.index", "anomaly.read", "warning", group="todo"),)
CASE = "<int(max=999999999999):anomaly_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Cases of the area that somebody has to decide."""
    if not can(visitor, "anomaly.handle"):
        return
    undecided, overdue = lists.waiting(_area(visitor))
    if undecided:
        yield Waiting(ngettext("%(num)s anomaly waits for a decision.", "%(num)s anomalies wait for a decision.",
                               undecided), url_for("anomalies.index"))
    if overdue:
        yield Waiting(ngettext("%(num)s decision about an anomaly is overdue.",
                               "%(num)s decisions about anomalies are overdue.", overdue),
                      url_for("anomalies.index", show="overdue"), overdue=True)


def _area(visitor: Visitor) -> Where:
    return reader_of(visitor, "anomaly.read").where


@bp.get("")
@requires("anomaly.read")
def index() -> str:
    """Cases behind a filter, by kind."""
    shown = request.args.get("show", "")
    shown = shown if shown in lists.FILTERS else "undecided"
    kind = request.args.get("kind", "")
    kind = kind if kind in sights.KINDS else ""
    with db.snapshot():
        found = lists.listed(_area(current_user), shown, kind, page_number())

    def address(**changes: Any) -> str:
        wanted = {"show": shown, "kind": kind, **changes}
        return url_for("anomalies.index", **{name: value for name, value in wanted.items() if value})

    return render_template(
        "orders/anomalies/index.html", found=found, shown=shown, kind=kind, kinds=sights.KINDS,
        filter_names=lists.FILTERS, states=lists.STATE_LABELS, value=sights.value_words, address=address,
        today=clock.today(),
        month=clock.period_of(clock.today()), may_handle=can(current_user, "anomaly.handle"))


@bp.post("/look")
@requires("anomaly.handle")
@shows_again(index)
def look() -> Response:
    """Look at a month of the area now; the worker does so every day for this month and the last."""
    month = asked_month()

    def work() -> Response:
        new = cases.open_found(looks.found(month, month, _area(current_user)))
        flash(ngettext("%(num)s new thing stands out.", "%(num)s new things stand out.", new) if new
              else _("Nothing new stands out in %(month)s.", month=month), "good")
        return see_other("anomalies.index")

    return once(work)


@bp.get(f"/{CASE}")
@requires("anomaly.read")
def show(anomaly_id: int) -> str:
    """One case: what, by which rule, the rows behind it, what the co-operative says, what happened."""
    with db.snapshot():
        told = lists.one(anomaly_id, _area(current_user))
    return render_template(
        "orders/anomalies/case.html", told=told, case=told.case, kind=sights.KINDS[told.case.kind],
        value=sights.value_words, labels=sights.EVIDENCE, states=lists.STATE_LABELS, steps=lists.TIMELINE,
        undecided=told.case.state in UNDECIDED, today=clock.today(),
        numbers={row.number for row in told.orders}, may_handle=can(current_user, "anomaly.handle"),
        is_second=told.case.proposed_by != current_user.id)


@bp.post(f"/{CASE}/decision")
@requires("anomaly.handle")
@shows_again(show)
def decide(anomaly_id: int) -> Response:
    """Decide a warning, or propose what a second person then confirms."""
    values = parse(DecisionSchema)

    def work() -> Response:
        case = cases.propose(anomaly_id, values["decision"], values["note"], _area(current_user), current_user)
        flash(_("Noted: now a second person decides.") if case.grave else _("Noted."), "good")
        return see_other("anomalies.show", anomaly_id=anomaly_id)

    return once(work)


@bp.post(f"/{CASE}/confirmation")
@requires("anomaly.handle")
@shows_again(show)
def confirm(anomaly_id: int) -> Response:
    """The second person's yes."""
    values = parse(SecondSchema)

    def work() -> Response:
        cases.confirm(anomaly_id, values["decision"], _area(current_user), current_user)
        flash(_("Decided."), "good")
        return see_other("anomalies.show", anomaly_id=anomaly_id)

    return once(work)


@bp.post(f"/{CASE}/refusal")
@requires("anomaly.handle")
@shows_again(show)
def refuse(anomaly_id: int) -> Response:
    """The second person's no."""
    values = parse(RefusalSchema)

    def work() -> Response:
        cases.refuse(anomaly_id, values["note"], _area(current_user), current_user)
        flash(_("Noted: the case is looked at again."), "good")
        return see_other("anomalies.show", anomaly_id=anomaly_id)

    return once(work)
