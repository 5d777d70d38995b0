"""Late payment in an office's area: units with their sums, filtered and sorted; every sum is that of its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from market import clock, db
from market.errors import N_, NotFound
from market.figures import EVERYWHERE, Where
from market.i18n import gettext as _
from market.parties import Organisation
from market.sheets import UNITS, Heading, Table
from market.words import FUND_SOURCES, UNIT_TYPES
from orders.models import Order
from orders.overdue import lists, rules, words
from orders.overdue.lists import Columns, Due, NotAccepted, Sum


@dataclass(frozen=True)
class Asked:
    """What an officer wants to see. `where` is the area, narrowed to a county where one is chosen."""

    where: Where = EVERYWHERE
    unit_type: str = ""
    fund_source: str = ""
    band: str = ""
    sort: str = "days"
    descending: bool = True


SORTS: Mapping[str, Callable[[Sum], Any]] = {
    "unit": lambda one: one.first.unit_full_name, "orders": lambda one: one.orders,
    "open": lambda one: one.open_fen, "days": lambda one: one.days, "interest": lambda one: one.interest_fen,
}


def late(asked: Asked, unit_id: int | None = None) -> list[Due]:
    """Late orders of units of the area, or of one of them, as filtered; one statement."""
    found = lists.dues(lists.is_late(clock.today()), *_filters(asked, unit_id))
    return [one for one in found if asked.band in ("", one.band)]


def not_accepted(asked: Asked, unit_id: int | None = None) -> list[NotAccepted]:
    """Orders of the area that are delivered and not accepted, past the day on which they should have been."""
    return lists.not_accepted(*_filters(asked, unit_id), late_only=True)


def _filters(asked: Asked, unit_id: int | None) -> list[Any]:
    conditions: list[Any] = [lists.unit_lies_in(asked.where)]
    if unit_id is not None:
        conditions.append(Order.unit_id == unit_id)
    if asked.unit_type:
        conditions.append(Organisation.unit_type == asked.unit_type)
    if asked.fund_source:
        conditions.append(Order.fund_source == asked.fund_source)
    return conditions


def by_unit(dues: Sequence[Due], asked: Asked) -> list[tuple[int, Sum]]:
    """One sum for each unit, sorted as asked; ties by name."""
    units = sorted(lists.sums(dues, lambda order: order.unit_id).items(), key=lambda pair: SORTS["unit"](pair[1]))
    return sorted(units, key=lambda pair: SORTS[asked.sort](pair[1]), reverse=asked.descending)


def unit(unit_id: int, where: Where) -> Columns:
    """A unit of the area. Raises NotFound for any other."""
    found = db.session().execute(
        select(Organisation.id, Organisation.name, Organisation.unit_type)
        .where(Organisation.id == unit_id, Organisation.kind == "unit", lists.unit_lies_in(where))).first()
    if found is None:
        raise NotFound()
    return found


# ---- as files -------------------------------------------------------------------------------------------------------


def units_table(units: Sequence[tuple[int, Sum]], total: Sum | None, title: str) -> Table:
    """The list of units as CSV and XLSX write it."""
    headings = [Heading(_("Unit"), "text"), Heading(_("Kind"), "text"), Heading(_("Place"), "text"),
                Heading(_("Orders"), "count"), _yuan(N_("Open")),
                *(_yuan(rules.BANDS[band][0]) for band in rules.LATE_BANDS),
                Heading(_("To be paid by"), "text"), Heading(_("Days overdue"), "count"),
                _yuan(N_("Interest, estimated"))]
    rows = [[one.first.unit_full_name, kind_of(one.first.unit_type), one.first.place, *_figures(one)]
            for _unit, one in units]
    return Table(headings, rows, [_("Total"), None, None, *_figures(total)] if total else None, above=_above(title),
                 below=[_(words.COUNTED), _(words.ESTIMATE)])


def _figures(one: Sum) -> list[Any]:
    return [one.orders, one.open_fen, *(one.by_band[band] for band in rules.LATE_BANDS),
            one.oldest.isoformat() if one.oldest else "", one.days, one.interest_fen]


def orders_table(dues: Sequence[Due], total: Sum | None, title: str) -> Table:
    """Single late orders as CSV and XLSX write them."""
    headings = [Heading(_("Order"), "code"), Heading(_("Unit"), "text"), Heading(_("Co-operative"), "text"),
                Heading(_("Fund source"), "text"), Heading(_("To be paid by"), "text"),
                Heading(_("Days overdue"), "count"), _yuan(N_("Open")),
                _yuan(N_("Interest, estimated"))]
    rows = [[one.order.number, one.order.unit_full_name, one.order.supplier_name,
             _(FUND_SOURCES[one.order.fund_source]), one.order.pay_by.isoformat(), one.days, one.open_fen,
             one.interest_fen] for one in dues]
    sums = [_("Total"), None, None, None, None, total.days, total.open_fen, total.interest_fen] if total else None
    return Table(headings, rows, sums, above=_above(title), below=[_(words.COUNTED), _(words.ESTIMATE)])


def waiting_table(waiting: Sequence[NotAccepted], title: str) -> Table:
    """Goods that nobody has accepted as CSV and XLSX write them."""
    headings = [Heading(_("Order"), "code"), Heading(_("Unit"), "text"), Heading(_("Co-operative"), "text"),
                Heading(_("Delivered on"), "text"), Heading(_("Acceptance was due"), "text"),
                Heading(_("Days since"), "count"), Heading(_("To be paid by"), "text"),
                _yuan(N_("Open"))]
    rows = [[one.order.number, one.order.unit_full_name, one.order.supplier_name, one.order.came_on.isoformat(),
             one.due_on.isoformat(), one.days, one.order.pay_by.isoformat() if one.order.pay_by else "",
             one.order.open_fen] for one in waiting]
    return Table(headings, rows, above=_above(title))


def _above(title: str) -> list[str]:
    return [title, _("As of %(day)s", day=clock.today().isoformat())]


def _yuan(text: str) -> Heading:
    """A column of amounts."""
    return Heading(_(text) + _(" (%(told)s)", told=_(UNITS["fen"])), "fen")


def kind_of(unit_type: str | None) -> str:
    """What a unit is, in words."""
    return str(_(UNIT_TYPES[unit_type])) if unit_type else ""
