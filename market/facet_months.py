"""What sealed transfers add up to by kind of unit, method, fund source, category and certificate; by co-operative.

Every table holds the columns of FIGURES; a facet that a transfer does not have is ''. A table with `told` also holds
the sums over facets: its rows tell only those facets that `told` names, and '' (not certified) in the others.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base
from market.village_months import Figures

FACETS = ("unit_type", "method", "fund_source", "category", "certified")
EVERYWHERE_ID = 0  # stands for all places together where others have the id of a division
NEVER = "9999-12"  # stands for the month in which a thing occurs next where there is none

NONE, ALL = "none", "all"
COUNTY_TELLS = (*FACETS, ALL)
UNIT_TELLS = (NONE, ALL)


class VillageMonthFacet(Figures, Base):
    """A village's month, by every facet."""

    __tablename__ = "village_month_facet"
    __table_args__ = ({"sqlite_with_rowid": False},)  # read by runs of its key

    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    unit_type: Mapped[str] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(primary_key=True)
    fund_source: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    certified: Mapped[bool] = mapped_column(primary_key=True)


class CountyMonthFacet(Figures, Base):
    """A county's month, or that of all places (EVERYWHERE_ID): by each facet alone, and by every facet."""

    __tablename__ = "county_month_facet"
    __table_args__ = ({"sqlite_with_rowid": False},)

    told: Mapped[str] = mapped_column(String(12), primary_key=True)  # COUNTY_TELLS
    county_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    unit_type: Mapped[str] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(primary_key=True)
    fund_source: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    certified: Mapped[bool] = mapped_column(primary_key=True)


class UnitMonth(Figures, Base):
    """A buying unit's month of goods that villages grew: all facets together, and by every facet."""

    __tablename__ = "unit_month"
    __table_args__ = ({"sqlite_with_rowid": False},)

    told: Mapped[str] = mapped_column(String(12), primary_key=True)  # UNIT_TELLS
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    unit_type: Mapped[str] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(primary_key=True)
    fund_source: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    certified: Mapped[bool] = mapped_column(primary_key=True)


class SupplierMonth(Figures, Base):
    """A co-operative's month of goods that villages grew."""

    __tablename__ = "supplier_month"
    __table_args__ = ({"sqlite_with_rowid": False},)

    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)


class AreaCount(Base):
    """How many things of a kind an area's month has that occur there next in the month `after` (NEVER: no more).

    So the number of different things from month a to month b is the sum where the period lies between them and `after`
    lies after b: each counts in its last month of these. An area is a village, a township, a county or all places
    (EVERYWHERE_ID). `way` tells orders apart (VillagePresence). `people` counts the people of the households, with as
    many as each household has today; `sold` the orders of a co-operative, whose id stands as the area's.
    """

    __tablename__ = "area_count"
    __table_args__ = ({"sqlite_with_rowid": False},)

    area_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    way: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    after: Mapped[str] = mapped_column(String(7), primary_key=True)
    things: Mapped[int]


def facets_of(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    """The facets of a transfer, as the roll-ups keep them."""
    return tuple(bool(row[name]) if name == "certified" else row[name] or "" for name in FACETS)


def told_only(facets: tuple[Any, ...], told: str) -> tuple[Any, ...]:
    """The facets that a row with `told` tells.

    >>> told_only(("school", "", "", "", True), "unit_type")
    ('school', '', '', '', False)
    """
    if told == ALL:
        return facets
    return tuple(value if name == told else type(value)() for name, value in zip(FACETS, facets, strict=True))
