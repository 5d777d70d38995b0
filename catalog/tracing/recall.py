"""A lot is found unsafe: it and all that was made of it is stopped at once, and whoever received it is told.

By the co-operative's manager, or an official of the county's agriculture office or the city. There is no way back: what
turns out to be safe is booked in as a new lot.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import ColumnElement, false, select, update

from catalog import lots, stock
from catalog.models import Lot, LotInput, Product
from catalog.tracing import events
from catalog.tracing.certificates import ALPHABET
from catalog.tracing.events import Happening
from catalog.tracing.models import Recall, RecallLot, RecallRelease
from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, NotFound
from market.paging import Columns

OFFICES = {"agriculture", "city"}


class AlreadyRecalled(Conflict):
    code = "already_recalled"
    text = N_("Lot %(lot)s has already been recalled.")


def recall(code: str, reason: str, by: Visitor) -> Recall:
    """Stop a lot and what was made of it. Raises NotFound for a lot that is not this person's to recall.

    The lot's lock comes first: an order placed or packed at this moment either came before and is listed, or finds
    nothing left to take.
    """
    session = db.session()
    root = session.scalar(select(Lot).where(Lot.code == code, in_hand(by)).with_for_update())
    if root is None:
        raise NotFound()
    if root.recalled_at is not None:
        raise AlreadyRecalled(lot=code)
    stopped = [root, *_made_of(root)]
    now = clock.now()
    today = clock.business_date(now)
    made = Recall(
        number=f"Z{today:%y%m%d}-" + "".join(secrets.choice(ALPHABET) for _ in range(7)), lot_id=root.id,
        supplier_id=root.supplier_id, reason=reason, recalled_by=by.id, organisation_id=by.organisation_id or 0,
        recalled_at=now, business_date=today)
    session.add(made)
    session.flush()
    ids = [lot.id for lot in stopped]
    session.execute(update(Lot).where(Lot.id.in_(ids)).values(recalled_at=now))
    db.insert_rows(RecallLot, [{"recall_id": made.id, "lot_id": lot_id} for lot_id in ids])
    db.insert_rows(RecallRelease, [
        {"recall_id": made.id, "lot_id": lot_id, "line_id": line_id, "milli": milli}
        for (lot_id, line_id), milli in sorted(stock.release_lots(ids).items())])
    events.tell(Happening("recalled", lot.id, lot.total_milli, lot.total_grams, lot.supplier_id, f"lot:{lot.id}",
                          made.number) for lot in stopped)
    journal.record_many([("lot.recalled", "lot", lot.id, {"recall": made.number, "reason": reason})
                         for lot in stopped], by)
    outbox.enqueue("lot.recalled", {"recall_id": made.id})
    return made


def in_hand(by: Visitor) -> ColumnElement[bool]:
    """The condition that a Lot is this person's to recall."""
    if by.organisation_kind == "supplier":
        theirs: ColumnElement[bool] = Lot.supplier_id == by.organisation_id
    else:
        theirs = lots.touches_area(by) if by.office_kind in OFFICES else false()
    return theirs & Lot.expected_on.is_(None)  # what still stands in the field cannot be called back


def _made_of(root: Lot) -> list[Lot]:
    """Lots made of a lot, of those, and so on, locked; one already stopped keeps its own recall."""
    found: list[Lot] = []
    known, layer = {root.id}, [root.id]
    while layer:
        made = db.session().scalars(
            select(Lot).where(Lot.id.in_(select(LotInput.lot_id).where(LotInput.input_lot_id.in_(layer))),
                              Lot.id.not_in(known)).order_by(Lot.id).with_for_update()).all()
        layer = [lot.id for lot in made]
        known.update(layer)
        found += [lot for lot in made if lot.recalled_at is None]
    return found


def lots_of(recall_id: int) -> Sequence[Columns]:
    """The lots that a recall stopped, the one named first, with what is left of them in store."""
    return db.session().execute(
        select(Lot.id, Lot.code, Lot.kind, Lot.harvested_on, Lot.total_milli, Lot.on_hand_milli, Product.name,
               Product.name_en, Product.unit, Product.unit_en)
        .join(RecallLot, RecallLot.lot_id == Lot.id).join(Product, Product.id == Lot.product_id)
        .where(RecallLot.recall_id == recall_id).order_by(RecallLot.id)).all()


def to_recall(code: str, by: Visitor) -> Columns | None:
    """A lot that this person may recall, before they do; None where there is none."""
    found: Columns | None = db.session().execute(
        select(Lot.id, Lot.code, Lot.harvested_on, Lot.on_hand_milli, Lot.recalled_at, Product.name, Product.name_en,
               Product.unit, Product.unit_en)
        .join(Product, Product.id == Lot.product_id).where(Lot.code == code, in_hand(by))).first()
    return found
