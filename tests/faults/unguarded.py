"""The product with the guard of scarce goods taken off, to prove that the race test sees an oversell.

What is left is the code everybody writes first: read what is there, decide, write the new value. It exists for tests
only and starts with FAULTS=unguarded alone, which production refuses.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog import stock
from catalog.models import Lot, StockHold
from market import db
from wsgi import create_app

PAUSE_SECONDS = 0.02
_seen: ContextVar[dict[int, tuple[int, int, int]]] = ContextVar("seen")
_transaction = db.transaction


@contextmanager
def look_first() -> Iterator[Session]:
    """Reads the stock before the transaction begins, and takes its time."""
    rows = db.session().execute(select(Lot.product_id, Lot.id, Lot.on_hand_milli, Lot.held_milli)).all()
    _seen.set({row.product_id: (row.id, row.on_hand_milli, row.held_milli) for row in rows})
    db.session().rollback()
    time.sleep(PAUSE_SECONDS)
    with _transaction() as session:
        yield session


def hold(wanted: Sequence[stock.Wanted], day: date) -> None:
    """Decides by what was seen, and writes the sum over whatever others wrote meanwhile."""
    for want in wanted:
        lot_id, on_hand, held = _seen.get()[want.product_id]
        if on_hand - held < want.milli:
            raise stock.OutOfStock(name=want.name, left="0")
        db.session().execute(update(Lot).where(Lot.id == lot_id).values(held_milli=held + want.milli))
        db.insert_rows(StockHold, [
            {"line_id": want.line_id, "lot_id": lot_id, "availability_id": None, "milli": want.milli}])


def create() -> Flask:
    """The site without the guard."""
    made = create_app()
    if "unguarded" not in made.extensions["sijin"].faults:
        raise SystemExit("this site oversells on purpose: it starts with FAULTS=unguarded only")
    db.transaction = look_first
    stock.hold = hold
    return made
