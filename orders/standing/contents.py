"""What a plan says: its terms and goods, what an approval of it binds, and whether one says more than another."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, db, money
from orders.standing.days import is_delivery_day
from orders.standing.models import StandingLine, StandingQuantity

NONE = (0,) * 7
MOST_DAYS = 1_100  # three years; what is later repeats them


@dataclass(frozen=True)
class Line:
    """A good: the ceiling of its price in fen per sales unit, thousandths of that unit from Monday to Sunday."""

    product_id: int
    ceiling_fen: int
    substitutes: bool
    quantities: tuple[int, ...] = NONE

    @property
    def by_quantity(self) -> list[tuple[int, list[int]]]:
        """Each quantity with its weekdays: [(20_000, [0, 1, 2, 3, 4])] for twenty units on each workday."""
        found: dict[int, list[int]] = {}
        for weekday, milli in enumerate(self.quantities):
            if milli:
                found.setdefault(milli, []).append(weekday)
        return list(found.items())


@dataclass(frozen=True)
class Terms:
    """When, where to and out of which money; the columns of StandingPlan of the same names."""

    name: str
    budget_unit_id: int
    delivery_point_id: int
    delivery_window: str
    fund_source: str
    days_ahead: int
    cut_off_hour: int
    first_day: date
    last_day: date
    skip_holidays: bool
    year_limit_fen: int


@dataclass(frozen=True)
class Content:
    """A whole plan."""

    terms: Terms
    lines: tuple[Line, ...]

    def without_nothings(self) -> "Content":
        """The same without goods that no weekday wants."""
        return replace(self, lines=tuple(line for line in self.lines if any(line.quantities)))

    @property
    def weekdays(self) -> frozenset[int]:
        """The weekdays on which anything is ordered, 0 for Monday."""
        return frozenset(day for line in self.lines for day, milli in enumerate(line.quantities) if milli)

    def most_fen(self, weekday: int) -> int:
        """What a weekday's order costs where every price stands at its ceiling."""
        return sum(money.line_total(line.ceiling_fen, line.quantities[weekday]) for line in self.lines)

    @property
    def largest_run_fen(self) -> int:
        """The dearest weekday at its ceilings."""
        return max((self.most_fen(day) for day in self.weekdays), default=0)

    @property
    def hash(self) -> str:
        """What an approval binds: goods, weekdays, quantities, ceilings, days, place, unit and money; SHA-256."""
        bound = {name: str(value) for name, value in asdict(self.terms).items()
                 if name not in {"name", "days_ahead", "cut_off_hour", "delivery_window"}}
        lines = sorted([line.product_id, line.ceiling_fen, line.substitutes, *line.quantities] for line in self.lines)
        return hashlib.sha256(json.dumps([bound, lines], sort_keys=True).encode()).hexdigest()


def says_more(after: Content, before: Content) -> bool:
    """Whether a change needs a new approval: a new good or weekday, more of one, a higher ceiling or yearly sum, more
    days, another place, unit or fund. Reductions do not."""
    old, new = before.terms, after.terms
    if (old.budget_unit_id, old.delivery_point_id, old.fund_source) != (
            new.budget_unit_id, new.delivery_point_id, new.fund_source):
        return True
    if new.first_day < old.first_day or new.last_day > old.last_day or new.year_limit_fen > old.year_limit_fen:
        return True
    if old.skip_holidays and not new.skip_holidays:
        return True
    known = {line.product_id: line for line in before.lines}
    return any(_line_says_more(line, known.get(line.product_id)) for line in after.lines)


def _line_says_more(new: Line, old: Line | None) -> bool:
    if old is None:
        return any(new.quantities)
    return (new.ceiling_fen > old.ceiling_fen or (new.substitutes and not old.substitutes)
            or any(more > less for more, less in zip(new.quantities, old.quantities, strict=True)))


def with_year_limit(content: Content, year_limit_fen: int | None) -> Content:
    """The content with its yearly maximum in fen; where none is said, what its dearest year comes to at ceilings."""
    limit = year_limit_fen or _dearest_year_fen(content)
    return replace(content, terms=replace(content.terms, year_limit_fen=limit))


def _dearest_year_fen(content: Content) -> int:
    by_year: dict[int, int] = {}
    day = content.terms.first_day
    for _at in range(MOST_DAYS):
        if day > content.terms.last_day:
            break
        if is_delivery_day(day, content.weekdays, content.terms):
            by_year[day.year] = by_year.get(day.year, 0) + content.most_fen(day.weekday())
        day = clock.days_after(day, 1)
    return min(max(by_year.values(), default=0), money.MAX_FEN)


def of_plan(plan: Any) -> Content:
    """What a plan's row and its goods say; one statement."""
    return Content(Terms(**{name: getattr(plan, name) for name in Terms.__dataclass_fields__}),
                   tuple(lines_of([plan.id])[plan.id]))


def lines_of(plan_ids: Sequence[int]) -> dict[int, list[Line]]:
    """The goods of plans, in the order in which they were put in."""
    found: dict[int, dict[int, Line]] = {plan_id: {} for plan_id in plan_ids}
    rows: Any = db.session().execute(
        select(StandingLine.plan_id, StandingLine.id, StandingLine.product_id, StandingLine.ceiling_fen,
               StandingLine.substitutes, StandingQuantity.weekday, StandingQuantity.milli)
        .outerjoin(StandingQuantity, StandingQuantity.line_id == StandingLine.id)
        .where(StandingLine.plan_id.in_(plan_ids)).order_by(StandingLine.id))
    for row in rows:
        so_far = found[row.plan_id].get(row.id) or Line(row.product_id, row.ceiling_fen, row.substitutes)
        quantities = list(so_far.quantities)
        if row.weekday is not None:
            quantities[row.weekday] = row.milli
        found[row.plan_id][row.id] = Line(row.product_id, row.ceiling_fen, row.substitutes, tuple(quantities))
    return {plan_id: list(lines.values()) for plan_id, lines in found.items()}
