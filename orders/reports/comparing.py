"""Comparison: beside every amount that adds up, the year to date and the change on the same months of last year.

The report reads itself again for these months, and rows are joined by Row.place; one that occurs in only one of the
readings is there with 0 in the others.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from market import clock, money
from market.errors import N_
from market.i18n import gettext as _
from orders.reports.declared import Asked, Column, Content, Report, Row
from orders.reports.readers import Area, Reader

KINDS = ("fen", "grams", "count")


def compared(report: Report, asked: Asked, area: Area, reader: Reader, content: Content) -> Content:
    """The content with the columns that were asked for. The same snapshot must be open around."""
    plain, others = replace(asked, compare=(), columns=()), {}
    if "ytd" in asked.compare:
        others["ytd"] = report.read(replace(plain, first=asked.last[:4] + "-01"), area, reader)
    if "yoy" in asked.compare:
        others["yoy"] = report.read(replace(
            plain, first=clock.months_before(asked.first, 12), last=clock.months_before(asked.last, 12)), area, reader)
    summed = [column for column in content.columns if column.sums and column.kind in KINDS]
    rows = _joined(content, others, summed)
    by_place = {name: {row.place: row for row in other.rows} for name, other in others.items()}
    for row in rows:
        for column in summed:
            row.values |= _beside(column, row, {name: known.get(row.place) for name, known in by_place.items()})
    columns = tuple(columns_beside(content.columns, others))
    totals = _totals(content, columns, rows, {column.key for column in summed})
    return replace(content, columns=columns, rows=rows, totals=totals, notes=[*content.notes, *_notes(asked)])


def _joined(content: Content, others: Mapping[str, Content], summed: Sequence[Column]) -> list[Row]:
    """The rows, and those that only another reading has, with 0 for what is summed."""
    rows = {row.place: row for row in content.rows}
    texts = {column.key for column in content.columns if not column.is_number}
    for other in others.values():
        for row in other.rows:
            if row.place not in rows:
                values = {key: value for key, value in row.values.items() if key in texts}
                rows[row.place] = Row(values | {column.key: 0 for column in summed}, {}, row.place, row.order)
    return list(rows.values())


def _beside(column: Column, row: Row, found: Mapping[str, Row | None]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    now = row.values.get(column.key)
    then = {name: 0 if other is None else other.values.get(column.key, 0) for name, other in found.items()}
    if "ytd" in then:
        values[f"{column.key}_ytd"] = then["ytd"]
    if "yoy" in then:
        before = then["yoy"]
        values[f"{column.key}_before"] = before
        values |= _change(column.key, now, before)
    return values


def _change(key: str, now: int | None, before: int | None) -> dict[str, Any]:
    """The difference, and what part of the former amount it is; not known where there was nothing."""
    if now is None or before is None:
        return {f"{key}_change": None, f"{key}_yoy": None}
    return {f"{key}_change": now - before,
            f"{key}_yoy": money.basis_points(now - before, before) if before > 0 else None}


def columns_beside(columns: Sequence[Column], others: Container[str]) -> Iterator[Column]:
    """All columns with those that compare them, by what is compared with (declared.COMPARISONS)."""
    for column in columns:
        yield column
        if not (column.sums and column.kind in KINDS):
            continue
        if "ytd" in others:
            yield _column(column, "ytd", N_("%(column)s, year to date"))
        if "yoy" in others:
            yield _column(column, "change", N_("%(column)s, change on last year"))
            yield replace(_column(column, "yoy", N_("%(column)s, change in percent")), kind="percent", sums=False)


def _column(column: Column, name: str, heading: str) -> Column:
    return Column(f"{column.key}_{name}", str(_(heading, column=_(column.heading))), column.kind, column.stage,
                  sums=True, of=column.key)


def _totals(content: Content, columns: Sequence[Column], rows: Sequence[Row], summed: set[str]) -> Row:
    """Sums of the rows; the change in percent is that of the sums."""
    def whole(key: str) -> int:
        return sum(row.values.get(key) or 0 for row in rows)

    values = dict(content.totals.values)
    values |= {column.key: whole(column.key) for column in columns if column.of and column.sums}
    for key in summed:
        if f"{key}_change" in values:
            before = whole(f"{key}_before")
            values[f"{key}_yoy"] = money.basis_points(values[f"{key}_change"], before) if before > 0 else None
    return replace(content.totals, values=values)


def _notes(asked: Asked) -> list[str]:
    notes = []
    if "ytd" in asked.compare:
        notes.append(_("Year to date: from %(first)s to %(last)s.", first=asked.last[:4] + "-01", last=asked.last))
    if "yoy" in asked.compare:
        notes.append(_("Change on last year: beside %(first)s to %(last)s; no percentage where there was nothing then.",
                       first=clock.months_before(asked.first, 12), last=clock.months_before(asked.last, 12)))
    return notes
