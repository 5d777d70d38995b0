"""Tables of income beside the lots: collective shares, declarations, payouts."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from market.ledger import INCOME_KINDS

DECLARED_KINDS = ("wage", "land", "dividend", "collective")


class CollectiveAgreement(Base):
    """The village collective's share of what is accepted, in hundredths of a percent, between dates."""

    __tablename__ = "collective_agreement"
    __table_args__ = (
        CheckConstraint("basis_points BETWEEN 0 AND 5000", name="points"),
        Index("ix_collective_agreement_pair", "supplier_id", "village_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    basis_points: Mapped[int]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    agreed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    confirmed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    linkage_id: Mapped[int | None] = mapped_column(ForeignKey("linkage.id"))


class IncomeDeclaration(Base):
    """A wage, land rent or dividend a co-operative says a household earned, or what the collective (no household) got.

    Counted once the village confirms it. `twin_key` holds what makes it the same payment as another one; a payment
    that was refused or withdrawn gives it up.
    """

    __tablename__ = "income_declaration"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(kind = 'collective') = (household_id IS NULL)", name="receiver"),
        CheckConstraint("refused_at IS NULL OR confirmed_at IS NULL", name="one_end"),
        CheckConstraint("withdrawn_at IS NULL OR (confirmed_at IS NULL AND refused_at IS NULL)", name="withdrawn"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"))
    linkage_id: Mapped[int | None] = mapped_column(ForeignKey("linkage.id"))
    kind: Mapped[str] = mapped_column(choice("kind", *DECLARED_KINDS))
    month: Mapped[str] = mapped_column(String(7))
    amount_fen: Mapped[int]
    proof_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"), index=True)  # for making these goods
    declared_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    business_date: Mapped[date | None]
    refused_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    refused_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(String(200), default="")
    withdrawn_at: Mapped[datetime | None]
    twin_key: Mapped[str | None] = mapped_column(String(160), unique=True)


class Payout(Base):
    """Money a co-operative has handed on to a village's households or its collective, with proof; two persons."""

    __tablename__ = "payout"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    income_kind: Mapped[str] = mapped_column(choice("income_kind", *INCOME_KINDS))
    paid_on: Mapped[date]
    proof_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    made_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    confirmed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    business_date: Mapped[date]


class PayoutLine(Base):
    """What one household (or, without one, the collective) was handed."""

    __tablename__ = "payout_line"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey("payout.id"), index=True)
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"))
    amount_fen: Mapped[int]


class PayoutShare(Base):
    """A payout line over the categories of goods whose income it pays: what the ledger books, one row each.

    `part` numbers the shares of a line from 0; declared income and what was paid before shares were kept has no
    category.
    """

    __tablename__ = "payout_share"
    __table_args__ = (UniqueConstraint("payout_line_id", "part"), CheckConstraint("amount_fen > 0", name="amount"))

    id: Mapped[int] = mapped_column(primary_key=True)
    payout_line_id: Mapped[int] = mapped_column(ForeignKey("payout_line.id"))
    part: Mapped[int]
    category: Mapped[str | None]
    amount_fen: Mapped[int]


class PaidAtWeighIn(Base):
    """How much of an acceptance part's farm-gate income a household was paid already when it brought the goods."""

    __tablename__ = "paid_at_weigh_in"
    __table_args__ = (
        UniqueConstraint("acceptance_part_id", "lot_payment_id"), CheckConstraint("amount_fen > 0", name="amount"))

    id: Mapped[int] = mapped_column(primary_key=True)
    acceptance_part_id: Mapped[int] = mapped_column(ForeignKey("acceptance_part.id"))
    lot_payment_id: Mapped[int] = mapped_column(ForeignKey("lot_payment.id"), index=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), index=True)
    amount_fen: Mapped[int]


class ReturnShare(Base):
    """Whose farm-gate income was taken back with goods that came back; no household: of growers not named (yet)."""

    __tablename__ = "return_share"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    return_part_id: Mapped[int] = mapped_column(ForeignKey("return_part.id"), index=True)
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"), index=True)
    amount_fen: Mapped[int]
