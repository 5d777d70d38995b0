"""Tables of what follows an acceptance: cases with their lines and photos, ratings, changes of the credited unit."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from orders.aftersale.states import KINDS, STATES


class AfterSale(Base):
    """A matter between a unit and a co-operative about an accepted order; `due_on` is the day of the next answer."""

    __tablename__ = "after_sale"
    __table_args__ = (
        Index("ix_after_sale_order", "order_id"),
        Index("ix_after_sale_open", "state", "due_on"),
        Index("ix_after_sale_day", "business_date", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"))
    kind: Mapped[str] = mapped_column(choice("kind", *KINDS))
    state: Mapped[str] = mapped_column(choice("state", *STATES))
    reason: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    opened_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    opened_at: Mapped[datetime]
    business_date: Mapped[date]
    due_on: Mapped[date | None]
    answer: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]
    office_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))  # the county that mediates
    proposal: Mapped[str] = mapped_column(default="")
    mediated_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    return_id: Mapped[int | None] = mapped_column(ForeignKey("goods_return.id"))
    replacement_id: Mapped[int | None] = mapped_column(ForeignKey("purchase.id"))
    closed_at: Mapped[datetime | None]


class AfterSaleLine(Base):
    """How much of an order line a case is about, in thousandths of its unit."""

    __tablename__ = "after_sale_line"
    __table_args__ = (UniqueConstraint("case_id", "order_line_id"), CheckConstraint("milli > 0", name="milli"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("after_sale.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)
    milli: Mapped[int]


class AfterSalePhoto(Base):
    """What the goods look like."""

    __tablename__ = "after_sale_photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("after_sale.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))


class Rating(Base):
    """What a unit says of an accepted order, once; stars from 1 to 5."""

    __tablename__ = "rating"
    __table_args__ = (
        CheckConstraint("goods_stars BETWEEN 1 AND 5 AND delivery_stars BETWEEN 1 AND 5", name="stars"),
        Index("ix_rating_supplier", "supplier_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), unique=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    goods_stars: Mapped[int]
    delivery_stars: Mapped[int]
    words: Mapped[str] = mapped_column(default="")
    rated_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    rated_at: Mapped[datetime]


class CreditChange(Base):
    """A request that an order count for another unit of the same family, and what a second person said to it.

    `after_acceptance` says whether the order's goods had been booked for the first unit by then. An order's credited
    unit changes at most once.
    """

    __tablename__ = "credit_change"
    __table_args__ = (
        Index("uq_credit_change_standing", "order_id", unique=True,
              sqlite_where=text("state IN ('asked', 'approved')"),
              postgresql_where=text("state IN ('asked', 'approved')")),
        CheckConstraint("from_unit_id <> to_unit_id", name="another_unit"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="second_person"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    from_unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    from_unit_type: Mapped[str]
    to_unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    reason: Mapped[str]
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    state: Mapped[str] = mapped_column(choice("state", "asked", "approved", "declined"))
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    remark: Mapped[str] = mapped_column(default="")
    after_acceptance: Mapped[bool] = mapped_column(default=False)
    business_date: Mapped[date | None]
