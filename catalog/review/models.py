"""Tables of the listing review and the price monitor."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

KINDS = ("new", "edit", "taken_off")
DECISIONS = ("waiting", "published", "approved", "returned", "withdrawn")


class ListingReview(Base):
    """One submission of goods and what became of it. A product has one row for each time; one at most waits.

    new: the goods as the product's own row holds them. edit: `proposed` holds what the supplier wants instead, while
    the goods go on selling as they were approved. taken_off: the county sends back goods that were on the shelf.
    published: nothing was found, so nobody had to look. withdrawn: the supplier, by itself or by a later submission.
    """

    __tablename__ = "listing_review"
    __table_args__ = (
        Index("ix_listing_review_product", "product_id", "id"),
        Index("uq_listing_review_waiting", "product_id", unique=True, sqlite_where=text("decision = 'waiting'"),
              postgresql_where=text("decision = 'waiting'")),
        Index("ix_listing_review_queue", "decision", "submitted_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    kind: Mapped[str] = mapped_column(choice("kind", *KINDS))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    proposed: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    submitted_at: Mapped[datetime]
    decision: Mapped[str] = mapped_column(choice("decision", *DECISIONS))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    reasons: Mapped[list[str]] = mapped_column(JSON)  # codes of desk sentences (see decisions.REASONS)
    remark: Mapped[str] = mapped_column(default="")


class PriceVoucher(Base):
    """Why a price is fair: where the same goods are offered, as text that nobody fetches, or a stamped paper.

    Seen by the co-operative and its officials, never by buyers. The newest row counts.
    """

    __tablename__ = "price_voucher"
    __table_args__ = (CheckConstraint("link <> '' OR file_id IS NOT NULL", name="something"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    link: Mapped[str]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    given_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    given_at: Mapped[datetime]


class PictureMark(Base):
    """What a photo looks like: a difference hash of 64 bits in four parts.

    Two hashes that differ in at most three bits agree in one part at least, so an index finds the candidates.
    """

    __tablename__ = "picture_mark"

    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"), primary_key=True)
    part_1: Mapped[int] = mapped_column(index=True)
    part_2: Mapped[int] = mapped_column(index=True)
    part_3: Mapped[int] = mapped_column(index=True)
    part_4: Mapped[int] = mapped_column(index=True)


class ReferencePrice(Base):
    """What a kilo of some goods costs in a county or city on a day, entered by its officials with the source.

    `word` is looked for in names of the category's goods; an empty one stands for all of them. Never changed: another
    row for the same day corrects it.
    """

    __tablename__ = "reference_price"
    __table_args__ = (
        CheckConstraint("fen_per_kg > 0", name="price"),
        Index("ix_reference_price_newest", "division_id", "category_id", "word", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"))
    word: Mapped[str]
    fen_per_kg: Mapped[int]
    source: Mapped[str]
    day: Mapped[date]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]


class PriceOutlier(Base):
    """Goods that cost more than 1.5 times the median of like goods: one row for each price and month.

    The county gives a reason, another person agrees; what is still open after its day stands out.
    """

    __tablename__ = "price_outlier"
    __table_args__ = (
        UniqueConstraint("product_id", "period", "price_fen"),
        CheckConstraint("approved_by IS NULL OR approved_by <> reasoned_by", name="second_person"),
        Index("ix_price_outlier_period", "period", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    period: Mapped[str] = mapped_column(String(7))
    price_fen: Mapped[int]
    fen_per_kg: Mapped[int]
    median_fen_per_kg: Mapped[int]
    compared_with: Mapped[int]  # how many goods the median is of
    found_at: Mapped[datetime]
    due_on: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    reasoned_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reasoned_at: Mapped[datetime | None]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]
    sent_back_at: Mapped[datetime | None]  # the county took the goods off the shelf instead
