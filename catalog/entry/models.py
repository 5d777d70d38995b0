"""Tables of entry: an application with what it says, who vouched for it when, and how a supplier has stood since."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from market.parties import SUPPLIER_TYPES

APPLICATION_STATES = ("draft", "submitted", "returned", "withdrawn", "refused", "admitted")
EDITABLE = ("draft", "returned", "withdrawn")
CLAIMING = ("submitted", "returned", "admitted")  # in these states nobody else may come in under the same credit code
STEPS = ("township", "agriculture", "revitalisation", "confirmation", "platform")
PAPER_KINDS = ("licence", "capacity", "product_certificate", "other", "proof", "commission_letter")
LINKAGE_KINDS = ("shareholding", "direct_support", "commissioned_support", "seed_supply", "guidance", "buy_back",
                 "employment", "processing", "land_lease", "other")

_CLAIMS = text("state IN ('submitted', 'returned', 'admitted')")
_OPEN = text("decision IS NULL")


class Application(Base):
    """What a would-be supplier says of itself; one per supplier. Changed only while an applicant holds it (EDITABLE).

    What was handed in each time stands in the journal, so that a later change does not hide what was vouched for.
    """

    __tablename__ = "supplier_application"
    __table_args__ = (
        CheckConstraint("markup_points BETWEEN 0 AND 10000", name="markup"),
        Index("uq_supplier_application_code", "credit_code", unique=True, sqlite_where=_CLAIMS,
              postgresql_where=_CLAIMS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), unique=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    registration_token: Mapped[str | None] = mapped_column(String(80), unique=True)
    state: Mapped[str] = mapped_column(choice("state", *APPLICATION_STATES), default="draft")
    supplier_type: Mapped[str | None] = mapped_column(choice("supplier_type", *SUPPLIER_TYPES))
    name: Mapped[str]
    short_name: Mapped[str] = mapped_column(default="")
    credit_code: Mapped[str | None] = mapped_column(String(18))
    village_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"), index=True)
    legal_person: Mapped[str] = mapped_column(default="")
    mobile: Mapped[str] = mapped_column(String(11), default="")
    bank_name: Mapped[str] = mapped_column(default="")
    bank_account: Mapped[str] = mapped_column(default="")
    capacity: Mapped[str] = mapped_column(default="")
    producer_name: Mapped[str] = mapped_column(default="")  # of a trader: whose goods it sells
    markup_points: Mapped[int | None]  # of a trader: hundredths of a percent on the producer's price
    proof_kind: Mapped[str | None] = mapped_column(choice("proof_kind", "platform_832", "certified"))
    proof_no: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]

    @property
    def is_trader(self) -> bool:
        return self.supplier_type == "trader"

    @property
    def is_fast(self) -> bool:
        """Already examined elsewhere, so that one confirmation is enough; never for a trader."""
        return self.proof_kind is not None and not self.is_trader


class ApplicationGood(Base):
    """Goods that an applicant wants to sell."""

    __tablename__ = "application_good"
    __table_args__ = (CheckConstraint("yearly_grams > 0", name="yearly"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("supplier_application.id"), index=True)
    name: Mapped[str]
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"))
    harvest_months: Mapped[str] = mapped_column(String(40))  # 'all' or '10,11,12'
    yearly_grams: Mapped[int]


class ApplicationGoodVillage(Base):
    """A village where these goods grow."""

    __tablename__ = "application_good_village"
    __table_args__ = (UniqueConstraint("good_id", "village_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    good_id: Mapped[int] = mapped_column(ForeignKey("application_good.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))


class ApplicationLinkage(Base):
    """How households gain by the applicant, with a paper that shows it."""

    __tablename__ = "application_linkage"
    __table_args__ = (CheckConstraint("households > 0", name="households"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("supplier_application.id"), index=True)
    kind: Mapped[str] = mapped_column(choice("kind", *LINKAGE_KINDS))
    households: Mapped[int]
    note: Mapped[str]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))


class ApplicationPaper(Base):
    """A paper of an application; taken out, the row stays."""

    __tablename__ = "application_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("supplier_application.id"), index=True)
    kind: Mapped[str] = mapped_column(choice("kind", *PAPER_KINDS))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class EntryStep(Base):
    """One office is asked once about an application. Asked again after a return, there is another row.

    `content_hash` is what the office vouched for when it passed; `set_aside`: another office returned or refused, or
    the applicant withdrew, before this one had decided.
    """

    __tablename__ = "entry_step"
    __table_args__ = (
        Index("uq_entry_step_open", "application_id", "step", unique=True, sqlite_where=_OPEN,
              postgresql_where=_OPEN),
        Index("ix_entry_step_office", "office_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("supplier_application.id"), index=True)
    step: Mapped[str] = mapped_column(choice("step", *STEPS))
    office_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    opened_at: Mapped[datetime]
    due_on: Mapped[date]
    decision: Mapped[str | None] = mapped_column(choice("decision", "passed", "returned", "refused", "set_aside"))
    reason: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    content_hash: Mapped[str] = mapped_column(String(64), default="")


class SupplierStanding(Base):
    """How a supplier stands from a day on, and why. Organisation.status is the newest row whose day has come."""

    __tablename__ = "supplier_standing"

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    status: Mapped[str] = mapped_column(choice("status", "active", "suspended", "left"))
    from_day: Mapped[date]
    reason: Mapped[str]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]  # none: its day has not come
