"""The documents' side of the audit: what acceptances, returns, receipts, refunds, declarations and payouts should have
posted, built again by the same builders; and the figures that documents keep of one another.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, literal, null, select

from market import db, linkages, money
from market.errors import N_
from market.ledger import Transfer
from market.problem import Problem
from market.sealing import TRANSFERS
from orders.income import document_sums, payment_checks, posting
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePart,
    CreditChange,
    GoodsReturn,
    IncomeCorrection,
    IncomeDeclaration,
    Order,
    OrderLine,
    Payout,
    PayoutLine,
    PayoutShare,
    ReceiptShare,
    Refund,
    RefundShare,
    ReturnLine,
    ReturnPart,
)

BATCH = 2000


def _when_accepted(column: Any) -> Any:
    """What an order's goods were accepted for, where that was changed afterwards."""
    return (select(column).where(CreditChange.order_id == Order.id, CreditChange.state == "approved",
                                 CreditChange.after_acceptance.is_(True)).correlate(Order).scalar_subquery())


# the columns that every transfer about a part of an order carries
OTHER_FACTS = (Order.supplier_id, Order.method, Order.fund_source, Order.number.label("order_ref"))
ORDER_FACTS = (*OTHER_FACTS, Order.unit_id, Order.unit_type)
# goods accepted for one unit may count for another since
FIRST_FACTS = (*OTHER_FACTS, func.coalesce(_when_accepted(CreditChange.from_unit_id), Order.unit_id).label("unit_id"),
               func.coalesce(_when_accepted(CreditChange.from_unit_type), Order.unit_type).label("unit_type"))
PART_FACTS = (AcceptancePart.village_id, AcceptancePart.lot_id, OrderLine.category, OrderLine.certified,
              OrderLine.id.label("line_id"), AcceptancePart.linkage_id, AcceptancePart.collective_linkage_id)


