"""The night's work: find what trade tells, keep each signal once, open again what was closed and comes back.

Read at one moment, without holding up anybody; then written in one short transaction for each county. A second run, or
a second worker, finds the keys taken and adds nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, update

from market import clock, db, journal
from market.figures import Where
from orders.collective import figures as collective
from orders.collective.dated import Rules
from orders.collective.rules import WEAK_BELOW_FEN
from orders.risk import reading, rules
from orders.risk.models import RiskCase, RiskSignal
from orders.risk.rules import Signal

DAYS_TO_HANDLE = 30  # until somebody sets a day
AT_ONCE = 1000  # rows in one statement


@dataclass(frozen=True)
class Found:
    """A signal about a household, or with none about its village."""

    signal: Signal
    village_id: int
    household_id: int | None = None

    @property
    def subject(self) -> str:
        return f"village:{self.village_id}" if self.household_id is None else f"household:{self.household_id}"

    @property
    def key(self) -> tuple[str, str]:
        """Of the case that it belongs to."""
        return self.signal.kind, self.subject


def follow(today: date) -> int:
    """Look at every county on a day; returns how many signals are new."""
    return sum(keep(found_in(county, today), today) for county in reading.counties_with_income())


def found_in(county_id: int, today: date) -> list[Found]:
    """All that a county's trade tells on a day; the number of statements does not follow that of households."""
    with db.snapshot():
        county = reading.of_county(county_id)
        limits = rules.limits_from({name: Rules(name, today).of_county(county_id).value
                                    for name in ("fallen_share", "stopped_months", "unpaid_days")})
        weak = _weak(county_id, today.year - 1)
    found = [Found(signal, county.village_of[household], household)
             for household, series in county.series_of_household.items()
             for signal in rules.signals(series, county.open_months, today, limits)]
    found += [Found(signal, village) for village, series in county.series_of_village.items()
              for signal in rules.signals(series, county.open_months, today, limits)]
    return sorted((*found, *weak), key=lambda one: (one.key, one.signal.period))


def _weak(county_id: int, year: int) -> list[Found]:
    """Villages below the 50,000-yuan line in the year that is over: only where other income is declared."""
    return [Found(Signal("weak", str(year), one.now.operating_fen or 0, WEAK_BELOW_FEN, f"{year}-01", f"{year}-12"),
                  one.village.id)
            for one in collective.of_area(Where(county_id=county_id), year) if one.now.band == "weak"]


def keep(found: Sequence[Found], today: date) -> int:
    """Write what is new, in the order of its keys; returns how many signals that are."""
    new = 0
    for some in db.chunks(found, AT_ONCE):
        with db.transaction():
            new += _keep(some, today)
    return new


def _keep(found: Sequence[Found], today: date) -> int:
    fresh = _not_yet(found)
    if not fresh:
        return 0
    cases = _cases(fresh, today)
    rows = [{"case_id": cases[one.key], "kind": one.signal.kind, "subject": one.subject, "period": one.signal.period,
             "now_fen": one.signal.now_fen, "before_fen": one.signal.before_fen,
             "first_month": one.signal.first_month, "last_month": one.signal.last_month, "found_on": today}
            for one in fresh]
    kept = list(db.session().scalars(db.insert_new(RiskSignal).returning(RiskSignal.case_id), rows))
    _reopen(kept, today)
    return len(kept)


def _not_yet(found: Sequence[Found]) -> list[Found]:
    """A first look without a lock; the unique key decides."""
    known = {tuple(row) for row in db.session().execute(
        select(RiskSignal.kind, RiskSignal.subject, RiskSignal.period)
        .where(RiskSignal.subject.in_({one.subject for one in found}),
               RiskSignal.period.in_({one.signal.period for one in found})))}
    return [one for one in found if (*one.key, one.signal.period) not in known]


def _cases(found: Sequence[Found], today: date) -> dict[tuple[str, str], int]:
    """The cases that signals belong to, opened where there is none yet."""
    rows = {one.key: {
        "kind": one.signal.kind, "subject": one.subject, "village_id": one.village_id,
        "household_id": one.household_id, "state": "open", "opened_on": today, "reopened_on": None,
        "due_on": _due(today), "told_for": None, "handler_id": None, "office_id": None, "measures": "", "outcome": "",
        "closing_by": None, "closed_by": None, "closed_at": None} for one in found}
    opened = list(db.session().execute(
        db.insert_new(RiskCase).returning(RiskCase.id, RiskCase.kind), list(rows.values())))
    journal.record_many([("risk.opened", "risk_case", row.id, {"risk": row.kind}) for row in opened], None)
    known = db.session().execute(select(RiskCase.id, RiskCase.kind, RiskCase.subject).where(
        RiskCase.subject.in_({subject for _kind, subject in rows})))
    return {(row.kind, row.subject): row.id for row in known}


def _reopen(case_ids: Sequence[int], today: date) -> None:
    """A new month's signal of what was closed, or was to be closed, opens it again; who handled it handles it again."""
    again: dict[str, Any] = {
        "state": "open", "reopened_on": today, "due_on": _due(today), "told_for": None, "outcome": "",
        "closing_by": None, "closed_by": None, "closed_at": None}
    reopened = list(db.session().scalars(
        update(RiskCase).where(RiskCase.id.in_(case_ids), RiskCase.state != "open").values(again)
        .returning(RiskCase.id).execution_options(synchronize_session=False)))
    journal.record_many([("risk.reopened", "risk_case", case_id, {}) for case_id in sorted(reopened)], None)


def _due(today: date) -> date:
    return clock.days_after(today, DAYS_TO_HANDLE)
