"""Rules of the reserved share: the nearest place wins, there an exact kind of unit before 'any'; kept by offices."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, update

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotAllowed, NotFound
from market.parties import Organisation
from market.places import Division
from orders.quota.models import QuotaFiling, QuotaRule, QuotaTerm

KEEPERS = ("finance", "revitalisation", "city")  # kinds of offices that keep the rules of their area
RULES = db.table(QuotaRule)


class RuleThere(Conflict):
    """The same question has its rule already."""

    code = "rule_there"
    text = N_("There is a rule for this already: replace it by a new one.")


class RuleMoved(Conflict):
    code = "rule_moved"
    text = N_("This rule has been replaced meanwhile. Please look again.")


class Book:
    """The current rules and last filing days of a year, and which place lies in which. Three statements."""

    def __init__(self, year: int) -> None:
        session = db.session()
        self.rules = {
            (row.division_id, row.unit_type, row.fund_source, row.duty): row
            for row in session.execute(select(RULES).where(RULES.c.year == year, RULES.c.ended_at.is_(None)))}
        self.terms = {row.division_id: row.deadline for row in session.execute(
            select(QuotaTerm.division_id, QuotaTerm.deadline).where(QuotaTerm.year == year))}
        self.above: dict[int, int | None] = {row.id: row.parent_id for row in session.execute(
            select(Division.id, Division.parent_id).where(
                (Division.level != "village")
                | Division.id.in_(select(Organisation.division_id).where(Organisation.kind == "unit"))))}

    def chain(self, division_id: int | None) -> list[int]:
        """The place and all it lies in, the nearest first."""
        places = []
        while division_id is not None:
            places.append(division_id)
            division_id = self.above.get(division_id)
        return places

    def of(self, division_id: int | None, unit_type: str | None, fund_source: str, duty: str) -> Any:
        """The rule for a unit, None where there is none."""
        for place in self.chain(division_id):
            for kind in (unit_type, "any"):
                found = self.rules.get((place, kind, fund_source, duty))
                if found is not None:
                    return found
        return None

    def for_filing(self, division_id: int | None, unit_type: str | None, fund_source: str) -> Any:
        """The rule a filing answers to: the local one, else the one of 832."""
        return (self.of(division_id, unit_type, fund_source, "local")
                or self.of(division_id, unit_type, fund_source, "832"))

    def deadline(self, division_id: int | None) -> Any:
        """The last day for filing: the nearest office's word."""
        return next((self.terms[place] for place in self.chain(division_id) if place in self.terms), None)


def check_keeper(by: Visitor) -> None:
    """Raises NotAllowed for offices that do not keep rules."""
    if by.office_kind not in KEEPERS or by.division_id is None:
        raise NotAllowed()


def keep(values: Mapping[str, Any], by: Visitor, replaces: int | None = None) -> int:
    """Enter a rule for the office's own area, or its successor; the old row ends and stays.

    Raises NotAllowed, NotFound, RuleThere, RuleMoved, InvalidInput.
    """
    check_keeper(by)
    _check(values)
    session = db.session()
    if replaces is not None:
        own = session.scalar(select(QuotaRule.id).where(QuotaRule.id == replaces,
                                                        QuotaRule.division_id == by.division_id))
        if own is None:
            raise NotFound()
        ended = session.scalar(update(QuotaRule).where(QuotaRule.id == replaces, QuotaRule.ended_at.is_(None))
                               .values(ended_at=clock.now()).returning(QuotaRule.id))
        if ended is None:
            raise RuleMoved()
    row = {name: values[name] for name in (
        "unit_type", "fund_source", "year", "duty", "counts", "min_points", "encouraged_points", "base",
        "document_name", "document_number", "remark", "with_union", "with_staff")}
    journaled = dict(row)
    row |= {"division_id": by.division_id, "entered_by": by.id, "entered_at": clock.now(), "replaces_id": replaces}
    new_id = session.scalar(db.insert_new(QuotaRule).returning(QuotaRule.id), row)
    if new_id is None:
        raise RuleThere()
    journal.record("quota_rule.entered", "quota_rule", new_id, by, replaces=replaces, **journaled)
    return int(new_id)


def _check(values: Mapping[str, Any]) -> None:
    wrong: dict[str, list[Any]] = {}
    if values["encouraged_points"] < values["min_points"]:
        wrong["encouraged"] = [N_("The encouraged share lies below the least one.")]
    if values["duty"] == "832" and values["counts"] == "local":
        wrong["counts"] = [N_("A rule about 832 counts orders of 832, or both.")]
    if wrong:
        raise InvalidInput(wrong)


def set_deadline(year: int, deadline: Any, by: Visitor) -> None:
    """The finance office's last day for filing in its area. Raises NotAllowed."""
    if by.office_kind != "finance" or by.division_id is None:
        raise NotAllowed()
    row = {"division_id": by.division_id, "year": year, "deadline": deadline, "set_by": by.id, "set_at": clock.now()}
    db.session().execute(db.insert_or_update(QuotaTerm, "division_id", "year"), [row])
    journal.record("quota_term.set", "quota_term", f"{by.division_id}-{year}", by, deadline=deadline)


def listed(places: Iterable[int], year: int) -> Any:
    """Rules of these places for a year, with the names of their places; ended ones after the current ones."""
    used = select(QuotaFiling.id).where((QuotaFiling.canteen_rule_id == QuotaRule.id)
                                        | (QuotaFiling.union_rule_id == QuotaRule.id)).exists()
    return db.session().execute(
        select(RULES, Division.name.label("place"), used.label("is_used")).join(Division,
                                                                                Division.id == RULES.c.division_id)
        .where(RULES.c.division_id.in_(list(places)), RULES.c.year == year)
        .order_by(RULES.c.ended_at.is_not(None), RULES.c.duty, RULES.c.fund_source, RULES.c.unit_type,
                  RULES.c.id)).all()


def unit(unit_id: int | None) -> Any:
    """A unit's columns that rules depend on. Raises NotFound."""
    found = db.session().execute(
        select(Organisation.id, Organisation.name, Organisation.short_name, Organisation.unit_type,
               Organisation.division_id, Organisation.parent_id, Organisation.credit_code)
        .where(Organisation.id == unit_id, Organisation.kind == "unit")).first()
    if found is None:
        raise NotFound()
    return found
