"""Tables of ordering: a unit's named weekly lists, and what a kitchen calls its goods."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base

LONGEST_NAME = 40
LONGEST_WORD = 40
IN_USE = text("removed_at IS NULL")


class WeeklyList(Base):
    """A list of goods that a unit orders again and again, such as 周一菜单; shared among the unit's people."""

    __tablename__ = "weekly_list"
    __table_args__ = (
        Index("uq_weekly_list_name", "unit_id", "name", unique=True, sqlite_where=IN_USE, postgresql_where=IN_USE),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    made_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]  # taken away; may be brought back


class WeeklyListLine(Base):
    """A good on a list and how much of it; `weekday` is 1 (Monday) to 7, or 0 for the day the list is ordered for."""

    __tablename__ = "weekly_list_line"
    __table_args__ = (
        UniqueConstraint("list_id", "product_id", "weekday"),
        CheckConstraint("milli > 0", name="milli"),
        CheckConstraint("weekday BETWEEN 0 AND 7", name="weekday"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("weekly_list.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    milli: Mapped[int]
    weekday: Mapped[int] = mapped_column(default=0)


class UnitAlias(Base):
    """What a unit calls a good: learned when somebody of it says that 包菜 is this one."""

    __tablename__ = "unit_alias"
    __table_args__ = (UniqueConstraint("unit_id", "word"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    word: Mapped[str] = mapped_column(String(LONGEST_WORD))  # made even: shelf.even
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    learned_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    learned_at: Mapped[datetime]
