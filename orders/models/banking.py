"""Tables of bank statements: how a bank names its columns, uploads, their rows, each counted once."""

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

# what a row of money that came in was found to be
ROW_STATES = ("matched", "part", "over", "duplicate", "unknown", "closed", "ignored")


class BankMapping(Base):
    """Which heading of a bank's table means what; remembered for the next upload with the same headings."""

    __tablename__ = "bank_mapping"
    __table_args__ = (UniqueConstraint("supplier_id", "headings_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    headings_hash: Mapped[str] = mapped_column(String(64))
    bank_name: Mapped[str]
    columns: Mapped[dict[str, str]] = mapped_column(JSON)  # our name: the bank's heading
    changed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    changed_at: Mapped[datetime]


class BankStatement(Base):
    """银行流水: one uploaded table. The same file a second time is the first one."""

    __tablename__ = "bank_statement"
    __table_args__ = (UniqueConstraint("supplier_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    mapping_id: Mapped[int] = mapped_column(ForeignKey("bank_mapping.id"))
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    rows: Mapped[int]
    new_rows: Mapped[int]
    out_rows: Mapped[int] = mapped_column(default=0)  # money that went out, only counted
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    uploaded_at: Mapped[datetime]


class BankRow(Base):
    """Money that came in, as the bank wrote it. `checksum`: over what the bank says, and how often it says the same."""

    __tablename__ = "bank_row"
    __table_args__ = (
        UniqueConstraint("supplier_id", "checksum"),
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_bank_row_state", "supplier_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"), index=True)
    line: Mapped[int]  # in the file, the headings being line 1
    checksum: Mapped[str] = mapped_column(String(64))
    paid_on: Mapped[date]
    amount_fen: Mapped[int]
    payer_name: Mapped[str]
    payer_account: Mapped[str]
    remark: Mapped[str]
    serial: Mapped[str]  # the bank's own number of the movement
    state: Mapped[str] = mapped_column(choice("state", *ROW_STATES))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("payment_claim.id"), unique=True)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
