"""What cards are estimated and noted with: cost ratios and monitoring lines, each with who entered it."""

from flask import Blueprint, Response, flash, render_template
from flask_login import current_user

from market.access import can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, parse, see_other, shows_again
from orders.households import costs, lines, years
from orders.households.schemas import LineSchema, RatioSchema

bp = Blueprint("household_figures", __name__, url_prefix="/office/household-figures")

MENU = (MenuEntry("office", N_("Cost ratios"), "household_figures.index", "cost_ratio.read", "report", group="keep"),)


@bp.get("")
@requires("cost_ratio.read")
def index() -> str:
    year = years.present()
    return render_template(
        "orders/households/figures.html", year=year, years=years, ratios=costs.holding(year), kept=costs.kept(),
        shelves=costs.shelves(), lines=lines.kept(current_user),
        may_ratio=can(current_user, "cost_ratio.keep") and current_user.office_kind in costs.KEEPERS,
        may_line=can(current_user, "monitoring_line.keep"))


@bp.post("/ratios")
@requires("cost_ratio.keep")
@shows_again(index)
def put_ratio() -> Response:
    values = parse(RatioSchema)

    def work() -> Response:
        costs.put(**values, by=current_user)
        flash(_("Noted. It is used to estimate, from that year on."), "good")
        return see_other("household_figures.index")

    return once(work)


@bp.post("/lines")
@requires("monitoring_line.keep")
@shows_again(index)
def put_line() -> Response:
    values = parse(LineSchema)

    def work() -> Response:
        lines.put(values["line_year"], values["amount_fen"], values["line_source"], current_user)
        flash(_("Noted. It stands on the cards of your area as a note."), "good")
        return see_other("household_figures.index")

    return once(work)
