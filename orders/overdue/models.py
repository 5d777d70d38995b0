"""Tables of late payment: who has been reminded of what."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base


class OverdueReminder(Base):
    """Somebody has been told of a thing on an occasion; each occasion once, whoever comes to it first.

    `matter` is one of orders/overdue/reminding.py; the thing is an order, or a unit or office told of many at once.
    """

    __tablename__ = "overdue_reminder"
    __table_args__ = (UniqueConstraint("matter", "thing_id", "occasion"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    matter: Mapped[str] = mapped_column(String(24))
    thing_id: Mapped[int]
    occasion: Mapped[str] = mapped_column(String(32))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)  # who was told
    sent_at: Mapped[datetime]
