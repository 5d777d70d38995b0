"""Monthly statements: issued by the co-operative, confirmed or objected to by the unit, paid by one transfer."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, uploads
from market.access import can, requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.web import asked_month, once, page_number, parse, see_other, shows_again
from orders.papers import facts, printing, statement_lists, statements
from orders.papers.routes import shown
from orders.papers.schemas import ReasonSchema, StatementClaimSchema, StatementSchema
from orders.paying import claims, desk, lists
from orders.paying.routes import tell_claimed, typed_amounts

bp = Blueprint("statements", __name__, url_prefix="/documents/statements")

STATEMENT = "<int(max=999999999999):statement_id>"
STATE_LABELS: Mapping[str, str] = {
    "issued": N_("Waits for an answer"), "confirmed": N_("Agreed"), "objected": N_("Objected to"),
}


@bp.get("")
@requires("trade_paper.read")
def index() -> str:
    before = clock.months_before(clock.period_of(clock.today()), 1)
    month = asked_month() if request.values.get("month") else before
    to_issue = statement_lists.to_issue(current_user, month) if can(current_user, "statement.issue") else []
    return render_template(
        "orders/papers/statements.html", found=statement_lists.statements(current_user, page_number()), month=month,
        labels=STATE_LABELS, to_issue=to_issue, may_issue=can(current_user, "statement.issue"),
        is_over=month < clock.period_of(clock.today()),
        address=lambda page: url_for("statements.index", month=month, page=page))


@bp.post("")
@requires("statement.issue")
@shows_again(index)
def issue() -> Response:
    values = parse(StatementSchema)

    def work() -> Response:
        made = statements.issue(values["unit_id"], values["month"], current_user)
        flash(_("The statement is issued; the unit is told."), "good")
        return see_other("statements.show", statement_id=made.id)

    return once(work)


@bp.get(f"/{STATEMENT}")
@requires("trade_paper.read")
def show(statement_id: int) -> str:
    found = statement_lists.statement(statement_id, current_user)
    lines = statement_lists.lines(statement_id)
    own = found.unit_id == current_user.organisation_id
    left_fen = sum(max(order.open_fen - order.claimed_fen, 0) for order in _open_orders(found))
    return render_template(
        "orders/papers/statement.html", statement=found, left_fen=left_fen, lines=lines,
        sums=statement_lists.sums(lines),
        labels=STATE_LABELS, events=desk.EVENT_LABELS, invoiced_fen=statement_lists.invoiced_fen(statement_id),
        has_goods=any(line.event == "accepted" for line in lines),
        may_answer=own and can(current_user, "statement.answer"), may_ask=own and can(current_user, "invoice.ask"),
        may_pay=own and can(current_user, "payment.claim"))


@bp.post(f"/{STATEMENT}/confirmation")
@requires("statement.answer")
@shows_again(show)
def confirm(statement_id: int) -> Response:
    def work() -> Response:
        statements.confirm(statement_id, current_user)
        flash(_("Agreed. The co-operative is told."), "good")
        return see_other("statements.show", statement_id=statement_id)

    return once(work)


@bp.post(f"/{STATEMENT}/objection")
@requires("statement.answer")
@shows_again(show)
def object_to(statement_id: int) -> Response:
    statement_lists.statement(statement_id, current_user)  # a foreign one is unknown whatever the form holds
    reason = parse(ReasonSchema)["reason"]

    def work() -> Response:
        statements.object_to(statement_id, reason, current_user)
        flash(_("The co-operative is told what you object to."), "waiting")
        return see_other("statements.show", statement_id=statement_id)

    return once(work)


@bp.get(f"/{STATEMENT}/statement.pdf")
@requires("trade_paper.read")
def pdf(statement_id: int) -> Response:
    found = statement_lists.statement(statement_id, current_user)
    return shown(printing.statement(statement_id, current_user), found.number)


@bp.get(f"/{STATEMENT}/payment-request.pdf")
@requires("trade_paper.read")
def payment_request(statement_id: int) -> Response:
    found = statement_lists.statement(statement_id, current_user)
    return shown(printing.statement_request(statement_id, current_user), f"{found.number}-payment-request")


# ---- one transfer for all of it -------------------------------------------------------------------------------------


@bp.get(f"/{STATEMENT}/payment-claim")
@requires("payment.claim")
def pay(statement_id: int) -> str:
    """What the statement leaves open, oldest first, to be claimed as one transfer."""
    found = statement_lists.statement(statement_id, current_user)
    sides = facts.parties([found.supplier_id, found.unit_id])
    return render_template(
        "orders/papers/pay.html", statement=found, payee=lists.payee(found.supplier_id), today=clock.today(),
        payer_name=sides[found.unit_id].name, orders=_open_orders(found))


@bp.post(f"/{STATEMENT}/payment-claim")
@requires("payment.claim")
@shows_again(pay)
def claim(statement_id: int) -> Response:
    found = statement_lists.statement(statement_id, current_user)
    values, photo = parse(StatementClaimSchema), uploads.sent("voucher")
    amounts = _amounts(found, values["total_fen"])

    def work() -> Response:
        kept = photo.keep().id if photo else None
        claims.claim(amounts, claims.Remittance(values["payer_name"], values["paid_on"], kept), current_user,
                     statement_id)
        tell_claimed(amounts)
        return see_other("statements.show", statement_id=statement_id)

    return once(work)


def _open_orders(statement: Any) -> Sequence[Any]:
    """Orders accepted up to the statement's end that are not paid yet, what is to be paid first at the top."""
    ids = statement_lists.payable(statement)
    return lists.to_transfer(statement.unit_id, ids) if ids else []


def _amounts(statement: Any, total_fen: int | None) -> dict[int, int]:
    """What was typed for single orders, else the whole sum laid on the oldest first. Raises InvalidInput."""
    orders = _open_orders(statement)
    ids = [order.id for order in orders]
    if total_fen is None or any(request.form.get(f"order-{order_id}", "").strip() for order_id in ids):
        amounts = typed_amounts(ids)
        if total_fen is not None and sum(amounts.values()) != total_fen:
            raise InvalidInput({"total_fen": [N_("The single amounts do not add up to this sum.")]})
        return amounts
    if not ids:
        raise InvalidInput({"orders": [N_("Say for at least one order what was paid.")]})
    return claims.oldest_first([(order.id, order.open_fen - order.claimed_fen) for order in orders], total_fen)