def accepted_parts() -> Iterator[Transfer | Problem]:
    """Every acceptance part earns; its income counts from the acceptance, or from the day somebody cleared it."""
    query = _of_parts(select(
        *FIRST_FACTS, *PART_FACTS, AcceptancePart.id.label("part_id"), AcceptancePart.amount_fen, AcceptancePart.grams,
        AcceptancePart.farm_gate_fen, AcceptancePart.collective_fen, AcceptancePart.income_held,
        AcceptancePart.cleared_on, AcceptancePart.cleared_returned_grams, AcceptancePart.weigh_paid_fen,
        Acceptance.business_date,
    ).select_from(AcceptancePart)).join(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
    for row in _stream(query, AcceptancePart.id):
        facts = _facts(row)
        yield from posting.accepted(facts, row["amount_fen"], row["grams"], row["business_date"])
        if row["income_held"] != (row["farm_gate_fen"] + row["collective_fen"] > row["amount_fen"]):
            yield Problem(N_("Acceptance part %(part)s of order %(order)s: its mark of held income is wrong."),
                          part=row["part_id"], order=row["order_ref"])
        counted_on = row["cleared_on"] if row["income_held"] else row["business_date"]
        if counted_on is not None:
            back = row["cleared_returned_grams"] or 0
            yield from posting.attributed(facts, posting.left_of(row["farm_gate_fen"], row["grams"], back),
                                          posting.left_of(row["collective_fen"], row["grams"], back), counted_on,
                                          row["weigh_paid_fen"])


def credit_changes() -> Iterator[Transfer]:
    """Accepted goods that count for another unit since."""
    query = _of_parts(select(
        CreditChange.id.label("change_id"), CreditChange.from_unit_id, CreditChange.from_unit_type,
        CreditChange.to_unit_id, CreditChange.business_date, *ORDER_FACTS, *PART_FACTS,
        AcceptancePart.id.label("part_id"), AcceptancePart.amount_fen, AcceptancePart.grams,
    ).select_from(AcceptancePart)).join(CreditChange, CreditChange.order_id == Order.id).where(
        CreditChange.state == "approved", CreditChange.after_acceptance.is_(True))
    for row in _stream(query, AcceptancePart.id):
        for back in (True, False):
            yield from posting.moved(_of_side(row, back), row["change_id"], row["amount_fen"], row["grams"],
                                     row["business_date"], back=back)


def freight_changes() -> Iterator[Transfer]:
    """The freight of orders that count for another unit since."""
    query = (
        select(*ORDER_FACTS, null().label("part_id"), Order.freight_fen, CreditChange.id.label("change_id"),
               CreditChange.from_unit_id, CreditChange.from_unit_type, CreditChange.to_unit_id,
               CreditChange.business_date)
        .select_from(CreditChange).join(Order, Order.id == CreditChange.order_id)
        .where(CreditChange.state == "approved", CreditChange.after_acceptance.is_(True), Order.freight_fen > 0))
    for row in _stream(query, CreditChange.id):
        for back in (True, False):
            yield from posting.freight_moved(_of_side(row, back), row["change_id"], row["freight_fen"],
                                             row["business_date"], back=back)


def _of_side(row: Any, back: bool) -> dict[str, Any]:
    """The facts of the unit that an order moved from (back), or of the one it moved to."""
    return _facts(row) | ({"unit_id": row["from_unit_id"], "unit_type": row["from_unit_type"]} if back
                          else {"unit_id": row["to_unit_id"], "unit_type": row["unit_type"]})


def freights() -> Iterator[Transfer]:
    """The freight of every order of which something was accepted, as agreed or lowered before it was shipped."""
    query = (
        select(*FIRST_FACTS, null().label("part_id"), Order.id, Order.freight_fen, Acceptance.business_date)
        .select_from(Order).join(Acceptance, Acceptance.order_id == Order.id)
        .where(Order.state == "accepted", Order.freight_fen > 0))
    for row in _stream(query, Order.id):
        yield from posting.freight(_facts(row), row["id"], row["freight_fen"], row["business_date"])


def returned_parts() -> Iterator[Transfer]:
    """Goods that came back, and the income taken back with them."""
    query = _of_parts(
        select(*ORDER_FACTS, *PART_FACTS, AcceptancePart.id.label("part_id"), ReturnPart.id, ReturnPart.amount_fen,
               ReturnPart.grams, ReturnPart.withdrawn_farm_gate_fen, ReturnPart.withdrawn_collective_fen,
               GoodsReturn.business_date)
        .select_from(ReturnPart).join(ReturnLine, ReturnLine.id == ReturnPart.return_line_id)
        .join(GoodsReturn, GoodsReturn.id == ReturnLine.return_id)
        .join(AcceptancePart, AcceptancePart.id == ReturnPart.acceptance_part_id))
    for row in _stream(query, ReturnPart.id):
        yield from posting.returned(
            _facts(row), row["id"], row["amount_fen"], row["grams"], row["withdrawn_farm_gate_fen"],
            row["withdrawn_collective_fen"], row["business_date"])


def receipt_shares() -> Iterator[Transfer]:
    """Money that arrived, on a village's goods or on none, and money that moved between them."""
    query = _maybe_of_parts(
        select(*ORDER_FACTS, *PART_FACTS, AcceptancePart.id.label("part_id"), ReceiptShare.id, ReceiptShare.amount_fen,
               ReceiptShare.business_date)
        .select_from(ReceiptShare).join(Order, Order.id == ReceiptShare.order_id)
        .outerjoin(AcceptancePart, AcceptancePart.id == ReceiptShare.acceptance_part_id))
    for row in _stream(query, ReceiptShare.id):
        yield from posting.received(_facts(row), row["id"], row["amount_fen"], row["business_date"])


def refund_shares() -> Iterator[Transfer]:
    """Money that co-operatives gave back."""
    query = _maybe_of_parts(
        select(*ORDER_FACTS, *PART_FACTS, AcceptancePart.id.label("part_id"), RefundShare.id, RefundShare.amount_fen,
               Refund.business_date)
        .select_from(RefundShare).join(Refund, Refund.id == RefundShare.refund_id)
        .join(Order, Order.id == Refund.order_id)
        .outerjoin(AcceptancePart, AcceptancePart.id == RefundShare.acceptance_part_id)
        .where(Refund.state == "done"))
    for row in _stream(query, RefundShare.id):
        yield from posting.refunded(_facts(row), row["id"], row["amount_fen"], row["business_date"])


def confirmed_declarations() -> Iterator[Transfer]:
    """Wages, rents, dividends and collectives' money that a village has confirmed."""
    query = select(db.table(IncomeDeclaration)).where(IncomeDeclaration.confirmed_at.is_not(None)).order_by(
        IncomeDeclaration.id)
    for row in db.session().execute(query.execution_options(yield_per=BATCH)):
        yield from posting.declared(row)


def confirmed_corrections() -> Iterator[Transfer | Problem]:
    """What was taken back of confirmed declarations; together never more than was declared."""
    said, back = db.table(IncomeDeclaration), db.table(IncomeCorrection)
    query = (
        select(said, back.c.id.label("correction_id"), back.c.amount_fen.label("correction_fen"),
               back.c.business_date.label("corrected_on"))
        .join(back, back.c.declaration_id == said.c.id).where(back.c.confirmed_at.is_not(None))
        .order_by(said.c.id, back.c.id))
    of, sum_fen = None, 0
    for row in db.session().execute(query.execution_options(yield_per=BATCH)):
        of, sum_fen = row.id, row.correction_fen + (sum_fen if row.id == of else 0)
        if sum_fen > row.amount_fen:
            yield Problem(N_("Declaration %(declaration)s: more is taken back than was declared."), declaration=row.id)
        yield from posting.corrected(
            SimpleNamespace(id=row.correction_id, amount_fen=row.correction_fen, business_date=row.corrected_on), row)


def untied() -> Iterator[Problem]:
    """Income that was attributed since linkages are kept, and rests on none, or on one of another co-operative."""
    ties = linkages.TIES
    first = db.session().scalar(select(func.min(ties.c.entered_at)))
    if first is None:
        return
    rows = db.session().execute(
        select(TRANSFERS.c.id, TRANSFERS.c.source).outerjoin(ties, ties.c.id == TRANSFERS.c.linkage_id)
        .where(TRANSFERS.c.event == "attributed", TRANSFERS.c.posted_at >= first,
               ties.c.id.is_(None) | (ties.c.supplier_id != TRANSFERS.c.supplier_id))
        .order_by(TRANSFERS.c.id).execution_options(yield_per=BATCH))
    for row in rows:
        yield Problem(N_("Transfer %(id)s (%(source)s): no linkage of its co-operative stands behind this income."),
                      id=row.id, source=row.source)


def payout_shares() -> Iterator[Transfer]:
    """Money handed on to households and collectives."""
    share = db.table(PayoutShare)
    query = (
        select(share, PayoutLine.household_id, Payout.supplier_id, Payout.village_id, Payout.income_kind,
               Payout.business_date)
        .join(PayoutLine, PayoutLine.id == share.c.payout_line_id)
        .join(Payout, Payout.id == PayoutLine.payout_id).order_by(share.c.id)
    )
    for row in db.session().execute(query.execution_options(yield_per=BATCH)):
        yield from posting.paid_out(row, row, row)


def fees() -> Iterator[Transfer]:
    """The platform's fee: a share of what was accepted, and with every return so much back that it stays the share of
    what is left."""
    back = (select(db.sum_of(ReturnLine.amount_fen)).where(ReturnLine.return_id == GoodsReturn.id)
            .correlate(GoodsReturn).scalar_subquery())
    accepted = (
        select(Order.id, Order.number, Order.supplier_id, Order.accepted_fen, Order.fee_points,
               Acceptance.business_date, null().label("return_id"), literal(0).label("returned_fen"))
        .join(Acceptance, Acceptance.order_id == Order.id).where(Order.fee_points > 0, Order.state == "accepted"))
    returned = (
        select(Order.id, Order.number, Order.supplier_id, Order.accepted_fen, Order.fee_points,
               GoodsReturn.business_date, GoodsReturn.id, back)
        .join(GoodsReturn, GoodsReturn.order_id == Order.id).where(Order.fee_points > 0))
    both = accepted.union_all(returned).subquery()
    left_fen = 0
    query = select(both).order_by(both.c.id, func.coalesce(both.c.return_id, 0))
    for row in db.session().execute(query.execution_options(yield_per=BATCH)):
        if row.return_id is None:
            left_fen = row.accepted_fen
            yield from posting.fee(row, f"fee:{row.id}", money.part_of(left_fen, row.fee_points), row.business_date)
            continue
        yield from posting.fee_back(row, row.return_id, left_fen, row.returned_fen, row.business_date)
        left_fen -= row.returned_fen


CHECKS = (accepted_parts, credit_changes, freights, freight_changes, returned_parts, receipt_shares, refund_shares,
          confirmed_declarations, confirmed_corrections, untied, payout_shares, fees, document_sums.problems,
          payment_checks.problems)


def _of_parts(query: Any) -> Any:
    """The order line and order of a part."""
    return (query.join(AcceptanceLine, AcceptanceLine.id == AcceptancePart.acceptance_line_id)
            .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)
            .join(Order, Order.id == OrderLine.order_id))


def _maybe_of_parts(query: Any) -> Any:
    """The order line of a part, where there is a part."""
    return (query.outerjoin(AcceptanceLine, AcceptanceLine.id == AcceptancePart.acceptance_line_id)
            .outerjoin(OrderLine, OrderLine.id == AcceptanceLine.order_line_id))


def _stream(query: Any, key: Any) -> Iterator[Any]:
    """Rows in the order of their ids, a batch at a time."""
    return iter(db.session().execute(query.order_by(key).execution_options(yield_per=BATCH)).mappings())


def _facts(row: Any) -> dict[str, Any]:
    """What a transfer about this part carries; about money on no goods only the parties."""
    facts = {name: row[name] for name in ("supplier_id", "unit_id", "unit_type", "method", "fund_source", "order_ref")}
    if row["part_id"] is not None:
        facts |= {name: row[name] for name in ("part_id", "village_id", "lot_id", "category", "certified")}
        facts["line_ref"] = str(row["line_id"])
        facts["linkages"] = (row["linkage_id"], row["collective_linkage_id"])
    return facts
