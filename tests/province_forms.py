"""Empty forms as a province sends them, built with openpyxl: title, unit line, headings in two rows, total, notes."""

import io
from collections.abc import Callable
from typing import Any

import openpyxl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from market import db
from orders.forms import finding, keeping, mapping, opening
from orders.forms.keeping import Upload
from orders.reports import village_income
from tests.world import World

THIN = Border(*(Side(style="thin") for _side in range(4)))
TITLE = "脱贫地区农副产品采购情况月报表（附件2）"
NOTE = "注：1.采购额指经验收的金额；2.本表一式三份。"
HEADINGS = ["序号", "县", "村名称", "村代码", "采购情况 / 重量（公斤）", "采购情况 / 采购额（元）", "到账", "负责人",
            "备注"]


def monthly(rows: int = 4, change: Callable[[Any], None] | None = None) -> bytes:
    """The monthly form: `rows` empty rows between the headings and the total."""
    book = openpyxl.Workbook()
    cover = book.active
    cover.title, cover["A1"] = "封面", "填报说明"
    sheet = book.create_sheet("月报")
    sheet["A1"], sheet["A1"].font = TITLE, Font(name="方正小标宋简体", size=18, bold=True)
    sheet.merge_cells("A1:I1")
    sheet["A2"], sheet["D2"], sheet["H2"] = "填报单位：（盖章）", "填报时间：", "单位：元"
    for column, words in enumerate(("序号", "县", "村名称", "村代码", "采购情况", None, "到账", "负责人", "备注"), 1):
        sheet.cell(3, column, words)
    sheet["E4"], sheet["F4"] = "重量（公斤）", "采购额（元）"
    for column in "ABCDGHI":
        sheet.merge_cells(f"{column}3:{column}4")
    sheet.merge_cells("E3:F3")
    total = 5 + rows
    for row in range(3, total + 1):
        sheet.row_dimensions[row].height = 24
        for column in range(1, 10):
            sheet.cell(row, column).border = THIN
            sheet.cell(row, column).alignment = Alignment(horizontal="center")
    for row in range(5, total):
        sheet.cell(row, 6).number_format = "0.00"
    sheet["A5"] = 1
    sheet.cell(total, 1, "合计")
    sheet.merge_cells(start_row=total, end_row=total, start_column=1, end_column=3)
    sheet.cell(total, 6, f"=SUM(F5:F{total - 1})").fill = PatternFill("solid", fgColor="FFFF00")
    sheet.cell(total + 1, 1, NOTE)
    sheet.merge_cells(start_row=total + 1, end_row=total + 1, start_column=1, end_column=9)
    sheet.cell(total + 3, 1, "填表人：")
    sheet.column_dimensions["C"].width = 31
    sheet.print_area = f"A1:I{total + 3}"
    if change:
        change(sheet)
    return saved(book)


def saved(book: Any) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def sheet_of(content: bytes, name: str = "月报") -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))[name]


def sent(content: bytes, name: str = "附件2.xlsx") -> Upload:
    return Upload(content, name, finding.find(opening.opened(content)), village_income.REPORT.name)


def kept(world: World, login: str, content: bytes | None = None, name: str = "月报") -> dict[str, int]:
    """A mapped form of somebody's office; its id by the name of the routes' parameter."""
    by, upload = world.person(login), sent(content or monthly())
    folder = world.app.extensions["sijin"].files_dir
    with db.transaction():
        form_id = keeping.upload(upload, by, folder)
        lines = mapping.guess(upload.found, village_income.COLUMNS)
        keeping.confirm(form_id, 1, name, upload.report, lines, [], by)
    return {"form_id": form_id}
