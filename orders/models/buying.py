"""Tables of demand: the cart, purchases, orders and their lines."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from orders.states import APPROVAL, FUND_SOURCES, METHODS, PAYMENT, PAYMENT_TERMS, SOURCES, STATES, WINDOWS


class CartLine(Base):
    """What somebody has put together for their unit and not yet ordered."""

    __tablename__ = "cart_line"
    __table_args__ = (
        UniqueConstraint("unit_id", "user_id", "product_id"),
        CheckConstraint("milli > 0", name="milli"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    milli: Mapped[int]
    substitute_ok: Mapped[bool] = mapped_column(default=False)


class Purchase(Base):
    """采购单: what a unit ordered at once; each co-operative gets a sub-order of its own.

    `unit_id` is the credited budget unit (预算单位), apart from who logged in.
    """

    __tablename__ = "purchase"
    __table_args__ = (
        UniqueConstraint("ordered_by", "submit_token"),
        Index("ix_purchase_unit", "unit_id", "id"),
        CheckConstraint("total_fen > 0", name="total"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    ordered_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    submit_token: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(choice("source", *SOURCES), default="cart")
    by_contractor: Mapped[bool] = mapped_column(default=False)  # the canteen's contractor ordered, for the unit
    fund_source: Mapped[str] = mapped_column(choice("fund_source", *FUND_SOURCES))
    method: Mapped[str] = mapped_column(choice("method", *METHODS))
    delivery_point_id: Mapped[int] = mapped_column(ForeignKey("delivery_point.id"))
    delivery_day: Mapped[date]
    delivery_window: Mapped[str] = mapped_column(choice("delivery_window", *WINDOWS))
    note: Mapped[str] = mapped_column(default="")
    total_fen: Mapped[int]  # goods; a limit, and what the buyer saw, is compared with goods and freight
    freight_fen: Mapped[int] = mapped_column(default=0)  # of all its orders, as agreed when it was placed
    approval: Mapped[str] = mapped_column(choice("approval", *APPROVAL))
    content_hash: Mapped[str] = mapped_column(String(64))  # what an approval binds
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]
    placed_at: Mapped[datetime]
    business_date: Mapped[date]


class Order(Base):
    """A sub-order: one unit, one co-operative. Sums in fen are kept beside the documents they add up."""

    __tablename__ = "order"
    __table_args__ = (
        Index("ix_order_unit", "unit_id", "state", "id"),
        Index("ix_order_supplier", "supplier_id", "state", "id"),
        CheckConstraint("placed_fen > 0 AND accepted_fen >= 0 AND returned_fen >= 0", name="sums"),
        CheckConstraint("returned_fen <= accepted_fen AND refunded_fen <= received_fen", name="parts"),
        CheckConstraint("freight_fen >= 0 AND freight_fen <= freight_agreed_fen", name="freight"),
        CheckConstraint("payment_days BETWEEN 1 AND 60", name="payment_days"),
        CheckConstraint("fee_points BETWEEN 0 AND 1000", name="fee"),
        Index("ix_order_pay_by", "payment", "pay_by"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    unit_type: Mapped[str]
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    supplier_name: Mapped[str]
    fund_source: Mapped[str]
    method: Mapped[str]
    state: Mapped[str] = mapped_column(choice("state", *STATES))
    payment: Mapped[str] = mapped_column(choice("payment", *PAYMENT), default="unpaid")
    placed_fen: Mapped[int]
    accepted_fen: Mapped[int] = mapped_column(default=0)
    returned_fen: Mapped[int] = mapped_column(default=0)
    received_fen: Mapped[int] = mapped_column(default=0)
    refunded_fen: Mapped[int] = mapped_column(default=0)
    delivery_point_id: Mapped[int] = mapped_column(ForeignKey("delivery_point.id"))
    delivery_day: Mapped[date]
    delivery_window: Mapped[str]
    # what the co-operative promised for this place when the order was placed; later terms never change it
    terms_id: Mapped[int | None] = mapped_column(ForeignKey("delivery_terms.id"))
    terms_area: Mapped[str] = mapped_column(default="")
    cut_off_at: Mapped[datetime | None]  # from when on orders for this day were closed
    minimum_fen: Mapped[int] = mapped_column(default=0)
    free_from_fen: Mapped[int | None]
    freight_agreed_fen: Mapped[int] = mapped_column(default=0)
    freight_fen: Mapped[int] = mapped_column(default=0)  # agreed, or what the co-operative has lowered it to since
    # when it is to be paid; frozen when placed, but for one extension (保障中小企业款项支付条例, 国务院令第802号)
    payment_terms: Mapped[str] = mapped_column(choice("payment_terms", *PAYMENT_TERMS), default="goods_first")
    payment_days: Mapped[int] = mapped_column(default=30)
    pay_by: Mapped[date | None]  # pay first: from placing on; goods first: from acceptance, or when that was due
    pay_extended: Mapped[bool] = mapped_column(default=False)
    fee_points: Mapped[int] = mapped_column(default=0)  # platform fee, in hundredths of a percent
    placed_at: Mapped[datetime]
    business_date: Mapped[date]

    @property
    def freight_due_fen(self) -> int:
        """What of the freight is owed, in fen: all of it, unless nothing is delivered."""
        return 0 if self.state in {"rejected", "cancelled"} else self.freight_fen


class OrderLine(Base):
    """One good, as it was called, measured and priced when it was ordered; never re-read from the product."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("ordered_milli > 0 AND price_fen > 0 AND amount_fen >= 0", name="amounts"),
        CheckConstraint("substitute_product_id IS NULL OR substitute_ok", name="substitute"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    product_name: Mapped[str]
    product_name_en: Mapped[str]
    supply: Mapped[str]
    unit: Mapped[str]
    unit_en: Mapped[str]
    grams_per_unit: Mapped[int]
    by_weight: Mapped[bool]
    category: Mapped[str]
    certified: Mapped[bool]
    price_fen: Mapped[int]
    ordered_milli: Mapped[int]
    amount_fen: Mapped[int]
    substitute_ok: Mapped[bool] = mapped_column(default=False)  # the buyer takes another good of the kind
    substitute_product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))  # what was sent instead
    substitute_name: Mapped[str] = mapped_column(default="")
    substitute_name_en: Mapped[str] = mapped_column(default="")
