"""Monthly statements: issued by the co-operative, confirmed or objected to by the unit, paid by one transfer."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, uploads, web
from market.access import can, requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.schemas import Fen, Input
from market.web import asked_month, once, page_number, parse, see_other, shows_again
from orders.papers import facts, printing, statement_lists, statements
from orders.papers.routes import shown
from orders.papers.schemas import ReasonSchema, StatementClaimSchema, StatementSchema
from orders.paying import claims, desk

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
    return render_template(
        "orders/papers/statement.html", statement=found, lines=lines, sums=statement_lists.sums(lines),
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
    """The statement's orders that are still open, each with what is open, to be claimed as one transfer."""
    found = statement_lists.statement(statement_id, current_user)
    order_ids = statement_lists.accepted_orders(statement_id)
    papers = facts.order_papers(order_ids, current_user) if order_ids else []
    sides = facts.parties([found.supplier_id, found.unit_id])
    return render_template(
        "orders/papers/pay.html", statement=found, payee=sides[found.supplier_id], today=clock.today(),
        payer_name=sides[found.unit_id].name, papers=[paper for paper in papers if paper.open_fen > 0])


@bp.post(f"/{STATEMENT}/payment-claim")
@requires("payment.claim")
@shows_again(pay)
def claim(statement_id: int) -> Response:
    statement_lists.statement(statement_id, current_user)
    values, photo = parse(StatementClaimSchema), uploads.sent("voucher")
    amounts = _amounts(statement_id)

    def work() -> Response:
        kept = photo.keep().id if photo else None
        claims.claim(amounts, claims.Remittance(values["payer_name"], values["paid_on"], kept), current_user)
        flash(_("Noted. The co-operative will confirm when the money has arrived."), "good")
        return see_other("statements.show", statement_id=statement_id)

    return once(work)


def _amounts(statement_id: int) -> dict[int, int]:
    """What was typed for each order of the statement; empty fields are not paid. Raises InvalidInput."""
    names = {f"order-{order_id}": order_id for order_id in statement_lists.accepted_orders(statement_id)}
    typed = {name: request.form[name] for name in names if request.form.get(name, "").strip()}
    schema = Input.from_dict({name: Fen(required=True) for name in typed})
    values = web.load(schema(), typed) if typed else {}
    if not values:
        raise InvalidInput({"orders": [N_("Say for at least one order what was paid.")]})
    return {names[name]: fen for name, fen in values.items()}
