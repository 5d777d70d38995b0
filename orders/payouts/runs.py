"""Payment runs: built from what is owed, approved by a second person, paid by bank list or in cash, confirmed by the
village. Only the village's confirmation books a payout; until then nothing counts as paid.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from market import clock, db, faults, journal, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider, need_second
from orders import numbers
from orders.income import dues, payouts
from orders.income.areas import in_area
from orders.payouts import owed
from orders.payouts.models import FAILURES, HouseholdAccount, PayoutRun, PayoutRunLine
from orders.payouts.owed import Owed

MOST_LINES = 2000
Receiver = tuple[int, int | None, str]  # village, household, kind of income


class MoreThanFree(Conflict):
    """The rest stands in another run already, or was never owed."""

    code = "more_than_free"
    text = N_("At most ¥%(left)s is owed here and not on its way yet.")


class LessOwedNow(Conflict):
    """Goods came back since the run was built."""

    code = "less_owed_now"
    text = N_("Since this run was built less is owed to some of the households. Cancel it and build it again.")


class AccountsChanged(Conflict):
    """The bank would be told a number that no longer holds."""

    code = "accounts_changed"
    text = N_("Since this run was built a household's account has changed. Cancel it and build it again.")


class NotApproved(Conflict):
    """Nothing is paid before two persons have looked at it."""

    code = "run_not_approved"
    text = N_("A second person has to approve this run first.")


class AlreadySent(Conflict):
    """What the bank was told, or somebody was paid, is not undone by a button."""

    code = "run_sent"
    text = N_("The bank list has been taken or lines are paid: mark the lines that failed instead.")


class NothingForTheBank(Conflict):
    """What is paid, or has failed, is never sent to the bank again."""

    code = "nothing_for_the_bank"
    text = N_("Nothing of this run is still to be paid to a bank account.")


@dataclass(frozen=True)
class Wanted:
    """An amount (fen) for a household of a village, or with none, for its collective."""

    village_id: int
    household_id: int | None
    income_kind: str
    amount_fen: int

    @property
    def receiver(self) -> Receiver:
        return self.village_id, self.household_id, self.income_kind


# ---- the co-operative -----------------------------------------------------------------------------------------------


def build(wanted: Sequence[Wanted], by: Visitor, *, in_cash: bool = False, note: str = "") -> PayoutRun:
    """Put amounts that are owed into a run: to each household's confirmed account, else in cash.

    What stands in open runs is not owed a second time. Raises InvalidInput at lines-<n>-amount_fen, NotFound.
    """
    supplier_id = _own(by)
    receivers = [one.receiver for one in wanted]
    if not 0 < len(wanted) <= MOST_LINES or len(set(receivers)) != len(receivers):
        raise InvalidInput({"lines": [N_("Tick at least one household, each once, at most 2000 in one run.")]})
    dues.lock(supplier_id)
    free = _owed_to(supplier_id, receivers)
    wrong: dict[str, list[str | MarketError]] = {}
    for number, one in enumerate(wanted):
        left = free[one.receiver].free_fen
        if not 0 < one.amount_fen <= left:
            wrong[f"lines-{number}-amount_fen"] = [MoreThanFree(left=money.yuan(left))]
    if wrong:
        raise InvalidInput(wrong)
    run = PayoutRun(number=numbers.new("B", clock.today()), supplier_id=supplier_id, note=note, built_by=by.id,
                    built_at=clock.now())
    db.session().add(run)
    db.session().flush()
    accounts = {} if in_cash else _accounts(supplier_id, {one.household_id for one in wanted})
    db.insert_rows(PayoutRunLine, [_line(run.id, one, accounts.get(one.household_id)) for one in wanted])
    journal.record("payout_run.built", "payout_run", run.id, by, lines=len(wanted),
                   amount_fen=sum(one.amount_fen for one in wanted))
    return run


def approve(run_id: int, by: Visitor) -> PayoutRun:
    """A second person of the co-operative agrees, one of the two a manager. Raises NotFound, SecondPersonNeeded,
    ManagerNeeded, Conflict, LessOwedNow, AccountsChanged.
    """
    run = _locked(run_id, by)
    if run.cancelled_at is not None or run.approved_at is not None:
        raise Conflict()
    need_second(run.supplier_id, run.built_by, by)
    _check_still_right(run)
    run.approved_by, run.approved_at = by.id, clock.now()
    db.session().flush()
    journal.record("payout_run.approved", "payout_run", run.id, by)
    return run


def cancel(run_id: int, by: Visitor) -> None:
    """Give a run up before anything was sent; what it held is free again. Raises NotFound, Conflict, AlreadySent."""
    run = _locked(run_id, by)
    if run.cancelled_at is not None:
        raise Conflict()
    lines = _lines(run)
    if run.exported_at is not None or any(line.state != "open" for line in lines):
        raise AlreadySent()
    run.cancelled_by, run.cancelled_at = by.id, clock.now()
    for line in lines:
        _decide(line, "cancelled", by)
    db.session().flush()
    journal.record("payout_run.cancelled", "payout_run", run.id, by)


def export(run_id: int, ending: str, by: Visitor) -> PayoutRun:
    """The list of what the bank is still to pay leaves the house, account numbers and all: each time the journal says
    to whom.

    Raises NotFound, NotApproved, NothingForTheBank, and the first time LessOwedNow, AccountsChanged.
    """
    run = _sendable(run_id, by)
    lines = [line for line in _lines(run) if line.account_id is not None and line.state == "open"]
    if not lines:
        raise NothingForTheBank()
    if run.exported_at is None:
        _check_still_right(run)
        run.exported_at = clock.now()
        db.session().flush()
    journal.record("payout_run.exported", "payout_run", run.id, by, ending=ending, lines=len(lines),
                   accounts=[line.account_id for line in lines])
    return run


def mark_paid(run_id: int, line_ids: Collection[int], paid_on: date, proof_id: int, by: Visitor) -> None:
    """The bank has paid these lines, or the households have signed: with the receipt or slip.

    Raises NotFound, NotApproved, Conflict, InvalidInput, LessOwedNow.
    """
    run = _sendable(run_id, by)
    if not clock.business_date(run.built_at) <= paid_on <= clock.today():
        raise InvalidInput({"paid_on": [N_("A day between the building of the run and today.")]})
    lines = _chosen(run, line_ids, ("open", "disputed"))
    if run.exported_at is None:
        _check_still_owed(run, lines)
    for line in lines:
        line.paid_on, line.proof_id, line.note = paid_on, proof_id, ""
        _decide(line, "paid", by)
    _told("payout_run.paid", run, lines, by, paid_on=paid_on)


def fail(run_id: int, line_ids: Collection[int], failure: str, note: str, by: Visitor) -> None:
    """The money did not arrive: it stays owed and may enter the next run. Raises NotFound, NotApproved, Conflict."""
    if failure not in FAILURES:
        raise InvalidInput({"failure": [N_("Please choose one of the list.")]})
    run = _sendable(run_id, by)
    lines = _chosen(run, line_ids, ("open", "paid", "disputed"))
    for line in lines:
        line.failure, line.note, line.paid_on, line.proof_id = failure, note, None, None
        _decide(line, "failed", by)
    _told("payout_run.failed", run, lines, by, reason=failure)


def reopen(run_id: int, line_ids: Collection[int], by: Visitor) -> None:
    """Take back that lines were paid, or failed; what failed must still be owed and in no other run.

    Raises NotFound, NotApproved, Conflict, MoreThanFree.
    """
    run = _sendable(run_id, by)
    lines = _chosen(run, line_ids, ("paid", "failed"))
    failed = [line for line in lines if line.state == "failed"]
    if failed:
        dues.lock(run.supplier_id)
        free = _owed_to(run.supplier_id, [_receiver(line) for line in failed])
        for line in failed:
            if line.amount_fen > free[_receiver(line)].free_fen:
                raise MoreThanFree(left=money.yuan(free[_receiver(line)].free_fen))
    for line in lines:
        line.failure, line.note, line.paid_on, line.proof_id = None, "", None, None
        _decide(line, "open", by)
    _told("payout_run.reopened", run, lines, by)


# ---- the village ----------------------------------------------------------------------------------------------------


def confirm(run_id: int, line_ids: Collection[int], by: Visitor) -> None:
    """The village says that the money has come: now it is paid out, one payout for each village, kind, day and proof.

    Raises NotFound for lines outside this officer's area, SecondPersonNeeded, OwnCooperative, Conflict for lines that
    are not (or no longer) paid.
    """
    run = _in_area(run_id, by)
    groups: defaultdict[tuple[int, str, date, int], list[PayoutRunLine]] = defaultdict(list)
    lines = _chosen(run, line_ids, ("paid",), by)
    for line in lines:
        if line.paid_on is not None and line.proof_id is not None:  # as its CHECK says
            groups[line.village_id, line.income_kind, line.paid_on, line.proof_id].append(line)
    for number, ((village_id, kind, paid_on, proof_id), some) in enumerate(sorted(groups.items())):
        if number:
            faults.point("run_confirmed_half")
        _payout, rows = payouts.book(payouts.Handed(
            run.supplier_id, run.built_by, village_id, kind, [(line.household_id, line.amount_fen) for line in some],
            paid_on, proof_id, sent=True), by)
        for line, row in zip(some, rows, strict=True):
            line.payout_line_id = row.id
            _decide(line, "confirmed", by)
    _told("payout_run.confirmed", run, lines, by)


def dispute(run_id: int, line_ids: Collection[int], words: str, by: Visitor) -> None:
    """The village says that it has not come; nothing is booked. Raises NotFound, Conflict, InvalidInput."""
    if not words:
        raise InvalidInput({"words": [N_("Say what is wrong.")]})
    run = _in_area(run_id, by)
    lines = _chosen(run, line_ids, ("paid",), by)
    for line in lines:
        line.note = words
        _decide(line, "disputed", by)
    _told("payout_run.disputed", run, lines, by, words=words)


# ---- what they share ------------------------------------------------------------------------------------------------


def _own(by: Visitor) -> int:
    if by.organisation_kind != "supplier" or by.organisation_id is None:
        raise NotFound()
    return by.organisation_id


def _owed_to(supplier_id: int, receivers: Collection[Receiver]) -> dict[Receiver, Owed]:
    """Raises NotFound for receivers to whom nothing was ever owed."""
    villages = {village for village, _household, _kind in receivers}
    found = {(one.village_id, one.household_id, one.income_kind): one
             for one in owed.of(supplier_id=supplier_id, villages=villages)}
    if not set(receivers) <= set(found):
        raise NotFound()
    return found


def _accounts(supplier_id: int, households: Collection[int | None]) -> dict[int | None, int]:
    """Confirmed accounts by household."""
    return {row.household_id: row.id for row in db.session().execute(
        select(HouseholdAccount.household_id, HouseholdAccount.id)
        .where(HouseholdAccount.supplier_id == supplier_id, HouseholdAccount.state == "current",
               HouseholdAccount.household_id.in_({one for one in households if one is not None})))}


def _line(run_id: int, one: Wanted, account_id: int | None) -> dict[str, object]:
    way = "other" if one.household_id is None else "bank" if account_id else "cash"
    return {"run_id": run_id, "village_id": one.village_id, "household_id": one.household_id,
            "income_kind": one.income_kind, "amount_fen": one.amount_fen, "way": way, "account_id": account_id,
            "state": "open", "note": ""}


def _locked(run_id: int, by: Visitor) -> PayoutRun:
    run = db.session().scalar(select(PayoutRun).where(
        PayoutRun.id == run_id, PayoutRun.supplier_id == _own(by)).with_for_update())
    if run is None:
        raise NotFound()
    return run


def _sendable(run_id: int, by: Visitor) -> PayoutRun:
    run = _locked(run_id, by)
    if run.cancelled_at is not None:
        raise Conflict()
    if run.approved_at is None:
        raise NotApproved()
    return run


def _in_area(run_id: int, by: Visitor) -> PayoutRun:
    """Raises NotFound, OwnCooperative, SecondPersonNeeded."""
    run = db.session().scalar(select(PayoutRun).where(PayoutRun.id == run_id).with_for_update())
    if run is None or not any(in_area(village, by) for village in {line.village_id for line in _lines(run)}):
        raise NotFound()
    need_outsider(run.supplier_id, by)
    if by.id in {run.built_by, run.approved_by}:
        raise SecondPersonNeeded()
    return run


def _lines(run: PayoutRun) -> list[PayoutRunLine]:
    return list(db.session().scalars(
        select(PayoutRunLine).where(PayoutRunLine.run_id == run.id).order_by(PayoutRunLine.id)))


def _chosen(run: PayoutRun, line_ids: Collection[int], states: Collection[str],
            officer: Visitor | None = None) -> list[PayoutRunLine]:
    """These lines, locked in id order. Raises NotFound for lines of others, Conflict for lines in another state,
    SecondPersonNeeded for an officer who marked them paid.
    """
    ids = set(line_ids)
    if not ids:
        raise InvalidInput({"lines[]": [N_("Tick at least one line.")]})
    lines = db.session().scalars(
        select(PayoutRunLine).where(PayoutRunLine.id.in_(ids), PayoutRunLine.run_id == run.id)
        .order_by(PayoutRunLine.id).with_for_update()).all()
    if len(lines) != len(ids) or (officer is not None and not all(
            in_area(village, officer) for village in {line.village_id for line in lines})):
        raise NotFound()
    if any(line.state not in states for line in lines):
        raise Conflict()
    if officer is not None and any(line.decided_by == officer.id for line in lines):
        raise SecondPersonNeeded()  # whoever marked them paid, be it for the co-operative that they have left since
    return list(lines)


def _check_still_right(run: PayoutRun) -> None:
    """Before anything leaves: the amounts are still owed, the accounts still hold."""
    lines = _lines(run)
    _check_still_owed(run, lines)
    accounts = {line.account_id for line in lines if line.account_id is not None}
    held = db.session().scalars(select(HouseholdAccount.id).where(
        HouseholdAccount.id.in_(accounts), HouseholdAccount.state == "current")).all()
    if len(held) != len(accounts):
        raise AccountsChanged()


def _check_still_owed(run: PayoutRun, lines: Collection[PayoutRunLine]) -> None:
    """Raises LessOwedNow where open runs hold more than is owed."""
    dues.lock(run.supplier_id)
    receivers = {_receiver(line) for line in lines}
    found = _owed_to(run.supplier_id, receivers)
    if any(found[one].unpaid_fen < found[one].on_way_fen for one in receivers):
        raise LessOwedNow()


def _receiver(line: PayoutRunLine) -> Receiver:
    return line.village_id, line.household_id, line.income_kind


def _decide(line: PayoutRunLine, state: str, by: Visitor) -> None:
    line.state, line.decided_by, line.decided_at = state, by.id, clock.now()


def _told(action: str, run: PayoutRun, lines: Sequence[PayoutRunLine], by: Visitor, **more: object) -> None:
    db.session().flush()
    journal.record(action, "payout_run", run.id, by, lines=[line.id for line in lines],
                   amount_fen=sum(line.amount_fen for line in lines), **more)
