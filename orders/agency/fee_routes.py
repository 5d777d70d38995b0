"""The platform's fee: its dated rules, on the operator's desk."""

from flask import Blueprint, Response, flash, render_template
from flask_login import current_user

from market import clock
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.schemas import Day, Input, LeftEmpty, Whole, Words
from market.web import MenuEntry, once, parse, see_other, shows_again
from orders.paying import fees
from orders.quota.outside import Percent

bp = Blueprint("fees", __name__, url_prefix="/office/fees")

MENU = (MenuEntry("office", N_("Platform fee"), "fees.index", "fee.rule", "money", group="money"),)


class MaybeWhole(LeftEmpty, Whole):
    """A co-operative, or none: all of them."""


class FeeSchema(Input):
    """A rule: for whom, how much, from when on and why."""

    supplier_id = MaybeWhole(load_default=None)
    points = Percent(data_key="percent", required=True)
    valid_from = Day(required=True)
    reason = Words(longest=200, required=True)


@bp.get("")
@requires("fee.rule")
def index() -> str:
    rules, today = fees.rules(), clock.today()
    return render_template("orders/agency/fees.html", rules=rules, holding=fees.holding(rules, today), today=today,
                           tomorrow=clock.days_after(today, 1), suppliers=fees.suppliers())


@bp.post("")
@requires("fee.rule")
@shows_again(index)
def rule() -> Response:
    values = parse(FeeSchema)

    def work() -> Response:
        fees.rule(values["supplier_id"], values["points"], values["valid_from"], values["reason"], current_user)
        flash(_("Noted. It holds for orders placed from that day on."), "good")
        return see_other("fees.index")

    return once(work)
