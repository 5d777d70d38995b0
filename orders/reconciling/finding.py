"""What the comparison found becomes tasks; what is right again heals. In the caller's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from market import db, outbox
from orders.models import MoneyTask
from orders.paying import tasks
from orders.reconciling.bank import BankLine
from orders.reconciling.comparing import MISSED, Line

# what looking again can show to be right; a late payment and a failed refund are for a person
HEALS = ("missing_event", "foreign_charge", "amount_differs", "charge_differs", "provider_refund", "dispute",
         "books_differ", "claim_without_bank")


def found(supplier_id: int, lines: Iterable[Line]) -> None:
    """A task for each line that differs; of what is about to be booked nobody is told yet."""
    for line in lines:
        if not line.differs:
            continue
        payment, refund = line.payment, line.refund
        tasks.find(
            line.verdict, line.thing, supplier_id, told=line.verdict != MISSED,
            amount_fen=line.theirs_fen if line.theirs_fen is not None else line.ours_fen,
            order_id=payment.order_id if payment else refund.order_id if refund else None,
            card_payment_id=payment.id if payment else None, refund_id=refund.id if refund else None,
            theirs_fen=line.theirs_fen, ours_fen=line.ours_fen, ledger_fen=line.ledger_fen, why=line.why,
            what=line.what, said=line.said, currency=line.currency, at=line.at.isoformat() if line.at else None,
            ours=refund.number if refund else payment.key if payment else None)


def found_at_bank(supplier_id: int, lines: Iterable[BankLine]) -> None:
    """A task for each confirmed claim that the bank does not show, or shows otherwise."""
    for line in lines:
        if line.differs:
            tasks.find(line.verdict, line.thing, supplier_id, claim_id=line.claim_id,
                       amount_fen=line.ours_fen, theirs_fen=line.theirs_fen, ours_fen=line.ours_fen,
                       ledger_fen=line.ledger_fen, why=line.why, payer=line.payer_name, at=line.day.isoformat())


def healed(supplier_id: int, account_id: str, lines: Sequence[Any]) -> int:
    """Heal open tasks whose thing was compared and no longer differs so; tell of those that could not be booked.

    Returns how many healed.
    """
    verdicts: dict[str, set[str]] = {}
    for line in lines:
        for name in _names(line):
            verdicts.setdefault(name, set()).add(line.verdict)
    count = int(bool(account_id) and tasks.heal("account_lost", account_id))
    for task in db.session().execute(
            select(MoneyTask.id, MoneyTask.kind, MoneyTask.thing).where(
                MoneyTask.supplier_id == supplier_id, MoneyTask.state == "open", MoneyTask.kind.in_(HEALS))
            .order_by(MoneyTask.id)).all():
        if task.thing in verdicts and task.kind not in verdicts[task.thing]:
            count += tasks.heal(task.kind, task.thing)
        elif task.kind == MISSED and task.thing in verdicts:
            outbox.enqueue(tasks.FOUND, {"task_id": task.id})
    return count


def _names(line: Any) -> set[str]:
    """Under which names a task may speak of this line: the other side's and our own."""
    if isinstance(line, BankLine):
        return {line.thing}
    names = {line.thing}
    if line.what == "charge" and line.payment is not None:
        names.add(line.payment.key)
    if line.refund is not None:
        names.add(line.refund.number)
    return names


def sums(lines: Iterable[Any]) -> tuple[int, int]:
    """What came in by the other side and by the ledger, less what went back, in fen."""
    theirs = ours = 0
    for line in lines:
        kind = getattr(line, "what", "charge")
        sign = {"charge": 1, "refund": -1}.get(kind, 0)
        if kind == "refund" and line.said in {"failed", "canceled"}:
            sign = 0
        theirs += sign * (line.theirs_fen or 0)
        ours += sign * (line.ledger_fen or 0)
    return theirs, ours
