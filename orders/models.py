"""Tables of demand: purchases, orders, deliveries, acceptance, payments, income documents."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice
from market.ledger import INCOME_KINDS
from orders.states import APPROVAL, FUND_SOURCES, METHODS, PAYMENT, STATES, WINDOWS


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
    fund_source: Mapped[str] = mapped_column(choice("fund_source", *FUND_SOURCES))
    method: Mapped[str] = mapped_column(choice("method", *METHODS))
    delivery_point_id: Mapped[int] = mapped_column(ForeignKey("delivery_point.id"))
    delivery_day: Mapped[date]
    delivery_window: Mapped[str] = mapped_column(choice("delivery_window", *WINDOWS))
    note: Mapped[str] = mapped_column(default="")
    total_fen: Mapped[int]
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
    placed_at: Mapped[datetime]
    business_date: Mapped[date]


class OrderLine(Base):
    """One good, as it was called, measured and priced when it was ordered; never re-read from the product."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("ordered_milli > 0 AND price_fen > 0 AND amount_fen >= 0", name="amounts"),
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


class IncomeDeclaration(Base):
    """A wage, land rent or dividend a co-operative says a household earned; counted once the village confirms it."""

    __tablename__ = "income_declaration"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    kind: Mapped[str] = mapped_column(choice("kind", "wage", "land", "dividend"))
    month: Mapped[str] = mapped_column(String(7))
    amount_fen: Mapped[int]
    proof_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    declared_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    business_date: Mapped[date | None]


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
