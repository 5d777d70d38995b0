"""The data sets: what the public pages show of a month, for machines. Nothing is read here that those do not show.

Amounts are integer fen, weights integer grams, shares hundredths of a percent; null where the public page shows no
figure. Column names never change with language or year.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from market.errors import N_
from orders.reports import village_income
from orders.reports.frame import Asked, Column, Filled, fill
from orders.reports.readers import PUBLIC

TEXT = ("text", "code")


@dataclass(frozen=True)
class Told:
    """One month of a data set. `instead` says for a row, by column, why a figure is not there."""

    rows: Sequence[dict[str, Any]]
    instead: Sequence[dict[str, str]]
    totals: dict[str, int | None]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class DataSet:
    """A data set's declaration; `read` tells a month, as invented where the installation is a demo."""

    name: str
    title: str
    about: str
    columns: Sequence[Column]
    read: Callable[[str, bool], Told]
    keys: Sequence[str] = field(default=("code",))  # what tells rows apart


def _villages(month: str, demo: bool) -> Told:
    filled = _public(month, demo)
    keys = [column.key for column in filled.content.columns]
    totals = {c.key: filled.content.totals.values.get(c.key) for c in filled.content.columns if c.kind not in TEXT}
    rows = filled.content.rows
    return Told([{key: row.values.get(key) for key in keys} for row in rows], [dict(row.instead) for row in rows],
                totals, filled.content.notes)


SUMMED = tuple(column for column in village_income.PUBLIC_COLUMNS if column.sums)
COUNTY_COLUMNS = (
    Column("county", N_("County"), "text"), Column("code", N_("County code"), "code"),
    Column("villages", N_("Villages"), "count", "accepted", sums=True),
    Column("villages_without_income", N_("Villages whose income is not shown"), "count", "earned", sums=True),
    *SUMMED,
)


def _counties(month: str, demo: bool) -> Told:
    """Sums of what is shown of villages: what is hidden there is in no sum, so no difference tells it."""
    found: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in _public(month, demo).content.rows:
        found[row.values["code"][:6] + "000000", row.values["county"]].append(row.values)
    rows: list[dict[str, Any]] = [
        {"county": county, "code": code, "villages": len(villages),
         "villages_without_income": sum(one["household_fen"] is None for one in villages),
         **{c.key: sum(one[c.key] or 0 for one in villages) for c in SUMMED}}
        for (code, county), villages in sorted(found.items())]
    totals: dict[str, int | None] = {c.key: sum(row[c.key] for row in rows) for c in COUNTY_COLUMNS if c.sums}
    return Told(rows, [{} for _row in rows], totals)


def _public(month: str, demo: bool) -> Filled:
    return fill(village_income.REPORT, Asked(month, month), PUBLIC, demo)


SETS = (
    DataSet("village-income", N_("Village sales and income"),
            N_("Purchases, money received and income of every village, by month."), village_income.PUBLIC_COLUMNS,
            _villages),
    DataSet("county-income", N_("Sales and income by county"),
            N_("The sums of what is shown of a county's villages, by month."), COUNTY_COLUMNS, _counties,
            ("code", "county")),
)
BY_NAME = {one.name: one for one in SETS}
