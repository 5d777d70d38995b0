"""What documents keep of one another, added up again: each figure beside the rows it must be the sum of.

One statement per figure, and only rows that do not agree leave the database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, case, cast, exists, func, select

from catalog.models import Availability, Lot, LotContribution, LotShare, StockHold, StockMove
from market import db
from market.errors import N_
from market.problem import Problem
from orders import attribution
from orders.models import (
    AcceptanceLine,
    AcceptancePart,
    CardPayment,
    ClaimPart,
    Order,
    OrderLine,
    PaidAtWeighIn,
    PaymentClaim,
    PayoutLine,
    PayoutShare,
    Purchase,
    ReceiptShare,
    Refund,
    RefundShare,
    ReturnLine,
    ReturnPart,
    ReturnShare,
    ShipmentLine,
    ShipmentOrigin,
)

BATCH = 2000


@dataclass(frozen=True)
class Sum:
    """`kept` of a row must be the sum of `parts` over the rows that point to it by `key`."""

    what: str
    name: Any
    kept: Any
    parts: Any
    key: Any
    through: Sequence[tuple[Any, Any]] = ()  # tables between parts and key
    only: Any = None  # which of the rows that keep the figure
    counted: Any = None  # which of the parts


WHAT = N_("%(what)s %(name)s: %(figure)s is kept as %(kept)s, its parts add up to %(sum)s.")

SUMS = (
    Sum(N_("Purchase"), Purchase.number, Purchase.total_fen, Order.placed_fen, Order.purchase_id),
    Sum(N_("Purchase"), Purchase.number, Purchase.freight_fen, Order.freight_agreed_fen, Order.purchase_id),
    Sum(N_("Order"), Order.number, Order.placed_fen, OrderLine.amount_fen, OrderLine.order_id),
    Sum(N_("Order"), Order.number, Order.accepted_fen, AcceptanceLine.amount_fen, OrderLine.order_id,
        [(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)]),
    Sum(N_("Order"), Order.number, Order.returned_fen, ReturnLine.amount_fen, OrderLine.order_id,
        [(AcceptanceLine, AcceptanceLine.id == ReturnLine.acceptance_line_id),
         (OrderLine, OrderLine.id == AcceptanceLine.order_line_id)]),
    Sum(N_("Order"), Order.number, Order.received_fen, ReceiptShare.amount_fen, ReceiptShare.order_id),
    Sum(N_("Order"), Order.number, Order.refunded_fen, Refund.amount_fen, Refund.order_id,
        counted=Refund.state == "done"),
    Sum(N_("Acceptance line"), AcceptanceLine.id, AcceptanceLine.accepted_grams, AcceptancePart.grams,
        AcceptancePart.acceptance_line_id),
    Sum(N_("Acceptance line"), AcceptanceLine.id, AcceptanceLine.amount_fen, AcceptancePart.amount_fen,
        AcceptancePart.acceptance_line_id),
    Sum(N_("Acceptance line"), AcceptanceLine.id, AcceptanceLine.returned_milli, ReturnLine.milli,
        ReturnLine.acceptance_line_id),
    Sum(N_("Return line"), ReturnLine.id, ReturnLine.grams, ReturnPart.grams, ReturnPart.return_line_id),
    Sum(N_("Return line"), ReturnLine.id, ReturnLine.amount_fen, ReturnPart.amount_fen, ReturnPart.return_line_id),
    *(Sum(N_("Acceptance part"), AcceptancePart.id, kept, parts, ReturnPart.acceptance_part_id) for kept, parts in (
        (AcceptancePart.returned_grams, ReturnPart.grams), (AcceptancePart.returned_fen, ReturnPart.amount_fen),
        (AcceptancePart.withdrawn_farm_gate_fen, ReturnPart.withdrawn_farm_gate_fen),
        (AcceptancePart.withdrawn_collective_fen, ReturnPart.withdrawn_collective_fen))),
    Sum(N_("Acceptance part"), AcceptancePart.id, AcceptancePart.weigh_paid_fen, PaidAtWeighIn.amount_fen,
        PaidAtWeighIn.acceptance_part_id),
    Sum(N_("Return part"), ReturnPart.id, ReturnPart.withdrawn_farm_gate_fen, ReturnShare.amount_fen,
        ReturnShare.return_part_id),
    Sum(N_("Payout line"), PayoutLine.id, PayoutLine.amount_fen, PayoutShare.amount_fen, PayoutShare.payout_line_id),
    Sum(N_("Payment claim"), PaymentClaim.number, PaymentClaim.amount_fen, ClaimPart.amount_fen, ClaimPart.claim_id),
    Sum(N_("Refund"), Refund.number, Refund.amount_fen, RefundShare.amount_fen, RefundShare.refund_id,
        only=Refund.state == "done"),
    Sum(N_("Lot"), Lot.code, Lot.on_hand_milli, StockMove.on_hand_change_milli, StockMove.lot_id),
    Sum(N_("Lot"), Lot.code, Lot.held_milli, StockMove.held_change_milli, StockMove.lot_id),
    Sum(N_("Lot"), Lot.code, Lot.held_milli, StockHold.milli, StockHold.lot_id),
    Sum(N_("Lot"), Lot.code, Lot.total_grams, LotShare.grams, LotShare.lot_id),
    Sum(N_("Lot"), Lot.code, Lot.total_grams, LotContribution.grams, LotContribution.lot_id,
        only=Lot.kind == "harvest"),
    Sum(N_("Lot share"), LotShare.id, LotShare.accepted_grams, AcceptancePart.grams, AcceptancePart.lot_share_id),
    Sum(N_("A day's availability"), Availability.id, Availability.held_milli, StockMove.held_change_milli,
        StockMove.availability_id),
    Sum(N_("Shipment line"), ShipmentLine.id, ShipmentLine.packed_grams, ShipmentOrigin.grams,
        ShipmentOrigin.shipment_line_id),
)


def problems() -> Iterator[Problem]:
    """Every figure that is not the sum of its parts, in the order of the table above, then the rules of their own."""
    for one in SUMS:
        yield from _differences(one)
    yield from _brought_problems()
    yield from _price_problems()
    yield from _claim_problems()
    yield from _card_problems()
    yield from _other_order_problems()
    yield from _unfinished_refund_problems()
    yield from _received_problems()
    yield from _share_problems()


def _differences(one: Sum) -> Iterator[Problem]:
    inner = select(one.key.label("key"), db.sum_of(one.parts).label("total")).select_from(one.parts.class_)
    for table, condition in one.through:
        inner = inner.join(table, condition)
    if one.counted is not None:
        inner = inner.where(one.counted)
    sums = inner.group_by(one.key).subquery()
    query = (
        select(cast(one.name, String), one.kept, func.coalesce(sums.c.total, 0)).select_from(one.kept.class_)
        .outerjoin(sums, sums.c.key == one.kept.class_.id)
        .where(one.kept != func.coalesce(sums.c.total, 0)).order_by(one.kept.class_.id)
    )
    if one.only is not None:
        query = query.where(one.only)
    for name, kept, total in db.session().execute(query):
        yield Problem(WHAT, what=one.what, name=name, figure=one.kept.key, kept=kept, sum=total)


def _brought_problems() -> Iterator[Problem]:
    """A village's share of a harvest is what came from it, before and after the names followed from a notebook."""
    base = case((LotContribution.household_id.is_(None) & LotContribution.unsplit.is_(False), 1), else_=0)
    brought = (select(LotContribution.lot_id, LotContribution.village_id, base.label("base"),
                      db.sum_of(LotContribution.grams).label("grams"))
               .group_by(LotContribution.lot_id, LotContribution.village_id, base).subquery())
    query = (
        select(Lot.code, LotShare.grams, func.coalesce(brought.c.grams, 0)).join(Lot, Lot.id == LotShare.lot_id)
        .outerjoin(brought, (brought.c.lot_id == LotShare.lot_id) & (brought.c.village_id == LotShare.village_id)
                   & (brought.c.base == case((LotShare.own_base, 1), else_=0)))
        .where(Lot.kind == "harvest", LotShare.grams != func.coalesce(brought.c.grams, 0)).order_by(LotShare.id)
    )
    for name, kept, total in db.session().execute(query):
        yield Problem(WHAT, what=N_("Lot"), name=name, figure="village", kept=kept, sum=total)


