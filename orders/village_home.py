"""The first page of the village desk: three cards (to pack, money coming, farmers to pay), one button, what waits."""

from collections.abc import Iterator

from flask import Blueprint, render_template, url_for
from flask_login import current_user

from catalog import lot_desk
from market import clock, money, waiting, words
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry
from orders.delivering import packing
from orders.income import desk as income_desk
from orders.paying import desk as paying_desk
from orders.payouts import lists as payouts

bp = Blueprint("village_home", __name__)

MENU = (MenuEntry("supplier", N_("Today"), "village_home.home", "supplier.read", "home"),)
DESK = {"supplier": "village_home.home"}


@bp.get("/village")
@requires("supplier.read")
def home() -> str:
    today = clock.today()
    tomorrow = clock.days_after(today, 1)
    owed = [due for due in income_desk.dues(current_user) if due.unpaid_fen > 0]
    villages = {due.village_id for due in owed if due.income_kind == "farm_gate"}
    return render_template(
        "orders/village/home.html", today_is=today, tomorrow=tomorrow, words=words,
        leaving=packing.to_leave(current_user, tomorrow), coming=paying_desk.money_coming(current_user),
        owed_fen=sum(due.unpaid_fen for due in owed), villages_owed={due.village_id for due in owed},
        households=income_desk.households_waiting(current_user, villages), on_way_fen=payouts.on_way_fen(current_user),
        goods=packing.to_pack(current_user, tomorrow), days=packing.next_days(current_user, today),
        waiting=waiting.for_visitor(current_user))


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Of a co-operative: orders that should have left, announced payments, lots the village has not yet confirmed."""
    if not can(visitor, "supplier.read"):
        return
    late = packing.overdue(visitor, clock.today())
    if late:
        yield Waiting(ngettext("%(num)s order should have left before today.",
                               "%(num)s orders should have left before today.", late),
                      url_for("packing.index"), overdue=True)
    announced = paying_desk.announced(visitor)
    if announced.claims:
        yield Waiting(ngettext("%(num)s transfer of ¥%(yuan)s is announced: has the money arrived?",
                               "%(num)s transfers of ¥%(yuan)s together are announced: has the money arrived?",
                               announced.claims, yuan=money.yuan(announced.fen)), url_for("receipts.index"))
    lots = lot_desk.own_lots(visitor.organisation_id, "waiting", None, 1).total
    if lots and can(visitor, "lot.read"):
        yield Waiting(ngettext("%(num)s lot waits for the village to confirm it.",
                               "%(num)s lots wait for the village to confirm them.", lots),
                      url_for("lots.index", state="waiting"))
