"""The product with the guard of season capacity taken off, to prove that the race test sees too much sold.

What is left is the code everybody writes first: read the counter, decide, write the new value. The CHECK constraint is
left as it is; it cannot see what a lost update forgot. Starts with FAULTS=unbounded alone, which production refuses.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog.capacity import gates
from catalog.capacity.models import SeasonCapacity
from market import db
from wsgi import create_app

PAUSE_SECONDS = 0.02
_seen: ContextVar[dict[int, tuple[int, int]]] = ContextVar("seen")
_transaction = db.transaction


@contextmanager
def look_first() -> Iterator[Session]:
    """Reads the counters before the transaction begins, and takes its time."""
    rows = db.session().execute(select(SeasonCapacity.id, SeasonCapacity.approved_grams, SeasonCapacity.sold_grams))
    _seen.set({row.id: (row.approved_grams, row.sold_grams) for row in rows})
    db.session().rollback()
    time.sleep(PAUSE_SECONDS)
    with _transaction() as session:
        yield session


def sell(grams_by_season: Mapping[int, int]) -> None:
    """Decides by what was seen, and writes the sum over whatever others wrote meanwhile."""
    for season_id, grams in grams_by_season.items():
        approved, sold = _seen.get()[season_id]
        if sold + grams > approved:
            raise gates.AboveCapacity(name="", season="", left="0")
        db.session().execute(update(SeasonCapacity).where(SeasonCapacity.id == season_id).values(
            sold_grams=sold + grams))


def create() -> Flask:
    """The site without the guard."""
    made = create_app()
    if "unbounded" not in made.extensions["sijin"].faults:
        raise SystemExit("this site sells above capacity on purpose: it starts with FAULTS=unbounded only")
    db.transaction = look_first
    gates.sell = sell
    return made
