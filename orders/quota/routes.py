"""The reserved share on the buyer's desk: bars, filing, the orders behind a figure, 832 exports, supervised units."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, g, render_template, request, url_for
from flask_login import current_user
from markupsafe import Markup

from market import clock, downloads, journal, paging, sheet_input, sheets, uploads
from market.access import Visitor, can, requires
from market.errors import N_, InvalidInput, NotFound
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from orders.buying.lists import unit_ids
from orders.quota import figures, filing, lists, outside, rules, single_orders, successions, words
from orders.quota.schemas import DecisionSchema, FilingSchema, SuccessionSchema, UploadSchema

bp = Blueprint("quota", __name__)

MENU = (MenuEntry("unit", N_("Reserved share"), "quota.home", "quota.read", "report", group="look"),)
FILING = "<int(max=999999999999):filing_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Filings that came back, and those of supervised units to review."""
    if can(visitor, "quota.file") and lists.returned(visitor):
        yield Waiting(_("Your filing of the reserved share came back and wants correcting."), url_for("quota.home"),
                      overdue=True)
    if can(visitor, "quota.review") and (count := lists.to_review(visitor)):
        yield Waiting(ngettext("%(num)s filing of the reserved share waits for your review.",
                               "%(num)s filings of the reserved share wait for your review.", count),
                      url_for("quota.below"))


def bars() -> Markup:
    """How far the visitor's unit has come this year, for the first screen of its desk."""
    if not can(current_user, "quota.read"):
        return Markup()
    return Markup(render_template("orders/quota/bars.html", words=words,  # noqa: S704 - our own template, escaped there
                                  bars=figures.progress_line(current_user.organisation_id)))


def asked_year() -> int:
    year = whole_argument("year")
    return year if year is not None and 2015 <= year <= 2099 else clock.today().year


def asked_day(year: int) -> date:
    """The last day to look at; the address may name an earlier one."""
    month = request.args.get("month", "")  # as reports name their last one
    try:
        day = (clock.days_after(date.fromisoformat(clock.months_before(month, -1) + "-01"), -1) if month
               else date.fromisoformat(request.args.get("until", "")))
    except ValueError:
        return figures.last_day(year)
    return min(day, figures.last_day(year))


@bp.get("/quota")
@requires("quota.read")
def home() -> str:
    year, unit_id = asked_year(), lists.own_unit(whole_argument("unit"), current_user)
    found = figures.progress([unit_id], year)[unit_id]
    is_own = unit_id == current_user.organisation_id
    return render_template(
        "orders/quota/home.html", found=found, year=year, words=words,
        filing=lists.filing_of(unit_id, year, drafts=is_own),
        deadline=rules.Book(year).deadline(found.unit.division_id), named_by=lists.named_by(unit_id, year),
        is_own=is_own, succession=successions.of_unit(unit_id), lines="quota.lines",
        office=False)


@bp.get("/quota/filing")
@requires("quota.file")
def form() -> str:
    form_year = request.form.get("year", "")
    year = int(form_year) if re.fullmatch(r"20[0-9]{2}", form_year, re.ASCII) else asked_year()
    unit = rules.unit(current_user.organisation_id)
    book = rules.Book(year)
    return render_template(
        "orders/quota/form.html", year=year, filing=lists.filing_of(unit.id, year), words=words,
        canteen_rule=book.for_filing(unit.division_id, unit.unit_type, "canteen"),
        union_rule=book.for_filing(unit.division_id, unit.unit_type, "union"), deadline=book.deadline(unit.division_id))


@bp.post("/quota/filing")
@requires("quota.file")
@shows_again(form)
def save() -> Response:
    values = parse(FilingSchema)

    def work() -> Response:
        filing_id = filing.save(values["year"], values, current_user, submit=values["submit"])
        flash(_("Submitted.") if values["submit"] else _("Saved as a draft."), "good")
        return see_other("quota.show", filing_id=filing_id)

    return once(work)


