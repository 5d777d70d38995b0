"""Reports for everybody, each in six outputs, and the documents behind a figure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, flash, g, jsonify, render_template, request, url_for
from flask_login import current_user

from market import clock, downloads, page_words, paging
from market.access import can, public, requires
from market.errors import N_, MarketError, NotFound
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, see_other, shows_again
from orders.anomalies import report as anomalies
from orders.bulletins import report as county_notice
from orders.collective import report as collective_income
from orders.linkages import report as helped_households
from orders.reports import (
    certified_products,
    complaints,
    coop_return,
    delivery_notes,
    disclosure,
    filing_register,
    household_income,
    income_unpaid,
    inspections,
    late_payments,
    narrowing,
    paper,
    place_method,
    place_method_lines,
    price_monitor,
    purchase_detail,
    recall_list,
    reconciliation,
    school_supply,
    supplier_ledger,
    taken_back,
    unit_progress,
    village_income,
    village_lines,
    wishes,
)
from orders.reports.asking import KEY, MOST_COLUMNS, PERSONAL, sent
from orders.reports.asking import AskedSchema as AskedSchema
from orders.reports.asking import asked_for as asked_for
from orders.reports.declared import narrowed_alike
from orders.reports.frame import GROUPS, STAGES, Column, Filled, Report, Row, as_json, as_table, fill, lead_of
from orders.reports.readers import Reader, places_to_choose, reader_of
from orders.risk import report as risk_signals

bp = Blueprint("reports", __name__)

REPORTS = {report.name: report for report in (
    village_income.REPORT, unit_progress.REPORT, filing_register.REPORT, recall_list.REPORT, reconciliation.REPORT,
    anomalies.REPORT, late_payments.REPORT, helped_households.REPORT, taken_back.LINES_REPORT,
    taken_back.MONTHS_REPORT, collective_income.REPORT, risk_signals.REPORT, income_unpaid.REPORT,
    household_income.REPORT, place_method.REPORT, purchase_detail.REPORT, supplier_ledger.REPORT,
    price_monitor.REPORT, certified_products.REPORT, coop_return.REPORT, inspections.REPORT, delivery_notes.REPORT,
    school_supply.REPORT, complaints.REPORT, county_notice.REPORT)}
# by the name of a report: from the key of a column to the report of the documents behind it
LINES: Mapping[str, Callable[[str], Report]] = {
    village_income.REPORT.name: village_lines.report_of, place_method.REPORT.name: place_method_lines.report_of,
    supplier_ledger.REPORT.name: supplier_ledger.lines_of, certified_products.REPORT.name: certified_products.lines_of,
    coop_return.REPORT.name: coop_return.lines_of, school_supply.REPORT.name: school_supply.lines_of,
    county_notice.REPORT.name: county_notice.lines_of}
MENU = (
    MenuEntry("office", N_("Reports"), "reports.index", "report.read", "report"),
    MenuEntry("supplier", N_("Reports"), "reports.index", "surplus.read", "report", group="people"),
    MenuEntry("shop", N_("Reports"), "reports.index", None, "report"),
)
ROWS_PER_PAGE = 50
FEW = 4  # reports shown at once to somebody who has marked none


@bp.get("/reports")
@public
def index() -> str:
    """One's own reports, or a few; all of them by group, one tap away; what is searched for."""
    readable = readable_now()
    words = request.args.get("q", "").strip().casefold()[:60]
    starred = wishes.starred(current_user)
    own = own_of(readable, starred)
    found = [report for report in readable
             if words in f"{_(report.title)} {_(report.about)} {report.name}".casefold()] if words else []
    return render_template("reports/index.html", own=own, found=found, words=words, starred=starred,
                           groups=grouped(readable), few=len(readable) <= FEW,
                           count=len(readable), reader=reader_of(current_user))


def readable_now() -> list[Report]:
    """The reports that this visitor may read."""
    return [report for report in REPORTS.values() if _may_read(report)]


def own_of(readable: Sequence[Report], starred: Collection[str]) -> list[Report]:
    """Those that somebody has marked, or a few."""
    return [report for report in readable if report.name in starred] or [*readable[:FEW]]


