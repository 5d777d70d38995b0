"""The officials' side: tender limits by area and year, and what became of what stood out."""

from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, db, paging
from market.access import can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import MenuEntry, asked_month, once, page_number, parse, see_other, shows_again
from orders.approving import handling, tenders
from orders.approving.schemas import HandlingSchema, TenderLimitSchema
from orders.reports import anomalies
from orders.reports.readers import reader_of

bp = Blueprint("approving_office", __name__, url_prefix="/office")

MENU = (
    MenuEntry("office", N_("Anomalies"), "approving_office.anomalies_", "anomaly.read", "warning", group="todo"),
    MenuEntry("office", N_("Tender limits"), "approving_office.tender_limits", "tender.read", "money", group="look"),
)


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


@bp.get("/anomalies")
@requires("anomaly.read")
def anomalies_() -> str:
    month = asked_month()
    with db.snapshot():
        found = anomalies.found(month, month, reader_of(current_user, "anomaly.read").where)
    kind = request.args.get("kind") if request.args.get("kind") in anomalies.KINDS else None
    chosen = [one for one in found if kind in (None, one.kind)]
    shown = paging.cut(chosen, page_number())

    def address(**changes: Any) -> str:
        wanted = {"month": month, "kind": kind, **changes}
        return url_for("approving_office.anomalies_", **{n: v for n, v in wanted.items() if v})

    return render_template(
        "orders/approving/anomalies.html", rows=shown.rows, page=shown.page, pages=shown.pages, month=month, kind=kind,
        kinds=anomalies.KINDS, results=handling.RESULT_LABELS, total=len(found), address=address,
        counts={name: sum(one.kind == name for one in found) for name in anomalies.KINDS},
        earlier=clock.months_before(month, 1), may_handle=can(current_user, "anomaly.handle"))


@bp.post("/anomalies")
@requires("anomaly.handle")
@shows_again(anomalies_)
def handle() -> Response:
    month = asked_month()
    values = parse(HandlingSchema)

    def work() -> Response:
        found = anomalies.found(month, month, reader_of(current_user, "anomaly.read").where)
        handling.handle(values, {(one.kind, one.key) for one in found}, current_user)
        flash(_("Noted."), "good")
        return see_other("approving_office.anomalies_", month=month)

    return once(work)
