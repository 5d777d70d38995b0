"""The canteen weighs the goods and takes them: two people, real weights. Now the villages have earned."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog.models import Lot, LotShare
from market import clock, db, faults, journal, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.parties import Organisation
from orders import pricing, seasons, states
from orders.approving import people
from orders.delivering import parts, runs, trail
from orders.income import posting
from orders.inspection import recording
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePhoto,
    ClaimPart,
    Order,
    OrderLine,
    PaymentClaim,
    Purchase,
    Shipment,
    ShipmentLine,
)
from orders.paying import card_closing, receipts, terms


@dataclass(frozen=True)
class Taken:
    """What the receivers say of one order line.

    Goods sold by weight: `grams` on the scale. Counted goods: `milli` (thousandths of the unit), grams if weighed.
    `price_fen` below the ordered price, or nothing taken, needs a reason. `short_shipment_line_id` names the packed
    lot that bears a shortage, where it is not the last one.
    """

    line_id: int
    grams: int | None = None
    milli: int | None = None
    price_fen: int | None = None
    reason: str = ""
    short_shipment_line_id: int | None = None
    temperature_tenths: int | None = None
    photo_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Documents:
    """Whether the receivers saw the papers of the whole van, and what was missing."""

    seen: bool = False
    note: str = ""


@dataclass(frozen=True)
class Said:
    """What the receivers said of the whole delivery."""

    note: str
    documents: Documents


class ReasonMissing(MarketError):
    status = 422
    code = "reason_missing"
    text = N_("%(name)s: please say why it was refused or reduced.")


class RecalledGoods(Conflict):
    """What was recalled on its way is refused at the door; other lots of the same good may be taken."""

    code = "recalled_goods"
    text = N_("%(name)s: lot %(lot)s has been recalled. At most %(most)s may be accepted.")


class NotTwoReceivers(SecondPersonNeeded):
    """Two receivers, neither of them who ordered, approved or pays; a small unit may declare a reduced scheme."""

    code = "two_receivers"
    text = N_("Two people must receive: both receivers of the unit, neither the one who ordered nor who approved.")


def accept(order_id: int, taken: Sequence[Taken], receivers: tuple[Visitor, Visitor], note: str = "",
           documents: Documents | None = None) -> Acceptance:
    """Accept a shipped order line by line; every line must be spoken of.

    Writes acceptance, parts, ledger postings and the inspection book, lays money paid ahead on the goods,
    closes the run when it is empty.
    Raises NotFound, WrongState, NotTwoReceivers, TooMuch, RecalledGoods, PriceRaised, ReasonMissing, InvalidInput.
    """
    return accept_all({order_id: taken}, receivers, note, documents)[0]


def accept_all(taken: Mapping[int, Sequence[Taken]], receivers: tuple[Visitor, Visitor],
               note: str = "", documents: Documents | None = None) -> list[Acceptance]:
    """Accept every order of a van at once, {order id: its lines}; all or none.

    Orders, then lot shares, then runs are locked, each in id order, so that two vans with the same lots take turns.
    """
    orders = list(db.session().scalars(
        select(Order).where(Order.id.in_(taken), Order.unit_id == receivers[0].organisation_id)
        .order_by(Order.id).with_for_update()))
    if len(orders) != len(taken):
        raise NotFound()
    _lock_shares(list(taken))
    said = Said(note, documents or Documents())
    accepted = [_accept(order, taken[order.id], receivers, said) for order in orders]
    runs.close_when_empty(list(db.session().scalars(
        select(Shipment.run_id).where(Shipment.order_id.in_(taken)).distinct().order_by(Shipment.run_id))))
    return accepted


def _lock_shares(order_ids: Sequence[int]) -> None:
    db.session().execute(
        select(LotShare.id).where(LotShare.lot_id.in_(
            select(ShipmentLine.lot_id).join(Shipment, Shipment.id == ShipmentLine.shipment_id)
            .where(Shipment.order_id.in_(order_ids)))).order_by(LotShare.id).with_for_update())


def _accept(order: Order, taken: Sequence[Taken], receivers: tuple[Visitor, Visitor], said: Said) -> Acceptance:
    first, second = receivers
    unit = db.session().get_one(Organisation, order.unit_id)
    _check_receivers(order, unit, first, second)
    lines = {x.id: x for x in db.session().scalars(select(OrderLine).where(OrderLine.order_id == order.id))}
    weighed = _weigh(lines, _packed_milli(order.id), taken, unit.over_tolerance_points)
    states.check_next(order.state, "accepted")
    _check_recalled(order.id, lines, weighed)
    acceptance, accepted = _record(order, unit, lines, taken, weighed, receivers, said)
    faults.point("acceptance_written")
    posting.on_accepted(order, accepted)
    trail.accepted(order, [part.part for part in accepted])
    recording.on_accepted(order, acceptance, receivers)
    receipts.lay_on_accepted(order)
    terms.on_accepted(order)
    receipts.update_payment(order)
    if order.accepted_fen != order.placed_fen:
        card_closing.close_pages(order.id)
    seasons.give_back_short(lines, {line_id: one.accepted_grams for line_id, one in weighed.items()},
                            order.delivery_day)
    journal.record("order.accepted", "order", order.id, first, second=second.id, scheme=acceptance.scheme,
                   amount_fen=order.accepted_fen)
    faults.point("acceptance_posted")
    return acceptance


def _check_receivers(order: Order, unit: Organisation, first: Visitor, second: Visitor) -> None:
    """requester ≠ approver ≠ receivers ≠ payer; in a reduced scheme the requester may be one of the two receivers."""
    purchase = db.session().execute(
        select(Purchase.ordered_by).where(Purchase.id == order.purchase_id)).one()
    persons = {first.id, second.id}
    bought = [order.purchase_id]
    barred = people.deciders(bought) | (set() if unit.receiving_scheme == "reduced" else people.askers(bought))
    barred |= _payers_and_packers(order.id)
    both_receive = all(p.organisation_id == unit.id and _may_receive(p, purchase.ordered_by, unit)
                       for p in (first, second))
    if len(persons) != 2 or persons & barred or not both_receive:
        raise NotTwoReceivers()


def _payers_and_packers(order_id: int) -> set[int]:
    """Who said that the order was paid, and who packed it for the co-operative: neither may receive it."""
    session = db.session()
    payers = session.scalars(select(PaymentClaim.claimed_by).join(ClaimPart, ClaimPart.claim_id == PaymentClaim.id)
                             .where(ClaimPart.order_id == order_id,
                                    PaymentClaim.state.not_in(("refused", "withdrawn"))))
    packers = session.scalars(select(Shipment.shipped_by).where(Shipment.order_id == order_id))
    return {*payers, *packers}


def _packed_milli(order_id: int) -> dict[int, int]:
    """What was sent for each order line, in thousandths of its unit."""
    rows = db.session().execute(
        select(ShipmentLine.order_line_id, db.sum_of(ShipmentLine.packed_milli).label("milli"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id).where(Shipment.order_id == order_id)
        .group_by(ShipmentLine.order_line_id))
    return {row.order_line_id: row.milli for row in rows}


def _check_recalled(order_id: int, lines: Mapping[int, OrderLine], weighed: Mapping[int, pricing.Weighed]) -> None:
    """Raise RecalledGoods where more is taken of a line than came from lots that were not recalled."""
    for line_id, boxes in packed_boxes(order_id).items():
        recalled = [box.code for box in boxes if box.recalled_at is not None]
        line, taken = lines[line_id], weighed[line_id]
        safe_milli, safe_grams = safe_amounts(boxes)
        too_much = taken.accepted_grams > safe_grams if line.by_weight else taken.accepted_milli > safe_milli
        if recalled and too_much:
            most = f"{money.plain_decimal(safe_grams)} kg" if line.by_weight else money.plain_decimal(safe_milli)
            raise RecalledGoods(name=line.product_name, lot=", ".join(recalled), most=most)


def packed_boxes(order_id: int) -> dict[int, list[Any]]:
    """The lots packed for each line of an order, with whether one was recalled since."""
    boxes: dict[int, list[Any]] = defaultdict(list)
    for row in db.session().execute(
            select(ShipmentLine.order_line_id, ShipmentLine.packed_milli, ShipmentLine.packed_grams, Lot.code,
                   Lot.recalled_at)
            .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Lot, Lot.id == ShipmentLine.lot_id)
            .where(Shipment.order_id == order_id).order_by(ShipmentLine.id)):
        boxes[row.order_line_id].append(row)
    return boxes


def safe_amounts(boxes: Sequence[Any]) -> tuple[int, int]:
    """Milli and grams of the boxes whose lot was not recalled."""
    safe = [box for box in boxes if box.recalled_at is None]
    return sum(box.packed_milli for box in safe), sum(box.packed_grams for box in safe)


def _may_receive(person: Visitor, ordered_by: int, unit: Organisation) -> bool:
    return "receiver" in person.roles or (unit.receiving_scheme == "reduced" and person.id == ordered_by)


def _weigh(lines: Mapping[int, OrderLine], packed: Mapping[int, int], taken: Sequence[Taken],
           tolerance: int) -> dict[int, pricing.Weighed]:
    if {t.line_id for t in taken} != set(lines) or len(taken) != len(lines):
        raise InvalidInput({"lines": [N_("Every good of the delivery must be accepted or refused.")]})
    weighed = {}
    for one in taken:
        line = lines[one.line_id]
        if (one.grams or one.milli) and not packed.get(line.id):
            raise InvalidInput({"lines": [N_("A good that was not sent cannot be accepted.")]})
        result = pricing.weigh(
            pricing.Weighable(line.product_name, line.price_fen, line.ordered_milli, line.grams_per_unit,
                              line.by_weight, packed.get(line.id)),
            accepted_grams=one.grams, accepted_milli=one.milli, price_fen=one.price_fen, tolerance_points=tolerance)
        if not one.reason and (result.outcome == "rejected" or result.price_fen < line.price_fen):
            raise ReasonMissing(name=line.product_name)
        weighed[one.line_id] = result
    return weighed


def _record(order: Order, unit: Organisation, lines: Mapping[int, OrderLine], taken: Sequence[Taken],
            weighed: Mapping[int, pricing.Weighed], receivers: tuple[Visitor, Visitor],
            said: Said) -> tuple[Acceptance, list[posting.AcceptedPart]]:
    now = clock.now()
    session = db.session()
    acceptance = Acceptance(
        order_id=order.id, first_receiver=receivers[0].id, second_receiver=receivers[1].id,
        scheme=unit.receiving_scheme, accepted_at=now, business_date=clock.business_date(now), note=said.note,
        documents_seen=said.documents.seen, documents_note=said.documents.note)
    session.add(acceptance)
    session.flush()
    spoken = sorted(taken, key=lambda t: t.line_id)
    split = parts.split(order.id, {t.line_id: t.short_shipment_line_id for t in spoken}, weighed)
    line_ids = db.insert_returning_ids(AcceptanceLine, [
        {"acceptance_id": acceptance.id, "order_line_id": t.line_id, "outcome": weighed[t.line_id].outcome,
         "accepted_milli": weighed[t.line_id].accepted_milli, "accepted_grams": weighed[t.line_id].accepted_grams,
         "price_fen": weighed[t.line_id].price_fen, "amount_fen": weighed[t.line_id].amount_fen, "reason": t.reason,
         "short_shipment_line_id": t.short_shipment_line_id, "returned_milli": 0,
         "temperature_tenths": t.temperature_tenths}
        for t in spoken
    ])
    db.insert_rows(AcceptancePhoto, [{"acceptance_line_id": line_id, "file_id": file_id}
                                     for t, line_id in zip(spoken, line_ids, strict=True) for file_id in t.photo_ids])
    order.accepted_fen = sum(w.amount_fen for w in weighed.values())
    order.state = "accepted" if any(w.accepted_milli for w in weighed.values()) else "rejected"
    session.flush()
    ids = dict(zip([t.line_id for t in spoken], line_ids, strict=True))
    return acceptance, parts.write(order, acceptance, lines, ids, split)
