"""The officials' first page: the date's figures beside the same days before, and what is silent, late or unpaid."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, day_figures, db, figures, money
from market.errors import N_
from market.figures import EVERYWHERE, Where
from market.ledger import INCOME_KINDS
from market.places import Division
from orders.anomalies import holds
from orders.overdue import counts
from orders.reports import village_income
from orders.reports.village_income import BOUGHT, RECEIVED, total

FIRST_MONTH = "2015-01"  # before anything was traded here
SILENT_DAYS = 7
EARNED = dict.fromkeys((f"{kind}_fen" for kind in INCOME_KINDS), 1)
PAID = {"households_paid_fen": 1, "collective_paid_fen": 1}
REACHED = {"households_paid_fen": 1}
# what is told of the date: heading, figures of the roll-up, the report that tells it by village
STAGES = (("accepted", N_("Purchase amount, accepted"), BOUGHT, "village-income"),
          ("received", N_("Received by co-operatives"), RECEIVED, "village-income"),
          ("reached", N_("Paid out to households"), REACHED, "household-income"))


@dataclass(frozen=True)
class Figure:
    """A figure in fen of today and of the month so far, and of the same days before; None where there was nothing."""

    key: str
    heading: str
    report: str
    today: int
    now: int
    last_month: int | None
    last_year: int | None

    def change(self, before: int | None) -> int | None:
        """In hundredths of a percent; None without anything to compare with."""
        return money.basis_points(self.now - before, before) if before is not None and before > 0 else None


@dataclass(frozen=True)
class Silent:
    """A county or township without goods accepted in a week, and the last month in which there were some."""

    code: str
    name: str
    last_month: str | None


@dataclass(frozen=True)
class Home:
    """What an office sees first. Amounts in fen."""

    day: date
    month: str
    stages: Sequence[Figure]
    households: int
    households_before: int  # in the whole month before
    unpaid_fen: int  # earned and not yet paid out, whenever it was earned
    under_check_fen: int  # part of the month's purchases, by orders that an official looks into
    left_out_fen: int  # the same after a check that did not clear them
    late_orders: int
    late_fen: int
    silent: Sequence[Silent] | None  # None where an area is too small to have such places
    silent_of: int
    months: Sequence[dict[str, Any]]


def same_days(day: date) -> tuple[date, date]:
    """The same day of the last month and of last year's month; the last one there is in a shorter month.

    >>> [one.isoformat() for one in same_days(date(2026, 3, 31))]
    ['2026-02-28', '2025-03-31']
    """
    found = []
    for months in (1, 12):
        before = clock.months_before(clock.period_of(day), months)
        found.append(min(clock.last_day(before), clock.days_after(clock.first_day(before), day.day - 1)))
    return found[0], found[1]


@dataclass(frozen=True)
class Earlier:
    """What moves little and is dear to read: whoever asks may keep it for a while."""

    same_days: Mapping[date, Mapping[str, int]]
    heard: Collection[int] = ()  # places with goods accepted in the last days
    last_months: Mapping[int, str] = field(default_factory=dict)


def earlier(where: Where, day: date) -> Earlier:
    """The figures of the same days before, and where goods were accepted last. Open a snapshot around."""
    same, places = day_figures.by_the_same_day(same_days(day), where), _places(where)
    if places is None:
        return Earlier(same)
    return Earlier(same, day_figures.accepted_since(clock.days_after(day, 1 - SILENT_DAYS), places, where),
                   day_figures.last_months(places, where))


def home(where: Where, day: date, known: Earlier) -> Home:
    """The figures of an area, with what `earlier` gave. Open a snapshot around; a constant number of statements."""
    month = clock.period_of(day)
    last = clock.months_before(month, 1)
    year = figures.facet_figures(clock.months_before(month, 11), month, ("period",), where)
    now = next((row for row in year if row["period"] == month), {})
    ever = next(iter(figures.facet_figures(FIRST_MONTH, month, (), where)), {})
    held = holds.held_figures(month, month, where).values()
    late_orders, late_fen = counts.late_in(where)
    silent, silent_of = _silent(where, known)
    households = [figures.presence_counts(period, period, where).get("household", 0) for period in (month, last)]
    before = [_or_none(known.same_days[one]) for one in same_days(day)]
    return Home(
        day, month, _stages(now, day_figures.of_today(where), before),
        households[0], households[1], unpaid_fen=total(ever, EARNED) - total(ever, PAID),
        under_check_fen=sum(one.bought() for one in held),
        left_out_fen=sum(one.bought(undecided=False) for one in held), late_orders=late_orders, late_fen=late_fen,
        silent=silent, silent_of=silent_of, months=village_income.by_month(year))


def _stages(now: Mapping[str, Any], today: Mapping[str, int], before: Sequence[Mapping[str, int] | None]
            ) -> list[Figure]:
    return [Figure(key, heading, report, total(today, formula), total(now, formula),
                   *(None if one is None else total(one, formula) for one in before))
            for key, heading, formula, report in STAGES]


def _or_none(sums: Mapping[str, int]) -> Mapping[str, int] | None:
    return sums if any(sums.values()) else None


def _places(where: Where) -> str | None:
    """What may be silent: for the city its counties, for a county its townships; a smaller area has no such places."""
    if where == EVERYWHERE:
        return "county_id"
    is_county = where.county_id is not None and where.township_id is None and where.village_ids is None
    return "township_id" if is_county else None


def _silent(where: Where, known: Earlier) -> tuple[list[Silent] | None, int]:
    """The silent ones, and of how many: all counties of the city, a county's townships that ever sold."""
    if (column := _places(where)) is None:
        return None, 0
    query = select(Division.id, Division.code, Division.name).where(
        Division.level == column.removesuffix("_id"), Division.valid_to.is_(None)).order_by(Division.code)
    if column == "township_id":
        query = query.where(Division.county_id == where.county_id, Division.id.in_(known.last_months))
    places = db.session().execute(query).all()
    return [Silent(row.code, row.name, known.last_months.get(row.id)) for row in places
            if row.id not in known.heard], len(places)
