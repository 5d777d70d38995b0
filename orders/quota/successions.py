"""A unit merged or renamed: declared with evidence, confirmed by finance; from that day its purchases count there."""

from datetime import date
from typing import Any

from sqlalchemy import select, update

from market import clock, db, journal, offices
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.parties import Organisation
from orders.quota import rules
from orders.quota.models import QuotaFiling, QuotaSuccession

SUCCESSION = db.table(QuotaSuccession)


class SuccessionThere(Conflict):
    code = "succession_there"
    text = N_("A merger or renaming of this unit is already declared.")


class InACircle(Conflict):
    code = "succession_circle"
    text = N_("The successor itself goes on under this unit: one of the two must be wrong.")


def declare(kind: str, successor: str, from_day: date, evidence_id: int, by: Visitor) -> int:
    """The unit says where it goes on, and since when. Raises InvalidInput, SuccessionThere."""
    found = db.session().scalars(
        select(Organisation.id).where(Organisation.kind == "unit", Organisation.status == "active",
                                      (Organisation.name == successor) | (Organisation.credit_code == successor))).all()
    if len(found) != 1 or found[0] == by.organisation_id:
        raise InvalidInput({"successor": [N_("Another unit's full name or credit code, as it is registered.")]})
    row = {"unit_id": by.organisation_id, "successor_id": found[0], "kind": kind, "from_day": from_day,
           "evidence_id": evidence_id, "state": "declared", "declared_by": by.id, "declared_at": clock.now(),
           "reason": ""}
    new_id = db.session().scalar(db.insert_new(QuotaSuccession).returning(QuotaSuccession.id), row)
    if new_id is None:
        raise SuccessionThere()
    journal.record("quota_succession.declared", "quota_succession", new_id, by, successor=found[0], day=from_day)
    return int(new_id)


def found(succession_id: int) -> Any:
    """A declared succession with its unit's place. Raises NotFound."""
    row = db.session().execute(
        select(SUCCESSION, Organisation.division_id).join(Organisation, Organisation.id == SUCCESSION.c.unit_id)
        .where(SUCCESSION.c.id == succession_id)).first()
    if row is None:
        raise NotFound()
    return row


def decide(succession_id: int, confirm: bool, reason: str, by: Visitor) -> None:
    """The nearest finance office's word. Confirmed, the old unit's filings of that year and later close.

    Raises NotAllowed, SecondPersonNeeded, InvalidInput, SuccessionThere, InACircle.
    """
    row = found(succession_id)
    near = offices.over(row.division_id, "finance") if row.division_id else []
    if by.office_kind != "finance" or near[:1] != [by.organisation_id]:
        raise NotAllowed()
    if row.declared_by == by.id:
        raise SecondPersonNeeded()
    if not confirm and not reason:
        raise InvalidInput({"reason": [N_("Say what is to be corrected; the unit reads it.")]})
    session = db.session()
    session.execute(select(Organisation.id).where(Organisation.id.in_({row.unit_id, row.successor_id}))
                    .order_by(Organisation.id).with_for_update())
    if confirm:
        _check_no_circle(row.unit_id, row.successor_id)
    moved = session.scalar(
        update(QuotaSuccession).where(QuotaSuccession.id == succession_id, QuotaSuccession.state == "declared")
        .values(state="confirmed" if confirm else "refused", reason=reason, decided_by=by.id, decided_at=clock.now())
        .returning(QuotaSuccession.id))
    if moved is None:
        raise SuccessionThere()
    if confirm:
        session.execute(
            update(QuotaFiling).where(QuotaFiling.unit_id == row.unit_id, QuotaFiling.year >= row.from_day.year)
            .values(state="closed", closed_on=row.from_day))
    journal.record(f"quota_succession.{'confirmed' if confirm else 'refused'}", "quota_succession", succession_id, by,
                   reason=reason)


def _check_no_circle(unit_id: int, successor_id: int) -> None:
    following = {row.unit_id: row.successor_id for row in db.session().execute(
        select(QuotaSuccession.unit_id, QuotaSuccession.successor_id).where(QuotaSuccession.state == "confirmed"))}
    at: int | None = successor_id
    seen = set()
    while at is not None and at not in seen:
        if at == unit_id:
            raise InACircle()
        seen.add(at)
        at = following.get(at)


def of_unit(unit_id: int | None) -> Any:
    """The unit's newest succession, None where there is none."""
    rules.unit(unit_id)
    return db.session().execute(
        select(SUCCESSION, Organisation.name.label("successor"))
        .join(Organisation, Organisation.id == SUCCESSION.c.successor_id)
        .where(SUCCESSION.c.unit_id == unit_id).order_by(SUCCESSION.c.id.desc()).limit(1)).first()