@bp.get(f"/quota/filings/{FILING}")
@requires("quota.read")
def show(filing_id: int) -> str:
    seen = filing.own(filing_id, current_user)
    may_review = (seen.parent_id == current_user.organisation_id and can(current_user, "quota.review")
                  and seen.state == "submitted")
    return render_template("orders/quota/show.html", **story(filing_id), may_decide=may_review, may_return=may_review,
                           action=url_for("quota.review", filing_id=filing_id), office=False,
                           is_own=seen.unit_id == current_user.organisation_id)


def story(filing_id: int) -> dict[str, Any]:
    """A filing with what happened to it."""
    happened = [(entry["actor_name"], str(_(words.ACTS.get(entry["action"], entry["action"]))), entry["at"],
                 entry["details"].get("reason", "")) for entry in journal.timeline("quota_filing", filing_id)]
    return {"filing": lists.filing(filing_id), "revisions": lists.revisions(filing_id), "happened": happened[::-1],
            "words": words}


@bp.post(f"/quota/filings/{FILING}/review")
@requires("quota.review")
@shows_again(show)
def review(filing_id: int) -> Response:
    filing.own(filing_id, current_user)
    values = parse(DecisionSchema)

    def work() -> Response:
        filing.review(filing_id, values["revision"], values["decision"] == "approve", values["reason"], current_user)
        flash(_("Passed on to the finance office.") if values["decision"] == "approve" else _("Returned."), "good")
        return see_other("quota.below")

    return once(work)


# ---- behind a figure ------------------------------------------------------------------------------------------------


@bp.get("/quota/units/<int(max=999999999999):unit_id>/lines", defaults={"kind": "page"})
@bp.get("/quota/units/<int(max=999999999999):unit_id>/lines.<kind>")
@requires("quota.read")
def lines(unit_id: int, kind: str) -> Any:
    return lines_page(kind, lists.own_unit(unit_id, current_user), office=False)


def lines_page(kind: str, unit_id: int, office: bool) -> Any:
    """The single orders behind a figure, as page or file."""
    figure, year = request.args.get("figure", "total"), asked_year()
    if figure not in single_orders.FIGURES or kind not in ("page", *downloads.CONTENT_TYPES):
        raise NotFound()
    day = asked_day(year)
    rows = single_orders.behind(unit_id, year, day, figure)
    unit = rules.unit(unit_id)
    title = f"{unit.name} {year} {_(words.FIGURES[figure])}"
    total = sum(row["fen"] for row in rows)
    if kind != "page":
        headings = [(_("Day"), "code"), (_("Order"), "code"), (_("Unit"), "text"), (_("Co-operative"), "text"),
                    (_("Fund source"), "text"), (_("Channel"), "text"), (_("Amount (yuan)"), "fen")]
        return downloads.table(sheets.Table(
            [sheets.Heading(str(text), of_kind) for text, of_kind in headings],
            [[row["day"].isoformat(), row["number"], row["unit"], row["supplier"], str(_(words.FUNDS[row["fund"]])),
              str(_(words.CHANNELS[row["channel"]])), row["fen"]] for row in rows],
            [str(_("Total")), "", "", "", "", "", total], above=[title]), f"quota-{year}-{figure}", kind)
    shown = paging.cut(rows, page_number())

    def address(number: int = 1, file: str = "page") -> str:
        return url_for(request.endpoint or "", unit_id=unit_id, year=year, figure=figure, until=day.isoformat(),
                       page=number if number > 1 else None, kind=file)

    return render_template(
        "orders/quota/lines.html", rows=shown.rows, total=total, title=title, unit=unit, year=year, day=day,
        page=shown.page, pages=shown.pages, address=address, words=words, office=office,
        own_units=() if office else unit_ids(current_user))


# ---- 832 ------------------------------------------------------------------------------------------------------------


@bp.get("/quota/832")
@requires("quota.file")
def outside_page() -> str:
    return render_template("orders/quota/outside.html", found=lists.uploads(current_user.organisation_id,
                                                                           page_number()),
                           headings=(outside.ORDER_HEADINGS, outside.FILING_HEADINGS),
                           row_errors=g.get("quota_row_errors", ()))


