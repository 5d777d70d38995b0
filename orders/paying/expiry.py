"""Orders that are paid first and were not: taken back after their last day, unless money may be on its way."""

from datetime import date

from sqlalchemy import ColumnElement, and_, exists, or_, select

from market import clock, db, faults, journal, outbox
from market.notices import Notice
from orders.buying import approval
from orders.models import ClaimPart, Order, PaymentClaim
from orders.paying import card_closing, terms

EXPIRED, STANDS = "order.expired", "order.unpaid_stands"
AT_ONCE = 50


def due(most: int = AT_ONCE) -> list[int]:
    """Orders past their day for which nothing was paid and nothing is on its way; looked at without a lock."""
    return list(db.session().scalars(
        select(Order.id).where(_is_due(clock.today()), ~_has_money()).order_by(Order.id).limit(most)))


def expire(order_id: int) -> bool:
    """Take one order back, as it stands now under its lock; whether it was taken back.

    A claim, a booking or an extension that came first keeps it. One that comes later finds it cancelled: the claim is
    refused, money that was booked is owed back.
    """
    order = db.session().scalar(
        select(Order).where(Order.id == order_id).with_for_update())
    if order is None or not _still_due(order_id):
        return False
    approval.take_back(order)
    journal.record(EXPIRED, "order", order.id, None, pay_by=order.pay_by.isoformat() if order.pay_by else "")
    outbox.enqueue(EXPIRED, {"order_id": order.id})
    faults.point("order_expired")
    return True


def untold(most: int = AT_ONCE) -> list[int]:
    """Orders past their day that stand because a claim is open or a part has arrived, and nobody was told yet."""
    told = exists().where(Notice.kind == STANDS, Notice.thing_id == Order.id,
                          Notice.organisation_id == Order.supplier_id)
    return list(db.session().scalars(
        select(Order.id).where(_is_due(clock.today()), _has_money(), ~told).order_by(Order.id).limit(most)))


def standing() -> ColumnElement[bool]:
    """That an order is past its day and stands all the same."""
    return and_(_is_due(clock.today()), _has_money())


def _still_due(order_id: int) -> bool:
    """Asked anew after the lock was got: what was committed meanwhile is seen."""
    return db.session().scalar(
        select(Order.id).where(Order.id == order_id, _is_due(clock.today()), ~_has_money())) is not None


def _is_due(today: date) -> ColumnElement[bool]:
    return and_(terms.waits_for_payment(), Order.pay_by < today)


def _has_money() -> ColumnElement[bool]:
    """Money has arrived, or may: a claim that nobody has answered, a card page that may be paid, a payment by card that
    somebody has to look at.
    """
    claimed = (exists().where(ClaimPart.order_id == Order.id, ClaimPart.claim_id == PaymentClaim.id,
                              PaymentClaim.state == "claimed"))
    return or_(Order.received_fen > Order.refunded_fen, claimed, card_closing.is_open(), card_closing.is_looked_at())
