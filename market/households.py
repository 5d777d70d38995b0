"""Households: registered ones by register code, ordinary ones by the co-operative's member number. No ID numbers."""

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

# 2020 classes, then the later ones of people under watch
CLASSES = ("stable", "consolidate", "safety_net", "not_lifted", "unstable", "marginal", "sudden_hardship")


class Household(Base):
    """A household of a village. `people` counts its resident members (1 to 30)."""

    __tablename__ = "household"
    __table_args__ = (CheckConstraint("people BETWEEN 1 AND 30", name="people"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    register_code: Mapped[str | None] = mapped_column(String(32), unique=True)
    head_name: Mapped[str]
    people: Mapped[int]


class HouseholdClass(Base):
    """The class of a registered household in a year."""

    __tablename__ = "household_class"
    __table_args__ = (UniqueConstraint("household_id", "year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    year: Mapped[int]
    household_class: Mapped[str] = mapped_column(choice("household_class", *CLASSES))


class CoopMember(Base):
    """A household that a co-operative knows by member number; only it sees the name."""

    __tablename__ = "coop_member"
    __table_args__ = (UniqueConstraint("supplier_id", "member_no"), UniqueConstraint("supplier_id", "household_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), index=True)
    member_no: Mapped[str] = mapped_column(String(16))


def masked(name: str) -> str:
    """A name as anybody but its own co-operative sees it.

    >>> masked("陈建国")
    '陈＊'
    """
    return f"{name[:1]}＊"