def _price_problems() -> Iterator[Problem]:
    """Price times quantity, half a fen up: what was ordered, and what was accepted."""
    for what, entity, milli in ((N_("Order line"), OrderLine, OrderLine.ordered_milli),
                                (N_("Acceptance line"), AcceptanceLine, AcceptanceLine.accepted_milli)):
        right = (entity.price_fen * milli + 500) // 1000
        query = select(entity.id, entity.amount_fen, right).where(entity.amount_fen != right).order_by(entity.id)
        for row_id, kept, cost in db.session().execute(query):
            yield Problem(N_("%(what)s %(name)s: the amount is kept as %(kept)s, price times quantity is %(right)s."),
                          what=what, name=row_id, kept=kept, right=cost)


def _claim_problems() -> Iterator[Problem]:
    """A claim brings in its amount once it is received, and nothing before."""
    brought = (select(ReceiptShare.claim_part_id, db.sum_of(ReceiptShare.amount_fen).label("fen"))
               .group_by(ReceiptShare.claim_part_id).subquery())
    query = (
        select(PaymentClaim.number, PaymentClaim.state, ClaimPart.amount_fen, func.coalesce(brought.c.fen, 0))
        .join(ClaimPart, ClaimPart.claim_id == PaymentClaim.id)
        .outerjoin(brought, brought.c.claim_part_id == ClaimPart.id).order_by(ClaimPart.id)
        .execution_options(yield_per=BATCH)
    )
    for number, state, claimed, fen in db.session().execute(query):
        if fen != (claimed if state == "received" else 0):
            yield Problem(N_("Payment claim %(name)s is %(state)s over %(claimed)s fen; %(fen)s fen came in."),
                          name=number, state=state, claimed=claimed, fen=fen)


