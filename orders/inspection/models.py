"""The table of the inspection book. Rows are written once; the database refuses changes, and early deletion."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from orders.inspection.retention import RULES

RESULTS = ("accepted", "short", "over", "rejected")
SOURCES = ("here", "elsewhere")


class InspectionRecord(Base):
    """What came of one lot of one good: two inspectors, papers, result, and the day until which the row must stay.

    `here`: written with an acceptance. `elsewhere`: goods bought in another way, typed in; they are no sale and have
    no price. Names and numbers are copied, so that later renames change nothing.
    """

    __tablename__ = "inspection_record"
    __table_args__ = (
        UniqueConstraint("acceptance_line_id", "shipment_line_id"),
        Index("ix_inspection_record_book", "unit_id", "bought_on", "id"),
        Index("ix_inspection_record_day", "bought_on", "id"),
        CheckConstraint("(source = 'here') = (acceptance_line_id IS NOT NULL)", name="source_line"),
        CheckConstraint("(source = 'elsewhere') = (voucher_id IS NOT NULL)", name="voucher"),
        CheckConstraint("quantity_milli >= 0 AND rejected_milli >= 0 AND quantity_milli + rejected_milli > 0",
                        name="quantity"),
        CheckConstraint("first_inspector <> second_inspector", name="two_people"),
        CheckConstraint("keep_until >= bought_on", name="keeping"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    source: Mapped[str] = mapped_column(choice("source", *SOURCES))
    acceptance_line_id: Mapped[int | None] = mapped_column(ForeignKey("acceptance_line.id"))
    shipment_line_id: Mapped[int | None] = mapped_column(ForeignKey("shipment_line.id"), index=True)
    reference: Mapped[str] = mapped_column(String(40), default="")  # the order's number, or the voucher's
    bought_on: Mapped[date]
    product_name: Mapped[str]
    spec: Mapped[str] = mapped_column(String(40))  # 公斤, 箱（10 公斤）
    unit: Mapped[str] = mapped_column(String(16))  # what the quantities are counted in
    quantity_milli: Mapped[int]  # taken, in thousandths of the unit
    lot_code: Mapped[str] = mapped_column(String(40), default="")
    made_on: Mapped[date | None]
    best_before: Mapped[date | None]
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    supplier_name: Mapped[str]
    supplier_address: Mapped[str] = mapped_column(default="")
    supplier_contact: Mapped[str] = mapped_column(default="")
    certificates: Mapped[str] = mapped_column(default="")  # numbers, by comma
    first_inspector: Mapped[int] = mapped_column(ForeignKey("user.id"))
    second_inspector: Mapped[int] = mapped_column(ForeignKey("user.id"))
    first_name: Mapped[str]
    second_name: Mapped[str]
    result: Mapped[str] = mapped_column(choice("result", *RESULTS))
    rejected_milli: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(200), default="")
    temperature_tenths: Mapped[int | None]
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    keep_until: Mapped[date]  # the last day on which nobody can delete the row
    keep_rule: Mapped[str] = mapped_column(choice("keep_rule", *RULES))
    recorded_at: Mapped[datetime]
