"""Stock changes by one conditional UPDATE for a whole list, rows locked in id order, each change beside its move.

stocked goods: lots, first expired first. daily goods: one availability row per product and delivery day. What is held
stays on the calendar of a day when it is packed; it leaves only when an order is cancelled.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, TextClause, bindparam, delete, select, text

from catalog.models import Availability, Lot, Product, StockHold, StockMove
from catalog.on_sale import usable
from market import clock, db, money
from market.errors import N_, Conflict


@dataclass(frozen=True)
class Wanted:
    """A quantity of a product (thousandths of its sales unit) that an order line wants."""

    line_id: int
    product_id: int
    name: str
    supply: str
    milli: int
    capacity_milli: int = 0  # daily goods: what a day yields where no row says otherwise


class OutOfStock(Conflict):
    """Less is left than wanted; nothing of the order has been placed."""

    code = "out_of_stock"
    text = N_("%(name)s: only %(left)s left.")


class NotInLot(Conflict):
    """A lot does not hold what was packed from it."""

    code = "not_in_lot"
    text = N_("Lot %(lot)s holds only %(left)s more.")


class LotRecalled(Conflict):
    """Found unsafe since it was booked in."""

    code = "lot_recalled"
    text = N_("Lot %(lot)s has been recalled and must not leave the store.")


class NotSellable(Conflict):
    """Goods that came back of a lot nobody may buy."""

    code = "not_sellable"
    text = N_("Lot %(lot)s has been recalled or is past its day: what came back of it cannot be sold again.")


class NotHarvested(Conflict):
    """Goods still in the field can be promised, not moved."""

    code = "not_harvested"
    text = N_("Lot %(lot)s is only expected: book the real lot first.")


def hold(wanted: Sequence[Wanted], day: date) -> None:
    """Promise goods to order lines for a delivery day. Raises OutOfStock when any line cannot be filled."""
    holds = _from_lots([w for w in wanted if w.supply == "stocked"], day)
    holds += _from_days([w for w in wanted if w.supply == "daily"], day)
    _keep(holds)


def _keep(holds: Sequence[dict[str, Any]]) -> None:
    """Write promises beside their moves; the counters have moved already."""
    db.insert_rows(StockHold, holds)
    now = clock.now()
    db.insert_rows(StockMove, [
        {"at": now, "kind": "held", "lot_id": h["lot_id"], "availability_id": h["availability_id"],
         "on_hand_change_milli": 0, "held_change_milli": h["milli"], "line_id": h["line_id"], "note": ""}
        for h in holds
    ])


def lessen(most: Mapping[int, int]) -> list[dict[str, Any]]:
    """Leave order lines at most so many milli of what is promised to them, what was promised first before the rest;
    returns the promises taken away: line_id, lot_id, availability_id, milli. The rows stay locked for the caller.
    """
    left = dict(most)
    kept: list[dict[str, Any]] = []
    taken_away: list[dict[str, Any]] = []
    for row in _end(db.table(StockHold).c.line_id.in_(list(most)), "released", days_too=True):
        stays = min(left[row.line_id], row.milli)
        left[row.line_id] -= stays
        promise = {"line_id": row.line_id, "lot_id": row.lot_id, "availability_id": row.availability_id}
        kept += [{**promise, "milli": stays}] if stays else []
        taken_away += [{**promise, "milli": row.milli - stays}] if row.milli > stays else []
    promise_again(kept)
    return taken_away


def promise_again(promises: Sequence[dict[str, Any]]) -> None:
    """Promises as lessen() returns them, to the lines they name now. Raises OutOfStock."""
    for name, key, enough in (("lot", "lot_id", "on_hand_milli - held_milli >= :q"),
                              ("availability", "availability_id", "capacity_milli - held_milli >= :q")):
        amounts: dict[int, int] = defaultdict(int)
        for promise in promises:
            if promise[key] is not None:
                amounts[promise[key]] += promise["milli"]
        if amounts:
            _change(name, "held_milli = held_milli + :q", enough, amounts)
    _keep(promises)


def _from_lots(wanted: list[Wanted], day: date) -> list[dict[str, Any]]:
    """First expired first, over the confirmed lots that outlast the delivery day."""
    if not wanted:
        return []
    rows = db.session().execute(_SELLABLE_LOTS, {"products": sorted({w.product_id for w in wanted}), "day": day}).all()
    left: dict[int, list[list[Any]]] = defaultdict(list)
    for lot_id, product_id, best_before, free in rows:
        left[product_id].append([best_before, lot_id, free])
    holds: list[dict[str, Any]] = []
    taken: dict[int, int] = defaultdict(int)
    for want in wanted:
        missing = want.milli
        for lot in sorted(left[want.product_id]):
            milli = min(missing, lot[2])
            if milli:
                lot[2] -= milli
                missing -= milli
                taken[lot[1]] += milli
                holds.append({"line_id": want.line_id, "lot_id": lot[1], "availability_id": None, "milli": milli})
        if missing:
            raise OutOfStock(name=want.name, left=money.plain_decimal(want.milli - missing))
    _change("lot", "held_milli = held_milli + :q", "on_hand_milli - held_milli >= :q", taken)
    return holds


_lot = db.table(Lot).c
_SELLABLE_LOTS = (
    select(_lot.id, _lot.product_id, _lot.best_before, _lot.on_hand_milli - _lot.held_milli)
    .where(_lot.product_id.in_(bindparam("products", expanding=True)), usable(bindparam("day")),
           _lot.on_hand_milli > _lot.held_milli)
    .order_by(_lot.id).with_for_update()
)
_day = db.table(Availability).c
_DAYS = (
    select(_day.id, _day.product_id, (_day.capacity_milli - _day.held_milli).label("free"))
    .where(_day.product_id.in_(bindparam("products", expanding=True)), _day.day == bindparam("day"))
    .order_by(_day.id).with_for_update()
)


def _from_days(wanted: list[Wanted], day: date) -> list[dict[str, Any]]:
    """Out of what the day yields."""
    if not wanted:
        return []
    rows = _availability_rows({w.product_id: w.capacity_milli for w in wanted}, day)
    taken: dict[int, int] = defaultdict(int)
    holds = []
    for want in wanted:
        row = rows[want.product_id]
        taken[row.id] += want.milli
        if row.free < taken[row.id]:
            raise OutOfStock(name=want.name, left=money.plain_decimal(row.free))
        holds.append({"line_id": want.line_id, "lot_id": None, "availability_id": row.id, "milli": want.milli})
    _change("availability", "held_milli = held_milli + :q", "capacity_milli - held_milli >= :q", taken)
    return holds


def _availability_rows(capacities: dict[int, int], day: date) -> dict[int, Any]:
    """The locked rows of a day; a day nobody has written about yields the product's usual quantity."""
    session = db.session()
    wanted = {"products": sorted(capacities), "day": day}
    rows = {row.product_id: row for row in session.execute(_DAYS, wanted)}
    if len(rows) < len(capacities):
        session.execute(db.insert_new(Availability), [
            {"product_id": p, "day": day, "capacity_milli": c, "held_milli": 0} for p, c in sorted(capacities.items())
            if p not in rows
        ])
        rows = {row.product_id: row for row in session.execute(_DAYS, wanted)}
    return rows


