"""Spreadsheets in: CSV (UTF-8 with or without BOM, GB18030) and XLSX, read row by row within fixed limits.

What a file says about itself (sizes, dimensions, counts) is never believed; each row passes the same schema as a form.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from marshmallow import Schema, ValidationError
from openpyxl.packaging.relationship import get_rels_path
from openpyxl.reader.excel import ExcelReader, _find_workbook_part
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import ARC_CONTENT_TYPES, ARC_STYLE, SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from market.errors import N_, MarketError
from market.sheets import unguarded

MAX_BYTES = 8 * 1024 * 1024
MAX_UNPACKED = 32 * 1024 * 1024
MAX_ENTRIES = 500
MAX_ROWS = 5000
MAX_COLUMNS = 60
MAX_EMPTY_ROWS = 20_000  # a sheet may be formatted far below its last row
MAX_CELLS = 100_000  # 5,000 rows of 20; the widest table that we take has 17
MAX_TAGS = 260_000  # a cell with its text in it is three
MAX_VALUES = 1_000_000  # of attributes
MAX_TAGS_AROUND = 30_000  # in each of the parts that say what the workbook is made of, and its styles
MAX_LINE = 200_000  # characters of one line of a CSV; a cell holds 32,767
MAX_LINES_OF_A_ROW = 2_000  # a description may have many
CHUNK = 128 * 1024

XLSX_BEGINS = b"PK\x03\x04"
OLD_XLS_BEGINS = b"\xd0\xcf\x11\xe0"
STEP = 250  # rows between two tellings
_MAY_BE_XML = (b"<", b"\0", b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
_HEAD = 1000  # bytes in which a part must have said its encoding
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"'>]+)""")
_PLAIN_XML = {b"utf-8", b"us-ascii", b"ascii"}
_ROWS, _CELLS, _TEXTS = (re.compile(rb"<(?:[^\s<>/:]*:)?" + tag + rb"[\s/>]") for tag in (b"row", b"c", b"si"))
_TEXT, _RUN, _ITEM, _INLINE = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("t", "r", "si", "is"))


class SheetRefused(MarketError):
    """The file as a whole cannot be read; nothing of it has been taken."""

    status = 422
    code = "sheet"
    text = N_("This file cannot be read as a table. Save it as XLSX or CSV and send it again.")


class OldWorkbook(SheetRefused):
    code = "old_workbook"
    text = N_("This is a workbook of the old kind (.xls). Save it as XLSX and send it again.")


class SheetTooLarge(SheetRefused):
    code = "sheet_too_large"
    text = N_("This table is too large: at most %(rows)s rows and %(megabytes)s MB.")


class HeadingsMissing(SheetRefused):
    code = "headings_missing"
    text = N_("The first row must hold these headings, each once: %(headings)s.")


class Formula(str):
    """A cell that computes something: what it shows may be anything, so it is not taken."""

    __slots__ = ()
    refusal = N_("This cell holds a formula. Put its value there instead.")


@dataclass(frozen=True)
class RowError:
    """What is wrong in one row; `number` counts as the spreadsheet does, the headings being row 1."""

    number: int
    field: str
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """Rows that passed the schema, by their number, and what was wrong with the others."""

    loaded: Mapping[int, Mapping[str, Any]]
    errors: Sequence[RowError]
    total: int
    left_out: int  # rows that `prepare` set aside
    fields: frozenset[str]  # whose column the table has


Prepare = Callable[[dict[str, str]], Mapping[str, str] | None]
Tell = Callable[[int, int], None]


def read(content: bytes, schema: Schema, headings: Mapping[str, Sequence[str]], most_rows: int = MAX_ROWS, *,
         optional: Collection[str] = (), prepare: Prepare = lambda source: source,
         tell: Tell = lambda done, of: None) -> Rows:
    """Read a table of at most `most_rows` rows; `headings` names for each field what its column may be called.

    Every row is looked at before any is used. prepare(cells by field) says a row as the schema wants it, None leaves
    it out; tell(rows done, of how many) is called as it goes. Raises SheetRefused, SheetTooLarge, HeadingsMissing.
    """
    rows = rows_of(content, most_rows)
    columns = _columns(next(rows, (1, []))[1], headings, optional)
    kept = [(number, [cells[at] if at < len(cells) else "" for at in columns.values()]) for number, cells in rows]
    loaded: dict[int, Mapping[str, Any]] = {}
    errors: list[RowError] = []
    left_out = 0
    for done, (number, cells) in enumerate(kept):
        if done % STEP == 0:
            tell(done, len(kept))
        source = prepare(dict(zip(columns, cells, strict=True)))
        if source is None:
            left_out += 1
            continue
        values, found = _load(schema, source)
        errors += [RowError(number, name, tuple(map(str, messages))) for name, messages in found.items()]
        if not found:
            loaded[number] = values
    tell(len(kept), len(kept))
    return Rows(loaded, errors, len(kept), left_out, frozenset(columns))


