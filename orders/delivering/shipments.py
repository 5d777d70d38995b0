"""Packing: the shipment names the lots really packed, and attribution follows these."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from catalog import stock
from catalog.models import Lot, LotShare, Product, StockHold
from catalog.on_sale import harvested, usable
from catalog.papers import refusals as papers
from catalog.tracing import certificates
from market import clock, db, journal, money, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Organisation
from market.places import Division
from orders import pricing, states
from orders.delivering import runs, substitutes, trail
from orders.models import DeliveryRun, Order, OrderLine, Shipment, ShipmentLine, ShipmentOrigin
from orders.paying import terms


@dataclass(frozen=True)
class Packed:
    """A quantity (thousandths of the sales unit) of a lot put into the box for an order line; grams if weighed."""

    line_id: int
    lot_id: int
    milli: int
    grams: int | None = None


class LotNotConfirmed(Conflict):
    """The village has not yet confirmed what it is paid for this lot."""

    code = "lot_not_confirmed"
    text = N_("Lot %(lot)s waits for the village's confirmation of its farm-gate price.")


class LotTooOld(Conflict):
    """Past its date on the day of delivery."""

    code = "lot_too_old"
    text = N_("Lot %(lot)s is past its date on the day of delivery.")


class TooMuchPacked(Conflict):
    """More than ordered and more than the unit's tolerance."""

    code = "too_much_packed"
    text = N_("%(name)s: at most %(most)s may be packed.")


