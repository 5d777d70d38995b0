"""Forms of the province: found, mapped, filled like the report to the fen, the sheet kept; refusals change nothing."""

import io
import zipfile
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from market import clock, db
from market.errors import Conflict, InvalidInput, MarketError, NotFound
from market.files import StoredFile
from market.journal import JournalEntry
from orders.forms import filling, finding, keeping, mapping, opening, writing
from orders.forms.mapping import Line
from orders.forms.models import ReportForm, ReportFormVersion
from orders.reports import frame, village_income
from orders.reports.declared import Column, Content, Row
from orders.reports.frame import Asked
from orders.reports.readers import WHOLE, reader_of
from tests import hostile_sheets, province_forms
from tests.province_forms import HEADINGS, NOTE, TITLE, kept, monthly, sent, sheet_of
from tests.trade import Trade
from tests.world import NOON, World

OCTOBER = Asked("2026-10", "2026-10")
VILLAGES = "village-income"
MEANT = ["=number", "county", "village", "code", "accepted_grams", "purchase_fen", "received_fen", "", ""]
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def traded(trade: Trade) -> None:
    order = trade.cabbage()
    trade.ship(order.id)
    trade.accept(order.id)


def counted() -> list[int]:
    db.session().rollback()
    return [db.session().scalar(select(func.count()).select_from(entity)) or 0
            for entity in (ReportForm, ReportFormVersion, JournalEntry, StoredFile)]


def filled(content: bytes, lines: list[Line] | None = None, report: Any = village_income.REPORT,
           asked: Asked = OCTOBER, reader: Any = WHOLE) -> tuple[bytes, frame.Filled]:
    found = finding.find(opening.opened(content))
    read = filling.read(report, asked, reader, False)
    table = filling.table(read, found.words, lines or mapping.guess(found, read.content.columns), "永州市")
    return writing.write(content, found, table, filling.origin(read), ""), read


def test_an_office_keeps_its_form_and_fills_it_like_the_report(app: Flask, world: World, trade: Trade) -> None:
    app.extensions["sijin_demo"] = lambda: False
    with clock.at(NOON):
        traded(trade)
        content, hua = monthly(rows=1), world.person("official.hua")
        form_id = kept(world, "official.hua", content)["form_id"]
        form = keeping.own(form_id, hua)
        version = keeping.in_use(form)
        assert version is not None and [line["source"] for line in version.lines] == MEANT
        assert keeping.content_of(version, app.extensions["sijin"].files_dir) == content
        for other in ("official.jin", "farm.luo", "audit.qi", "auditor.wei"):
            with pytest.raises(NotFound):
                keeping.own(form_id, world.person(other))
        sheet, read = filled(content, reader=WHOLE)
        rows = read.content.rows
        found = sheet_of(sheet)
        assert rows and len(rows) == len(frame.fill(village_income.REPORT, OCTOBER, WHOLE, False).content.rows)
        for number, row in enumerate(rows):
            cells = [cell.value for cell in found[5 + number]]
            assert cells == [number + 1, row.values["county"], row.values["village"], row.values["code"],
                             row.values["accepted_grams"] / 1000, row.values["purchase_fen"] / 100,
                             row.values["received_fen"] / 100, None, None]
            assert found.cell(5 + number, 4).data_type == "s"
        before = counted()
        for refusal, act in (
                (InvalidInput, lambda: _second_of_that_name(world, content)),
                (NotFound, lambda: keeping.rename(form_id, "别处", world.person("farm.luo"))),
                (NotFound, lambda: keeping.put_away(form_id, world.person("official.jin"))),
                (keeping.FormChanged, lambda: keeping.confirm(form_id, 7, "月报", VILLAGES, [Line()], [], hua))):
            with pytest.raises(refusal), db.transaction():
                act()
            assert counted()[:3] == before[:3]
        with db.transaction():
            keeping.rename(form_id, "脱贫村月报", hua)
            newer = keeping.replace(form_id, sent(monthly(3)), hua, app.extensions["sijin"].files_dir)
        assert newer == 2 and keeping.own(form_id, hua).version == 1  # until somebody has said what it means
        with db.transaction():
            keeping.confirm(form_id, 2, "脱贫村月报", VILLAGES, [Line("village")] * 9, [], hua)
            keeping.confirm(form_id, 2, "脱贫村月报", VILLAGES, [Line("code")] * 9, [], hua)  # said anew: a version
        assert keeping.own(form_id, hua).version == 3
        with db.transaction():
            keeping.put_away(form_id, hua)
        with pytest.raises(Conflict), db.transaction():
            keeping.rename(form_id, "又", hua)
        kept(world, "official.hua", content, "脱贫村月报")
        with pytest.raises(keeping.NameTaken), db.transaction():
            keeping.bring_back(form_id, hua)
        with pytest.raises(IntegrityError), db.transaction() as session:  # whatever two people do at one moment
            session.get_one(ReportForm, form_id).put_away_at = None
        assert db.session().scalar(select(func.count()).where(JournalEntry.action.like("form.%"))) == 9


