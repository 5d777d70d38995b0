"""The rows of a report as a form wants them: the same rows as on its page, for the same reader, in the form's units."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import select

from market import db, money
from market.errors import N_, InvalidInput, MarketError
from market.i18n import gettext as _
from market.places import Division
from orders.forms.mapping import NUMBER, PERIOD, PLACE, TEXT, Line
from orders.reports import frame
from orders.reports.frame import Asked, Column, Content, Filled, Report
from orders.reports.readers import Area, Reader

MOST_ROWS = 5_000
Value = str | int | Decimal | None


class FormFull(MarketError):
    """More rows than a form takes."""

    status = 422
    code = "form_full"
    text = N_("A form takes at most %(most)s rows, and these would be more. Please choose fewer months or a smaller "
              "place.")


class ColumnsGone(MarketError):
    """The report has not these columns for this reader, or not in these months."""

    status = 422
    code = "columns_gone"
    text = N_("For these months the report does not bring what is mapped to these headings: %(headings)s.")


@dataclass(frozen=True)
class Cell:
    """A value, and how a number is shown where the form itself does not say."""

    value: Value
    shown: str = "General"


@dataclass(frozen=True)
class Table:
    """Cells in the order of the form's headings; `totals` hold None where the total row keeps its own."""

    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Cell]


def read(report: Report, asked: Asked, reader: Reader, demo: bool) -> Filled:
    """The report with all its rows, as its page is read. Raises what the report refuses, and FormFull at 'from'."""

    def all_rows(asked: Asked, area: Area, reader: Reader) -> Content:
        content = report.read(asked, area, reader)
        if report.rows_of is not None:
            content.rows = list(islice(report.rows_of(asked, area, reader), MOST_ROWS + 1))
            content.notes = []
        if len(content.rows) > MOST_ROWS:
            raise InvalidInput({"from": [FormFull(most=MOST_ROWS)]})
        return content

    return frame.fill(replace(report, read=all_rows), asked, reader, demo)


def table(filled: Filled, words: Sequence[str], lines: Sequence[Line], place: str) -> Table:
    """Cells of all rows and of the totals. Raises ColumnsGone at 'from'."""
    columns = {column.key: column for column in filled.content.columns}
    gone = [heading for heading, line in zip(words, lines, strict=True)
            if line.source and not line.source.startswith("=") and line.source not in columns]
    if gone:
        raise InvalidInput({"from": [ColumnsGone(headings="、".join(gone))]})
    own = {PERIOD: filled.period, PLACE: place}
    rows = [[_cell(line, columns, row.shown(line.source), number, own) for line in lines]
            for number, row in enumerate(filled.content.rows, 1)]
    totals = filled.content.totals
    return Table(rows, [
        converted(columns[line.source], line.unit, totals.shown(line.source))
        if line.source in columns and columns[line.source].is_number else Cell(None) for line in lines])


def _cell(line: Line, columns: dict[str, Column], value: Any, number: int, own: dict[str, str]) -> Cell:
    if line.source == NUMBER:
        return Cell(number)
    if line.source == TEXT:
        return Cell(line.text)
    if line.source in columns:
        return converted(columns[line.source], line.unit, value)
    return Cell(own.get(line.source))


def converted(column: Column, unit: str, value: Any) -> Cell:
    """A value of a report in a unit of the form. What is exact stays so; 万元 and tonnes are rounded once, here."""
    if value is None or isinstance(value, str):
        return Cell(value, "@" if column.kind == "code" else "General")
    if column.kind == "fen":
        return Cell(Decimal(money.wan(value) if unit == "wan" else value).scaleb(-2), "#,##0.00")
    if column.kind == "grams":
        thousandths = {"tonne": money.tonnes(value), "jin": value * 2}.get(unit, value)
        return Cell(Decimal(thousandths).scaleb(-3), "#,##0.###" if unit == "jin" else "#,##0.000")
    if column.kind == "percent":
        return (Cell(Decimal(value).scaleb(-2), "0.0") if unit == "points" else Cell(Decimal(value).scaleb(-4), "0.0%"))
    return Cell(int(value), "#,##0")


def place_of(filled: Filled, reader: Reader) -> str:
    """The name of the place that was chosen, else of all that the reader may see."""
    if filled.area:
        return filled.area
    where = reader.where
    ids = list(where.village_ids or [where.township_id or where.county_id or 0])
    paths = db.session().scalars(select(Division.path).where(Division.id.in_(ids)).order_by(Division.code)).all()
    return "；".join(paths) or db.session().scalar(
        select(Division.path).where(Division.level == "city").order_by(Division.id).limit(1)) or ""


def shown(cell: Cell) -> str:
    """A cell as a page shows it.

    >>> shown(Cell(Decimal("1234.50"))), shown(Cell(None)), shown(Cell("=1"))
    ('1,234.50', '', '=1')
    """
    if cell.value is None or isinstance(cell.value, str):
        return cell.value or ""
    if cell.shown == "0.0%":
        return f"{cell.value:.1%}"
    return f"{cell.value:,}"


def origin(filled: Filled) -> str:
    """Where the figures come from, for the workbook's own description."""
    return "; ".join([filled.title, *filled.notes, *([_(frame.DEMO_MARK)] if filled.demo else [])])
