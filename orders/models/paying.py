"""Tables of payment: claims, receipts, refunds."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice


class PaymentClaim(Base):
    """对公转账: the unit says that it has transferred money; the co-operative confirms that it arrived."""

    __tablename__ = "payment_claim"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_payment_claim_supplier", "supplier_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    payer_name: Mapped[str]
    paid_on: Mapped[date]
    amount_fen: Mapped[int]
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    state: Mapped[str] = mapped_column(choice("state", "claimed", "received", "refused"))
    claimed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    claimed_at: Mapped[datetime]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]
    business_date: Mapped[date | None]
    reason: Mapped[str] = mapped_column(default="")


class ClaimPart(Base):
    """What of a claim is for which order."""

    __tablename__ = "claim_part"
    __table_args__ = (UniqueConstraint("claim_id", "order_id"), CheckConstraint("amount_fen > 0", name="amount"))

    id: Mapped[int] = mapped_column(primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("payment_claim.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    amount_fen: Mapped[int]


class ReceiptShare(Base):
    """How received money lies on accepted goods; without a part it lies ahead, on none.

    Shares with a claim part bring money in; those without move it: they sum to zero per order and moment.
    """

    __tablename__ = "receipt_share"
    __table_args__ = (CheckConstraint("amount_fen <> 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    claim_part_id: Mapped[int | None] = mapped_column(ForeignKey("claim_part.id"), index=True)
    acceptance_part_id: Mapped[int | None] = mapped_column(ForeignKey("acceptance_part.id"), index=True)
    amount_fen: Mapped[int]
    business_date: Mapped[date]


class Refund(Base):
    """Money given back by the co-operative to the unit, after a return or an overpayment; two persons."""

    __tablename__ = "refund"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    amount_fen: Mapped[int]
    paid_on: Mapped[date]
    made_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    confirmed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    business_date: Mapped[date]


class RefundShare(Base):
    """What of a refund takes money back from which accepted goods; without a part: from money paid ahead."""

    __tablename__ = "refund_share"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    refund_id: Mapped[int] = mapped_column(ForeignKey("refund.id"), index=True)
    acceptance_part_id: Mapped[int | None] = mapped_column(ForeignKey("acceptance_part.id"))
    amount_fen: Mapped[int]
