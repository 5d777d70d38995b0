"""What the ledger says of single days: read by business date, so that the cost follows the rows of those days.

The roll-ups go by months; a week is added up from its own transfers. Orders under check, or left out for good, are
left out as in every public figure. Open a snapshot around.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select

from market import clock, db, ledger_frame
from market.figures import SUMMED_BY, Where
from market.ledger import CANONICAL
from market.places import Division
from market.sealing import TRANSFERS, closed_months, open_month
from market.village_months import add_to, figures_of
from orders.anomalies.models import OrderHold

Sums = dict[int, dict[str, int]]  # by village: the columns of FIGURES, in fen or grams


@dataclass
class Days:
    """Some days: sums by village, what occurred by county and kind, and by village what is held out of the sums."""

    sums: Sums = field(default_factory=dict)
    things: dict[int, dict[str, set[str]]] = field(default_factory=dict)
    held: Sums = field(default_factory=dict)


def read(first: date, last: date, where: Where) -> Days:
    """Every transfer of these days, one by one: things that occur are told by their rows."""
    rows = db.session().execute(
        select(*(TRANSFERS.c[name] for name in CANONICAL), Division.county_id)
        .join(Division, Division.id == TRANSFERS.c.village_id)
        .where(_of_days(first, last, where))).mappings().all()
    held = set(db.session().scalars(_held_orders()))
    found = Days()
    clear = [row for row in rows if row["order_ref"] not in held]
    for row in rows:
        add_to(found.held if row["order_ref"] in held else found.sums, row["village_id"], figures_of(row))
    counties = {row["id"]: row["county_id"] for row in clear}
    things: defaultdict[int, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for number, kind, thing in ledger_frame.things_of(clear):
        things[counties[number]][kind].add(thing)
    found.things = {county: dict(of_kind) for county, of_kind in things.items()}
    return found


def sums(first: date, last: date, where: Where) -> Sums:
    """The same sums alone, added up by the database."""
    return _added(_summed(_of_days(first, last, where) & _clear()))


def later_in_month(day: date, where: Where) -> Sums:
    """What counts in a day's month and is dated after the day: to be taken from that month's roll-up."""
    month = clock.period_of(day)
    closed = closed_months()
    dated_later = _of_days(clock.days_after(day, 1), clock.last_day(month), where) & _clear()
    rows = _summed(dated_later & (TRANSFERS.c.block_no.is_(None) | (TRANSFERS.c.period == month)), "block_no")
    return _added([row for row in rows if row["block_no"] is not None
                   or open_month(clock.period_of(row["business_date"]), closed) == month])


def _of_days(first: date, last: date, where: Where) -> ColumnElement[bool]:
    return (TRANSFERS.c.business_date.between(first, last) & TRANSFERS.c.village_id.is_not(None)
            & where.holds(TRANSFERS.c.village_id))


def _held_orders() -> Any:
    return select(OrderHold.order_number).where(OrderHold.released_at.is_(None))


def _clear() -> ColumnElement[bool]:
    return TRANSFERS.c.order_ref.is_(None) | TRANSFERS.c.order_ref.not_in(_held_orders())


def _summed(condition: ColumnElement[bool], *more: str) -> Any:
    keys = [TRANSFERS.c[name] for name in (*SUMMED_BY, *more)]
    return db.session().execute(
        select(*keys, *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
        .where(condition).group_by(*keys)).mappings().all()


def _added(rows: list[Mapping[Any, Any]]) -> Sums:
    found: Sums = {}
    for row in rows:
        add_to(found, row["village_id"], figures_of(row))
    return found
