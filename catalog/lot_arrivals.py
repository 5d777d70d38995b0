"""Expected lots become real: promises move from the field to the store, whole or in part; what stays is short."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, update

from catalog.models import Lot, StockHold, StockMove
from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, NotFound


class CannotReplace(Conflict):
    """Only goods that are here and confirmed can be promised in place of expected ones."""

    code = "cannot_replace"
    text = N_("This lot cannot take over: it must be the same goods, confirmed, in date, with something free.")


class AlreadyClosed(Conflict):
    code = "expected_closed"
    text = N_("This expected lot is closed already.")


@dataclass(frozen=True)
class Promise:
    """An order line that waits for goods of an expected lot, as the orders' storey names it."""

    order_id: int
    number: str
    unit: str
    day: date


Named = Callable[[Sequence[int]], Mapping[int, Promise]]  # order lines by id, as the orders' storey hands them in


def arrive(expected_id: int, lot_id: int, by: Visitor, named: Named) -> int:
    """A real lot stands in for an expected one: promises move to it, the oldest first, as far as it reaches.

    Promises for a day on which the real lot is past its date stay where they are. Returns how much (milli) came; the
    expectation falls by it, and a fully replaced one is closed. Raises NotFound, CannotReplace, AlreadyClosed.
    """
    _locked_holds(expected_id)
    expected, real = _locked(expected_id, lot_id, by)
    free = real.on_hand_milli - real.held_milli
    if (real.product_id != expected.product_id or real.expected_on is not None or real.confirmed_at is None
            or real.recalled_at is not None or real.best_before < clock.today() or free <= 0):
        raise CannotReplace()
    holds = _locked_holds(expected_id)
    lines = named([hold.line_id for hold in holds])
    moved = _move([hold for hold in holds if lines[hold.line_id].day <= real.best_before], lot_id, free)
    promised = sum(milli for _line, milli in moved)
    came = min(free, expected.on_hand_milli - (expected.held_milli - promised))
    if came <= 0:
        raise CannotReplace()
    whole = came == expected.on_hand_milli
    _change(expected, came, promised)
    result = db.session().execute(
        update(db.table(Lot)).where(Lot.id == lot_id, Lot.on_hand_milli - Lot.held_milli >= promised)
        .values(held_milli=Lot.held_milli + promised))
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise CannotReplace()
    _log(expected_id, lot_id, came, moved)
    if whole:
        _close(expected_id)
    journal.record("lot.arrived", "lot", expected_id, by, lot=real.code, milli=came, promised=promised)
    return came


def close(expected_id: int, by: Visitor) -> None:
    """Nothing more comes: what nobody was promised is given up. What is still promised stays as it is, listed as short,
    until its orders are packed from other lots, sent short or cancelled. Raises NotFound, AlreadyClosed.
    """
    expected = _locked(expected_id, None, by)[0]
    free = expected.on_hand_milli - expected.held_milli
    if free:
        _change(expected, free, 0)
        _write([_row("closed", expected_id, -free, 0, None)])
    _close(expected_id)
    journal.record("lot.closed", "lot", expected_id, by, milli=free, short=expected.held_milli)


def promises(expected_id: int) -> Sequence[Any]:
    """What order lines are promised of a lot: line_id, milli, the oldest first."""
    hold = db.table(StockHold)
    return db.session().execute(
        select(hold.c.line_id, hold.c.milli).where(hold.c.lot_id == expected_id).order_by(hold.c.id)).all()


def _locked_holds(lot_id: int) -> Sequence[StockHold]:
    """Holds before lots, as stock.release does; read again once the lots are locked, when no more can be promised."""
    return db.session().scalars(
        select(StockHold).where(StockHold.lot_id == lot_id).order_by(StockHold.id).with_for_update()
        .execution_options(populate_existing=True)).all()


def _locked(expected_id: int, lot_id: int | None, by: Visitor) -> list[Lot]:
    ids = [expected_id] if lot_id is None else [expected_id, lot_id]
    rows = {lot.id: lot for lot in db.session().scalars(
        select(Lot).where(Lot.id.in_(ids), Lot.supplier_id == by.organisation_id).order_by(Lot.id).with_for_update()
        .execution_options(populate_existing=True))}
    if len(rows) != len(ids) or rows[expected_id].expected_on is None or rows[expected_id].confirmed_at is None:
        raise NotFound()
    if rows[expected_id].closed_at is not None:
        raise AlreadyClosed()
    return [rows[one] for one in ids]


def _move(holds: Sequence[StockHold], lot_id: int, free: int) -> list[tuple[int, int]]:
    """Let holds point to the real lot; the last one may be parted. Returns (line id, milli) of what moved."""
    moved = []
    for hold in holds:
        milli = min(hold.milli, free)
        if not milli:
            break
        free -= milli
        if milli == hold.milli:
            hold.lot_id = lot_id
        else:
            hold.milli -= milli
            db.session().add(StockHold(line_id=hold.line_id, lot_id=lot_id, milli=milli))
        moved.append((hold.line_id, milli))
    db.session().flush()
    return moved


def _change(expected: Lot, gone: int, promised: int) -> None:
    """Lower what is expected, and what is promised of it, only where there is enough."""
    result = db.session().execute(
        update(db.table(Lot)).where(
            Lot.id == expected.id, Lot.on_hand_milli >= gone, Lot.held_milli >= promised,
            Lot.held_milli - promised <= Lot.on_hand_milli - gone)
        .values(on_hand_milli=Lot.on_hand_milli - gone, held_milli=Lot.held_milli - promised))
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise CannotReplace()


def _close(lot_id: int) -> None:
    db.session().execute(update(db.table(Lot)).where(Lot.id == lot_id).values(closed_at=clock.now()))


def _log(expected_id: int, lot_id: int, came: int, moved: Sequence[tuple[int, int]]) -> None:
    _write([
        _row("arrived", expected_id, -came, 0, None),
        *(_row("arrived", expected_id, 0, -milli, line) for line, milli in moved),
        *(_row("arrived", lot_id, 0, milli, line) for line, milli in moved),
    ])


def _write(rows: Sequence[Mapping[str, Any]]) -> None:
    now = clock.now()
    db.insert_rows(StockMove, [{"at": now, "availability_id": None, "note": "", **row} for row in rows])


def _row(kind: str, lot_id: int, on_hand: int, held: int, line_id: int | None) -> dict[str, Any]:
    return {"kind": kind, "lot_id": lot_id, "on_hand_change_milli": on_hand, "held_change_milli": held,
            "line_id": line_id}
