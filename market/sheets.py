"""Spreadsheets in and out: CSV and XLSX, through one reader and one writer for every list the product takes or gives.

In: UTF-8 with or without BOM, GB18030, XLSX; each row passes the same schema as a form, errors name row and field.
Out: ids and codes stay text, no cell begins a formula, the first three bytes of a CSV are the mark Excel needs.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import xlsxwriter
from marshmallow import Schema
from openpyxl.utils.exceptions import InvalidFileException

from market import money
from market.errors import N_, MarketError

KINDS = ("text", "code", "fen", "grams", "count", "percent")
UNITS = {"fen": N_("yuan"), "grams": N_("kg")}

MAX_BYTES = 8 * 1024 * 1024
MAX_UNPACKED = 64 * 1024 * 1024
MAX_ENTRIES = 500
MAX_ROWS = 5000
MAX_COLUMNS = 60
MAX_EMPTY_ROWS = 20_000  # a sheet may be formatted far below its last row
MAX_CELL = 32_767  # what a cell of XLSX holds

BOM = b"\xef\xbb\xbf"
XLSX_BEGINS = b"PK\x03\x04"
OPENS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class SheetRefused(MarketError):
    """The file as a whole cannot be read; nothing of it has been taken."""

    status = 422
    code = "sheet"
    text = N_("This file cannot be read as a table. Save it as XLSX or CSV and send it again.")


class SheetTooLarge(SheetRefused):
    code = "sheet_too_large"
    text = N_("This table is too large: at most %(rows)s rows and %(megabytes)s MB.")


class HeadingsMissing(SheetRefused):
    code = "headings_missing"
    text = N_("The first row must hold these headings, each once: %(headings)s.")


# ---- in -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowError:
    """What is wrong in one row; `number` counts as the spreadsheet does, the headings being row 1."""

    number: int
    heading: str
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """Rows that passed the schema, by their number, and what was wrong with the others."""

    loaded: Mapping[int, Mapping[str, Any]]
    errors: Sequence[RowError]


def read(content: bytes, schema: Schema, headings: Mapping[str, Sequence[str]], most_rows: int = MAX_ROWS) -> Rows:
    """Read a table of at most `most_rows` rows; `headings` names for each field what its column may be called.

    Every row is looked at before any is used. Raises SheetRefused, SheetTooLarge or HeadingsMissing.
    """
    if len(content) > MAX_BYTES:
        raise _too_large(most_rows)
    rows = _numbered(_xlsx(content) if content.startswith(XLSX_BEGINS) else _csv(content), most_rows)
    fields = _fields(next(rows, (1, []))[1], headings)
    loaded: dict[int, Mapping[str, Any]] = {}
    errors: list[RowError] = []
    for number, cells in rows:
        source = {name: cells[at] if at < len(cells) else "" for name, at in fields.items()}
        found = schema.validate(source)
        if found:
            errors += [RowError(number, headings[name][0] if name in headings else name, tuple(map(str, messages)))
                       for name, messages in sorted(found.items())]
        else:
            loaded[number] = dict(schema.load(source))
    return Rows(loaded, errors)


def _numbered(rows: Iterable[Sequence[str]], most_rows: int) -> Iterator[tuple[int, Sequence[str]]]:
    """Rows that hold anything, with their numbers."""
    for number, cells in enumerate(rows, 1):
        holds = any(cells)
        if number > most_rows + 1 and (holds or number > most_rows + MAX_EMPTY_ROWS):
            raise _too_large(most_rows)
        if holds:
            yield number, cells


def _fields(first: Sequence[str], headings: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Where each field's column stands."""
    places: dict[str, list[int]] = {
        name: [at for at, cell in enumerate(first) if cell in names] for name, names in headings.items()}
    if any(len(found) != 1 for found in places.values()):
        raise HeadingsMissing(headings="、".join(names[0] for names in headings.values()))
    return {name: found[0] for name, found in places.items()}


def _csv(content: bytes) -> Iterator[list[str]]:
    lines = csv.reader(io.StringIO(_decoded(content), newline=""))
    try:
        for row in lines:
            yield [cell.strip() for cell in row[:MAX_COLUMNS]]
    except csv.Error as error:
        raise SheetRefused() from error


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetRefused()


