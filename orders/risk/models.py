"""Tables of risk signals: what the night found month by month, and the matter that offices handle."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

KINDS = ("fallen", "stopped", "unpaid", "weak")
STATES = ("open", "closing", "closed")


class RiskCase(Base):
    """One kind of signal about one household, or with none about one village: who handles it, till when, its outcome.

    A later month's signal opens a closed one again. `subject` is 'household:12' or 'village:5'.
    """

    __tablename__ = "risk_case"
    __table_args__ = (
        UniqueConstraint("kind", "subject"),
        CheckConstraint("closed_by IS NULL OR closed_by <> closing_by", name="second_person"),
        CheckConstraint("(state = 'open') = (closing_by IS NULL)", name="closing"),
        CheckConstraint("(state = 'closed') = (closed_by IS NOT NULL)", name="closed"),
        Index("ix_risk_case_village", "village_id", "state"),
        Index("ix_risk_case_due", "state", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(choice("kind", *KINDS))
    subject: Mapped[str] = mapped_column(String(40))
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"), index=True)
    state: Mapped[str] = mapped_column(choice("state", *STATES))
    opened_on: Mapped[date]
    reopened_on: Mapped[date | None]
    due_on: Mapped[date]
    told_for: Mapped[date | None]  # the due date of which an office has been told
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    office_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))  # of the handler
    measures: Mapped[str] = mapped_column(String(1000), default="")
    outcome: Mapped[str] = mapped_column(String(400), default="")
    closing_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]


class RiskSignal(Base):
    """What a night found, in fen; one for each kind, subject and period, whoever looks and however often.

    `period` is a month, for the 50,000-yuan line a year. Compared: `now_fen` with `before_fen`, over the months named.
    """

    __tablename__ = "risk_signal"
    __table_args__ = (UniqueConstraint("kind", "subject", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("risk_case.id"), index=True)
    kind: Mapped[str] = mapped_column(choice("kind", *KINDS))
    subject: Mapped[str] = mapped_column(String(40))
    period: Mapped[str] = mapped_column(String(7))
    now_fen: Mapped[int]
    before_fen: Mapped[int]
    first_month: Mapped[str] = mapped_column(String(7))
    last_month: Mapped[str] = mapped_column(String(7))
    found_on: Mapped[date]
