"""LibreOffice adds up the columns of every report's XLSX again; its sums are those of the file and of the report."""

import csv
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from market import clock, sheets
from orders.income import presence
from orders.reports import asking
from orders.reports.frame import Filled, as_table, fill
from orders.reports.readers import WHOLE
from orders.reports.routes import REPORTS
from tests import databases, report_pages
from tests.trade import Trade
from tests.world import NOON, World
from wsgi import create_app

NOT_HERE = "LibreOffice is not installed here: spreadsheets were not recomputed"
HALF_A_UNIT = 0.0006  # of the last decimal that a cell shows


def run(url: str, data_dir: Path) -> str:
    """What does not agree, in words; NOT_HERE without LibreOffice."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        return NOT_HERE
    data_dir.mkdir()
    app = create_app(databases.settings(url, data_dir))
    with app.app_context(), app.test_request_context("/"):
        app.extensions["sijin_presence"] = presence.things_of
        report_pages.trade_of_two_years(Trade(World(app)))
        with clock.at(NOON + timedelta(hours=1)):
            asked = asking.asked_for(WHOLE, {"from": "2026-10", "to": "2026-10"})
            filled = [fill(report, asked, WHOLE, demo=False) for report in REPORTS.values()]
    return "; ".join(filter(None, (differences(one, data_dir, office) for one in filled if one.content.rows)))


def differences(filled: Filled, folder: Path, office: str) -> str:
    """The columns of one report whose sum LibreOffice makes another one."""
    path = folder / f"{filled.report.name}.xlsx"
    path.write_bytes(sheets.write_xlsx(as_table(filled)))
    _add_sums(path, filled)
    subprocess.run([office, "--headless", "--convert-to", "csv", "--outdir", str(folder), str(path)], check=True,
                   capture_output=True, timeout=300)
    with open(path.with_suffix(".csv"), encoding="utf-8") as source:
        last = [row for row in csv.reader(source) if any(row)][-1]
    wrong = [column.key for at, column in enumerate(filled.content.columns)
             if column.sums and not _is(last[at], column.kind, filled.content.totals.values.get(column.key))]
    return f"{filled.report.name}: {', '.join(wrong)}" if wrong else ""


def _add_sums(path: Path, filled: Filled) -> None:
    """A last row of formulas over the rows of the report."""
    book = openpyxl.load_workbook(path)
    sheet: Any = book.active
    first = len(as_table(filled).above) + 2
    last, below = first + len(filled.content.rows) - 1, sheet.max_row + 2
    for at, column in enumerate(filled.content.columns, 1):
        if column.sums:
            letter = get_column_letter(at)
            sheet.cell(below, at, f"=SUM({letter}{first}:{letter}{last})").number_format = "0.000"
    book.save(path)


def _is(text: str, kind: str, value: Any) -> bool:
    return abs(float(text or 0) - report_pages.as_cell(kind, value or 0)) < HALF_A_UNIT
