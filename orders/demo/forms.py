"""The demo world's form of the province: invented, sent in and mapped by the city's revitalisation office."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from market import clock, db
from orders.demo.settlers import Settlement
from orders.forms import finding, keeping, mapping, opening
from orders.forms.keeping import Upload
from orders.reports import village_income

TITLE = "脱贫地区农副产品产销对接情况月报表（演示表样）"
NAME = "产销对接月报（演示表样）"
HEADINGS = ("序号", "县区", "村", "村代码", "采购情况", "", "", "收入合计（万元）", "带动户数", "备注")
BELOW = {5: "重量（吨）", 6: "采购额（万元）", 7: "实收（万元）"}
WIDTHS = (6, 12, 24, 16, 12, 14, 14, 16, 10, 12)
NOTE = "注：1. 采购额按验收金额减退货计算。2. 本表为演示用虚构表样，不是任何机关的文件。"
ROWS = 10
EDGES = Border(*(Side(style="thin") for _side in range(4)))
GREY = PatternFill("solid", fgColor="EDEDED")


def keep_one(settled: Settlement, today: date, folder: Path) -> None:
    """In the morning of the day on which people walk in."""
    by = settled.person("city-revitalisation", "official")
    content = workbook()
    upload = Upload(content, "附件2 产销对接月报表.xlsx", finding.find(opening.opened(content)),
                    village_income.REPORT.name)
    lines = mapping.guess(upload.found, village_income.COLUMNS)
    with clock.at(clock.shanghai(today, 9)), db.transaction():
        form_id = keeping.upload(upload, by, folder)
        keeping.confirm(form_id, 1, NAME, upload.report, lines, [], by)


def workbook() -> bytes:
    """A form as provinces draw them: a title, a line of who and when, headings in two rows, empty rows, notes."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "月报表"
    sheet["A1"], sheet["A1"].font, sheet["A1"].alignment = TITLE, Font(size=16, bold=True), _middle()
    sheet.merge_cells("A1:J1")
    sheet["A2"], sheet["E2"], sheet["H2"] = "填报单位：", "报告期：", "联系人："
    for column, (words, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True), 1):
        sheet.cell(3, column, words or None)
        sheet.cell(4, column, BELOW.get(column))
        sheet.column_dimensions[openpyxl.utils.get_column_letter(column)].width = width
        if column not in BELOW:
            sheet.merge_cells(start_row=3, end_row=4, start_column=column, end_column=column)
    sheet.merge_cells("E3:G3")
    total = 5 + ROWS
    for row in range(3, total + 1):
        for column in range(1, len(HEADINGS) + 1):
            _draw(sheet.cell(row, column), bold=row < 5 or row == total)
    sheet.cell(total, 1, "合计")
    sheet.merge_cells(start_row=total, end_row=total, start_column=1, end_column=4)
    sheet.cell(total + 1, 1, NOTE)
    sheet.merge_cells(start_row=total + 1, end_row=total + 1, start_column=1, end_column=10)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _draw(cell: Any, bold: bool) -> None:
    cell.border, cell.alignment = EDGES, _middle()
    if bold:
        cell.font, cell.fill = Font(bold=True), GREY


def _middle() -> Alignment:
    return Alignment(horizontal="center", vertical="center", wrap_text=True)
