"""Money the co-operative gives back: after a return, for an overpayment, for an order that shrank or was cancelled.

One person asks, a second one confirms, one of the two a manager. Nothing moves by itself, and never more goes back than
was paid too much. By card the money follows later: orders/paying/card_refunds.py.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, db, faults, journal, ledger, money, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound
from market.four_eyes import need_second
from orders import numbers
from orders.income import posting
from orders.models import Order, Refund, RefundLine, RefundShare
from orders.paying import receipts, refund_sums
from orders.paying.refund_sums import owed_fen as owed_fen

DONE = "refund.done"  # the unit hears of it


class NotOwed(Conflict):
    """More than the unit has paid too much, or than came by the way it is to go."""

    code = "not_owed"
    text = N_("At most ¥%(most)s is to be refunded.")


def ask(order_id: int, amount_fen: int, reason: str, by: Visitor, card_payment_id: int | None = None,
        return_id: int | None = None) -> Refund:
    """Write down that money is to go back, before anything moves: by bank, or to the card it came from.

    Raises NotFound, NotOwed, InvalidInput.
    """
    return _ask(_locked(order_id, by), amount_fen, reason, by, card_payment_id, return_id)


def ask_whole(order_id: int, reason: str, by: Visitor) -> list[Refund]:
    """Ask for all that was paid too much: what came by card goes back to the card, the rest by bank.

    Raises NotFound, NotOwed.
    """
    order = _locked(order_id, by)
    ways = refund_sums.proposed(order)
    if not ways:
        raise NotOwed(most=money.yuan(0))
    return [_ask(order, way.amount_fen, reason, by, way.card_payment_id) for way in ways]


def ask_by_lines(order_id: int, wanted: Mapping[int, int], reason: str, by: Visitor,
                 card_payment_id: int | None = None) -> Refund:
    """Ask for what so much of some lines cost: {order line id: milli}; the last of a line takes its last fen.

    Only of what the unit has not, or no longer: returned, never delivered, or of a cancelled order. Raises NotFound,
    NotOwed, InvalidInput at the lines.
    """
    order = _locked(order_id, by)
    lines = {line.id: line for line in refund_sums.lines(order)}
    if not set(wanted) <= set(lines):
        raise NotFound()
    if not wanted:
        raise InvalidInput({"lines": [N_("Say which goods, and how much of them.")]})
    wrong: dict[str, list[str | MarketError]] = {
        f"line-{line_id}": [MoreThanMissing(name=lines[line_id].product_name, unit=lines[line_id].unit,
                                            most=money.plain_decimal(lines[line_id].left_milli))]
        for line_id, milli in wanted.items() if not 0 < milli <= lines[line_id].left_milli}
    if wrong:
        raise InvalidInput(wrong)
    amounts = {line_id: lines[line_id].amount_of(milli) for line_id, milli in sorted(wanted.items())}
    refund = _ask(order, sum(amounts.values()), reason, by, card_payment_id)
    db.insert_rows(RefundLine, [{"refund_id": refund.id, "order_line_id": line_id, "milli": wanted[line_id],
                                 "amount_fen": fen} for line_id, fen in amounts.items()])
    return refund


class MoreThanMissing(Conflict):
    """More of a good than was returned or never came, less what is refunded already."""

    status = 422
    code = "more_than_missing"
    text = N_("%(name)s: at most %(most)s %(unit)s.")


def _ask(order: Order, amount_fen: int, reason: str, by: Visitor, card_payment_id: int | None = None,
         return_id: int | None = None) -> Refund:
    """Under the order's lock, so that two who ask at once cannot ask for more than there is."""
    if amount_fen <= 0:
        raise InvalidInput({"amount": [N_("This number is outside what is possible here.")]})
    most = refund_sums.owed_fen(order)
    if card_payment_id is not None:
        most = min(most, refund_sums.card_left_fen(order.id, card_payment_id))
    if amount_fen > most:
        raise NotOwed(most=money.yuan(most))
    refund = Refund(
        number=numbers.new("R", clock.today()), order_id=order.id, amount_fen=amount_fen,
        way="card" if card_payment_id else "bank", state="asked", card_payment_id=card_payment_id, return_id=return_id,
        reason=reason, made_by=by.id, made_at=clock.now())
    session = db.session()
    session.add(refund)
    session.flush()
    faults.point("refund_asked")
    journal.record("payment.refund_asked", "order", order.id, by, refund=refund.number, amount_fen=amount_fen)
    return refund


