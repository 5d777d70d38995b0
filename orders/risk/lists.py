"""The list of signals of an office's area, with counts; names masked, codes shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased

from market import clock, db, paging, places
from market.access import Visitor
from market.errors import NotFound
from market.figures import Where
from market.households import Household
from market.places import Division
from market.users import User
from orders.reports.readers import READS_ALL
from orders.risk.models import RiskCase, RiskSignal

STATES = ("open", "overdue", "closing", "closed")
HANDLER, CLOSER, PROPOSER = aliased(User), aliased(User), aliased(User)


@dataclass(frozen=True)
class Asked:
    """What of the list somebody wants to see."""

    state: str = "open"
    kind: str = ""


def is_in(state: str) -> ColumnElement[bool]:
    """The condition for a tab; what is overdue is open, or waits for a second person, past its day."""
    if state == "overdue":
        return (RiskCase.state != "closed") & (RiskCase.due_on < clock.today())
    return RiskCase.state == state


def seen_by(by: Visitor) -> ColumnElement[bool]:
    """The condition on Division: the visitor's area; auditors see all."""
    return Division.id.is_not(None) if by.roles & READS_ALL else places.lies_in(by.division_id)


def counts(by: Visitor) -> dict[str, int]:
    """How many are open, overdue, to be closed and closed; one statement."""
    row = db.session().execute(
        select(*(func.count().filter(is_in(state)).label(state) for state in STATES)).select_from(RiskCase)
        .join(Division, Division.id == RiskCase.village_id).where(seen_by(by))).one()
    return dict(row._mapping)


def cases(by: Visitor, asked: Asked, page: int) -> paging.Page:
    """One page, the nearest due date first; closed ones newest first."""
    conditions = [is_in(asked.state), seen_by(by), *([RiskCase.kind == asked.kind] if asked.kind else [])]
    total = db.session().scalar(select(func.count()).select_from(RiskCase).join(
        Division, Division.id == RiskCase.village_id).where(*conditions)) or 0
    order = (RiskCase.closed_at.desc(), RiskCase.id) if asked.state == "closed" else (RiskCase.due_on, RiskCase.id)
    return paging.read(_cases().where(*conditions).order_by(*order), total, page, counts=counts(by))


def case(case_id: int, by: Visitor) -> Any:
    """One of the visitor's area. Raises NotFound."""
    found = db.session().execute(_cases().where(RiskCase.id == case_id, seen_by(by))).first()
    if found is None:
        raise NotFound()
    return found


def signals(case_id: int) -> Sequence[Any]:
    """What the nights found about a case, the newest first."""
    return db.session().execute(
        select(db.table(RiskSignal)).where(RiskSignal.case_id == case_id)
        .order_by(RiskSignal.period.desc(), RiskSignal.id.desc()).limit(60)).all()


def of_report(where: Where, first: str, last: str) -> Sequence[Any]:
    """Cases of an area with a signal found in these months; one statement."""
    found = select(RiskSignal.case_id).where(
        RiskSignal.found_on.between(clock.first_day(first), clock.last_day(last)))
    return db.session().execute(
        _cases().where(where.holds(RiskCase.village_id), RiskCase.id.in_(found))
        .order_by(Division.path, RiskCase.id)).all()


def _cases() -> Select[Any]:
    """Cases with their newest signal; the name's first character only."""
    newest = (select(RiskSignal.case_id, func.max(RiskSignal.id).label("id"), func.count().label("times"))
              .group_by(RiskSignal.case_id).subquery())
    county, township = aliased(Division), aliased(Division)
    return (
        select(*db.table(RiskCase).c, Household.register_code, func.substr(Household.head_name, 1, 1).label("initial"),
               Division.name.label("village"), Division.path, county.name.label("county"),
               township.name.label("township"), HANDLER.name.label("handler"), CLOSER.name.label("closer"),
               PROPOSER.name.label("proposer"), newest.c.times,
               *(RiskSignal.__table__.c[name] for name in ("now_fen", "before_fen", "first_month", "last_month",
                                                            "period", "found_on")))
        .join(Division, Division.id == RiskCase.village_id)
        .outerjoin(county, county.id == Division.county_id).outerjoin(township, township.id == Division.township_id)
        .outerjoin(Household, Household.id == RiskCase.household_id)
        .outerjoin(HANDLER, HANDLER.id == RiskCase.handler_id).outerjoin(CLOSER, CLOSER.id == RiskCase.closed_by)
        .outerjoin(PROPOSER, PROPOSER.id == RiskCase.closing_by)
        .join(newest, newest.c.case_id == RiskCase.id).join(RiskSignal, RiskSignal.id == newest.c.id))
