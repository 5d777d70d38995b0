"""Doors of refunds: the co-operative asks, a second person confirms; the unit reads the same rows."""

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, uploads
from market.access import Visitor, can, requires
from market.errors import N_, InvalidInput, MarketError
from market.file_routes import send
from market.i18n import gettext as _
from market.i18n import ngettext
from market.schemas import REQUIRED
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.buying import lists as orders_lists
from orders.models import Order
from orders.paying import card_refunds, refund_lists, refund_sums, refunds
from orders.paying.refund_schemas import RefundSchema, RefusalSchema, TransferSchema, WholeSchema

bp = Blueprint("refunds", __name__)

MENU = (MenuEntry("supplier", N_("Refunds"), "refunds.index", "supplier.money", "return", group="money"),
        MenuEntry("unit", N_("Refunds"), "refunds.to_unit", "purchase.read", "return", group="money"))
ORDER = "<int(max=999999999999):order_id>"
REFUND = "<int(max=999999999999):refund_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Of a co-operative: what was paid too much, and what another person has asked to give back."""
    if not can(visitor, "refund.ask"):
        return
    found = refund_lists.waits(visitor)
    if found.to_confirm:
        yield Waiting(ngettext("%(num)s refund waits for a second person.", "%(num)s refunds wait for a second person.",
                               found.to_confirm), url_for("refunds.index", tab="asked"))
    if found.owed:
        yield Waiting(ngettext("%(num)s order was paid too much.", "%(num)s orders were paid too much.", found.owed),
                      url_for("refunds.index"))


# ---- the co-operative -----------------------------------------------------------------------------------------------


@bp.get("/village/refunds")
@requires("supplier.money")
def index() -> str:
    """What is owed back, what waits for a second person, what is on its way, what became of the rest."""
    tab = request.args.get("tab", "owed")
    tab = tab if tab in refund_lists.TAB_LABELS else "owed"
    counts = refund_lists.counts(current_user)
    found = (refund_lists.owed(current_user, counts["owed"], page_number()) if tab == "owed"
             else refund_lists.given(current_user, tab, counts[tab], page_number()))
    return render_template("orders/refunds/index.html", tab=tab, counts=counts, found=found, lists=refund_lists,
                           address=lambda page: url_for("refunds.index", tab=tab, page=page))


def ask_page(order_id: int) -> str:
    """How much is owed back, by which ways, and for which goods it may be."""
    order = refund_lists.order(order_id, current_user)
    return render_template(
        "orders/refunds/ask.html", order=order, most_fen=refund_sums.owed_fen(order), lists=refund_lists,
        proposed=refund_sums.proposed(order), cards=refund_sums.card_ways(order_id), lines=refund_sums.lines(order),
        refunds=refund_lists.of_order(order_id))


@bp.get(f"/village/orders/{ORDER}/refund")
@requires("supplier.money")
def new(order_id: int) -> str:
    return ask_page(order_id)


@bp.post(f"/village/orders/{ORDER}/refund")
@requires("refund.ask")
@shows_again(ask_page)
def ask(order_id: int) -> Response:
    """Ask for all, for an amount, or for so much of some lines."""
    refund_lists.order(order_id, current_user)  # a foreign order is unknown whatever is sent
    values = parse(RefundSchema)
    wanted = {line["line_id"]: line["milli"] for line in values["lines"] if line["milli"]}
    if values["what"] == "amount" and values["amount_fen"] is None:
        raise InvalidInput({"amount_fen": [REQUIRED]})

    def work() -> Response:
        if values["what"] == "whole":
            refunds.ask_whole(order_id, values["reason"], current_user)
        elif values["what"] == "amount":
            refunds.ask(order_id, values["amount_fen"], values["reason"], current_user, values["card_payment_id"])
        else:
            refunds.ask_by_lines(order_id, wanted, values["reason"], current_user, values["card_payment_id"])
        return _asked()

    try:
        return once(work)
    except InvalidInput as refusal:
        raise InvalidInput(_at_their_lines(refusal.fields, [line["line_id"] for line in values["lines"]])) from refusal


