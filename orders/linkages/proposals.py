"""The collective's share in two sessions: proposed by the co-operative, confirmed by a person of the village."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider
from market.places import Division
from orders.income import shares
from orders.income.areas import in_area
from orders.models import CollectiveAgreement, CollectiveProposal


@dataclass(frozen=True)
class Proposed:
    """A share in hundredths of a percent from a day on, decided in a meeting whose record is the evidence."""

    village_id: int
    basis_points: int
    valid_from: date
    decision_no: str
    evidence_id: int


def propose(proposed: Proposed, by: Visitor) -> CollectiveProposal:
    """Keep a proposal; one of a village waits at a time. Raises NotFound, InvalidInput, Conflict."""
    if by.organisation_kind != "supplier" or by.organisation_id is None:
        raise NotFound()
    session = db.session()
    if session.scalar(select(Division.id).where(Division.id == proposed.village_id, Division.level == "village",
                                                Division.valid_to.is_(None))) is None:
        raise NotFound()
    if not 0 <= proposed.basis_points <= 5000:
        raise InvalidInput({"basis_points": [N_("This number is outside what is possible here.")]})
    _check_day(by.organisation_id, proposed.village_id, proposed.valid_from)
    new_id = session.scalar(
        db.insert_new(CollectiveProposal).values(
            supplier_id=by.organisation_id, village_id=proposed.village_id, basis_points=proposed.basis_points,
            valid_from=proposed.valid_from, decision_no=proposed.decision_no, evidence_id=proposed.evidence_id,
            proposed_by=by.id, proposed_at=clock.now(), refusal="")
        .returning(db.table(CollectiveProposal).c.id))
    if new_id is None:
        raise Conflict()
    journal.record("collective.proposed", "collective_proposal", new_id, by, basis_points=proposed.basis_points,
                   village=proposed.village_id)
    return session.get_one(CollectiveProposal, new_id)


def _check_day(supplier_id: int, village_id: int, day: date) -> None:
    """A new share follows the one that holds: it cannot begin before it."""
    last = db.session().scalar(select(func.max(CollectiveAgreement.valid_from)).where(
        CollectiveAgreement.supplier_id == supplier_id, CollectiveAgreement.village_id == village_id))
    if last is not None and day < last:
        raise InvalidInput({"valid_from": [N_("A later share is agreed already.")]})


def withdraw(proposal_id: int, by: Visitor) -> None:
    """The co-operative takes its proposal back. Raises NotFound, Conflict."""
    row = db.session().scalar(select(CollectiveProposal).where(
        CollectiveProposal.id == proposal_id, CollectiveProposal.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    _need_open(row)
    row.withdrawn_at = clock.now()
    db.session().flush()
    journal.record("collective.proposal_withdrawn", "collective_proposal", row.id, by)


def confirm(proposal_id: int, by: Visitor) -> CollectiveAgreement:
    """A person of the village confirms; the share holds from its day on, with the record as the linkage's evidence.

    Raises NotFound, SecondPersonNeeded, OwnCooperative, Conflict, InvalidInput.
    """
    row = _waiting(proposal_id, by)
    _check_day(row.supplier_id, row.village_id, row.valid_from)
    agreement = shares.agree((row.supplier_id, row.proposed_by), row.village_id, row.basis_points, row.valid_from, by,
                             row.evidence_id, row.decision_no)
    row.confirmed_by, row.confirmed_at, row.agreement_id = by.id, clock.now(), agreement.id
    db.session().flush()
    return agreement


def refuse(proposal_id: int, why: str, by: Visitor) -> None:
    """A person of the village says that it was not decided so. Raises as confirm() does."""
    row = _waiting(proposal_id, by)
    row.refused_by, row.refused_at, row.refusal = by.id, clock.now(), why
    db.session().flush()
    journal.record("collective.refused", "collective_proposal", row.id, by, why=why)


def _waiting(proposal_id: int, by: Visitor) -> CollectiveProposal:
    row = db.session().scalar(select(CollectiveProposal).where(
        CollectiveProposal.id == proposal_id).with_for_update())
    if row is None or not in_area(row.village_id, by):
        raise NotFound()
    if row.proposed_by == by.id:
        raise SecondPersonNeeded()
    need_outsider(row.supplier_id, by)
    _need_open(row)
    return row


def _need_open(row: CollectiveProposal) -> None:
    if row.confirmed_at is not None or row.refused_at is not None or row.withdrawn_at is not None:
        raise Conflict()