def release(line_ids: Iterable[int]) -> None:
    """Give back what is still promised to cancelled order lines; harmless when nothing is."""
    _end_holds(line_ids, "released", days_too=True)


def pack(packed: Sequence[tuple[int, int, int]]) -> None:
    """Take (line id, lot id, milli) out of the lots really packed, whatever was held. Raises NotInLot."""
    _end_holds({line_id for line_id, _lot, _milli in packed}, "released", days_too=False)
    take("packed", packed)


def take(kind: str, moves: Sequence[tuple[int | None, int, int]]) -> None:
    """Lower on_hand of lots by what is free in them, and log each move (order line or none, lot id, milli).

    Asked under the lots' locks: what was recalled a moment ago can only be written off.
    """
    taken: dict[int, int] = defaultdict(int)
    for _line, lot_id, milli in moves:
        taken[lot_id] += milli
    table = db.table(Lot)
    session = db.session()
    rows = session.execute(
        select(table.c.id, table.c.code, table.c.recalled_at, table.c.expected_on,
               (table.c.on_hand_milli - table.c.held_milli).label("free"))
        .where(table.c.id.in_(taken)).order_by(table.c.id).with_for_update()
    ).all()
    for row in rows:
        if row.recalled_at is not None and kind != "written_off":
            raise LotRecalled(lot=row.code)
        if row.expected_on is not None:
            raise NotHarvested(lot=row.code)
        if row.free < taken[row.id]:
            raise NotInLot(lot=row.code, left=money.plain_decimal(row.free))
    _change("lot", "on_hand_milli = on_hand_milli - :q", "on_hand_milli - held_milli >= :q", taken)
    now = clock.now()
    db.insert_rows(StockMove, [
        {"at": now, "kind": kind, "lot_id": lot_id, "availability_id": None, "on_hand_change_milli": -milli,
         "held_change_milli": 0, "line_id": line_id, "note": ""} for line_id, lot_id, milli in moves
    ])


def put_back(moves: Sequence[tuple[int, int, int]]) -> None:
    """Sound goods that came back go into the lots they were of: (order line id, lot id, milli).

    Raises NotSellable for a lot that has been recalled or whose best-before day has passed.
    """
    back: dict[int, int] = defaultdict(int)
    for _line, lot_id, milli in moves:
        back[lot_id] += milli
    if not back:
        return
    table = db.table(Lot)
    for row in db.session().execute(
            select(table.c.code, table.c.recalled_at, table.c.best_before).where(table.c.id.in_(back))
            .order_by(table.c.id).with_for_update()):
        if row.recalled_at is not None or row.best_before < clock.today():
            raise NotSellable(lot=row.code)
    _change("lot", "on_hand_milli = on_hand_milli + :q", "on_hand_milli >= 0", back)
    now = clock.now()
    db.insert_rows(StockMove, [
        {"at": now, "kind": "returned", "lot_id": lot_id, "availability_id": None, "on_hand_change_milli": milli,
         "held_change_milli": 0, "line_id": line_id, "note": ""} for line_id, lot_id, milli in moves
    ])


