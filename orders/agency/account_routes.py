"""The co-operative's account: by unit, by month, by monthly statement; down to orders and ledger rows."""

from flask import Blueprint, Response, render_template, request, url_for
from flask_login import current_user

from market import db, downloads, ledger
from market.access import requires
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.web import MenuEntry, page_number
from orders.agency import account, account_tables

bp = Blueprint("accounts", __name__, url_prefix="/village/account")

MENU = (MenuEntry("supplier", N_("Our account"), "accounts.show", "supplier.money", "report", group="money"),)


@bp.get("")
@requires("supplier.money")
def show() -> str:
    kind = _kind()
    with db.snapshot():
        lines = account.by_month(current_user) if kind == "month" else account.by_unit(current_user)
        return render_template(
            "orders/agency/account.html", kind=kind, lines=lines, all=account.together(lines),
            standing=account.standing(current_user), statement_list=account.statements(current_user, page_number()),
            balance_fen=-ledger.balance_fen(f"supplier:{current_user.organisation_id}"),
            address=lambda page: url_for("accounts.show", by=kind, page=page))


@bp.get("/table.<ending>")
@requires("supplier.money")
def download(ending: str) -> Response:
    if ending not in downloads.CONTENT_TYPES:
        raise NotFound()
    kind = _kind()
    title = f"{current_user.organisation_name} {_('Our account')}"
    with db.snapshot():
        return downloads.table(account_tables.table(kind, current_user, title), f"account-{kind}", ending)


@bp.get("/units/<int(max=999999999999):unit_id>")
@requires("supplier.money")
def unit(unit_id: int) -> str:
    """The orders of one unit."""
    found, orders = account.unit_orders(unit_id, current_user, page_number())
    return render_template("orders/agency/unit.html", unit=found, orders=orders,
                           address=lambda page: url_for("accounts.unit", unit_id=unit_id, page=page))


def _kind() -> str:
    kind = request.args.get("by", "unit")
    if kind not in account_tables.KINDS:
        raise NotFound()
    return kind
