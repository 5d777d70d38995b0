"""The village desk's income pages: what is owed to households and collectives, what was paid out and declared."""

from flask import Blueprint, render_template, request
from flask_login import current_user

from market.access import requires
from market.errors import N_
from market.web import MenuEntry, page_number
from orders.income import desk

bp = Blueprint("income", __name__, url_prefix="/village/income")

MENU = (MenuEntry("supplier", N_("Villages' income"), "income.index", "supplier.read", "household", group="people"),)
TABS = ("owed", "payouts", "declarations")


@bp.get("")
@requires("supplier.read")
def index() -> str:
    tab = request.args.get("tab", "owed")
    tab = tab if tab in TABS else "owed"
    return render_template(
        "orders/village/income.html", tab=tab,
        dues=desk.dues(current_user) if tab == "owed" else (),
        found={"payouts": desk.payouts, "declarations": desk.declarations}[tab](current_user, page_number())
        if tab != "owed" else None)
