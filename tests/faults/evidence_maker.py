"""The next package in a process of its own: `python -m tests.faults.evidence_maker MINUTES`, so long after noon.

FAULTS names the point at which it is killed.
"""

import sys
from datetime import timedelta

from market import clock
from orders.evidence import jobs
from tests.world import NOON
from wsgi import create_app

if __name__ == "__main__":
    with create_app().app_context(), clock.at(NOON + timedelta(minutes=int(sys.argv[1]))):
        while jobs.make_next():
            pass
