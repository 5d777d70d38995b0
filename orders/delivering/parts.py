"""What was accepted, by the villages that grew it: each line's grams and fen over the packed lots and their shares."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import select, update

from catalog.models import Lot, LotShare
from market import db, linkages
from market.errors import NotFound
from orders import attribution, pricing
from orders.income import posting, weigh_in
from orders.models import Acceptance, AcceptancePart, Order, OrderLine, Shipment, ShipmentLine


def split(order_id: int, short: Mapping[int, int | None],
          weighed: Mapping[int, pricing.Weighed]) -> dict[int, list[attribution.Part]]:
    """Parts by order line; `short` names for each the packed lot that bears a shortage, None the last one.

    Shares are locked in id order and their eaten grams moved on. Raises NotFound for a lot not packed for the line.
    """
    packed = _packed_lots(order_id)
    so_far: dict[int, int] = {}
    parts: dict[int, list[attribution.Part]] = {}
    for line_id, bearer in short.items():
        lots = _with_last(packed.get(line_id, []), bearer)
        result = weighed[line_id]
        parts[line_id] = attribution.split(lots, result.accepted_grams, result.amount_fen, so_far)
        before = {share.share_id: share.accepted_grams for lot in lots for share in lot.shares}
        for part in parts[line_id]:
            so_far[part.share_id] = so_far.get(part.share_id, before[part.share_id]) + part.grams
    for share_id, grams in sorted(so_far.items()):
        db.session().execute(update(LotShare).where(LotShare.id == share_id).values(accepted_grams=grams))
    return parts


def _with_last(lots: list[attribution.PackedLot], bearer: int | None) -> list[attribution.PackedLot]:
    if bearer is None:
        return lots
    if bearer not in {lot.shipment_line_id for lot in lots}:
        raise NotFound()
    return sorted(lots, key=lambda lot: lot.shipment_line_id == bearer)


def _packed_lots(order_id: int) -> dict[int, list[attribution.PackedLot]]:
    session = db.session()
    rows = session.execute(
        select(ShipmentLine.id, ShipmentLine.order_line_id, ShipmentLine.lot_id, ShipmentLine.packed_grams,
               Lot.recalled_at)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Lot, Lot.id == ShipmentLine.lot_id)
        .where(Shipment.order_id == order_id)
        .order_by(ShipmentLine.id)
    ).all()
    shares: dict[int, list[attribution.PackedShare]] = defaultdict(list)
    for share in session.execute(
        select(db.table(LotShare)).where(LotShare.lot_id.in_({row.lot_id for row in rows}))
        .order_by(LotShare.id).with_for_update()
    ):
        shares[share.lot_id].append(attribution.PackedShare(
            share.id, share.village_id, share.grams, share.input_grams, share.farm_gate_fen_per_kg,
            share.accepted_grams))
    lots: dict[int, list[attribution.PackedLot]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.recalled_at is not None):  # nothing is taken of a recalled one
        lots[row.order_line_id].append(
            attribution.PackedLot(row.id, row.lot_id, row.packed_grams, shares[row.lot_id]))
    return lots


def write(order: Order, acceptance: Acceptance, lines: Mapping[int, OrderLine], line_ids: Mapping[int, int],
          parts: Mapping[int, list[attribution.Part]]) -> list[posting.AcceptedPart]:
    """Keep the parts with what each earned; `line_ids` are those of the acceptance, by order line."""
    flat = [(line_id, part) for line_id, of_line in parts.items() for part in of_line]
    villages, day = {p.village_id for _, p in flat}, acceptance.business_date
    shares = posting.collective_shares(order.supplier_id, villages, day)
    ties = _ties(order.supplier_id, flat, day)
    accepted = [
        posting.AcceptedPart.of(part, lines[line_id], line_ids[line_id], shares.get(part.village_id),
                                ties.get(part.village_id), day)
        for line_id, part in flat
    ]
    ids = db.insert_returning_ids(AcceptancePart, [part.row() for part in accepted])
    kept = [replace(part, id=new_id) for part, new_id in zip(accepted, ids, strict=True)]
    paid = weigh_in.count([(one.id, one.part.share_id, one.part.farm_gate_fen) for one in kept if not one.income_held])
    return [replace(one, weigh_paid_fen=paid.get(one.id, 0)) for one in kept]


def _ties(supplier_id: int, parts: Sequence[tuple[int, attribution.Part]], day: date) -> dict[int, int]:
    """The linkage behind each village's farm-gate income; goods of lots older than linkages tie their village now."""
    lots = {part.village_id: part.lot_id for _line, part in parts}
    found = linkages.of_villages(supplier_id, lots, day)
    if untied := lots.keys() - found.keys():
        for village in sorted(untied):
            linkages.by_delivery(supplier_id, [(village, None)], day, lots[village], None, None)
        found = linkages.of_villages(supplier_id, lots, day)
    return {village: row.id for village, row in found.items()}
