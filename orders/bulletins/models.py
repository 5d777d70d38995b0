"""Tables of progress notices: each with its drawings, what counties said against them, and figures told by hand."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

KINDS = ("week", "month")
GRADES = ("proven", "uploaded", "declared")
STATES = ("draft", "open", "published", "withdrawn")
OUTCOMES = ("corrected", "kept")


class Bulletin(Base):
    """A notice about a week or month. Its figures stand in its newest drawing (BulletinVersion), frozen.

    `unanswered` objections and a correction promised but not yet drawn (`to_redraw`) stand against publishing; a
    published or withdrawn notice never changes again (triggers of migration 0045). `grade` is what its ranks go by.
    """

    __tablename__ = "bulletin"
    __table_args__ = (
        Index("uq_bulletin_period", "kind", "first_day", unique=True,
              sqlite_where=text("state <> 'withdrawn' AND corrects_id IS NULL"),
              postgresql_where=text("state <> 'withdrawn' AND corrects_id IS NULL")),
        Index("uq_bulletin_corrects", "corrects_id", unique=True, sqlite_where=text("state <> 'withdrawn'"),
              postgresql_where=text("state <> 'withdrawn'")),
        UniqueConstraint("year", "number"),
        CheckConstraint("last_day >= first_day", name="days"),
        CheckConstraint("unanswered >= 0", name="unanswered"),
        CheckConstraint("corrects_id IS NULL OR reason <> ''", name="erratum"),
        CheckConstraint("state <> 'published' OR (number IS NOT NULL AND published_by IS NOT NULL AND published_at IS "
                        "NOT NULL AND sha256 IS NOT NULL AND head IS NOT NULL)", name="published"),
        CheckConstraint("number IS NULL OR state = 'published'", name="number"),
        CheckConstraint("published_by IS NULL OR published_by <> drawn_by", name="second_person"),
        CheckConstraint("state <> 'published' OR (unanswered = 0 AND NOT to_redraw)", name="answered"),
        CheckConstraint("state <> 'published' OR published_on > open_until", name="heard"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_by IS NOT NULL)", name="withdrawn"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(choice("kind", *KINDS))
    first_day: Mapped[date]
    last_day: Mapped[date]
    year: Mapped[int]  # in which its number counts: that of the last day
    number: Mapped[int | None]
    grade: Mapped[str] = mapped_column(choice("grade", *GRADES))
    state: Mapped[str] = mapped_column(choice("state", *STATES), default="draft")
    office_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("bulletin.id"))
    reason: Mapped[str] = mapped_column(String(300), default="")  # of an erratum
    version: Mapped[int] = mapped_column(default=1)
    drawn_by: Mapped[int] = mapped_column(ForeignKey("user.id"))  # of the newest drawing
    drafted_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    drafted_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    opened_at: Mapped[datetime | None]
    open_until: Mapped[date | None]  # the last day on which a county may object
    unanswered: Mapped[int] = mapped_column(default=0)
    to_redraw: Mapped[bool] = mapped_column(default=False)
    published_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    published_at: Mapped[datetime | None]
    published_on: Mapped[date | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    head: Mapped[str | None] = mapped_column(String(90))
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str] = mapped_column(String(300), default="")


class BulletinVersion(Base):
    """One drawing: the figures as canonical JSON with their checksum and the ledger's head of that moment. Only added.
    """

    __tablename__ = "bulletin_version"
    __table_args__ = (UniqueConstraint("bulletin_id", "number"), CheckConstraint("number > 0", name="number"))

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"))
    number: Mapped[int]
    content: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    head: Mapped[str] = mapped_column(String(90))
    drawn_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    drawn_at: Mapped[datetime]


class BulletinObjection(Base):
    """What a county says against a figure of an open notice, and what the city answered; answered once."""

    __tablename__ = "bulletin_objection"
    __table_args__ = (
        CheckConstraint("words <> ''", name="words"),
        CheckConstraint("(outcome IS NULL) = (answered_by IS NULL) AND (outcome IS NULL) = (answered_at IS NULL)",
                        name="answered"),
        CheckConstraint("outcome IS NULL OR answer <> ''", name="answer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), index=True)
    version: Mapped[int]
    county_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    figure: Mapped[str] = mapped_column(String(32))  # the key of a column of the county's row
    words: Mapped[str] = mapped_column(String(500))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    raised_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    raised_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(choice("outcome", *OUTCOMES))
    answer: Mapped[str] = mapped_column(String(500), default="")
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]


class BulletinNumber(Base):
    """The last number that a notice of a year has got."""

    __tablename__ = "bulletin_number"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class CountyTarget(Base):
    """What a county is to sell in a year, with the document that says so; the newest row counts, none is changed."""

    __tablename__ = "county_target"
    __table_args__ = (Index("ix_county_target_newest", "year", "county_id", "id"),
                      CheckConstraint("amount_fen > 0", name="amount"),
                      CheckConstraint("document <> ''", name="document"))

    id: Mapped[int] = mapped_column(primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    year: Mapped[int]
    amount_fen: Mapped[int]
    document: Mapped[str] = mapped_column(String(120))
    entered_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]


class CountyDeclared(Base):
    """A county's own figure of a week or month, with where it comes from; the newest row counts, none is changed."""

    __tablename__ = "county_declared"
    __table_args__ = (Index("ix_county_declared_newest", "kind", "first_day", "county_id", "id"),
                      CheckConstraint("amount_fen >= 0", name="amount"),
                      CheckConstraint("reason <> ''", name="reason"))

    id: Mapped[int] = mapped_column(primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    kind: Mapped[str] = mapped_column(choice("kind", *KINDS))
    first_day: Mapped[date]
    amount_fen: Mapped[int]
    reason: Mapped[str] = mapped_column(String(300))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    declared_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]
