"""Money found on the co-operative's bank statement becomes a claim like a unit's; the manager's yes books it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from market import clock, db, journal
from market.access import Visitor
from orders import numbers
from orders.models import ClaimPart, Order, PaymentClaim
from orders.paying import receipts


@dataclass(frozen=True)
class Found:
    """One transfer for orders of one unit: {order id: fen > 0}; the statement of trade that it names, if it does."""

    unit_id: int
    amounts: Mapping[int, int]
    payer_name: str
    paid_on: date
    statement_id: int | None = None


def found(items: Sequence[Found], orders: Mapping[int, Order], by: Visitor) -> list[int]:
    """Write a claim of origin 'bank' for each; their ids in the same order. The orders are locked and may be paid for.

    No money is booked here.
    """
    now = clock.now()
    ids = db.insert_returning_ids(PaymentClaim, [
        {"number": numbers.new("K", clock.today()), "unit_id": item.unit_id, "supplier_id": by.organisation_id,
         "payer_name": item.payer_name or "—", "paid_on": item.paid_on, "amount_fen": sum(item.amounts.values()),
         "state": "claimed", "origin": "bank", "statement_id": item.statement_id, "claimed_by": by.id,
         "claimed_at": now, "reason": ""} for item in items])
    db.insert_rows(ClaimPart, [
        {"claim_id": claim_id, "order_id": order_id, "amount_fen": fen}
        for claim_id, item in zip(ids, items, strict=True) for order_id, fen in sorted(item.amounts.items())])
    _update(sorted({order_id for item in items for order_id in item.amounts}), orders)
    journal.record_many([
        ("payment.found_at_bank", "order", order_id, {"claim_id": claim_id, "amount_fen": fen})
        for claim_id, item in zip(ids, items, strict=True) for order_id, fen in sorted(item.amounts.items())], by)
    return ids


def give_up(claim: PaymentClaim, reason: str, by: Visitor) -> None:
    """A claim found by mistake, which nobody has confirmed, is refused with its reason; the row of the bank stays."""
    claim.state, claim.answered_by, claim.answered_at, claim.reason = "refused", by.id, clock.now(), reason
    db.session().flush()
    order_ids = db.session().scalars(
        select(ClaimPart.order_id).where(ClaimPart.claim_id == claim.id).order_by(ClaimPart.order_id)).all()
    _update(order_ids, locked(order_ids))
    journal.record_many([("payment.found_by_mistake", "order", order_id, {"claim": claim.number, "reason": reason})
                         for order_id in order_ids], by)


def locked(order_ids: Collection[int]) -> dict[int, Order]:
    """Orders under their locks, in the order of their ids."""
    return {order.id: order for order in db.session().scalars(
        select(Order).where(Order.id.in_(order_ids)).order_by(Order.id).with_for_update()
        .execution_options(populate_existing=True))}


def _update(order_ids: Sequence[int], orders: Mapping[int, Order]) -> None:
    for order_id in order_ids:
        receipts.update_payment(orders[order_id])
