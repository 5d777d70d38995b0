"""A worker of standing orders alone: `python -m tests.faults.standing_worker [shot N | unclaimed]` makes what is due.

shot N is killed while it makes its N-th run, with the purchase written and nothing committed. unclaimed has both guards
taken off, the claim of the day and the purchase's token: what is left is the code everybody writes first, look whether
the day has been made, then make it. It starts with FAULTS=unclaimed alone, which production refuses.
"""

import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from market import db
from orders.buying import checkout
from orders.standing import jobs, runs
from orders.standing.models import StandingRun, StandingRunLine
from wsgi import create_app

PAUSE_SECONDS = 0.3
_seen: set[tuple[int, date]] = set()
_transaction, _claim, _place = db.transaction, runs.claim, checkout.place


def shoot_at(number: int) -> None:
    """The process is gone in the middle of its N-th purchase."""
    placed = 0

    def place_and_fall(*goods: Any, **more: Any) -> checkout.Placed:
        nonlocal placed
        done = _place(*goods, **more)
        placed += 1
        if placed == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    checkout.place = place_and_fall


def take_guards_off() -> None:
    if os.environ.get("FAULTS") != "unclaimed":
        raise SystemExit("this worker orders twice on purpose: it starts with FAULTS=unclaimed only")

    @contextmanager
    def look_first() -> Iterator[Session]:
        _seen.update(tuple(row) for row in db.session().execute(select(StandingRun.plan_id, StandingRun.day)))
        db.session().rollback()
        time.sleep(PAUSE_SECONDS)
        with _transaction() as session:
            yield session

    def claim(plan_id: int, day: date) -> int | None:
        """Decides by what was seen; a row that a rival wrote meanwhile is written over."""
        if (plan_id, day) in _seen:
            return None
        rivals = select(StandingRun.id).where(StandingRun.plan_id == plan_id, StandingRun.day == day)
        db.session().execute(delete(StandingRunLine).where(StandingRunLine.run_id.in_(rivals)))
        return _claim(plan_id, day) or db.session().scalar(rivals)

    db.transaction, runs.claim = look_first, claim
    runs.token_of = lambda _plan_id, _day: secrets.token_hex(8)


def wait_for_the_others() -> None:
    """All workers begin at the same moment: when the file that START names is there."""
    while not Path(os.environ["START"]).exists():
        time.sleep(0.005)


if __name__ == "__main__":
    if sys.argv[1:2] == ["shot"]:
        shoot_at(int(sys.argv[2]))
    elif sys.argv[1:2] == ["unclaimed"]:
        take_guards_off()
    with create_app().app_context():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        wait_for_the_others()
        while jobs.make_due():
            pass