def _xlsx(content: bytes) -> Iterator[list[str]]:
    """The first sheet, row by row; what a cell says about itself (size, dimension) is never believed."""
    try:
        _check_unpacked(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for row in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True):
            yield [_as_typed(value) for value in row]
    except SheetRefused:
        raise
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, TypeError, AttributeError,
            SyntaxError, EOFError, OSError) as error:  # XML errors are SyntaxErrors
        raise SheetRefused() from error


def _check_unpacked(content: bytes) -> None:
    """A small file may unpack to a huge one; zipfile never reads more of an entry than its head declares."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        entries = packed.infolist()
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise _too_large(MAX_ROWS)


def _as_typed(value: Any) -> str:
    """A cell as somebody would type it into a form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _too_large(most_rows: int) -> SheetTooLarge:
    return SheetTooLarge(rows=most_rows, megabytes=MAX_BYTES // (1024 * 1024))


# ---- out ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heading:
    """A column: what stands over it and what its cells are, one of KINDS (fen, grams and basis points as integers)."""

    text: str
    kind: str


@dataclass(frozen=True)
class Table:
    """What is written. `above` says what this is (title first), `below` explains; rows hold integers, text or None."""

    headings: Sequence[Heading]
    rows: Sequence[Sequence[Any]]
    totals: Sequence[Any] | None = None
    above: Sequence[str] = ()
    below: Sequence[str] = ()


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
    """Text that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("白菜")
    ("'=1+1", '白菜')
    """
    return "'" + text if text.startswith(OPENS_A_FORMULA) else text


def write_csv(table: Table) -> bytes:
    """UTF-8 with BOM and CRLF. Text is quoted and guarded, numbers stand bare; explanations follow below the rows."""
    lines = [_csv_line("text", h.text) for h in table.headings]
    records = [",".join(lines)]
    records += [_csv_row(table.headings, row) for row in (*table.rows, *([table.totals] if table.totals else []))]
    records += ["", *(_csv_line("text", note) for note in (*table.above, *table.below))] if table.above else []
    return BOM + "".join(record + "\r\n" for record in records).encode()


def _csv_row(headings: Sequence[Heading], row: Sequence[Any]) -> str:
    return ",".join(_csv_line(h.kind, value) for h, value in zip(headings, row, strict=True))


def _csv_line(kind: str, value: Any) -> str:
    """Quotes tell text from numbers: a code such as 431125100201 is text."""
    text = plain(kind, value)
    if not isinstance(value, str):
        return text
    return '"' + guarded(text).replace('"', '""') + '"'


NUMBER_FORMATS = {"fen": "#,##0.00", "grams": "#,##0.000", "count": "#,##0", "percent": "0.0%"}


def write_xlsx(table: Table) -> bytes:
    """A workbook written row by row, so that its size does not matter; text cells are text whatever they hold."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "strings_to_formulas": False,
                                        "strings_to_urls": False, "strings_to_numbers": False})
    sheet = book.add_worksheet()
    formats = {kind: book.add_format({"num_format": pattern}) for kind, pattern in NUMBER_FORMATS.items()}
    sums = {kind: book.add_format({"num_format": pattern, "bold": True, "top": 6})
            for kind, pattern in NUMBER_FORMATS.items()}
    bold, head = book.add_format({"bold": True}), book.add_format({"bold": True, "text_wrap": True, "bottom": 2,
                                                                  "valign": "vcenter"})
    for at, heading in enumerate(table.headings):
        sheet.set_column(at, at, _width(heading, [row[at] for row in table.rows[:200]]))
    for number, note in enumerate(table.above):
        sheet.write_string(number, 0, note[:MAX_CELL], bold if number == 0 else None)
    first = len(table.above)
    for at, heading in enumerate(table.headings):
        sheet.write_string(first, at, heading.text, head)
    sheet.freeze_panes(first + 1, 0)
    for number, row in enumerate(table.rows, first + 1):
        _write_row(sheet, number, table.headings, row, formats, None)
    last = first + 1 + len(table.rows)
    if table.totals:
        _write_row(sheet, last, table.headings, table.totals, sums, bold)
    for number, note in enumerate(table.below, last + 2):
        sheet.write_string(number, 0, note[:MAX_CELL])
    book.close()
    return target.getvalue()


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
