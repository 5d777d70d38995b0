"""When an order is to be paid: 先款后货 or 先货后款, frozen when it is placed. The one place that makes a day to pay.

Pay first: 30 days from placing, once 15 more; packed only when all of it has arrived. Goods first: 30 days, or as the
frame contract says (1 to 60), from acceptance; where nobody accepts, from the day on which acceptance was due, so that
the clock runs without it (保障中小企业款项支付条例, 国务院令第802号).
"""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from market import clock, db, journal, money, outbox
from market.access import Visitor
from market.errors import N_, Conflict, NotFound
from orders.delivering import overdue
from orders.models import Order, PaymentSetting
from orders.papers.models import USUAL_PAYMENT_DAYS, FrameCallOff, FrameContract

PAY_FIRST, GOODS_FIRST = "pay_first", "goods_first"
PAY_FIRST_DAYS, MORE_DAYS = 30, 15
EXTENDED = "payment.extended"


class NotYetPaid(Conflict):
    """The order is to be paid before it is packed."""

    code = "not_yet_paid"
    text = N_("Order %(number)s is paid first: ¥%(open)s has still to arrive before it is packed.")


class NoMoreTime(Conflict):
    """Only an order that is paid first and still stands is given more time, once."""

    code = "no_more_time"
    text = N_("Order %(number)s cannot be given more time: it is possible once, while the order waits for its payment.")


# ---- when it is placed ----------------------------------------------------------------------------------------------


def at_placing(unit_id: int, supplier_ids: Collection[int], day: date, wished: str = "as_set", *,
               waits: bool = False) -> dict[int, dict[str, Any]]:
    """The terms that orders of a unit placed on a day keep, as columns by co-operative; two statements.

    The buyer's wish can only be stricter than what is set. One that `waits` for approval gets its day with it.
    """
    first = suppliers_paid_first(unit_id, supplier_ids, wished)
    days = _frame_days(unit_id, supplier_ids, day)
    last = None if waits else clock.days_after(day, PAY_FIRST_DAYS)
    return {supplier_id: {
        "payment_terms": PAY_FIRST if supplier_id in first else GOODS_FIRST,
        "payment_days": days.get(supplier_id, USUAL_PAYMENT_DAYS), "pay_by": last if supplier_id in first else None,
    } for supplier_id in supplier_ids}


