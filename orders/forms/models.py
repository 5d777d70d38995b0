"""Tables of the province's forms: what an office keeps, and each workbook that was uploaded for it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base

IN_USE = "version > 0 AND put_away_at IS NULL"


class ReportForm(Base):
    """A form of an office. `version` is the number of the one that is filled, 0 before its headings are mapped.

    Among the forms of an office that are in use a name stands once.
    """

    __tablename__ = "report_form"
    __table_args__ = (
        CheckConstraint("version >= 0", name="version"),
        Index("uq_report_form_name", "organisation_id", "name", unique=True, sqlite_where=text(IN_USE),
              postgresql_where=text(IN_USE)),
        Index("ix_report_form_organisation_id", "organisation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    created_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    put_away_at: Mapped[datetime | None]


class ReportFormVersion(Base):
    """An uploaded workbook, where its headings and rows lie, and what the headings mean once somebody has said so.

    `shape` is finding.Found, `lines` one mapping.Line for each heading, `compare` what the report is compared with.
    What is confirmed is never changed: a new meaning is a new version.
    """

    __tablename__ = "report_form_version"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed"),
        UniqueConstraint("form_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("report_form.id"))
    number: Mapped[int]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    report: Mapped[str] = mapped_column(String(60))
    shape: Mapped[dict[str, Any]] = mapped_column(JSON)
    lines: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    compare: Mapped[list[str]] = mapped_column(JSON)
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    uploaded_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
