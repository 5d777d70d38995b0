"""Tables of payment: claims, receipts, refunds."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

CLAIM_STATES = ("claimed", "received", "refused", "withdrawn")
# asked by one person; confirmed by a second it is on its way to the card, or done at once by bank
REFUND_STATES = ("asked", "sending", "done", "failed", "refused")


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
    state: Mapped[str] = mapped_column(choice("state", *CLAIM_STATES))
    origin: Mapped[str] = mapped_column(choice("origin", "unit", "bank"), default="unit")  # who says so: 银行流水
    statement_id: Mapped[int | None] = mapped_column(ForeignKey("statement.id"), index=True)  # laid oldest first
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

    Shares with a claim part or a card payment bring money in; those with neither move it: they sum to zero per order
    and moment.
    """

    __tablename__ = "receipt_share"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount"),
        CheckConstraint("claim_part_id IS NULL OR card_payment_id IS NULL", name="one_origin"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    claim_part_id: Mapped[int | None] = mapped_column(ForeignKey("claim_part.id"), index=True)
    card_payment_id: Mapped[int | None] = mapped_column(ForeignKey("card_payment.id"), index=True)
    acceptance_part_id: Mapped[int | None] = mapped_column(ForeignKey("acceptance_part.id"), index=True)
    amount_fen: Mapped[int]
    business_date: Mapped[date]


class Refund(Base):
    """Money given back by the co-operative to the unit, after a return or an overpayment; two persons.

    The row is written when it is asked for, before anything else; its id is the key of the call to the card provider.
    It is in the books once it is done.
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> made_by", name="second_person"),
        CheckConstraint("(way = 'card') = (card_payment_id IS NOT NULL)", name="way_of"),
        CheckConstraint("(state = 'done') = (business_date IS NOT NULL)", name="done"),
        CheckConstraint("state IN ('asked', 'refused') OR confirmed_by IS NOT NULL", name="confirmed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    amount_fen: Mapped[int]
    way: Mapped[str] = mapped_column(choice("way", "bank", "card"), default="bank")
    state: Mapped[str] = mapped_column(choice("state", *REFUND_STATES))
    card_payment_id: Mapped[int | None] = mapped_column(ForeignKey("card_payment.id"), index=True)
    provider_id: Mapped[str | None] = mapped_column(String(80), unique=True)  # re_… at the card provider
    return_id: Mapped[int | None] = mapped_column(ForeignKey("goods_return.id"), index=True)
    reason: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")  # why it was refused, or what the card provider said
    paid_on: Mapped[date | None]  # by bank: the day of the transfer
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))  # by bank: the slip
    tried_at: Mapped[datetime | None]  # by card: when the provider was last asked
    made_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    business_date: Mapped[date | None]


class RefundLine(Base):
    """What a refund is for: so much of a line that was paid and is not had. Only of orders that no longer change."""

    __tablename__ = "refund_line"
    __table_args__ = (UniqueConstraint("refund_id", "order_line_id"),
                      CheckConstraint("milli > 0 AND amount_fen >= 0", name="amounts"))

    id: Mapped[int] = mapped_column(primary_key=True)
    refund_id: Mapped[int] = mapped_column(ForeignKey("refund.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)
    milli: Mapped[int]
    amount_fen: Mapped[int]


class RefundShare(Base):
    """What of a refund takes money back from which accepted goods; without a part: from money paid ahead."""

    __tablename__ = "refund_share"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    refund_id: Mapped[int] = mapped_column(ForeignKey("refund.id"), index=True)
    acceptance_part_id: Mapped[int | None] = mapped_column(ForeignKey("acceptance_part.id"))
    amount_fen: Mapped[int]


class PaymentSetting(Base):
    """How an organisation pays or is paid. Without a row: goods first, cards offered where there is an account."""

    __tablename__ = "payment_setting"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, autoincrement=False)
    pay_first: Mapped[bool] = mapped_column(default=False)  # a co-operative asks it of all, or a unit may not owe
    bank_only: Mapped[bool] = mapped_column(default=False)  # a unit never pays by card
    changed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    changed_at: Mapped[datetime]


class FeeRule(Base):
    """Platform fee from a day on, in hundredths of a percent of accepted less returned; none: no fee.

    The newest rule of a co-operative holds, else the newest for all; an order keeps the rule of its placement.
    """

    __tablename__ = "fee_rule"
    __table_args__ = (CheckConstraint("points BETWEEN 0 AND 1000", name="points"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    points: Mapped[int]
    valid_from: Mapped[date]
    reason: Mapped[str]
    made_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
