"""Spreadsheets in and out: encodings, rows with errors, bombs, text that stays text."""

import io
import zipfile

import openpyxl
import pytest

from market import sheet_input, sheets
from market.schemas import Fen, Input, Words
from market.sheet_input import HeadingsMissing, SheetRefused, SheetTooLarge
from market.sheets import Heading, Table

HEADINGS = {"name": ("名称", "name"), "price_fen": ("单价", "price")}


class GoodsSchema(Input):
    name = Words(required=True, longest=20)
    price_fen = Fen(required=True)


def read(content: bytes, **more: int) -> sheet_input.Rows:
    return sheet_input.read(content, GoodsSchema(), HEADINGS, **more)


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_usual_encoding_is_read(encoding: str) -> None:
    found = read("名称,单价\r\n白菜,2.00\r\n香柚𪣻,58\r\n".encode(encoding))
    assert found.errors == []
    assert found.loaded == {2: {"name": "白菜", "price_fen": 200}, 3: {"name": "香柚𪣻", "price_fen": 5800}}


def test_errors_name_the_row_and_the_column_and_the_others_are_still_looked_at() -> None:
    found = read("名称,单价,备注\n白菜,2.00,\n\n,3\n萝卜,二元\n".encode())
    assert list(found.loaded) == [2]
    assert [(e.number, e.field) for e in found.errors] == [(4, "name"), (5, "price_fen")]


def test_a_workbook_reads_like_a_form() -> None:
    found = read(workbook(("price", "name"), (2, "白菜"), (0.1, " 葱 "), (12.5, "姜"), (1.005, "蒜")))
    assert found.loaded == {2: {"name": "白菜", "price_fen": 200}, 3: {"name": "葱", "price_fen": 10},
                            4: {"name": "姜", "price_fen": 1250}}
    assert [e.number for e in found.errors] == [5]


@pytest.mark.parametrize(("content", "named"), [
    (b"", "名称/name、单价/price"), ("名称\n白菜".encode(), ": 单价/price."),
    ("名称,单价,名称\n".encode(), ": 名称/name."),
])
def test_headings_must_be_there_once(content: bytes, named: str) -> None:
    with pytest.raises(HeadingsMissing) as refused:
        read(content)
    assert named in refused.value.message()


def test_what_is_no_table_is_refused() -> None:
    for content in (b"\xff\xfe\xff", "名称,单价\n".encode("utf-16"),
                    b"PK\x03\x04nonsense", ("名称,单价\n" + "x" * 200_000 + ",1").encode(),
                    _zipped({"[Content_Types].xml": b"<x/>"})):
        with pytest.raises(SheetRefused):
            read(content)


def test_five_thousand_rows_are_read_and_one_more_is_refused() -> None:
    body = "".join(f"白菜{n},1.00\n" for n in range(5000))
    assert len(read(("名称,单价\n" + body + "\n" * 100).encode()).loaded) == 5000
    with pytest.raises(SheetTooLarge):
        read(("名称,单价\n" + body + "姜,1\n").encode())
    with pytest.raises(SheetTooLarge):
        read(workbook(("名称", "单价"), *(("葱", 1),) * 21), most_rows=20)


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(SheetTooLarge):
        read(_zipped({"xl/workbook.xml": b" " * (sheet_input.MAX_UNPACKED + 1)}))
    with pytest.raises(SheetTooLarge):
        read(b" " * (sheet_input.MAX_BYTES + 1))


def test_a_sheet_that_claims_a_row_far_below_ends_early() -> None:
    content = workbook(("名称", "单价"), ("白菜", 1))
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        entries = {name: packed.read(name) for name in packed.namelist()}
    name = "xl/worksheets/sheet1.xml"
    entries[name] = entries[name].replace(b'<row r="2"', b'<row r="999999999"')
    with pytest.raises(SheetTooLarge):
        read(_zipped(entries))


TABLE = Table(
    [Heading("村", "text"), Heading("代码", "code"), Heading("金额", "fen"), Heading("重量", "grams"),
     Heading("户数", "count"), Heading("占比", "percent")],
    [("=cmd|' /C calc'!A0", "431125100201", -123456, 2500, 3, 6545), ('他说"好"\n', "+86", 0, None, None, None)],
    ("合计", "", -123456, 2500, 3, None), above=["标题", "期间 2026-10"], below=["-说明"])


def test_csv_begins_with_the_mark_ends_lines_as_excel_does_and_opens_no_formula() -> None:
    content = sheets.write_csv(TABLE)
    assert content[:3] == b"\xef\xbb\xbf"
    lines = content[3:].decode().split("\r\n")
    assert lines[:2] == ['"村","代码","金额","重量","户数","占比"',
                         '"\'=cmd|\' /C calc\'!A0","431125100201",-1234.56,2.5,3,65.5%']
    assert lines[2] == '"他说""好""\n","\'+86",0.00,,,'
    assert lines[3] == '"合计","",-1234.56,2.5,3,'
    assert lines[4:] == ["", '"标题"', '"期间 2026-10"', '"\'-说明"', ""]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\ta", "\ra", "\na", "＝1"])
def test_every_way_to_open_a_formula_is_guarded(text: str) -> None:
    assert sheets.guarded(text) == "'" + text


def test_a_workbook_keeps_text_as_text_and_numbers_as_numbers() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(sheets.write_xlsx(TABLE))).active
    assert sheet.freeze_panes == "A4"
    assert [cell.value for cell in sheet[3]] == ["村", "代码", "金额", "重量", "户数", "占比"]
    assert [(cell.value, cell.data_type) for cell in sheet[4]] == [
        ("=cmd|' /C calc'!A0", "s"), ("431125100201", "s"), (-1234.56, "n"), (2.5, "n"), (3, "n"), (0.6545, "n")]
    assert sheet["C4"].number_format == "#,##0.00" and sheet["F4"].number_format == "0.0%"
    assert sheet["A6"].value == "合计" and sheet["A8"].value == "-说明"
    assert sheet["A4"].data_type == "s"


def _zipped(entries: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return target.getvalue()
