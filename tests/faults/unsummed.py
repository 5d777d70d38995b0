"""The product with the lock around the seven days' sum taken off, to prove that the race test sees a split purchase.

What is left is the code everybody writes first: add up what is there, take a moment, decide by it. It exists for tests
only and starts with FAULTS=unsummed alone, which production refuses.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market import db
from orders.approving import rules
from orders.models import OrderLine
from wsgi import create_app

PAUSE_SECONDS = 0.1
_seen: ContextVar[int] = ContextVar("seen")
_transaction = db.transaction


@contextmanager
def look_first() -> Iterator[Session]:
    """Adds up before the transaction begins, and takes its time."""
    _seen.set(db.session().scalar(select(func.coalesce(func.sum(OrderLine.amount_fen), 0))) or 0)
    db.session().rollback()
    time.sleep(PAUSE_SECONDS)
    with _transaction() as session:
        yield session


def sums(_unit_id: int, lines: Sequence[Mapping[str, Any]], _purchase_id: int = 0) -> dict[tuple[int, str], int]:
    """Decides by what was seen."""
    return {(lines[0]["supplier_id"], lines[0]["category"]): _seen.get() + sum(line["amount_fen"] for line in lines)}


def create() -> Flask:
    """The site without the lock."""
    made = create_app()
    if "unsummed" not in made.extensions["sijin"].faults:
        raise SystemExit("this site lets purchases be split on purpose: it starts with FAULTS=unsummed only")
    db.transaction = look_first
    rules.sums = sums
    return made
