"""Tables around lots: how they were received."""

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

TESTS = ("none", "passed", "failed")


class LotDetail(Base):
    """How a lot was received: where, from which land, its sample test, the photographed page of the notebook.

    A lot whose test failed stays booked, for the record; it is never confirmed and so never sold.
    """

    __tablename__ = "lot_detail"
    __table_args__ = (CheckConstraint("area_mu_hundredths > 0", name="area"),)

    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True, autoincrement=False)
    received_at: Mapped[str] = mapped_column(String(60), default="")  # the collection point, in words
    plot: Mapped[str] = mapped_column(String(60), default="")
    area_mu_hundredths: Mapped[int | None]
    test: Mapped[str] = mapped_column(choice("test", *TESTS), default="none")
    test_note: Mapped[str] = mapped_column(String(200), default="")
    notebook_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
