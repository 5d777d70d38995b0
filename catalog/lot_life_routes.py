"""Lots before and after their booking: expected harvests, names from the notebook, write-offs; for both desks."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from flask_login import current_user

from catalog import lot_arrivals, lot_desk, lot_life_desk, lot_routes, lot_splitting, lot_write_offs, lots, origins
from catalog.lot_routes import LOT, REASON_LABELS, rows_of, shown_rows
from catalog.lot_schemas import MOST_ROWS, ArrivalSchema, ExpectSchema, SplitSchema, WriteOffSchema
from market import clock
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again

bp = Blueprint("lot_life", __name__)

MENU = (
    MenuEntry("supplier", N_("Write-offs"), "lot_life.write_offs", "lot.book", "box", group="stock"),
    MenuEntry("office", N_("Write-offs"), "lot_life.area_write_offs", "village.confirm", "box", group="todo"),
    MenuEntry("office", N_("Names from notebooks"), "lot_life.splits", "village.confirm", "household", group="todo"),
)
WRITE_OFF_STATES = ("waiting", "confirmed", "refused")
DECISION_LABELS = {"waiting": N_("Waits for a second person"), "confirmed": N_("Confirmed"),
                   "refused": N_("Turned down")}
WRITE_OFF = "<int(max=999999999999):write_off_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Write-offs for a second person; at the co-operative also names to write and harvests that are late."""
    supplier = can(visitor, "lot.book")
    if not supplier and not can(visitor, "village.confirm"):
        return
    count = lot_life_desk.write_offs_to_decide(visitor)
    if count:
        yield Waiting(ngettext("%(num)s write-off waits for a second person.",
                               "%(num)s write-offs wait for a second person.", count),
                      url_for("lot_life.write_offs" if supplier else "lot_life.area_write_offs"))
    if not supplier:
        return
    count = len(lot_life_desk.without_names(visitor))
    if count:
        yield Waiting(ngettext("%(num)s lot waits for the names in the notebook.",
                               "%(num)s lots wait for the names in the notebook.", count),
                      url_for("lot_life.notebooks"))
    count = lot_life_desk.late_harvests(visitor)
    if count:
        yield Waiting(ngettext("%(num)s expected harvest is past its day.",
                               "%(num)s expected harvests are past their day.", count),
                      url_for("lots.index", state="expected"), overdue=True)


# ---- names from the notebook ----------------------------------------------------------------------------------------


@bp.get("/village/notebooks")
@requires("lot.book")
def notebooks() -> str:
    """Lots whose households are still to be named."""
    return render_template("catalog/lots/notebooks.html", rows=lot_life_desk.without_names(current_user))


@bp.get(f"/village/lots/{LOT}/names")
@requires("lot.book")
def names(lot_id: int) -> str:
    """The photo beside the form."""
    story = lot_desk.story(lot_id, current_user)
    rows = rows_of("contributions", "grams")
    return render_template(
        "catalog/lots/names.html", story=story, lot=story.lot, open_villages=lot_splitting.open_villages(lot_id),
        rows=rows, shown=shown_rows(len(rows)), most=MOST_ROWS,
        members=lot_desk.members(current_user.organisation_id))


@bp.post(f"/village/lots/{LOT}/names")
@requires("lot.book")
@shows_again(names)
def split(lot_id: int) -> Any:
    if "more" in request.form:
        return names(lot_id)
    lot_desk.story(lot_id, current_user)
    values = parse(SplitSchema)

    def work() -> Response:
        lots.split(lot_id, lot_desk.contributions_of(values["contributions"], current_user), current_user)
        flash(_("The names are written down."), "good")
        return see_other("lots.show", lot_id=lot_id)

    return once(work)


@bp.get("/office/lots/names")
@requires("village.confirm")
def splits() -> str:
    """Which names followed in the area: who wrote them, how much for how many households."""
    return render_template("catalog/lots/splits.html", found=lot_life_desk.splits(current_user, page_number()))


# ---- expected harvests ----------------------------------------------------------------------------------------------


@bp.get("/village/lots/expected/new")
@requires("lot.book")
def new_expected() -> str:
    goods = [row for row in lot_desk.own_goods(current_user.organisation_id) if row.supply == "stocked"]
    return render_template(
        "catalog/lots/expect.html", goods=goods, rows=rows_of("contributions", "grams"),
        villages=origins.villages_of_supplier(current_user.organisation_id),
        members_live_in=lot_desk.member_villages(current_user.organisation_id),
        tomorrow=clock.days_after(clock.today(), 1),
        values=request.form if request.method == "POST" else {"product_id": request.args.get("product", "")})


