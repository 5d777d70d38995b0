"""Tables around lots: how they were received and made, whose names followed, what was written off."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

TESTS = ("none", "passed", "failed")
PAYMENT_WAYS = ("cash", "bank", "wechat", "alipay", "other")
REASONS = ("spoiled", "damaged", "lost", "sample", "other")  # why goods are written off


class LotDetail(Base):
    """How a lot was received: where, from which land, its sample test, the photographed page of the notebook.

    A lot whose test failed stays booked, for the record; it is never confirmed and so never sold.
    """

    __tablename__ = "lot_detail"
    __table_args__ = (CheckConstraint("area_mu_hundredths > 0", name="area"),)

    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True, autoincrement=False)
    received_at: Mapped[str] = mapped_column(String(60), default="")  # the collection point, in words
    plot: Mapped[str] = mapped_column(String(60), default="")
    area_mu_hundredths: Mapped[int | None]
    test: Mapped[str] = mapped_column(choice("test", *TESTS), default="none")
    test_note: Mapped[str] = mapped_column(String(200), default="")
    notebook_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))


class LotSplit(Base):
    """Names that followed from a notebook: whom a village's goods were brought by was said later, by whom and when."""

    __tablename__ = "lot_split"

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    grams: Mapped[int]
    households: Mapped[int]
    split_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    split_at: Mapped[datetime]


class LotMaking(Base):
    """How a processed lot was made: what went in, why the yield is unusual, what the plant's village earned by it."""

    __tablename__ = "lot_making"
    __table_args__ = (
        CheckConstraint("input_grams > 0", name="input"),
        CheckConstraint("wage_fen >= 0 AND (wage_fen = 0 OR plant_village_id IS NOT NULL)", name="wage"),
    )

    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True, autoincrement=False)
    input_grams: Mapped[int]
    yield_reason: Mapped[str] = mapped_column(String(200), default="")
    plant_village_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    wage_fen: Mapped[int] = mapped_column(default=0)


class LotWriteOff(Base):
    """Goods that are gone without being sold: proposed by one person, taken out of stock by a second one."""

    __tablename__ = "lot_write_off"
    __table_args__ = (
        CheckConstraint("milli > 0", name="milli"),
        CheckConstraint("(state = 'waiting') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="second_person"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    milli: Mapped[int]
    reason: Mapped[str] = mapped_column(choice("reason", *REASONS))
    note: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(choice("state", "waiting", "confirmed", "refused"), default="waiting")
    proposed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]


class LotPayment(Base):
    """What a household was paid when it brought its goods: amount, day, way, photo of the signed slip.

    Marked before the village confirms the lot, whose person thereby confirms it too. It becomes income paid out as
    the goods are eaten, at most what they earn.
    """

    __tablename__ = "lot_payment"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("lot_contribution.id"), unique=True)
    amount_fen: Mapped[int]
    paid_on: Mapped[date]
    way: Mapped[str] = mapped_column(choice("way", *PAYMENT_WAYS))
    proof_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    marked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    marked_at: Mapped[datetime]
