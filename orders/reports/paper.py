"""A report as PDF: A4 across, its rows on as many sheets side by side as its columns need."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Response

from market import sheets, typeset
from market.errors import N_, Conflict
from market.i18n import gettext as _
from orders.reports.declared import Column, Filled
from orders.reports.frame import DEMO_MARK, heading_words, lead_of

MOST_ROWS = 3_000
NARROWEST, WIDEST = 9, 34  # of a column, in digits
SHEET = 178  # digits side by side on a sheet


class TooLong(Conflict):
    """More rows than anybody prints."""

    code = "too_long_for_paper"
    text = N_("A PDF holds at most %(most)s rows and this report has %(rows)s. Please take XLSX or CSV.")


@dataclass(frozen=True)
class Part:
    """Some columns on a run of sheets: headings with widths in digits, and which columns hold figures."""

    headings: Sequence[str]
    widths: Sequence[int]
    figures: Sequence[int]
    rows: Sequence[Sequence[str]]
    totals: Sequence[str]


def pdf(filled: Filled) -> bytes:
    """The same rows, columns and notes as on the page. Raises TooLong."""
    if len(filled.content.rows) > MOST_ROWS:
        raise TooLong(most=f"{MOST_ROWS:,}", rows=f"{len(filled.content.rows):,}")
    return typeset.pdf("report.typ", filled=filled, parts=list(_parts(filled)),
                       mark=str(_(DEMO_MARK)) if filled.demo else "")


def answer(filled: Filled) -> Response:
    """To be looked at or kept."""
    response = Response(pdf(filled), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{filled.file_name}.pdf"'
    return response


def _parts(filled: Filled) -> Iterator[Part]:
    """Columns in runs that fit on a sheet; each run begins with the column that names a row."""
    columns = list(filled.content.columns)
    widths = {column.key: _width(filled, column) for column in columns}
    name = next(column for column in columns if column.key == lead_of(filled.report, columns))
    run: list[Column] = []
    for column in columns:
        if run and sum(widths[one.key] for one in run) + widths[column.key] > SHEET:
            yield _part(filled, run, widths)
            run = [name] if column is not name else []
        run.append(column)
    yield _part(filled, run, widths)


def _part(filled: Filled, run: Sequence[Column], widths: dict[str, int]) -> Part:
    totals = filled.content.totals
    return Part(
        [heading_words(column) for column in run], [widths[column.key] for column in run],
        [at for at, column in enumerate(run) if column.is_number],
        [[_cell(column, row.shown(column.key)) for column in run] for row in filled.content.rows],
        [str(_("Total")) if at == 0 else _cell(column, totals.shown(column.key)) for at, column in enumerate(run)])


def _cell(column: Column, value: object) -> str:
    """As a spreadsheet would show it, with thousands marks."""
    if column.kind == "count" and isinstance(value, int):
        return f"{value:,}"
    text = sheets.plain(column.kind, value)
    if column.kind in ("fen", "grams") and not isinstance(value, str) and text:
        whole, point, rest = text.partition(".")
        return f"{int(whole):,}{point}{rest}" if whole != "-0" else text
    return text


def _width(filled: Filled, column: Column) -> int:
    """What its longest cell and half its heading need; long texts are broken."""
    cells = [_wide(_cell(column, row.shown(column.key))) for row in filled.content.rows]
    cells.append(_wide(_cell(column, filled.content.totals.shown(column.key))))
    return max(NARROWEST, min(WIDEST, max(cells) + 2), min(WIDEST, (_wide(heading_words(column)) + 2) // 3))


def _wide(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)
