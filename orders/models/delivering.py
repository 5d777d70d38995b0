"""Tables of delivery: runs, shipments with the lots packed, acceptances, goods that went back."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice


class DeliveryRun(Base):
    """One van to one delivery point: sub-orders of several co-operatives, one hand-over, one sheet."""

    __tablename__ = "delivery_run"
    __table_args__ = (
        Index("uq_delivery_run_open", "unit_id", "delivery_point_id", "day", "delivery_window", unique=True,
              sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
        Index("uq_delivery_run_code", "unit_id", "code", unique=True,
              sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    delivery_point_id: Mapped[int] = mapped_column(ForeignKey("delivery_point.id"))
    day: Mapped[date]
    delivery_window: Mapped[str]
    code: Mapped[str] = mapped_column(String(6))  # six digits on the driver's phone
    token: Mapped[str] = mapped_column(String(43), unique=True)  # the driver's link, no login
    state: Mapped[str] = mapped_column(choice("state", "open", "handed_over"))
    opened_at: Mapped[datetime]


class Shipment(Base):
    """A sub-order packed and put on a van."""

    __tablename__ = "shipment"
    __table_args__ = (Index("ix_shipment_day", "business_date", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("delivery_run.id"), index=True)
    shipped_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    shipped_at: Mapped[datetime]
    business_date: Mapped[date]
    note: Mapped[str] = mapped_column(default="")


class ShipmentLine(Base):
    """A lot really packed for an order line; attribution follows these, in the order of their ids."""

    __tablename__ = "shipment_line"
    __table_args__ = (CheckConstraint("packed_milli > 0 AND packed_grams > 0", name="packed"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    packed_milli: Mapped[int]
    packed_grams: Mapped[int]


class ShipmentOrigin(Base):
    """A village's share of a packed lot with the division path of that day; later renames never change it."""

    __tablename__ = "shipment_origin"
    __table_args__ = (UniqueConstraint("shipment_line_id", "lot_share_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    shipment_line_id: Mapped[int] = mapped_column(ForeignKey("shipment_line.id"))
    lot_share_id: Mapped[int] = mapped_column(ForeignKey("lot_share.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    village_path: Mapped[str]
    grams: Mapped[int]  # of the packed grams


class Acceptance(Base):
    """The canteen weighs the goods and takes them: two receivers, one moment."""

    __tablename__ = "acceptance"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), unique=True)
    first_receiver: Mapped[int] = mapped_column(ForeignKey("user.id"))
    second_receiver: Mapped[int] = mapped_column(ForeignKey("user.id"))
    scheme: Mapped[str] = mapped_column(choice("scheme", "two_receivers", "reduced"))
    accepted_at: Mapped[datetime]
    business_date: Mapped[date]
    note: Mapped[str] = mapped_column(default="")
    documents_seen: Mapped[bool] = mapped_column(default=False)  # lots, certificates, quarantine papers of the van
    documents_note: Mapped[str] = mapped_column(String(200), default="")  # what was missing


class AcceptanceLine(Base):
    """What was taken of an order line, at which price. grams are weighed for goods sold by weight."""

    __tablename__ = "acceptance_line"
    __table_args__ = (
        CheckConstraint("accepted_milli >= 0 AND accepted_grams >= 0 AND amount_fen >= 0", name="amounts"),
        CheckConstraint("price_fen > 0", name="price"),
        CheckConstraint("returned_milli BETWEEN 0 AND accepted_milli", name="returned"),
        CheckConstraint("(accepted_milli = 0) = (accepted_grams = 0)", name="weight"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    acceptance_id: Mapped[int] = mapped_column(ForeignKey("acceptance.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), unique=True)
    outcome: Mapped[str] = mapped_column(choice("outcome", "accepted", "short", "over", "rejected"))
    accepted_milli: Mapped[int]
    accepted_grams: Mapped[int]
    price_fen: Mapped[int]  # lower than the ordered price when accepted at a reduced price
    amount_fen: Mapped[int]
    reason: Mapped[str] = mapped_column(default="")
    short_shipment_line_id: Mapped[int | None] = mapped_column(ForeignKey("shipment_line.id"))  # bears a shortage
    returned_milli: Mapped[int] = mapped_column(default=0)  # the documents are ReturnLine rows
    temperature_tenths: Mapped[int | None]  # of cold goods, in tenths of a degree Celsius


class AcceptancePhoto(Base):
    """A photo of goods that were refused, over or reduced."""

    __tablename__ = "acceptance_photo"
    __table_args__ = (UniqueConstraint("acceptance_line_id", "file_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    acceptance_line_id: Mapped[int] = mapped_column(ForeignKey("acceptance_line.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"), index=True)


class AcceptancePart(Base):
    """A line's accepted goods, split over the lots packed and the villages that grew them; sums are exact."""

    __tablename__ = "acceptance_part"
    __table_args__ = (
        CheckConstraint("grams >= 0 AND amount_fen >= 0 AND farm_gate_fen >= 0 AND collective_fen >= 0", name="parts"),
        CheckConstraint("returned_grams BETWEEN 0 AND grams", name="returned_grams"),
        CheckConstraint("returned_fen BETWEEN 0 AND amount_fen", name="returned_fen"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    acceptance_line_id: Mapped[int] = mapped_column(ForeignKey("acceptance_line.id"), index=True)
    shipment_line_id: Mapped[int] = mapped_column(ForeignKey("shipment_line.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    lot_share_id: Mapped[int] = mapped_column(ForeignKey("lot_share.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    grams: Mapped[int]
    amount_fen: Mapped[int]
    farm_gate_fen: Mapped[int]
    collective_fen: Mapped[int]
    linkage_id: Mapped[int | None] = mapped_column(ForeignKey("linkage.id"))  # behind the farm-gate income
    collective_linkage_id: Mapped[int | None] = mapped_column(ForeignKey("linkage.id"))
    weigh_paid_fen: Mapped[int] = mapped_column(default=0)  # of the farm-gate income, paid before; PaidAtWeighIn rows
    income_held: Mapped[bool]  # more income than the goods cost: not posted until a second person clears it
    cleared_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    cleared_on: Mapped[date | None]
    cleared_returned_grams: Mapped[int | None]  # what had gone back by then: its income never counts
    # what has come back since; the documents are ReturnPart rows
    returned_grams: Mapped[int] = mapped_column(default=0)
    returned_fen: Mapped[int] = mapped_column(default=0)
    withdrawn_farm_gate_fen: Mapped[int] = mapped_column(default=0)
    withdrawn_collective_fen: Mapped[int] = mapped_column(default=0)
    # money received for this part, less refunds; the documents are ReceiptShare and RefundShare rows
    received_fen: Mapped[int] = mapped_column(default=0)


class GoodsReturn(Base):
    """Accepted goods sent back."""

    __tablename__ = "goods_return"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    returned_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    agreed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    reason: Mapped[str]
    restocked: Mapped[bool] = mapped_column(default=False)  # sound goods, back in their lots; else they are gone
    returned_at: Mapped[datetime]
    business_date: Mapped[date]


class ReturnLine(Base):
    """What came back of one line, in thousandths of its unit, grams and fen."""

    __tablename__ = "return_line"
    __table_args__ = (CheckConstraint("milli > 0 AND grams >= 0 AND amount_fen >= 0", name="amounts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    return_id: Mapped[int] = mapped_column(ForeignKey("goods_return.id"), index=True)
    acceptance_line_id: Mapped[int] = mapped_column(ForeignKey("acceptance_line.id"), index=True)
    milli: Mapped[int]
    grams: Mapped[int]
    amount_fen: Mapped[int]


class ReturnPart(Base):
    """What came back of one acceptance part, and the income taken back with it (at most what was still unpaid)."""

    __tablename__ = "return_part"
    __table_args__ = (CheckConstraint("grams >= 0 AND amount_fen >= 0", name="amounts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    return_line_id: Mapped[int] = mapped_column(ForeignKey("return_line.id"), index=True)
    acceptance_part_id: Mapped[int] = mapped_column(ForeignKey("acceptance_part.id"), index=True)
    grams: Mapped[int]
    amount_fen: Mapped[int]
    withdrawn_farm_gate_fen: Mapped[int]
    withdrawn_collective_fen: Mapped[int]