def _second_of_that_name(world: World, content: bytes) -> None:
    by = world.person("official.hua")
    form_id = keeping.upload(sent(content), by, world.app.extensions["sijin"].files_dir)
    keeping.confirm(form_id, 1, "月报", VILLAGES, [Line("village")] * 9, [], by)


@on_sqlite
def test_the_form_is_found_under_titles_merged_headings_and_notes(app: Flask) -> None:
    found = finding.find(opening.opened(monthly()))
    assert (found.sheet, found.top, found.first, found.room, found.total) == ("月报", 3, 5, 4, 9)
    assert found.words == HEADINGS and found.title == TITLE and found.unit == "元"
    assert finding.found_of(keeping.asdict(found)) == found

    def more(sheet: Any) -> None:  # 栏次 below the headings, the total right below them, nothing after the rows
        sheet.unmerge_cells("A9:C9")
        sheet.unmerge_cells("A10:I10")
        sheet.delete_rows(9, 20)
        for column in range(1, 10):
            sheet.cell(5, column, "甲乙丙丁12345"[column - 1])
        sheet["C6"] = "合 计"

    other = finding.find(opening.opened(monthly(change=more)))
    assert (other.first, other.room, other.total) == (7, -1, 6)
    flat = openpyxl.Workbook()
    flat.active.append(["Village", "Month", "Purchase amount (yuan)", "Weight (tonnes)"])
    flat_found = finding.find(opening.opened(province_forms.saved(flat)))
    assert (flat_found.first, flat_found.room, flat_found.total, flat_found.title) == (2, -1, 0, "")
    lines = mapping.guess(flat_found, village_income.COLUMNS)
    assert lines == [Line("village"), Line("=period"), Line("purchase_fen", unit="yuan"),
                     Line("accepted_grams", unit="tonne")]


COLUMNS = (Column("name", "Village", "text"), Column("code", "Village code", "code"),
           Column("fen", "Purchase amount", "fen", sums=True), Column("grams", "Weight", "grams", sums=True),
           Column("share", "Certified", "percent"))


def _report(count: int) -> frame.Report:
    rows = [Row({"name": "=HYPERLINK(\"x\")" if n == 1 else f"@村{n:02d}", "code": f"{431128001200000000 + n}",
                 "fen": 123_457 * n, "grams": 1_234_567, "share": 6_543}, place=str(n), order=f"{n:06d}")
            for n in range(1, count + 1)]
    return frame.Report("invented", "Invented", "", lambda *_: Content(
        COLUMNS, list(rows), frame.total_of(COLUMNS, rows)))


