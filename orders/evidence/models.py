"""Tables of evidence: packages asked for, samples drawn."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from market.long_work import STATES, UNFINISHED, LongWork


class SampleDraw(Base):
    """随机抽查: orders drawn by the system from all of an area and year. Never changed, never deleted.

    `nth` counts the draws of the same area and year: who draws again is seen to. The population is what block
    `head_number` and those before it hold.
    """

    __tablename__ = "sample_draw"
    __table_args__ = (
        CheckConstraint("wanted > 0 AND population >= 0 AND nth > 0", name="figures"),
        UniqueConstraint("area_key", "year", "nth"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    drawn_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    drawn_at: Mapped[datetime]
    year: Mapped[int]
    area_key: Mapped[str] = mapped_column(String(40))  # 'county:12', 'villages:7,9', …: hashed where it is longer
    area: Mapped[str]  # in words, as it was called on that day
    county_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    township_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    village_ids: Mapped[list[int] | None] = mapped_column(JSON)
    nth: Mapped[int]
    seed: Mapped[str] = mapped_column(String(64))
    head_number: Mapped[int]
    head_hash: Mapped[str] = mapped_column(String(64))
    population: Mapped[int]
    population_sha256: Mapped[str] = mapped_column(String(64))
    wanted: Mapped[int]
    numbers: Mapped[list[str]] = mapped_column(JSON)


class EvidencePackage(LongWork):
    """A package that somebody asked for: of a village and year, or of a sample. The worker makes it, they alone get it.

    `told_at` is when its maker last told how far it is: one that has been silent for long is dead, and another begins
    anew. The file lies in the data folder until `expires_at`.
    """

    __tablename__ = "evidence_package"
    __table_args__ = (
        CheckConstraint("(village_id IS NULL) <> (draw_id IS NULL)", name="subject"),
        CheckConstraint("0 <= done AND done <= whole", name="progress"),
        CheckConstraint("state <> 'done' OR (file_name IS NOT NULL AND manifest_sha256 IS NOT NULL)", name="made"),
        Index("uq_evidence_package_running", "asked_by", "subject", unique=True, sqlite_where=text(UNFINISHED),
              postgresql_where=text(UNFINISHED)),
        Index("ix_evidence_package_state", "state", "id"),
    )

    subject: Mapped[str] = mapped_column(String(60))  # the same for the same organisation, place, year and choice
    village_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    draw_id: Mapped[int | None] = mapped_column(ForeignKey("sample_draw.id"))
    year: Mapped[int]
    title: Mapped[str]
    with_names: Mapped[bool]  # scans that show names of households are in it
    state: Mapped[str] = mapped_column(choice("state", *STATES))
    zip_sha256: Mapped[str | None] = mapped_column(String(64))
    manifest_sha256: Mapped[str | None] = mapped_column(String(64))
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # orders, scans, missing, head
