"""Tables of members: their capital in the co-operative, and yearly surplus returns with a line for each member."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

LEAST_RETURN_POINTS = 6000  # 农民专业合作社法: at least 60 % of what is distributed goes back by trade volume
MEASURES = ("amount", "grams")


class MemberCapital(Base):
    """What a member has paid into the co-operative, from a moment on; the newest row counts."""

    __tablename__ = "member_capital"
    __table_args__ = (CheckConstraint("capital_fen >= 0", name="capital"), Index(
        "ix_member_capital_newest", "supplier_id", "household_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    capital_fen: Mapped[int]
    set_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    set_at: Mapped[datetime]


class SurplusReturn(Base):
    """A settlement of the surplus of a period, first and last day included. Drawn up by one, confirmed by another.

    surplus = reserve + by volume + by capital + other, to the fen. It posts nothing to the ledger: dividends to
    households are declared with proof on their own page. `decision_no` and `decided_on` name the record of the
    members' meeting; returns confirmed before records were asked for have none.
    """

    __tablename__ = "surplus_return"
    __table_args__ = (
        CheckConstraint("first_day <= last_day AND surplus_fen > 0", name="period"),
        CheckConstraint("reserve_points BETWEEN 0 AND 10000 AND return_points BETWEEN 6000 AND 10000", name="points"),
        CheckConstraint("reserve_fen + by_volume_fen + by_capital_fen + other_fen = surplus_fen", name="whole"),
        CheckConstraint("by_volume_fen * 10000 >= (surplus_fen - reserve_fen) * return_points", name="least"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL) AND "
                        "(confirmed_by IS NULL OR confirmed_by <> drawn_by)", name="second_person"),
        CheckConstraint("confirmed_at IS NULL OR discarded_at IS NULL", name="one_end"),
        Index("ix_surplus_return_supplier", "supplier_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    measure: Mapped[str] = mapped_column(choice("measure", *MEASURES))
    surplus_fen: Mapped[int]
    reserve_points: Mapped[int]
    return_points: Mapped[int]
    reserve_fen: Mapped[int]
    by_volume_fen: Mapped[int]
    by_capital_fen: Mapped[int]
    other_fen: Mapped[int]
    drawn_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    drawn_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    decision_no: Mapped[str] = mapped_column(String(60), default="", server_default="")
    decided_on: Mapped[date | None]
    discarded_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    discarded_at: Mapped[datetime | None]


class SurplusLine(Base):
    """One member's part, with number, name and village as they were that day."""

    __tablename__ = "surplus_line"
    __table_args__ = (
        CheckConstraint("grams >= 0 AND amount_fen >= 0 AND capital_fen >= 0 AND volume_fen >= 0 AND share_fen >= 0",
                        name="amounts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    return_id: Mapped[int] = mapped_column(ForeignKey("surplus_return.id"), index=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    member_no: Mapped[str] = mapped_column(String(16))
    head_name: Mapped[str]
    village: Mapped[str]
    grams: Mapped[int]  # traded
    amount_fen: Mapped[int]  # traded, at farm-gate prices
    capital_fen: Mapped[int]  # paid in
    volume_fen: Mapped[int]  # returned by volume
    share_fen: Mapped[int]  # returned by capital
