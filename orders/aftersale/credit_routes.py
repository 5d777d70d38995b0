"""Doors of the credited unit: asking for a change, deciding it, reading what was changed."""

from collections.abc import Iterator

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market.access import Visitor, can, requires
from market.errors import N_
from market.file_routes import send
from market.i18n import gettext as _
from market.i18n import ngettext
from market.uploads import sent
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.aftersale import crediting, lists, states
from orders.aftersale.schemas import CreditDecisionSchema, CreditSchema
from orders.buying import lists as orders_lists

bp = Blueprint("credit", __name__)

MENU = (MenuEntry("unit", N_("Budget unit changes"), "credit.index", "purchase.read", "return", group="todo"),)
ORDER = "<int(max=999999999999):order_id>"
CHANGE = "<int(max=999999999999):change_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Requests that this person may decide."""
    if can(visitor, "credit.decide"):
        requests = lists.changes_waiting(visitor)
        if requests:
            yield Waiting(ngettext("%(num)s order is to count for another unit: please decide.",
                                   "%(num)s orders are to count for another unit: please decide.", requests),
                          url_for("credit.index"))


def ask_page(order_id: int) -> str:
    """For which unit, why, and the paper that shows it."""
    order = orders_lists.order(order_id, [current_user.organisation_id or 0])
    return render_template("orders/aftersale/credit_ask.html", order=order, targets=lists.targets(order.unit_id),
                           changes=lists.changes_of(order_id), states=states)


@bp.get(f"/orders/{ORDER}/unit-change")
@requires("credit.ask")
def new(order_id: int) -> str:
    return ask_page(order_id)


@bp.post(f"/orders/{ORDER}/unit-change")
@requires("credit.ask")
@shows_again(ask_page)
def ask(order_id: int) -> Response:
    orders_lists.order(order_id, [current_user.organisation_id or 0])
    values, paper = parse(CreditSchema), sent("evidence")

    def work() -> Response:
        kept = paper.keep().id if paper else None
        crediting.ask(order_id, values["to_unit_id"], values["reason"], kept, current_user)
        flash(_("Asked for. A second person decides."), "good")
        return see_other("credit.index")

    return once(work)


def index_page(**_arguments: int) -> str:
    """All changes of the unit and of those below it, the open ones first."""
    return render_template("orders/aftersale/credit.html", found=lists.changes(current_user, page_number()),
                           states=states, may_decide=can(current_user, "credit.decide"),
                           address=lambda page: url_for("credit.index", page=page))


@bp.get("/unit-changes")
@requires("purchase.read")
def index() -> str:
    return index_page()


@bp.post(f"/unit-changes/{CHANGE}/decision")
@requires("credit.decide")
@shows_again(index_page)
def decide(change_id: int) -> Response:
    lists.change(change_id, current_user)  # a foreign one is unknown whatever the form holds
    values = parse(CreditDecisionSchema)

    def work() -> Response:
        if values["decision"] == "approve":
            crediting.approve(change_id, current_user)
            flash(_("The order counts for the other unit from now on."), "good")
        else:
            crediting.decline(change_id, values["remark"], current_user)
            flash(_("Declined. The order counts where it did."), "good")
        return see_other("credit.index")

    return once(work)


@bp.get(f"/unit-changes/{CHANGE}/evidence")
@requires("purchase.read")
def evidence(change_id: int) -> Response:
    return send(lists.evidence(change_id, current_user))
