"""Figures by facet once more, as a plain GROUP BY over transfers: what the roll-ups have to give."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, select

from market import clock, db
from market.places import Division
from market.sealing import TRANSFERS, closed_months, open_month
from market.village_months import add_to, figures_of

MEASURES = ("event", "backward", "income_kind", "certified", "business_date", "period", "amount_fen", "grams")


def grouped(first: str, last: str, by: Collection[str], condition: ColumnElement[bool]) -> dict[tuple[Any, ...], Any]:
    """Sums of every figure by what stands in `by`, row by row."""
    names = dict.fromkeys((*(name for name in by if name in TRANSFERS.c), *MEASURES))
    query = select(*(TRANSFERS.c[name] for name in names), Division.township_id, Division.county_id).join(
        Division, Division.id == TRANSFERS.c.village_id).where(condition)
    closed = closed_months()
    sums: dict[tuple[Any, ...], Any] = {}
    for row in db.session().execute(query).mappings():
        month = row["period"] or open_month(clock.period_of(row["business_date"]), closed)
        if first <= month <= last and (found := figures_of(row)):
            told = {**row, "period": month}
            add_to(sums, tuple("" if told[name] is None else told[name] for name in by), found)
    return sums
