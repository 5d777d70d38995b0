"""Tables of supply: categories, products and their prices, lots and what they are made of, stock."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

SUPPLY = ("stocked", "daily")
STATES = ("listed", "hidden", "waiting", "returned")  # the last two: not yet seen by the county, or sent back by it
FOR_GOOD = date(9999, 12, 31)  # a day that never comes: what has no end


class Category(Base):
    """A shelf."""

    __tablename__ = "category"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    sort: Mapped[int]


class Product(Base):
    """What a co-operative lists. `price_fen` per sales unit is the newest row of ProductPrice, kept at hand.

    stocked: sells from lots in store. daily: harvested to order, bounded by a day's availability.
    by_weight: settled on weighed grams; otherwise by count.
    """

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("price_fen > 0", name="price"),
        CheckConstraint("grams_per_unit > 0", name="grams"),
        CheckConstraint("minimum_milli > 0 AND step_milli > 0", name="steps"),
        Index("ix_product_shelf", "state", "category_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)  # where it mainly grows; on the card
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    aliases: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    description_en: Mapped[str] = mapped_column(default="")
    supply: Mapped[str] = mapped_column(choice("supply", *SUPPLY))
    unit: Mapped[str] = mapped_column(String(8))
    unit_en: Mapped[str] = mapped_column(String(16), default="")
    grams_per_unit: Mapped[int]
    by_weight: Mapped[bool]
    minimum_milli: Mapped[int]
    step_milli: Mapped[int]
    harvest_months: Mapped[str] = mapped_column(String(40), default="all")  # 'all' or '10,11,12'
    price_fen: Mapped[int]
    daily_capacity_milli: Mapped[int] = mapped_column(default=0)  # what a day yields unless a row says else
    certified: Mapped[bool] = mapped_column(default=False)
    picture: Mapped[str] = mapped_column(String(40), default="")  # a drawing of static/img/goods, without suffix
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    state: Mapped[str] = mapped_column(choice("state", *STATES), default="listed")
    papers_until: Mapped[date] = mapped_column(default=FOR_GOOD)  # the last day on which all papers needed hold
    sold_milli: Mapped[int] = mapped_column(default=0)  # for sorting only
    created_at: Mapped[datetime]


class ProductPrice(Base):
    """A price from a moment on; never changed, only followed by the next."""

    __tablename__ = "product_price"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    price_fen: Mapped[int]
    valid_from: Mapped[datetime]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Lot(Base):
    """Goods of one harvest or one processing. Stock in sales units, composition in grams (see LotShare).

    on_hand falls when goods are packed, processed or written off; held is promised to orders. An expected lot
    (`expected_on`) has what will be harvested on hand, until real lots take its promises over. A lot ships once a
    person at the village has confirmed its farm-gate price (fen per kg; 0 for a processed lot, whose inputs carry
    the prices).
    """

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint("on_hand_milli >= 0", name="on_hand"),
        CheckConstraint("held_milli >= 0 AND held_milli <= on_hand_milli", name="held"),
        CheckConstraint("total_milli > 0 AND total_grams > 0", name="total"),
        CheckConstraint("farm_gate_fen_per_kg >= 0", name="farm_gate"),
        Index("ix_lot_sellable", "product_id", "best_before"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    kind: Mapped[str] = mapped_column(choice("kind", "harvest", "processed"))
    harvested_on: Mapped[date]
    best_before: Mapped[date]
    total_milli: Mapped[int]
    total_grams: Mapped[int]
    on_hand_milli: Mapped[int]
    held_milli: Mapped[int] = mapped_column(default=0)
    farm_gate_fen_per_kg: Mapped[int]
    booked_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    booked_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]  # unsafe: from then on nothing of it is promised or packed
    expected_on: Mapped[date | None]  # goods still in the field: may be promised from this day on, never packed
    closed_at: Mapped[datetime | None]  # an expected lot that nothing more is promised from


class LotContribution(Base):
    """Who brought goods to a harvested lot: a household, or the co-operative's own base in a village (no household).

    unsplit: households of the village whose names stand only on the notebook's photo; named later by lots.split.
    """

    __tablename__ = "lot_contribution"
    __table_args__ = (CheckConstraint("grams > 0", name="grams"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"), index=True)
    grams: Mapped[int]
    unsplit: Mapped[bool] = mapped_column(default=False)


class LotInput(Base):
    """What a processed lot was made of."""

    __tablename__ = "lot_input"
    __table_args__ = (CheckConstraint("grams > 0 AND milli > 0", name="amounts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    input_lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    milli: Mapped[int]
    grams: Mapped[int]


class LotShare(Base):
    """The part of a lot that one village grew, from one harvested lot, by households or by the own base.

    `grams` of this lot came from `input_grams` of the harvest (equal for a harvested lot), bought at
    `farm_gate_fen_per_kg` (0 for an own base). `accepted_grams` only grows; income is the difference of
    line_total(price, input grams so far) before and after, so a fully eaten lot is paid to the fen.
    """

    __tablename__ = "lot_share"
    __table_args__ = (
        UniqueConstraint("lot_id", "origin_lot_id", "village_id", "own_base"),
        CheckConstraint("accepted_grams >= 0", name="accepted"),
        CheckConstraint("grams > 0 AND input_grams > 0", name="grams"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    origin_lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    own_base: Mapped[bool]
    grams: Mapped[int]
    input_grams: Mapped[int]
    farm_gate_fen_per_kg: Mapped[int]
    accepted_grams: Mapped[int] = mapped_column(default=0)


class Availability(Base):
    """What a daily good yields on one day, and how much of it is promised."""

    __tablename__ = "availability"
    __table_args__ = (
        UniqueConstraint("product_id", "day"),
        CheckConstraint("held_milli >= 0 AND held_milli <= capacity_milli", name="held"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    day: Mapped[date]
    capacity_milli: Mapped[int]
    held_milli: Mapped[int] = mapped_column(default=0)


class StockHold(Base):
    """What an order line still has promised to it: from a lot, or from a day's availability."""

    __tablename__ = "stock_hold"
    __table_args__ = (
        CheckConstraint("(lot_id IS NULL) <> (availability_id IS NULL)", name="one_source"),
        CheckConstraint("milli > 0", name="milli"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(index=True)  # an order line, opaque here
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    availability_id: Mapped[int | None] = mapped_column(ForeignKey("availability.id"))
    milli: Mapped[int]


class StockMove(Base):
    """Every change of on_hand or held, append-only; their sums are what lot and availability must show."""

    __tablename__ = "stock_move"
    __table_args__ = (
        CheckConstraint("(lot_id IS NULL) <> (availability_id IS NULL)", name="one_source"),
        Index("ix_stock_move_lot", "lot_id"),
        Index("ix_stock_move_availability", "availability_id"),
        Index("ix_stock_move_line", "line_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(
        choice("kind", "booked", "held", "released", "packed", "processed", "written_off", "arrived", "closed",
               "returned"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    availability_id: Mapped[int | None] = mapped_column(ForeignKey("availability.id"))
    on_hand_change_milli: Mapped[int]
    held_change_milli: Mapped[int]
    line_id: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")


class ProductChange(Base):
    """What the search index has still to follow: one numbered row per change; each host's index keeps its own place."""

    __tablename__ = "product_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
