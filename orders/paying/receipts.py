"""How received money lies on accepted goods, so that 'paid' and 'unpaid' are known per village, to the fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select, update

from market import clock, db, faults, ledger, money
from orders import states
from orders.income import posting
from orders.models import (
    AcceptanceLine,
    AcceptancePart,
    ClaimPart,
    Order,
    OrderLine,
    PaymentClaim,
    ReceiptShare,
    Refund,
    RefundShare,
)


@dataclass(frozen=True)
class Brought:
    """What brought the money in: a part of a confirmed claim, or a payment by card; neither where money only moves."""

    claim_part_id: int | None = None
    card_payment_id: int | None = None


MOVED = Brought()


def lay(order: Order, brought: Brought, amount_fen: int, day: date) -> None:
    """Lay money that came in on what of the order is accepted and open; what is over lies ahead, on no village."""
    parts = open_parts(order.id)
    on_parts = min(amount_fen, sum(part["open_fen"] for part in parts))
    shares = _on_open(parts, on_parts)
    if amount_fen > on_parts:
        shares.append((None, amount_fen - on_parts))
    _write(order, brought, shares, day)
    order.received_fen += amount_fen
    db.session().flush()
    faults.point("receipt_laid")


def lay_on_accepted(order: Order) -> None:
    """Once goods are accepted, money paid ahead moves onto them; what is left of it is for the freight."""
    parts = open_parts(order.id)
    moved = min(on_no_goods_fen(order.id), sum(part["open_fen"] for part in parts))
    if moved > 0:
        _write(order, MOVED, [(None, -moved), *_on_open(parts, moved)], clock.today())


def move_from_returned(order: Order) -> None:
    """Money on goods that went back moves to goods that are still open, then to the freight; the rest is owed back."""
    parts = open_parts(order.id)
    over = [over_fen(part) for part in parts]
    on_goods = min(sum(over), sum(part["open_fen"] for part in parts))
    on_freight = min(sum(over) - on_goods, max(0, order.freight_due_fen - on_no_goods_fen(order.id)))
    if on_goods + on_freight > 0:
        taken = zip(parts, money.allocate(on_goods + on_freight, over), strict=True)
        shares: list[tuple[dict[str, Any] | None, int]] = [(part, -fen) for part, fen in taken if fen]
        shares += _on_open(parts, on_goods) + ([(None, on_freight)] if on_freight else [])
        _write(order, MOVED, shares, clock.today())


def ahead_fen(order_id: int) -> int:
    """Money of this order that covers neither goods nor its freight, less what of it was refunded, in fen."""
    return max(0, on_no_goods_fen(order_id) - db.session().get_one(Order, order_id).freight_due_fen)


def on_no_goods_fen(order_id: int) -> int:
    """Money in shares without goods: paid ahead, paid too much, or for the freight; less refunds of it."""
    brought = select(db.sum_of(ReceiptShare.amount_fen)).where(
        ReceiptShare.order_id == order_id, ReceiptShare.acceptance_part_id.is_(None))
    refunded = select(db.sum_of(RefundShare.amount_fen)).join(Refund, Refund.id == RefundShare.refund_id).where(
        Refund.order_id == order_id, RefundShare.acceptance_part_id.is_(None))
    return int(db.session().execute(
        select(brought.scalar_subquery() - refunded.scalar_subquery())).scalar_one())


def over_fen(part: dict[str, Any]) -> int:
    """What a part has received beyond what is left of it, in fen."""
    return max(0, int(part["received_fen"] - (part["amount_fen"] - part["returned_fen"])))


def open_parts(order_id: int) -> list[dict[str, Any]]:
    """The order's acceptance parts with what is still open on each (accepted less returned less received, fen >= 0)."""
    query = (
        select(db.table(AcceptancePart), OrderLine.id.label("line_id"), OrderLine.category, OrderLine.certified)
        .join(AcceptanceLine, AcceptanceLine.id == AcceptancePart.acceptance_line_id)
        .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)
        .where(OrderLine.order_id == order_id).order_by(AcceptancePart.id)
    )
    return [
        {**row, "open_fen": max(0, row["amount_fen"] - row["returned_fen"] - row["received_fen"])}
        for row in db.session().execute(query).mappings()
    ]


def update_payment(order: Order) -> None:
    """The payment state that follows from the order's sums and open claims."""
    session = db.session()
    claimed = session.scalar(
        select(func.count()).select_from(ClaimPart).join(PaymentClaim, PaymentClaim.id == ClaimPart.claim_id)
        .where(ClaimPart.order_id == order.id, PaymentClaim.state == "claimed")
    )
    order.payment = states.payment_of(
        order.accepted_fen, order.returned_fen, order.received_fen, order.refunded_fen, order.placed_fen,
        is_accepted=order.state in {"accepted", "rejected"}, is_claimed=bool(claimed),
        is_cancelled=order.state == "cancelled", freight_fen=order.freight_due_fen)
    session.flush()


def _on_open(parts: Sequence[dict[str, Any]], amount_fen: int) -> list[tuple[dict[str, Any] | None, int]]:
    """An amount over the open parts, by what is open on each."""
    if amount_fen <= 0:
        return []
    amounts = money.allocate(amount_fen, [part["open_fen"] for part in parts])
    return [(part, fen) for part, fen in zip(parts, amounts, strict=True) if fen]


def _write(order: Order, brought: Brought, shares: Sequence[tuple[dict[str, Any] | None, int]],
           day: date) -> None:
    """Keep the shares, move the parts' sums on, post."""
    ids = db.insert_returning_ids(ReceiptShare, [
        {"order_id": order.id, "claim_part_id": brought.claim_part_id, "card_payment_id": brought.card_payment_id,
         "acceptance_part_id": part["id"] if part else None, "amount_fen": fen, "business_date": day}
        for part, fen in shares
    ])
    transfers = []
    for (part, fen), share_id in zip(shares, ids, strict=True):
        transfers += posting.received(posting.facts_of(order, part), share_id, fen, day)
        if part is not None:
            move_received(part["id"], fen)
    ledger.post(transfers)


def move_received(part_id: int, fen: int) -> None:
    """Add to what has been received for a part, less refunds."""
    db.session().execute(
        update(AcceptancePart).where(AcceptancePart.id == part_id)
        .values(received_fen=AcceptancePart.received_fen + fen))
