"""对账: account by account, what differs becomes a task, what is missing is made good, the lists are kept.

Calls to the provider stand outside the short transactions that write.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from market import clock, db, faults, journal
from market.access import Visitor
from market.errors import MarketError
from market.files import StoredFile
from market.parties import Organisation
from orders.models import Reconciliation
from orders.paying import tasks
from orders.paying.gateway import CardsOff, Charge, Declined, Dispute, Gateway, GivenBack, OutcomeUnknown
from orders.reconciling import bank, books, comparing, evidence, finding
from orders.reconciling.comparing import HEALED, MISSED, Line
from orders.reconciling.models import ReconciledPart

CLOSE = timedelta(minutes=10)  # what has just been paid may still be on its way to us
AGAIN = timedelta(days=3)  # before the end of the last good run
AT_LEAST = timedelta(days=7)
GIVES_UP_AFTER = 3  # accounts in a row that do not answer
UNANSWERED, LOST = "unanswered", "lost"
KEY_REFUSED = 401


@dataclass(frozen=True)
class Hands:
    """How what is missing is made good: by the one function that books a payment, the one that follows a refund."""

    book: Callable[[int, Gateway], object]
    follow: Callable[[int, Gateway], object]


@dataclass(frozen=True)
class Theirs:
    """What the provider says of an account."""

    charges: list[Charge]
    given: Sequence[GivenBack]
    disputes: Sequence[Dispute]


def begin(scope: str, occasion: str, by: Visitor | None = None) -> int | None:
    """Write down that a run of a scope ('card' or 'bank') begins, once for an occasion; None where it has begun."""
    now = clock.now()
    run_id: int | None = db.session().execute(db.insert_new(Reconciliation).values(
        scope=scope, day=clock.today(), first_day=clock.today(), last_day=clock.today(), started_at=now, compared=0,
        differences=0, healed=0, error="", occasion=occasion,
    ).returning(db.table(Reconciliation).c.id)).scalar()
    if run_id is not None:
        journal.record("reconciliation.begun", "reconciliation", run_id, by, scope=scope)
    return run_id


def has_work(scope: str) -> bool:
    """Whether there is anything to compare: an account at the provider, a statement of a bank."""
    return bool(bank.suppliers() if scope == "bank" else books.accounts())


def run(run_id: int, gateway: Gateway, hands: Hands, folder: Path, since: datetime | None = None) -> None:
    """Compare everything of a run's scope. Harmless when run again: a run that was cut off is begun anew.

    `since` takes the place of the time that each account would be compared from.
    """
    begun = db.session().execute(select(db.table(Reconciliation)).where(Reconciliation.id == run_id)).one()
    if begun.finished_at is not None:
        return
    if begun.scope == "bank":
        for supplier in bank.suppliers():
            _compare_bank(begun, supplier.id, folder)
    else:
        silent = 0
        for account in books.accounts():
            answered = _compare_account(begun, account, gateway, hands, folder, since)
            silent = 0 if answered else silent + 1
            if silent == GIVES_UP_AFTER:
                break
    faults.point("reconcile_kept")
    _finish(begun, folder)


def _compare_account(begun: Any, account: Any, gateway: Gateway, hands: Hands, folder: Path,
                     asked_since: datetime | None) -> bool:
    """One account; False where the provider does not answer, and nothing is said about its payments."""
    until = begun.started_at - CLOSE
    part = _Part(begun, account.supplier_id, account.account_id, asked_since or _since(account, until), until)
    db.session().rollback()  # nothing stays open while the provider is asked
    try:
        lines = _compared(part, gateway, hands)
    except (OutcomeUnknown, CardsOff):
        part.keep_error(UNANSWERED)
        return False
    except Declined as refusal:
        if getattr(refusal.__cause__, "http_status", None) == KEY_REFUSED:  # our own key, not this account
            part.keep_error(UNANSWERED)
            return False
        with db.transaction():
            tasks.find("account_lost", account.account_id, account.supplier_id, said=refusal.message())
        part.keep_error(LOST)
        return True
    part.keep(lines, evidence.of_cards(lines), folder)
    return True


def _since(account: Any, until: datetime) -> datetime:
    """From before the end of this account's last good run; the first run covers all since it was connected."""
    last = db.session().scalar(select(func.max(ReconciledPart.until)).where(
        ReconciledPart.account_id == account.account_id, ReconciledPart.error == ""))
    return min(last - AGAIN, until - AT_LEAST) if last else min(account.since, until) - books.SLACK


def _compared(part: "_Part", gateway: Gateway, hands: Hands) -> list[Line]:
    """The lines of an account; what was missing is booked, and compared again."""
    theirs = Theirs(list(gateway.charges(part.account_id, part.since, part.until)),
                    list(gateway.refunds(part.account_id, part.since, part.until)),
                    list(gateway.disputes(part.account_id, part.since, part.until)))
    lines = _beside_ours(part, theirs, gateway)
    part.differences = sum(line.differs for line in lines)
    missed = {line.thing for line in lines if line.verdict == MISSED}
    with db.transaction():
        finding.found(part.supplier_id, lines)
    if not missed:
        return lines
    for line in lines:
        if line.verdict == MISSED:
            _make_good(line, gateway, hands)
    faults.point("reconcile_healed")
    return [replace(line, verdict=HEALED) if line.thing in missed and line.verdict == comparing.SAME else line
            for line in _beside_ours(part, theirs, gateway)]


