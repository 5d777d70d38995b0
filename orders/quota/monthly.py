"""The reserved share of many units at once, from the roll-up by unit and month: its cost does not follow the orders.

The sums of all units are those of orders/quota/figures.py, which reads every document. A succession within a month
counts from the first day of that month here.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from market import clock
from market import figures as roll_ups
from orders.quota.figures import Progress, Roll, Sums, last_day, outside, told


def progress(units: Collection[int], year: int, last: str) -> dict[int, Progress]:
    """What units bought from the year's first month to the last one told, beside their quotas. Open a snapshot."""
    day = min(clock.last_day(last), last_day(year))
    roll = Roll(year)
    sources = roll.sources(units)
    found: defaultdict[int, Sums] = defaultdict(Sums)
    for row in roll_ups.unit_figures(f"{year}-01", last, ("unit_id", "fund_source", "period"), sources):
        of = found[roll.unit(row["unit_id"], clock.last_day(row["period"]))].of
        of[row["fund_source"] or "canteen"] += row["accepted_fen"] - row["returned_fen"]
    _add_outside(found, sources, year, day, roll)
    return told(units, year, day, {unit: found[unit] for unit in units})


def _add_outside(found: defaultdict[int, Sums], sources: Collection[int], year: int, day: date, roll: Roll) -> None:
    """Orders of 832, which the ledger does not know; two units of one canteen may both have sent one."""
    for row in outside(sources, year, day):
        one = found[roll.unit(row.unit_id, row.day)]
        if row.number not in one.outside_orders:
            one.outside_orders.add(row.number)
            one.outside[row.source] += row.fen
