"""Spreadsheets out: CSV and XLSX, through one writer for every list the product gives. In: market/sheet_input.py.

Ids and codes stay text, no cell begins a formula, the first three bytes of a CSV are the mark Excel needs.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from market import money
from market.errors import N_, Conflict

KINDS = ("text", "code", "fen", "grams", "count", "percent")
UNITS = {"fen": N_("yuan"), "grams": N_("kg")}

MAX_CELL = 32_767  # what a cell of XLSX holds
MOST_LINES = 1_048_576
BOM = b"\xef\xbb\xbf"
OPENS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class SheetFull(Conflict):
    """More rows than a sheet of XLSX holds."""

    code = "sheet_full"
    text = N_("A sheet of XLSX holds 1,048,576 rows, and this would be more. Please take CSV.")


@dataclass(frozen=True)
class Heading:
    """A column: what stands over it and what its cells are, one of KINDS (fen, grams and basis points as integers)."""

    text: str
    kind: str


@dataclass(frozen=True)
class Table:
    """What is written. `above` says what this is (title first), `below` explains; rows hold integers, text or None.

    `made_at` is written into a workbook.
    """

    headings: Sequence[Heading]
    rows: Sequence[Sequence[Any]]
    totals: Sequence[Any] | None = None
    above: Sequence[str] = ()
    below: Sequence[str] = ()
    made_at: datetime | None = None


def plain(kind: str, value: Any) -> str:
    """A cell as bare text: yuan, kilograms and percent with a point, no thousands marks; '' for what is not known.

    >>> plain("fen", 123456), plain("grams", 2500), plain("percent", 6545), plain("count", None), plain("fen", "hidden")
    ('1234.56', '2.5', '65.5%', '', 'hidden')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    shown = {"fen": money.plain_yuan, "grams": money.plain_decimal, "percent": money.percent}.get(kind, str)
    return shown(value)


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula; unguarded() brings the very same text back.

    >>> guarded("=1+1"), guarded("白菜"), guarded("'=1")
    ("'=1+1", '白菜', "''=1")
    """
    return "'" + text if text.lstrip("'").startswith(OPENS_A_FORMULA) else text


def unguarded(text: str) -> str:
    """A cell of a CSV as it was before guarded().

    >>> unguarded("'=1+1"), unguarded("'twas"), unguarded("''=1")
    ('=1+1', "'twas", "'=1")
    """
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(OPENS_A_FORMULA) else text


def write_csv(table: Table) -> bytes:
    """UTF-8 with BOM and CRLF. Text is quoted and guarded, numbers stand bare; explanations follow below the rows."""
    target = io.BytesIO()
    stream_csv(table, target)
    return target.getvalue()


def stream_csv(table: Table, target: IO[bytes], rows: Iterable[Sequence[Any]] | None = None) -> None:
    """The same into an open file, row by row; `rows` that are nowhere in memory take the place of the table's."""
    target.write(BOM)
    for record in _records(table, table.rows if rows is None else rows):
        target.write((record + "\r\n").encode())


def _records(table: Table, rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield ",".join(_csv_line("text", heading.text) for heading in table.headings)
    for row in rows:
        yield _csv_row(table.headings, row)
    if table.totals:
        yield _csv_row(table.headings, table.totals)
    if table.above:
        yield ""
        yield from (_csv_line("text", note) for note in (*table.above, *table.below))


def _csv_row(headings: Sequence[Heading], row: Sequence[Any]) -> str:
    return ",".join(_csv_line(h.kind, value) for h, value in zip(headings, row, strict=True))


def _csv_line(kind: str, value: Any) -> str:
    """Quotes tell text from numbers: a code such as 431125100201 is text."""
    text = plain(kind, value)
    if not isinstance(value, str):
        return text
    return '"' + guarded(text).replace('"', '""') + '"'


NUMBER_FORMATS = {"fen": "#,##0.00", "grams": "#,##0.000", "count": "#,##0", "percent": "0.0%"}


SAMPLE = 200  # rows from which the widths of columns are taken
SINCE_EVER = datetime(2020, 1, 1, tzinfo=UTC)  # in workbooks that name no moment, so that like tables are like files


def write_xlsx(table: Table) -> bytes:
    """A workbook; text cells are text whatever they hold."""
    target = io.BytesIO()
    stream_xlsx(table, target)
    return target.getvalue()


def stream_xlsx(table: Table, target: IO[bytes], rows: Iterable[Sequence[Any]] | None = None,
                folder: Path | None = None) -> None:
    """The same into an open file, row by row: memory does not grow with the table. Alike tables give alike bytes.

    Rows wait in a file in `folder` (else the system's) until all are known. `rows` that are nowhere in memory take the
    place of the table's. Raises SheetFull.
    """
    book = xlsxwriter.Workbook(target, {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "tmpdir": str(folder) if folder else None})
    book.set_properties({"created": (table.made_at or SINCE_EVER).astimezone(UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet()
    formats = {kind: book.add_format({"num_format": pattern}) for kind, pattern in NUMBER_FORMATS.items()}
    sums = {kind: book.add_format({"num_format": pattern, "bold": True, "top": 6})
            for kind, pattern in NUMBER_FORMATS.items()}
    bold, head = book.add_format({"bold": True}), book.add_format({"bold": True, "text_wrap": True, "bottom": 2,
                                                                  "valign": "vcenter"})
    found = iter(table.rows if rows is None else rows)
    sample = list(islice(found, SAMPLE))
    for at, heading in enumerate(table.headings):
        sheet.set_column(at, at, _width(heading, [row[at] for row in sample]))
    for number, note in enumerate(table.above):
        sheet.write_string(number, 0, note[:MAX_CELL], bold if number == 0 else None)
    last = len(table.above)
    for at, heading in enumerate(table.headings):
        sheet.write_string(last, at, heading.text, head)
    sheet.freeze_panes(last + 1, 0)
    for row in chain(sample, found):
        last += 1
        if last + len(table.below) + 3 > MOST_LINES:  # the writer would leave out what lies below in silence
            raise SheetFull()
        _write_row(sheet, last, table.headings, row, formats, None)
    if table.totals:
        _write_row(sheet, last + 1, table.headings, table.totals, sums, bold)
    for number, note in enumerate(table.below, last + 3):
        sheet.write_string(number, 0, note[:MAX_CELL])
    book.close()


def _write_row(sheet: Any, number: int, headings: Sequence[Heading], row: Sequence[Any], formats: Mapping[str, Any],
               text_format: Any) -> None:
    for at, (heading, value) in enumerate(zip(headings, row, strict=True)):
        if isinstance(value, str):
            sheet.write_string(number, at, value[:MAX_CELL], text_format)
        elif value is not None:
            sheet.write_number(number, at, _cell_number(heading.kind, value), formats[heading.kind])


def _cell_number(kind: str, value: int) -> float:
    """Yuan, kilograms and shares of one, as a spreadsheet counts."""
    if kind == "percent":
        return float(Decimal(value).scaleb(-4))
    return float(plain(kind, value))


def _width(heading: Heading, values: Sequence[Any]) -> int:
    """Wide enough for its cells; a Chinese character is as wide as two digits."""
    def wide(text: str) -> int:
        return sum(2 if ord(c) > 0x2E7F else 1 for c in text)

    longest = max((wide(plain(heading.kind, value)) for value in values), default=0)
    return min(40, max(10, longest + 3, (wide(heading.text) + 1) // 2 + 2))
