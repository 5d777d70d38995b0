"""What `wsgi.py` hands to the ledger: it knows no orders, so it is told what to count and what to expect."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import current_app

from market.ledger import Transfer
from market.problem import Problem

Rows = Sequence[Mapping[Any, Any]]
Thing = tuple[int, str, str]  # transfer id, kind, thing
Presence = Callable[[Rows], Iterable[Thing]]
Check = Callable[[], Iterable[Transfer | Problem]]

COUNTED = {
    "accepted": (("order", "order_ref"), ("supplier", "supplier_id")),
    "attributed": (("household", "household_id"),),
}


def plain_things(rows: Rows) -> Iterable[Thing]:
    """What the ledger itself can count: orders and suppliers of accepted goods, households that income was for."""
    for row in rows:
        for kind, column in COUNTED.get(row["event"], ()):
            if row[column] is not None:
                yield row["id"], kind, str(row[column])


def things_of(rows: Rows) -> Iterable[Thing]:
    """The things that occur in transfers (`sijin_presence`).

    The audit asks again, so what changes the answer for a sealed row (names that follow from a notebook) notes the
    new things in the same transaction: sealing.note_again.
    """
    presence: Presence = current_app.extensions.get("sijin_presence", plain_things)
    return presence(rows)


def checks() -> Sequence[Check]:
    """What says which transfers the documents should have posted (`sijin_checks`)."""
    return tuple(current_app.extensions.get("sijin_checks", ()))


def heads_file() -> Path:
    """Where the heads of sealed blocks are kept outside the database."""
    return Path(current_app.extensions["sijin"].data_dir) / "ledger-heads"
