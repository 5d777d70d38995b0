"""A unit's due dates: what is to be paid when, to whom, and what came and was not accepted."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_login import current_user

from market import money, paging
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, page_number, whole_argument
from orders.buying.lists import unit_ids
from orders.models import Order
from orders.overdue import counts, lists, words

bp = Blueprint("overdue", __name__)

MENU = (MenuEntry("unit", N_("Due dates"), "overdue.due", "purchase.read", "clock", group="money"),)


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """For a unit and for a co-operative: what is late, and what is delivered and not accepted."""
    unit = can(visitor, "purchase.read")
    if not (unit or can(visitor, "supplier.money")):
        return
    found = counts.of_trade(visitor)
    due = url_for("overdue.due" if unit else "village_overdue.due")
    if found.late:
        yield Waiting(ngettext("%(num)s order is past its day of payment: ¥%(yuan)s.",
                               "%(num)s orders are past their day of payment: ¥%(yuan)s.", found.late,
                               yuan=money.yuan(found.late_fen)), due, overdue=True)
    if found.delivered:
        url = url_for("delivering.handover") if can(visitor, "delivery.accept") else f"{due}#not-accepted"
        yield Waiting(ngettext("%(num)s order is delivered and not accepted.",
                               "%(num)s orders are delivered and not accepted.", found.delivered)
                      + _(" The oldest came on %(day)s.", day=found.since), url, overdue=bool(found.not_accepted))


@bp.get("/payments/due")
@requires("purchase.read")
def due() -> str:
    """What the unit and those it supervises have to pay, the oldest day first; and what waits to be accepted."""
    units = unit_ids(current_user)
    chosen = _chosen(units)
    owed = lists.dues(Order.unit_id.in_(units), *chosen)
    shown = paging.cut(owed, page_number())
    return render_template(
        "orders/overdue/due.html", rows=shown.rows, page=shown.page, pages=shown.pages, total=lists.total(owed),
        suppliers=lists.sums(owed, lambda order: order.supplier_id),
        many_units=len({one.order.unit_id for one in owed}) > 1,
        waiting=lists.not_accepted(Order.unit_id.in_(units), *chosen), narrowed=bool(chosen), address=_address,
        estimate=_(words.ESTIMATE), may_accept=can(current_user, "delivery.accept"),
        own_unit=current_user.organisation_id)


def _address(page: int) -> str:
    return url_for("overdue.due", unit=whole_argument("unit"), supplier=whole_argument("supplier"), page=page)


def _chosen(units: list[int]) -> list[Any]:
    """One unit or one co-operative, where the address names one; a unit of somebody else's finds nothing."""
    wanted = {column: whole_argument(name) for name, column in (("unit", Order.unit_id),
                                                                ("supplier", Order.supplier_id))
              if request.args.get(name)}
    return [column == number for column, number in wanted.items()
            if not (column is Order.unit_id and units == [number])]
