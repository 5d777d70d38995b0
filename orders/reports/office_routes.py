"""The officials' first page and their dashboard."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask_login import current_user

from market import clock, db, page_cache, waiting, web
from market.access import can, requires
from market.errors import N_
from market.schemas import Input, Month, Words
from market.web import MenuEntry, shows_again
from orders.reports import dashboards, office, routes, wishes
from orders.reports.readers import Reader, area_of, choices, reader_of

bp = Blueprint("report_desk", __name__, url_prefix="/office")

MENU = (
    MenuEntry("office", N_("Overview"), "report_desk.home", "office.home", "home"),
    MenuEntry("office", N_("Dashboard"), "report_desk.dashboard", "report.read", "chart"),
)
DESK = dict.fromkeys(("village", "township", "agriculture", "revitalisation", "finance", "city"), "report_desk.home")
NOTICES = "bulletins.index"  # where notices are drafted
KEPT_SECONDS = 900  # for what moves little and is dear to read


class DashboardSchema(Input):
    """What stands in a dashboard's address."""

    period = Month()
    county = Words(longest=12)


@bp.get("")
@requires("office.home")
def home() -> str:
    """The date's figures, what waits, and the way to every report."""
    reader, day = reader_of(current_user, "office.home"), clock.today()
    with db.snapshot():
        known = page_cache.fragment("office", reader.where, lambda: office.earlier(reader.where, day), KEPT_SECONDS)
        found = office.home(reader.where, day, known)
        lines = waiting.for_visitor(current_user)
    readable = routes.readable_now() if can(current_user, "report.read") else []
    return render_template(
        "reports/office.html", home=found, waiting=lines, own=routes.own_of(readable, wishes.starred(current_user)),
        groups=routes.grouped(readable), count=len(readable), notices=_notices(), silent_days=office.SILENT_DAYS)


def _notices() -> str | None:
    """The page on which this visitor drafts the week's notice, if there is one."""
    if NOTICES not in current_app.view_functions or not can(current_user, "bulletin.keep"):
        return None
    return url_for(NOTICES) if current_user.office_kind == "city" else None


def _without_figures() -> str:
    """The form with why not, and no figures: those of another question would mislead."""
    asked = {name: request.args.get(name, "") for name in ("period", "county")}
    return _dashboard(reader_of(current_user), asked, None)


@bp.get("/dashboard")
@requires("report.read")
@shows_again(_without_figures)
def dashboard() -> str:
    """A month of an area, drawn."""
    reader = reader_of(current_user)
    values = {"period": clock.period_of(clock.today())} | web.load(
        DashboardSchema(), {name: request.args[name] for name in ("period", "county") if request.args.get(name)})
    area = area_of(reader, values.get("county"), None, None)
    with db.snapshot():
        board = dashboards.read(values["period"], area, reader)
    return _dashboard(reader, values, board)


def _dashboard(reader: Reader, values: Mapping[str, str], board: dashboards.Board | None) -> str:
    return render_template("reports/dashboard.html", board=board, values=values, counties=choices(reader, None)[0],
                           to=_opener(values["period"], values.get("county")))


def _opener(month: str, county: str | None) -> Callable[[str, Mapping[str, str]], str]:
    """The address of a report with the dashboard's month and county, and filters of its own before these."""

    def to(report: str, filters: Mapping[str, str]) -> str:
        asked: dict[str, Any] = {"from": month, "to": month, "county": county, **filters}
        return url_for("reports.show", name=report, **{name: value for name, value in asked.items() if value})

    return to
