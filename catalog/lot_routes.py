"""Lots: booked in and made at the village desk, confirmed by an officer of the village."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user

from catalog import lot_confirmers, lot_desk, lot_life_desk, lots, origins
from catalog.lot_parts import Ingredient, LotDetails
from catalog.lot_schemas import MOST_ROWS, BookSchema, ProcessSchema
from catalog.models import Lot
from catalog.tracing import routes as tracing_routes
from market import clock, file_routes, journal, uploads
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, safe_next, see_other, shows_again, unflatten, whole_argument

bp = Blueprint("lots", __name__)

MENU = (
    MenuEntry("supplier", N_("Lots"), "lots.index", "lot.book", "box", group="stock"),
    MenuEntry("office", N_("Lots to confirm"), "lots.waiting", "lot.confirm", "check", group="todo"),
)
STATE_LABELS: Mapping[str, str] = {
    "waiting": N_("Waits for confirmation"), "in_store": N_("In store"), "used_up": N_("Used up"),
    "failed": N_("Sample failed"), "expected": N_("Expected"), "closed": N_("Closed"),
}
TEST_LABELS: Mapping[str, str] = {
    "none": N_("Not tested"), "passed": N_("Passed"), "failed": N_("Failed"),
}
MOVE_LABELS: Mapping[str, str] = {
    "booked": N_("Booked in"), "held": N_("Promised to an order"), "released": N_("Promise ended"),
    "packed": N_("Packed"), "processed": N_("Used for other goods"), "written_off": N_("Written off"),
    "arrived": N_("A real lot took over"), "closed": N_("Nothing more comes"), "returned": N_("Goods came back"),
}
REASON_LABELS: Mapping[str, str] = {
    "spoiled": N_("Spoiled"), "damaged": N_("Damaged"), "lost": N_("Lost"), "sample": N_("Taken for a test"),
    "other": N_("Other"),
}
PAYMENT_WAY_LABELS: Mapping[str, str] = {
    "cash": N_("Cash"), "bank": N_("To a bank account"), "wechat": N_("WeChat"), "alipay": N_("Alipay"),
    "other": N_("Other"),
}
FIRST_ROWS, MORE_ROWS = 6, 6
ACT_LABELS: Mapping[str, str] = {
    "lot.booked": N_("Booked in"), "lot.processed": N_("Made from other lots"),
    "lot.confirmed": N_("Confirmed at the village"), "lot.recalled": N_("Recalled"),
    "certificate.issued": N_("Certificate issued"), "certificate.voided": N_("Certificate voided"),
    "lot.expected": N_("Expected harvest written down"),
    "lot.arrived": N_("A real lot took over"), "lot.closed": N_("Nothing more comes"),
    "lot.split": N_("Names followed from the notebook"), "lot.write_off_proposed": N_("Write-off proposed"),
    "lot.payment_marked": N_("Marked as paid at weigh-in"), "lot.payment_unmarked": N_("Mark of payment taken away"),
    "lot.write_off_confirmed": N_("Write-off confirmed"), "lot.write_off_refused": N_("Write-off refused"),
}
LOT = "<int(max=999999999999):lot_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Lots that an officer of the village has still to confirm."""
    if can(visitor, "lot.confirm"):
        count = lot_desk.lots_in_area(visitor, "waiting", 1).total
        if count:
            yield Waiting(ngettext("%(num)s lot waits for its farm-gate price to be confirmed.",
                                   "%(num)s lots wait for their farm-gate price to be confirmed.", count),
                          url_for("lots.waiting"))


@bp.get("/village/lots")
@requires("lot.book")
def index() -> str:
    state = request.args.get("state") if request.args.get("state") in lot_desk.STATES else None
    product_id = whole_argument("product")
    return render_template(
        "catalog/lots/index.html", state=state, product_id=product_id, labels=STATE_LABELS, address=_address,
        found=lot_desk.own_lots(current_user.organisation_id, state, product_id, page_number()),
        goods=lot_desk.own_goods(current_user.organisation_id))


@bp.get("/village/lots/new")
@requires("lot.book")
def new() -> str:
    rows = rows_of("contributions", "grams")
    return render_template(
        "catalog/lots/book.html", rows=rows, shown=shown_rows(len(rows)), most=MOST_ROWS,
        goods=lot_desk.own_goods(current_user.organisation_id), members=lot_desk.members(current_user.organisation_id),
        villages=origins.villages_of_supplier(current_user.organisation_id), values=_values(), tests=TEST_LABELS,
        members_live_in=lot_desk.member_villages(current_user.organisation_id),
        onward=safe_next(request.values.get("next")))


@bp.post("/village/lots")
@requires("lot.book")
@shows_again(new)
def book() -> Any:
    if "more" in request.form:  # more rows, without JavaScript
        return new()
    values, photo = parse(BookSchema), uploads.sent("notebook", pictures_only=True)

    def work() -> Response:
        lot = book_lot(values | ({"notebook_id": photo.keep().id} if photo else {}))
        flash(_("Lot %(code)s is booked in. It can be sold once the village has confirmed it.", code=lot.code), "good")
        onward = safe_next(request.form.get("next"))  # back to the order that waits for these goods
        return redirect(onward, 303) if onward else see_other("lots.show", lot_id=lot.id)  # type: ignore[return-value]

    return once(work)


