"""The province's forms of an office: uploaded empty, mapped once, filled from then on; other offices' are unknown."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request
from flask_login import current_user

from market import clock, downloads, page_words
from market.access import can, requires
from market.errors import N_, InvalidInput, NotFound
from market.i18n import gettext as _
from market.schemas import REQUIRED
from market.sheet_input import SheetRefused
from market.web import MenuEntry, load, once, page_number, parse, see_other, shows_again
from orders.exports.asking import report_of
from orders.forms import filling, finding, keeping, lists, mapping, opening, writing
from orders.forms.keeping import Upload
from orders.forms.mapping import Line
from orders.forms.models import ReportForm, ReportFormVersion
from orders.forms.schemas import FillSchema, MappingSchema, NameSchema, ReportSchema
from orders.reports import comparing, frame
from orders.reports.frame import Asked, Column, Filled, Report
from orders.reports.readers import places_to_choose, reader_of

bp = Blueprint("forms", __name__, url_prefix="/office/forms")

MENU = (MenuEntry("office", N_("Forms of the province"), "forms.index", "form.read", "list", group="look"),)
FORM = "<int(max=999999999999):form_id>"
PREVIEW = 5
USUAL = "village-income"


# ---- the office's forms ---------------------------------------------------------------------------------------------


@bp.get("")
@requires("form.read")
def index() -> str:
    """The office's forms, and the form to send another one."""
    away = request.args.get("tab") == "away"
    return render_template(
        "orders/forms/index.html", found=lists.forms(current_user, away, page_number()), away=away,
        may_keep=can(current_user, "form.keep"), reports=_reports(), titles=_titles(), usual=USUAL,
        megabytes=opening.MAX_BYTES // (1024 * 1024))


@bp.post("")
@requires("form.keep")
@shows_again(index)
def upload() -> Response:
    """An empty form comes in; its headings are mapped on the next page."""
    sent = _sent()

    def work() -> Response:
        return see_other("forms.headings", form_id=keeping.upload(sent, current_user, _folder()))

    return once(work)


@bp.get(f"/{FORM}")
@requires("form.read")
def show(form_id: int) -> str:
    """Fill it: months and place; and what has become of it so far."""
    form = keeping.own(form_id, current_user)
    version, newest = keeping.in_use(form), keeping.newest(form)
    reader = reader_of(current_user)
    counties, townships, villages = places_to_choose(reader, request.args.get("county"), request.args.get("township"))
    return render_template(
        "orders/forms/show.html", form=form, version=version, newest=newest, versions=lists.versions(form.id),
        titles=_titles(), may_keep=can(current_user, "form.keep"), counties=counties, townships=townships,
        villages=villages, values={"from": _month(), "to": _month(), **request.args.to_dict()},
        reports=_reports(),
        megabytes=opening.MAX_BYTES // (1024 * 1024))


@bp.get(f"/{FORM}/filled.xlsx")
@requires("form.read")
@shows_again(show)
def filled(form_id: int) -> Response:
    """The province's own workbook, filled for its reader; the same rows as on the report's page."""
    form, version = keeping.to_fill(form_id, current_user)
    report, reader = report_of(version.report, "", current_user), reader_of(current_user)
    values = load(FillSchema(), request.args.to_dict())
    demo = page_words.installation_is_demo()
    found, lines = finding.found_of(version.shape), mapping.lines_of(version.lines)
    asked = Asked(values["first"], values["last"], values["county"] or None, values["township"] or None,
                  values["village"] or None, compare=tuple(version.compare))
    read = filling.read(report, asked, reader, demo)
    table = filling.table(read, found.words, lines, filling.place_of(read, reader))
    content = writing.write(keeping.content_of(version, _folder()), found, table, filling.origin(read),
                            str(_(frame.DEMO_MARK)) if demo else "")
    return downloads.file(content, writing.name_of(form.name, read.period, demo), "xlsx")


@bp.get(f"/{FORM}/empty.xlsx")
@requires("form.read")
def empty(form_id: int) -> Response:
    """The form as it was uploaded last."""
    form = keeping.own(form_id, current_user)
    return downloads.file(keeping.content_of(keeping.newest(form), _folder()),
                          writing.name_of(form.name, "", False), "xlsx")


# ---- what its headings mean -----------------------------------------------------------------------------------------


@bp.get(f"/{FORM}/headings")
@requires("form.keep")
def headings(form_id: int) -> str:
    """Each heading with what it means, as said before or guessed, and the first rows filled with it."""
    form, version = _to_map(form_id)
    typed = request.method == "POST"  # and refused
    report = _report((request.form.get("report") if typed else request.args.get("report")) or version.report)
    read = _read(report, _month())
    lines = _typed_lines(finding.found_of(version.shape)) if typed else _known_lines(form, version, read)
    return _mapping_page(form, version, read, lines, month=_month())


@bp.post(f"/{FORM}/headings")
@requires("form.keep")
@shows_again(headings)
def map_headings(form_id: int) -> Any:
    """Show the first rows with these meanings, or keep them, where their rows have been looked at."""
    form, version = _to_map(form_id)
    values = parse(MappingSchema)
    report = _report(values["report"])
    read = _read(report, values["month"])
    columns = _columns(read)
    lines = mapping.checked([Line(**line) for line in values["lines"]], finding.found_of(version.shape), columns)
    keeps = values["deed"] == "keep"
    if not keeps or values["seen"] != mapping.mark_of(report.name, lines):
        return _mapping_page(form, version, read, lines, month=values["month"], name=values["name"], look=keeps)

    def work() -> Response:
        keeping.confirm(form_id, values["version"], values["name"], report.name, lines,
                        mapping.compared(lines, columns), current_user)
        flash(_("Kept. Choose the months, and the form is filled."), "good")
        return see_other("forms.show", form_id=form_id)

    return once(work)


def _to_map(form_id: int) -> tuple[ReportForm, ReportFormVersion]:
    """The form and what was uploaded last. Raises NotFound and FormAway."""
    form = keeping.own(form_id, current_user)
    if form.put_away_at is not None:
        raise keeping.FormAway()
    return form, keeping.newest(form)


def _known_lines(form: ReportForm, version: ReportFormVersion, read: Filled) -> list[Line]:
    """As confirmed; else taken over from the version in use where headings are equal, and guessed."""
    found = finding.found_of(version.shape)
    if version.confirmed_at is not None and version.report == read.report.name:
        return mapping.lines_of(version.lines)
    used = keeping.in_use(form)
    before = mapping.by_heading(finding.found_of(used.shape), mapping.lines_of(used.lines)) if used else {}
    return mapping.guess(found, _columns(read), before)


def _typed_lines(found: finding.Found) -> list[Line]:
    return [Line(*(request.form.get(f"lines-{at}-{part}", "") for part in ("source", "text", "unit")))
            for at in range(len(found.headings))]


def _mapping_page(form: ReportForm, version: ReportFormVersion, read: Filled, lines: list[Line], *, month: str,
                  name: str = "", look: bool = False) -> str:
    """`look`: somebody wanted to keep what they had not seen filled yet."""
    found, columns = finding.found_of(version.shape), _columns(read)
    known = {column.key: column for column in columns}
    shown = [line if line.source in {*known, *mapping.OWN} else Line() for line in lines]
    if compare := mapping.compared(shown, columns):
        read = _read(read.report, read.asked.first, compare)
    few = replace(read, content=replace(read.content, rows=read.content.rows[:PREVIEW]))
    table = filling.table(few, found.words, shown, filling.place_of(read, reader_of(current_user)))
    return render_template(
        "orders/forms/headings.html", form=form, version=version, found=found, lines=lines, columns=columns,
        known=known, own=mapping.OWN, units=mapping.UNITS, table=table, shown=filling.shown, month=month,
        name=name or form.name, look=look, count=len(read.content.rows), report=read.report, reports=_reports(),
        seen=mapping.mark_of(read.report.name, lines), heading_words=frame.heading_words)


def _read(report: Report, month: str, compare: Sequence[str] = ()) -> Filled:
    """A month of the report, as it fills a form."""
    return frame.fill(report, Asked(month, month, compare=tuple(compare)), reader_of(current_user),
                      page_words.installation_is_demo())


def _columns(read: Filled) -> list[Column]:
    """Every column that a heading may mean, also those that compare."""
    return list(comparing.columns_beside(read.content.columns, read.report.compares))


# ---- a newer workbook, another name, away ---------------------------------------------------------------------------


@bp.post(f"/{FORM}/versions")
@requires("form.keep")
@shows_again(show)
def send_newer(form_id: int) -> Response:
    """The province changed its form: what equal headings meant is taken over."""
    keeping.own(form_id, current_user)  # a foreign one is unknown whatever was sent
    sent = _sent()

    def work() -> Response:
        keeping.replace(form_id, sent, current_user, _folder())
        return see_other("forms.headings", form_id=form_id)

    return once(work)


@bp.post(f"/{FORM}/name")
@requires("form.keep")
@shows_again(show)
def rename(form_id: int) -> Response:
    keeping.own(form_id, current_user)
    name = parse(NameSchema)["name"]

    def work() -> Response:
        keeping.rename(form_id, name, current_user)
        return see_other("forms.show", form_id=form_id)

    return once(work)


@bp.post(f"/{FORM}/away")
@requires("form.keep")
@shows_again(show)
def put_away(form_id: int) -> Response:
    def work() -> Response:
        keeping.put_away(form_id, current_user)
        flash(_("Put away. You find it under 'Put away'."), "info")
        return see_other("forms.index")

    return once(work)


@bp.post(f"/{FORM}/back")
@requires("form.keep")
@shows_again(show)
def bring_back(form_id: int) -> Response:
    def work() -> Response:
        keeping.bring_back(form_id, current_user)
        return see_other("forms.show", form_id=form_id)

    return once(work)


# ---- what was sent --------------------------------------------------------------------------------------------------


def _sent() -> Upload:
    """The workbook and the report that were sent. Raises InvalidInput at the field."""
    report = _report(parse(ReportSchema)["report"])
    file = request.files.get("file")
    content = file.read(opening.MAX_BYTES + 1) if file is not None else b""
    if file is None or not content:
        raise InvalidInput({"file": [REQUIRED]})
    try:
        return Upload(content, file.filename or "", finding.find(opening.opened(content)), report.name)
    except SheetRefused as refusal:
        raise InvalidInput({"file": [refusal]}) from refusal


def _report(name: str) -> Report:
    """A report that this person may read. Raises InvalidInput at the field."""
    try:
        return report_of(name, "", current_user)
    except NotFound:
        raise InvalidInput({"report": [N_("Please choose one of the list.")]}) from None


def _reports() -> list[tuple[str, str]]:
    """Reports that this person may read: (name, title)."""
    reports, _lines = current_app.extensions["sijin_reports"]
    return [(report.name, _(report.title)) for report in reports.values()
            if report.verb is None or can(current_user, report.verb)]


def _titles() -> dict[str, str]:
    """Of all reports, by name."""
    reports, _lines = current_app.extensions["sijin_reports"]
    return {report.name: report.title for report in reports.values()}


def _month() -> str:
    """The last month that is over."""
    return clock.months_before(clock.period_of(clock.today()), 1)


def _folder() -> Path:
    folder: Path = current_app.extensions["sijin"].files_dir
    return folder
