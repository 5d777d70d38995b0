"""The officials' side of late payment: units of the area, their single orders, goods that nobody has accepted."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_login import current_user

from market import clock, downloads, page_words, paging, words
from market.access import Visitor, can, requires
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, page_number
from orders.overdue import counts, lists, office, rules
from orders.overdue import words as sentences
from orders.reports.readers import Reader, area_of, choices, reader_of

bp = Blueprint("office_overdue", __name__, url_prefix="/office")

MENU = (MenuEntry("office", N_("Late payments"), "office_overdue.index", "overdue.read", "clock", group="money"),)
TOLD = ("finance", "revitalisation", "city")  # offices that hear of it on their first page
KEPT = ("county", "unit_type", "fund_source", "band", "sort", "order")
UNIT = "<int(max=999999999999):unit_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Units of the area that have been late for 30 days, and goods that nobody has accepted."""
    if not can(visitor, "overdue.read") or visitor.office_kind not in TOLD:
        return
    units, orders = counts.of_area(reader_of(visitor, "overdue.read").where)
    if units:
        yield Waiting(ngettext("%(num)s unit is 30 days and longer late with its payments.",
                               "%(num)s units are 30 days and longer late with their payments.", units),
                      url_for("office_overdue.index"), overdue=True)
    if orders:
        yield Waiting(ngettext("%(num)s delivery should have been accepted.",
                               "%(num)s deliveries should have been accepted.", orders),
                      url_for("office_overdue.not_accepted"))


@bp.get("/overdue")
@requires("overdue.read")
def index() -> Any:
    """Units that are late, each with its sums."""
    return index_as("page")


@bp.get("/overdue.<kind>")
@requires("overdue.read")
def index_as(kind: str) -> Any:
    """The same to print, as CSV and XLSX."""
    reader, asked = _asked()
    dues = office.late(asked)
    units, total = office.by_unit(dues, asked), lists.total(dues)
    if kind in downloads.CONTENT_TYPES:
        return downloads.table(office.units_table(units, total, _("Late payments")), _file_name("late-payments"), kind)
    return _show(kind, "orders/overdue/office", _cut(units, kind), reader, asked, total=total, units_late=len(units),
                 kind_of=office.kind_of)


@bp.get("/overdue/not-accepted")
@requires("overdue.read")
def not_accepted() -> Any:
    """Orders of the area that are delivered and not accepted, past their day."""
    return not_accepted_as("page")


@bp.get("/overdue/not-accepted.<kind>")
@requires("overdue.read")
def not_accepted_as(kind: str) -> Any:
    """The same to print, as CSV and XLSX."""
    reader, asked = _asked()
    waiting = office.not_accepted(asked)
    if kind in downloads.CONTENT_TYPES:
        return downloads.table(office.waiting_table(waiting, _("Delivered, not accepted")),
                               _file_name("not-accepted"), kind)
    return _show(kind, "orders/overdue/office_waiting", _cut(waiting, kind), reader, asked,
                 open_fen=sum(one.order.open_fen for one in waiting))


@bp.get(f"/overdue/{UNIT}")
@requires("overdue.read")
def unit(unit_id: int) -> Any:
    """The single orders behind a unit's row; their sums are the row."""
    return unit_as(unit_id, "page")


@bp.get(f"/overdue/{UNIT}.<kind>")
@requires("overdue.read")
def unit_as(unit_id: int, kind: str) -> Any:
    """The same as CSV and XLSX."""
    reader, asked = _asked()
    found = office.unit(unit_id, reader.where)
    dues = office.late(asked, unit_id)
    total = lists.total(dues)
    if kind in downloads.CONTENT_TYPES:
        return downloads.table(office.orders_table(dues, total, found.name),
                               _file_name(f"late-payments-{unit_id}"), kind)
    if kind != "page":
        raise NotFound()
    return _show(kind, "orders/overdue/office_unit", _cut(dues, kind), reader, asked, unit=found, total=total,
                 waiting=office.not_accepted(asked, unit_id), kind_of=office.kind_of)


# ---- what was asked for ---------------------------------------------------------------------------------------------


def _asked() -> tuple[Reader, office.Asked]:
    """The visitor's area and the filters in the address. Raises NotFound for a county that is not theirs."""
    reader = reader_of(current_user, "overdue.read")
    area = area_of(reader, request.args.get("county"), None, None)
    sort = _one_of(office.SORTS, "sort") or "days"
    return reader, office.Asked(
        area.where, _one_of(words.UNIT_TYPES, "unit_type"), _one_of(words.FUND_SOURCES, "fund_source"),
        _one_of(rules.LATE_BANDS, "band"), sort, request.args.get("order", "desc") != "asc")


def _one_of(known: Any, name: str) -> str:
    """A filter of the address, '' for what is not known."""
    value = request.args.get(name, "")
    return value if value in known else ""


def _cut(rows: Sequence[Any], kind: str) -> paging.Page:
    """One page of the rows; all of them on paper."""
    return paging.cut(rows, 1, len(rows) or 1) if kind == "print" else paging.cut(rows, page_number())


def _show(kind: str, name: str, found: paging.Page, reader: Reader, asked: office.Asked, **more: Any) -> str:
    """The page, or the sheet to print. Raises NotFound for any other kind."""
    if kind not in ("page", "print"):
        raise NotFound()
    return render_template(
        f"{name}_print.html" if kind == "print" else f"{name}.html", rows=found.rows, page=found.page,
        pages=found.pages, asked=asked, bands=rules.BANDS, late_bands=rules.LATE_BANDS, address=_address,
        choices=choices(reader, None)[0], notes=(sentences.COUNTED, sentences.ESTIMATE), made_on=clock.today(),
        **more)


def _address(**changes: Any) -> str:
    """This page's address with some wishes changed, None drops one; with a `kind` the file's."""
    kept = {name: request.args[name] for name in KEPT if request.args.get(name)}
    endpoint = changes.pop("endpoint", (request.endpoint or "").removesuffix("_as"))
    parts = {**(request.view_args or {}), "kind": None, **kept, **changes}
    if parts["kind"]:
        endpoint += "_as"
    return url_for(endpoint, **{name: value for name, value in parts.items() if value not in (None, "")})


def _file_name(name: str) -> str:
    return "-".join((name, clock.today().isoformat(), *(("demo",) if page_words.installation_is_demo() else ())))
