"""Tables of payment runs: households' bank accounts, runs, and their lines."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from market.ledger import INCOME_KINDS

ACCOUNT_STATES = ("waiting", "current", "former", "refused")
LINE_WAYS = ("bank", "cash", "other")  # other: a transfer of its own, such as the collective's
LINE_STATES = ("open", "paid", "disputed", "failed", "confirmed", "cancelled")
RESERVING = ("open", "paid", "disputed")  # money that is on its way and cannot stand in another run
FAILURES = ("wrong_account", "returned", "not_sent", "other")


class HouseholdAccount(Base):
    """A household's bank account as one co-operative knows it. Never changed: a new one takes its place.

    Entered by one person of the co-operative, confirmed by a second one. The number is shown by its last four digits;
    every look at the whole of it is journalled.
    """

    __tablename__ = "household_account"
    __table_args__ = (
        CheckConstraint("decided_by IS NULL OR decided_by <> entered_by", name="second_person"),
        CheckConstraint("(decided_by IS NULL) = (state = 'waiting')", name="decided"),
        Index("uq_household_account_current", "supplier_id", "household_id", unique=True,
              sqlite_where=text("state = 'current'"), postgresql_where=text("state = 'current'")),
        Index("uq_household_account_waiting", "supplier_id", "household_id", unique=True,
              sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), index=True)
    holder: Mapped[str] = mapped_column(String(40))
    bank: Mapped[str] = mapped_column(String(60))
    number: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(choice("state", *ACCOUNT_STATES), default="waiting")
    entered_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]


class PayoutRun(Base):
    """Money that a co-operative hands on to households and collectives in one go; two persons of the co-operative.

    How far it has come is read from these moments and its lines: orders/payouts/lists.py.
    """

    __tablename__ = "payout_run"
    __table_args__ = (
        CheckConstraint("approved_by IS NULL OR approved_by <> built_by", name="second_person"),
        CheckConstraint("cancelled_at IS NULL OR exported_at IS NULL", name="one_end"),
        CheckConstraint("exported_at IS NULL OR approved_at IS NOT NULL", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    note: Mapped[str] = mapped_column(String(200), default="")
    built_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    built_at: Mapped[datetime]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]  # the first time
    cancelled_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    cancelled_at: Mapped[datetime | None]


class PayoutRunLine(Base):
    """What one household (or, without one, the collective) gets of one kind of income in a run.

    open -> paid (with proof) -> confirmed by the village, which books it; or failed, or disputed by the village.
    """

    __tablename__ = "payout_run_line"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(income_kind = 'collective') = (household_id IS NULL)", name="receiver"),
        CheckConstraint("state NOT IN ('paid', 'disputed', 'confirmed') OR (paid_on IS NOT NULL AND "
                        "proof_id IS NOT NULL)", name="proof"),
        CheckConstraint("(state = 'confirmed') = (payout_line_id IS NOT NULL)", name="booked"),
        Index("ix_payout_run_line_state", "village_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("payout_run.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"), index=True)
    income_kind: Mapped[str] = mapped_column(choice("income_kind", *INCOME_KINDS))
    amount_fen: Mapped[int]
    way: Mapped[str] = mapped_column(choice("way", *LINE_WAYS))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("household_account.id"))
    state: Mapped[str] = mapped_column(choice("state", *LINE_STATES), default="open")
    paid_on: Mapped[date | None]
    proof_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    failure: Mapped[str | None] = mapped_column(choice("failure", *FAILURES))
    note: Mapped[str] = mapped_column(String(200), default="")  # why it failed, or what the village says
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    payout_line_id: Mapped[int | None] = mapped_column(ForeignKey("payout_line.id"), unique=True)