@bp.post(f"/village/orders/{ORDER}/refund/whole")
@requires("refund.ask")
@shows_again(ask_page)
def ask_whole(order_id: int) -> Response:
    """One press from the list: all that is owed back, to the cards first."""
    reason = parse(WholeSchema)["reason"]

    def work() -> Response:
        refunds.ask_whole(order_id, reason, current_user)
        return _asked()

    return once(work)


def _asked() -> Response:
    flash(_("Asked for. A second person of the co-operative confirms it."), "good")
    return see_other("refunds.index", tab="asked")


def _at_their_lines(fields: Mapping[str, list[str | MarketError]],
                    line_ids: list[int]) -> dict[str, list[str | MarketError]]:
    """Refusals by order line, under the names that the form's fields have."""
    names = {f"line-{line_id}": f"lines-{number}-milli" for number, line_id in enumerate(line_ids)}
    return {names.get(name, name): messages for name, messages in fields.items()}


def show_page(refund_id: int) -> str:
    """One refund of the co-operative's, with what its second person may do."""
    refund = refund_lists.refund(refund_id, Order.supplier_id == current_user.organisation_id)
    return render_template("orders/refunds/show.html", refund=refund, lists=refund_lists, today=clock.today(),
                           lines=refund_lists.lines_of([refund_id])[refund_id])


@bp.get(f"/village/refunds/{REFUND}")
@requires("supplier.money")
def show(refund_id: int) -> str:
    return show_page(refund_id)


@bp.get(f"/village/refunds/{REFUND}/voucher")
@requires("supplier.money")
def voucher(refund_id: int) -> Response:
    return send(refund_lists.voucher(refund_id, Order.supplier_id == current_user.organisation_id))


@bp.post(f"/village/refunds/{REFUND}/transfer")
@requires("refund.confirm")
@shows_again(show_page)
def confirm(refund_id: int) -> Response:
    """The second person says that the bank transfer was made."""
    refund_lists.refund(refund_id, Order.supplier_id == current_user.organisation_id)
    paid_on, slip = parse(TransferSchema)["paid_on"], uploads.sent("voucher")

    def work() -> Response:
        refunds.confirm(refund_id, paid_on, current_user, slip.keep().id if slip else None)
        flash(_("The refund is booked."), "good")
        return see_other("refunds.show", refund_id=refund_id)

    return once(work)


@bp.post(f"/village/refunds/{REFUND}/sending")
@requires("refund.confirm")
@shows_again(show_page)
def send_to_card(refund_id: int) -> Response:
    """The second person lets the money go back to the card."""
    def work() -> Response:
        card_refunds.send(refund_id, current_user)
        flash(_("The refund is being sent to the card provider."), "good")
        return see_other("refunds.show", refund_id=refund_id)

    return once(work)


@bp.post(f"/village/refunds/{REFUND}/refusal")
@requires("refund.ask")
@shows_again(show_page)
def refuse(refund_id: int) -> Response:
    """It is not to be given."""
    refund_lists.refund(refund_id, Order.supplier_id == current_user.organisation_id)
    reason = parse(RefusalSchema)["reason"]

    def work() -> Response:
        refunds.refuse(refund_id, reason, current_user)
        flash(_("The refund will not be given."), "waiting")
        return see_other("refunds.show", refund_id=refund_id)

    return once(work)


# ---- the unit -------------------------------------------------------------------------------------------------------


@bp.get("/payments/refunds")
@requires("purchase.read")
def to_unit() -> str:
    """What co-operatives give back to this unit."""
    found = refund_lists.to_units(orders_lists.unit_ids(current_user), page_number())
    return render_template("orders/refunds/to_unit.html", found=found, lists=refund_lists,
                           lines=refund_lists.lines_of([row.id for row in found.rows]),
                           address=lambda page: url_for("refunds.to_unit", page=page))


@bp.get(f"/payments/refunds/{REFUND}/voucher")
@requires("purchase.read")
def unit_voucher(refund_id: int) -> Response:
    return send(refund_lists.voucher(refund_id, Order.unit_id.in_(orders_lists.unit_ids(current_user))))
