"""Bank statements beside confirmed claims and the ledger: money that is booked must stand in an uploaded statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from market import db
from market.parties import Organisation
from orders.models import BankRow, BankStatement, PaymentClaim
from orders.reconciling import books
from orders.reconciling.comparing import GOOD, SAME, UNDER_WAY

LOOKS_BACK = timedelta(days=400)
EXPLAINED_WITHIN = timedelta(days=3)  # a row that nobody has explained for longer is counted
UNKNOWN = "unclaimed"
OPEN_ROWS = ("unknown", "duplicate", "closed")


@dataclass(frozen=True)
class BankLine:
    """A confirmed claim with the bank's row of it; a row without a claim; a claim without a row."""

    verdict: str
    thing: str  # the claim's number, else the bank's own number of the movement
    day: date
    theirs_fen: int | None
    ours_fen: int | None
    ledger_fen: int | None
    payer_name: str
    claim_id: int | None = None
    serial: str = ""
    why: str = ""
    is_old: bool = False

    @property
    def differs(self) -> bool:
        return self.verdict not in (*GOOD, UNKNOWN)


def suppliers() -> Sequence[Any]:
    """Co-operatives that upload statements: id, name."""
    return db.session().execute(
        select(Organisation.id, Organisation.name)
        .where(Organisation.id.in_(select(BankStatement.supplier_id))).order_by(Organisation.id)).all()


def compared(supplier_id: int, today: date) -> list[BankLine]:
    """Every line of one co-operative; five statements."""
    first = today - LOOKS_BACK
    periods = [(row.first_day, row.last_day) for row in db.session().execute(
        select(BankStatement.first_day, BankStatement.last_day)
        .where(BankStatement.supplier_id == supplier_id, BankStatement.last_day >= first))]
    claims = {row.id: row for row in db.session().execute(
        select(db.table(PaymentClaim)).where(
            PaymentClaim.supplier_id == supplier_id, PaymentClaim.paid_on >= first).order_by(PaymentClaim.id))}
    rows = db.session().execute(select(db.table(BankRow)).where(
        BankRow.supplier_id == supplier_id, BankRow.paid_on >= first).order_by(BankRow.id)).all()
    received = books.received_of_claims([claim.id for claim in claims.values() if claim.state == "received"])
    lines = [_of_row(row, claims.get(row.claim_id), received, today) for row in rows if row.state != "ignored"]
    named = {row.claim_id for row in rows}
    return lines + [
        BankLine("claim_without_bank", claim.number, claim.paid_on, None, claim.amount_fen, received.get(claim.id, 0),
                 claim.payer_name, claim.id, why="unknown")
        for claim in claims.values()
        if claim.state == "received" and claim.id not in named and _must_show(claim, periods)]


def _must_show(claim: Any, periods: Sequence[tuple[date | None, date | None]]) -> bool:
    """A statement covers the day of payment, and the day after or the day on which the money was seen: what is sent in
    the evening arrives next day.
    """
    def covered(day: date | None) -> bool:
        return any(first <= day <= last for first, last in periods if first and last and day)

    return covered(claim.paid_on) and (covered(claim.paid_on + timedelta(days=1)) or covered(claim.business_date))


def _of_row(row: Any, claim: Any, received: dict[int, int], today: date) -> BankLine:
    if claim is None or claim.state in {"refused", "withdrawn"}:
        is_open = claim is not None or row.state in OPEN_ROWS
        return BankLine(UNKNOWN, row.serial or str(row.id), row.paid_on, row.amount_fen, None, None, row.payer_name,
                        serial=row.serial, is_old=is_open and today - row.paid_on > EXPLAINED_WITHIN)
    verdict, why = _judged(row, claim, received.get(claim.id, 0))
    return BankLine(verdict, claim.number, row.paid_on, row.amount_fen, claim.amount_fen, received.get(claim.id, 0),
                    row.payer_name, claim.id, row.serial, why)


def _judged(row: Any, claim: Any, ledger_fen: int) -> tuple[str, str]:
    if claim.state != "received":
        return UNDER_WAY, ""
    if claim.amount_fen != row.amount_fen:
        return "amount_differs", "amount"
    return (SAME, "") if ledger_fen == claim.amount_fen else ("books_differ", "ledger")
