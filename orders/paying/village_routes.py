"""The village desk's money: claims to confirm or refuse, sums by unit, the statement of its account."""

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import ledger, money, waiting
from market.access import requires
from market.errors import N_
from market.file_routes import send
from market.i18n import gettext as _
from market.i18n import ngettext
from market.web import MenuEntry, asked_month, once, page_number, parse, see_other, shows_again, whole_argument
from orders.agency import confirming
from orders.paying import claims, desk, lists
from orders.paying.village_schemas import ReceiptsSchema, RefusalSchema

bp = Blueprint("receipts", __name__, url_prefix="/village")

MENU = (MenuEntry("supplier", N_("Money"), "receipts.index", "supplier.read", "money"),)
CLAIM = "<int(max=999999999999):claim_id>"


@bp.get("/payments")
@requires("supplier.read")
def index() -> str:
    state = request.args.get("state", "claimed")
    state = state if state in desk.STATE_LABELS else "claimed"
    found = desk.claims(current_user, state, page_number())
    sent = request.form.getlist("claims[]") if request.method == "POST" else None
    return render_template("orders/village/payments.html", state=state, labels=desk.STATE_LABELS, found=found,
                           orders=lists.parts([row.id for row in found.rows]),
                           ticks=desk.ticks(found.rows, current_user, sent), checking=desk.being_checked(current_user),
                           sums=desk.sums_by_unit(current_user),
                           waiting=waiting.for_visitor(current_user, "sijin_money_waiting"))


@bp.post("/payment-claims/receipts")
@requires("payment.receive")
@shows_again(index)
def confirm_all() -> Response:
    """The money of every ticked transfer is on the co-operative's account: one tap, all or none."""
    values = parse(ReceiptsSchema)
    seen = confirming.Seen(values["seen_claims"], values["seen_fen"])

    def work() -> Response:
        done = confirming.confirm_all(values["claims"], seen, current_user)
        flash(ngettext("%(num)s transfer is booked: ¥%(sum)s.", "%(num)s transfers are booked: ¥%(sum)s.", len(done),
                       sum=money.yuan(sum(row.amount_fen for row in done))), "good")
        return see_other("receipts.index")

    return once(work)


@bp.get(f"/payment-claims/{CLAIM}")
@requires("supplier.read")
def show(claim_id: int) -> str:
    claim, parts = desk.claim(claim_id, current_user)
    return render_template("orders/village/claim.html", claim=claim, parts=parts, labels=desk.STATE_LABELS)


@bp.get(f"/payment-claims/{CLAIM}/voucher")
@requires("supplier.read")
def voucher(claim_id: int) -> Response:
    """The paying unit's paper, which also the receiver of the money may read."""
    return send(desk.voucher(claim_id, current_user))


@bp.post(f"/payment-claims/{CLAIM}/receipt")
@requires("payment.receive")
@shows_again(show)
def confirm(claim_id: int) -> Response:
    """The money is on the co-operative's account."""
    def work() -> Response:
        claims.confirm(claim_id, current_user)
        flash(_("The money is booked."), "good")
        return see_other("receipts.show", claim_id=claim_id)

    return once(work)


@bp.post(f"/payment-claims/{CLAIM}/refusal")
@requires("payment.receive")
@shows_again(show)
def refuse(claim_id: int) -> Response:
    """The money has not arrived; the unit may claim again."""
    reason = parse(RefusalSchema)["reason"]

    def work() -> Response:
        claims.refuse(claim_id, reason, current_user)
        flash(_("The unit is told that the money was not found."), "waiting")
        return see_other("receipts.show", claim_id=claim_id)

    return once(work)


@bp.get("/payments/statement")
@requires("supplier.read")
def statement() -> str:
    unit_id, month = whole_argument("unit"), asked_month() if request.args.get("month") else ""
    rows, following = desk.statement(current_user, whole_argument("before"), unit_id, month)
    balance = -ledger.balance_fen(f"supplier:{current_user.organisation_id}")
    return render_template(
        "orders/village/statement.html", rows=rows, balance_fen=balance, labels=desk.EVENT_LABELS, month=month,
        unit_id=unit_id,
        older=url_for("receipts.statement", before=following, unit=unit_id, month=month or None) if following else None)
