"""The files that imports give: the template to fill in, what is there already to work on, what has to be mended."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

from catalog.importing.kinds import EXAMPLE_EN, EXAMPLE_ZH, Column, Kind, Offer
from market import sheets
from market.access import Visitor
from market.i18n import gettext as _
from market.i18n import in_locale
from market.sheet_input import MAX_ROWS
from market.sheets import Heading, Table

LONGEST_LIST = 200  # a drop-down longer than that helps nobody


def heading(column: Column) -> str:
    return in_locale(column.zh, column.en)


def template(kind: Kind, by: Visitor) -> bytes:
    """A workbook to fill in: headings, an example row that is never imported, a sheet of what cells may hold."""
    offers = kind.offers(by)
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False,
                                        "strings_to_numbers": False})
    table = book.add_worksheet(_(kind.title)[:31])
    listed = book.add_worksheet(_("What cells may hold"))
    head = book.add_format({"bold": True, "text_wrap": True, "bottom": 2, "valign": "vcenter"})
    optional = book.add_format({"text_wrap": True, "bottom": 2, "valign": "vcenter"})
    example, text = book.add_format({"italic": True, "font_color": "#6b6b6b"}), book.add_format({"num_format": "@"})
    table.freeze_panes(1, 0)
    for at, column in enumerate(kind.columns):
        is_text = column.kind in ("text", "code", "day")
        table.set_column(at, at, max(12, min(30, len(column.zh) * 2 + 3)), text if is_text else None)
        table.write_string(0, at, heading(column), head if column.required else optional)
        table.write_string(1, at, _example(column, at == 0, offers), example)
    _write_notes(listed, kind, offers, book.add_format({"bold": True}), table)
    book.close()
    return target.getvalue()


def _example(column: Column, first: bool, offers: Mapping[str, Offer]) -> str:
    """The first cell says that the row is an example; the others show what a real one may hold."""
    if first:
        return in_locale(EXAMPLE_ZH, EXAMPLE_EN)
    shown = offers[column.offer].shown if column.offer in offers else ()
    return column.example or (shown[0][0] if shown and column.required else "")


def _write_notes(sheet: Any, kind: Kind, offers: Mapping[str, Offer], bold: Any, table: Any) -> None:
    """Column by column: whether it must be filled in, and the list its cells come from, also as a drop-down."""
    sheet.set_column(0, 400, 22)
    sheet.write_string(0, 0, _("The row marked as an example is never imported. At most %(rows)s rows.", rows=MAX_ROWS))
    for at, column in enumerate(kind.columns):
        sheet.write_string(2, at * 2, heading(column), bold)
        sheet.write_string(3, at * 2, _("must be filled in") if column.required else _("may be left empty"))
        if column.note:
            sheet.write_string(3, at * 2 + 1, _(column.note))
        shown = offers[column.offer].shown if column.offer in offers else ()
        for number, (said, meant) in enumerate(shown, 4):
            sheet.write_string(number, at * 2, said)
            sheet.write_string(number, at * 2 + 1, meant)
        if 0 < len(shown) <= LONGEST_LIST:
            table.data_validation(1, at, MAX_ROWS, at, {
                "validate": "list", "source": _range(sheet, at * 2, len(shown)), "error_type": "information"})


def _range(sheet: Any, column: int, count: int) -> str:
    letter = xlsxwriter.utility.xl_col_to_name(column, True)
    return f"='{sheet.get_name()}'!{letter}$5:{letter}${4 + count}"


def as_table(kind: Kind, by: Visitor) -> Table:
    """What is there already, in the very columns in which it is imported."""
    kinds = {"day": "text"}
    return Table([Heading(heading(column), kinds.get(column.kind, column.kind)) for column in kind.columns],
                 [tuple(row) for row in kind.export(by)])


def faults_table(kind: Kind, faults: Sequence[Any]) -> Table:
    """What has to be mended, by row and column."""
    return Table([Heading(_("Row"), "count"), Heading(_("Column"), "text"), Heading(_("What to mend"), "text")],
                 [(fault.line, column_name(kind, fault.field), sentence(fault)) for fault in faults])


def column_name(kind: Kind, field: str) -> str:
    column = kind.column(field)
    return heading(column) if column else ""


def sentence(fault: Any) -> str:
    return str(_(fault.text, **fault.details))


def written(table: Table, ending: str) -> bytes:
    """CSV or XLSX."""
    return sheets.write_csv(table) if ending == "csv" else sheets.write_xlsx(table)
