"""Tables of delivery terms: one row for each area a supplier drives to, and the days on which it stays at home."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base

OPEN = text("closed_at IS NULL")


class DeliveryTerms(Base):
    """How a supplier delivers in an area: a city, a county or a township, whatever lies in it included.

    Where several areas hold a delivery point the nearest counts. Weekdays are '1' (Monday) to '7', joined by commas.
    An order closes at `cut_off_hour` (1 to 24, Shanghai) of the day `cut_off_days` before the delivery.
    """

    __tablename__ = "delivery_terms"
    __table_args__ = (
        Index("uq_delivery_terms_open", "supplier_id", "area_id", unique=True, sqlite_where=OPEN,
              postgresql_where=OPEN),
        CheckConstraint("cut_off_hour BETWEEN 1 AND 24 AND cut_off_days BETWEEN 1 AND 14", name="cut_off"),
        CheckConstraint("minimum_fen >= 0 AND freight_fen >= 0", name="amounts"),
        CheckConstraint("free_from_fen IS NULL OR (free_from_fen > 0 AND freight_fen > 0)", name="free_from"),
        CheckConstraint("weekdays <> '' AND windows <> ''", name="times"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    weekdays: Mapped[str] = mapped_column(String(13))
    windows: Mapped[str] = mapped_column(String(60))
    cut_off_hour: Mapped[int]
    cut_off_days: Mapped[int]
    minimum_fen: Mapped[int] = mapped_column(default=0)  # goods of one delivery
    freight_fen: Mapped[int] = mapped_column(default=0)  # of one delivery
    free_from_fen: Mapped[int | None]  # goods of one delivery from which on the way costs nothing
    stated_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    stated_at: Mapped[datetime]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]


class DeliveryBreak(Base):
    """Days on which a supplier delivers nowhere, first and last included: between seasons, at a festival."""

    __tablename__ = "delivery_break"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(String(100), default="")
    stated_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    stated_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # taken back
    ended_at: Mapped[datetime | None]
