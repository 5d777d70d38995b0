"""What a person says about a row of a bank statement: these orders, that claim, not ours; and taking it back."""

from collections.abc import Mapping

from sqlalchemy import select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from orders.banking import finding, matching, open_sums
from orders.banking.finding import Found
from orders.models import BankRow, PaymentClaim

TAKEN_BACK = "银行流水对应有误，已撤回 · matched to the bank statement by mistake, taken back"


class AlreadyLaid(Conflict):
    """The row lies on orders or was put aside."""

    code = "bank_row_decided"
    text = N_("This payment is already assigned or put aside. Take that back first.")


class AlreadyBooked(Conflict):
    """The manager has said yes: the money is in the books."""

    code = "bank_row_booked"
    text = N_("This money is booked. What is too much is given back as a refund.")


def assign(row_id: int, amounts: Mapping[int, int], by: Visitor) -> BankRow:
    """Lay a movement on orders of one unit, {order id: fen > 0}, to the last fen. Raises NotFound, AlreadyLaid,
    InvalidInput.
    """
    row = _undecided(row_id, by)
    locked = finding.locked(amounts)
    if not locked or any(order.supplier_id != by.organisation_id for order in locked.values()) or (
            len(locked) != len(amounts)):
        raise NotFound()
    if len({order.unit_id for order in locked.values()}) != 1:
        raise InvalidInput({"orders": [N_("One transfer pays orders of one unit.")]})
    opened = open_sums.of(amounts)
    if not all(order.payable for order in opened.values()):
        raise InvalidInput({"orders": [N_("An order that was cancelled or refused, or that waits, is not paid.")]})
    if sum(amounts.values()) != row.amount_fen or min(amounts.values()) <= 0:
        raise InvalidInput({"orders": [N_("The amounts must add up to the payment, to the fen.")]})
    left = sum(max(0, order.open_fen) for order in opened.values())
    is_over = any(fen > max(0, opened[order_id].open_fen) for order_id, fen in amounts.items())
    unit_id = next(iter(locked.values())).unit_id
    claim_id = finding.found([Found(unit_id, amounts, row.payer_name, row.paid_on)], locked, by)[0]
    return _decide(row, "over" if is_over else matching.state_of(row.amount_fen, left), "bank.assigned", by,
                   claim_id=claim_id)


def link(row_id: int, claim_id: int, by: Visitor) -> BankRow:
    """Say that a movement is what a unit has claimed. Raises NotFound, AlreadyLaid, Conflict, InvalidInput."""
    row = _undecided(row_id, by)
    claim = db.session().scalar(select(PaymentClaim).where(
        PaymentClaim.id == claim_id, PaymentClaim.supplier_id == by.organisation_id).with_for_update())
    if claim is None:
        raise NotFound()
    if claim.state not in {"claimed", "received"} or (  # refused, or taken back by the unit
            db.session().scalar(select(BankRow.id).where(BankRow.claim_id == claim.id))):
        raise Conflict()
    if claim.amount_fen != row.amount_fen:
        raise InvalidInput({"claim_id": [N_("This claim is about another amount.")]})
    return _decide(row, "matched", "bank.linked", by, claim_id=claim.id)


def put_aside(row_id: int, reason: str, by: Visitor) -> BankRow:
    """It pays for no order: interest, a loan, a membership fee. Raises NotFound, AlreadyLaid."""
    return _decide(_undecided(row_id, by), "ignored", "bank.put_aside", by, reason=reason)


def take_back(row_id: int, by: Visitor) -> BankRow:
    """Undo what was said or found about a row, as long as the manager has not booked it; it waits again then.

    A claim that the row itself has made is refused; a unit's own claim stays. Raises NotFound, Conflict, AlreadyBooked.
    """
    row = _own(row_id, by)
    if row.claim_id is None and row.state != "ignored":
        raise Conflict()
    if row.claim_id is not None:
        claim = db.session().scalars(
            select(PaymentClaim).where(PaymentClaim.id == row.claim_id).with_for_update()).one()
        if claim.origin == "bank" and claim.state == "received":
            raise AlreadyBooked()
        if claim.origin == "bank" and claim.state == "claimed":
            finding.give_up(claim, TAKEN_BACK, by)
    return _decide(row, "unknown", "bank.taken_back", by)


def _own(row_id: int, by: Visitor) -> BankRow:
    row = db.session().scalar(select(BankRow).where(
        BankRow.id == row_id, BankRow.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    return row


def _undecided(row_id: int, by: Visitor) -> BankRow:
    row = _own(row_id, by)
    if row.claim_id is not None or row.state == "ignored":
        raise AlreadyLaid()
    return row


def _decide(row: BankRow, state: str, action: str, by: Visitor, *, claim_id: int | None = None,
            reason: str = "") -> BankRow:
    before = row.state
    row.state, row.claim_id, row.reason = state, claim_id, reason
    row.decided_by, row.decided_at = by.id, clock.now()
    db.session().flush()
    journal.record(action, "bank_row", row.id, by, before=before, after=state, claim_id=claim_id, reason=reason)
    return row