def _beside_ours(part: "_Part", theirs: Theirs, gateway: Gateway) -> list[Line]:
    """Read our side in one moment, look up singly what the lists do not name, compare."""
    with db.snapshot():
        payments = books.payments(part.account_id, part.since, part.until, theirs.charges, theirs.given,
                                  theirs.disputes)
        refunds = books.refunds(part.account_id, part.since, part.until, theirs.given)
        gone = books.given_back([refund.payment_id for refund in refunds])
    for payment in comparing.unseen(theirs.charges, payments):
        charge = _looked_up(gateway, part.account_id, payment.intent_id)
        if charge is not None:
            theirs.charges.append(charge)
    singly = {
        refund.id for refund in comparing.unseen_refunds(theirs.given, refunds)
        if (charge := _looked_up(gateway, part.account_id, refund.intent_id)) is not None
        and charge.refunded_fen >= gone[refund.payment_id]}
    paid = comparing.names_of_ours(theirs.charges, payments)
    return [*comparing.compare_charges(theirs.charges, payments, part.account_id, gateway.live),
            *comparing.compare_refunds(theirs.given, refunds, part.account_id, paid, singly),
            *comparing.compare_disputes(theirs.disputes, paid)]


def _looked_up(gateway: Gateway, account_id: str, intent_id: str | None) -> Charge | None:
    """A payment's charge by itself; None where the provider does not know it."""
    try:
        return gateway.charge(account_id, intent_id) if intent_id else None
    except Declined:
        return None


def _make_good(line: Line, gateway: Gateway, hands: Hands) -> None:
    """Let the one function that books look at it; what it refuses stays a task."""
    try:
        if line.refund is not None:
            hands.follow(line.refund.id, gateway)
        elif line.payment is not None:
            hands.book(line.payment.id, gateway)
    except OutcomeUnknown:
        raise
    except MarketError:
        db.session().rollback()


def _compare_bank(begun: Any, supplier_id: int, folder: Path) -> None:
    with db.snapshot():
        lines = bank.compared(supplier_id, begun.day)
    part = _Part(begun, supplier_id, "", begun.started_at - bank.LOOKS_BACK, begun.started_at)
    part.differences = sum(line.differs for line in lines)
    with db.transaction():
        finding.found_at_bank(supplier_id, lines)
    part.unknown = sum(line.is_old for line in lines)
    part.keep(lines, evidence.of_bank(lines), folder)


class _Part:
    """One co-operative's part of a run while it is compared."""

    def __init__(self, begun: Any, supplier_id: int, account_id: str, since: datetime, until: datetime) -> None:
        self.run_id, self.day = begun.id, begun.day
        self.supplier_id, self.account_id, self.since, self.until = supplier_id, account_id, since, until
        self.differences = self.unknown = 0

    def keep(self, lines: Sequence[Any], content: bytes, folder: Path) -> None:
        """The lists and what they came to; tasks that are right again are healed."""
        with db.transaction():
            healed = finding.healed(self.supplier_id, self.account_id, lines)
            faults.point("reconcile_found")
            name = f"{self.day.isoformat()}-{self.account_id or 'bank'}.csv"
            stored = evidence.keep(content, name, self.supplier_id, folder)
            theirs, ours = finding.sums(lines)
            self._write(compared=len(lines), differences=self.differences, healed=healed, theirs_fen=theirs,
                        ours_fen=ours, unknown=self.unknown, evidence_id=stored.id, error="")
            journal.record("reconciliation.compared", "reconciliation", self.run_id, None, supplier=self.supplier_id,
                           compared=len(lines), differences=self.differences, sha256=stored.sha256)

    def keep_error(self, error: str) -> None:
        db.session().rollback()
        with db.transaction():
            self._write(compared=0, differences=0, healed=0, theirs_fen=0, ours_fen=0, unknown=0, evidence_id=None,
                        error=error)

    def _write(self, **columns: Any) -> None:
        db.session().execute(
            db.insert_or_update(ReconciledPart, "run_id", "supplier_id", "account_id"),
            [{"run_id": self.run_id, "supplier_id": self.supplier_id, "account_id": self.account_id,
              "since": self.since, "until": self.until, **columns}])


def _finish(begun: Any, folder: Path) -> None:
    """Add the parts up, keep the table that vouches for their lists."""
    with db.transaction() as session:
        parts = session.execute(
            select(db.table(ReconciledPart), Organisation.name, StoredFile.sha256)
            .join(Organisation, Organisation.id == ReconciledPart.supplier_id)
            .outerjoin(StoredFile, StoredFile.id == ReconciledPart.evidence_id)
            .where(ReconciledPart.run_id == begun.id).order_by(ReconciledPart.supplier_id, ReconciledPart.id)).all()
        row = session.get_one(Reconciliation, begun.id, with_for_update=True)
        stored = evidence.keep(evidence.of_run(parts), f"{begun.day.isoformat()}-{begun.scope}.csv", None, folder)
        row.compared, row.differences = sum(p.compared for p in parts), sum(p.differences for p in parts)
        row.healed, row.evidence_id, row.finished_at = sum(p.healed for p in parts), stored.id, clock.now()
        row.error = UNANSWERED if any(part.error == UNANSWERED for part in parts) else ""
        if parts:
            row.first_day = clock.business_date(min(part.since for part in parts))
            row.last_day = clock.business_date(max(part.until for part in parts))
        journal.record("reconciliation.finished", "reconciliation", begun.id, None, sha256=stored.sha256,
                       compared=row.compared, differences=row.differences, healed=row.healed, error=row.error)
