"""What the papers of an order say, read as columns: the parties, the goods, what was packed and what was taken."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select

from catalog.models import Lot
from catalog.tracing import certificates
from market import db
from market.access import Visitor
from market.errors import NotFound
from market.parties import DeliveryPoint, Organisation
from market.places import Division
from market.users import User
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePhoto,
    DeliveryRun,
    GoodsReturn,
    Order,
    OrderLine,
    Purchase,
    ReturnLine,
    Shipment,
    ShipmentLine,
)
from orders.papers import walls
from orders.papers.models import FrameCallOff, FrameContract, InvoiceTitle

Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Party:
    """One side as papers name it."""

    name: str
    credit_code: str
    address: str
    phone: str
    bank_name: str
    bank_account: str


@dataclass(frozen=True)
class OrderPaper:
    """An order with everything that its papers print."""

    order: Columns
    unit: Party
    supplier: Party
    lines: Sequence[Columns]
    packed: Mapping[int, Sequence[Columns]]  # lots by order line
    shipments: Sequence[Columns]
    acceptances: Sequence[Columns]
    taken: Mapping[int, Sequence[Columns]]  # acceptance lines by order line
    returns: Sequence[Columns]
    frame_number: str
    photos: int  # taken at the door

    @property
    def freight_fen(self) -> int:
        """Freight agreed for this order; nothing is owed for what was refused or taken back."""
        return 0 if self.order.state in {"rejected", "cancelled"} else int(self.order.freight_fen)

    @property
    def net_fen(self) -> int:
        """Accepted less returned."""
        return int(self.order.accepted_fen - self.order.returned_fen)

    @property
    def open_fen(self) -> int:
        """Accepted less returned, with freight, less what has arrived."""
        return int(self.net_fen + self.freight_fen - self.order.received_fen + self.order.refunded_fen)

    @property
    def due_on(self) -> date | None:
        """The last day of payment, as orders/paying/terms.py has made it."""
        day: date | None = self.order.pay_by
        return day

    @property
    def payment_days(self) -> int:
        """So many days after acceptance the goods are paid, as agreed when they were ordered."""
        return int(self.order.payment_days)


def order_paper(order_id: int, by: Visitor) -> OrderPaper:
    """An order between two parties of whom the visitor is one (or audits). Raises NotFound for any other."""
    return order_papers([order_id], by)[0]


def order_papers(order_ids: Collection[int], by: Visitor) -> list[OrderPaper]:
    """Several orders, in a fixed number of statements. Raises NotFound where one is not this visitor's."""
    orders = db.session().execute(
        select(db.table(Order), Purchase.number.label("purchase_number"), Purchase.note, Purchase.approved_at,
               DeliveryPoint.name.label("point"), DeliveryPoint.address.label("point_address"),
               FrameContract.number.label("frame_number"))
        .join(Purchase, Purchase.id == Order.purchase_id)
        .join(DeliveryPoint, DeliveryPoint.id == Order.delivery_point_id)
        .outerjoin(FrameCallOff, FrameCallOff.order_id == Order.id)
        .outerjoin(FrameContract, FrameContract.id == FrameCallOff.contract_id)
        .where(Order.id.in_(order_ids), walls.seen_by(by, Order.unit_id, Order.supplier_id))
        .order_by(Order.id)).all()
    if not orders or len(orders) != len(set(order_ids)):
        raise NotFound()
    sides = parties({order.unit_id for order in orders} | {order.supplier_id for order in orders})
    lines, packed, sent = _lines(order_ids), _packed(order_ids), _shipments(order_ids)
    accepted, taken, returns = _acceptances(order_ids), _taken(order_ids), _returns(order_ids)
    photos = _photos(order_ids)
    return [OrderPaper(
        order, sides[order.unit_id], sides[order.supplier_id], lines[order.id], packed, sent[order.id],
        accepted[order.id], taken, returns[order.id], order.frame_number or "", photos[order.id]) for order in orders]


def parties(organisation_ids: Collection[int]) -> dict[int, Party]:
    """Sides of a contract by id: a unit's invoice title goes before what else is known of it; one statement."""
    rows = db.session().execute(
        select(Organisation.id, Organisation.name, Organisation.credit_code, Organisation.phone,
               Organisation.bank_name, Organisation.bank_account, Division.path,
               InvoiceTitle.tax_number, InvoiceTitle.address.label("title_address"),
               InvoiceTitle.phone.label("title_phone"), InvoiceTitle.bank_name.label("title_bank"),
               InvoiceTitle.bank_account.label("title_account"))
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(InvoiceTitle, InvoiceTitle.unit_id == Organisation.id)
        .where(Organisation.id.in_(organisation_ids)))
    return {row.id: Party(
        row.name, row.credit_code or row.tax_number or "", row.title_address or row.path or "",
        row.title_phone or row.phone, row.title_bank or row.bank_name, row.title_account or row.bank_account)
        for row in rows}


def _lines(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    return grouped(db.session().execute(
        select(db.table(OrderLine)).where(OrderLine.order_id.in_(order_ids)).order_by(OrderLine.id)), "order_id")


def _packed(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    return grouped(db.session().execute(
        select(ShipmentLine.order_line_id, ShipmentLine.packed_milli, ShipmentLine.packed_grams, Lot.code,
               Lot.harvested_on, Lot.best_before, certificates.number_that_holds(Lot.id).label("certificate"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Lot, Lot.id == ShipmentLine.lot_id)
        .where(Shipment.order_id.in_(order_ids)).order_by(ShipmentLine.id)), "order_line_id")


def _shipments(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    return grouped(db.session().execute(
        select(db.table(Shipment), DeliveryRun.number.label("run_number"), User.name.label("shipper"))
        .join(DeliveryRun, DeliveryRun.id == Shipment.run_id).join(User, User.id == Shipment.shipped_by)
        .where(Shipment.order_id.in_(order_ids)).order_by(Shipment.id)), "order_id")


def _acceptances(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    first, second = db.table(User).alias(), db.table(User).alias()
    return grouped(db.session().execute(
        select(db.table(Acceptance), first.c.name.label("first"), second.c.name.label("second"))
        .join(first, first.c.id == Acceptance.first_receiver).join(second, second.c.id == Acceptance.second_receiver)
        .where(Acceptance.order_id.in_(order_ids)).order_by(Acceptance.id)), "order_id")


def _taken(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    return grouped(db.session().execute(
        select(db.table(AcceptanceLine)).join(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
        .where(Acceptance.order_id.in_(order_ids)).order_by(AcceptanceLine.id)), "order_line_id")


def _photos(order_ids: Collection[int]) -> Counter[int]:
    return Counter(db.session().scalars(
        select(OrderLine.order_id).join(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .join(AcceptancePhoto, AcceptancePhoto.acceptance_line_id == AcceptanceLine.id)
        .where(OrderLine.order_id.in_(order_ids))))


def _returns(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    return grouped(db.session().execute(
        select(GoodsReturn.order_id, GoodsReturn.business_date, GoodsReturn.reason,
               db.sum_of(ReturnLine.amount_fen).label("amount_fen"), func.count().label("goods"))
        .join(ReturnLine, ReturnLine.return_id == GoodsReturn.id).where(GoodsReturn.order_id.in_(order_ids))
        .group_by(GoodsReturn.id, GoodsReturn.order_id, GoodsReturn.business_date, GoodsReturn.reason)
        .order_by(GoodsReturn.id)), "order_id")


def grouped(rows: Any, name: str) -> Mapping[int, list[Columns]]:
    """Rows by the value of one column."""
    groups: dict[int, list[Columns]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, name)].append(row)
    return groups
