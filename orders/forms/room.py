"""More rows than the empty form has: what stands below moves down, and keeps its look, its merged cells, its rules."""

from copy import copy
from typing import Any

from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.worksheet.cell_range import CellRange, MultiCellRange


def make(sheet: Any, at: int, by: int) -> None:
    """Move all from row `at` on down by so many rows; ranges that end just above or reach beyond become longer."""
    for row, column in sorted((place for place in sheet._cells if place[0] >= at), reverse=True):
        cell = sheet._cells.pop((row, column))
        cell.row = row + by
        sheet._cells[row + by, column] = cell
        if getattr(cell, "hyperlink", None) is not None:
            cell.hyperlink.ref = cell.coordinate
    _move_merged(sheet, at, by)
    for row in sorted((row for row in sheet.row_dimensions if row >= at), reverse=True):
        dimension = sheet.row_dimensions.pop(row)
        dimension.index = row + by
        sheet.row_dimensions[row + by] = dimension
    _move_rules(sheet, at, by)
    for broken in sheet.row_breaks.brk:
        broken.id += by if broken.id >= at else 0
    for picture in sheet._images:
        for mark in ("_from", "to"):
            anchor = getattr(picture.anchor, mark, None)
            if anchor is not None and anchor.row >= at - 1:
                anchor.row += by


def _move_merged(sheet: Any, at: int, by: int) -> None:
    ranges = list(sheet.merged_cells.ranges)
    for one in ranges:
        if one.min_row >= at:
            one.shift(row_shift=by)
    sheet.merged_cells.ranges = set(ranges)


def _move_rules(sheet: Any, at: int, by: int) -> None:
    """Validation, coloured conditions, the filter and the area that is printed."""
    for rule in sheet.data_validations.dataValidation:
        rule.sqref = MultiCellRange([_moved(one, at, by) for one in rule.sqref.ranges])
    rules = ConditionalFormattingList()
    for condition in sheet.conditional_formatting:
        place = " ".join(_moved(one, at, by).coord for one in condition.sqref.ranges)
        for rule in condition.rules:
            rules.add(place, rule)
    sheet.conditional_formatting = rules
    if sheet.auto_filter.ref:
        sheet.auto_filter.ref = _moved(CellRange(sheet.auto_filter.ref), at, by).coord
    for made in sheet.tables.values():
        made.ref = _moved(CellRange(made.ref), at, by).coord
    if sheet.print_area:
        sheet.print_area = ",".join(
            _moved(CellRange(one.rpartition("!")[2].replace("$", "")), at, by).coord
            for one in str(sheet.print_area).split(","))


def _moved(one: CellRange, at: int, by: int) -> CellRange:
    moved = copy(one)
    if one.min_row >= at:
        moved.shift(row_shift=by)
    elif one.max_row >= at - 1 and one.max_row > one.min_row:
        moved.expand(down=by)
    return moved
