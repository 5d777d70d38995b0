"""What may go back: of an order, by which way, for which goods. Sums only; nothing is written here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from market import db, money
from orders.models import AcceptanceLine, CardPayment, Order, OrderLine, ReceiptShare, Refund, RefundLine, ReturnLine

UNDER_WAY = ("asked", "sending")
NOT_YET_ACCEPTED = frozenset({"waiting", "placed", "shipped"})


def owed_fen(order: Any, beside: int | None = None) -> int:
    """What the unit has paid more than the order costs as it stands, in fen, and is not on its way back already, but
    for one refund (`beside`) that is being looked at.
    """
    costs = order.placed_fen if order.state in NOT_YET_ACCEPTED else order.accepted_fen - order.returned_fen
    freight = 0 if order.state in {"rejected", "cancelled"} else order.freight_fen
    paid = order.received_fen - order.refunded_fen
    return int(max(0, paid - costs - freight - under_way_fen(order.id, beside)))


def under_way_fen(order_id: int, beside: int | None = None) -> int:
    """Refunds of an order that were asked for and are neither done nor refused, in fen."""
    return int(db.session().scalar(select(db.sum_of(Refund.amount_fen)).where(
        Refund.order_id == order_id, Refund.state.in_(UNDER_WAY), Refund.id != (beside or 0))) or 0)


@dataclass(frozen=True)
class Way:
    """One way back: to the card it came from, or by bank (no card payment); at most so much, in fen."""

    card_payment_id: int | None
    amount_fen: int
    method: str = ""  # of the card payment: card, alipay, wechat_pay


def card_ways(order_id: int) -> list[Way]:
    """What of each card payment has not gone back and is not on its way, the oldest first; two statements."""
    session = db.session()
    brought = session.execute(
        select(ReceiptShare.card_payment_id, CardPayment.way, db.sum_of(ReceiptShare.amount_fen).label("fen"))
        .join(CardPayment, CardPayment.id == ReceiptShare.card_payment_id).where(ReceiptShare.order_id == order_id)
        .group_by(ReceiptShare.card_payment_id, CardPayment.way).order_by(ReceiptShare.card_payment_id)).all()
    gone = {row.card_payment_id: row.fen for row in session.execute(
        select(Refund.card_payment_id, db.sum_of(Refund.amount_fen).label("fen"))
        .where(Refund.order_id == order_id, Refund.state.in_((*UNDER_WAY, "done")))
        .group_by(Refund.card_payment_id))}
    return [Way(row.card_payment_id, row.fen - gone.get(row.card_payment_id, 0), row.way or "") for row in brought]


def card_left_fen(order_id: int, card_payment_id: int) -> int:
    """What may still go back to a card: what its payment brought to this order less its refunds; 0 for another's."""
    return sum(way.amount_fen for way in card_ways(order_id) if way.card_payment_id == card_payment_id)


def proposed(order: Order) -> list[Way]:
    """All that is owed back: to the cards first, the rest by bank."""
    left = owed_fen(order)
    ways = []
    for way in card_ways(order.id):
        part = min(left, way.amount_fen)
        if part > 0:
            ways.append(Way(way.card_payment_id, part, way.method))
            left -= part
    return [*ways, Way(None, left)] if left else ways


@dataclass(frozen=True)
class MissingLine:
    """What of a line was paid and the unit has not: `missing_milli` worth `missing_fen`, so much of it refunded."""

    id: int
    product_name: str
    product_name_en: str
    unit: str
    unit_en: str
    price_fen: int
    missing_milli: int
    missing_fen: int
    refunded_milli: int
    refunded_fen: int

    @property
    def left_milli(self) -> int:
        return max(0, self.missing_milli - self.refunded_milli)

    @property
    def left_fen(self) -> int:
        return max(0, self.missing_fen - self.refunded_fen)

    def amount_of(self, milli: int) -> int:
        """What so much of it cost, in fen: the running value less what is refunded, so the last part takes all.

        >>> line = MissingLine(1, "白菜", "", "公斤", "", 333, 1_005, 335, 0, 0)
        >>> first = line.amount_of(500)
        >>> first, MissingLine(1, "白菜", "", "公斤", "", 333, 1_005, 335, 500, first).amount_of(505)
        (167, 168)
        """
        so_far = self.refunded_milli + milli
        worth = self.missing_fen if so_far >= self.missing_milli else min(
            self.missing_fen, money.line_total(self.price_fen, so_far))
        return max(0, worth - self.refunded_fen)


def lines(order: Any) -> Sequence[MissingLine]:
    """The lines of an order of which the unit has less than was ordered: returned, refused, short, or cancelled.

    An order that may still change has none: what is paid too much of it is an amount.
    """
    if order.state in NOT_YET_ACCEPTED:
        return []
    back = (select(db.sum_of(ReturnLine.amount_fen)).where(ReturnLine.acceptance_line_id == AcceptanceLine.id)
            .correlate(AcceptanceLine).scalar_subquery())
    live = (select(RefundLine.order_line_id, db.sum_of(RefundLine.milli).label("milli"),
                   db.sum_of(RefundLine.amount_fen).label("fen"))
            .join(Refund, Refund.id == RefundLine.refund_id)
            .where(Refund.order_id == order.id, Refund.state.in_((*UNDER_WAY, "done")))
            .group_by(RefundLine.order_line_id).subquery())
    rows = db.session().execute(
        select(OrderLine.id, OrderLine.product_name, OrderLine.product_name_en, OrderLine.unit, OrderLine.unit_en,
               func.coalesce(AcceptanceLine.price_fen, OrderLine.price_fen).label("price_fen"),
               OrderLine.ordered_milli, OrderLine.amount_fen,
               (func.coalesce(AcceptanceLine.accepted_milli, 0)
                - func.coalesce(AcceptanceLine.returned_milli, 0)).label("has_milli"),
               (func.coalesce(AcceptanceLine.amount_fen, 0) - func.coalesce(back, 0)).label("has_fen"),
               func.coalesce(live.c.milli, 0).label("gone_milli"), func.coalesce(live.c.fen, 0).label("gone_fen"))
        .outerjoin(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .outerjoin(live, live.c.order_line_id == OrderLine.id)
        .where(OrderLine.order_id == order.id).order_by(OrderLine.id)).all()
    found = [MissingLine(row.id, row.product_name, row.product_name_en, row.unit, row.unit_en, row.price_fen,
                         max(0, row.ordered_milli - row.has_milli), max(0, row.amount_fen - row.has_fen),
                         row.gone_milli, row.gone_fen) for row in rows]
    return [line for line in found if line.left_milli and line.left_fen]