def agreed(supplier_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Of a replacement, which answers goods that were bought before: goods first."""
    return {supplier_id: {"payment_terms": GOODS_FIRST, "payment_days": USUAL_PAYMENT_DAYS, "pay_by": None}
            for supplier_id in supplier_ids}


def suppliers_paid_first(unit_id: int | None, supplier_ids: Collection[int], wished: str = "as_set") -> set[int]:
    """Which of these co-operatives a unit has to pay first, or wants to."""
    asked = set(db.session().scalars(select(PaymentSetting.organisation_id).where(
        PaymentSetting.organisation_id.in_({*supplier_ids, unit_id}), PaymentSetting.pay_first.is_(True))))
    if wished == PAY_FIRST or unit_id in asked:
        return set(supplier_ids)
    return asked & set(supplier_ids)


def _frame_days(unit_id: int, supplier_ids: Collection[int], day: date) -> dict[int, int]:
    """Days to pay by co-operative, where a signed frame contract covers the day."""
    return {row.supplier_id: row.payment_days for row in db.session().execute(
        select(FrameContract.supplier_id, FrameContract.payment_days).where(
            FrameContract.unit_id == unit_id, FrameContract.supplier_id.in_(supplier_ids),
            FrameContract.state == "signed", FrameContract.first_day <= day, FrameContract.last_day >= day))}


def follow_approval(order_ids: Collection[int]) -> None:
    """Orders that their approval lets go: those to be paid first have their days from now; a day to come stays."""
    today = clock.today()
    db.session().execute(
        update(Order).where(Order.id.in_(order_ids), Order.payment_terms == PAY_FIRST,
                            or_(Order.pay_by.is_(None), Order.pay_by < today))
        .values(pay_by=clock.days_after(today, PAY_FIRST_DAYS)))


def follow_frame(*conditions: Any) -> None:
    """Orders called off under a frame contract that was signed later keep its days from now on."""
    days = (select(FrameContract.payment_days).join(FrameCallOff, FrameCallOff.contract_id == FrameContract.id)
            .where(FrameCallOff.order_id == Order.id).correlate(Order).scalar_subquery())
    rows = db.session().execute(
        select(Order.id, Order.payment_terms, Order.payment_days, Order.pay_by, days.label("frame_days"))
        .where(*conditions, Order.payment_days != days).order_by(Order.id).with_for_update(of=Order)).all()
    for row in rows:
        moves = row.pay_by is not None and row.payment_terms == GOODS_FIRST
        db.session().execute(update(Order).where(Order.id == row.id).values(
            payment_days=row.frame_days,
            pay_by=clock.days_after(row.pay_by, row.frame_days - row.payment_days) if moves else row.pay_by))


# ---- as goods go and come -------------------------------------------------------------------------------------------


def need_paid(order: Order) -> None:
    """Raise NotYetPaid where an order is to be paid first and not all of it has arrived."""
    if order.payment_terms == PAY_FIRST and order.payment not in {"paid", "over"}:
        left = order.placed_fen + order.freight_fen - order.received_fen + order.refunded_fen
        raise NotYetPaid(number=order.number, open=money.yuan(left))


def on_shipped(order: Order) -> None:
    """The days run from when acceptance is due, whether anybody accepts or not."""
    if order.payment_terms == GOODS_FIRST:
        order.pay_by = clock.days_after(acceptance_due(order), order.payment_days)


def on_accepted(order: Order) -> None:
    """Accepted earlier than due: the days run from then. Of one paid first only what weighed more is open still."""
    last = clock.days_after(clock.today(), order.payment_days)
    if order.payment_terms == PAY_FIRST or order.pay_by is None:
        order.pay_by = last
    else:
        order.pay_by = min(order.pay_by, last)


def acceptance_due(order: Order) -> date:
    """Fresh goods are accepted on the day they come, others within a week; none before they have left."""
    came = max(order.delivery_day, clock.today())
    fresh = db.session().scalar(select(overdue.is_fresh()).select_from(Order).where(Order.id == order.id))
    return overdue.acceptance_due(came, bool(fresh))


# ---- more time ------------------------------------------------------------------------------------------------------


def extend(order_id: int, by: Visitor) -> date:
    """Give an order that is paid first 15 more days, once, while it stands; the new last day. Raises NotFound,
    NoMoreTime.
    """
    order = db.session().scalar(
        select(Order).where(Order.id == order_id, Order.unit_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    if not may_extend(order) or order.pay_by is None:
        raise NoMoreTime(number=order.number)
    before, last = order.pay_by, clock.days_after(order.pay_by, MORE_DAYS)
    order.pay_by, order.pay_extended = last, True
    db.session().flush()
    journal.record(EXTENDED, "order", order.id, by, before=before.isoformat(), after=last.isoformat())
    outbox.enqueue(EXTENDED, {"order_id": order.id})
    return last


def may_extend(order: Any) -> bool:
    """Whether an order's facts allow the one extension."""
    return bool(order.payment_terms == PAY_FIRST and order.state == "placed" and not order.pay_extended
                and order.pay_by is not None and order.payment not in {"paid", "over"})


# ---- as conditions of lists -----------------------------------------------------------------------------------------


def waits_for_payment() -> ColumnElement[bool]:
    """That an order is not to be packed yet: paid first, and not all of it has arrived."""
    return and_(Order.payment_terms == PAY_FIRST, Order.state == "placed", Order.payment.not_in(("paid", "over")))
