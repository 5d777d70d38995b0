"""Tables of standing orders: plans, their goods by weekday, and what came of each day."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from orders.states import FUND_SOURCES, WINDOWS

STATES = ("draft", "waiting", "active", "paused", "ended")
OUTCOMES = ("placed", "nothing", "skipped", "failed", "missed")
LINE_OUTCOMES = ("ordered", "paused", "short")
KIND = "standing_plan"  # in the journal
# acts after which one is a maker of the plan: never its second person, and neither approver, receiver nor payer of runs
MAKING = ("standing.drafted", "standing.changed", "standing.started", "standing.ceiling_raised",
          "standing.price_taken_once", "standing.taken_over")
DUE = text("next_due_at IS NOT NULL")


class StandingPlan(Base):
    """What a unit orders on its weekdays, from its first to its last day of delivery, both included.

    A day's order is made `days_ahead` days before it, at `cut_off_hour` in Shanghai. `year_limit_fen` is the most that
    it may order for delivery in one calendar year. An approval names its content by `approved_hash` (contents.py).
    """

    __tablename__ = "standing_plan"
    __table_args__ = (
        CheckConstraint("days_ahead BETWEEN 1 AND 14 AND cut_off_hour BETWEEN 0 AND 23", name="cut_off"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("year_limit_fen >= 0", name="year"),
        CheckConstraint("approved_by IS NULL OR approved_by <> owner_id", name="second_person"),
        CheckConstraint("(approved_by IS NULL) = (approved_hash IS NULL)", name="approved"),
        CheckConstraint("(next_day IS NULL) = (next_due_at IS NULL) AND (state = 'active' OR next_day IS NULL)",
                        name="next"),
        Index("ix_standing_plan_unit", "unit_id", "id"),
        Index("ix_standing_plan_due", "next_due_at", sqlite_where=DUE, postgresql_where=DUE),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    budget_unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"))  # in whose name it orders
    name: Mapped[str] = mapped_column(String(80))
    delivery_point_id: Mapped[int] = mapped_column(ForeignKey("delivery_point.id"))
    delivery_window: Mapped[str] = mapped_column(choice("delivery_window", *WINDOWS))
    fund_source: Mapped[str] = mapped_column(choice("fund_source", *FUND_SOURCES))
    days_ahead: Mapped[int]
    cut_off_hour: Mapped[int]
    first_day: Mapped[date]
    last_day: Mapped[date]
    skip_holidays: Mapped[bool]
    year_limit_fen: Mapped[int]
    state: Mapped[str] = mapped_column(choice("state", *STATES), default="draft")
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]
    approved_hash: Mapped[str | None] = mapped_column(String(64))
    next_day: Mapped[date | None]
    next_due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StandingLine(Base):
    """A good of a plan, the highest price per sales unit at which it is ordered, and whether a substitute may come.

    asked_fen: the price that was above the ceiling at the last run: the line stands still and asks. once_fen: a price
    above the ceiling that the buyer takes for the next run alone.
    """

    __tablename__ = "standing_line"
    __table_args__ = (
        UniqueConstraint("plan_id", "product_id"),
        CheckConstraint("ceiling_fen > 0 AND once_fen > 0 AND asked_fen > 0", name="prices"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("standing_plan.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    ceiling_fen: Mapped[int]
    substitutes: Mapped[bool]
    asked_fen: Mapped[int | None]
    once_fen: Mapped[int | None]


class StandingQuantity(Base):
    """How much of a good on a weekday, 0 for Monday to 6 for Sunday; thousandths of its unit."""

    __tablename__ = "standing_quantity"
    __table_args__ = (
        UniqueConstraint("line_id", "weekday"),
        CheckConstraint("milli > 0 AND weekday BETWEEN 0 AND 6", name="quantity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("standing_line.id", ondelete="CASCADE"))
    weekday: Mapped[int]
    milli: Mapped[int]


class StandingRun(Base):
    """What came of a plan's day of delivery. One row per plan and day: whoever inserts it makes the day's order.

    A refusal's sentence is kept in both languages, as it was.
    """

    __tablename__ = "standing_run"
    __table_args__ = (
        UniqueConstraint("plan_id", "day"),
        CheckConstraint("(outcome = 'placed') = (purchase_id IS NOT NULL)", name="placed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("standing_plan.id"))
    day: Mapped[date]
    outcome: Mapped[str] = mapped_column(choice("outcome", *OUTCOMES))
    made_at: Mapped[datetime]
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("purchase.id"), unique=True)
    total_fen: Mapped[int] = mapped_column(default=0)
    refusal_zh: Mapped[str] = mapped_column(default="")
    refusal_en: Mapped[str] = mapped_column(default="")


class StandingRunLine(Base):
    """What came of one good in a run: ordered, above its ceiling, or not to be had."""

    __tablename__ = "standing_run_line"
    __table_args__ = (UniqueConstraint("run_id", "product_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("standing_run.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    outcome: Mapped[str] = mapped_column(choice("outcome", *LINE_OUTCOMES))
    milli: Mapped[int]
    price_fen: Mapped[int | None]  # of that moment; none where it was not on sale
    ceiling_fen: Mapped[int]
    reason_zh: Mapped[str] = mapped_column(default="")
    reason_en: Mapped[str] = mapped_column(default="")
