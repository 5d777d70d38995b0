"""Report 14, delivery notes: every lot that went out, with what was ordered, sent and taken, and who signed."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, func, select

from catalog.models import Lot
from catalog.tracing import certificates
from market import db, money
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.parties import Organisation
from market.users import User
from market.words import WINDOWS
from orders.delivering.exceptions import degrees
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePart,
    DeliveryRun,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
)
from orders.reports import listing
from orders.reports.frame import FILTERS, Asked, Column, Content, Report, Row
from orders.reports.listing import Found, Listing
from orders.reports.readers import Area, Reader, number_of

COLUMNS = (
    Column("note", N_("Delivery note"), "code"), Column("order", N_("Order"), "code"),
    Column("sent_on", N_("Sent on"), "code"), Column("unit", N_("Unit"), "text"),
    Column("supplier", N_("Co-operative"), "text"), Column("window", N_("Delivery window"), "text"),
    Column("vehicle", N_("Vehicle run"), "code"), Column("lot", N_("Lot"), "code"),
    Column("product", N_("Product"), "text"), Column("ordered_grams", N_("Ordered weight"), "grams", sums=True),
    Column("sent_grams", N_("Sent weight"), "grams", sums=True),
    Column("accepted_grams", N_("Accepted weight"), "grams", "accepted", sums=True),
    Column("price_fen", N_("Unit price"), "fen"),
    Column("amount_fen", N_("Amount"), "fen", "accepted", sums=True),
    Column("certificate", N_("Certificate no."), "code"), Column("temperature", N_("Temperature, °C"), "code"),
    Column("signatures", N_("Signatures"), "text"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """The first rows, and the totals of all. Not for the public."""
    rows, more = _listing(asked, area, reader).first()
    return Content(COLUMNS, rows, Row(_totals(asked, area)), [
        *listing.more_words(len(rows), more),
        _("One row for each lot on a delivery note. What was ordered stands in the row of an order line's first lot, "
          "so that it is counted once."),
        _("Weight and amount as accepted at the door; what came back later is not taken off. Price for one sales unit, "
          "as accepted."),
        _("Signatures: who sent the goods, then the two receivers. A dash: not known, or not yet accepted."),
        _("Notes between two places stand in both: of units and of co-operatives at home in the area."),
    ])


def rows_of(asked: Asked, area: Area, reader: Reader) -> Iterator[Row]:
    """Every row in the same order. Not for the public."""
    return _listing(asked, area, reader).every()


def _listing(asked: Asked, area: Area, reader: Reader) -> Listing:
    if not reader.sees_all:
        raise NotFound()
    return Listing(_described(asked, area), (Shipment.business_date, Shipment.id, ShipmentLine.id), _rows)


def _described(asked: Asked, area: Area) -> Select[Any]:
    unit, shipper, first, second = (db.table(one).alias() for one in (Organisation, User, User, User))
    other = db.table(ShipmentLine).alias()
    earlier = select(other.c.id).where(
        other.c.order_line_id == ShipmentLine.order_line_id, other.c.id < ShipmentLine.id).exists()
    columns = (
        select(ShipmentLine.id, ShipmentLine.shipment_id, ShipmentLine.packed_grams, earlier.label("is_further"),
               Order.number, Order.supplier_name, Order.delivery_window, Shipment.business_date,
               unit.c.name.label("unit"), DeliveryRun.number.label("run"), Lot.code.label("lot"),
               OrderLine.product_name, OrderLine.substitute_name, OrderLine.substitute_product_id,
               OrderLine.ordered_milli, OrderLine.grams_per_unit, OrderLine.price_fen,
               AcceptanceLine.price_fen.label("accepted_price_fen"), AcceptanceLine.temperature_tenths,
               certificates.number_that_holds(Lot.id).label("certificate"),
               shipper.c.name.label("shipper"), first.c.name.label("first"), second.c.name.label("second")))
    return (
        _sent(asked, area, columns)
        .join(unit, unit.c.id == Order.unit_id).join(DeliveryRun, DeliveryRun.id == Shipment.run_id)
        .join(shipper, shipper.c.id == Shipment.shipped_by)
        .outerjoin(Acceptance, Acceptance.order_id == Order.id)
        .outerjoin(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .outerjoin(first, first.c.id == Acceptance.first_receiver)
        .outerjoin(second, second.c.id == Acceptance.second_receiver))


def _sent(asked: Asked, area: Area, columns: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The same notes for rows and totals: of the area, sent in these months."""
    query = (
        columns.select_from(ShipmentLine).join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(Order, Order.id == Shipment.order_id).join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(Lot, Lot.id == ShipmentLine.lot_id)
        .where(Shipment.business_date.between(*listing.days(asked)), listing.of_area(area.where),
               *listing.of_facets(asked.facets, {
                   "unit_type": Order.unit_type, "method": Order.method, "fund_source": Order.fund_source,
                   "category": OrderLine.category, "certified": OrderLine.certified})))
    unit_id = number_of(asked.unit)
    return query if unit_id is None else query.where(Order.unit_id == unit_id)


