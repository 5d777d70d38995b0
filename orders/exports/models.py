"""The table of files that people asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market import long_work
from market.db import choice
from market.long_work import UNFINISHED, LongWork

STATES = (*long_work.STATES, "cancelled")
KINDS = ("csv", "xlsx")


class ExportFile(LongWork):
    """A report that somebody wants as a file. `subject` is the hash of the question in its one form.

    `done` of `whole` rows are written; while they are read, `whole` is 0. `made_at` is the moment that the rows are
    read at and `mark` what the site held then: both stay over a maker's death as long as nothing has changed since.
    """

    __tablename__ = "report_file"
    __table_args__ = (
        CheckConstraint("done >= 0 AND whole >= 0", name="progress"),
        CheckConstraint("state <> 'done' OR (file_name IS NOT NULL AND sha256 IS NOT NULL)", name="made"),
        Index("uq_report_file_running", "asked_by", "subject", unique=True, sqlite_where=text(UNFINISHED),
              postgresql_where=text(UNFINISHED)),
        Index("ix_report_file_state", "state", "id"),
    )

    report: Mapped[str] = mapped_column(String(60))
    figure: Mapped[str] = mapped_column(String(40))  # of the documents behind one figure; else empty
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)  # frame.Asked
    title: Mapped[str]  # a msgid
    period: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(choice("kind", *KINDS))
    language: Mapped[str] = mapped_column(String(2))
    sees_all: Mapped[bool]  # more than the public may read is in it
    state: Mapped[str] = mapped_column(choice("state", *STATES))
    made_at: Mapped[datetime | None]
    mark: Mapped[str | None] = mapped_column(String(120))
    name: Mapped[str | None] = mapped_column(String(160))  # for the reader's own disk
    sha256: Mapped[str | None] = mapped_column(String(64))
    why: Mapped[str | None]  # it could not be made
