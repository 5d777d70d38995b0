"""Households' bank accounts: entered by one person of the co-operative, confirmed by a second one.

The whole number leaves this module by reveal() and by the bank list only, and each time the journal says so.
"""

from dataclasses import dataclass

from sqlalchemy import select, update

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, NotFound, SecondPersonNeeded
from market.four_eyes import need_second
from market.households import CoopMember
from orders.payouts.models import HouseholdAccount


class StillWaiting(Conflict):
    """One change at a time."""

    code = "account_waits"
    text = N_("An account of this household still waits for its second person. Decide about it first.")


@dataclass(frozen=True)
class Said:
    """What stands on a passbook or card: whose account, at which bank, its number (digits)."""

    holder: str
    bank: str
    number: str


def masked(number: str) -> str:
    """What screens show.

    >>> masked("6228480402564890018")
    '•••• 0018'
    """
    return f"•••• {number[-4:]}"


def enter(household_id: int, said: Said, by: Visitor) -> HouseholdAccount:
    """Write down an account of a member; it is used once a second person has confirmed it.

    Raises NotFound for anybody but a member, StillWaiting.
    """
    if by.organisation_id is None or not _is_member(household_id, by):
        raise NotFound()
    row = {"supplier_id": by.organisation_id, "household_id": household_id, "holder": said.holder, "bank": said.bank,
           "number": said.number, "state": "waiting", "entered_by": by.id, "entered_at": clock.now()}
    made = db.session().execute(db.insert_new(HouseholdAccount).returning(HouseholdAccount.id), [row]).scalar()
    if made is None:
        raise StillWaiting()
    journal.record("household_account.entered", "household_account", made, by, household=household_id)
    return db.session().get_one(HouseholdAccount, made)


def confirm(account_id: int, by: Visitor) -> HouseholdAccount:
    """A second person of the co-operative, one of the two a manager, has compared it with the passbook; the former
    account ends. Raises NotFound, SecondPersonNeeded, ManagerNeeded, Conflict.
    """
    row = _waiting(account_id, by)
    need_second(row.supplier_id, row.entered_by, by)
    db.session().execute(
        update(HouseholdAccount)
        .where(HouseholdAccount.supplier_id == row.supplier_id, HouseholdAccount.household_id == row.household_id,
               HouseholdAccount.state == "current").values(state="former"))
    return _decide(row, "current", "household_account.confirmed", by)


def refuse(account_id: int, by: Visitor) -> HouseholdAccount:
    """It is not right. Raises NotFound, SecondPersonNeeded, Conflict."""
    row = _waiting(account_id, by)
    if row.entered_by == by.id:
        raise SecondPersonNeeded()
    return _decide(row, "refused", "household_account.refused", by)


def reveal(account_id: int, by: Visitor) -> HouseholdAccount:
    """The whole number, for a person who pays; the journal says who looked. Raises NotFound."""
    row = db.session().scalar(select(HouseholdAccount).where(
        HouseholdAccount.id == account_id, HouseholdAccount.supplier_id == by.organisation_id))
    if row is None:
        raise NotFound()
    journal.record("household_account.revealed", "household_account", row.id, by, household=row.household_id)
    return row


def _is_member(household_id: int, by: Visitor) -> bool:
    return db.session().scalar(select(CoopMember.id).where(
        CoopMember.household_id == household_id, CoopMember.supplier_id == by.organisation_id)) is not None


def _waiting(account_id: int, by: Visitor) -> HouseholdAccount:
    row = db.session().scalar(select(HouseholdAccount).where(
        HouseholdAccount.id == account_id, HouseholdAccount.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    if row.state != "waiting":
        raise Conflict()
    return row


def _decide(row: HouseholdAccount, state: str, action: str, by: Visitor) -> HouseholdAccount:
    row.state, row.decided_by, row.decided_at = state, by.id, clock.now()
    db.session().flush()
    journal.record(action, "household_account", row.id, by, household=row.household_id)
    return row
