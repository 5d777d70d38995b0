"""What deliveries tell of the lots in them: packed and sent, accepted or refused, sent back. Written with the deed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from catalog.tracing import events
from catalog.tracing.events import Happening
from market import db, money
from orders.models import AcceptancePart, Order, OrderLine, ReturnLine, ReturnPart, Shipment, ShipmentLine


def shipped(order: Order, rows: Sequence[Mapping[str, Any]], line_ids: Sequence[int]) -> None:
    """Each lot packed for a line left the store for the unit's kitchen."""
    events.tell(
        Happening("shipped", row["lot_id"], row["packed_milli"], row["packed_grams"], order.supplier_id,
                  f"shipment_line:{line_id}", order.number, to_organisation_id=order.unit_id)
        for row, line_id in zip(rows, line_ids, strict=True))


def accepted(order: Order, parts: Sequence[Any]) -> None:
    """What was taken of each lot packed; a lot of which nothing was taken was refused."""
    taken: dict[int, int] = defaultdict(int)
    for part in parts:
        taken[part.shipment_line_id] += part.grams
    packed = db.session().execute(
        select(ShipmentLine.id, ShipmentLine.lot_id, ShipmentLine.packed_grams, OrderLine.grams_per_unit)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .where(Shipment.order_id == order.id).order_by(ShipmentLine.id)).all()
    events.tell(
        _at_the_door("accepted" if taken[row.id] else "refused", order, row, taken[row.id] or row.packed_grams,
                     f"shipment_line:{row.id}")
        for row in packed)


def returned(order: Order, return_id: int) -> None:
    """What went back of each lot."""
    back = db.session().execute(
        select(AcceptancePart.lot_id, OrderLine.grams_per_unit, db.sum_of(ReturnPart.grams).label("grams"))
        .join(AcceptancePart, AcceptancePart.id == ReturnPart.acceptance_part_id)
        .join(ReturnLine, ReturnLine.id == ReturnPart.return_line_id)
        .join(ShipmentLine, ShipmentLine.id == AcceptancePart.shipment_line_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .where(ReturnLine.return_id == return_id)
        .group_by(AcceptancePart.lot_id, OrderLine.grams_per_unit).order_by(AcceptancePart.lot_id)).all()
    events.tell(
        _at_the_door("returned", order, row, row.grams, f"return:{return_id}:{row.lot_id}", order.supplier_id)
        for row in back)


def _at_the_door(kind: str, order: Order, row: Any, grams: int, source: str, to: int | None = None) -> Happening:
    milli = money.milli_of(grams, row.grams_per_unit)
    return Happening(kind, row.lot_id, milli, grams, order.unit_id, source, order.number, to_organisation_id=to)