def _load(schema: Schema, source: Mapping[str, str]) -> tuple[Mapping[str, Any], Mapping[str, Sequence[str]]]:
    """A row's values and what is wrong with it, by field in the order of the columns."""
    formulas = {name: [Formula.refusal] for name, cell in source.items() if isinstance(cell, Formula)}
    try:
        values = schema.load(source)
    except ValidationError as error:
        found = {**error.messages_dict, **formulas}
        order = [*source, *sorted(set(found) - set(source))]
        return {}, {name: found[name] for name in order if name in found}
    return values, formulas


def rows_of(content: bytes, most_rows: int = MAX_ROWS, *, titled: bool = False) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows of a table that hold anything, with their numbers; the first one holds the headings.

    In a `titled` one lines of any kind stand above the headings; they do not tell what parts the cells of a CSV.
    """
    if len(content) > MAX_BYTES:
        raise _too_large(most_rows)
    if content.startswith(OLD_XLS_BEGINS):
        raise OldWorkbook()
    return _numbered(_xlsx(content) if content.startswith(XLSX_BEGINS) else _csv(content, titled), most_rows)


def _numbered(rows: Iterable[Sequence[str]], most_rows: int) -> Iterator[tuple[int, Sequence[str]]]:
    for number, cells in enumerate(rows, 1):
        holds = any(cells)
        if number > most_rows + 1 and (holds or number > most_rows + MAX_EMPTY_ROWS):
            raise _too_large(most_rows)
        if holds:
            yield number, cells


def _columns(first: Sequence[str], headings: Mapping[str, Sequence[str]], optional: Collection[str]) -> dict[str, int]:
    """Where each field's column stands; an optional one may be missing."""
    said = [" ".join(cell.split()).lower() for cell in first]
    places: dict[str, list[int]] = {
        field: [at for at, cell in enumerate(said) if cell in {name.lower() for name in names}]
        for field, names in headings.items()}
    wrong = [field for field, found in places.items() if len(found) > 1 or (not found and field not in optional)]
    if wrong:
        raise HeadingsMissing(headings="、".join("/".join(headings[field]) for field in wrong))
    return {field: found[0] for field, found in places.items() if found}


