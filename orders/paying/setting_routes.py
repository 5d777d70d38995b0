"""How an organisation pays or is paid: chosen by its manager; and the orders that a co-operative packs once paid."""

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.paying import lists, settings
from orders.paying.schemas import PayerSchema, SettingSchema

bp = Blueprint("payment_settings", __name__)

MENU = tuple(MenuEntry(door, label, "payment_settings.show", "payment.settings", "edit", group="money")
             for door, label in (("unit", N_("How we pay")), ("supplier", N_("How we are paid"))))


@bp.get("/payment-settings")
@requires("payment.settings")
def show() -> str:
    is_unit = current_user.organisation_kind == "unit"
    return render_template(
        "orders/paying/settings.html", found=settings.of(current_user.organisation_id), is_unit=is_unit,
        payers=settings.payers(current_user.organisation_id) if is_unit else [], labels=settings.PAYER_LABELS)


@bp.post("/payment-settings")
@requires("payment.settings")
@shows_again(show)
def choose() -> Response:
    chosen = parse(SettingSchema)["chosen"] == "yes"

    def work() -> Response:
        settings.choose(chosen, current_user)
        flash(_("Kept. It holds for orders from now on."), "good")
        return see_other("payment_settings.show")

    return once(work)


@bp.post("/payment-settings/payers")
@requires("payment.settings")
@shows_again(show)
def declare() -> Response:
    """Who else pays for the unit."""
    values = parse(PayerSchema)

    def work() -> Response:
        settings.declare(values["name"], values["kind"], current_user)
        flash(_("Declared. Co-operatives see it with each claim."), "good")
        return see_other("payment_settings.show")

    return once(work)


@bp.post("/payment-settings/payers/<int(max=999999999999):payer_id>/end")
@requires("payment.settings")
@shows_again(show)
def end(payer_id: int) -> Response:
    def work() -> Response:
        settings.end(payer_id, current_user)
        return see_other("payment_settings.show")

    return once(work)


@bp.get("/village/pay-first")
@requires("supplier.read")
def paid_first() -> str:
    """Orders that are packed once they are paid, and which of them are past their day."""
    return render_template("orders/paying/paid_first.html",
                           found=lists.paid_first_with(current_user.organisation_id, page_number()),
                           address=lambda page: url_for("payment_settings.paid_first", page=page))
