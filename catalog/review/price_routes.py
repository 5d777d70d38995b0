"""The officials' price pages: reference prices, the price monitor with its exports, goods far above like goods."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from catalog import shelves
from catalog.review import monitor, outliers, references
from catalog.review.labels import ALL_DECISIONS, OUTLIER_LABELS, STANDINGS
from catalog.review.monitor import Watched
from catalog.review.references import HOLDS_DAYS, OFFICES
from catalog.review.schemas import ApprovalSchema, ReasonSchema, ReferenceSchema
from market import clock, downloads, page_words, paging, sheets
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import in_locale
from market.web import MenuEntry, asked_month, once, page_number, parse, see_other, shows_again

bp = Blueprint("prices", __name__, url_prefix="/office")

MENU = (
    MenuEntry("office", N_("Price monitor"), "prices.monitor_", "price.watch", "chart", group="look"),
    MenuEntry("office", N_("Reference prices"), "prices.references_", "price.watch", "money", group="look"),
)
COLUMNS = (
    (N_("Goods"), "text"), (N_("Sales unit"), "text"), (N_("Weight of one unit in kg"), "grams"),
    (N_("Co-operative"), "text"), (N_("Village"), "text"), (N_("Price"), "fen"), (N_("Price per kg"), "fen"),
    (N_("Reference per kg"), "fen"), (N_("Source"), "text"), (N_("Day"), "text"), (N_("Difference"), "percent"),
    (N_("Standing"), "text"), (N_("Decision"), "text"))
OUTLIER = "<int(max=999999999999):outlier_id>"


# ---- reference prices -----------------------------------------------------------------------------------------------


@bp.get("/reference-prices")
@requires("price.watch")
def references_() -> str:
    names = shelves.words()
    category = request.args.get("category") if request.args.get("category") in names.categories else None
    word = request.args.get("q", "").strip()[:20]
    return render_template(
        "catalog/review/references.html", names=names, category=category, word=word, holds_days=HOLDS_DAYS,
        found=references.entered(current_user, category, word, page_number()),
        is_valid=references.is_still_valid, may_enter=current_user.office_kind in OFFICES)


@bp.post("/reference-prices")
@requires("price.refer")
@shows_again(references_)
def enter() -> Response:
    values = parse(ReferenceSchema)

    def work() -> Response:
        references.enter(values, current_user)
        flash(_("Entered. New listings are compared with it from now on."), "good")
        return see_other("prices.references_")

    return once(work)


# ---- the monitor ----------------------------------------------------------------------------------------------------


@bp.get("/prices")
@requires("price.watch")
def monitor_() -> Any:
    show = request.args.get("show") if request.args.get("show") in STANDINGS else None
    query = request.args.get("q", "").strip()[:40]
    watched = monitor.watched(current_user, None, query)
    counts = {standing: sum(one.standing == standing for one in watched) for standing in STANDINGS}
    chosen = [one for one in watched if show in (None, one.standing)]
    kind = request.args.get("format", "")
    if kind in downloads.CONTENT_TYPES:
        return _file(chosen, kind)
    shown = paging.cut(chosen, page_number())
    return render_template(
        "catalog/review/monitor.html", rows=shown.rows, page=shown.page, pages=shown.pages, counts=counts,
        total=len(watched), show=show, query=query, standings=STANDINGS, decisions=ALL_DECISIONS,
        address=partial(_address, "prices.monitor_"))


def _file(rows: list[Watched], kind: str) -> Response:
    return downloads.table(_table(rows), f"{_('Price monitor')}-{clock.today().isoformat()}", kind)


def _table(rows: list[Watched]) -> sheets.Table:
    headings = [sheets.Heading(_(text), kind) for text, kind in COLUMNS]
    above = [_("Price monitor"), _("As of %(day)s", day=clock.today().isoformat())]
    if page_words.installation_is_demo():
        above.append("演示数据 Demo data")
    return sheets.Table(headings, [_row(one) for one in rows], above=above)


def _row(one: Watched) -> list[Any]:
    reference = one.reference
    return [
        in_locale(one.goods.name, one.goods.name_en), in_locale(one.goods.unit, one.goods.unit_en),
        one.goods.grams_per_unit, one.goods.supplier, one.goods.path, one.goods.price_fen, one.fen_per_kg,
        reference.fen_per_kg if reference else None, reference.source if reference else "",
        reference.day.isoformat() if reference else "", one.difference, _(STANDINGS[one.standing][0]),
        _(ALL_DECISIONS[one.decision][0]) if one.decision in ALL_DECISIONS else ""]


def _kept() -> dict[str, str]:
    return {name: request.args[name] for name in ("show", "q", "state", "month") if request.args.get(name)}


def _address(endpoint: str, **changes: Any) -> str:
    wanted = {**_kept(), **changes}
    return url_for(endpoint, **{n: v for n, v in wanted.items() if v not in (None, "")})


# ---- far above like goods -------------------------------------------------------------------------------------------


@bp.get("/price-outliers")
@requires("listing.review")
def outliers_() -> str:
    state = request.args.get("state") if request.args.get("state") in OUTLIER_LABELS else None
    found = outliers.in_month(current_user, asked_month(), state, page_number())
    return render_template("catalog/review/outliers.html", found=found, state=state, month=asked_month(),
                           labels=OUTLIER_LABELS, address=partial(_address, "prices.outliers_"),
                           may_decide=current_user.office_kind in OFFICES,
                           earlier=clock.months_before(asked_month(), 1), asked=request.view_args or {})


def _again(**_asked: Any) -> str:
    """The list with what was refused at its row."""
    return outliers_()


@bp.post(f"/price-outliers/{OUTLIER}/reason")
@requires("listing.review")
@shows_again(_again)
def explain(outlier_id: int) -> Response:
    values = parse(ReasonSchema)

    def work() -> Response:
        outliers.explain(outlier_id, values["reason"], current_user)
        flash(_("The reason is noted. A second person has to agree."), "good")
        return see_other("prices.outliers_")

    return once(work)


@bp.post(f"/price-outliers/{OUTLIER}/approval")
@requires("listing.review")
@shows_again(_again)
def agree(outlier_id: int) -> Response:
    def work() -> Response:
        outliers.agree(outlier_id, current_user)
        flash(_("Explained and agreed"), "good")
        return see_other("prices.outliers_")

    return once(work)


@bp.post(f"/price-outliers/{OUTLIER}/return")
@requires("listing.review")
@shows_again(_again)
def send_back(outlier_id: int) -> Response:
    values = parse(ApprovalSchema)

    def work() -> Response:
        outliers.send_back(outlier_id, values["remark"], current_user)
        flash(_("Sent back. The co-operative is told what has to be mended."), "good")
        return see_other("prices.outliers_")

    return once(work)
