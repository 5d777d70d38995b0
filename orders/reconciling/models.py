"""Table of what a night compared for one co-operative."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base


class ReconciledPart(Base):
    """One co-operative's part of a run: one account at the card provider, or its bank statements ('').

    The next run of an account covers again what follows `until` of its last part without an error.
    """

    __tablename__ = "reconciled_part"
    __table_args__ = (UniqueConstraint("run_id", "supplier_id", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("reconciliation.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    account_id: Mapped[str] = mapped_column(String(80), default="", index=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    compared: Mapped[int] = mapped_column(default=0)
    differences: Mapped[int] = mapped_column(default=0)
    healed: Mapped[int] = mapped_column(default=0)
    theirs_fen: Mapped[int] = mapped_column(default=0)  # by provider or bank, less what went back
    ours_fen: Mapped[int] = mapped_column(default=0)  # in the ledger, less what went back
    unknown: Mapped[int] = mapped_column(default=0)  # bank rows that nobody has explained for days
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    error: Mapped[str] = mapped_column(default="")