def _totals(asked: Asked, area: Area) -> dict[str, int]:
    """Sums of all rows, by SQL; what was ordered is weighed once for each size of order line."""
    run = db.session().execute
    sent = run(_sent(asked, area, select(db.sum_of(ShipmentLine.packed_grams)))).scalar_one()
    taken = run(_sent(asked, area, select(db.sum_of(AcceptancePart.grams).label("grams"),
                                          db.sum_of(AcceptancePart.amount_fen).label("fen"))
                      ).join(AcceptancePart, AcceptancePart.shipment_line_id == ShipmentLine.id)).one()
    lines = _sent(asked, area, select(OrderLine.id, OrderLine.ordered_milli, OrderLine.grams_per_unit)
                  ).distinct().subquery()
    sizes = (lines.c.ordered_milli, lines.c.grams_per_unit)
    ordered = sum(count * money.grams_of(milli, per_unit) for milli, per_unit, count in run(
        select(*sizes, func.count()).group_by(*sizes)))
    return {"ordered_grams": ordered, "sent_grams": sent, "accepted_grams": taken.grams, "amount_fen": taken.fen}


def _rows(found: Found) -> list[Row]:
    ids = [line.id for line in found]
    taken = {row.shipment_line_id: row for some in db.chunks(ids) for row in db.session().execute(
        select(AcceptancePart.shipment_line_id, db.sum_of(AcceptancePart.grams).label("grams"),
               db.sum_of(AcceptancePart.amount_fen).label("fen"))
        .where(AcceptancePart.shipment_line_id.in_(some)).group_by(AcceptancePart.shipment_line_id))}
    return [_row(line, taken.get(line.id)) for line in found]


def _row(line: Any, taken: Any) -> Row:
    is_accepted = line.accepted_price_fen is not None
    ordered = None if line.is_further else money.grams_of(line.ordered_milli, line.grams_per_unit)
    row = Row({
        "note": f"S-{line.number}", "order": line.number, "sent_on": line.business_date.isoformat(), "unit": line.unit,
        "supplier": line.supplier_name, "window": _(WINDOWS[line.delivery_window]), "vehicle": line.run,
        "lot": line.lot, "product": line.substitute_name if line.substitute_product_id else line.product_name,
        "ordered_grams": ordered, "sent_grams": line.packed_grams,
        "accepted_grams": taken.grams if taken else 0 if is_accepted else None,
        "price_fen": line.accepted_price_fen if is_accepted else line.price_fen,
        "amount_fen": taken.fen if taken else 0 if is_accepted else None, "certificate": line.certificate,
        "temperature": degrees(line.temperature_tenths) if line.temperature_tenths is not None else None,
        "signatures": "、".join(name for name in (line.shipper, line.first, line.second) if name),
    }, place=str(line.id), order=f"{line.business_date.isoformat()} {line.shipment_id:012d} {line.id:012d}")
    if line.is_further:
        row.instead["ordered_grams"] = _("see its first lot")
    return row


REPORT = Report("delivery-notes", N_("Delivery notes"),
                N_("Every lot sent: ordered, sent and accepted weight, amount, certificate, temperature, signatures."),
                read, verb="report.read", by_village=False, filters=FILTERS, rows_of=rows_of,
                group="purchases")
