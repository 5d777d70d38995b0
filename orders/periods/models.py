"""Tables of month close: who proposed to close or reopen a month, who confirmed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

OUTCOMES = ("confirmed", "withdrawn")


class PeriodProposal(Base):
    """A first person's wish to close a month or to open it again; a second person confirms, any of them withdraws.

    `number` is that of the act it becomes in ledger_period: odd closes, even reopens. `waiting` is what still waited in
    the month when it was proposed, counts by key.
    """

    __tablename__ = "period_proposal"
    __table_args__ = (
        Index("uq_period_proposal_open", "period", unique=True, sqlite_where=text("outcome IS NULL"),
              postgresql_where=text("outcome IS NULL")),
        Index("uq_period_proposal_act", "period", "number", unique=True, sqlite_where=text("outcome = 'confirmed'"),
              postgresql_where=text("outcome = 'confirmed'")),
        CheckConstraint("outcome IS NULL OR outcome <> 'confirmed' OR decided_by <> proposed_by", name="second_person"),
        CheckConstraint("(outcome IS NULL) = (decided_by IS NULL) AND (outcome IS NULL) = (decided_at IS NULL)",
                        name="decided"),
        CheckConstraint("number % 2 = 1 OR reason <> ''", name="reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(String(7))
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(String(300))
    waiting: Mapped[dict[str, Any]] = mapped_column(JSON)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(choice("outcome", *OUTCOMES))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
