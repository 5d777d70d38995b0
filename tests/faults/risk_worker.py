"""The night's look for risk signals alone: `python -m tests.faults.risk_worker [unkeyed]` runs it once.

unkeyed has the natural key taken off: what is left is the code everybody writes first, look what is there, then add
what is not. It starts with FAULTS=unkeyed alone, which production refuses.
"""

import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from market import db
from orders.risk import finding, jobs
from orders.risk.models import RiskSignal
from wsgi import create_app

PAUSE_SECONDS = 0.5
_seen: set[str] = set()
_transaction = db.transaction


def take_key_off() -> None:
    if os.environ.get("FAULTS") != "unkeyed":
        raise SystemExit("this worker adds twice on purpose: it starts with FAULTS=unkeyed only")

    @contextmanager
    def look_first() -> Iterator[Session]:
        _seen.update(db.session().scalars(select(RiskSignal.subject)))
        db.session().rollback()
        time.sleep(PAUSE_SECONDS)
        with _transaction() as session:
            yield session

    def not_yet(found: Sequence[finding.Found]) -> list[finding.Found]:
        """Decides by what was seen; a signal's period is anything, so that no two are the same."""
        return [replace(one, signal=replace(one.signal, period=secrets.token_hex(3)))
                for one in found if one.subject not in _seen]

    db.transaction, finding._not_yet = look_first, not_yet


def wait_for_the_others() -> None:
    """All workers begin at the same moment: when the file that START names is there."""
    while not Path(os.environ["START"]).exists():
        time.sleep(0.005)


if __name__ == "__main__":
    if sys.argv[1:2] == ["unkeyed"]:
        take_key_off()
    with create_app().app_context():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        wait_for_the_others()
        jobs.follow_night()
