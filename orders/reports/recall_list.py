"""Recalled lots and every delivery that held them, by the day of the recall: the list that the authorities ask for."""

from datetime import date
from typing import Any

from sqlalchemy import select

from catalog.models import Lot, LotShare
from catalog.tracing.models import Recall, RecallLot
from market import clock, db, words
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.parties import Organisation
from orders.models import AcceptancePart, Order, OrderLine, Shipment, ShipmentLine
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader

COLUMNS = (
    Column("recalled_on", N_("Recalled"), "text"),
    Column("recall", N_("Recall"), "code"),
    Column("lot", N_("Lot"), "code"),
    Column("goods", N_("Goods"), "text"),
    Column("supplier", N_("Co-operative"), "text"),
    Column("unit", N_("Unit"), "text"),
    Column("order", N_("Order"), "code"),
    Column("state", N_("State"), "text"),
    Column("packed_grams", N_("Packed"), "grams", sums=True),
    Column("accepted_grams", N_("Accepted"), "grams", sums=True),
    Column("returned_grams", N_("Sent back"), "grams", sums=True),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each packed lot of a recall of these months; lots with goods of the area. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    rows = [_row(line) for line in _lines(asked, area)]
    return Content(COLUMNS, rows, total_of(COLUMNS, rows))


def _lines(asked: Asked, area: Area) -> Any:
    supplier, unit = db.table(Organisation).alias(), db.table(Organisation).alias()
    taken = (
        select(AcceptancePart.shipment_line_id, db.sum_of(AcceptancePart.grams).label("grams"),
               db.sum_of(AcceptancePart.returned_grams).label("returned"))
        .group_by(AcceptancePart.shipment_line_id).subquery())
    return db.session().execute(
        select(Recall.business_date, Recall.number.label("recall"), Lot.code, OrderLine.product_name,
               supplier.c.name.label("supplier"), unit.c.name.label("unit"), Order.number, Order.state,
               ShipmentLine.id, ShipmentLine.packed_grams, taken.c.grams, taken.c.returned)
        .join(RecallLot, RecallLot.recall_id == Recall.id).join(Lot, Lot.id == RecallLot.lot_id)
        .join(ShipmentLine, ShipmentLine.lot_id == Lot.id).join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(Order, Order.id == Shipment.order_id).join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(supplier, supplier.c.id == Recall.supplier_id).join(unit, unit.c.id == Order.unit_id)
        .outerjoin(taken, taken.c.shipment_line_id == ShipmentLine.id)
        .where(Recall.business_date >= date.fromisoformat(asked.first + "-01"),
               Recall.business_date < date.fromisoformat(clock.months_before(asked.last, -1) + "-01"),
               Lot.id.in_(select(LotShare.lot_id).where(area.where.holds(LotShare.village_id))))
        .order_by(Recall.id, ShipmentLine.id))


def _row(line: Any) -> Row:
    return Row({
        "recalled_on": line.business_date.isoformat(), "recall": line.recall, "lot": line.code,
        "goods": line.product_name, "supplier": line.supplier, "unit": line.unit, "order": line.number,
        "state": _(words.ORDER_STATES[line.state]), "packed_grams": line.packed_grams,
        "accepted_grams": line.grams or 0, "returned_grams": line.returned or 0,
    }, order=f"{line.recall} {line.id:012d}")


REPORT = Report("recalls", N_("Recalled lots and where they went"),
                N_("Every delivery that held a recalled lot, also as a part of what was made of it."), read,
                verb="report.read", by_village=False, group="goods")
