"""How far a recalled lot has come: every delivery that held it, also as a part of what was made of it; who was told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from catalog import lots
from catalog.models import Lot, LotInput
from catalog.tracing.models import Recall, RecallLot, RecallRelease
from market import db, notices, paging
from market.access import Visitor
from market.errors import NotFound
from market.notices import Notice
from market.paging import Columns, Page
from market.parties import Membership, Organisation
from market.users import User
from orders.models import AcceptancePart, Order, OrderLine, Shipment, ShipmentLine

NEWS = "lot.recalled"


def visible_to(by: Visitor) -> ColumnElement[bool]:
    """Recalls of a co-operative's own lots, of lots with goods of an office's area, or that a unit received."""
    if by.organisation_kind == "supplier":
        return Recall.supplier_id == by.organisation_id
    if by.organisation_kind == "unit":
        return Recall.id.in_(
            select(RecallLot.recall_id).join(ShipmentLine, ShipmentLine.lot_id == RecallLot.lot_id)
            .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Order, Order.id == Shipment.order_id)
            .where(Order.unit_id == by.organisation_id))
    return Recall.lot_id.in_(select(Lot.id).where(lots.touches_area(by)))


def recalls(by: Visitor, page: int) -> Page:
    """Recalls that this person may see, the newest first, in two statements."""
    total = db.session().scalar(select(func.count()).select_from(Recall).where(visible_to(by))) or 0
    return paging.read(_recalls(by).where(visible_to(by)).order_by(Recall.id.desc()), total, page)


def one(recall_id: int, by: Visitor) -> Columns:
    """A recall. Raises NotFound for anybody it is nothing to."""
    found = db.session().execute(_recalls(by).where(Recall.id == recall_id, visible_to(by))).first()
    if found is None:
        raise NotFound()
    return found


def _recalls(by: Visitor) -> Select[Any]:
    """Recalls with how many deliveries held the goods; a unit learns of its own only."""
    ordered_by = db.table(Organisation).alias()
    held = (select(func.count()).select_from(ShipmentLine).join(RecallLot, RecallLot.lot_id == ShipmentLine.lot_id)
            .where(RecallLot.recall_id == Recall.id))
    if by.organisation_kind == "unit":
        held = (held.join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Order, Order.id == Shipment.order_id)
                .where(Order.unit_id == by.organisation_id))
    deliveries = held.correlate(Recall).scalar_subquery()
    return (
        select(db.table(Recall), Lot.code, Organisation.name.label("supplier"), Organisation.phone.label("phone"),
               ordered_by.c.name.label("ordered_by"), deliveries.label("deliveries"))
        .join(Lot, Lot.id == Recall.lot_id).join(Organisation, Organisation.id == Recall.supplier_id)
        .join(ordered_by, ordered_by.c.id == Recall.organisation_id))


def reached(recall_id: int, unit_id: int | None = None) -> Sequence[Columns]:
    """Every packed lot of a recall with its order and unit (of one unit where named), and what was taken of it."""
    taken = (
        select(AcceptancePart.shipment_line_id, func.sum(AcceptancePart.grams).label("grams"),
               func.sum(AcceptancePart.returned_grams).label("returned"))
        .group_by(AcceptancePart.shipment_line_id).subquery())
    query = (
        select(ShipmentLine.id, Lot.code, OrderLine.product_name, OrderLine.product_name_en, OrderLine.unit,
               OrderLine.unit_en, ShipmentLine.packed_milli, ShipmentLine.packed_grams, Shipment.shipped_at,
               Order.id.label("order_id"), Order.number, Order.state, Order.delivery_day, Order.unit_id,
               Order.unit_type, Organisation.name.label("unit_name"), Organisation.phone.label("unit_phone"),
               db.sum_of(taken.c.grams).label("accepted_grams"), db.sum_of(taken.c.returned).label("returned_grams"))
        .join(RecallLot, RecallLot.lot_id == ShipmentLine.lot_id).join(Lot, Lot.id == ShipmentLine.lot_id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Order, Order.id == Shipment.order_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(Organisation, Organisation.id == Order.unit_id)
        .outerjoin(taken, taken.c.shipment_line_id == ShipmentLine.id)
        .where(RecallLot.recall_id == recall_id)
        .group_by(ShipmentLine.id, Lot.id, Shipment.id, Order.id, OrderLine.id, Organisation.id)
        .order_by(Organisation.name, Order.id, ShipmentLine.id))
    return db.session().execute(query if unit_id is None else query.where(Order.unit_id == unit_id)).all()


def still_to_fill(recall_id: int | None = None, order_id: int | None = None) -> Sequence[Columns]:
    """Goods once promised from stopped lots, of a recall or an order: to come from another lot, or to be short."""
    query = (
        select(RecallRelease.recall_id, RecallRelease.milli, RecallRelease.line_id, Lot.code, OrderLine.product_name,
               OrderLine.product_name_en, OrderLine.unit, OrderLine.unit_en, Order.id.label("order_id"), Order.number,
               Order.state, Order.delivery_day, Organisation.name.label("unit_name"))
        .join(Lot, Lot.id == RecallRelease.lot_id).join(OrderLine, OrderLine.id == RecallRelease.line_id)
        .join(Order, Order.id == OrderLine.order_id).join(Organisation, Organisation.id == Order.unit_id)
        .order_by(Order.delivery_day, Order.id, RecallRelease.id))
    return db.session().execute(
        query.where(OrderLine.order_id == order_id) if order_id is not None
        else query.where(RecallRelease.recall_id == recall_id)).all()


def orders_to_fill(by: Visitor) -> int:
    """How many of a co-operative's orders still to be packed were promised goods of lots recalled since."""
    return db.session().scalar(
        select(func.count(func.distinct(Order.id))).select_from(RecallRelease)
        .join(OrderLine, OrderLine.id == RecallRelease.line_id).join(Order, Order.id == OrderLine.order_id)
        .where(Order.supplier_id == by.organisation_id, Order.state == "placed")) or 0