@on_sqlite
def test_more_rows_than_the_form_has_room_for_move_the_total_and_the_notes_down(app: Flask) -> None:
    lines = [Line("=number"), Line("=place"), Line("name"), Line("code"), Line("grams", unit="jin"),
             Line("fen", unit="wan"), Line("fen", unit="yuan"), Line("=text", "王"), Line("share", unit="points")]
    with clock.at(NOON):
        content, read = filled(monthly(), lines, _report(30))
    sheet = sheet_of(content)
    assert sheet["A1"].value == TITLE and sheet["A1"].font.name == "方正小标宋简体"
    assert sheet.column_dimensions["C"].width == 31 and [cell.value for cell in sheet[4]][4:6] == [
        "重量（公斤）", "采购额（元）"]
    assert [cell.value for cell in sheet[5]] == [
        1, "永州市", '=HYPERLINK("x")', "431128001200000001", 2469.134, 0.12, 1234.57, "王", 65.43]
    for row in (5, 9, 34):
        assert sheet.cell(row, 3).data_type == "s" and sheet.cell(row, 3).number_format == "@"
        assert sheet.cell(row, 4).data_type == "s" and sheet.row_dimensions[row].height == 24
        assert sheet.cell(row, 6).number_format == "0.00" and sheet.cell(row, 1).border.left.style == "thin"
    fen = sum(123_457 * n for n in range(1, 31))
    total = [cell.value for cell in sheet[35]]
    assert total[0] == "合计" and total[6] == fen / 100 and Decimal(str(total[6])) == sum(
        Decimal(str(sheet.cell(row, 7).value)) for row in range(5, 35))
    assert Decimal(str(total[5])) == Decimal(round(fen / 10_000)).scaleb(-2)  # rounded once, not row by row
    assert sheet["F35"].fill.fgColor.rgb == "00FFFF00" and not any(
        cell.data_type == "f" for row in sheet for cell in row)
    assert sheet["A36"].value == NOTE and sheet["A38"].value == "填表人："
    assert {"A1:I1", "E3:F3", "A35:C35", "A36:I36"} <= {one.coord for one in sheet.merged_cells.ranges}
    assert len(sheet.merged_cells.ranges) == 11 and sheet.print_area == "'月报'!$A$1:$I$38"
    few, _read = filled(monthly(), lines, _report(2))
    assert sheet_of(few)["A9"].value == "合计" and sheet_of(few)["A10"].value == NOTE
    assert sheet_of(few)["F9"].value == 0.37 and sheet_of(few)["C7"].value is None
    with pytest.raises(InvalidInput, match="marked"), clock.at(NOON):
        filled(monthly(), lines, _report(filling.MOST_ROWS + 1))
    with pytest.raises(InvalidInput), clock.at(NOON):
        filled(monthly(), [Line("gone")] * 9, _report(1))
    assert "2026-10" in str(openpyxl.load_workbook(io.BytesIO(content)).properties.description) and read.made


def _with(name: str, part: bytes) -> bytes:
    content = io.BytesIO(monthly())
    with zipfile.ZipFile(content, "a") as packed:
        packed.writestr(name, part)
    return content.getvalue()


def _swapped(old: str, new: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(monthly())) as packed, zipfile.ZipFile(target, "w") as other:
        for name in packed.namelist():
            other.writestr(name, packed.read(name).replace(old.encode(), new.encode()))
    return target.getvalue()


def _computing(cell: str) -> bytes:
    def change(sheet: Any) -> None:
        sheet[cell] = "=NOW()"

    return monthly(change=change)


