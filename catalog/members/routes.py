"""Members and surplus returns at the village desk; names are shown to their own co-operative alone."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user
from marshmallow import ValidationError

from catalog import origins
from catalog.importing.member_sheet import MemberRow
from catalog.members import desk, joining, paper, surplus
from catalog.members.models import LEAST_RETURN_POINTS
from catalog.members.schemas import CapitalSchema, MeetingSchema, SurplusSchema
from catalog.members.surplus import Meeting, Plan
from market import clock, downloads, journal, money, words
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.schemas import Day
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again

bp = Blueprint("members", __name__, url_prefix="/village")

MENU = (MenuEntry("supplier", N_("Members"), "members.index", "member.manage", "people", group="people"),)
RETURN_MENU = (  # once a year
    MenuEntry("supplier", N_("Surplus returns"), "members.returns", "surplus.keep", "handshake", group="people"),)
STATE_LABELS: Mapping[str, str] = {
    "draft": N_("Waits for a second person"), "confirmed": N_("Confirmed"), "discarded": N_("Discarded"),
}
ACT_LABELS: Mapping[str, str] = {
    "surplus.drawn_up": N_("Drawn up"), "surplus.confirmed": N_("Confirmed"), "surplus.discarded": N_("Discarded"),
}
HOUSEHOLD, RETURN = "<int(max=999999999999):household_id>", "<int(max=999999999999):return_id>"
LONGEST_QUERY = 40


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Surplus returns that a second person has to confirm."""
    if can(visitor, "surplus.keep"):
        drafts = desk.waiting_drafts(visitor)
        if drafts:
            yield Waiting(ngettext("%(num)s surplus return waits for a second person.",
                                   "%(num)s surplus returns wait for a second person.", drafts),
                          url_for("members.returns"))


# ---- members --------------------------------------------------------------------------------------------------------


@bp.get("/members")
@requires("member.manage")
def index() -> str:
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    first, last = _period()
    return render_template("catalog/members/index.html", query=query, first=first, last=last,
                           classes=words.HOUSEHOLD_CLASSES,
                           found=desk.members(current_user, first, last, query, page_number()))


@bp.get("/members/new")
@requires("member.manage")
def new() -> str:
    return render_template("catalog/members/new.html",
                           villages=origins.villages_of_supplier(current_user.organisation_id))


@bp.post("/members")
@requires("member.manage")
@shows_again(new)
def join() -> Response:
    values = parse(MemberRow)

    def work() -> Response:
        household_id = joining.join(values, current_user)
        flash(_("Member %(number)s has joined.", number=values["member_no"]), "good")
        return see_other("members.show", household_id=household_id)

    return once(work)


@bp.get(f"/members/{HOUSEHOLD}")
@requires("member.manage")
def show(household_id: int) -> str:
    first, last = _period()
    return render_template("catalog/members/show.html", first=first, last=last, classes=words.HOUSEHOLD_CLASSES,
                           line_total=money.line_total,
                           member=desk.member(household_id, first, last, current_user))


@bp.post(f"/members/{HOUSEHOLD}/capital")
@requires("member.manage")
@shows_again(show)
def set_capital(household_id: int) -> Response:
    desk.member(household_id, *_period(), current_user)  # somebody else's is unknown, whatever the form says
    values = parse(CapitalSchema)

    def work() -> Response:
        surplus.set_capital(household_id, values["capital_fen"], current_user)
        return see_other("members.show", household_id=household_id)

    return once(work)


# ---- surplus returns ------------------------------------------------------------------------------------------------


@bp.get("/surplus-returns")
@requires("surplus.keep")
def returns() -> str:
    return render_template("catalog/members/returns.html", found=desk.settlements(current_user, page_number()),
                           labels=STATE_LABELS)


@bp.get("/surplus-returns/new")
@requires("surplus.keep")
def new_return() -> str:
    year = clock.today().year
    return render_template("catalog/members/new_return.html", least=LEAST_RETURN_POINTS,
                           first=date(year - 1, 1, 1), last=date(year - 1, 12, 31))


@bp.post("/surplus-returns")
@requires("surplus.keep")
@shows_again(new_return)
def draw_up() -> Response:
    values = parse(SurplusSchema)

    def work() -> Response:
        row = surplus.draw_up(Plan(**values), current_user)
        flash(_("Drawn up. A second person of the co-operative confirms it."), "good")
        return see_other("members.settlement", return_id=row.id)

    return once(work)


@bp.get(f"/surplus-returns/{RETURN}")
@requires("surplus.keep")
def settlement(return_id: int) -> str:
    found = desk.settlement(return_id, current_user)
    return render_template("catalog/members/return.html", found=found, row=found.row, labels=STATE_LABELS,
                           acts=ACT_LABELS, history=journal.timeline("surplus_return", return_id))


@bp.get(f"/surplus-returns/{RETURN}/list")
@requires("surplus.keep")
def signing_list(return_id: int) -> str:
    """What members sign."""
    found = desk.settlement(return_id, current_user)
    return render_template("catalog/members/list.html", found=found, row=found.row, labels=STATE_LABELS)


@bp.get(f"/surplus-returns/{RETURN}.<any(csv, xlsx):ending>")
@requires("surplus.keep")
def download(return_id: int, ending: str) -> Response:
    table = paper.as_table(desk.settlement(return_id, current_user), current_user.organisation_name, STATE_LABELS)
    return downloads.table(table, f"surplus-return-{return_id}", ending)


@bp.post(f"/surplus-returns/{RETURN}/confirmation")
@requires("surplus.keep")
@shows_again(settlement)
def confirm(return_id: int) -> Response:
    values = parse(MeetingSchema)

    def work() -> Response:
        surplus.confirm(return_id, Meeting(**values), current_user)
        flash(_("Confirmed."), "good")
        return see_other("members.settlement", return_id=return_id)

    return once(work)


@bp.post(f"/surplus-returns/{RETURN}/discard")
@requires("surplus.keep")
@shows_again(settlement)
def discard(return_id: int) -> Response:
    def work() -> Response:
        surplus.discard(return_id, current_user)
        return see_other("members.returns")

    return once(work)


# ---- forms ----------------------------------------------------------------------------------------------------------


def _period() -> tuple[date, date]:
    """The days asked for, this year's so far where nothing sensible is."""
    today = clock.today()
    first, last = _day("from") or date(today.year, 1, 1), _day("to") or today
    return (first, last) if first <= last else (last, first)


def _day(name: str) -> date | None:
    try:
        found: Any = Day().deserialize(request.args.get(name, ""))
    except ValidationError:
        return None
    return found if isinstance(found, date) else None