@bp.post("/quota/832")
@requires("quota.file")
@shows_again(outside_page)
def upload() -> Response:
    """All rows or none: wrong rows are shown by number and nothing is kept."""
    kind = parse(UploadSchema)["kind"]
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput({"file": [N_("Please choose a file.")]})
    read, keep = outside.READ[kind]
    try:
        rows, errors = read(file.read(sheet_input.MAX_BYTES + 1), rules.unit(current_user.organisation_id))
    except sheet_input.SheetRefused as refusal:
        raise InvalidInput({"file": [refusal]}) from refusal
    name = file.filename
    if errors or not rows:
        g.quota_row_errors = errors
        raise InvalidInput({"file": [N_("Nothing was taken: the rows below want mending.") if errors
                                     else N_("The table holds no row that counts.")]})

    def work() -> Response:
        new, changed = keep(rows, name, current_user)
        flash(_("%(rows)s rows read: %(new)s new, %(changed)s changed, the others were there already.",
                rows=len(rows), new=new, changed=changed), "good")
        return see_other("quota.outside_page")

    return once(work)


# ---- merged or renamed ----------------------------------------------------------------------------------------------


@bp.get("/quota/succession")
@requires("quota.file")
def succession() -> str:
    return render_template("orders/quota/succession.html", words=words,
                           found=successions.of_unit(current_user.organisation_id))


@bp.post("/quota/succession")
@requires("quota.file")
@shows_again(succession)
def declare_succession() -> Response:
    values = parse(SuccessionSchema)
    scan = uploads.needed("evidence", N_("Please choose a photo or a PDF of the paper."))

    def work() -> Response:
        successions.declare(values["kind"], values["successor"], values["from_day"], scan.keep().id, current_user)
        flash(_("Declared. It counts once the finance office has confirmed it."), "good")
        return see_other("quota.succession")

    return once(work)


# ---- supervised units -----------------------------------------------------------------------------------------------


@bp.get("/quota/below")
@requires("quota.read")
def below() -> Any:
    """The visitor's unit and those it supervises, as page or file; each order counts once in the sums."""
    year, kind = asked_year(), request.args.get("format", "page")
    rows = list(figures.progress(unit_ids(current_user), year).values())
    if kind == "page":
        return render_template("orders/quota/below.html", rows=rows, year=year, words=words,
                               totals=totals(rows), may_review=can(current_user, "quota.review"))
    if kind not in downloads.CONTENT_TYPES:
        raise NotFound()
    return downloads.table(as_table(rows, year), f"quota-{year}", kind)


def totals(rows: list[figures.Progress]) -> dict[str, int]:
    """Sums over units: every order is counted for one unit only."""
    sums = {source: sum(row.sums.of[source] for row in rows) for source in figures.SOURCES}
    return sums | {"local": sum(row.local.amount_fen for row in rows),
                   "832": sum(row.outside.amount_fen for row in rows),
                   "quota": sum(row.local.quota_fen or 0 for row in rows)}


def as_table(rows: list[figures.Progress], year: int) -> sheets.Table:
    names = [(_("Unit"), "text"), (_("State"), "text"), (_("Quota"), "fen"),
             *((_(words.FIGURES[source]), "fen") for source in figures.SOURCES),
             (_("Counts for the local rule"), "fen"), (_("Completion"), "percent"), (_("Time elapsed"), "percent"),
             (_("Counts for 832"), "fen")]
    cells = [[row.unit.name, str(_(words.STATES[row.filing.state][0])) if row.filing else "", row.local.quota_fen,
              *(row.sums.of[source] for source in figures.SOURCES), row.local.amount_fen, row.local.points,
              row.time_points, row.outside.amount_fen] for row in rows]
    found = totals(rows)
    last = [str(_("Total")), "", found["quota"], *(found[source] for source in figures.SOURCES), found["local"], None,
            None, found["832"]]
    return sheets.Table([sheets.Heading(str(text), kind) for text, kind in names], cells, last,
                        above=[f"{_('Reserved share')} {year}"])
