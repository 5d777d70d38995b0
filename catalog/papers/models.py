"""Tables of the certificate vault."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice


class Paper(Base):
    """A certificate of a supplier, of one of its products or of a lot. A newer one is a further row; none is changed.

    It counts from its upload on; the county's agriculture office marks it checked, or refuses it: then it never counts.
    """

    __tablename__ = "paper"
    __table_args__ = (
        CheckConstraint("product_id IS NULL OR lot_id IS NULL", name="about"),
        CheckConstraint("valid_until IS NULL OR valid_until >= issued_on", name="days"),
        CheckConstraint("(state = 'unchecked') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(state = 'refused') = (reason <> '')", name="reason"),
        Index("ix_paper_supplier", "supplier_id", "kind", "valid_until"),
        Index("ix_paper_state", "state", "valid_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    number: Mapped[str] = mapped_column(String(60))
    issuer: Mapped[str] = mapped_column(String(80))
    issued_on: Mapped[date]
    valid_until: Mapped[date | None]  # the last day on which it holds; none: for good
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    added_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    added_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(choice("state", "unchecked", "checked", "refused"), default="unchecked")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(200), default="")


class PaperReminder(Base):
    """That a supplier was reminded so many days before a paper ends: once for each."""

    __tablename__ = "paper_reminder"
    __table_args__ = (UniqueConstraint("paper_id", "days"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int] = mapped_column(ForeignKey("paper.id"))
    days: Mapped[int]
    sent_at: Mapped[datetime]