def grouped(readable: Sequence[Report]) -> list[tuple[str, list[Report]]]:
    """All of them under the headings of their groups."""
    groups = [(heading, [one for one in readable if one.group == group]) for group, heading in GROUPS.items()]
    return [group for group in groups if group[1]]


def _show_again(name: str) -> str:
    """The form with what was asked for and why not, and no figures: those of another question would mislead."""
    if request.args.get("format", "page") != "page":
        raise g.refusal
    report, reader = known(name), reader_of(current_user)
    return render_template("reports/refused.html", **_form(report, reader, sent()))


@bp.get("/reports/<name>")
@public
@shows_again(_show_again)
def show(name: str) -> Any:
    kind = request.args.get("format", "page")
    report, reader = known(name), reader_of(current_user)
    if kind in FILES:
        return FILES[kind](filled_as_asked(report, reader))
    if kind not in ("page", "print"):
        raise NotFound()
    if kind == "print":
        return render_template("reports/print.html", filled=filled_as_asked(report, reader), stages=STAGES)
    wish = wishes.of(current_user, name)
    asked = sent()
    kept = {} if set(request.args) - {"page", "lang"} else wishes.kept(wish)
    try:
        filled = filled_as_asked(report, reader, kept or asked)
    except MarketError:
        if not kept:
            raise
        kept = {}  # they do not fit any more: another office, a place that is closed
        filled = filled_as_asked(report, reader)
    asked = kept or asked
    return render_template(
        "reports/report.html", filled=filled, wish=wish, kept_apply=bool(kept), opens=_opener(filled, reader, asked),
        lead=lead_of(report, filled.content.columns), **_form(report, reader, asked, filled), **_page(filled, asked))


@bp.post("/reports/<name>/kept")
@requires("account.own")
def keep(name: str) -> Response:
    """Columns, filters or the star of a person; the page then shows them as a link would."""
    report = known(name)
    deed, asked = request.form.get("deed", ""), sent()

    def work() -> Response:
        if deed == "columns":
            asked["columns"] = ",".join(request.form.getlist("columns"))
            wishes.keep_columns(report.name, _keys(asked["columns"]), current_user)
        elif deed == "filters":
            wishes.keep_filters(report.name, {n: v for n, v in asked.items() if n in PERSONAL}, current_user)
            flash(_("Kept. This report opens with these filters from now on."), "good")
        elif deed in ("star", "unstar"):
            wishes.star(report.name, deed == "star", current_user)
        elif deed == "forget":
            wishes.forget(report.name, current_user)
            asked.clear()
        else:
            raise NotFound()
        if request.form.get("back") == "index":
            return see_other("reports.index")
        return see_other("reports.show", name=report.name, **{n: v for n, v in asked.items() if v})

    return once(work)


@bp.get("/reports/<name>.<kind>")
@public
def download(name: str, kind: str) -> Response:
    if kind not in FILES:
        raise NotFound()
    return FILES[kind](filled_as_asked(known(name), reader_of(current_user)))


@bp.get("/reports/<name>/lines", defaults={"kind": "page"})
@bp.get("/reports/<name>/lines.<kind>")
@requires("report.read")
def lines(name: str, kind: str) -> Any:
    """The documents behind one figure of one row; their sum is the figure. A page holds the first of them."""
    report, reader = known(name), reader_of(current_user)
    documents = lines_of(report, request.args.get("figure", ""))
    if kind in FILES:
        return FILES[kind](filled_as_asked(documents, reader))
    if kind != "page":
        raise NotFound()
    filled = fill(documents, replace(asked_for(reader), after=request.args.get("after", ""), most=ROWS_PER_PAGE),
                  reader, page_words.installation_is_demo())
    return render_template("reports/lines.html", filled=filled, report=report, reader=reader, **_page(filled, sent()))


def lines_of(report: Report, figure: str) -> Report:
    """The report of the documents behind a figure, narrowed by whatever its report may be. Raises NotFound."""
    if report.name not in LINES:
        raise NotFound()
    return narrowed_alike(LINES[report.name](figure), report)


