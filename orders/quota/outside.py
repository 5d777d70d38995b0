"""Exports of 832 taken in: orders and the filing of a unit. All rows or none; an order's number counts once.

The columns' names are the words of 832's help pages; no export was at hand to compare them with.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields
from sqlalchemy import select

from market import clock, db, journal, money, sheet_input
from market.access import Visitor
from market.errors import N_
from market.schemas import Fen, Input, Whole, Words
from market.sheet_input import RowError
from orders.quota import rules
from orders.quota.models import OutsideFiling, OutsideOrder, QuotaUpload

ORDER_HEADINGS: Mapping[str, Sequence[str]] = {
    "number": ("订单编号", "订单号", "order no."),
    "accepted_on": ("验收日期", "验收时间", "确认收货时间", "accepted"),
    "ordered_on": ("下单日期", "下单时间", "ordered"),
    "amount": ("订单金额", "成交金额", "订单总额", "amount"), "returned": ("退款金额", "refund"),
    "unit": ("预算单位", "采购单位", "采购人", "unit"), "fund": ("资金来源", "fund source"),
    "supplier": ("供应商", "供应商名称", "supplier"), "goods": ("商品名称", "商品", "product"),
    "state": ("订单状态", "state"),
}
FILING_HEADINGS: Mapping[str, Sequence[str]] = {
    "unit": ("预算单位", "采购单位", "单位名称", "unit"), "year": ("年度", "年份", "year"),
    "base": ("年度食堂食材采购总额", "食堂采购总额", "采购总额", "base"), "ratio": ("预留比例", "比例", "ratio"),
    "quota": ("预留份额", "预留金额", "quota"),
}
FUNDS = {
    "": "canteen", "食堂": "canteen", "食堂经费": "canteen", "工会": "union", "工会经费": "union", "个人": "staff",
    "员工个人": "staff", "canteen": "canteen", "union": "union", "staff": "staff",
}
NOT_COUNTED = ("已取消", "已关闭", "取消", "关闭", "cancelled", "closed")
OTHER_UNIT = N_("This row is another unit's.")


class Percent(fields.Field[int]):
    """A percentage such as 10, 10% or 12.5, as hundredths of a percent."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        text = str(value or "").strip().removesuffix("%").removesuffix("%").strip()
        try:
            points = money.parse_fen(text)
        except ValueError:
            points = -1
        if not 0 <= points <= 10_000:
            raise ValidationError(N_("A percentage from 0 to 100, such as 10 or 12.5."))
        return points


class SheetDay(fields.Field[Any]):
    """A day, also where its hour stands behind it or it is written with strokes."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        text = str(value or "").strip()[:10].replace("/", "-").replace(".", "-").split(" ")[0]
        parts = text.split("-")
        try:
            day = date(*map(int, parts)) if len(parts) == 3 else None
        except ValueError:
            day = None
        if day is None or not 2015 <= day.year <= 2099:
            raise ValidationError(N_("A day such as 2026-11-23."))
        return day


class OrderRow(Input):
    number = Words(longest=60, required=True)
    counted_on = SheetDay(required=True)
    amount = Fen(low=0, required=True)
    returned = Fen(low=0, load_default=0)
    unit = Words(load_default="")
    fund = Words(load_default="")
    supplier = Words(load_default="")
    goods = Words(longest=500, load_default="")


class FilingRow(Input):
    unit = Words(load_default="")
    year = Whole(low=2015, high=2099, required=True)
    base = Fen(low=0, load_default=0)
    ratio = Percent(load_default=0)
    quota = Fen(low=0, required=True)


def read_orders(content: bytes, unit: Any) -> tuple[Mapping[int, Mapping[str, Any]], Sequence[RowError]]:
    """The rows that count, by their number in the sheet, and what is wrong. Raises SheetRefused."""
    rows = sheet_input.read(content, OrderRow(), ORDER_HEADINGS, prepare=_order_cells,
                            optional=("accepted_on", "ordered_on", "returned", "unit", "fund", "supplier", "goods",
                                       "state"))
    errors, seen = list(rows.errors), set()
    for number, row in rows.loaded.items():
        if row["unit"] and row["unit"] not in (unit.name, unit.short_name, unit.credit_code):
            errors.append(RowError(number, "unit", (OTHER_UNIT,)))
        if row["fund"] not in FUNDS:
            errors.append(RowError(number, "fund", (N_("Canteen, union or staff (食堂, 工会, 个人)."),)))
        if row["returned"] > row["amount"]:
            errors.append(RowError(number, "returned", (N_("More came back than was ordered."),)))
        if row["number"] in seen:
            errors.append(RowError(number, "number", (N_("This order number stands in the table twice."),)))
        seen.add(row["number"])
    return rows.loaded, sorted(errors, key=lambda error: error.number)


def _order_cells(cells: dict[str, str]) -> dict[str, str] | None:
    """Cancelled orders are set aside; amounts may carry a sign and thousands commas."""
    if cells.get("state", "").strip() in NOT_COUNTED:
        return None
    kept = {name: _plain(cell) if name in ("amount", "returned") else cell
            for name, cell in cells.items() if name not in ("returned", "accepted_on", "ordered_on", "state") or cell}
    return kept | {"counted_on": kept.get("accepted_on") or kept.get("ordered_on") or ""}


def read_filing(content: bytes, unit: Any) -> tuple[Mapping[int, Mapping[str, Any]], Sequence[RowError]]:
    """The unit's filings at 832 by year. Raises SheetRefused."""
    rows = sheet_input.read(content, FilingRow(), FILING_HEADINGS, optional=("unit", "base", "ratio"),
                            prepare=lambda cells: {name: _plain(cell) if name in ("base", "quota") else cell
                                                   for name, cell in cells.items() if cell})
    errors = [*rows.errors, *(RowError(number, "unit", (OTHER_UNIT,)) for number, row in rows.loaded.items()
                              if row["unit"] and row["unit"] not in (unit.name, unit.short_name, unit.credit_code))]
    return rows.loaded, errors


