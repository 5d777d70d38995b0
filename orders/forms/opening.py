"""A workbook that somebody uploads as a form, opened whole and within limits. What it says of itself is not believed.

openpyxl keeps styles, widths, notes and merged cells, but makes a cell for every place that a merged range, a link or
a comment names: these are counted before it is let in. Macros, and what else runs or is embedded, are refused.
"""

import io
import warnings
import zipfile
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils import range_boundaries
from openpyxl.xml.functions import iterparse

from market import sheet_input
from market.errors import N_
from market.sheet_input import OLD_XLS_BEGINS, XLSX_BEGINS, SheetRefused

MAX_BYTES = 2 * 1024 * 1024  # an empty form has some ten thousand
MAX_TAGS = 150_000  # in all parts together
MAX_SHEETS = 20
MAX_COVERED = 60_000  # cells of merged ranges, links and comments together
LAST_ROW = 100_000  # what stands below is pushed down when a form is filled
COVERS = ("mergeCell", "hyperlink", "comment")
RUNS = ("vbaproject", "macrosheets/", "activex/", "embeddings/", "dialogsheets/", "ctrlprops/")
PICTURES = ("png", "jpeg", "gif")  # written back as they came


class FormTooLarge(SheetRefused):
    code = "form_too_large"
    text = N_("An empty form is small: at most %(megabytes)s MB, %(sheets)s sheets and no huge merged cells.")


class FormRuns(SheetRefused):
    code = "form_runs"
    text = N_("This workbook holds macros or embedded objects. Save it as XLSX without them and send it again.")


class NoWorkbook(SheetRefused):
    code = "no_workbook"
    text = N_("A form is an XLSX workbook. Save it as XLSX and send it again.")


class Locked(SheetRefused):
    code = "workbook_locked"
    text = N_("This workbook is of the old kind (.xls) or locked by a password. Save it as XLSX without one and send "
              "it again.")


def opened(content: bytes) -> Any:
    """The workbook. Raises SheetRefused: FormTooLarge, FormRuns, NoWorkbook, Locked."""
    if len(content) > MAX_BYTES:
        raise _too_large()
    if content.startswith(OLD_XLS_BEGINS):
        raise Locked()
    if not content.startswith(XLSX_BEGINS):
        raise NoWorkbook()
    try:
        _check(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it does not keep
            book = openpyxl.load_workbook(io.BytesIO(content), rich_text=True, keep_links=False)
    except SheetRefused:
        raise
    except Exception as error:  # broken archives and XML fail in as many ways as there are parsers
        raise NoWorkbook() from error
    for sheet in book.worksheets:
        if sheet.max_row > LAST_ROW:
            raise _too_large()
        sheet._images = [picture for picture in sheet._images if picture.format in PICTURES]
    return book


def _check(content: bytes) -> None:
    if sum(sheet_input.check_packed(content).values()) > MAX_TAGS:
        raise _too_large()
    covered = sheets = 0
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for entry in packed.infolist():
            if any(word in entry.filename.lower() for word in RUNS):
                raise FormRuns()
            if entry.filename == "[Content_Types].xml" and b"macroenabled" in packed.read(entry).lower():
                raise FormRuns()
            found = _counted(packed, entry)
            covered, sheets = covered + found[0], sheets + found[1]
            if covered > MAX_COVERED or sheets > MAX_SHEETS:
                raise _too_large()


def _counted(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Cells that merged ranges, links and comments of a part cover, and sheets that it names."""
    covered = sheets = 0
    with packed.open(entry) as part:
        if not part.read(200).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return 0, 0
        part.seek(0)
        try:
            for _event, element in iterparse(part):
                name = element.tag.rpartition("}")[2]
                sheets += name == "sheet"
                if name in COVERS:
                    covered += _size(element.get("ref", "A1"))
                element.clear()
        except ParseError:  # old drawings are no XML; a sheet that is none is not read either
            pass
    return covered, sheets


def _size(reference: str) -> int:
    first_column, first_row, last_column, last_row = range_boundaries(reference)
    if None in (first_column, first_row, last_column, last_row):  # whole rows or columns
        return MAX_COVERED + 1
    return int((last_column - first_column + 1) * (last_row - first_row + 1))


def _too_large() -> FormTooLarge:
    return FormTooLarge(megabytes=MAX_BYTES // (1024 * 1024), sheets=MAX_SHEETS)