def ship(order_id: int, packed: Sequence[Packed], by: Visitor, note: str = "") -> DeliveryRun:
    """Send a placed order on its way with the lots packed, short or whole, other lots than held where need be.

    Where the buyer allows it a line may be filled with another good of its kind: attribution follows the lots.
    Returns the run it goes with. Raises NotFound, WrongState, NotInLot, LotNotConfirmed, LotRecalled,
    NoCertificate, OneGoodPerLine, NotYetPaid, InvalidInput.
    """
    session = db.session()
    order = session.scalar(
        select(Order).where(Order.id == order_id, Order.supplier_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    states.check_next(order.state, "shipped")
    terms.need_paid(order)
    lines = {line.id: line for line in session.scalars(select(OrderLine).where(OrderLine.order_id == order.id))}
    lots = _lots_of([p.lot_id for p in packed], by)
    instead = substitutes.allowed(lines.values(), order.supplier_id)
    _check(packed, lines, lots, order, instead)
    certificates.check_present(lots)
    stock.release([line_id for line_id in lines if line_id not in {p.line_id for p in packed}
                   and lines[line_id].supply == "stocked"])
    stock.pack([(p.line_id, p.lot_id, p.milli) for p in packed])
    run = runs.join(order)
    substitutes.note(lines, _goods_packed(packed, lots), instead)
    shipment = _write(order, run, packed, lines, by, note)
    order.state = "shipped"
    terms.on_shipped(order)
    session.flush()
    journal.record("order.shipped", "order", order.id, by, run=run.number, shipment=shipment,
                   packed=[[p.line_id, p.lot_id, p.milli] for p in packed])
    outbox.enqueue("order.shipped", {"order_id": order.id})
    return run


def _lots_of(lot_ids: Sequence[int], by: Visitor) -> dict[int, Lot]:
    found = db.session().scalars(select(Lot).where(Lot.id.in_(lot_ids), Lot.supplier_id == by.organisation_id))
    return {lot.id: lot for lot in found}


def _goods_packed(packed: Sequence[Packed], lots: dict[int, Lot]) -> dict[int, set[int]]:
    """Products in the boxes of each line."""
    goods: dict[int, set[int]] = defaultdict(set)
    for one in packed:
        goods[one.line_id].add(lots[one.lot_id].product_id)
    return goods


def _check(packed: Sequence[Packed], lines: dict[int, OrderLine], lots: dict[int, Lot], order: Order,
           instead: Mapping[int, Mapping[int, Any]]) -> None:
    if not packed:
        raise InvalidInput({"lines": [N_("Pack at least one good.")]})
    if len({(p.line_id, p.lot_id) for p in packed}) != len(packed):
        raise InvalidInput({"lines": [N_("A lot is listed twice for one good.")]})
    for one in packed:
        line, lot = lines.get(one.line_id), lots.get(one.lot_id)
        if line is None or lot is None or lot.product_id not in {line.product_id, *instead.get(line.id, ())}:
            raise NotFound()
        if lot.confirmed_at is None:
            raise LotNotConfirmed(lot=lot.code)
        if lot.recalled_at is not None:
            raise stock.LotRecalled(lot=lot.code)
        if lot.best_before < order.delivery_day:
            raise LotTooOld(lot=lot.code)
        if one.milli <= 0:
            raise InvalidInput({"lines": [N_("This number is outside what is possible here.")]})
        if one.grams is not None:
            pricing.check_weight(line.product_name, one.milli, one.grams, line.grams_per_unit, line.by_weight)
    papers.check_lots([one.lot_id for one in packed])
    _check_quantities(packed, lines, order)


def _check_quantities(packed: Sequence[Packed], lines: dict[int, OrderLine], order: Order) -> None:
    """No more is sent than the unit could accept."""
    tolerance = db.session().scalars(
        select(Organisation.over_tolerance_points).where(Organisation.id == order.unit_id)).one()
    sums: dict[int, int] = defaultdict(int)
    for one in packed:
        sums[one.line_id] += one.milli
    for line_id, milli in sums.items():
        line = lines[line_id]
        most = line.ordered_milli * (10_000 + tolerance) // 10_000
        if milli > most:
            raise TooMuchPacked(name=line.product_name, most=money.plain_decimal(most))


def _write(order: Order, run: DeliveryRun, packed: Sequence[Packed], lines: dict[int, OrderLine], by: Visitor,
           note: str) -> int:
    now = clock.now()
    shipment_id = db.insert_returning_ids(Shipment, [{
        "order_id": order.id, "run_id": run.id, "shipped_by": by.id, "shipped_at": now,
        "business_date": clock.business_date(now), "note": note,
    }])[0]
    rows = [
        {"shipment_id": shipment_id, "order_line_id": p.line_id, "lot_id": p.lot_id, "packed_milli": p.milli,
         "packed_grams": p.grams or money.grams_of(p.milli, lines[p.line_id].grams_per_unit)}
        for p in packed
    ]
    line_ids = db.insert_returning_ids(ShipmentLine, rows)
    _write_origins(rows, line_ids)
    trail.shipped(order, rows, line_ids)
    return shipment_id


def _write_origins(rows: Sequence[dict[str, Any]], line_ids: Sequence[int]) -> None:
    """Copy each packed lot's villages with the division path of today; later renames never reach this row."""
    shares: dict[int, list[Any]] = defaultdict(list)
    for share in db.session().execute(
        select(LotShare.id, LotShare.lot_id, LotShare.village_id, LotShare.grams, Division.path)
        .join(Division, Division.id == LotShare.village_id)
        .where(LotShare.lot_id.in_({row["lot_id"] for row in rows})).order_by(LotShare.id)
    ):
        shares[share.lot_id].append(share)
    origins = []
    for row, line_id in zip(rows, line_ids, strict=True):
        parts = money.allocate(row["packed_grams"], [share.grams for share in shares[row["lot_id"]]])
        origins += [
            {"shipment_line_id": line_id, "lot_share_id": share.id, "village_id": share.village_id,
             "village_path": share.path, "grams": grams}
            for share, grams in zip(shares[row["lot_id"]], parts, strict=True)
        ]
    db.insert_rows(ShipmentOrigin, origins)


def suggestion(order_id: int) -> list[dict[str, Any]]:
    """What is held for each line, as a first proposal for packing: line, lot, milli."""
    holds = db.table(StockHold)
    query = (
        select(OrderLine.id.label("line_id"), holds.c.lot_id, Lot.code.label("lot_code"),
               db.sum_of(holds.c.milli).label("milli"))
        .join(holds, holds.c.line_id == OrderLine.id).join(Lot, Lot.id == holds.c.lot_id)
        .where(OrderLine.order_id == order_id).group_by(OrderLine.id, holds.c.lot_id, Lot.code)
        .order_by(OrderLine.id, func.min(holds.c.id))
    )
    return [dict(row) for row in db.session().execute(query).mappings()]


def packable_lots(supplier_id: int, product_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The co-operative's confirmed lots with goods in them, by product, first expired first."""
    query = (
        select(Lot.id, Lot.code, Lot.product_id, Lot.harvested_on, Lot.best_before, Lot.on_hand_milli, Lot.held_milli,
               Product.unit)
        .join(Product, Product.id == Lot.product_id)
        .where(Lot.supplier_id == supplier_id, Lot.product_id.in_(product_ids), Lot.on_hand_milli > 0, usable(),
               harvested())
        .order_by(Lot.best_before, Lot.id)
    )
    lots: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in db.session().execute(query).mappings():
        lots[row["product_id"]].append(dict(row))
    return lots
