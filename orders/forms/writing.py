"""A filled form: the uploaded workbook with values in its rows, everything else of it as the province drew it."""

import io
import re
from copy import copy
from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, MergedCell

from market.sheets import MAX_CELL, OPENS_A_FORMULA
from orders.forms import opening, room
from orders.forms.filling import Cell, Table
from orders.forms.finding import Found, is_filled

_NO_NAME = re.compile(r"[^\w.·-]+")


def write(content: bytes, found: Found, table: Table, origin: str, mark: str) -> bytes:
    """The workbook as bytes. `origin` goes into its description, `mark` (of invented data) below all that it holds."""
    book = opening.opened(content)
    sheet = book[found.sheet]
    last = max((row for row, _column in sheet._cells), default=0)
    _clear_formulas(sheet, found)
    _part_merged(sheet, found)
    looks, height = _looks(sheet, found)
    joined = [one for one in sheet.merged_cells.ranges if one.min_row == found.first and found.room]
    more = len(table.rows) - found.room if found.room >= 0 else 0
    total = found.total
    if more > 0:
        room.make(sheet, found.first + found.room, more)
        total += more if total >= found.first else 0
    for number, cells in enumerate(table.rows):
        row = found.first + number
        if number >= found.room >= 0 or not _is_drawn(sheet, row, looks):
            _draw(sheet, row, looks, height)
            for one in joined if number else ():
                sheet.merge_cells(None, row, one.min_col, row, one.max_col)
        for (column, _words), cell in zip(found.headings, cells, strict=True):
            _put(sheet, row, column, cell)
    for (column, _words), cell in zip(found.headings, table.totals, strict=True):
        if total and cell.value is not None:
            _put(sheet, total, column, cell)
    if mark:
        sheet.cell(max(last + max(more, 0), found.first + len(table.rows)) + 2, 1, mark)
    book.properties.description = origin
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _clear_formulas(sheet: Any, found: Found) -> None:
    """A filled form holds values only: a formula over rows that have moved would tell something else."""
    for (row, _column), cell in sheet._cells.items():
        if cell.data_type == "f" and is_filled(found, row):
            cell.value = None


def _part_merged(sheet: Any, found: Found) -> None:
    """Cells of several empty rows in one would hold back values."""
    for one in list(sheet.merged_cells.ranges):
        if one.max_row > one.min_row and one.max_row >= found.first and is_filled(found, one.max_row):
            sheet.unmerge_cells(one.coord)


def _looks(sheet: Any, found: Found) -> tuple[dict[int, Any], float | None]:
    """How the first empty row looks, by column, where there is none as the total does; and how high it is."""
    row = found.first if found.room else found.total
    looks = {column: copy(cell._style) for (at, column), cell in sheet._cells.items() if at == row and cell.has_style}
    return looks, sheet.row_dimensions[row].height if row in sheet.row_dimensions else None


def _is_drawn(sheet: Any, row: int, looks: dict[int, Any]) -> bool:
    return not looks or any((row, column) in sheet._cells and sheet._cells[row, column].has_style for column in looks)


def _draw(sheet: Any, row: int, looks: dict[int, Any], height: float | None) -> None:
    for column, look in looks.items():
        sheet.cell(row, column)._style = copy(look)
    if height is not None:
        sheet.row_dimensions[row].height = height


def _put(sheet: Any, row: int, column: int, cell: Cell) -> None:
    """A value; text stays text whatever it begins with, and numbers are shown as the form shows them."""
    target = sheet.cell(row, column)
    if isinstance(target, MergedCell):
        return
    if isinstance(cell.value, str):
        target.value = ILLEGAL_CHARACTERS_RE.sub("", cell.value)[:MAX_CELL]
        target.data_type = "s"
        if cell.shown == "@" or cell.value.startswith(OPENS_A_FORMULA):
            target.number_format = "@"
        return
    target.value = cell.value
    if cell.value is not None and target.number_format == "General":
        target.number_format = cell.shown


def name_of(form: str, period: str, demo: bool) -> str:
    """What the file is called on its reader's disk, without its ending.

    >>> name_of("附件2/脱贫村 月报", "2026-10", False)
    '附件2_脱贫村_月报-2026-10'
    """
    return "-".join(filter(None, (_NO_NAME.sub("_", form)[:60], _NO_NAME.sub("_", period), "demo" if demo else "")))
