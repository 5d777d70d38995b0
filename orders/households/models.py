"""Tables of the household room: cost ratios, monitoring lines, changes of class, who looked at a full name."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from market.households import CLASSES

CHANGE_STATES = ("set", "waiting", "confirmed", "refused")


class CostRatio(Base):
    """What of the gross income from a category is taken to be cost, in hundredths of a percent, from a year on.

    The year is that of the card, October to September, by its last month. Used to estimate net income, for nothing
    else. The newest row of a category and year counts; earlier ones stay.
    """

    __tablename__ = "cost_ratio"
    __table_args__ = (
        CheckConstraint("points BETWEEN 0 AND 10000", name="points"),
        Index("ix_cost_ratio_category", "category", "valid_from"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(String(32))
    points: Mapped[int]
    valid_from: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))
    set_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    set_at: Mapped[datetime]


class MonitoringLine(Base):
    """防返贫监测线 of a county or city in a year (fen per head), as its official entered it; none is shipped.

    A note on a card, compared with nothing: what comes through this platform is not a household's income. The newest
    row of an area and year counts.
    """

    __tablename__ = "monitoring_line"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),
                      Index("ix_monitoring_line_area", "division_id", "year"))

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    year: Mapped[int]
    amount_fen: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    set_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    set_at: Mapped[datetime]


class HouseholdClassChange(Base):
    """A class said of a household for a year: set at once where nothing changes, else proposed and confirmed.

    At most one waits for each household and year. `before` is the newest class known up to that year.
    """

    __tablename__ = "household_class_change"
    __table_args__ = (
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="second_person"),
        CheckConstraint("(state IN ('confirmed', 'refused')) = (decided_by IS NOT NULL)", name="decided"),
        Index("uq_household_class_change_waiting", "household_id", "year", unique=True,
              sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
        Index("ix_household_class_change_household_id", "household_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    year: Mapped[int]
    before: Mapped[str | None] = mapped_column(choice("before", *CLASSES))
    after: Mapped[str] = mapped_column(choice("after", *CLASSES))
    source: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(choice("state", *CHANGE_STATES), index=True)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(String(200), default="")


class NameReveal(Base):
    """Somebody of an office has looked at the full name of a household; each look is one row."""

    __tablename__ = "name_reveal"

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), index=True)
    revealed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    revealed_at: Mapped[datetime]
    purpose: Mapped[str] = mapped_column(String(100))
