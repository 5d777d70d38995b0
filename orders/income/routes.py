"""The village desk's income pages: what is owed to households and collectives, what was paid out and declared."""

from flask import Blueprint, Response, render_template, request, url_for
from flask_login import current_user

from catalog import origins
from market import db, file_routes, paging
from market.access import requires
from market.errors import N_, NotFound
from market.web import MenuEntry, page_number
from orders.income import desk
from orders.payouts import lists, owed

bp = Blueprint("income", __name__, url_prefix="/village/income")

MENU = (MenuEntry("supplier", N_("Villages' income"), "income.index", "supplier.read", "household", group="people"),)
TABS = ("owed", "payouts")
SMALL_FEN = 100  # what is owed below this may wait for the next payment


@bp.get("")
@requires("supplier.read")
def index() -> str:
    tab = request.args.get("tab", "owed")
    tab = tab if tab in TABS else "owed"
    return render_template(
        "orders/village/income.html", tab=tab,
        dues=desk.dues(current_user) if tab == "owed" else (),
        found=desk.payouts(current_user, page_number()) if tab == "payouts" else None)


@bp.get("/villages/<int(max=999999999999):village_id>")
@requires("supplier.read")
def village(village_id: int) -> str:
    """What each household of a village, and its collective, is owed; rests under ¥1 only on request."""
    with db.snapshot():
        everything = owed.of(supplier_id=current_user.organisation_id, villages=[village_id])
        if not everything and not origins.own_villages(current_user.organisation_id, [village_id]):
            raise NotFound()
        shows_rests = request.args.get("rests") == "1"
        rows = [one for one in everything if shows_rests or not 0 <= one.unpaid_fen < SMALL_FEN]
        shown = paging.cut(rows, page_number())
        return render_template(
            "orders/payouts/village.html", village_id=village_id, path=lists.paths([village_id])[village_id],
            rows=shown.rows, page=shown.page, pages=shown.pages, everything=everything, shows_rests=shows_rests,
            hidden=len(everything) - len(rows),
            names=lists.names(current_user.organisation_id, {one.household_id for one in shown.rows
                                                             if one.household_id is not None}),
            address=lambda page: url_for("income.village", village_id=village_id, page=page,
                                         rests="1" if shows_rests else None))


@bp.get("/payouts/<int(max=999999999999):payout_id>/proof")
@requires("supplier.read")
def proof(payout_id: int) -> Response:
    """The receipt or slip behind a payout of one's own."""
    return file_routes.send(desk.payout_proof(payout_id, current_user))
