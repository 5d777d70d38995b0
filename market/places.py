"""Real places: province, city, county, township, village. A move or merge closes a row and opens a successor."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    false,
    func,
    insert,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from market import db
from market.db import Base, choice

LEVELS = ("province", "city", "county", "township", "village")


class Division(Base):
    """One place as it was between two dates. `code` is the 12-digit statistical code (as of 2023-06-30)."""

    __tablename__ = "division"
    __table_args__ = (
        Index("uq_division_open_code", "code", unique=True, sqlite_where=text("valid_to IS NULL"),
              postgresql_where=text("valid_to IS NULL")),
        Index("ix_division_county_level", "county_id", "level"),
        CheckConstraint("valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from", name="dates"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12))
    level: Mapped[str] = mapped_column(choice("level", *LEVELS))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"), index=True)
    raw_name: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(choice("kind", "area", "village", "community", "other"))
    map_county: Mapped[str | None] = mapped_column(String(6))  # the shape on the county map
    county_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    township_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"), index=True)
    path: Mapped[str]  # '永州市 江永县 上江圩镇 …村': what history copies
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    reason: Mapped[str] = mapped_column(default="")


class VillageDesignation(Base):
    """Whether a village is a designated one (贫困村 / 脱贫村) in a year, and who says so."""

    __tablename__ = "village_designation"
    __table_args__ = (UniqueConstraint("village_id", "year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    year: Mapped[int]
    designated: Mapped[bool]
    source: Mapped[str]


def lies_in(division_id: int | None) -> ColumnElement[bool]:
    """The condition that a Division is this place or lies in it; to a village belongs what it came from."""
    if division_id is None:
        return false()
    division = db.table(Division)
    origins = select(division.c.id).where(division.c.id == division_id).cte(recursive=True)
    origins = origins.union(select(division.c.id).where(division.c.successor_id == origins.c.id))
    counties = select(division.c.id).where(division.c.parent_id == division_id)
    return or_(Division.id.in_(select(origins.c.id)), Division.township_id == division_id,
               Division.county_id == division_id, Division.county_id.in_(counties))


def today_of(division_id: int) -> int:
    """The place that a place has become; itself while it is still one."""
    following = db.session().scalar(select(Division.successor_id).where(Division.id == division_id))
    return division_id if following is None else today_of(following)


# statistical units without a shape of their own on the county map, and the shape they lie in
MAP_COUNTY = {"431171": "431103", "431173": "431125"}

_ENDINGS = ("村民委员会", "村委会", "居民委员会", "社区居委会", "居委会")


def clean_name(raw: str) -> str:
    """The name people use.

    >>> clean_name("城下村委会"), clean_name("南正社区居委会"), clean_name("黄栗山村村民委员会")
    ('城下村', '南正社区', '黄栗山村')
    """
    for ending in _ENDINGS:
        if raw.endswith(ending) and len(raw) > len(ending):
            name = raw.removesuffix(ending)
            if ending.startswith("村"):
                return name if name.endswith("村") else name + "村"
            return name if name.endswith("社区") else name + "社区"
    return raw


def kind_of(code: str, level: str) -> str:
    """By the last three digits of the code: 200-399 village committees, 001-199 residents' committees."""
    if level != "village":
        return "area"
    number = int(code[-3:])
    return "village" if 200 <= number <= 399 else "community" if 1 <= number <= 199 else "other"


def import_divisions(path: str | Path) -> int:
    """Add the rows of a division table that are not there yet; returns how many. Parents must come before children."""
    session = db.session()
    open_rows = select(Division.code, Division.id, Division.path, Division.level, Division.county_id,
                       Division.township_id, Division.map_county).where(Division.valid_to.is_(None))
    known: dict[str, dict[str, Any]] = {row.code: dict(row._mapping) for row in session.execute(open_rows)}
    with open(path, encoding="utf-8-sig", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["code"] not in known]
    next_id = (session.scalar(select(func.max(Division.id))) or 0) + 1
    new = []
    for number, row in enumerate(rows, next_id):
        division = _division_of(number, row, known.get(row["parent_code"]))
        known[row["code"]] = division
        new.append(division)
    if new:
        session.execute(insert(Division), new)
        _advance_ids(next_id + len(new))
    return len(new)


def _division_of(number: int, row: dict[str, str], parent: dict[str, Any] | None) -> dict[str, Any]:
    level, code = row["level"], row["code"]
    name = clean_name(row["name"]) if level == "village" else row["name"]
    above = parent or {}
    above_path = above.get("path", "") if above.get("level") not in {None, "province"} else ""
    return {
        "id": number, "code": code, "level": level, "parent_id": above.get("id"), "raw_name": row["name"],
        "name": name, "kind": kind_of(code, level),
        "map_county": MAP_COUNTY.get(code[:6], code[:6]) if level == "county" else above.get("map_county"),
        "county_id": number if level == "county" else above.get("county_id"),
        "township_id": number if level == "township" else above.get("township_id"),
        "path": f"{above_path} {name}".strip(), "reason": "", "valid_from": None, "valid_to": None,
    }


def _advance_ids(following: int) -> None:
    """PostgreSQL numbers from its own sequence, which must follow rows inserted with ids."""
    if db.dialect() == "postgresql":
        db.session().execute(select(func.setval("division_id_seq", following, False)))
