"""Tables of what stands out: cases, the orders they touch, what co-operatives answered, orders held out of figures."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

STATES = ("open", "answered", "cleared", "upheld")
UNDECIDED = ("open", "answered")
DECISIONS = ("cleared", "upheld")
_STANDS = text("released_at IS NULL")


class AnomalyCase(Base):
    """Something that stood out, found once under its key. A sign, not a proof, until an official has decided.

    `value` is a msgid with its `facts`; `evidence` lists rows as (kind, number, fen, day), as they stood when found.
    A grave case needs two persons: one proposes a decision with words, another one decides.
    """

    __tablename__ = "anomaly_case"
    __table_args__ = (
        UniqueConstraint("kind", "key"),
        CheckConstraint("(state IN ('cleared', 'upheld')) = (decided_at IS NOT NULL)", name="decided"),
        CheckConstraint("proposal IS NULL OR proposed_by IS NOT NULL", name="proposed"),
        CheckConstraint("NOT grave OR decided_by IS NULL OR (proposed_by IS NOT NULL AND decided_by <> proposed_by)",
                        name="second_person"),
        Index("ix_anomaly_case_state", "state", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    key: Mapped[str] = mapped_column(String(120))
    grave: Mapped[bool]
    object: Mapped[str]
    value: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    evidence: Mapped[list[Any]] = mapped_column(JSON)
    day: Mapped[date]  # of what stood out
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    rule_version: Mapped[int]
    found_at: Mapped[datetime]
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(choice("state", *STATES), default="open")
    proposal: Mapped[str | None] = mapped_column(choice("proposal", *DECISIONS))
    note: Mapped[str] = mapped_column(default="")
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]


class AnomalyCaseOrder(Base):
    """An order that a case touches."""

    __tablename__ = "anomaly_case_order"

    case_id: Mapped[int] = mapped_column(ForeignKey("anomaly_case.id"), primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), primary_key=True, autoincrement=False, index=True)


class AnomalyAnswer(Base):
    """What a co-operative says to a case, with a paper where it has one; never changed, only followed by the next."""

    __tablename__ = "anomaly_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("anomaly_case.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    words: Mapped[str]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"), index=True)
    answered_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime]


class OrderHold(Base):
    """An order whose amounts are held out of public figures by a grave case, until it is released.

    `order_number` is what the ledger's transfers name. `for_good`: the case was upheld, so it is never released.
    """

    __tablename__ = "order_hold"
    __table_args__ = (
        CheckConstraint("NOT for_good OR released_at IS NULL", name="for_good"),
        Index("ix_order_hold_standing", "order_number", sqlite_where=_STANDS, postgresql_where=_STANDS),
    )

    case_id: Mapped[int] = mapped_column(ForeignKey("anomaly_case.id"), primary_key=True, autoincrement=False)
    order_number: Mapped[str] = mapped_column(String(24), primary_key=True)
    held_at: Mapped[datetime]
    for_good: Mapped[bool] = mapped_column(default=False)
    released_at: Mapped[datetime | None]
