"""A co-operative's due dates: who owes what since when, what canteens have not accepted, a friendly reminder."""

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market import money, paging
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, see_other, shows_again
from orders.models import Order
from orders.overdue import lists, reminding, words

bp = Blueprint("village_overdue", __name__, url_prefix="/village")

MENU = (MenuEntry("supplier", N_("Due from units"), "village_overdue.due", "supplier.money", "clock", group="money"),)


@bp.get("/due")
@requires("supplier.money")
def due(unit_id: int | None = None) -> str:
    """By unit and by order, the oldest day first."""
    owed = lists.dues(Order.supplier_id == current_user.organisation_id)
    shown = paging.cut(owed, page_number())
    units = lists.sums(owed, lambda order: order.unit_id)
    return render_template(
        "orders/overdue/village_due.html", rows=shown.rows, page=shown.page, pages=shown.pages,
        total=lists.total(owed), units=units, estimate=_(words.ESTIMATE),
        texts={unit: _text(found) for unit, found in units.items() if found.late_orders},
        asked=reminding.asked_today(current_user),
        waiting=lists.not_accepted(Order.supplier_id == current_user.organisation_id),
        address=lambda page: url_for("village_overdue.due", page=page))


def _text(found: lists.Sum) -> str:
    """What one may copy into a chat."""
    told = _(words.ASKED, supplier=current_user.organisation_name, orders=found.late_orders,
             yuan=money.yuan(found.late_fen), day=found.oldest.isoformat() if found.oldest else "")
    return f"{_('Dear colleagues of %(unit)s,', unit=found.first.unit_full_name)}\n{told}\n{_('Thank you!')}"


@bp.post("/due/<int(max=999999999999):unit_id>/reminder")
@requires("supplier.money")
@shows_again(due)
def remind(unit_id: int) -> Response:
    def work() -> Response:
        reminding.ask(unit_id, current_user)
        flash(_("The unit's finance has been reminded."), "good")
        return see_other("village_overdue.due")

    return once(work)
