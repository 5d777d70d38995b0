"""The single orders behind each figure of a unit's year; their sum is the figure."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from market import db
from market.parties import Organisation
from orders.quota import rules
from orders.quota.figures import SOURCES, Bar, Roll, amounts, open_orders, outside, progress, what_feeds

OUTSIDE = ("outside", "outside_canteen", "outside_union", "outside_staff")
FIGURES = (*SOURCES, "total", *OUTSIDE, "local", "832", "open", "unpaid")


def behind(unit_id: int, year: int, until: date, figure: str) -> list[dict[str, Any]]:
    """The orders behind a figure of a unit, one of FIGURES."""
    roll = Roll(year)
    sources = roll.sources([unit_id])
    names = {row.id: row.short_name for row in db.session().execute(
        select(Organisation.id, Organisation.short_name).where(Organisation.id.in_(sources)))}
    if figure in ("open", "unpaid"):
        found = [_open_line(row, figure, names) for row in open_orders(sources, year)
                 if roll.unit(row.unit_id, until) == unit_id]
        return [line for line in found if line["fen"] > 0]
    rows = [] if figure in OUTSIDE else _local_lines(sources, year, until, figure, names)
    if figure in (*OUTSIDE, "local", "832"):
        rows += _outside_lines(sources, year, until, figure, names)
    rows = _once([row for row in rows if roll.unit(row["unit_id"], row["day"]) == unit_id])
    if figure not in ("local", "832"):
        return rows
    seen = progress([unit_id], year, until)[unit_id]
    feeds = _what_feeds(seen.local if figure == "local" else seen.outside, unit_id, year)
    return [row for row in rows if (row["channel"], row["fund"]) in feeds]


def _what_feeds(bar: Bar, unit_id: int, year: int) -> set[tuple[str, str]]:
    unit = rules.unit(unit_id)
    return what_feeds(bar.duty, bar.rule, rules.Book(year).of(unit.division_id, unit.unit_type, "union", bar.duty))


def _local_lines(sources: Collection[int], year: int, until: date, figure: str,
                 names: Mapping[int, str]) -> list[dict[str, Any]]:
    return [{"day": row.day, "number": row.number, "order_id": row.order_id, "unit_id": row.unit_id,
             "unit": names[row.unit_id], "supplier": row.supplier_name, "fund": row.source, "channel": "local",
             "fen": row.fen}
            for row in amounts(sources, year, until) if figure not in SOURCES or row.source == figure]


def _outside_lines(sources: Collection[int], year: int, until: date, figure: str,
                   names: Mapping[int, str]) -> list[dict[str, Any]]:
    fund = figure.removeprefix("outside_")
    return [{"day": row.day, "number": row.number, "order_id": None, "unit_id": row.unit_id,
             "unit": names[row.unit_id], "supplier": row.supplier, "fund": row.source, "channel": "832",
             "fen": row.fen}
            for row in outside(sources, year, until) if fund in ("outside", "local", "832", row.source)]


def _once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An order of 832 that two units of one canteen sent counts once."""
    seen: set[str] = set()
    kept = []
    for row in rows:
        if row["channel"] == "832":
            if row["number"] in seen:
                continue
            seen.add(row["number"])
        kept.append(row)
    return sorted(kept, key=lambda row: (row["day"], row["number"]))


def _open_line(row: Any, figure: str, names: Mapping[int, str]) -> dict[str, Any]:
    return {"day": row.accepted_on or row.business_date, "number": row.number, "order_id": row.id,
            "unit_id": row.unit_id, "unit": names[row.unit_id], "supplier": row.supplier_name,
            "fund": row.fund_source, "channel": "local",
            "fen": row.open_fen if figure == "open" else row.unpaid_fen}
