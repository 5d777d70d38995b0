"""Tables of the reserved share: rules, filing terms, filings and revisions, successions, what 832 exports say."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from market.parties import UNIT_TYPES
from orders.states import FUND_SOURCES

DUTIES = ("832", "local")  # which of the two bars a rule is about
COUNTS = ("local", "832", "both")  # orders of which channels count for it
CANTEENS = ("own", "outsourced", "shared", "none")
STATES = ("draft", "submitted", "reviewed", "approved", "returned", "closed")
FILED = ("submitted", "reviewed", "approved")  # what figures are made from
WRITABLE = ("draft", "returned")


class QuotaRule(Base):
    """What part of a base a kind of unit reserves in a year, and the document that says so.

    Points are hundredths of a percent. A rule is never edited: a successor replaces it, the old row stays.
    """

    __tablename__ = "quota_rule"
    __table_args__ = (
        Index("uq_quota_rule_current", "division_id", "unit_type", "fund_source", "year", "duty", unique=True,
              sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
        CheckConstraint("min_points BETWEEN 0 AND encouraged_points AND encouraged_points <= 10000", name="points"),
        CheckConstraint("duty = 'local' OR counts <> 'local'", name="channels"),
        CheckConstraint("document_name <> '' AND document_number <> ''", name="document"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    unit_type: Mapped[str] = mapped_column(choice("unit_type", "any", *UNIT_TYPES))
    fund_source: Mapped[str] = mapped_column(choice("fund_source", *FUND_SOURCES))
    year: Mapped[int]
    duty: Mapped[str] = mapped_column(choice("duty", *DUTIES))
    counts: Mapped[str] = mapped_column(choice("counts", *COUNTS))
    min_points: Mapped[int]
    encouraged_points: Mapped[int]
    base: Mapped[str]  # what the ratio is taken of, in the document's words
    document_name: Mapped[str]
    document_number: Mapped[str]
    remark: Mapped[str] = mapped_column(default="")
    with_union: Mapped[bool]  # whether purchases of union and staff count for the unit's yearly amount
    with_staff: Mapped[bool]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("quota_rule.id"), unique=True)


class QuotaTerm(Base):
    """The last day for filing in an area, set by its finance office."""

    __tablename__ = "quota_term"
    __table_args__ = (UniqueConstraint("division_id", "year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    year: Mapped[int]
    deadline: Mapped[date]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    set_at: Mapped[datetime]


class QuotaFiling(Base):
    """What a unit files for a year, as it stands now; every submission leaves a QuotaRevision."""

    __tablename__ = "quota_filing"
    __table_args__ = (
        UniqueConstraint("unit_id", "year"),
        Index("ix_quota_filing_year", "year", "state"),
        CheckConstraint("canteen_base_fen >= 0 AND union_base_fen >= 0 AND canteen_quota_fen >= 0 "
                        "AND union_quota_fen >= 0", name="amounts"),
        CheckConstraint("canteen_points BETWEEN 0 AND 10000 AND union_points BETWEEN 0 AND 10000", name="points"),
        CheckConstraint("representative_id IS NULL OR representative_id <> unit_id", name="representative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    year: Mapped[int]
    state: Mapped[str] = mapped_column(choice("state", *STATES), default="draft")
    revision: Mapped[int] = mapped_column(default=0)  # how often it was submitted
    canteen: Mapped[str] = mapped_column(choice("canteen", *CANTEENS))
    union_demand: Mapped[bool]
    canteen_base_fen: Mapped[int] = mapped_column(default=0)
    canteen_points: Mapped[int] = mapped_column(default=0)
    canteen_quota_fen: Mapped[int] = mapped_column(default=0)
    canteen_rule_id: Mapped[int | None] = mapped_column(ForeignKey("quota_rule.id"))
    union_base_fen: Mapped[int] = mapped_column(default=0)
    union_points: Mapped[int] = mapped_column(default=0)
    union_quota_fen: Mapped[int] = mapped_column(default=0)
    union_rule_id: Mapped[int | None] = mapped_column(ForeignKey("quota_rule.id"))
    representative_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    contractor: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    saved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    saved_at: Mapped[datetime]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    submitted_at: Mapped[datetime | None]
    is_late: Mapped[bool] = mapped_column(default=False)
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reviewed_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")  # why it was returned last
    closed_on: Mapped[date | None]


class QuotaRevision(Base):
    """A filing as it was submitted once; never changed."""

    __tablename__ = "quota_revision"
    __table_args__ = (UniqueConstraint("filing_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    filing_id: Mapped[int] = mapped_column(ForeignKey("quota_filing.id"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    submitted_at: Mapped[datetime]


class QuotaSuccession(Base):
    """A unit was merged into another or goes on under another: its purchases count there from a day on."""

    __tablename__ = "quota_succession"
    __table_args__ = (
        Index("uq_quota_succession_open", "unit_id", unique=True, sqlite_where=text("state <> 'refused'"),
              postgresql_where=text("state <> 'refused'")),
        CheckConstraint("unit_id <> successor_id", name="another"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    successor_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[str] = mapped_column(choice("kind", "merged", "renamed"))
    from_day: Mapped[date]
    evidence_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    state: Mapped[str] = mapped_column(choice("state", "declared", "confirmed", "refused"), default="declared")
    declared_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class QuotaUpload(Base):
    """A table exported from 832 that a unit has sent: who, when, what it brought."""

    __tablename__ = "quota_upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[str] = mapped_column(choice("kind", "orders", "filing"))
    file_name: Mapped[str] = mapped_column(String(200))
    rows: Mapped[int]
    new_rows: Mapped[int]
    changed_rows: Mapped[int]
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    sent_at: Mapped[datetime]


class OutsideOrder(Base):
    """An order of 832 as its export says; its number counts once for a unit, however often it is sent."""

    __tablename__ = "quota_outside_order"
    __table_args__ = (
        UniqueConstraint("unit_id", "number"),
        Index("ix_quota_outside_order_day", "unit_id", "counted_on"),
        Index("ix_quota_outside_order_counted_on", "counted_on"),
        CheckConstraint("amount_fen >= 0 AND returned_fen BETWEEN 0 AND amount_fen", name="amounts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    number: Mapped[str] = mapped_column(String(60))
    counted_on: Mapped[date]
    amount_fen: Mapped[int]
    returned_fen: Mapped[int]
    fund_source: Mapped[str] = mapped_column(choice("fund_source", *FUND_SOURCES))
    supplier: Mapped[str] = mapped_column(default="")
    goods: Mapped[str] = mapped_column(default="")
    upload_id: Mapped[int] = mapped_column(ForeignKey("quota_upload.id"))  # which said it last


class OutsideFiling(Base):
    """What a unit has filed at 832 for a year, as its export says."""

    __tablename__ = "quota_outside_filing"
    __table_args__ = (UniqueConstraint("unit_id", "year"),
                      CheckConstraint("quota_fen >= 0", name="quota"))

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    year: Mapped[int]
    base_fen: Mapped[int]
    points: Mapped[int]
    quota_fen: Mapped[int]
    upload_id: Mapped[int] = mapped_column(ForeignKey("quota_upload.id"))


class QuotaReminder(Base):
    """A unit has been reminded of a matter of a year; each matter once."""

    __tablename__ = "quota_reminder"
    __table_args__ = (UniqueConstraint("unit_id", "year", "matter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    year: Mapped[int]
    matter: Mapped[str] = mapped_column(String(24))
    sent_at: Mapped[datetime]