def would_reach(lot_id: int) -> Columns:
    """Of a lot not yet recalled, with all that was made of it: how many lots, deliveries and units; one statement."""
    family = select(Lot.id.label("id")).where(Lot.id == lot_id).cte("family", recursive=True)
    family = family.union(select(LotInput.lot_id).where(LotInput.input_lot_id == family.c.id))
    return db.session().execute(
        select(func.count(func.distinct(family.c.id)).label("lots"),
               func.count(func.distinct(ShipmentLine.id)).label("deliveries"),
               func.count(func.distinct(Order.unit_id)).label("units"))
        .select_from(family).outerjoin(ShipmentLine, ShipmentLine.lot_id == family.c.id)
        .outerjoin(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .outerjoin(Order, Order.id == Shipment.order_id)).one()


# ---- who is told ----------------------------------------------------------------------------------------------------


def told_at(recall_id: int) -> Mapping[int, datetime]:
    """When each organisation was told."""
    rows = db.session().execute(select(Notice.organisation_id, Notice.created_at).where(
        Notice.kind == NEWS, Notice.thing_id == recall_id))
    return {row.organisation_id: row.created_at for row in rows}


def receivers(unit_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """Whom to ask for at each unit: its receivers, names and mobile numbers masked."""
    found: dict[int, list[str]] = {}
    for row in db.session().execute(
            select(Membership.organisation_id, User.name, User.mobile).join(User, User.id == Membership.user_id)
            .where(Membership.organisation_id.in_(unit_ids), Membership.role == "receiver").order_by(User.id)):
        mobile = f" {row.mobile[:3]}****{row.mobile[-4:]}" if row.mobile else ""
        found.setdefault(row.organisation_id, []).append(f"{row.name[:1]}＊{mobile}")
    return found


def tell(recall_id: int, offices: Sequence[int]) -> None:
    """Tell each unit that received the goods, the co-operative and the offices, once each."""
    session = db.session()
    facts = session.execute(
        select(Recall.supplier_id, Lot.code, Organisation.name.label("supplier"))
        .join(Lot, Lot.id == Recall.lot_id).join(Organisation, Organisation.id == Recall.supplier_id)
        .where(Recall.id == recall_id)).one()
    by_unit: dict[int, dict[str, None]] = {}
    for row in reached(recall_id):
        by_unit.setdefault(row.unit_id, {})[row.product_name] = None
    goods = list(dict.fromkeys(name for names in by_unit.values() for name in names))
    about = {"lot": facts.code, "supplier": facts.supplier}
    for unit_id, names in sorted(by_unit.items()):
        notices.tell(unit_id, NEWS, recall_id, about | {"goods": "、".join(names)})
    for organisation_id in dict.fromkeys((facts.supplier_id, *offices)):
        notices.tell(organisation_id, NEWS, recall_id, about | {"goods": "、".join(goods) or "–"})