def release_lots(lot_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """End every promise from these lots, which the caller has locked: {(lot id, order line id): milli}."""
    ended: dict[tuple[int, int], int] = defaultdict(int)
    for row in _end(db.table(StockHold).c.lot_id.in_(list(lot_ids)), "released", days_too=False):
        ended[row.lot_id, row.line_id] += row.milli
    return ended


def _end_holds(line_ids: Iterable[int], kind: str, days_too: bool) -> None:
    _end(db.table(StockHold).c.line_id.in_(list(line_ids)), kind, days_too)


def _end(which: ColumnElement[bool], kind: str, days_too: bool) -> Sequence[Any]:
    """End the holds that a condition names; returns them as they were."""
    holds = db.table(StockHold)
    session = db.session()
    query = select(holds).where(which).order_by(holds.c.id).with_for_update()
    rows = session.execute(query).all()
    if rows and db.dialect() == "postgresql":  # while this waited for a row, a rival may have parted it in two
        rows = session.execute(query).all()
    if not rows:
        return rows
    lots: dict[int, int] = defaultdict(int)
    days: dict[int, int] = defaultdict(int)
    for row in rows:
        if row.lot_id is not None:
            lots[row.lot_id] += row.milli
        else:
            days[row.availability_id] += row.milli
    for name, amounts in (("lot", lots), ("availability", days if days_too else {})):
        if amounts:
            table = db.table(Lot) if name == "lot" else db.table(Availability)
            session.execute(select(table.c.id).where(table.c.id.in_(amounts)).order_by(table.c.id).with_for_update())
            _change(name, "held_milli = held_milli - :q", "held_milli >= :q", amounts)
    session.execute(delete(StockHold).where(StockHold.id.in_([row.id for row in rows])))
    logged = [row for row in rows if days_too or row.lot_id is not None]
    if logged:
        now = clock.now()
        db.insert_rows(StockMove, [
            {"at": now, "kind": kind, "lot_id": row.lot_id, "availability_id": row.availability_id,
             "on_hand_change_milli": 0, "held_change_milli": -row.milli, "line_id": row.line_id, "note": ""}
            for row in logged
        ])
    return rows


def _change(table: str, change: str, enough: str, amounts: dict[int, int]) -> None:
    """One conditional UPDATE for a whole list; every row must have had enough, else nothing may stand."""
    parameters: dict[str, int] = {}
    for number, (row_id, milli) in enumerate(sorted(amounts.items())):
        parameters[f"i{number}"], parameters[f"q{number}"] = row_id, milli
    result = db.session().execute(_conditional(table, change, enough, len(amounts)), parameters)
    if result.rowcount != len(amounts):  # type: ignore[attr-defined]
        raise OutOfStock(name="", left="0")


@cache
def _conditional(table: str, change: str, enough: str, count: int) -> TextClause:
    """UPDATE table SET change WHERE enough, for `count` rows with a quantity each. Names come from this file only."""
    rows = ", ".join(f"(CAST(:i{n} AS BIGINT), CAST(:q{n} AS BIGINT))" for n in range(count))
    column, _, expression = change.partition(" = ")
    return text(
        f"UPDATE {table} SET {column} = {expression.replace(':q', 'wanted.q')} "  # noqa: S608 - no outside text
        f"FROM (WITH listed (id, q) AS (VALUES {rows}) SELECT id, q FROM listed) AS wanted "
        f"WHERE {table}.id = wanted.id AND {enough.replace(':q', 'wanted.q')}"
    )


def free_milli(product_ids: Iterable[int], day: date) -> dict[int, int]:
    """What could still be ordered of each product for a delivery day, in thousandths of its unit."""
    session = db.session()
    lots, days, products = db.table(Lot), db.table(Availability), db.table(Product)
    ids = list(product_ids)
    free = dict.fromkeys(ids, 0)
    for product_id, milli in session.execute(
        select(lots.c.product_id, lots.c.on_hand_milli - lots.c.held_milli)
        .where(lots.c.product_id.in_(ids), usable(day))
    ):
        free[product_id] += milli
    for product_id, usual, row_milli in session.execute(
        select(products.c.id, products.c.daily_capacity_milli, days.c.capacity_milli - days.c.held_milli)
        .outerjoin(days, (days.c.product_id == products.c.id) & (days.c.day == day))
        .where(products.c.id.in_(ids), products.c.supply == "daily")
    ):
        free[product_id] = usual if row_milli is None else row_milli
    return free