def confirm(refund_id: int, paid_on: date, by: Visitor, voucher_id: int | None = None) -> Refund:
    """A second person of the co-operative says that the bank transfer was made: it is in the books.

    Raises NotFound, Conflict, SecondPersonNeeded, InvalidInput.
    """
    order, refund = locked(refund_id, by)
    if refund.state != "asked" or refund.way != "bank":
        raise Conflict()
    check_second(refund, order, by)
    if paid_on > clock.today():
        raise InvalidInput({"paid_on": [N_("The day of payment lies in the future.")]})
    refund.paid_on, refund.voucher_id = paid_on, voucher_id
    refund.confirmed_by, refund.confirmed_at = by.id, clock.now()
    book(refund)
    journal.record("payment.refunded", "order", refund.order_id, by, refund=refund.number,
                   amount_fen=refund.amount_fen, second=refund.made_by)
    faults.point("refund_confirmed")
    return refund


def refuse(refund_id: int, reason: str, by: Visitor) -> Refund:
    """It is not to be given, says anybody of the co-operative while it only waits. Raises NotFound, Conflict."""
    _order, refund = locked(refund_id, by)
    if refund.state != "asked":
        raise Conflict()
    refund.state, refund.answer = "refused", reason
    db.session().flush()
    journal.record("payment.refund_refused", "order", refund.order_id, by, refund=refund.number,
                   amount_fen=refund.amount_fen, reason=reason)
    return refund


def locked(refund_id: int, by: Visitor | None) -> tuple[Order, Refund]:
    """A refund of the visitor's co-operative (None: of any) and its order, the order locked first as everywhere."""
    session = db.session()
    found = select(Order).join(Refund, Refund.order_id == Order.id).where(Refund.id == refund_id)
    if by is not None:
        found = found.where(Order.supplier_id == by.organisation_id)
    order = session.scalar(found.with_for_update(of=Order))
    if order is None:
        raise NotFound()
    refund = session.scalars(select(Refund).where(Refund.id == refund_id).with_for_update()).one()
    return order, refund


def check_second(refund: Refund, order: Order, by: Visitor) -> None:
    """Somebody else than who asked, and one of the two a manager. Raises SecondPersonNeeded, ManagerNeeded."""
    need_second(order.supplier_id, refund.made_by, by)


def check_still_owed(order: Order, refund: Refund) -> None:
    """The order may have come to cost more since it was asked for. Raises NotOwed."""
    most = refund_sums.owed_fen(order, beside=refund.id)
    if refund.amount_fen > most:
        raise NotOwed(most=money.yuan(most))


def book(refund: Refund) -> None:
    """The money has gone back: post it. The caller holds the refund's row and has its two persons."""
    order = db.session().scalars(select(Order).where(Order.id == refund.order_id).with_for_update()).one()
    if refund.amount_fen > order.received_fen - order.refunded_fen:
        raise NotOwed(most=money.yuan(order.received_fen - order.refunded_fen))
    day = clock.today()
    refund.state, refund.business_date = "done", day
    db.session().flush()
    _post(order, refund, day)
    order.refunded_fen += refund.amount_fen
    receipts.update_payment(order)
    outbox.enqueue(DONE, {"refund_id": refund.id})
    faults.point("refund_booked")


def _locked(order_id: int, by: Visitor) -> Order:
    order = db.session().scalar(
        select(Order).where(Order.id == order_id, Order.supplier_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    return order


def _post(order: Order, refund: Refund, day: date) -> None:
    """From goods that are paid more than they cost, then from money that lies on no goods; what is left, which the
    order has come to owe since it was asked for, from what was paid for its goods.
    """
    parts = receipts.open_parts(order.id)
    over = [receipts.over_fen(part) for part in parts]
    from_over = min(refund.amount_fen, sum(over))
    from_ahead = min(refund.amount_fen - from_over, max(0, receipts.on_no_goods_fen(order.id)))
    paid = [part["received_fen"] - fen for part, fen in zip(parts, over, strict=True)]
    from_paid = refund.amount_fen - from_over - from_ahead
    amounts = [sum(both) for both in zip(_spread(from_over, over), _spread(from_paid, paid), strict=True)]
    shares: list[tuple[dict[str, Any] | None, int]] = [(None, from_ahead)] if from_ahead else []
    shares += [(part, fen) for part, fen in zip(parts, amounts, strict=True) if fen]
    ids = db.insert_returning_ids(RefundShare, [
        {"refund_id": refund.id, "acceptance_part_id": part["id"] if part else None, "amount_fen": fen}
        for part, fen in shares
    ])
    transfers = []
    for (part, fen), share_id in zip(shares, ids, strict=True):
        transfers += posting.refunded(posting.facts_of(order, part), share_id, fen, day)
        if part is not None:
            receipts.move_received(part["id"], -fen)
    ledger.post(transfers)


def _spread(total: int, most: list[int]) -> list[int]:
    return money.allocate(total, most) if total else [0] * len(most)
