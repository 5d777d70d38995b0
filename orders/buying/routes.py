"""The buyer's desk: what comes, what waits, orders and purchases, approval, taking back."""

from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, journal, words
from market import waiting as market_waiting
from market.access import can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders import happenings
from orders.aftersale import lists as aftersale
from orders.aftersale import states as aftersale_states
from orders.approving import amending, changes, deciding, schemes, tenders
from orders.buying import approval, arrivals, lists, steps
from orders.buying.schemas import ApprovalSchema, CancellationSchema
from orders.delivering import lists as deliveries
from orders.delivering.reasons import REASONS
from orders.paying import lists as payments

bp = Blueprint("buying", __name__)

DESK = {"unit": "buying.desk"}
MENU = (MenuEntry("unit", N_("My desk"), "buying.desk", "purchase.read", "home"),)
ORDERS_MENU = (MenuEntry("unit", N_("Orders"), "buying.orders", "purchase.read", "order"),)
MOST_QUERY = 40


@bp.get("/desk")
@requires("purchase.read")
def desk() -> str:
    units, today = lists.unit_ids(current_user), clock.today()
    comes_today, comes_tomorrow = arrivals.days(units, today)
    return render_template(
        "orders/buying/desk.html", counts=lists.tab_counts(units), owed=payments.owed(units, 1),
        waiting=lists.waiting(units, 5), runs=deliveries.open_runs(current_user.organisation_id, 5),
        days=(comes_tomorrow, comes_today), reasons=arrivals.REASONS, to_do=market_waiting.for_visitor(current_user),
        may_receive=can(current_user, "delivery.accept"))


def _goods_by_order(orders: Any) -> dict[int, list[Any]]:
    goods: dict[int, list[Any]] = {order.id: [] for order in orders}
    for line in lists.lines(list(goods)):
        goods[line.order_id].append(line)
    return goods


@bp.get("/orders")
@requires("purchase.read")
def orders() -> str:
    units = lists.unit_ids(current_user)
    tab = request.args.get("tab", "all")
    tab = tab if tab in words.TABS else "all"
    query = request.args.get("q", "").strip()[:MOST_QUERY]

    def address(page: int) -> str:
        return url_for("buying.orders", tab=tab, q=query or None, page=page)

    return render_template("orders/buying/orders.html", found=lists.orders(units, tab, query, page_number()), tab=tab,
                           query=query, counts=lists.tab_counts(units), many_units=len(units) > 1, address=address)


@bp.get("/orders/<int(max=999999999999):order_id>")
@requires("purchase.read")
def order(order_id: int) -> str:
    facts = lists.order(order_id, lists.unit_ids(current_user))
    return render_template(
        "orders/buying/order.html", order=facts, lines=lists.lines([order_id]), may=steps.possible(facts, current_user),
        cases=aftersale.of_order(order_id), rating=aftersale.rating(order_id), changes=aftersale.changes_of(order_id),
        aftersale_states=aftersale_states, may_amend=amending.may_amend(facts, clock.now()),
        lots=deliveries.packed_lots([order_id]), claims=payments.claims_of(order_id), reasons=REASONS,
        happened=_happened(facts))


def _happened(order: Any) -> list[tuple[str, str, Any, str]]:
    """The timeline of an order and of its purchase's approval, newest first: who, what, when, note.

    People of the co-operative are named by their organisation alone.
    """
    entries = [entry for entry in journal.timeline("purchase", order.purchase_id)
               if entry["action"] != "purchase.placed"] + journal.timeline("order", order.id)
    return [(order.supplier_name if entry["organisation_id"] == order.supplier_id else entry["actor_name"],
             _(happenings.ACTS.get(entry["action"], entry["action"])), entry["at"],
             happenings.note(entry["details"], REASONS, _))
            for entry in sorted(entries, key=lambda entry: (entry["at"], entry["id"]), reverse=True)]


@bp.post("/orders/<int(max=999999999999):order_id>/cancellation")
@requires("purchase.cancel")
@shows_again(order)
def cancel(order_id: int) -> Response:
    lists.order(order_id, lists.unit_ids(current_user))  # a foreign order is unknown whatever the form holds
    reason = parse(CancellationSchema)["reason"]

    def take_back() -> Response:
        approval.cancel(order_id, reason, current_user)
        flash(_("The order is cancelled; its goods are free again."), "good")
        return see_other("buying.order", order_id=order_id)

    return once(take_back)


@bp.get("/purchases/<int(max=999999999999):purchase_id>")
@requires("purchase.read")
def purchase(purchase_id: int) -> str:
    return _purchase("orders/buying/purchase.html", purchase_id)


@bp.get("/purchases/<int(max=999999999999):purchase_id>/sheet")
@requires("purchase.read")
def purchase_sheet(purchase_id: int) -> str:
    return _purchase("orders/buying/purchase_sheet.html", purchase_id)


def _purchase(template: str, purchase_id: int) -> str:
    facts = lists.purchase(purchase_id, lists.unit_ids(current_user))
    suborders = lists.of_purchase(purchase_id)
    goods = _goods_by_order(suborders)
    shown = deciding.shown(purchase_id)
    bought = [line for order in suborders if order.state != "cancelled" for line in goods[order.id]]
    now = clock.now()
    return render_template(
        template, purchase=facts, orders=suborders, goods=goods, approval=shown, step=shown.open_step,
        may_approve=deciding.may_answer(facts, shown, current_user) and can(current_user, "purchase.approve"),
        may_file=deciding.may_answer(facts, shown, current_user, on_paper=True) and can(current_user, "purchase.file"),
        changes=changes.of_purchase(purchase_id), scheme=schemes.of_unit(facts.unit_id),
        tender=tenders.warnings(facts.unit_id, dict.fromkeys(tenders.of_categories(bought), 0), facts.business_date),
        amendable={order.id for order in suborders if amending.may_amend(order, now)
                   and can(current_user, "purchase.amend")})


@bp.post("/purchases/<int(max=999999999999):purchase_id>/approval")
@requires("purchase.approve")
@shows_again(purchase)
def approve(purchase_id: int) -> Response:
    lists.purchase(purchase_id, lists.unit_ids(current_user))
    values = parse(ApprovalSchema)

    def answer() -> Response:
        if values["decision"] == "approve":
            last = approval.approve(purchase_id, values["content_hash"], current_user)
            flash(_("Approved. The co-operatives can pack now.") if last
                  else _("Approved. The next step waits for somebody else."), "good")
        else:
            approval.decline(purchase_id, values["reason"], current_user)
            flash(_("Declined. The goods are free again."), "good")
        return see_other("buying.purchase", purchase_id=purchase_id)

    return once(answer)
