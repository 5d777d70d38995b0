"""What payments keep of one another, looked at again: rows of the bank, claims, moved money, lines of refunds, and the
payment state of every order.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from market import db
from market.errors import N_
from market.problem import Problem
from orders import states
from orders.models import BankRow, BankStatement, ClaimPart, Order, PaymentClaim, ReceiptShare, Refund, RefundLine

BATCH = 2000
LAID = ("matched", "part", "over")  # states of a bank's row that lies on a claim


def problems() -> Iterator[Problem]:
    """Constant statements, whatever there is."""
    yield from _bank_problems()
    yield from _upload_problems()
    yield from _found_problems()
    yield from _party_problems()
    yield from _moved_problems()
    yield from _refund_line_problems()
    yield from _state_problems()


def _bank_problems() -> Iterator[Problem]:
    """A row that fits lies on a claim over its amount to the same co-operative, not given up; others lie on none."""
    row, claim = db.table(BankRow).c, db.table(PaymentClaim).c
    right = and_(claim.id.is_not(None), claim.amount_fen == row.amount_fen, claim.supplier_id == row.supplier_id,
                 claim.state.in_(("claimed", "received")))
    wrong = or_(and_(row.state.in_(LAID), right.is_not(True)), and_(row.state.not_in(LAID), row.claim_id.is_not(None)))
    query = (select(row.id, row.state, row.amount_fen, claim.number, claim.state, claim.amount_fen)
             .select_from(db.table(BankRow)).outerjoin(db.table(PaymentClaim), claim.id == row.claim_id)
             .where(wrong).order_by(row.id))
    for row_id, state, fen, number, claim_state, claimed in db.session().execute(query):
        yield Problem(
            N_("Row %(row)s of a bank statement is %(state)s over %(fen)s fen; its claim %(claim)s is %(claim_state)s "
               "over %(claimed)s fen."), row=row_id, state=state, fen=fen, claim=number or "—",
            claim_state=claim_state or "—", claimed=claimed or 0)


def _upload_problems() -> Iterator[Problem]:
    """An upload has brought as many new rows as it says."""
    count = (select(func.count()).where(BankRow.statement_id == BankStatement.id).correlate(BankStatement)
             .scalar_subquery())
    for upload, kept, rows in db.session().execute(
            select(BankStatement.id, BankStatement.new_rows, count).where(BankStatement.new_rows != count)
            .order_by(BankStatement.id)):
        yield Problem(N_("Bank statement %(upload)s says that it brought %(kept)s rows; %(rows)s are there."),
                      upload=upload, kept=kept, rows=rows)


def _found_problems() -> Iterator[Problem]:
    """Money found at the bank stands in a row of a statement."""
    for number, in db.session().execute(
            select(PaymentClaim.number).where(
                PaymentClaim.origin == "bank", PaymentClaim.state.in_(("claimed", "received")),
                ~exists().where(BankRow.claim_id == PaymentClaim.id)).order_by(PaymentClaim.id)):
        yield Problem(N_("Payment claim %(name)s was found at the bank; no row of a statement belongs to it."),
                      name=number)


def _party_problems() -> Iterator[Problem]:
    """A claim is for orders of the co-operative that it pays, and of the unit that pays."""
    for number, order in db.session().execute(
            select(PaymentClaim.number, Order.number).join(ClaimPart, ClaimPart.claim_id == PaymentClaim.id)
            .join(Order, Order.id == ClaimPart.order_id)
            .where(PaymentClaim.state.in_(("claimed", "received")),
                   or_(Order.supplier_id != PaymentClaim.supplier_id, Order.unit_id != PaymentClaim.unit_id))
            .order_by(ClaimPart.id)):
        yield Problem(N_("Payment claim %(name)s pays for order %(order)s of others."), name=number, order=order)


def _moved_problems() -> Iterator[Problem]:
    """Money that only moves between goods of an order comes to nothing together."""
    moved = db.sum_of(ReceiptShare.amount_fen)
    for number, fen in db.session().execute(
            select(Order.number, moved).join(ReceiptShare, ReceiptShare.order_id == Order.id)
            .where(ReceiptShare.claim_part_id.is_(None), ReceiptShare.card_payment_id.is_(None))
            .group_by(Order.id, Order.number).having(moved != 0).order_by(Order.id)):
        yield Problem(N_("Order %(order)s: %(fen)s fen came in without a claim or a card payment."),
                      order=number, fen=fen)


def _refund_line_problems() -> Iterator[Problem]:
    """A refund by lines gives back what its lines come to."""
    lines = db.sum_of(RefundLine.amount_fen)
    for number, kept, total in db.session().execute(
            select(Refund.number, Refund.amount_fen, lines).join(RefundLine, RefundLine.refund_id == Refund.id)
            .group_by(Refund.id, Refund.number, Refund.amount_fen).having(lines != Refund.amount_fen)
            .order_by(Refund.id)):
        yield Problem(N_("Refund %(name)s is over %(kept)s fen; its lines add up to %(total)s."),
                      name=number, kept=kept, total=total)


def _state_problems() -> Iterator[Problem]:
    """An order's payment state follows from its sums and open claims."""
    claimed = exists().where(ClaimPart.order_id == Order.id, PaymentClaim.id == ClaimPart.claim_id,
                             PaymentClaim.state == "claimed")
    query = select(Order.number, Order.state, Order.payment, Order.accepted_fen, Order.returned_fen,
                   Order.received_fen, Order.refunded_fen, Order.placed_fen, Order.freight_fen,
                   claimed.label("is_claimed")).order_by(Order.id)
    for row in db.session().execute(query.execution_options(yield_per=BATCH)):
        right = _payment_of(row)
        if row.payment != right:
            yield Problem(N_("Order %(order)s is kept as %(kept)s; by its sums it is %(right)s."),
                          order=row.number, kept=row.payment, right=right)


def _payment_of(row: Any) -> str:
    return states.payment_of(
        row.accepted_fen, row.returned_fen, row.received_fen, row.refunded_fen, row.placed_fen,
        is_accepted=row.state in {"accepted", "rejected"}, is_claimed=bool(row.is_claimed),
        is_cancelled=row.state == "cancelled",
        freight_fen=0 if row.state in {"rejected", "cancelled"} else row.freight_fen)
