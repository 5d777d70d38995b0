"""Households' bank accounts at the village desk: entered, confirmed by a second person, shown by four digits."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import db
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.payouts import account_lists, accounts
from orders.payouts.accounts import Said
from orders.payouts.schemas import AccountSchema

bp = Blueprint("household_accounts", __name__, url_prefix="/village/household-accounts")

MENU = (MenuEntry("supplier", N_("Household accounts"), "household_accounts.index", "payout.prepare", "lock",
                  group="people"),)
HOUSEHOLD, ACCOUNT = "<int(max=999999999999):household_id>", "<int(max=999999999999):household_account_id>"
STATE_LABELS = {"waiting": (N_("Waits for a second person"), "waiting"), "current": (N_("In use"), "good"),
                "former": (N_("Former"), "quiet"), "refused": (N_("Turned down"), "wrong")}


@bp.get("")
@requires("payout.prepare")
def index(household_account_id: int | None = None) -> str:
    tab = request.args.get("tab", "")
    tab = tab if tab in account_lists.TABS else "current"
    return render_template("orders/payouts/accounts.html", tab=tab,
                           found=account_lists.members(current_user, tab, page_number()),
                           address=lambda page: url_for("household_accounts.index", tab=tab, page=page))


@bp.get(f"/{HOUSEHOLD}")
@requires("payout.prepare")
def show(household_id: int, revealed: Any = None) -> str:
    return render_template(
        "orders/payouts/account.html", member=account_lists.member(household_id, current_user),
        history=account_lists.history(household_id, current_user), labels=STATE_LABELS, revealed=revealed)


@bp.post(f"/{HOUSEHOLD}")
@requires("payout.prepare")
@shows_again(show)
def enter(household_id: int) -> Response:
    account_lists.member(household_id, current_user)
    values = parse(AccountSchema)

    def work() -> Response:
        accounts.enter(household_id, Said(**values), current_user)
        flash(_("Written down. A second person compares it with the passbook and confirms it."), "good")
        return see_other("household_accounts.show", household_id=household_id)

    return once(work)


@bp.post(f"/entries/{ACCOUNT}/confirmation")
@requires("payout.prepare")
@shows_again(index)
def confirm(household_account_id: int) -> Response:
    return _decide(household_account_id, accounts.confirm, _("The account is in use from now on."))


@bp.post(f"/entries/{ACCOUNT}/refusal")
@requires("payout.prepare")
@shows_again(index)
def refuse(household_account_id: int) -> Response:
    return _decide(household_account_id, accounts.refuse, _("Decided."))


@bp.post(f"/entries/{ACCOUNT}/reveal")
@requires("account.reveal")
@shows_again(index)
def reveal(household_account_id: int) -> str:
    """The whole number, on this one page; the journal says who looked."""
    with db.transaction():
        row = accounts.reveal(household_account_id, current_user)
        household_id, number = row.household_id, row.number
    return show(household_id, revealed={"id": household_account_id, "number": number})


def _decide(account_id: int, verb: Callable[..., Any], words: str) -> Response:
    def work() -> Response:
        row = verb(account_id, current_user)
        flash(words, "good")
        return see_other("household_accounts.show", household_id=row.household_id)

    return once(work)
