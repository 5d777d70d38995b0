"""The table of what was published."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base


class OpenDataEntry(Base):
    """One version of one month of a data set. Ids are given one by one in the order in which entries become visible,
    so that a collector who remembers the last one misses none.

    `closing`: of the month then, 0 while it was open.
    `looked_at` is when the worker last found it unchanged.
    """

    __tablename__ = "open_data_entry"
    __table_args__ = (
        UniqueConstraint("data_set", "month", "version"),
        CheckConstraint("version > 0 AND closing >= 0", name="numbers"),
        Index("ix_open_data_entry_month", "month", "data_set"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data_set: Mapped[str] = mapped_column(String(40))
    month: Mapped[str] = mapped_column(String(7))
    version: Mapped[int]
    closing: Mapped[int]
    published_at: Mapped[datetime]
    looked_at: Mapped[datetime]
    csv_sha256: Mapped[str] = mapped_column(String(64))
    csv_bytes: Mapped[int]
    json_sha256: Mapped[str] = mapped_column(String(64))
    json_bytes: Mapped[int]