def _too_large(most_rows: int) -> SheetTooLarge:
    return SheetTooLarge(rows=most_rows, megabytes=MAX_BYTES // (1024 * 1024))


# ---- CSV ------------------------------------------------------------------------------------------------------------


def _csv(content: bytes, titled: bool) -> Iterator[list[str]]:
    if b"\0" in content:  # UTF-16, or no text at all
        raise SheetRefused()
    text = _decoded(content)
    lines = _Lines(text)
    first = text[:MAX_LINE] if titled else text[:MAX_LINE].partition("\n")[0]
    reader = csv.reader(lines, delimiter=max(",;\t", key=first.count))
    try:
        for row in reader:
            lines.of_this_row = 0
            yield [unguarded(cell.strip()) for cell in row[:MAX_COLUMNS]]
    except csv.Error as error:
        raise SheetRefused() from error


class _Lines:
    """The lines of a text for the CSV reader; a line or a row without an end is refused before it is kept."""

    def __init__(self, text: str) -> None:
        self.text, self.of_this_row = io.StringIO(text, newline=""), 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.text.readline(MAX_LINE + 1)
        self.of_this_row += 1
        if len(line) > MAX_LINE or self.of_this_row > MAX_LINES_OF_A_ROW:
            raise SheetRefused()
        if not line:
            raise StopIteration
        return line


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetRefused()


# ---- XLSX -----------------------------------------------------------------------------------------------------------


def _xlsx(content: bytes) -> Iterator[list[str]]:
    """The first sheet, row by row, never unpacked to the disk. openpyxl reads XML by defusedxml: no entities."""
    try:
        for row in _first_sheet(content, check_packed(content)):
            yield [Formula("=") if cell["data_type"] == "f" else _as_typed(cell["value"]) for cell in row]
    except SheetRefused:
        raise
    except Exception as error:  # broken archives and XML fail in as many ways as there are parsers
        raise SheetRefused() from error


def _first_sheet(content: bytes, tags: Mapping[str, int]) -> Iterator[list[dict[str, Any]]]:
    """Its rows, and nothing else of the workbook but its texts and which cells are dates.

    openpyxl as a whole would also read every further sheet, one as often as it is named, and what lies around the
    cells; `tags` says how many there are in each part.
    """
    book = ExcelReader(io.BytesIO(content), read_only=True, keep_links=False)
    _check_around(tags, ARC_CONTENT_TYPES, ARC_STYLE)
    book.read_manifest()
    main = _find_workbook_part(book.package).PartName[1:]
    _check_around(tags, main, get_rels_path(main))
    book.read_workbook()
    apply_stylesheet(book.archive, book.wb)
    texts = book.package.find(SHARED_STRINGS)
    strings = _texts(book, texts.PartName[1:]) if texts else []
    first = next(part.target for _sheet, part in book.parser.find_sheets()
                 if part.target in book.valid_files and "chartsheet" not in part.Type)
    with book.archive.open(first) as part:
        yield from _Cells(part, strings, epoch=book.wb.epoch, date_formats=book.wb._date_formats,
                          timedelta_formats=book.wb._timedelta_formats).whole_rows()


def _check_around(tags: Mapping[str, int], *names: str) -> None:
    if any(tags.get(name, 0) > MAX_TAGS_AROUND for name in names):
        raise _too_large(MAX_ROWS)


def _texts(book: Any, name: str) -> list[str]:
    found = []
    with book.archive.open(name) as part:
        for _event, element in iterparse(part):
            if element.tag == _ITEM:
                found.append(_text(element))
                element.clear()
    return found


def _text(element: Element) -> str:
    """What a text says: plain, or in pieces of several looks; how it is pronounced is left out."""
    return "".join(piece.findtext(_TEXT) or "" for piece in (element, *element.findall(_RUN)))


class _Cells(WorkSheetParser):  # type: ignore[misc]
    """The cells of a sheet; what they compute is not looked at, nor what stands beside the rows."""

    def whole_rows(self) -> Iterator[list[dict[str, Any]]]:
        """Rows from the first on, the ones that are left out too, each with all its columns."""
        nothing = {"value": None, "data_type": "n"}
        following = 1
        for number, cells in self.parse():
            for _missing in range(following, number):
                yield []
            if number >= following:
                by_column = {cell["column"]: cell for cell in cells}
                yield [by_column.get(at, nothing) for at in range(1, min(max(by_column, default=0), MAX_COLUMNS) + 1)]
            following = max(following, number + 1)

    def parse(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        for _event, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                yield self.parse_row(element)
                element.clear()
            elif element.tag == DATA_TAG:
                return

    def parse_formula(self, element: Element) -> str:
        return "="


def check_packed(content: bytes) -> Mapping[str, int]:
    """How many tags each part of an XLSX has. Raises SheetTooLarge.

    A small file may unpack to a huge one; zipfile never reads more than is declared.
    """
    if content.count(b"PK\x01\x02") > MAX_ENTRIES:  # before zipfile keeps a record of each
        raise _too_large(MAX_ROWS)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        entries = packed.infolist()
        if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
            raise _too_large(MAX_ROWS)
        return {entry.filename: _check_part(packed, entry) for entry in entries}


def _check_part(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Counting costs a hundredth of parsing: too many rows, cells or texts, or one endless text, are not parsed.

    Any part may be named as the sheet, whatever it is called; only what does not begin as XML is never parsed.
    """
    rows = cells = strings = tags = values = 0
    with packed.open(entry) as part:
        chunk = part.read(CHUNK)
        begins = chunk.lstrip()
        if begins and not begins.startswith(_MAY_BE_XML):
            return 0
        _check_encoding(chunk[:_HEAD])
        while chunk:
            found = chunk.count(b"<") - chunk.count(b"</")
            tags, values = tags + found, values + chunk.count(b"=")
            rows, cells, strings = (count + len(tag.findall(chunk)) for count, tag in
                                    ((rows, _ROWS), (cells, _CELLS), (strings, _TEXTS)))
            if (rows > MAX_ROWS + MAX_EMPTY_ROWS or max(cells, strings) > MAX_CELLS or tags > MAX_TAGS
                    or values > MAX_VALUES or (len(chunk) == CHUNK and b"<" not in chunk)):
                raise _too_large(MAX_ROWS)
            chunk = part.read(CHUNK)
    return tags


def _check_encoding(head: bytes) -> None:
    """In another encoding the counting would see nothing."""
    declared = _ENCODING.search(head.partition(b"?>")[0])
    if (b"\0" in head or head.startswith((b"\xfe\xff", b"\xff\xfe"))
            or (b"<?xml" in head[:10] and b"?>" not in head)
            or (b"<?xml" in head[:10] and declared is not None and declared[1].lower() not in _PLAIN_XML)):
        raise SheetRefused()


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
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("x005F_", "").replace("_x000D_\n", "\n").strip()  # how XLSX writes _x0041_ and a return
