"""Tables of approving: who approves what, each step and its answer, changes of orders, tender limits."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from orders.states import FUND_SOURCES

STEP_ROLES = ("approver", "leader")
DECISIONS = ("approve", "decline")
WAYS = ("here", "paper")
AMENDMENTS = ("reduced", "raised", "parted")


class ApprovalRule(Base):
    """A purchase of more than `from_fen` needs a yes of this role; rules of one fund source replace those of any."""

    __tablename__ = "approval_rule"
    __table_args__ = (
        UniqueConstraint("unit_id", "fund_source", "step_no"),
        CheckConstraint("from_fen >= 0 AND step_no BETWEEN 1 AND 9", name="figures"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    fund_source: Mapped[str] = mapped_column(choice("fund_source", "any", *FUND_SOURCES))
    from_fen: Mapped[int]
    step_no: Mapped[int]
    role: Mapped[str] = mapped_column(choice("role", *STEP_ROLES))
    set_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    set_at: Mapped[datetime]


class ApprovalStep(Base):
    """A yes that a purchase needs, copied from the rules when it was asked for; an increase opens a new round."""

    __tablename__ = "approval_step"
    __table_args__ = (UniqueConstraint("purchase_id", "round_no", "step_no"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"))
    round_no: Mapped[int]
    step_no: Mapped[int]
    role: Mapped[str] = mapped_column(choice("role", *STEP_ROLES))
    from_fen: Mapped[int]
    compared_fen: Mapped[int]  # the purchase's total, or what seven days brought from one co-operative if that is more
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[datetime]


class ApprovalDecision(Base):
    """The answer to a step. On paper `decided_by` is who filed the scan, `signed_by` the name that stands on it."""

    __tablename__ = "approval_decision"
    __table_args__ = (
        Index("uq_approval_decision_person", "purchase_id", "round_no", "decided_by", unique=True,
              sqlite_where=text("way = 'here'"), postgresql_where=text("way = 'here'")),
        CheckConstraint("way = 'here' OR (file_id IS NOT NULL AND signed_on IS NOT NULL AND signed_by <> '')",
                        name="paper"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("approval_step.id"), unique=True)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"), index=True)
    round_no: Mapped[int]
    step_no: Mapped[int]
    decided_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    decision: Mapped[str] = mapped_column(choice("decision", *DECISIONS))
    content_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
    way: Mapped[str] = mapped_column(choice("way", *WAYS), default="here")
    signed_by: Mapped[str] = mapped_column(default="")
    signed_by_user: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    signed_on: Mapped[date | None]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))


class OrderAmendment(Base):
    """A change of an order that was placed: less, more, or a part that follows later as an order of its own."""

    __tablename__ = "order_amendment"

    id: Mapped[int] = mapped_column(primary_key=True)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    kind: Mapped[str] = mapped_column(choice("kind", *AMENDMENTS))
    new_order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"))  # carries what follows later
    round_no: Mapped[int | None]  # the round of approval that it asked for
    amended_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    amended_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
    before_fen: Mapped[int]
    after_fen: Mapped[int]


class OrderLineChange(Base):
    """What an amendment did to one line, with all that names it: a cancelled line is no longer in the order."""

    __tablename__ = "order_line_change"
    __table_args__ = (CheckConstraint("before_milli >= 0 AND after_milli >= 0", name="amounts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    amendment_id: Mapped[int] = mapped_column(ForeignKey("order_amendment.id"), index=True)
    line_id: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    product_name: Mapped[str]
    product_name_en: Mapped[str]
    unit: Mapped[str]
    unit_en: Mapped[str]
    price_fen: Mapped[int]
    before_milli: Mapped[int]
    after_milli: Mapped[int]
    before_fen: Mapped[int]
    after_fen: Mapped[int]


class TenderLimit(Base):
    """From this amount a year on, a unit of the area must tender for a category ('' each); with its document."""

    __tablename__ = "tender_limit"
    __table_args__ = (
        UniqueConstraint("division_id", "year", "category"),
        CheckConstraint("limit_fen > 0 AND year BETWEEN 2015 AND 2099", name="figures"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    year: Mapped[int]  # holds until a later year has a row
    category: Mapped[str] = mapped_column(String(40), default="")
    limit_fen: Mapped[int]
    document: Mapped[str]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]


class SchemeDeclaration(Base):
    """A manager declares how the unit receives: by two receivers, or reduced; the supervising unit sees it."""

    __tablename__ = "scheme_declaration"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    scheme: Mapped[str] = mapped_column(choice("scheme", "two_receivers", "reduced"))
    reason: Mapped[str]
    decided_on: Mapped[date]
    declared_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]
