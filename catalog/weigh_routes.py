"""Weighing in at the village desk (过秤入库): choose goods, write who brought how much, or photograph the notebook."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, g, render_template, request, url_for
from flask_login import current_user

from catalog import lot_desk, lots, weigh_in
from catalog.lot_parts import Contribution, LotDetails
from catalog.lot_schemas import MOST_ROWS
from catalog.weigh_schemas import NotebookSchema, WeighInSchema
from market import clock, uploads
from market.access import requires
from market.errors import N_, NotFound
from market.web import MenuEntry, once, parse, safe_next, see_other, shows_again, unflatten

bp = Blueprint("weigh", __name__, url_prefix="/village/weigh-in")

MENU = (MenuEntry("supplier", N_("Weigh-in"), "weigh.index", "lot.book", "scale"),)
FIRST_ROWS, MORE_ROWS = 5, 5
LABELS: Mapping[str, str] = {
    "harvested_on": N_("Day of harvest"), "farm_gate_fen_per_kg": N_("Members are paid"), "milli": N_("Quantity"),
    "contributions": N_("Who brought how much"), "village": N_("Village"), "gross": N_("Weight with basket"),
    "tare": N_("Basket weight"), "notebook": N_("Photo of the notebook"),
}
Way = str  # 'rows' or 'notebook'


@bp.get("")
@requires("lot.book")
def index() -> str:
    """The goods to choose from; with ?product= the page on which they are weighed in."""
    return _page("notebook" if request.args.get("way") == "notebook" else "rows")


def rows_page() -> str:
    return _page("rows")


def notebook_page() -> str:
    return _page("notebook")


def _page(way: Way) -> str:
    goods = weigh_in.goods(current_user.organisation_id)
    wanted = request.form.get("product_id") or request.args.get("product", "")
    onward = safe_next(request.values.get("next"))
    if not wanted:
        return render_template("catalog/lots/weigh_goods.html", goods=goods, onward=onward)
    chosen = next((row for row in goods if str(row.id) == wanted), None)
    if chosen is None:
        raise NotFound()
    last = weigh_in.last_time(chosen.id, current_user)
    return render_template(
        f"catalog/lots/weigh_{way}.html", good=chosen, way=way, last=last, labels=LABELS, onward=onward,
        values=_values(last), rows=_rows(last), most=MOST_ROWS, names=_names(), sent=request.method == "POST",
        members=weigh_in.members(current_user.organisation_id),
        villages=lot_desk.member_villages(current_user.organisation_id) if way == "notebook" else {})


def _values(last: weigh_in.LastTime | None) -> Mapping[str, Any]:
    """What was typed, else today, and the price and village of last time."""
    if request.method == "POST":
        return request.form
    return {"harvested_on": clock.today().isoformat(), "last_price": last and last.farm_gate_fen_per_kg,
            "village": last.village if last else ""}


def _rows(last: weigh_in.LastTime | None) -> Sequence[Mapping[str, str]]:
    """The rows of a sent form as they were; else the members of last time, each waiting for a weight; then empty ones.

    Numbered from 0 without a gap, as the messages of a refused form number them.
    """
    if request.method == "POST":
        sent = unflatten(request.form.to_dict()).get("contributions", [])
        rows = [row for row in sent if isinstance(row, dict)] if isinstance(sent, list) else []
        empty = MORE_ROWS if "more" in request.form else max(0, FIRST_ROWS - len(rows))
    else:
        rows = [{"member": member.label} for member in last.members] if last else []
        empty = max(2, FIRST_ROWS - len(rows))
    return [*rows, *({} for _ in range(empty))][:MOST_ROWS]


def _names() -> dict[str, Any]:
    """The fields of a refused form by the names that people read."""
    return {name: int(name.split("-")[1]) + 1 if name.count("-") == 2 else LABELS.get(name, name)
            for name in g.get("refused_fields", {})}


@bp.post("")
@requires("lot.book")
@shows_again(rows_page)
def book() -> Any:
    if "more" in request.form:  # more rows, without JavaScript
        return rows_page()
    values = parse(WeighInSchema)

    def work() -> Response:
        return _book(values, weigh_in.contributions_of(values["contributions"], current_user), None)

    return once(work)


@bp.post("/notebook")
@requires("lot.book")
@shows_again(notebook_page)
def book_notebook() -> Any:
    """One weight and one photo; the names may follow until the month closes."""
    values, photo = parse(NotebookSchema), uploads.needed(
        "notebook", N_("Please photograph the page with the names and weights."), pictures_only=True)

    def work() -> Response:
        village = lot_desk.village_of_code(values["village"], current_user)
        given = [Contribution(values["gross"] - values["tare"], None, village, unsplit=True)]
        return _book(values, given, LotDetails(notebook_id=photo.keep().id))

    return once(work)


def _book(values: Mapping[str, Any], given: Sequence[Contribution], details: LotDetails | None) -> Response:
    lot = lots.book(values["product_id"], values["harvested_on"], values["milli"], values["farm_gate_fen_per_kg"],
                    given, current_user, details=details)
    return see_other("weigh.done", lot_id=lot.id, next=safe_next(request.form.get("next")))


@bp.get("/<int(max=999999999999):lot_id>")
@requires("lot.book")
def done(lot_id: int) -> str:
    """What was booked, who confirms it, what comes next."""
    story = lot_desk.story(lot_id, current_user)
    return render_template("catalog/lots/weighed.html", story=story, lot=story.lot,
                           confirmers=weigh_in.confirmers(lot_id), onward=safe_next(request.args.get("next")),
                           trace=url_for("lots.label", lot_id=lot_id))
