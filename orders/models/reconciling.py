"""Tables of reconciliation: what was compared on which night, and what somebody has to look at."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

TASK_KINDS = (
    "missing_event",  # paid at the provider, its bell never came: booked by looking; kept to show it
    "foreign_charge",  # money on the co-operative's account that no order asked for
    "amount_differs", "charge_differs",  # another amount; another currency, mode or order
    "provider_refund", "dispute",  # made or opened at the provider, not here
    "paid_late",  # money for an order that is closed
    "refund_failed", "books_differ", "claim_without_bank", "account_lost",
)
TASK_STATES = ("open", "healed", "settled")


class Reconciliation(Base):
    """对账: one night's comparison of a scope, with the lists that were compared kept as a file."""

    __tablename__ = "reconciliation"
    __table_args__ = (Index("ix_reconciliation_day", "scope", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(choice("scope", "card", "bank"))
    day: Mapped[date]
    first_day: Mapped[date]
    last_day: Mapped[date]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    compared: Mapped[int] = mapped_column(default=0)
    differences: Mapped[int] = mapped_column(default=0)
    healed: Mapped[int] = mapped_column(default=0)
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    error: Mapped[str] = mapped_column(default="")
    occasion: Mapped[str | None] = mapped_column(String(60), unique=True)  # a night begins one run, wherever it rings


class MoneyTask(Base):
    """Something about money that a person has to look at. The same thing found again is the first task."""

    __tablename__ = "money_task"
    __table_args__ = (UniqueConstraint("kind", "thing"), Index("ix_money_task_state", "state", "supplier_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(choice("kind", *TASK_KINDS))
    thing: Mapped[str] = mapped_column(String(120))  # what it is about: a charge, a dispute, a claim's number
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"), index=True)
    card_payment_id: Mapped[int | None] = mapped_column(ForeignKey("card_payment.id"))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("payment_claim.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    amount_fen: Mapped[int | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(choice("state", *TASK_STATES))
    found_at: Mapped[datetime]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    settled_at: Mapped[datetime | None]
    remark: Mapped[str] = mapped_column(default="")
