"""The form in a workbook: its sheet, its headings (also in two rows, under merged cells), its rows and its total."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from market.errors import N_
from market.sheet_input import MAX_COLUMNS, SheetRefused

DEEPEST = 40  # rows in which the headings must begin
MAX_ROWS = 1_000  # looked at
LONGEST = 40  # characters of a heading
BETWEEN = " / "  # the parts of a heading that stands in two rows
Span = tuple[int, int, int, int]

_TOTAL = re.compile(r"(合计|总计|共计|小计|总和|total|sum)", re.IGNORECASE)
_ORDINAL = re.compile(r"[甲乙丙丁戊己庚辛壬癸]|[A-Z]|[0-9]{1,2}|[①-⑳]|[(（][0-9]{1,2}[)）]|栏次|[—-]")
_NUMBER = re.compile(r"[-+0-9.,%]+")
_FILLER = re.compile(r"[0-9]{1,4}|[.…]+|、")
_UNIT = re.compile(r"单位\s*[:：]\s*(万元|元|吨|公斤|千克|kg|斤)", re.IGNORECASE)


class NoHeadings(SheetRefused):
    code = "no_headings"
    text = N_("No row of headings was found: at least two cells with words beside each other, among the first "
              "%(rows)s rows of a sheet.")


class FormComputes(SheetRefused):
    code = "form_computes"
    text = N_("Cell %(cell)s of sheet %(sheet)s holds a formula. Only the rows to be filled and the total may hold "
              "one; they get values. Put a value there and send the form again.")


@dataclass(frozen=True)
class Found:
    """Rows count from 1. `room`: empty rows from `first` on before something else follows, -1 where nothing does.

    `total` is the row of totals, 0 without one; it may stand above the rows. `headings` are (column, words). `unit` is
    what is written above the headings as the unit of the whole sheet.
    """

    sheet: str
    top: int
    first: int
    room: int
    total: int
    headings: tuple[tuple[int, str], ...]
    title: str
    unit: str

    @property
    def words(self) -> list[str]:
        return [words for _column, words in self.headings]


def found_of(kept: dict[str, Any]) -> Found:
    """As it was kept with a version."""
    return Found(**{**kept, "headings": tuple((column, words) for column, words in kept["headings"])})


def find(book: Any) -> Found:
    """The first visible sheet with headings. Raises NoHeadings and FormComputes."""
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible" and (found := _Grid(sheet).find()) is not None:
            _check_formulas(book, found)
            return found
    raise NoHeadings(rows=DEEPEST)


def _check_formulas(book: Any, found: Found) -> None:
    for sheet in book.worksheets:
        for row, _column in sorted(sheet._cells):
            cell = sheet._cells[row, _column]
            if cell.data_type == "f" and not (sheet.title == found.sheet and is_filled(found, row)):
                raise FormComputes(cell=cell.coordinate, sheet=sheet.title)


def is_filled(found: Found, row: int) -> bool:
    """Whether a row of the empty form is to be filled, or holds the totals."""
    return row == found.total or (row >= found.first and (found.room < 0 or row < found.first + found.room))


def text_of(cell: Any) -> str:
    """What stands in a cell, in one line; nothing where it computes."""
    if cell.value is None or cell.data_type == "f":
        return ""
    return " ".join(str(cell.value).split())


class _Grid:
    """The texts of a sheet, and which cells are one."""

    def __init__(self, sheet: Any) -> None:
        self.sheet = sheet
        self.texts = {place: text for place, cell in sheet._cells.items()
                      if place[0] <= MAX_ROWS and place[1] <= MAX_COLUMNS and (text := text_of(cell))}
        self.spans: dict[tuple[int, int], Span] = {}
        for one in sheet.merged_cells.ranges:
            span = (one.min_row, one.min_col, min(one.max_row, MAX_ROWS), min(one.max_col, MAX_COLUMNS))
            for row in range(span[0], span[2] + 1):
                self.spans |= {(row, column): span for column in range(span[1], span[3] + 1)}
        self.last = max((row for row, _column in self.texts), default=0)

    def find(self) -> Found | None:
        top = next((row for row in range(1, min(self.last, DEEPEST) + 1) if self._begins(row)), 0)
        if not top:
            return None
        bottom = self._bottom(top)
        headings = tuple(self._headings(top, bottom))
        if len(headings) < 2:
            return None
        first = bottom + 1
        ordinals = self._row(first)
        if len(ordinals) >= 2 and all(_ORDINAL.fullmatch(text) for text in ordinals):
            first += 1
        total = first if self._is_total(first) else 0
        first += bool(total)
        below = next((row for row in range(first, self.last + 1) if not self._is_empty(row)), 0)
        if below and not total and self._is_total(below):
            total = below
        above = [self.texts[place] for place in sorted(self.texts) if place[0] < top]
        unit = next((match[1] for text in above if (match := _UNIT.search(text))), "")
        return Found(self.sheet.title, top, first, below - first if below else -1, total, headings,
                     next(iter(above), ""), unit)

    def _span(self, row: int, column: int) -> Span:
        return self.spans.get((row, column), (row, column, row, column))

    def _parts(self, row: int) -> dict[Span, str]:
        """What reads like headings in a row, by the cells that it covers."""
        spans = dict.fromkeys(self._span(row, column) for column in range(1, MAX_COLUMNS + 1))
        return {span: text for span in spans if (text := self.texts.get(span[:2], "")) and _reads_like_one(text)}

    def _begins(self, row: int) -> bool:
        parts = self._parts(row)
        return len(parts) >= 2 and sum(span[3] - span[1] + 1 for span in parts) >= 3

    def _bottom(self, top: int) -> int:
        """The last row of headings: as deep as merged cells reach, and below a wide one what divides it."""
        row = bottom = top
        while row <= bottom:
            parts = self._parts(row)
            bottom = max([bottom, *(span[2] for span in parts)])
            if row == bottom and any(self._is_divided(span) for span in parts):
                bottom += 1
            row += 1
        return bottom

    def _is_divided(self, span: Span) -> bool:
        inside = [part for part in self._parts(span[2] + 1) if span[1] <= part[1] and part[3] <= span[3]]
        return span[3] > span[1] and bool(inside)

    def _headings(self, top: int, bottom: int) -> Iterator[tuple[int, str]]:
        for column in range(1, MAX_COLUMNS + 1):
            if self._span(bottom, column)[1] != column:
                continue
            spans = dict.fromkeys(self._span(row, column) for row in range(top, bottom + 1))
            words = [text for span in spans if (text := self.texts.get(span[:2], ""))]
            if words:
                yield column, BETWEEN.join(words)[:200]

    def _row(self, row: int) -> list[str]:
        return [self.texts[row, column] for column in range(1, MAX_COLUMNS + 1) if (row, column) in self.texts]

    def _is_total(self, row: int) -> bool:
        return any(_TOTAL.fullmatch(text.replace(" ", "").rstrip(":：")) for text in self._row(row))

    def _is_empty(self, row: int) -> bool:
        """Nothing, or a number that was typed ahead, or dots."""
        texts = self._row(row)
        return not texts or (len(texts) == 1 and bool(_FILLER.fullmatch(texts[0]))) or (
            all(set(text) <= set(".…") for text in texts))


def _reads_like_one(text: str) -> bool:
    return (len(text) <= LONGEST and not _NUMBER.fullmatch(text) and not set(text) & set("：:。")
            and not text.startswith(("注", "说明")))
