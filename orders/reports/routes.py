"""Reports for everybody, each in five outputs; the documents behind a figure and the officials' first page."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask_login import current_user
from marshmallow import fields

from market import clock, db, downloads, page_words, paging, waiting, web
from market.access import can, public, requires
from market.errors import N_, NotFound
from market.figures import Facets
from market.schemas import Input, Month, Words
from market.web import MenuEntry, page_number
from orders.anomalies import report as anomalies
from orders.bulletins import report as county_notice
from orders.collective import report as collective_income
from orders.linkages import report as helped_households
from orders.reports import (
    disclosure,
    filing_register,
    household_income,
    income_unpaid,
    late_payments,
    office,
    recall_list,
    reconciliation,
    taken_back,
    unit_progress,
    village_income,
    village_lines,
)
from orders.reports.frame import FILTERS, STAGES, Asked, Filled, Report, as_json, as_table, fill
from orders.reports.readers import Reader, choices, reader_of
from orders.risk import report as risk_signals

bp = Blueprint("reports", __name__)

REPORTS = {report.name: report for report in (
    village_income.REPORT, unit_progress.REPORT, filing_register.REPORT, recall_list.REPORT, reconciliation.REPORT,
    anomalies.REPORT, late_payments.REPORT, helped_households.REPORT, taken_back.LINES_REPORT,
    taken_back.MONTHS_REPORT, collective_income.REPORT, risk_signals.REPORT, income_unpaid.REPORT,
    household_income.REPORT, county_notice.REPORT)}
# by the name of a report: from the key of a column to the report of the documents behind it
LINES: Mapping[str, Callable[[str], Report]] = {
    village_income.REPORT.name: village_lines.report_of, county_notice.REPORT.name: county_notice.lines_of}
MENU = (
    MenuEntry("office", N_("Overview"), "reports.office_home", "office.home", "home"),
    MenuEntry("office", N_("Reports"), "reports.index", "report.read", "report"),
    MenuEntry("shop", N_("Reports"), "reports.index", None, "report"),
)
DESK = dict.fromkeys(("village", "township", "agriculture", "revitalisation", "finance", "city"), "reports.office_home")
ROWS_PER_PAGE = 50
KEPT = ("from", "to", "period", "county", "township", "village", "every", "sort", "order", "figure", "row", *FILTERS)


class AskedSchema(Input):
    """What stands in a report's address."""

    period = Month()
    first = Month(data_key="from")
    last = Month(data_key="to")
    county = Words(longest=12)
    township = Words(longest=12)
    village = Words(longest=12)
    every = fields.Boolean(load_default=False)
    sort = Words(longest=30, load_default="")
    order = Words(longest=4, load_default="asc")
    unit_type = Words(longest=20)
    unit = Words(longest=12)
    method = Words(longest=20)
    fund_source = Words(longest=20)
    category = Words(longest=40)
    certified = fields.Boolean(load_default=None, allow_none=True)
    row = Words(longest=40, load_default="")


@bp.get("/reports")
@public
def index() -> str:
    return render_template("reports/index.html", reports=[r for r in REPORTS.values() if _may_read(r)],
                           reader=reader_of(current_user))


@bp.get("/reports/<name>")
@public
def show(name: str) -> Any:
    kind = request.args.get("format", "page")
    if kind in FILES:
        return FILES[kind](filled_as_asked(known(name), reader_of(current_user)))
    if kind not in ("page", "print"):
        raise NotFound()
    reader = reader_of(current_user)
    filled = filled_as_asked(known(name), reader)
    if kind == "print":
        return render_template("reports/print.html", filled=filled, stages=STAGES)
    county = filled.asked.county
    return render_template("reports/report.html", filled=filled, reader=reader, choices=choices(reader, county),
                           lines=name in LINES, newest=disclosure.newest_month(), **_page(filled))


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
    """The documents behind one figure of one row; their sum is the figure."""
    report = known(name)
    if name not in LINES:
        raise NotFound()
    reader = reader_of(current_user)
    filled = filled_as_asked(LINES[name](request.args.get("figure", "")), reader)
    if kind in FILES:
        return FILES[kind](filled)
    if kind != "page":
        raise NotFound()
    return render_template("reports/lines.html", filled=filled, report=report, reader=reader, **_page(filled))


@bp.get("/office")
@requires("office.home")
def office_home() -> str:
    reader = reader_of(current_user, "office.home")
    with db.snapshot():
        home = office.home(reader.where, clock.period_of(clock.today()))
        lines = waiting.for_visitor(current_user)
    return render_template("reports/office.html", home=home, waiting=lines)


# ---- what was asked for ---------------------------------------------------------------------------------------------


def asked_for(reader: Reader) -> Asked:
    """The months and places in the address; where no month is named the present one, for the public the last that is
    over. Raises InvalidInput.
    """
    values = web.load(AskedSchema(), {name: value for name, value in request.args.items() if value})
    month = values.get("period") or (clock.period_of(clock.today()) if reader.sees_all else disclosure.newest_month())
    first = values.get("first") or values.get("last") or month
    return Asked(first, values.get("last") or first, values.get("county"), values.get("township"),
                 values.get("village"), values["every"], values["sort"], values["order"] == "desc",
                 Facets(*(values.get(one) for one in ("unit_type", "method", "fund_source", "category", "certified"))),
                 values.get("unit"), values["row"])


def known(name: str) -> Report:
    """A report this visitor may read. Raises NotFound."""
    report = REPORTS.get(name)
    if report is None or not _may_read(report):
        raise NotFound()
    return report


def _may_read(report: Report) -> bool:
    return report.verb is None or can(current_user, report.verb)


def filled_as_asked(report: Report, reader: Reader) -> Filled:
    """A report read as the address asks."""
    return fill(report, asked_for(reader), reader, page_words.installation_is_demo())


# ---- outputs --------------------------------------------------------------------------------------------------------


def _page(filled: Filled) -> dict[str, Any]:
    """One page of the rows; the totals are those of all rows."""
    shown = paging.cut(filled.content.rows, page_number(), ROWS_PER_PAGE)
    return {"rows": shown.rows, "page": shown.page, "pages": shown.pages, "address": _address, "stages": STAGES,
            "kept": {n: request.args[n] for n in KEPT if request.args.get(n)}}


def _address(**changes: Any) -> str:
    """This page's address with some wishes changed; None drops one."""
    kept = {name: request.args[name] for name in KEPT if request.args.get(name)}
    endpoint = changes.pop("endpoint", request.endpoint)
    parts = {**(request.view_args or {}), **kept, **changes}
    return url_for(endpoint, **{name: value for name, value in parts.items() if value not in (None, "")})


def json_of(filled: Filled) -> Response:
    """The report as JSON, for the page's address and for the API alike."""
    answer: Response = jsonify(as_json(filled))
    return answer


def _file(ending: str) -> Callable[[Filled], Response]:
    return lambda filled: downloads.table(as_table(filled), filled.file_name, ending)


FILES: dict[str, Callable[[Filled], Response]] = {"csv": _file("csv"), "xlsx": _file("xlsx"), "json": json_of}
