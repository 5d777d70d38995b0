"""What a unit owes, and saying that a bank transfer was made."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, money, uploads, web
from market.access import can, requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.schemas import Fen, Input
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from orders.buying import lists as orders_lists
from orders.buying import steps
from orders.paying import claims as verbs
from orders.paying import lists, terms
from orders.paying.schemas import ClaimSchema, RemittanceSchema

bp = Blueprint("paying", __name__)

MENU = (MenuEntry("unit", N_("Payments"), "paying.payments", "purchase.read", "money"),)
CLAIM = "<int(max=999999999999):claim_id>"
ORDER = "<int(max=999999999999):order_id>"
FIELD = re.compile(r"order-([0-9]{1,12})")


@bp.get("/payments")
@requires("purchase.read")
def payments() -> str:
    """What accepted goods still cost, by co-operative and order, and what is paid before it is packed."""
    units = orders_lists.unit_ids(current_user)
    owed = lists.owed(units, page_number())
    return render_template("orders/paying/payments.html", owed=owed, first=lists.to_pay_first(units),
                           address=lambda page: url_for("paying.payments", page=page))


# ---- one transfer for several orders --------------------------------------------------------------------------------


@bp.get("/payments/transfer")
@requires("payment.claim")
def transfer() -> str:
    """The orders of one co-operative that one transfer pays: those ticked, or all of it that are open."""
    order_ids = _asked_orders()
    orders = lists.to_transfer(current_user.organisation_id, order_ids) if order_ids else []
    suppliers = {order.supplier_id for order in orders}
    return render_template(
        "orders/paying/transfer.html", orders=orders, is_one=len(suppliers) == 1, today=clock.today(),
        payee=lists.payee(orders[0].supplier_id) if len(suppliers) == 1 else None,
        payer_name=lists.payee(current_user.organisation_id).name)


@bp.post("/payments/transfer")
@requires("payment.claim")
@shows_again(transfer)
def claim_several() -> Response:
    lists.to_transfer(current_user.organisation_id, _asked_orders())  # foreign orders are unknown whatever is typed
    values, photo = parse(RemittanceSchema), uploads.sent("voucher")
    amounts = typed_amounts(_asked_orders())

    def say() -> Response:
        kept = photo.keep().id if photo else None
        made = verbs.claim(amounts, verbs.Remittance(values["payer_name"], values["paid_on"], kept), current_user)
        tell_claimed(amounts)
        return see_other("paying.show", claim_id=made.id)

    return once(say)


def _asked_orders() -> list[int]:
    """The orders a form or an address names."""
    if request.method == "POST":
        return [int(found[1]) for name in request.form if (found := FIELD.fullmatch(name))]
    supplier_id = whole_argument("supplier")
    if supplier_id is not None:
        return lists.open_with(current_user.organisation_id, supplier_id)
    asked = [text for text in request.args.getlist("order") if text.isascii() and text.isdigit() and len(text) < 13]
    return [int(text) for text in asked[:lists.MOST_AT_ONCE]]


def typed_amounts(order_ids: Collection[int]) -> dict[int, int]:
    """What was typed for each of these orders, in fields order-<id>; empty fields are not paid. Raises InvalidInput."""
    names = {f"order-{order_id}": order_id for order_id in order_ids}
    typed = {name: request.form[name] for name in names if request.form.get(name, "").strip()}
    schema = Input.from_dict({name: Fen(required=True) for name in typed})
    values = web.load(schema(), typed) if typed else {}
    if not values:
        raise InvalidInput({"orders": [N_("Say for at least one order what was paid.")]})
    return {names[name]: fen for name, fen in values.items()}


def tell_claimed(amounts: Mapping[int, int]) -> None:
    """Say that the claim is noted, and where it is more than is open, how much will be owed back."""
    flash(_("Noted. The co-operative will confirm when the money has arrived."), "good")
    over = verbs.over_fen(list(amounts))
    if over:
        flash(_("This is ¥%(yuan)s more than is open. Once it has arrived the co-operative owes it back to you.",
                yuan=money.yuan(over)), "waiting")


# ---- claims ---------------------------------------------------------------------------------------------------------


@bp.get("/payments/claims")
@requires("purchase.read")
def claims() -> str:
    """What the unit says it has paid, and what the co-operatives answered."""
    found, parts = lists.claims(orders_lists.unit_ids(current_user), page_number())
    return render_template("orders/paying/claims.html", found=found, parts=parts,
                           address=lambda page: url_for("paying.claims", page=page))


@bp.get(f"/payments/claims/{CLAIM}")
@requires("purchase.read")
def show(claim_id: int) -> str:
    """One claim: what was said, what the co-operative answered, what can be done."""
    found, parts = lists.claim(claim_id, orders_lists.unit_ids(current_user))
    own = found.unit_id == current_user.organisation_id
    return render_template(
        "orders/paying/claim.html", claim=found, parts=parts,
        may_withdraw=own and found.state == "claimed" and found.origin == "unit" and can(current_user, "payment.claim"),
        may_claim=own and can(current_user, "payment.claim"))


@bp.post(f"/payments/claims/{CLAIM}/withdrawal")
@requires("payment.claim")
@shows_again(show)
def withdraw(claim_id: int) -> Response:
    """What was claimed by mistake counts no more."""
    def work() -> Response:
        verbs.withdraw(claim_id, current_user)
        flash(_("Taken back. The co-operative is told; claim again as it was."), "good")
        return see_other("paying.show", claim_id=claim_id)

    return once(work)


# ---- one order ------------------------------------------------------------------------------------------------------


@bp.get(f"/orders/{ORDER}/payment-claims")
@requires("purchase.read")
def order_claims(order_id: int) -> str:
    order = orders_lists.order(order_id, orders_lists.unit_ids(current_user))
    found = lists.claims_of(order_id)
    claimed = sum(claim.part_fen for claim in found if claim.state == "claimed")
    return render_template(
        "orders/paying/order_claims.html", order=order, claims=found, claimed_fen=claimed,
        may=steps.possible(order, current_user), payee=lists.payee(order.supplier_id), today=clock.today(),
        payer_name=lists.payee(order.unit_id).name, may_extend=_may_extend(order))


def _may_extend(order: Any) -> bool:
    return (order.unit_id == current_user.organisation_id and terms.may_extend(order)
            and can(current_user, "payment.extend"))


@bp.post(f"/orders/{ORDER}/payment-claims")
@requires("payment.claim")
@shows_again(order_claims)
def claim(order_id: int) -> Response:
    orders_lists.order(order_id, orders_lists.unit_ids(current_user))
    values, photo = parse(ClaimSchema), uploads.sent("voucher")

    def say() -> Response:
        kept = photo.keep().id if photo else None
        amounts = {order_id: values["amount_fen"]}
        try:
            verbs.claim(amounts, verbs.Remittance(values["payer_name"], values["paid_on"], kept), current_user)
        except verbs.TooMuchClaimed as refusal:
            raise InvalidInput({"amount_fen": [refusal]}) from refusal
        tell_claimed(amounts)
        return see_other("paying.order_claims", order_id=order_id)

    return once(say)


@bp.post(f"/orders/{ORDER}/extension")
@requires("payment.extend")
@shows_again(order_claims)
def extend(order_id: int) -> Response:
    """15 more days to pay an order that is paid first, once."""
    orders_lists.order(order_id, orders_lists.unit_ids(current_user))

    def work() -> Response:
        last = terms.extend(order_id, current_user)
        flash(_("15 days more: to be paid by %(day)s. The co-operative is told.", day=last.isoformat()), "good")
        return see_other("paying.order_claims", order_id=order_id)

    return once(work)
