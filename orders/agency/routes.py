"""The accountant's one list over many co-operatives, and the way from it into each one's own pages."""

from collections.abc import Mapping

from flask import Blueprint, Response, render_template, url_for
from flask_login import current_user

from market import db, file_routes, logins
from market.access import requires
from market.errors import N_
from market.schemas import Choice, Input, Whole
from market.web import MenuEntry, page_number, parse, see_other
from orders.agency import lists
from orders.agency import payouts as kept_payouts

bp = Blueprint("agency", __name__, url_prefix="/agency")

# where a figure leads: endpoint and what stands in its address; rooms that an installation leaves out have none
DOORS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "claims": ("receipts.index", {}), "bank": ("banking.index", {}), "owed": ("accounts.show", {}),
    "overdue": ("village_overdue.due", {}), "dues": ("income.index", {}),
    "payouts": ("income.index", {"tab": "payouts"}), "declared": ("income.index", {"tab": "declarations"}),
    "refunds": ("refunds.index", {}), "cards": ("village_cards.payments", {}), "tasks": ("reconciliation.index", {}),
    "runs": ("payout_runs.index", {}), "statements": ("statements.index", {}), "home": ("village_home.home", {}),
}


class BooksEntry(MenuEntry):
    """The way to the list, for those who keep books; a clerk has none to keep."""

    @property
    def shown(self) -> bool:
        return "accountant" in current_user.roles and super().shown


MENU = (BooksEntry("supplier", N_("My co-operatives"), "agency.index", "supplier.money", "list"),)
DESK = {"accountant": "agency.index"}


class VisitSchema(Input):
    """Which co-operative's page is wanted."""

    organisation_id = Whole(required=True)
    door = Choice(DOORS, required=True)


@bp.get("")
@requires("supplier.money")
def index() -> str:
    with db.snapshot():
        kept = lists.books(current_user)
        return render_template("orders/agency/index.html", books=kept, all=lists.together(kept))


@bp.get("/payouts")
@requires("supplier.money")
def payouts() -> str:
    """Payouts of all one's co-operatives, each with its proof."""
    return render_template("orders/agency/payouts.html", found=kept_payouts.payouts(current_user, page_number()),
                           address=lambda page: url_for("agency.payouts", page=page))


@bp.get("/payouts/<int(max=999999999999):payout_id>/proof")
@requires("supplier.money")
def payout_proof(payout_id: int) -> Response:
    return file_routes.send(kept_payouts.proof(payout_id, current_user))


@bp.post("/visits")
@requires("supplier.money")
def visit() -> Response:
    """Act for another of one's co-operatives from now on, and open a page of it."""
    values = parse(VisitSchema)
    with db.transaction():
        lists.check_kept(values["organisation_id"], current_user)
        logins.switch_organisation(current_user, values["organisation_id"])
    endpoint, address = DOORS[values["door"]]
    return see_other(endpoint, **address)
