"""关账: a month is closed, and opened again, by two officials of the city's office.

The city's, because one ledger holds all counties and a month is closed for all of them at once; one official proposes,
another confirms, and the confirmation seals, closes and files in one transaction (market/sealing.py).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update

from market import clock, db, faults, filings, journal, outbox, sealing
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.filings import MONTHS, TRANSFERS
from market.four_eyes import need_no_cooperative
from orders.periods.models import PeriodProposal

OFFICE = "city"  # the kind of office that closes months
TOLD = "period.told"  # the outbox message from which the offices hear of an act
PROPOSALS = db.table(PeriodProposal)


class NotOver(Conflict):
    """A month is closed once it is over."""

    code = "month_not_over"
    text = N_("%(month)s is not over yet.")


class NotOldest(Conflict):
    """Months are closed in their order."""

    code = "not_oldest_month"
    text = N_("Only the oldest open month can be closed: %(month)s.")


class NotClosed(Conflict):
    """Only what is closed is reopened."""

    code = "month_not_closed"
    text = N_("%(month)s is not closed.")


class AlreadyProposed(Conflict):
    """One proposal at a time for each month."""

    code = "already_proposed"
    text = N_("%(month)s has been proposed already: a second person confirms.")


class LedgerNotGreen(Conflict):
    """What does not agree is looked into before a month is closed over it."""

    code = "ledger_not_green"
    text = N_("The ledger check finds %(count)s things that do not agree: look into them before the month is closed.")


def may_close(by: Visitor) -> bool:
    """Whether this visitor closes and reopens months: an official of the city's office."""
    return by.office_kind == OFFICE and "official" in by.roles


def oldest_open() -> str | None:
    """The first month that is not closed, from the first in which anything happened; None on an empty ledger."""
    session = db.session()
    acts = filings.last_acts()
    first_day = session.scalar(select(func.min(TRANSFERS.c.business_date)).where(TRANSFERS.c.block_no.is_(None)))
    known = [*acts, *filter(None, (session.scalar(select(func.min(MONTHS.c.period))),
                                   first_day and clock.period_of(first_day)))]
    closed = {month for month, number in acts.items() if filings.is_closed(number)}
    return sealing.open_month(min(known), closed) if known else None


def propose_close(period: str, waiting: Mapping[str, int], findings: int, by: Visitor, remark: str = "") -> int:
    """Propose to close the oldest open month; `waiting` is what the proposer saw still waiting, `findings` how much
    the ledger check found just before. Raises NotAllowed, NotOver, NotOldest, AlreadyProposed, LedgerNotGreen.
    """
    _need_office(by)
    _check_closable(period)
    if findings:
        raise LedgerNotGreen(count=findings)
    return _propose(period, dict(waiting), remark, by)


def propose_reopen(period: str, reason: str, by: Visitor) -> int:
    """Propose to let a closed month take entries again. Raises NotAllowed, NotClosed, AlreadyProposed, InvalidInput."""
    _need_office(by)
    if not filings.is_closed(filings.last_acts().get(period, 0)):
        raise NotClosed(month=period)
    if not reason.strip():
        raise InvalidInput({"reason": [N_("Please say why.")]})
    return _propose(period, {}, reason.strip(), by)


def _propose(period: str, waiting: dict[str, Any], reason: str, by: Visitor) -> int:
    row: dict[str, Any] = {
        "period": period, "number": filings.last_acts().get(period, 0) + 1, "reason": reason, "waiting": waiting,
        "proposed_by": by.id, "proposed_at": clock.now()}
    proposal_id = db.session().scalar(db.insert_new(PeriodProposal).values(row).returning(PROPOSALS.c.id))
    if proposal_id is None:
        raise AlreadyProposed(month=period)
    act = "close" if filings.is_closed(row["number"]) else "reopen"
    journal.record(f"period.{act}_proposed", "period", period, by, reason=reason, waiting=waiting)
    return int(proposal_id)


def confirm(proposal_id: int, by: Visitor) -> tuple[str, bool]:
    """A second official of the office says yes: the month is closed with its figures filed, or open again. Returns
    the month, and whether it is closed now.

    Raises NotAllowed, NotFound, SecondPersonNeeded, Conflict (withdrawn, or done meanwhile), NotOldest.
    """
    proposal = _open(proposal_id)
    _need_office(by)
    if proposal.proposed_by == by.id:
        raise SecondPersonNeeded()
    sealing.hold_the_sealer()  # before looking at the months: two confirmations take turns
    _decide(proposal.id, "confirmed", by)
    closes = filings.is_closed(proposal.number)
    if closes:
        _check_closable(proposal.period)
    number = sealing.close_month(proposal.period) if closes else sealing.reopen_month(proposal.period)
    if number != proposal.number:
        raise Conflict()
    details = _filed(proposal.period, number) if closes else {"reason": proposal.reason}
    journal.record("period.closed" if closes else "period.reopened", "period", proposal.period, by,
                   proposed_by=proposal.proposed_by, closing=filings.closing_of(number), **details)
    outbox.enqueue(TOLD, {"period": proposal.period, "number": number})
    faults.point("month_confirmed")
    return str(proposal.period), closes


def withdraw(proposal_id: int, by: Visitor) -> str:
    """Take an open proposal back, as any official of the office may; returns the month. Raises NotAllowed, NotFound,
    Conflict.
    """
    proposal = _open(proposal_id)
    _need_office(by)
    _decide(proposal.id, "withdrawn", by)
    journal.record("period.proposal_withdrawn", "period", proposal.period, by, number=proposal.number)
    return str(proposal.period)


def _need_office(by: Visitor) -> None:
    """Raises NotAllowed, OwnParty for an official who acts for a co-operative too: a close freezes its figures."""
    if not may_close(by):
        raise NotAllowed()
    need_no_cooperative(by)


def _check_closable(period: str) -> None:
    if period >= clock.period_of(clock.today()):
        raise NotOver(month=period)
    oldest = oldest_open()
    if period != oldest:
        raise NotOldest(month=oldest or "–")


def _open(proposal_id: int) -> Any:
    found = db.session().execute(select(PROPOSALS).where(PROPOSALS.c.id == proposal_id)).first()
    if found is None:
        raise NotFound()
    return found


def _decide(proposal_id: int, outcome: str, by: Visitor) -> None:
    """Only one answer counts. Raises Conflict when it has been answered already."""
    decided = db.session().scalar(
        update(PROPOSALS).where(PROPOSALS.c.id == proposal_id, PROPOSALS.c.outcome.is_(None))
        .values(outcome=outcome, decided_by=by.id, decided_at=clock.now()).returning(PROPOSALS.c.id))
    if decided is None:
        raise Conflict()


def _filed(period: str, number: int) -> dict[str, Any]:
    row = filings.filed(period, filings.closing_of(number))
    return {"sha256": row.sha256, "head": f"{row.head_number}:{row.head_hash}"}
