"""Who handles a signal, till when and how; closing it takes a second person (问题清零)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, db, journal, places
from market.access import RULES, Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.households import Household
from market.parties import Membership, Organisation
from market.places import Division
from market.users import User
from orders.risk.models import RiskCase

HANDLERS = RULES["risk.handle"][1] or frozenset()


def assign(case_id: int, handler_id: int, due_on: date, measures: str, by: Visitor) -> None:
    """Say who handles it, by which day, and what is done. Raises NotFound, Conflict, InvalidInput."""
    row = _locked(case_id, by)
    if row.state != "open":
        raise Conflict()
    office = next((one.organisation_id for one in handlers(row.village_id) if one.id == handler_id), None)
    if office is None:
        raise InvalidInput({"handler_id": [N_("Please choose one of the list.")]})
    if due_on < clock.today():
        raise InvalidInput({"due_on": [N_("This day is over already.")]})
    before = {"handler": row.handler_id, "due_on": row.due_on, "measures": row.measures}
    row.handler_id, row.office_id, row.due_on, row.measures = handler_id, office, due_on, measures
    _done(row, "assigned", by, before=before, handler=handler_id, due_on=due_on, measures=measures)


def propose_closing(case_id: int, outcome: str, by: Visitor) -> None:
    """Say what came of it; it is closed once a second person agrees. Raises NotFound, Conflict."""
    row = _locked(case_id, by)
    if row.state != "open":
        raise Conflict()
    row.state, row.outcome, row.closing_by = "closing", outcome, by.id
    _done(row, "closing", by, outcome=outcome)


def close(case_id: int, by: Visitor) -> None:
    """A second person agrees. Raises NotFound, Conflict, SecondPersonNeeded."""
    row = _locked(case_id, by)
    if row.state != "closing":
        raise Conflict()
    if row.closing_by == by.id:
        raise SecondPersonNeeded()
    row.state, row.closed_by, row.closed_at = "closed", by.id, clock.now()
    _done(row, "closed", by, outcome=row.outcome)


def send_back(case_id: int, why: str, by: Visitor) -> None:
    """It is not settled: it stays open. Raises NotFound, Conflict, SecondPersonNeeded."""
    row = _locked(case_id, by)
    if row.state != "closing":
        raise Conflict()
    if row.closing_by == by.id:
        raise SecondPersonNeeded()
    row.state, row.outcome, row.closing_by = "open", "", None
    _done(row, "sent_back", by, why=why)


def reveal(case_id: int, by: Visitor) -> str:
    """The full name of the household's head; every look is in the journal. Raises NotFound."""
    row = _locked(case_id, by)
    name = db.session().scalar(select(Household.head_name).where(Household.id == row.household_id))
    if name is None:
        raise NotFound()
    journal.record("risk.name_shown", "risk_case", row.id, by, household=row.household_id)
    return name


def _locked(case_id: int, by: Visitor) -> RiskCase:
    row = None if by.organisation_kind != "office" else db.session().scalar(
        select(RiskCase).join(Division, Division.id == RiskCase.village_id)
        .where(RiskCase.id == case_id, places.lies_in(by.division_id)).with_for_update(of=db.table(RiskCase)))
    if row is None:
        raise NotFound()
    return row


def _done(row: RiskCase, what: str, by: Visitor, **details: Any) -> None:
    db.session().flush()
    journal.record(f"risk.{what}", "risk_case", row.id, by, **details)


def handlers(village_id: int) -> Sequence[Any]:
    """Who may handle what a village's trade tells: people of its own, its township's and its county's offices."""
    today = places.today_of(village_id)
    home = db.session().execute(
        select(Division.id, Division.township_id, Division.county_id).where(Division.id == today)).one()
    return db.session().execute(
        select(User.id, User.name, Organisation.short_name.label("office"), Organisation.id.label("organisation_id"))
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Organisation.kind == "office", Organisation.status == "active",
               Organisation.division_id.in_([place for place in home if place is not None]),
               Membership.role.in_(HANDLERS))
        .order_by(Organisation.id, User.id).distinct()).all()