def _of_words(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return province_forms.saved(book)


@on_sqlite
def test_what_is_no_form_is_refused_quickly_and_in_words(app: Flask) -> None:
    huge, one = opening.FormTooLarge, '<mergeCell ref="A1:I1"'
    refused: list[tuple[bytes, type[MarketError]]] = [
        (b"PK\x03\x04 no archive", opening.NoWorkbook), (b"a,b\n", opening.NoWorkbook), (b"", opening.NoWorkbook),
        (b"\xd0\xcf\x11\xe0old", opening.Locked), (monthly() + b"0" * opening.MAX_BYTES, huge),
        (_with("xl/vbaProject.bin", b"x"), opening.FormRuns), (_with("xl/embeddings/a.bin", b"x"), opening.FormRuns),
        (_swapped("sheet.main+xml", "sheet.macroEnabled.main+xml"), opening.FormRuns),
        (_swapped(one, '<mergeCell ref="A1:XFD1048576"'), huge), (_swapped(one, '<mergeCell ref="A:A"'), huge),
        (_with("xl/comments9.xml", b'<c><comment ref="A1:XFD1048576"/></c>'), huge),
        (monthly(change=lambda sheet: sheet.cell(1_048_576, 1, "x")), huge), (hostile_sheets.named_often(400), huge),
        (_with("xl/worksheets/big.xml", b"<a/>" * 200_000), huge),
        (hostile_sheets.workbook(more={"xl/sharedStrings.xml": hostile_sheets.laughs()}), opening.NoWorkbook),
        (_computing("A1"), finding.FormComputes), (_computing("A14"), finding.FormComputes),
        (_of_words(["标题"], ["填报单位：", "时间：", "单位：元"]), finding.NoHeadings),
        (_of_words(), finding.NoHeadings),
        (_of_words([1, 2, 3, 4]), finding.NoHeadings)]
    for at, (content, refusal) in enumerate(refused):
        with pytest.raises(MarketError) as raised:
            finding.find(opening.opened(content))
        assert type(raised.value) is refusal or (refusal is huge and raised.value.code == "sheet_too_large"), at


@on_sqlite
def test_a_meaning_is_checked_and_taken_over(app: Flask) -> None:
    found = finding.find(opening.opened(monthly()))
    before = {mapping.plain("备注"): Line("=text", "无"), mapping.plain("到账"): Line("gone")}
    lines = mapping.guess(found, village_income.COLUMNS, before)
    assert lines[8] == Line("=text", "无") and lines[6].source == "received_fen"
    good = mapping.checked([Line("purchase_fen", "x", "wan"), Line("accepted_grams", unit="wan"), Line("=text", "王"),
                            *[Line()] * 6], found, village_income.COLUMNS)
    assert good[:3] == [Line("purchase_fen", unit="wan"), Line("accepted_grams", unit="kg"), Line("=text", "王")]
    for wrong, field in (([Line("nothing")], "lines-0-source"), ([Line("=text")], "lines-0-text"),
                         ([Line("=number")], "lines-0-source")):
        with pytest.raises(InvalidInput) as raised:
            mapping.checked([*wrong, *[Line()] * 8], found, village_income.COLUMNS)
        assert field in raised.value.fields
    with pytest.raises(InvalidInput):
        mapping.checked([Line("county")], found, village_income.COLUMNS)


@on_sqlite
def test_every_report_fills_a_form_with_all_its_columns(app: Flask, world: World, trade: Trade) -> None:
    """Cell by cell what the report's own workbook shows, also beside other months; totals are the sums of rows."""
    app.extensions["sijin_demo"] = lambda: False
    with clock.at(NOON):
        traded(trade)
        reports, _lines = app.extensions["sijin_reports"]
        for report in reports.values():
            reader = reader_of(world.person("auditor.wei"))
            asked = Asked("2026-10", "2026-10", compare=tuple(report.compares))
            read = filling.read(report, asked, reader, False)
            columns = read.content.columns[:60]
            form = _of_words([f"列 {column.key}" for column in columns], *[[]] * 2, ["合计"])
            content, _read = filled(form, [Line(column.key) for column in columns], report, asked, reader)
            sheet = sheet_of(content, "Sheet")
            own = frame.as_table(frame.fill(report, asked, reader, False))
            assert len(read.content.rows) == len(own.rows), report.name
            for number, cells in enumerate(own.rows, 2):
                shown = [cell.value for cell in sheet[number]][:len(columns)]
                assert shown == [_as_written(column, value) for column, value in zip(columns, cells, strict=False)]
            for at, column in enumerate(columns, 1):
                rows = [row.values.get(column.key) for row in read.content.rows]
                if column.sums and rows and at > 1 and report.rows_of is None:
                    assert read.content.totals.values[column.key] == sum(value or 0 for value in rows), column.key
            if report is village_income.REPORT:
                assert mapping.compared([Line("purchase_fen_ytd")], columns) == ["ytd"]
                assert mapping.compared([Line("purchase_fen_yoy")], columns) == ["yoy"]


def _as_written(column: Column, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value or None
    return value / {"fen": 100, "grams": 1000, "percent": 10_000}.get(column.kind, 1)
