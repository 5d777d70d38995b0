"""Figures by facet once more, as a plain GROUP BY over transfers: what the roll-ups have to give."""

from collections import Counter
from collections.abc import Collection
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, false, select, true

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


def orders_by_way(first: str, last: str, condition: ColumnElement[bool]) -> "Counter[tuple[str, str]]":
    """Orders by kind of unit and method, each under what was last accepted in its last month of these."""
    months = _orders(first, last, condition, lambda row: (row["unit_type"] or "", row["method"] or ""))
    return Counter(max(of_village.values()) for of_month in months.values()
                   for of_village in [of_month[max(of_month)]])


def villages_by_way(first: str, last: str, condition: ColumnElement[bool]) -> dict[tuple[str, str], set[int]]:
    """Villages by kind of unit and method, by the orders of each village alone."""
    found: dict[tuple[str, str], set[int]] = {}
    for of_month in _orders(first, last, condition, lambda row: (row["unit_type"] or "", row["method"] or "")).values():
        last_of = {village: way for month in sorted(of_month) for village, way in of_month[month].items()}
        for village, way in last_of.items():
            found.setdefault(way, set()).add(village)
    return found


def orders_by_supplier(first: str, last: str) -> "Counter[int]":
    """Orders by co-operative."""
    return Counter(supplier for of_month in _orders(first, last, true(), itemgetter("supplier_id")).values()
                   for supplier in {one for of_village in of_month.values() for one in of_village.values()})


def _orders(first: str, last: str, condition: ColumnElement[bool], told: Any) -> dict[str, Any]:
    """By order, month and village: what the last goods accepted there tell, in the order in which they are sealed."""
    query = select(TRANSFERS).where(
        TRANSFERS.c.event == "accepted", TRANSFERS.c.backward == false(), condition).order_by(
        TRANSFERS.c.block_no.is_(None), TRANSFERS.c.block_no, TRANSFERS.c.id)
    closed = closed_months()
    found: dict[str, Any] = {}
    for row in db.session().execute(query).mappings():
        month = row["period"] or open_month(clock.period_of(row["business_date"]), closed)
        if first <= month <= last:
            found.setdefault(row["order_ref"], {}).setdefault(month, {})[row["village_id"]] = told(row)
    return found
