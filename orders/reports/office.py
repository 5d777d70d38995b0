"""The officials' first page: this month beside the last, the past year drawn, and what waits for them."""

from dataclasses import dataclass
from typing import Any

from market import clock, figures
from market.figures import Where
from orders.reports import village_income
from orders.reports.village_income import BOUGHT, RECEIVED, total


@dataclass(frozen=True)
class Figure:
    """A figure of this month and of the last one, in fen or a count."""

    now: int
    before: int

    @property
    def change(self) -> int:
        return self.now - self.before


@dataclass(frozen=True)
class Home:
    """What an office sees first."""

    month: str
    before: str
    accepted: Figure
    received: Figure
    reached: Figure
    households: Figure
    months: list[dict[str, Any]]


def home(where: Where, month: str) -> Home:
    """The figures of an area for a month and the one before, and the twelve months up to it. Open a snapshot around."""
    before = clock.months_before(month, 1)
    year = figures.village_figures(clock.months_before(month, 11), month, where, by_period=True)

    def figure(formula: dict[str, int]) -> Figure:
        return Figure(*(sum(total(row, formula) for row in year if row["period"] == period)
                        for period in (month, before)))

    households = Figure(*(figures.presence_counts(period, period, where).get("household", 0)
                          for period in (month, before)))
    return Home(month, before, figure(BOUGHT), figure(RECEIVED), figure({"households_paid_fen": 1}), households,
                village_income.by_month(year))
