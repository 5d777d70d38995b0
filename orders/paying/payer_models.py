"""The table of payers whose name differs from the unit's and who were declared beforehand."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

PAYER_KINDS = ("treasury", "superior", "person", "other")
_HOLDS = text("ended_at IS NULL")


class DeclaredPayer(Base):
    """Who else pays for a unit: the treasury centre, the unit above it, a person. Rows are ended, never deleted."""

    __tablename__ = "declared_payer"
    __table_args__ = (
        Index("uq_declared_payer_holds", "unit_id", "name", unique=True, sqlite_where=_HOLDS, postgresql_where=_HOLDS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(choice("kind", *PAYER_KINDS))
    declared_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime | None]
