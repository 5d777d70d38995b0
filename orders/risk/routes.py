"""Risk signals at the offices' desks: the list of the area, each case with its handling. Never public."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, db, journal
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.risk import handling, lists, words
from orders.risk.models import KINDS
from orders.risk.schemas import HandlingSchema, OutcomeSchema, ReasonSchema

bp = Blueprint("risk", __name__, url_prefix="/office/risk")

MENU = (MenuEntry("office", N_("Risk signals"), "risk.index", "risk.read", "bell", group="todo"),)
CASE = "<int(max=999999999999):risk_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Signals of the area that are overdue, and those that wait for a second person or for somebody at all."""
    if not can(visitor, "risk.handle"):
        return
    counted = lists.counts(visitor)
    if counted["overdue"]:
        yield Waiting(ngettext("%(num)s risk signal is past its day.", "%(num)s risk signals are past their day.",
                               counted["overdue"]), url_for("risk.index", state="overdue"), overdue=True)
    if counted["closing"]:
        yield Waiting(ngettext("%(num)s risk signal waits for a second person to close it.",
                               "%(num)s risk signals wait for a second person to close them.", counted["closing"]),
                      url_for("risk.index", state="closing"))
    if counted["open"]:
        yield Waiting(ngettext("%(num)s risk signal is open.", "%(num)s risk signals are open.", counted["open"]),
                      url_for("risk.index"))


@bp.get("")
@requires("risk.read")
def index() -> str:
    asked = lists.Asked(_one_of("state", lists.STATES) or "open", _one_of("kind", KINDS))
    found = lists.cases(current_user, asked, page_number())

    def address(**changes: Any) -> str:
        wanted = {"state": asked.state, "kind": asked.kind, **changes}
        return url_for("risk.index", **{name: value for name, value in wanted.items() if value})

    return render_template("orders/risk/index.html", found=found, asked=asked, address=address, kinds=words.KINDS,
                           states=words.STATES, explained=words.EXPLAINED, not_total=words.NOT_TOTAL,
                           today=clock.today())


def _one_of(name: str, choices: tuple[str, ...]) -> str:
    value = request.args.get(name, "")
    return value if value in choices else ""


@bp.get(f"/{CASE}")
@requires("risk.read")
def show(risk_id: int) -> str:
    return _page(risk_id)


def _page(risk_id: int, name: str = "") -> str:
    found = lists.case(risk_id, current_user)
    may = can(current_user, "risk.handle")
    return render_template(
        "orders/risk/show.html", case=found, signals=lists.signals(risk_id), name=name, kinds=words.KINDS,
        states=words.STATES, explained=words.EXPLAINED, not_total=words.NOT_TOTAL, acts=words.ACTS,
        history=journal.timeline("risk_case", risk_id), may_handle=may, today=clock.today(),
        handlers=handling.handlers(found.village_id) if may and found.state == "open" else ())


@bp.post(f"/{CASE}/name")
@requires("risk.handle")
@shows_again(show)
def reveal(risk_id: int) -> str:
    """The page with the full name; the look is journalled."""
    with db.transaction():
        name = handling.reveal(risk_id, current_user)
    return _page(risk_id, name)


@bp.post(f"/{CASE}/handling")
@requires("risk.handle")
@shows_again(show)
def assign(risk_id: int) -> Response:
    lists.case(risk_id, current_user)
    values = parse(HandlingSchema)

    def work() -> Response:
        handling.assign(risk_id, values["handler_id"], values["due_on"], values["measures"], current_user)
        flash(_("Saved."), "good")
        return see_other("risk.show", risk_id=risk_id)

    return once(work)


@bp.post(f"/{CASE}/closing")
@requires("risk.handle")
@shows_again(show)
def propose_closing(risk_id: int) -> Response:
    lists.case(risk_id, current_user)
    values = parse(OutcomeSchema)

    def work() -> Response:
        handling.propose_closing(risk_id, values["outcome"], current_user)
        flash(_("Proposed. A second person closes it."), "good")
        return see_other("risk.show", risk_id=risk_id)

    return once(work)


@bp.post(f"/{CASE}/closure")
@requires("risk.handle")
@shows_again(show)
def close(risk_id: int) -> Response:
    def work() -> Response:
        handling.close(risk_id, current_user)
        flash(_("Closed."), "good")
        return see_other("risk.show", risk_id=risk_id)

    return once(work)


@bp.post(f"/{CASE}/return")
@requires("risk.handle")
@shows_again(show)
def send_back(risk_id: int) -> Response:
    lists.case(risk_id, current_user)
    values = parse(ReasonSchema)

    def work() -> Response:
        handling.send_back(risk_id, values["reason"], current_user)
        flash(_("It stays open."), "good")
        return see_other("risk.show", risk_id=risk_id)

    return once(work)
