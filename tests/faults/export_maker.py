"""The next files in a process of its own: `python -m tests.faults.export_maker MINUTES`, so long after noon.

FAULTS names the point at which it is killed.
"""

import sys
from datetime import timedelta

from market import clock
from orders.exports import jobs
from orders.reports.routes import REPORTS
from tests import long_reports
from tests.world import NOON
from wsgi import create_app

if __name__ == "__main__":
    REPORTS[long_reports.REPORT.name] = long_reports.REPORT
    with create_app().app_context(), clock.at(NOON + timedelta(minutes=int(sys.argv[1]))):
        while jobs.make_next():
            pass
