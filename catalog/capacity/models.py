"""Tables of capacity: a good's season, its villages, what was asked for and answered, with photos."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

OPEN = text("decided_at IS NULL")


class SeasonCapacity(Base):
    """A season of a good, first and last day included; seasons of one good never share a day (capacity.asking).

    approved_grams is the sum over its villages, 0 while nothing is approved: then sales are counted, not bounded.
    sold_grams: of every order line delivered in the season, what was ordered, once accepted at most what was accepted;
    nothing of cancelled orders. ceiling_grams is what the constraint holds: approved, or what was already sold when
    less than that was approved.
    """

    __tablename__ = "season_capacity"
    __table_args__ = (
        UniqueConstraint("product_id", "first_day"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("approved_grams >= 0 AND approved_grams <= ceiling_grams", name="approved"),
        CheckConstraint("sold_grams >= 0 AND (approved_grams = 0 OR sold_grams <= ceiling_grams)", name="sold"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    name: Mapped[str] = mapped_column(String(40))
    first_day: Mapped[date]
    last_day: Mapped[date]
    approved_grams: Mapped[int] = mapped_column(default=0)
    ceiling_grams: Mapped[int] = mapped_column(default=0)
    sold_grams: Mapped[int] = mapped_column(default=0)


class VillageCapacity(Base):
    """What one village may bring of a good in a season. booked_grams: harvests booked for it, by harvest date.

    A row without approval appears when a village brings goods in a season of which others were approved.
    """

    __tablename__ = "village_capacity"
    __table_args__ = (
        UniqueConstraint("season_id", "village_id"),
        CheckConstraint("approved_grams >= 0 AND approved_grams <= ceiling_grams", name="approved"),
        CheckConstraint("booked_grams >= 0 AND (approved_grams = 0 OR booked_grams <= ceiling_grams)", name="booked"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    season_id: Mapped[int] = mapped_column(ForeignKey("season_capacity.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    approved_grams: Mapped[int] = mapped_column(default=0)
    ceiling_grams: Mapped[int] = mapped_column(default=0)
    booked_grams: Mapped[int] = mapped_column(default=0)


class CapacityRequest(Base):
    """What a co-operative asked for, and the county's answer; never changed afterwards, only followed by the next.

    A raise asks for a new figure instead of the approved one. One request of a village's season is open at a time.
    """

    __tablename__ = "capacity_request"
    __table_args__ = (
        CheckConstraint("asked_grams > 0 AND (area_mu_milli IS NULL OR area_mu_milli > 0)", name="asked"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
                        name="decided"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="second_person"),
        CheckConstraint("granted_grams >= 0 AND granted_grams <= asked_grams", name="granted"),
        Index("uq_capacity_request_open", "village_capacity_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    village_capacity_id: Mapped[int] = mapped_column(ForeignKey("village_capacity.id"), index=True)
    kind: Mapped[str] = mapped_column(choice("kind", "declared", "raise"))
    asked_grams: Mapped[int]
    area_mu_milli: Mapped[int | None]  # 1 mu is a fifteenth of a hectare
    yield_grams_per_mu: Mapped[int | None]
    basis: Mapped[str]  # how the figure comes about, in words
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[datetime]
    due_on: Mapped[date]
    decision: Mapped[str | None] = mapped_column(choice("decision", "approved", "refused"))
    granted_grams: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]


class CapacityPhoto(Base):
    """A picture of the field, the barn or the paper that a request brings along."""

    __tablename__ = "capacity_photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("capacity_request.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
