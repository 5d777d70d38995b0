"""Contractors of canteens (食堂外包承包方): they order for a unit, and nothing else there.

[832] An outsourced canteen's unit keeps its reserved share and opens a trading account whose orders count for it.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError
from orders.units import people
from orders.units.models import ContractorTerm
from orders.units.people import Person


@dataclass(frozen=True)
class Term:
    """What the unit has looked at before it lets a contractor order."""

    firm_name: str
    licence_no: str
    licence_seen_on: date
    first_day: date
    last_day: date


class TermOver(Conflict):
    """The contract has not begun or has run out; the person may look, not order."""

    code = "contractor_term"
    text = N_("The contract of %(firm)s runs from %(first)s to %(last)s: outside these days nothing can be ordered.")


def add(person: Person, term: Term, by: Visitor) -> int:
    """Let a contractor's person order for the visitor's unit; the same person may serve other units too.

    Raises InvalidInput: a licence looked at tomorrow, days the wrong way round, another login's mobile.
    """
    wrong: dict[str, list[str | MarketError]] = {}
    if term.licence_seen_on > clock.today():
        wrong["licence_seen_on"] = [N_("This day is still to come.")]
    if term.last_day < term.first_day:
        wrong["last_day"] = [N_("The last day lies before the first.")]
    if wrong:
        raise InvalidInput(wrong)
    user_id = people.add(person, {"contractor"}, by)
    db.session().execute(insert(ContractorTerm), [{
        "unit_id": by.organisation_id, "user_id": user_id, "firm_name": term.firm_name,
        "licence_no": term.licence_no, "licence_seen_on": term.licence_seen_on, "first_day": term.first_day,
        "last_day": term.last_day, "added_by": by.id, "added_at": clock.now()}])
    journal.record("contractor.added", "user", user_id, by, firm=term.firm_name, licence_seen_on=term.licence_seen_on,
                   first_day=term.first_day, last_day=term.last_day)
    return user_id


def need_term(by: Visitor) -> None:
    """Raises TermOver for a contractor whose contract with the unit does not hold today."""
    if "contractor" not in by.roles:
        return
    term = db.session().execute(
        select(ContractorTerm.firm_name, ContractorTerm.first_day, ContractorTerm.last_day)
        .where(ContractorTerm.unit_id == by.organisation_id, ContractorTerm.user_id == by.id,
               ContractorTerm.ended_at.is_(None))).first()
    if term is not None and not term.first_day <= clock.today() <= term.last_day:
        raise TermOver(firm=term.firm_name, first=term.first_day.isoformat(), last=term.last_day.isoformat())
