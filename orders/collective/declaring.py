"""A village's officer declares what its collective earned elsewhere; the township confirms or refuses it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from market import clock, db, journal, outbox, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.places import Division
from orders.collective.models import INCOME_KINDS, CollectiveDecision, OtherIncome
from orders.income.areas import in_area

DECIDED = "collective.decided"  # the outbox message from which the village hears


class NothingToCorrect(Conflict):
    """The right amount is what stands there already."""

    code = "nothing_to_correct"
    text = N_("This is the amount that stands there already.")


class CorrectionWaits(Conflict):
    """One correction after the other."""

    code = "correction_waits"
    text = N_("A correction of this row waits for the township already.")


@dataclass(frozen=True)
class Said:
    """Operating income of one kind in a calendar year, in fen, beside what came through the platform."""

    year: int
    kind: str
    amount_fen: int
    note: str
    evidence_id: int


def declare(village_id: int, said: Said, by: Visitor) -> OtherIncome:
    """Keep it; it counts once the township confirms it. Raises NotFound, InvalidInput."""
    _own_village(village_id, by)
    if said.kind not in INCOME_KINDS or said.amount_fen < 0:
        raise InvalidInput({"amount_fen": [N_("This number is outside what is possible here.")]})
    _check_year(said.year)
    row = _keep(village_id, said, None, by)
    journal.record("collective.declared", "other_income", row.id, by, village=village_id, year=said.year,
                   income_kind=said.kind, amount_fen=said.amount_fen)
    return row


def correct(row_id: int, right_fen: int, reason: str, evidence_id: int, by: Visitor) -> OtherIncome:
    """A further row with the difference to what is right (fen); the row itself stays as it is.

    Raises NotFound, InvalidInput, NothingToCorrect, CorrectionWaits.
    """
    session = db.session()
    row = session.scalar(
        select(OtherIncome).join(Division, Division.id == OtherIncome.village_id)
        .where(OtherIncome.id == row_id, OtherIncome.corrects_id.is_(None), OtherIncome.confirmed_at.is_not(None),
               places.lies_in(by.division_id)).with_for_update(of=db.table(OtherIncome)))
    if row is None or "village_officer" not in by.roles or by.division_id is None:
        raise NotFound()
    if right_fen < 0:
        raise InvalidInput({"right_fen": [N_("This number is outside what is possible here.")]})
    further = session.execute(select(OtherIncome.amount_fen, OtherIncome.confirmed_at).where(
        OtherIncome.corrects_id == row_id, OtherIncome.refused_at.is_(None))).all()
    if any(one.confirmed_at is None for one in further):
        raise CorrectionWaits()
    difference = right_fen - row.amount_fen - sum(one.amount_fen for one in further)
    if difference == 0:
        raise NothingToCorrect()
    kept = _keep(row.village_id, Said(row.year, row.kind, difference, reason, evidence_id), row.id, by)
    journal.record("collective.corrected", "other_income", kept.id, by, corrects=row.id, right_fen=right_fen,
                   difference_fen=difference, reason=reason)
    return kept


def _keep(village_id: int, said: Said, corrects_id: int | None, by: Visitor) -> OtherIncome:
    row = OtherIncome(
        village_id=village_id, year=said.year, kind=said.kind, amount_fen=said.amount_fen, note=said.note,
        corrects_id=corrects_id, evidence_id=said.evidence_id, business_date=clock.today(), declared_by=by.id,
        declared_at=clock.now())
    db.session().add(row)
    db.session().flush()
    return row


def confirm(row_id: int, by: Visitor) -> None:
    """The township says that it is so. Raises NotFound, SecondPersonNeeded, Conflict."""
    row = _waiting(row_id, by)
    row.confirmed_by, row.confirmed_at = by.id, clock.now()
    _decided(row, "confirmed", by, amount_fen=row.amount_fen)


def refuse(row_id: int, why: str, by: Visitor) -> None:
    """The township says that it is not so, and why. Raises as confirm() does."""
    row = _waiting(row_id, by)
    row.refused_by, row.refused_at, row.refusal = by.id, clock.now(), why
    _decided(row, "refused", by, why=why)


def _waiting(row_id: int, by: Visitor) -> OtherIncome:
    row = db.session().scalar(select(OtherIncome).where(OtherIncome.id == row_id).with_for_update())
    if row is None or "township_officer" not in by.roles or not in_area(row.village_id, by):
        raise NotFound()
    if row.declared_by == by.id:
        raise SecondPersonNeeded()
    if row.confirmed_at is not None or row.refused_at is not None:
        raise Conflict()
    return row


def _decided(row: OtherIncome, what: str, by: Visitor, **details: object) -> None:
    db.session().flush()
    journal.record(f"collective.{what}", "other_income", row.id, by, **details)
    outbox.enqueue(DECIDED, {"id": row.id})


def record_decision(village_id: int, year: int, number: str, decided_on: date, by: Visitor) -> CollectiveDecision:
    """The number and day of the village's decision (四议两公开) about a year's reward; a later entry takes its place.

    Raises NotFound, InvalidInput.
    """
    _own_village(village_id, by)
    _check_year(year)
    if decided_on > clock.today():
        raise InvalidInput({"decided_on": [N_("This day lies in the future.")]})
    if decided_on < date(year, 1, 1):
        raise InvalidInput({"decided_on": [N_("This day lies before the year that was decided about.")]})
    row = CollectiveDecision(village_id=village_id, year=year, number=number, decided_on=decided_on, entered_by=by.id,
                             entered_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("collective.decision", "division", village_id, by, year=year, number=number, decided_on=decided_on)
    return row


def _own_village(village_id: int, by: Visitor) -> None:
    if "village_officer" not in by.roles or by.division_id != village_id or db.session().scalar(
            select(Division.id).where(Division.id == village_id, Division.level == "village",
                                      Division.valid_to.is_(None))) is None:
        raise NotFound()


def _check_year(year: int) -> None:
    if year > clock.today().year:
        raise InvalidInput({"year": [N_("This year has not begun yet.")]})