@bp.post("/village/lots/expected")
@requires("lot.book")
@shows_again(new_expected)
def expect() -> Response:
    values = parse(ExpectSchema)

    def work() -> Response:
        lot = lots.expect(
            values["product_id"], values["expected_on"], values["milli"], values["farm_gate_fen_per_kg"],
            lot_desk.contributions_of(values["contributions"], current_user), current_user, values["best_before"])
        flash(_("The expected harvest %(code)s is written down. Orders may come once the village has confirmed it.",
                code=lot.code), "good")
        return see_other("lots.show", lot_id=lot.id)

    return once(work)


@bp.post(f"/village/lots/{LOT}/arrival")
@requires("lot.book")
@shows_again(lot_routes.show)
def arrive(lot_id: int) -> Response:
    lot_desk.story(lot_id, current_user)
    values = parse(ArrivalSchema)

    def work() -> Response:
        lot_arrivals.arrive(lot_id, values["real_lot_id"], current_user, current_app.extensions["sijin_promises"])
        flash(_("The real lot has taken over what was promised, as far as it reaches."), "good")
        return see_other("lots.show", lot_id=lot_id)

    return once(work)


@bp.post(f"/village/lots/{LOT}/closing")
@requires("lot.book")
@shows_again(lot_routes.show)
def close(lot_id: int) -> Response:
    def work() -> Response:
        lot_arrivals.close(lot_id, current_user)
        flash(_("Closed: nothing more is promised from this harvest."), "good")
        return see_other("lots.show", lot_id=lot_id)

    return once(work)


# ---- written off ----------------------------------------------------------------------------------------------------


@bp.get("/village/write-offs")
@requires("lot.book")
def write_offs(write_off_id: int | None = None) -> str:
    return _write_offs(officer=False)


@bp.get("/office/write-offs")
@requires("village.confirm")
def area_write_offs(write_off_id: int | None = None) -> str:
    return _write_offs(officer=True)


def _write_offs(officer: bool) -> str:
    state = request.args.get("state") if request.args.get("state") in WRITE_OFF_STATES else None
    return render_template(
        "catalog/lots/write_offs.html", found=lot_life_desk.write_offs(current_user, state, page_number()), state=state,
        officer=officer, labels=DECISION_LABELS, reasons=REASON_LABELS, me=current_user.id,
        here="lot_life.area_write_offs" if officer else "lot_life.write_offs")


@bp.post(f"/village/lots/{LOT}/write-offs")
@requires("lot.book")
@shows_again(lot_routes.show)
def propose(lot_id: int) -> Response:
    lot_desk.story(lot_id, current_user)
    values = parse(WriteOffSchema)

    def work() -> Response:
        lot_write_offs.propose(lot_id, values["milli"], values["reason"], values["note"], current_user)
        flash(_("Noted. The goods leave the stock once a second person has confirmed it."), "good")
        return see_other("lots.show", lot_id=lot_id)

    return once(work)


@bp.post(f"/village/write-offs/{WRITE_OFF}/confirmation")
@requires("lot.book")
@shows_again(write_offs)
def confirm(write_off_id: int) -> Response:
    return _decide(write_off_id, lot_write_offs.confirm, "lot_life.write_offs")


@bp.post(f"/village/write-offs/{WRITE_OFF}/refusal")
@requires("lot.book")
@shows_again(write_offs)
def refuse(write_off_id: int) -> Response:
    return _decide(write_off_id, lot_write_offs.refuse, "lot_life.write_offs")


@bp.post(f"/office/write-offs/{WRITE_OFF}/confirmation")
@requires("village.confirm")
@shows_again(area_write_offs)
def confirm_in_area(write_off_id: int) -> Response:
    return _decide(write_off_id, lot_write_offs.confirm, "lot_life.area_write_offs")


@bp.post(f"/office/write-offs/{WRITE_OFF}/refusal")
@requires("village.confirm")
@shows_again(area_write_offs)
def refuse_in_area(write_off_id: int) -> Response:
    return _decide(write_off_id, lot_write_offs.refuse, "lot_life.area_write_offs")


def _decide(write_off_id: int, decision: Callable[[int, Visitor], None], back: str) -> Response:
    def work() -> Response:
        decision(write_off_id, current_user)
        flash(_("Decided."), "good")
        return see_other(back)

    return once(work)
