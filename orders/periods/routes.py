"""关账 at the officials' desk: months, what waits in them, the two persons' steps, filed figures, late entries."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market import audit, clock, db, downloads, filings, journal, ledger_frame, paging
from market.access import Visitor, can, requires
from market.errors import N_, NotFound
from market.figures import Where
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.periods import checklist, closing, lists, words
from orders.periods.schemas import CloseSchema, ReopenSchema
from orders.reports.readers import reader_of
from orders.reports.village_lines import EVENTS

bp = Blueprint("periods", __name__, url_prefix="/office/months")

MENU = (MenuEntry("office", N_("Month close"), "periods.index", "period.read", "calendar", group="money"),)
NUMBER = "<int(min=200001,max=209912):number>"  # the month as digits: 202610
PROPOSAL = "<int(max=999999999999):proposal_id>"
MOST_FINDINGS = 20


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Proposals of colleagues, and months that are over and open."""
    if not (can(visitor, "period.close") and closing.may_close(visitor)):
        return
    proposals = lists.proposals_for(visitor.id)
    for one in proposals:
        text = (N_("Closing %(month)s waits for your confirmation.") if filings.is_closed(one.number)
                else N_("Opening %(month)s again waits for your confirmation."))
        yield Waiting(_(text, month=one.period), _address(one.period))
    oldest, now = closing.oldest_open(), clock.period_of(clock.today())
    if oldest is not None and oldest < now and not proposals:
        over = len(clock.months_between(oldest, clock.months_before(now, 1)))
        yield Waiting(ngettext("%(num)s month is over and not closed.", "%(num)s months are over and not closed.",
                               over),
                      _address(oldest))


@bp.get("")
@requires("period.read")
def index() -> str:
    with db.snapshot():
        found = lists.months()
        oldest = closing.oldest_open()
    shown = paging.cut(found, page_number(), 24)
    return render_template("orders/periods/index.html", months=shown.rows, page=shown.page, pages=shown.pages,
                           oldest=oldest, states=words.STATES, closing_of=filings.closing_of, number_of=_number)


@bp.get(f"/{NUMBER}")
@requires("period.read")
def show(number: int) -> str:
    """One month: what waits in it, what was done about it and by whom, what was filed."""
    period = _month(number)
    may = can(current_user, "period.close") and closing.may_close(current_user)
    with db.snapshot():
        month, oldest = lists.month(period), closing.oldest_open()
        shown = {"items": checklist.items(period), "late": lists.late_sums(period, _area()),
                 "changes": list(lists.changes_of(period)), "acts": journal.timeline("period", period)}
    return render_template(
        "orders/periods/show.html", month=month, number=number, oldest=oldest, states=words.STATES, may=may,
        is_next=month.is_over and period == oldest, events=EVENTS, closing_of=filings.closing_of, figures=words.FIGURES,
        is_mine=month.proposal is not None and month.proposal.proposed_by == current_user.id, told=words.ACTS,
        is_closed=filings.is_closed, **shown)


@bp.get(f"/{NUMBER}/late")
@requires("period.read")
def late(number: int) -> str:
    """Entries of the reader's area, counted in this month, that belong to earlier ones."""
    period = _month(number)
    with db.snapshot():
        sums = lists.late_sums(period, _area())
        found = lists.late(period, sum(count for _key, (count, _fen) in sums), page_number(), _area())
    return render_template("orders/periods/late.html", found=found, sums=sums, period=period, number=number,
                           events=EVENTS, mark=words.late_mark)


@bp.get(f"/{NUMBER}/<int(max=99):nth>.csv")
@requires("period.read")
def filed(number: int, nth: int) -> Response:
    """The figures that a closing filed, to the byte, so that the checksum beside them holds."""
    kept = filings.filed(_month(number), nth)
    response = downloads.file(kept.filed.encode(), f"month-{kept.period}-closing-{nth}", "csv")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post(f"/{NUMBER}/closing")
@requires("period.close")
@shows_again(show)
def propose_close(number: int) -> Response:
    """The first person's step. The ledger is checked first, in a read of its own: about a minute for a million rows."""
    period, values = _month(number), parse(CloseSchema)
    findings = len(audit.check(heads_file=ledger_frame.heads_file(), limit=MOST_FINDINGS))

    def work() -> Response:
        waiting = {item.key: item.count for item in checklist.items(period)}
        closing.propose_close(period, waiting, findings, current_user, values["reason"])
        flash(_("Proposed. A second official confirms."), "good")
        return see_other("periods.show", number=number)

    return once(work)


@bp.post(f"/{NUMBER}/reopening")
@requires("period.close")
@shows_again(show)
def propose_reopen(number: int) -> Response:
    period, values = _month(number), parse(ReopenSchema)

    def work() -> Response:
        closing.propose_reopen(period, values["reason"], current_user)
        flash(_("Proposed. A second official confirms."), "good")
        return see_other("periods.show", number=number)

    return once(work)


@bp.post(f"/proposals/{PROPOSAL}/confirmation")
@requires("period.close")
def confirm(proposal_id: int) -> Response:
    def work() -> Response:
        month, was_close = closing.confirm(proposal_id, current_user)
        flash(_("The month is closed; its figures are filed.") if was_close else _("The month is open again."), "good")
        return see_other("periods.show", number=_number(month))

    return once(work)


@bp.post(f"/proposals/{PROPOSAL}/withdrawal")
@requires("period.close")
def withdraw(proposal_id: int) -> Response:
    def work() -> Response:
        month = closing.withdraw(proposal_id, current_user)
        flash(_("The proposal is withdrawn."), "good")
        return see_other("periods.show", number=_number(month))

    return once(work)


def _area() -> Where:
    return reader_of(current_user, "period.read").where


def _month(number: int) -> str:
    """The month behind its digits. Raises NotFound."""
    digits = str(number)
    if not "01" <= digits[4:] <= "12":
        raise NotFound()
    return f"{digits[:4]}-{digits[4:]}"


def _number(period: str) -> int:
    return int(period.replace("-", ""))


def _address(period: str) -> Any:
    return url_for("periods.show", number=_number(period))
