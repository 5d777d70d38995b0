"""Tables of the papers of trade: frame contracts, monthly statements, invoices with their requests, bundles."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

FRAME_STATES = ("drafted", "signed", "ended")
STATEMENT_STATES = ("issued", "confirmed", "objected")
REQUEST_STATES = ("asked", "invoiced", "cancelled")
INVOICE_STATES = ("matched", "differs", "accepted", "refused", "replaced")
BUNDLE_STATES = ("queued", "making", "done", "failed")
MOST_PAYMENT_DAYS = 60  # 保障中小企业款项支付条例 (国务院令第802号)
USUAL_PAYMENT_DAYS = 30


class FrameContract(Base):
    """框架合同: one unit, one co-operative, one year; the orders placed in its time are its call-offs."""

    __tablename__ = "frame_contract"
    __table_args__ = (
        Index("uq_frame_contract_holds", "unit_id", "supplier_id", "year", unique=True,
              sqlite_where=text("state <> 'ended'"), postgresql_where=text("state <> 'ended'")),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint(f"payment_days BETWEEN 1 AND {MOST_PAYMENT_DAYS}", name="payment_days"),
        CheckConstraint("state <> 'signed' OR (unit_scan_id IS NOT NULL AND supplier_scan_id IS NOT NULL)",
                        name="both_signed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    year: Mapped[int]
    first_day: Mapped[date]
    last_day: Mapped[date]
    payment_days: Mapped[int]
    price_rule: Mapped[str]
    state: Mapped[str] = mapped_column(choice("state", *FRAME_STATES))
    drafted_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    drafted_at: Mapped[datetime]
    unit_scan_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    supplier_scan_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    signed_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(default="")


class FrameCallOff(Base):
    """An order placed under a frame contract; written once, when it was placed or when the contract was signed."""

    __tablename__ = "frame_call_off"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), unique=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("frame_contract.id"), index=True)


class Statement(Base):
    """对账单: what lies between a unit and a co-operative in a month that is over; frozen when issued."""

    __tablename__ = "statement"
    __table_args__ = (
        UniqueConstraint("unit_id", "supplier_id", "month"),
        Index("ix_statement_supplier", "supplier_id", "month"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    month: Mapped[str] = mapped_column(String(7))
    opening_fen: Mapped[int]  # what the unit owed before; below zero: it had paid ahead
    closing_fen: Mapped[int]
    state: Mapped[str] = mapped_column(choice("state", *STATEMENT_STATES))
    issued_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    issued_at: Mapped[datetime]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class StatementLine(Base):
    """One order's movements of one day and kind. Above zero the unit owes more, below zero less."""

    __tablename__ = "statement_line"
    __table_args__ = (CheckConstraint("amount_fen <> 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("statement.id"), index=True)
    event: Mapped[str] = mapped_column(String(24))  # one of the ledger's
    business_date: Mapped[date]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"), index=True)
    amount_fen: Mapped[int]


class InvoiceTitle(Base):
    """发票抬头: how a unit wants to stand on its invoices."""

    __tablename__ = "invoice_title"

    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, autoincrement=False)
    name: Mapped[str]
    tax_number: Mapped[str] = mapped_column(String(18))
    address: Mapped[str]
    phone: Mapped[str]
    bank_name: Mapped[str]
    bank_account: Mapped[str]
    changed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    changed_at: Mapped[datetime]


class InvoiceRequest(Base):
    """开票申请: for an order or for a whole statement, with the title as it was on that day."""

    __tablename__ = "invoice_request"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_invoice_request_unit", "unit_id", "id"),
        Index("ix_invoice_request_supplier", "supplier_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    statement_id: Mapped[int | None] = mapped_column(ForeignKey("statement.id"), index=True)
    amount_fen: Mapped[int]
    exempt: Mapped[bool]
    name: Mapped[str]
    tax_number: Mapped[str] = mapped_column(String(18))
    address: Mapped[str]
    phone: Mapped[str]
    bank_name: Mapped[str]
    bank_account: Mapped[str]
    remark: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(choice("state", *REQUEST_STATES))
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[datetime]


class InvoiceRequestOrder(Base):
    """What of a request is for which order."""

    __tablename__ = "invoice_request_order"
    __table_args__ = (UniqueConstraint("request_id", "order_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("invoice_request.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    amount_fen: Mapped[int]


class Invoice(Base):
    """数电票: what the co-operative sent for a request. A wrong one is replaced with a red number, never deleted."""

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(state = 'replaced') = (red_number IS NOT NULL)", name="red"),
        Index("uq_invoice_counts", "request_id", unique=True,
              sqlite_where=text("state <> 'replaced'"), postgresql_where=text("state <> 'replaced'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("invoice_request.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    amount_fen: Mapped[int]
    issued_on: Mapped[date]
    exempt: Mapped[bool]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    state: Mapped[str] = mapped_column(choice("state", *INVOICE_STATES))
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"), unique=True)
    red_number: Mapped[str | None] = mapped_column(String(20), unique=True)
    sent_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    sent_at: Mapped[datetime]
    replace_by: Mapped[date]  # should it be wrong: seven working days after it came
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class PaperBundle(Base):
    """All papers of a month in one ZIP, made by the worker."""

    __tablename__ = "paper_bundle"
    __table_args__ = (CheckConstraint("0 <= done AND done <= whole", name="progress"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    month: Mapped[str] = mapped_column(String(7))
    state: Mapped[str] = mapped_column(choice("state", *BUNDLE_STATES))
    done: Mapped[int] = mapped_column(default=0)
    whole: Mapped[int] = mapped_column(default=0)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[datetime]
