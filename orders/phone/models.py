"""Tables of phone orders: what the canteen said, as the co-operative's clerk typed it."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from orders.states import WINDOWS

STATES = ("open", "confirmed", "declined", "withdrawn", "expired")
OPEN = text("state = 'open'")


class PhoneOrder(Base):
    """Not an order yet: it holds no stock and counts nowhere until somebody of the unit confirms it.

    The link's token is derived from `nonce` and the installation's key (links.py); the table keeps its hash alone.
    """

    __tablename__ = "phone_order"
    __table_args__ = (
        CheckConstraint("(state = 'confirmed') = (purchase_id IS NOT NULL)", name="confirmed"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> typed_by", name="second_person"),
        Index("ix_phone_order_supplier", "supplier_id", "id"),
        Index("ix_phone_order_unit", "unit_id", "state", "id"),
        Index("ix_phone_order_open", "expires_at", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    delivery_day: Mapped[date]
    delivery_window: Mapped[str] = mapped_column(choice("delivery_window", *WINDOWS))
    note: Mapped[str] = mapped_column(default="")
    nonce: Mapped[str] = mapped_column(String(64))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    typed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    typed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(choice("state", *STATES), default="open")
    decided_at: Mapped[datetime | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("purchase.id"), unique=True)
    reason: Mapped[str] = mapped_column(default="")  # why it was declined


class PhoneOrderLine(Base):
    """A good and how much of it, with the price that was said on the phone, in fen per sales unit."""

    __tablename__ = "phone_order_line"
    __table_args__ = (
        UniqueConstraint("phone_order_id", "product_id"),
        CheckConstraint("milli > 0 AND price_fen > 0", name="amounts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    phone_order_id: Mapped[int] = mapped_column(ForeignKey("phone_order.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    milli: Mapped[int]
    price_fen: Mapped[int]
