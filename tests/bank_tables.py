"""Bank statements as banks export them, and sending one by its form."""

import io
from collections.abc import Sequence

import xlsxwriter
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.forms import csrf_token

DESK = "/village/bank"
HEADINGS = ("交易日期", "借方发生额", "贷方发生额", "余额", "对方户名", "对方账号", "摘要", "流水号")
COLUMNS = {"day": "交易日期", "expense": "借方发生额", "income": "贷方发生额", "payer_name": "对方户名",
           "payer_account": "对方账号", "summary": "摘要", "serial": "流水号", "bank_name": "演示农商行"}
SCHOOL_NAME, ACCOUNT = "永州演示第一小学", "6222021234567890123"


def line(amount: str, remark: str = "", *, day: str = "2026-10-12", payer: str = SCHOOL_NAME, account: str = ACCOUNT,
         serial: str = "", out: str = "") -> list[str]:
    """A movement in the columns of HEADINGS."""
    return [day, out, amount, "", payer, account, remark, serial]


def csv_of(*lines: Sequence[str], headings: Sequence[str] = HEADINGS, above: Sequence[str] = (), delimiter: str = ",",
           encoding: str = "utf-8-sig") -> bytes:
    """A CSV with lines above the headings."""
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (headings, *lines)]
    return "\r\n".join((*above, *quoted, "")).encode(encoding)


def xlsx_of(*lines: Sequence[object], headings: Sequence[str] = HEADINGS, above: Sequence[str] = ()) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet()
    for number, text in enumerate(above):
        sheet.write_string(number, 0, text)
    for number, row in enumerate((headings, *lines), len(above)):
        for at, cell in enumerate(row):
            sheet.write(number, at, cell)
    book.close()
    return target.getvalue()


def send(client: FlaskClient, content: bytes, name: str = "流水.csv") -> TestResponse:
    """The upload form."""
    return client.post(f"{DESK}/uploads", data={"csrf_token": csrf_token(client, DESK),
                                                "file": (io.BytesIO(content), name)})


def confirm(client: FlaskClient, address: str, **columns: str) -> TestResponse:
    """The form that says what the columns mean."""
    return client.post(address, data={"csrf_token": csrf_token(client, address), **(columns or COLUMNS)})


def upload(client: FlaskClient, content: bytes, name: str = "流水.csv") -> int:
    """Send a statement, confirming its columns where they are asked for; returns the upload's id."""
    answer = send(client, content, name)
    assert answer.status_code == 303, answer.text
    if answer.location.endswith("/columns"):
        answer = confirm(client, answer.location)
        assert answer.status_code == 303, answer.text
    return int(answer.location.rsplit("/", 1)[1])
