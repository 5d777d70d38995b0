"""Accepted goods sent back: a dated minus beside the acceptance, which itself never changes."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from catalog import stock
from catalog.models import Lot
from market import clock, db, journal, ledger, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.linkages import Linkage
from orders import pricing, states
from orders.delivering import trail
from orders.income import dues, households, posting
from orders.models import (
    AcceptanceLine,
    AcceptancePart,
    GoodsReturn,
    Order,
    OrderLine,
    ReturnLine,
    ReturnPart,
    ReturnShare,
)
from orders.paying import card_closing, receipts
from orders.payouts import on_way


class PaidOut(Conflict):
    """Sold a second time, goods would earn a second time for households that keep what they were paid."""

    code = "paid_out"
    text = N_("Households were already paid for goods of lot %(lot)s: they cannot go back into stock.")


def take_back(order_id: int, back: Mapping[int, int], reason: str, by: Visitor, agreed_by: Visitor, *,
              restock: bool = False) -> GoodsReturn:
    """Return goods by order line: {order line id: thousandths of its unit}, agreed by a person of the co-operative.

    The amount follows the accepted price; income that a household has not yet been paid is taken back in proportion,
    what is already paid out stays with it and is the co-operative's loss, unless the village's linkage says that its
    growers bear it. `restock`: the goods are sound and go back
    into their lots; else they are gone. Raises NotFound, WrongState, InvalidInput, NotSellable, PaidOut.
    """
    session = db.session()
    order = session.scalar(
        select(Order).where(Order.id == order_id, Order.unit_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    if agreed_by.organisation_id != order.supplier_id or agreed_by.id == by.id:
        raise SecondPersonNeeded()
    if order.state != "accepted":
        raise states.WrongState(state=order.state)
    dues.lock(order.supplier_id)
    lines = {row.order_line_id: row for row in session.execute(
        select(db.table(AcceptanceLine)).join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)
        .where(OrderLine.order_id == order.id))}
    if not back or not set(back) <= set(lines) or not reason:
        raise InvalidInput({"lines": [N_("Say which goods go back, and why.")]})
    now = clock.now()
    note = GoodsReturn(order_id=order.id, returned_by=by.id, agreed_by=agreed_by.id, reason=reason, restocked=restock,
                       returned_at=now, business_date=clock.business_date(now))
    session.add(note)
    session.flush()
    parts, left_fen, returned_fen = receipts.open_parts(order.id), order.accepted_fen - order.returned_fen, 0
    for line_id, milli in sorted(back.items()):
        of_line = [p for p in parts if p["acceptance_line_id"] == lines[line_id].id]
        returned_fen += _return_line(order, note, lines[line_id], of_line, milli)
    order.returned_fen += returned_fen
    session.flush()
    ledger.post(posting.fee_back(order, note.id, left_fen, returned_fen, note.business_date))
    trail.returned(order, note.id)
    if restock:
        _put_back(note)
    receipts.move_from_returned(order)
    receipts.update_payment(order)
    card_closing.close_pages(order.id)
    journal.record("order.returned", "order", order.id, by, reason=reason, second=agreed_by.id, restocked=restock,
                   lines=[list(item) for item in sorted(back.items())])
    return note


def _return_line(order: Order, note: GoodsReturn, line: Any, parts: list[dict[str, Any]], milli: int) -> int:
    """Spread one line's return over its parts by what is left of each; returns its amount in fen."""
    if not 0 < milli <= line.accepted_milli - line.returned_milli:
        raise InvalidInput({"lines": [N_("More goes back than was accepted.")]})
    after = line.returned_milli + milli
    grams = line.accepted_grams * after // line.accepted_milli - sum(p["returned_grams"] for p in parts)
    amount = pricing.returned_total(line.price_fen, line.accepted_milli, line.returned_milli, milli)
    return_line = db.insert_returning_ids(ReturnLine, [{
        "return_id": note.id, "acceptance_line_id": line.id, "milli": milli, "grams": grams, "amount_fen": amount}])[0]
    db.session().execute(update(AcceptanceLine).where(AcceptanceLine.id == line.id).values(returned_milli=after))
    grams_of = _spread(grams, [p["grams"] - p["returned_grams"] for p in parts])
    fen_of = _spread(amount, [p["amount_fen"] - p["returned_fen"] for p in parts])
    for part, part_grams, part_fen in zip(parts, grams_of, fen_of, strict=True):
        if part_grams or part_fen:
            _return_part(order, note, return_line, part, part_grams, part_fen)
    return amount


def _spread(total: int, left: list[int]) -> list[int]:
    """By what is left of each part, so that no part gives more than it has."""
    return money.allocate(total, left) if total else [0] * len(left)