def book_lot(values: Mapping[str, Any]) -> Lot:
    """Book what BookSchema has loaded, for the visitor."""
    return lots.book(
        values["product_id"], values["harvested_on"], values["milli"], values["farm_gate_fen_per_kg"],
        lot_desk.contributions_of(values["contributions"], current_user), current_user, values["best_before"],
        LotDetails(**{name: values[name] for name in LotDetails.__dataclass_fields__}))


@bp.get("/village/lots/process")
@requires("lot.book")
def new_processed() -> str:
    return render_template(
        "catalog/lots/process.html", goods=lot_desk.own_goods(current_user.organisation_id), values=_values(),
        usable=lot_desk.usable_lots(current_user.organisation_id),
        yields=lot_desk.usual_yields(current_user.organisation_id),
        villages=origins.villages_of_supplier(current_user.organisation_id),
        chosen={row.get("lot_id"): (number, row.get("milli", "")) for number, row
                in enumerate(rows_of("ingredients", "milli"))})


@bp.post("/village/lots/process")
@requires("lot.book")
@shows_again(new_processed)
def process() -> Response:
    values = parse(ProcessSchema)

    def work() -> Response:
        lot = lots.process(
            values["product_id"], values["made_on"], values["milli"], values["grams"],
            [Ingredient(row["lot_id"], row["milli"]) for row in values["ingredients"]], current_user,
            values["best_before"], lot_desk.making_of(values))
        flash(_("Lot %(code)s is booked in. It can be sold once the village has confirmed it.", code=lot.code), "good")
        return see_other("lots.show", lot_id=lot.id)

    return once(work)


@bp.get(f"/village/lots/{LOT}")
@requires("lot.book")
def show(lot_id: int) -> str:
    return _page(lot_id, officer=False)


def _page(lot_id: int, officer: bool) -> str:
    story = lot_desk.story(lot_id, current_user)
    return render_template(
        "catalog/lots/show.html", story=story, lot=story.lot, officer=officer,
        may_confirm=officer and lot_confirmers.may(lot_id, current_user), labels=STATE_LABELS, tests=TEST_LABELS,
        around=lot_life_desk.around(story.lot, current_user, current_app.extensions["sijin_promises"]),
        reasons=REASON_LABELS, ways=PAYMENT_WAY_LABELS,
        moves=MOVE_LABELS, acts=ACT_LABELS, history=journal.timeline("lot", lot_id), qr=_qr(story.lot))


@bp.get(f"/village/lots/{LOT}/notebook")
@requires("lot.book")
def notebook(lot_id: int) -> Response:
    """The photographed page of the notebook."""
    return file_routes.send(lot_desk.notebook(lot_id, current_user))


@bp.get(f"/village/lots/{LOT}/label")
@requires("lot.book")
def label(lot_id: int) -> str:
    """What is stuck on the box."""
    story = lot_desk.story(lot_id, current_user)
    return render_template("catalog/lots/label.html", story=story, lot=story.lot, qr=_qr(story.lot))


# ---- the officer's side ---------------------------------------------------------------------------------------------


@bp.get("/office/lots")
@requires("lot.confirm")
def waiting() -> str:
    state = next((one for one in ("confirmed", "elsewhere") if request.args.get("state") == one), "waiting")
    found = lot_desk.lots_in_area(current_user, None if state == "confirmed" else state, page_number())
    return render_template("catalog/lots/waiting.html", found=found, state=state, labels=STATE_LABELS)


@bp.get(f"/office/lots/{LOT}")
@requires("lot.confirm")
def examine(lot_id: int) -> str:
    """The lot with its contributions: names are masked, numbers and weights are not."""
    return _page(lot_id, officer=True)


@bp.get(f"/office/lots/{LOT}/notebook")
@requires("lot.confirm")
def examine_notebook(lot_id: int) -> Response:
    """The photographed page, for who confirms at the village."""
    return file_routes.send(lot_desk.notebook(lot_id, current_user))


@bp.post(f"/office/lots/{LOT}/confirmation")
@requires("lot.confirm")
@shows_again(examine)
def confirm(lot_id: int) -> Response:
    def work() -> Response:
        lots.confirm(lot_id, current_user)
        flash(_("The lot is confirmed."), "good")
        return see_other("lots.waiting")

    return once(work)


# ---- forms ----------------------------------------------------------------------------------------------------------


def _values() -> Mapping[str, str]:
    """What a form shows: what was typed, else what the address asks for."""
    if request.method == "POST":
        return request.form
    today = clock.today().isoformat()
    return {"harvested_on": today, "made_on": today, "product_id": request.args.get("product", "")}


def rows_of(name: str, needs: str) -> Sequence[Mapping[str, str]]:
    """The filled rows of a sent form, numbered as the schema's messages number them."""
    sent = unflatten(request.form.to_dict()).get(name, []) if request.method == "POST" else []
    return [row for row in sent if row.get(needs)]


def shown_rows(filled: int) -> int:
    """How many rows the form has: as before, more on request, and always an empty one."""
    before = request.form.get("shown", FIRST_ROWS, int) + (MORE_ROWS if "more" in request.form else 0)
    return min(max(before, filled + 1), MOST_ROWS)


def _qr(lot: Any) -> str:
    """The way to the trace page as it stands on labels, as an SVG without style."""
    return tracing_routes.qr(tracing_routes.link(lot.product_id, lot.code))


def _address(**changes: Any) -> str:
    kept = {name: request.args[name] for name in ("state", "product") if request.args.get(name)}
    return url_for("lots.index", **{n: v for n, v in (kept | changes).items() if v not in (None, "")})
