"""The first page of the village desk: what is to pack, what waits, what is open."""

from flask import Blueprint, render_template
from flask_login import current_user

from catalog import lot_desk
from market import clock, waiting
from market.access import requires
from market.errors import N_
from market.web import MenuEntry
from orders.delivering import packing
from orders.income import desk as income_desk
from orders.paying import desk as paying_desk

bp = Blueprint("village_home", __name__)

MENU = (MenuEntry("supplier", N_("Today"), "village_home.home", "supplier.read", "home"),)
DESK = {"supplier": "village_home.home"}


@bp.get("/village")
@requires("supplier.read")
def home() -> str:
    today = clock.today()
    tomorrow = clock.days_after(today, 1)
    return render_template(
        "orders/village/home.html", tomorrow=tomorrow, goods=packing.to_pack(current_user, tomorrow),
        days=packing.next_days(current_user, today), overdue=packing.overdue(current_user, today),
        counts=packing.tab_counts(current_user), claims=paying_desk.claims(current_user, "claimed", 1),
        lots=lot_desk.own_lots(current_user.organisation_id, "waiting", None, 1),
        waiting=waiting.for_visitor(current_user),
        open_fen=sum(one.open_fen for one in paying_desk.sums_by_unit(current_user)),
        unpaid_fen=sum(due.unpaid_fen for due in income_desk.dues(current_user)))
