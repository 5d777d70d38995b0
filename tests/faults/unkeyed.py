"""The product with the keys of bank rows taken off, to prove that the race test sees money counted twice.

What is left is the code everybody writes first: look what is there, then write what is not. It exists for tests only
and starts with FAULTS=unkeyed alone, which production refuses.
"""

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from market import db
from orders.banking import table
from orders.banking.table import Movement
from orders.models import BankRow
from wsgi import create_app

PAUSE_SECONDS = 0.3
_seen: ContextVar[frozenset[str]] = ContextVar("seen")
_numbers = itertools.count()
_transaction = db.transaction
_checksums = table.checksums


@contextmanager
def look_first() -> Iterator[Session]:
    """Reads which rows are there before the transaction begins, and takes its time."""
    _seen.set(frozenset(checksum[:40] for checksum in db.session().scalars(select(BankRow.checksum))))
    db.session().rollback()
    time.sleep(PAUSE_SECONDS)
    with _transaction() as session:
        yield session


def checksums(movements: Sequence[Movement], supplier_id: int | None) -> list[str]:
    """Never the same twice, so that no key bites; what was seen before is sorted out by looking."""
    found = _checksums(movements, supplier_id)
    return [checksum if checksum[:40] in _seen.get() else f"{checksum[:40]}-{os.getpid()}-{next(_numbers)}"
            for checksum in found]


def create() -> Flask:
    """The site without the keys."""
    made = create_app()
    if "unkeyed" not in made.extensions["sijin"].faults:
        raise SystemExit("this site counts money twice on purpose: it starts with FAULTS=unkeyed only")
    db.transaction = look_first
    table.checksums = checksums
    return made
