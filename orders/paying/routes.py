"""What a unit owes, and saying that a bank transfer was made."""


from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market import clock, uploads
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.buying import lists as orders_lists
from orders.buying import steps
from orders.paying import claims as verbs
from orders.paying import lists
from orders.paying.schemas import ClaimSchema

bp = Blueprint("paying", __name__)

MENU = (MenuEntry("unit", N_("Payments"), "paying.payments", "purchase.read", "money"),)



@bp.get("/payments")
@requires("purchase.read")
def payments() -> str:
    """What accepted goods still cost, by co-operative and order."""
    owed = lists.owed(orders_lists.unit_ids(current_user), page_number())
    return render_template("orders/paying/payments.html", owed=owed,
                           address=lambda page: url_for("paying.payments", page=page))


@bp.get("/payments/claims")
@requires("purchase.read")
def claims() -> str:
    """What the unit says it has paid, and what the co-operatives answered."""
    found, parts = lists.claims(orders_lists.unit_ids(current_user), page_number())
    return render_template("orders/paying/claims.html", found=found, parts=parts,
                           address=lambda page: url_for("paying.claims", page=page))


@bp.get("/orders/<int(max=999999999999):order_id>/payment-claims")
@requires("purchase.read")
def order_claims(order_id: int) -> str:
    order = orders_lists.order(order_id, orders_lists.unit_ids(current_user))
    found = lists.claims_of(order_id)
    claimed = sum(claim.part_fen for claim in found if claim.state == "claimed")
    return render_template(
        "orders/paying/order_claims.html", order=order, claims=found, claimed_fen=claimed,
        may=steps.possible(order, current_user), payee=lists.payee(order.supplier_id), today=clock.today(),
        payer_name=lists.payee(order.unit_id).name)


@bp.post("/orders/<int(max=999999999999):order_id>/payment-claims")
@requires("payment.claim")
@shows_again(order_claims)
def claim(order_id: int) -> Response:
    orders_lists.order(order_id, orders_lists.unit_ids(current_user))
    values, photo = parse(ClaimSchema), uploads.sent("voucher")

    def say() -> Response:
        kept = photo.keep().id if photo else None
        verbs.claim({order_id: values["amount_fen"]}, verbs.Remittance(values["payer_name"], values["paid_on"], kept),
                    current_user)
        flash(_("Noted. The co-operative will confirm when the money has arrived."), "good")
        return see_other("paying.order_claims", order_id=order_id)

    return once(say)
