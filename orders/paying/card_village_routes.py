"""The co-operative's side of card payments: what came, and its account at the card provider."""

from flask import Blueprint, Response, current_app, flash, render_template, url_for
from flask_login import current_user

from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, see_other, shows_again
from orders.paying import card_accounts, card_lists
from orders.paying.gateway import Gateway

bp = Blueprint("village_cards", __name__, url_prefix="/village")

MENU = (MenuEntry("supplier", N_("Card account"), "village_cards.account", "card.connect", "money", group="money"),)


def gateway() -> Gateway:
    found: Gateway = current_app.extensions["sijin_gateway"]
    return found


@bp.get("/card-payments")
@requires("supplier.money")
def payments() -> str:
    return render_template(
        "orders/cards/village.html", found=card_lists.of_supplier(current_user, page_number()),
        labels=card_lists.STATE_LABELS, tones=card_lists.TONES, ways=card_lists.WAY_LABELS,
        address=lambda page: url_for("village_cards.payments", page=page))


@bp.get("/card-account")
@requires("card.connect")
def account() -> str:
    return render_template("orders/cards/account.html", account=card_accounts.own(current_user), on=gateway().is_on,
                           live=gateway().live, way_there=None)


@bp.post("/card-account")
@requires("card.connect")
@shows_again(account)
def connect() -> Response:
    """An account of its own, or the one that it had."""
    card_accounts.connect(current_user, gateway())
    flash(_("The account is connected. Please tell the provider who you are, if it has not asked already."), "good")
    return see_other("village_cards.account")


@bp.post("/card-account/onboarding")
@requires("card.connect")
@shows_again(account)
def onboarding() -> str:
    """The way to the provider's own pages: a link that holds for some minutes, shown and not kept."""
    there = card_accounts.onboarding_url(current_user, gateway())
    return render_template("orders/cards/account.html", account=card_accounts.own(current_user), on=True,
                           live=gateway().live, way_there=there)


@bp.post("/card-account/check")
@requires("card.connect")
@shows_again(account)
def check() -> Response:
    """Ask the provider whether the account may take money."""
    if card_accounts.check(current_user, gateway()):
        flash(_("The account takes cards and wallets."), "good")
    else:
        flash(_("The provider still wants to know something: the account takes no money yet."), "waiting")
    return see_other("village_cards.account")


@bp.post("/card-account/disconnection")
@requires("card.connect")
@shows_again(account)
def disconnect() -> Response:
    def work() -> Response:
        card_accounts.disconnect(current_user)
        flash(_("Cards are no longer offered to units."), "good")
        return see_other("village_cards.account")

    return once(work)