# ---- what was asked for ---------------------------------------------------------------------------------------------


def known(name: str) -> Report:
    """A report this visitor may read. Raises NotFound."""
    report = REPORTS.get(name)
    if report is None or not _may_read(report):
        raise NotFound()
    return report


def _may_read(report: Report) -> bool:
    return report.verb is None or can(current_user, report.verb)


def filled_as_asked(report: Report, reader: Reader, asked: Mapping[str, str] | None = None) -> Filled:
    """A report read as the address asks, or as kept wishes do."""
    return fill(report, asked_for(reader, asked), reader, page_words.installation_is_demo())


def _keys(text: str) -> list[str]:
    """Keys of columns; what is none is left out."""
    return [key for key in text.split(",") if KEY.fullmatch(key)][:MOST_COLUMNS]


# ---- outputs --------------------------------------------------------------------------------------------------------


def _form(report: Report, reader: Reader, asked: Mapping[str, str], filled: Filled | None = None) -> dict[str, Any]:
    """What the form of filters needs: its fields, and what they hold."""
    month = clock.period_of(clock.today()) if reader.sees_all else disclosure.newest_month()
    values: dict[str, Any] = {"from": month, "to": month, "period": month} | dict(asked)
    if filled is not None:
        of = filled.asked
        values |= {"from": of.first, "to": of.last, "period": of.first, "unit": of.unit or ""}
    values["compare"] = asked.get("compare", "").split(",")
    counties, townships, villages = places_to_choose(reader, asked.get("county"), asked.get("township"))
    return {"values": values, "counties": counties, "townships": townships,
            "villages": villages if report.by_village else [], "fields": narrowing.choices(report, reader),
            "stage_choices": narrowing.stage_choices(report) if reader.sees_all else [],
            "compare_choices": narrowing.compare_choices(report) if reader.sees_all else [],
            "newest": disclosure.newest_month(), "reader": reader, "report": report}


def _opener(filled: Filled, reader: Reader, asked: Mapping[str, str]) -> Callable[[Row, Column], str | None]:
    """Where a cell leads: to the page its report declares, or to the documents that LINES knows."""
    report, address = filled.report, _addresses(asked)

    def to(row: Row, column: Column) -> str | None:
        if not column.opens or not row.values.get(column.key):
            return None
        if report.opens is not None:
            return url_for(report.opens.endpoint, **report.opens.parts(row, column.key, filled.asked))
        if report.name not in LINES or not reader.sees_all:
            return None
        dropped: dict[str, Any] = dict.fromkeys(("sort", "order", "every", "compare", "columns"))
        if report.by_village:
            return address(endpoint="reports.lines", **dropped, county=None, township=None, village=row.place,
                           figure=column.key)
        return address(endpoint="reports.lines", **dropped, row=row.place, figure=column.key)

    return to


def _page(filled: Filled, asked: Mapping[str, str]) -> dict[str, Any]:
    """One page of the rows; the totals are those of all rows."""
    shown = paging.cut(filled.content.rows, 1 if filled.content.paged else page_number(), ROWS_PER_PAGE)
    return {"rows": shown.rows, "page": shown.page, "pages": shown.pages, "address": _addresses(asked),
            "stages": STAGES, "kept": dict(asked)}


def _addresses(asked: Mapping[str, str]) -> Callable[..., str]:
    """This page's address with some wishes changed; None drops one."""

    def address(**changes: Any) -> str:
        endpoint = changes.pop("endpoint", request.endpoint)
        parts = {**(request.view_args or {}), **asked, **changes}
        return url_for(endpoint, **{name: value for name, value in parts.items() if value not in (None, "")})

    return address


def json_of(filled: Filled) -> Response:
    """The report as JSON, for the page's address and for the API alike."""
    answer: Response = jsonify(as_json(filled))
    return answer


def _file(ending: str) -> Callable[[Filled], Response]:
    return lambda filled: downloads.table(as_table(filled), filled.file_name, ending)


FILES: dict[str, Callable[[Filled], Response]] = {"csv": _file("csv"), "xlsx": _file("xlsx"), "json": json_of,
                                                  "pdf": paper.answer}
