"""The officials' first page: this month beside the last, the past year drawn, and what waits for them."""

from dataclasses import dataclass
from typing import Any

from market import clock, figures
from market.figures import Where
from market.ledger import INCOME_KINDS
from orders.reports import village_income
from orders.reports.village_income import BOUGHT, RECEIVED, total

FIRST_MONTH = "2015-01"  # before anything was traded here
EARNED = dict.fromkeys((f"{kind}_fen" for kind in INCOME_KINDS), 1)
PAID = {"households_paid_fen": 1, "collective_paid_fen": 1}


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
    earned: Figure  # by households and collectives
    reached: Figure  # paid out to them
    households: Figure
    unpaid_fen: int  # earned and not yet paid out, whenever it was earned
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
    ever = figures.total_of(figures.village_figures(FIRST_MONTH, month, where))
    return Home(month, before, figure(BOUGHT), figure(RECEIVED), figure(EARNED), figure(PAID), households,
                total(ever, EARNED) - total(ever, PAID), village_income.by_month(year))
