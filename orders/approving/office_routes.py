"""The officials' side: tender limits by area and year."""

from flask import Blueprint, Response, flash, render_template
from flask_login import current_user

from market import clock
from market.access import can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, once, parse, see_other, shows_again
from orders.approving import tenders
from orders.approving.schemas import TenderLimitSchema

bp = Blueprint("approving_office", __name__, url_prefix="/office")

MENU = (MenuEntry("office", N_("Tender limits"), "approving_office.tender_limits", "tender.read", "money",
                  group="look"),)


@bp.get("/tender-limits")
@requires("tender.read")
def tender_limits() -> str:
    return render_template(
        "orders/approving/tender_limits.html", limits=tenders.listed(), categories=tenders.categories(),
        areas=tenders.areas(current_user), year=clock.today().year,
        may_keep=can(current_user, "tender.keep") and current_user.office_kind in tenders.KEEPERS)


@bp.post("/tender-limits")
@requires("tender.keep")
@shows_again(tender_limits)
def put_limit() -> Response:
    values = parse(TenderLimitSchema)

    def work() -> Response:
        tenders.put(values, current_user)
        flash(_("Saved."), "good")
        return see_other("approving_office.tender_limits")

    return once(work)
