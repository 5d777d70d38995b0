"""When trade tells that income falls: compared by months, from plain sums; pure.

Compared are only months in which the trade was open in both years, so that a year's first months, or holidays of all
canteens, make no signal. Everything here is income through this platform, not total income.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from market import clock

WINDOW_MONTHS = 3  # whole months that 'fallen' compares with the same ones a year before
HISTORY_MONTHS = 12
KINDS_OF_INCOME = ("farm_gate", "wage", "land", "dividend", "collective")


@dataclass(frozen=True)
class Limits:
    """What an area has set: share in hundredths of a percent, months, days."""

    fallen_share: int = 5_000
    stopped_months: int = 3
    unpaid_days: int = 60


@dataclass
class Series:
    """One household or village: fen earned by month; earned by day and paid by (co-operative, kind of income)."""

    earned: dict[str, int] = field(default_factory=dict)
    dated: dict[tuple[int, str], list[tuple[date, int]]] = field(default_factory=dict)
    paid: dict[tuple[int, str], int] = field(default_factory=dict)

    def earn(self, day: date, fen: int) -> None:
        """Income of a day; below zero where it was taken back."""
        month = clock.period_of(day)
        self.earned[month] = self.earned.get(month, 0) + fen

    def owe(self, supplier_id: int, kind: str, day: date, earned_fen: int, paid_fen: int) -> None:
        """What was earned with a co-operative on a day, and what it paid."""
        key = supplier_id, kind
        if earned_fen:
            self.dated.setdefault(key, []).append((day, earned_fen))
        if paid_fen:
            self.paid[key] = self.paid.get(key, 0) + paid_fen


@dataclass(frozen=True)
class Signal:
    """What was found: `now_fen` compared with `before_fen`, over the months named. `period` tells it from the next."""

    kind: str
    period: str
    now_fen: int
    before_fen: int
    first_month: str
    last_month: str


def signals(series: Series, open_months: Collection[str], today: date, limits: Limits) -> Iterable[Signal]:
    """All signals of one household or village on a day."""
    last = clock.months_before(clock.period_of(today), 1)
    stopped = _stopped(series, open_months, last, clock.period_of(today), limits)
    fallen = None if stopped else _fallen(series, open_months, last, limits)
    return [found for found in (stopped, fallen, _unpaid(series, today, limits)) if found is not None]


def compared(open_months: Collection[str], last: str, count: int) -> list[str]:
    """Of the last `count` months those in which trade was open, then and a year before; none before twelve months.

    >>> compared({"2025-09", "2026-07", "2026-09"}, "2026-09", 3), compared({"2026-08", "2026-09"}, "2026-09", 3)
    (['2026-09'], [])
    """
    return [month for month in clock.months_between(clock.months_before(last, count - 1), last)
            if month in open_months and clock.months_before(month, HISTORY_MONTHS) in open_months]


def _both(series: Series, months: Iterable[str]) -> tuple[int, int]:
    """Fen of these months, and of the same ones a year before."""
    months = list(months)
    return (sum(series.earned.get(month, 0) for month in months),
            sum(series.earned.get(clock.months_before(month, HISTORY_MONTHS), 0) for month in months))


def _fallen(series: Series, open_months: Collection[str], last: str, limits: Limits) -> Signal | None:
    months = compared(open_months, last, WINDOW_MONTHS)
    now, before = _both(series, months)
    if before <= 0 or now * 10_000 > before * (10_000 - limits.fallen_share):
        return None
    return Signal("fallen", last, now, before, months[0], months[-1])


def _stopped(series: Series, open_months: Collection[str], last: str, running: str, limits: Limits) -> Signal | None:
    """Nothing in the last months, the running one included, and something in the same season of the year before."""
    first = clock.months_before(last, limits.stopped_months - 1)
    months = compared(open_months, last, limits.stopped_months)
    _now, before = _both(series, months)
    if before <= 0 or any(series.earned.get(month, 0) > 0 for month in clock.months_between(first, running)):
        return None
    return Signal("stopped", last, 0, before, months[0], months[-1])


def _unpaid(series: Series, today: date, limits: Limits) -> Signal | None:
    """Income earned longer ago than allowed and not paid: what was paid counts for the oldest first."""
    until = clock.days_after(today, -limits.unpaid_days)
    open_fen, oldest = 0, []
    for key, dated in series.dated.items():
        old = [(day, fen) for day, fen in dated if day < until or fen < 0]
        left = sum(fen for _day, fen in old) - series.paid.get(key, 0)
        if left > 0:
            open_fen += left
            oldest.append(_oldest_unpaid(old, left))
    if not open_fen:
        return None
    return Signal("unpaid", clock.period_of(today), open_fen, 0, clock.period_of(min(oldest)), clock.period_of(until))


def _oldest_unpaid(dated: Iterable[tuple[date, int]], left: int) -> date:
    """From which day on nothing is paid: the newest incomes that come to what is left."""
    for day, fen in sorted((one for one in dated if one[1] > 0), reverse=True):
        left -= fen
        if left <= 0:
            return day
    return day


def limits_from(values: Mapping[str, int]) -> Limits:
    """Out of an area's rules."""
    return Limits(**values)