def _return_part(order: Order, note: GoodsReturn, return_line: int, part: dict[str, Any], grams: int,
                 fen: int) -> None:
    by_household: dict[int | None, int] = {}
    if not _not_posted(part):
        by_household = _taken_from(order.supplier_id, part, _share_back(part, "farm_gate", grams))
    farm_gate = sum(by_household.values())
    collective = 0 if _not_posted(part) else min(_share_back(part, "collective", grams), max(
        0, dues.unpaid_fen(order.supplier_id, part["village_id"], "collective")
        - on_way.sums(supplier_id=order.supplier_id, villages=[part["village_id"]], sent_only=True).get(
            (order.supplier_id, part["village_id"], None, "collective"), 0)))
    return_part = db.insert_returning_ids(ReturnPart, [{
        "return_line_id": return_line, "acceptance_part_id": part["id"], "grams": grams, "amount_fen": fen,
        "withdrawn_farm_gate_fen": farm_gate, "withdrawn_collective_fen": collective,
    }])[0]
    db.insert_rows(ReturnShare, [{"return_part_id": return_part, "household_id": household, "amount_fen": taken}
                                 for household, taken in by_household.items() if taken])
    db.session().execute(update(AcceptancePart).where(AcceptancePart.id == part["id"]).values(
        returned_grams=AcceptancePart.returned_grams + grams, returned_fen=AcceptancePart.returned_fen + fen,
        withdrawn_farm_gate_fen=AcceptancePart.withdrawn_farm_gate_fen + farm_gate,
        withdrawn_collective_fen=AcceptancePart.withdrawn_collective_fen + collective))
    ledger.post(posting.returned(posting.facts_of(order, part), return_part, fen, grams, farm_gate, collective,
                                 note.business_date))


def _taken_from(supplier_id: int, part: dict[str, Any], income_fen: int) -> dict[int | None, int]:
    """Farm-gate income to take back from each grower of a part: what each has not received yet.

    What a household holds, or what was sent to it by a payment run, it keeps, and the co-operative bears it, unless the
    village has agreed to bear returns.
    """
    weights = households.weights_of_shares([part["lot_share_id"]]).get(part["lot_share_id"])
    if not income_fen or not weights:
        return {}
    shares = dict(zip(weights, money.allocate(income_fen, list(weights.values())), strict=True))
    if _growers_bear(part["linkage_id"]):
        return shares
    owed = households.dues(supplier_id, [part["village_id"]])
    sent = on_way.sums(supplier_id=supplier_id, villages=[part["village_id"]], sent_only=True)
    return {household: min(fen, max(0, owed.get((part["village_id"], household, "farm_gate"),
                                                households.Due()).unpaid_fen
                                    - sent.get((supplier_id, part["village_id"], household, "farm_gate"), 0)))
            for household, fen in shares.items()}


def _growers_bear(linkage_id: int | None) -> bool:
    return bool(db.session().scalar(select(Linkage.bears_returns).where(Linkage.id == linkage_id)))


def _not_posted(part: dict[str, Any]) -> bool:
    return bool(part["income_held"] and part["cleared_on"] is None)


def _share_back(part: dict[str, Any], kind: str, grams: int) -> int:
    """Income of the grams that go back: all of it once all grams are back."""
    income: int = part["farm_gate_fen"] if kind == "farm_gate" else part["collective_fen"]
    back_so_far: int = income * part["returned_grams"] // part["grams"]
    back_now: int = income * (part["returned_grams"] + grams) // part["grams"]
    return back_now - back_so_far


def _put_back(note: GoodsReturn) -> None:
    """The quantity of each line, by what came back of its lots."""
    grams: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    milli_of: dict[int, int] = {}
    for row in db.session().execute(
            select(AcceptanceLine.order_line_id, ReturnLine.milli, ReturnPart.grams, AcceptancePart.lot_id, Lot.code,
                   (AcceptancePart.income_held & AcceptancePart.cleared_on.is_(None)).label("not_posted"),
                   AcceptancePart.farm_gate_fen, AcceptancePart.grams.label("all_grams"),
                   AcceptancePart.returned_grams, AcceptancePart.withdrawn_farm_gate_fen)
            .join(ReturnLine, ReturnLine.id == ReturnPart.return_line_id)
            .join(AcceptancePart, AcceptancePart.id == ReturnPart.acceptance_part_id)
            .join(AcceptanceLine, AcceptanceLine.id == ReturnLine.acceptance_line_id)
            .join(Lot, Lot.id == AcceptancePart.lot_id)
            .where(ReturnLine.return_id == note.id).order_by(ReturnPart.id)):
        if not row.not_posted and row.withdrawn_farm_gate_fen < row.farm_gate_fen * row.returned_grams // row.all_grams:
            raise PaidOut(lot=row.code)
        milli_of[row.order_line_id] = row.milli
        grams[row.order_line_id][row.lot_id] += row.grams
    stock.put_back([
        (line_id, lot_id, milli) for line_id, lots in grams.items()
        for lot_id, milli in zip(lots, _spread(milli_of[line_id], list(lots.values())), strict=True) if milli])
