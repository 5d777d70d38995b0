"""对公转账: the unit's finance person says that money was transferred; the co-operative says that it arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update

from market import clock, db, faults, journal, money, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from orders import numbers
from orders.approving import people
from orders.buying import lists
from orders.models import Acceptance, BankRow, ClaimPart, Order, PaymentClaim
from orders.paying import card_closing, receipts, tasks

WITHDRAWN, REFUSED = "payment.withdrawn", "payment.not_found"
OVER_FEN = 1_000_000  # what may be claimed beyond twice of what an order costs: a slip of the keys is more


@dataclass(frozen=True)
class Remittance:
    """A bank transfer as the payer describes it. The payer's name may differ from the unit's (a treasury centre)."""

    payer_name: str
    paid_on: date
    voucher_id: int | None = None


class TooMuchClaimed(MarketError):
    """So much more than the order costs that it can only be a slip."""

    status = 422
    code = "too_much_claimed"
    text = N_("Order %(number)s: ¥%(yuan)s is far more than it costs; at most ¥%(most)s can be claimed.")


class BankHasIt(Conflict):
    """The co-operative has matched the claim with a row of its bank statement."""

    code = "bank_has_it"
    text = N_("The co-operative has found this money on its bank statement; the claim cannot be taken back any more.")


class NothingToPay(Conflict):
    """The order was cancelled or refused."""

    code = "nothing_to_pay"
    text = N_("Order %(number)s was cancelled or refused; there is nothing to pay.")


def claim(amounts: Mapping[int, int], remittance: Remittance, by: Visitor,
          statement_id: int | None = None) -> PaymentClaim:
    """Claim one transfer to one co-operative for one or several orders: {order id: fen > 0}, or for a statement's.

    Before or after the goods, a part or too much: what is over is owed back. The payer is a person of their own: not
    who ordered, approved or received. Raises NotFound, NothingToPay, TooMuchClaimed, SecondPersonNeeded, InvalidInput.
    """
    orders = _orders(amounts, by)
    if remittance.paid_on > clock.today():
        raise InvalidInput({"paid_on": [N_("The day of payment lies in the future.")]})
    if len({order.supplier_id for order in orders}) != 1 or any(fen <= 0 for fen in amounts.values()):
        raise InvalidInput({"orders": [N_("One transfer goes to one co-operative.")]})
    for order in orders:
        if order.state in {"cancelled", "rejected", "waiting"}:
            raise NothingToPay(number=order.number)
        most = most_fen(order)
        if amounts[order.id] > most:
            raise TooMuchClaimed(number=order.number, yuan=money.yuan(amounts[order.id]), most=money.yuan(most))
    check_payer(orders, by)
    row = PaymentClaim(
        number=numbers.new("K", clock.today()), unit_id=orders[0].unit_id, supplier_id=orders[0].supplier_id,
        payer_name=remittance.payer_name, paid_on=remittance.paid_on, amount_fen=sum(amounts.values()),
        voucher_id=remittance.voucher_id, statement_id=statement_id, state="claimed", claimed_by=by.id,
        claimed_at=clock.now())
    session = db.session()
    session.add(row)
    session.flush()
    db.insert_rows(ClaimPart, [{"claim_id": row.id, "order_id": order.id, "amount_fen": amounts[order.id]}
                               for order in orders])
    for order in orders:
        receipts.update_payment(order)
        journal.record("payment.claimed", "order", order.id, by, claim=row.number, amount_fen=amounts[order.id])
    outbox.enqueue("payment.claimed", {"claim_id": row.id})
    faults.point("claim_made")
    return row


def most_fen(order: Order) -> int:
    """The most one claim may say for an order, in fen: twice what it costs and ¥10,000."""
    cost = order.accepted_fen if order.state == "accepted" else order.placed_fen
    return 2 * (cost + order.freight_fen) + OVER_FEN


def over_fen(order_ids: Sequence[int]) -> int:
    """What claims and receipts together say beyond what these orders cost, in fen: it is owed back once it arrives."""
    claimed = (select(db.sum_of(ClaimPart.amount_fen)).join(PaymentClaim, PaymentClaim.id == ClaimPart.claim_id)
               .where(ClaimPart.order_id == Order.id, PaymentClaim.state == "claimed").correlate(Order)
               .scalar_subquery())
    rows = db.session().execute(select(claimed - lists.open_fen()).where(Order.id.in_(order_ids)))
    return sum(max(0, fen) for (fen,) in rows)


def oldest_first(open_fen: Sequence[tuple[int, int]], amount_fen: int) -> dict[int, int]:
    """One sum over orders given oldest first with what is open on each (fen); what is over goes with the last.

    >>> oldest_first([(1, 500), (2, 700)], 900)
    {1: 500, 2: 400}
    >>> oldest_first([(1, 500), (2, 700)], 1250)
    {1: 500, 2: 750}
    """
    amounts, left = {}, amount_fen
    for order_id, fen in open_fen:
        amounts[order_id] = min(max(0, fen), left)
        left -= amounts[order_id]
    if left and amounts:
        amounts[open_fen[-1][0]] += left
    return {order_id: fen for order_id, fen in amounts.items() if fen}


def confirm(claim_id: int, by: Visitor) -> PaymentClaim:
    """The co-operative has found the money on its account. Money for an order that is closed is owed back: a task.

    Raises NotFound, Conflict, SecondPersonNeeded.
    """
    row = _open_claim(claim_id, by)
    day = clock.today()
    row.state, row.answered_by, row.answered_at, row.business_date = "received", by.id, clock.now(), day
    session = db.session()
    session.flush()
    parts = session.execute(
        select(ClaimPart.id, ClaimPart.order_id, ClaimPart.amount_fen).where(ClaimPart.claim_id == row.id)
        .order_by(ClaimPart.order_id)).all()
    orders = {o.id: o for o in session.scalars(
        select(Order).where(Order.id.in_([p.order_id for p in parts])).order_by(Order.id).with_for_update())}
    for part in parts:
        receipts.lay(orders[part.order_id], receipts.Brought(claim_part_id=part.id), part.amount_fen, day)
        receipts.update_payment(orders[part.order_id])
        _follow(orders[part.order_id], row, part.amount_fen)
        journal.record("payment.received", "order", part.order_id, by, claim=row.number, amount_fen=part.amount_fen)
    faults.point("claim_received")
    return row


def _follow(order: Order, row: PaymentClaim, amount_fen: int) -> None:
    """Paid in full, it is not to be paid by card as well; closed, somebody has to give the money back."""
    if order.state in {"cancelled", "rejected"}:
        tasks.find("paid_late", f"{row.number} {order.number}", row.supplier_id, amount_fen=amount_fen,
                   order_id=order.id, claim_id=row.id, claim=row.number, order=order.number, state_then=order.state)
    card_closing.close_pages(order.id)  # it stands for more than is open now


def withdraw(claim_id: int, by: Visitor) -> PaymentClaim:
    """The unit takes back what it said by mistake, as long as nobody has answered. Raises NotFound, Conflict,
    BankHasIt.
    """
    row = db.session().scalar(
        select(PaymentClaim).where(PaymentClaim.id == claim_id, PaymentClaim.unit_id == by.organisation_id,
                                   PaymentClaim.origin == "unit").with_for_update())
    if row is None:
        raise NotFound()
    if row.state != "claimed":
        raise Conflict()
    if db.session().scalar(select(BankRow.id).where(BankRow.claim_id == row.id)) is not None:
        raise BankHasIt()
    row.state, row.answered_by, row.answered_at = "withdrawn", by.id, clock.now()
    _let_go(row, WITHDRAWN, by)
    return row


def refuse(claim_id: int, reason: str, by: Visitor) -> PaymentClaim:
    """The money has not arrived, or not for these orders; the unit is told and may claim again. A row of the bank's
    statement that was laid on the claim waits for somebody to say what it is. Raises NotFound, Conflict.
    """
    db.session().execute(select(BankRow.id).where(BankRow.claim_id == claim_id).with_for_update())  # row, then claim
    row = _open_claim(claim_id, by)
    row.state, row.answered_by, row.answered_at, row.reason = "refused", by.id, clock.now(), reason
    _free_bank_row(row, by)
    _let_go(row, REFUSED, by, reason=reason)
    return row


def _free_bank_row(claim: PaymentClaim, by: Visitor) -> None:
    bank_row = db.session().scalar(
        update(BankRow).where(BankRow.claim_id == claim.id)
        .values(state="unknown", claim_id=None, decided_by=by.id, decided_at=clock.now()).returning(BankRow.id))
    if bank_row is not None:
        journal.record("bank.freed", "bank_row", bank_row, by, claim=claim.number)


def _let_go(row: PaymentClaim, act: str, by: Visitor, **details: str) -> None:
    """A claim counts no more: its orders are as unpaid as before it."""
    session = db.session()
    session.flush()
    for order in session.scalars(select(Order).join(ClaimPart, ClaimPart.order_id == Order.id)
                                 .where(ClaimPart.claim_id == row.id).order_by(Order.id).with_for_update(of=Order)):
        receipts.update_payment(order)
        journal.record(act, "order", order.id, by, claim=row.number, **details)
    outbox.enqueue(act, {"claim_id": row.id})


def _orders(amounts: Mapping[int, int], by: Visitor) -> list[Order]:
    orders = list(db.session().scalars(
        select(Order).where(Order.id.in_(amounts), Order.unit_id == by.organisation_id).order_by(Order.id)
        .with_for_update()))
    if not amounts or len(orders) != len(amounts):
        raise NotFound()
    return orders


def check_payer(orders: list[Order], by: Visitor) -> None:
    """requester, approver and receivers never pay, in a reduced scheme either."""
    session = db.session()
    bought = {o.purchase_id for o in orders}
    persons = people.deciders(bought) | people.askers(bought)
    for received in session.execute(select(Acceptance.first_receiver, Acceptance.second_receiver)
                                    .where(Acceptance.order_id.in_([o.id for o in orders]))):
        persons |= {received.first_receiver, received.second_receiver}
    if by.id in persons:
        raise SecondPersonNeeded()


def _open_claim(claim_id: int, by: Visitor) -> PaymentClaim:
    row = db.session().scalar(
        select(PaymentClaim).where(PaymentClaim.id == claim_id, PaymentClaim.supplier_id == by.organisation_id)
        .with_for_update())
    if row is None:
        raise NotFound()
    if row.state != "claimed":
        raise Conflict()
    if row.claimed_by == by.id:
        raise SecondPersonNeeded()
    return row