def _card_problems() -> Iterator[Problem]:
    """A card payment brings in its amount once it is paid, and nothing before."""
    brought = (select(ReceiptShare.card_payment_id, db.sum_of(ReceiptShare.amount_fen).label("fen"))
               .group_by(ReceiptShare.card_payment_id).subquery())
    right = case((CardPayment.state == "paid", CardPayment.amount_fen), else_=0)
    query = (
        select(CardPayment.key, CardPayment.state, CardPayment.amount_fen, func.coalesce(brought.c.fen, 0))
        .outerjoin(brought, brought.c.card_payment_id == CardPayment.id)
        .where(func.coalesce(brought.c.fen, 0) != right).order_by(CardPayment.id)
    )
    for key, state, asked, fen in db.session().execute(query):
        yield Problem(N_("Card payment %(name)s is %(state)s over %(asked)s fen; %(fen)s fen came in."),
                      name=key, state=state, asked=asked, fen=fen)


def _other_order_problems() -> Iterator[Problem]:
    """What a card payment brought, and what of it went back, lies on the order that it was paid for."""
    query = (
        select(CardPayment.key, Order.number).join(Order, Order.id == CardPayment.order_id)
        .where(exists().where(ReceiptShare.card_payment_id == CardPayment.id,
                              ReceiptShare.order_id != CardPayment.order_id)
               | exists().where(Refund.card_payment_id == CardPayment.id, Refund.order_id != CardPayment.order_id))
        .order_by(CardPayment.id)
    )
    for key, number in db.session().execute(query):
        yield Problem(N_("Card payment %(name)s belongs to order %(order)s; money of it lies on another one."),
                      name=key, order=number)


def _unfinished_refund_problems() -> Iterator[Problem]:
    """A refund that is not done has moved nothing; what of a card payment goes back is at most what it brought."""
    early = (select(Refund.number, Refund.state, db.sum_of(RefundShare.amount_fen))
             .join(RefundShare, RefundShare.refund_id == Refund.id).where(Refund.state != "done")
             .group_by(Refund.id, Refund.number, Refund.state).order_by(Refund.id))
    for number, state, fen in db.session().execute(early):
        yield Problem(N_("Refund %(name)s is %(state)s; %(fen)s fen went back."), name=number, state=state, fen=fen)
    given = db.sum_of(Refund.amount_fen)
    too_much = (select(CardPayment.key, CardPayment.amount_fen, given)
                .join(Refund, (Refund.card_payment_id == CardPayment.id) & (Refund.state == "done"))
                .group_by(CardPayment.id, CardPayment.key, CardPayment.amount_fen)
                .having(given > CardPayment.amount_fen).order_by(CardPayment.id))
    for key, brought, fen in db.session().execute(too_much):
        yield Problem(N_("Card payment %(name)s brought %(asked)s fen; %(fen)s fen went back."),
                      name=key, asked=brought, fen=fen)


def _received_problems() -> Iterator[Problem]:
    """What a part has received: its shares of receipts less those of refunds."""
    receipts = (select(ReceiptShare.acceptance_part_id.label("part"), db.sum_of(ReceiptShare.amount_fen).label("fen"))
                .group_by(ReceiptShare.acceptance_part_id).subquery())
    refunds = (select(RefundShare.acceptance_part_id.label("part"), db.sum_of(RefundShare.amount_fen).label("fen"))
               .group_by(RefundShare.acceptance_part_id).subquery())
    right = func.coalesce(receipts.c.fen, 0) - func.coalesce(refunds.c.fen, 0)
    query = (
        select(AcceptancePart.id, AcceptancePart.received_fen, right)
        .outerjoin(receipts, receipts.c.part == AcceptancePart.id)
        .outerjoin(refunds, refunds.c.part == AcceptancePart.id)
        .where(AcceptancePart.received_fen != right).order_by(AcceptancePart.id)
    )
    for part, kept, total in db.session().execute(query):
        yield Problem(WHAT, what=N_("Acceptance part"), name=part, figure="received_fen", kept=kept, sum=total)


def _share_problems() -> Iterator[Problem]:
    """A lot share has earned its farm-gate price for what was eaten of it, to the fen."""
    income = (select(AcceptancePart.lot_share_id, db.sum_of(AcceptancePart.farm_gate_fen).label("fen"))
              .group_by(AcceptancePart.lot_share_id).subquery())
    query = (
        select(db.table(LotShare), Lot.code, income.c.fen.label("income_fen"))
        .join(Lot, Lot.id == LotShare.lot_id).join(income, income.c.lot_share_id == LotShare.id)
        .order_by(LotShare.id).execution_options(yield_per=BATCH)
    )
    for row in db.session().execute(query):
        share = attribution.PackedShare(row.id, row.village_id, row.grams, row.input_grams, row.farm_gate_fen_per_kg, 0)
        right = attribution.earned(share, row.accepted_grams)
        if row.income_fen != right:
            yield Problem(
                N_("Lot %(lot)s, share %(share)s: farm-gate income is %(kept)s fen, price and weight give %(right)s."),
                lot=row.code, share=row.id, kept=row.income_fen, right=right)
