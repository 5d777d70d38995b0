"""Tables about declared income beside the declaration: what takes a part of it back, and shares that are proposed."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base

WAITS = text("confirmed_at IS NULL AND refused_at IS NULL")
OPEN = text("confirmed_at IS NULL AND refused_at IS NULL AND withdrawn_at IS NULL")


class IncomeCorrection(Base):
    """A confirmed declaration that said too much: so much of it is taken back once the village confirms it."""

    __tablename__ = "income_correction"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name="second_person"),
        CheckConstraint("refused_at IS NULL OR confirmed_at IS NULL", name="one_end"),
        CheckConstraint("(confirmed_at IS NULL) = (business_date IS NULL)", name="dated"),
        Index("ix_income_correction_declaration_id", "declaration_id"),
        Index("uq_income_correction_waiting", "declaration_id", unique=True, sqlite_where=WAITS,
              postgresql_where=WAITS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("income_declaration.id"))
    amount_fen: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    business_date: Mapped[date | None]
    refused_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    refused_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(String(200), default="")


class CollectiveProposal(Base):
    """A share (hundredths of a percent) that a co-operative proposes to a village's collective.

    With the record of the decision, and its number; it becomes an agreement when a person of the village confirms it.
    """

    __tablename__ = "collective_proposal"
    __table_args__ = (
        CheckConstraint("basis_points BETWEEN 0 AND 5000", name="points"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> proposed_by", name="second_person"),
        CheckConstraint("(confirmed_at IS NULL) = (agreement_id IS NULL)", name="agreed"),
        Index("ix_collective_proposal_supplier_id", "supplier_id"),
        Index("ix_collective_proposal_village_id", "village_id"),
        Index("uq_collective_proposal_open", "supplier_id", "village_id", unique=True, sqlite_where=OPEN,
              postgresql_where=OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    basis_points: Mapped[int]
    valid_from: Mapped[date]
    decision_no: Mapped[str] = mapped_column(String(60))
    evidence_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    proposed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    agreement_id: Mapped[int | None] = mapped_column(ForeignKey("collective_agreement.id"))
    refused_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    refused_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(String(200), default="")
    withdrawn_at: Mapped[datetime | None]
