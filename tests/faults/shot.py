"""A worker that is shot while it reads a table: `python -m tests.faults.shot ROWS` dies at that many rows."""

import os
import signal
import sys

from catalog.importing import runs
from market import worker
from wsgi import create_app


def shoot_at(rows: int) -> None:
    """Work through the outbox; the moment an import has told of so many rows, the process is gone."""
    tell = runs.tell_progress

    def tell_and_fall(work: runs.Work, done: int, of: int) -> None:
        if done > rows:  # what was told before is committed
            os.kill(os.getpid(), signal.SIGKILL)
        tell(work, done, of)

    runs.tell_progress = tell_and_fall
    with create_app().app_context():
        worker.drain_outbox()


if __name__ == "__main__":
    shoot_at(int(sys.argv[1]))
