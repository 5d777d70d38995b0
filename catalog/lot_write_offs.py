"""Written off: goods that spoiled, broke or got lost leave the stock once a second person has looked at them."""

from sqlalchemy import ColumnElement, select

from catalog import stock
from catalog.lot_models import REASONS, LotWriteOff
from catalog.lots import touches_area
from catalog.models import Lot
from catalog.tracing import events
from market import clock, db, journal, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider


class AlreadyDecided(Conflict):
    code = "write_off_decided"
    text = N_("Somebody has already decided about this write-off.")


def propose(lot_id: int, milli: int, reason: str, note: str, by: Visitor) -> LotWriteOff:
    """Say that goods of a lot (thousandths of its unit) are gone; nothing changes until a second person confirms.

    Raises NotFound, NotInLot where less is free, InvalidInput.
    """
    lot = db.session().scalar(select(Lot).where(
        Lot.id == lot_id, Lot.supplier_id == by.organisation_id, Lot.expected_on.is_(None)))
    if lot is None:
        raise NotFound()
    if milli <= 0 or reason not in REASONS:
        raise InvalidInput({"milli": [N_("This number is outside what is possible here.")]})
    if reason == "other" and not note:
        raise InvalidInput({"note": [N_("Please say what happened.")]})
    if milli > lot.on_hand_milli - lot.held_milli:
        raise stock.NotInLot(lot=lot.code, left=money.plain_decimal(lot.on_hand_milli - lot.held_milli))
    row = LotWriteOff(lot_id=lot_id, milli=milli, reason=reason, note=note, state="waiting", proposed_by=by.id,
                      proposed_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("lot.write_off_proposed", "lot", lot_id, by, milli=milli, reason=reason)
    return row


def confirm(write_off_id: int, by: Visitor) -> None:
    """A second person of the co-operative, or the village's officer, has seen it: the goods leave the stock.

    An officer acts for the village alone, never for both. Raises NotFound, SecondPersonNeeded, OwnCooperative,
    AlreadyDecided, NotInLot where in the meantime less is free.
    """
    row = _undecided(write_off_id, by)
    stock.take("written_off", [(None, row.lot_id, row.milli)])
    events.written_off(row.lot_id, row.milli, row.id)
    _decide(row, "confirmed", by)


def refuse(write_off_id: int, by: Visitor) -> None:
    """The goods are still there. Raises NotFound, SecondPersonNeeded, AlreadyDecided."""
    _decide(_undecided(write_off_id, by), "refused", by)


def _undecided(write_off_id: int, by: Visitor) -> LotWriteOff:
    row = db.session().scalar(
        select(LotWriteOff).join(Lot, Lot.id == LotWriteOff.lot_id)
        .where(LotWriteOff.id == write_off_id, seen_by(by)).with_for_update(of=db.table(LotWriteOff)))
    if row is None:
        raise NotFound()
    if row.proposed_by == by.id:
        raise SecondPersonNeeded()
    if by.organisation_kind == "office":
        need_outsider(db.session().scalars(select(Lot.supplier_id).where(Lot.id == row.lot_id)).one(), by)
    if row.state != "waiting":
        raise AlreadyDecided()
    return row


def _decide(row: LotWriteOff, state: str, by: Visitor) -> None:
    row.state, row.decided_by, row.decided_at = state, by.id, clock.now()
    db.session().flush()
    journal.record(f"lot.write_off_{state}", "lot", row.lot_id, by, milli=row.milli, reason=row.reason)


def seen_by(by: Visitor) -> ColumnElement[bool]:
    """The condition that a Lot is the co-operative's own, or has goods of this officer's area."""
    if by.organisation_kind == "office":
        return touches_area(by)
    return Lot.supplier_id == by.organisation_id
