"""Tables as people send them: goods by the row, as CSV in any encoding or as XLSX; and the worker that checks them."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
import xlsxwriter
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from catalog.importing import goods_sheet
from catalog.importing.kinds import Kind
from catalog.importing.models import SheetFault, SheetImport
from catalog.importing.table import KINDS
from market import db, sheets, worker
from market.sheets import Heading, Table
from tests.web.forms import csrf_token

GOODS = {
    "number": "", "name": "白菜", "category": "叶菜", "village": "", "supply": "当日采收", "unit": "斤",
    "grams_per_unit": "0.5", "price_fen": "2.00", "minimum_milli": "5", "step_milli": "1",
    "daily_capacity_milli": "200", "harvest_months[]": "10,11", "description": "霜降后采收", "aliases": "大白菜|黄芽白",
    "name_en": "Cabbage", "description_en": "", "picture": "cabbage",
}


def goods(village: str, count: int = 1, **changes: str) -> list[dict[str, str]]:
    """Rows of goods that differ in name (白菜一, 白菜丁, 白菜丂 and so on) and price."""
    return [{**GOODS, "village": village, "name": f"白菜{chr(0x4E00 + number)}",
             "price_fen": f"{2 + number % 50}.5", **changes}
            for number in range(count)]


def csv_of(rows: Sequence[Mapping[str, str]], kind: Kind = goods_sheet.KIND, encoding: str = "utf-8-sig") -> bytes:
    """A CSV as a spreadsheet saves it, with Chinese headings."""
    columns = [column for column in kind.columns if column.field in rows[0]]
    table = Table([Heading(column.zh, "text") for column in columns],
                  [[row[column.field] for column in columns] for row in rows])
    return sheets.write_csv(table).decode("utf-8-sig").encode(encoding)


def xlsx_of(rows: Sequence[Mapping[str, str]], kind: Kind = goods_sheet.KIND) -> bytes:
    """A workbook with English headings and numbers as numbers."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"strings_to_numbers": True, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    for at, column in enumerate(column for column in kind.columns if column.field in rows[0]):
        sheet.write_string(0, at, column.en)
        write = sheet.write_string if column.kind in ("code", "text") else sheet.write
        for number, row in enumerate(rows, 1):
            write(number, at, row[column.field])
    book.close()
    return target.getvalue()


def cells_of(workbook: bytes, sheet: int = 0) -> list[list[Any]]:
    """The cells of a sheet."""
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(workbook)).worksheets[sheet].values]


def send(client: FlaskClient, kind: str, content: bytes, name: str = "白菜.csv", desk: str = "/village/imports",
         **more: str) -> TestResponse:
    """Post the upload form."""
    return client.post(desk, data={"csrf_token": csrf_token(client, desk), "kind": kind, **more,
                                   "file": (io.BytesIO(content), name)})


def sent(client: FlaskClient, kind: str, content: bytes, desk: str = "/village/imports") -> int:
    """Send a table; returns the import's id."""
    answer = send(client, kind, content, desk=desk)
    assert answer.status_code == 303, answer.text
    return int(answer.location.rsplit("/", 1)[1])


def checked(client: FlaskClient, kind: str, content: bytes, desk: str = "/village/imports") -> Any:
    """Send a table and let the worker look at it; returns the import."""
    import_id = sent(client, kind, content, desk)
    work()
    return told(import_id)


def confirm(client: FlaskClient, import_id: int, desk: str = "/village/imports") -> TestResponse:
    """Press the button."""
    page = f"{desk}/{import_id}"
    return client.post(f"{page}/confirmation", data={"csrf_token": csrf_token(client, page)})


def imported(client: FlaskClient, kind: str, content: bytes, desk: str = "/village/imports") -> Any:
    """Send a table, let the worker check it, press the button, let the worker write; returns the import."""
    one = checked(client, kind, content, desk)
    assert one.state == "ready", (one.state, faults(one.id), one.refusal)
    assert confirm(client, one.id, desk).status_code == 303
    work()
    return told(one.id)


def work() -> None:
    """The worker hands out what waits."""
    db.session().rollback()
    worker.drain_outbox()
    db.session().rollback()


def told(import_id: int) -> Any:
    """An import as it is now."""
    db.session().rollback()
    return db.session().execute(select(db.table(SheetImport)).where(SheetImport.id == import_id)).one()


def faults(import_id: int) -> list[tuple[int, str]]:
    """What is wrong: row and the Chinese heading of the column."""
    kind = KINDS[told(import_id).kind]
    rows = db.session().execute(select(SheetFault.line, SheetFault.field).where(SheetFault.import_id == import_id)
                                .order_by(SheetFault.id))
    return [(line, column.zh if (column := kind.column(field)) else field) for line, field in rows]
