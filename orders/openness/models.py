"""Tables of openness: what a co-operative says its costs are, and which units let their name stand on village pages."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base


class SupplierCost(Base):
    """Packing, transport and loss of one category of goods from a month on, in hundredths of a percent of the price.

    Said by the co-operative itself; so is its own word on the farmers' share, told only while none can be computed.
    """

    __tablename__ = "supplier_cost"
    __table_args__ = (
        UniqueConstraint("supplier_id", "category", "valid_from"),
        CheckConstraint("packing_points >= 0 AND transport_points >= 0 AND loss_points >= 0", name="no_less"),
        CheckConstraint("packing_points + transport_points + loss_points + coalesce(share_points, 0) <= 10000",
                        name="at_most_all"),
        CheckConstraint("share_points >= 0", name="share"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    category: Mapped[str] = mapped_column(String(32))  # its code, as on transfers
    valid_from: Mapped[str] = mapped_column(String(7))
    packing_points: Mapped[int]
    transport_points: Mapped[int]
    loss_points: Mapped[int]
    share_points: Mapped[int | None]
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    entered_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]


class NamedUnit(Base):
    """A unit whose manager agreed that village pages name it among the buyers. No row: it is not named."""

    __tablename__ = "named_unit"

    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, autoincrement=False)
    agreed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    agreed_at: Mapped[datetime]