def _plain(cell: str) -> str:
    if isinstance(cell, sheet_input.Formula):
        return cell
    return cell.replace(",", "").replace(",", "").removeprefix("¥").removeprefix("¥").removesuffix("元").strip()


def keep_orders(rows: Mapping[int, Mapping[str, Any]], file_name: str, by: Visitor) -> tuple[int, int]:
    """Write all rows; a number that is there already takes the newest amounts and counts once. New and changed rows."""
    unit_id = by.organisation_id
    rules.unit(unit_id)
    session, table = db.session(), db.table(OutsideOrder)
    known = {row.number: row for row in session.execute(select(table).where(table.c.unit_id == unit_id))}
    upload_id = _upload("orders", len(rows), file_name, by)
    new, changed = 0, 0
    for row in sorted(rows.values(), key=lambda one: one["number"]):
        values = {"unit_id": unit_id, "number": row["number"], "counted_on": row["counted_on"],
                  "amount_fen": row["amount"], "returned_fen": row["returned"], "fund_source": FUNDS[row["fund"]],
                  "supplier": row["supplier"], "goods": row["goods"]}
        before = known.get(row["number"])
        if before is not None and all(getattr(before, name) == value for name, value in values.items()):
            continue
        session.execute(db.insert_or_update(OutsideOrder, "unit_id", "number"), [values | {"upload_id": upload_id}])
        new, changed = new + (before is None), changed + (before is not None)
        if before is not None:
            journal.record("quota_832.changed", "quota_832_order", before.id, by, before=before.amount_fen,
                           after=row["amount"], returned=row["returned"])
    _close_upload(upload_id, new, changed, by)
    return new, changed


def keep_filings(rows: Mapping[int, Mapping[str, Any]], file_name: str, by: Visitor) -> tuple[int, int]:
    """Write what was filed at 832; a year that is there already takes the newest words."""
    rules.unit(by.organisation_id)
    session = db.session()
    known = set(session.scalars(select(OutsideFiling.year).where(OutsideFiling.unit_id == by.organisation_id)))
    upload_id = _upload("filing", len(rows), file_name, by)
    for row in rows.values():
        session.execute(db.insert_or_update(OutsideFiling, "unit_id", "year"), [{
            "unit_id": by.organisation_id, "year": row["year"], "base_fen": row["base"], "points": row["ratio"],
            "quota_fen": row["quota"], "upload_id": upload_id}])
    years = {row["year"] for row in rows.values()}
    _close_upload(upload_id, len(years - known), len(years & known), by)
    return len(years - known), len(years & known)


def _upload(kind: str, rows: int, file_name: str, by: Visitor) -> int:
    row = QuotaUpload(unit_id=by.organisation_id, kind=kind, file_name=file_name[:200], rows=rows, new_rows=0,
                      changed_rows=0, sent_by=by.id, sent_at=clock.now())
    db.session().add(row)
    db.session().flush()
    return row.id


def _close_upload(upload_id: int, new: int, changed: int, by: Visitor) -> None:
    row = db.session().get_one(QuotaUpload, upload_id)
    row.new_rows, row.changed_rows = new, changed
    journal.record("quota_832.uploaded", "quota_upload", upload_id, by, new=new, changed=changed)


READ = {"orders": (read_orders, keep_orders), "filing": (read_filing, keep_filings)}
