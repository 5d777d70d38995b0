"""A step of a refund in a process of its own: `python -m tests.faults.refund_worker ask|confirm|send|follow LOGIN ID`.

FAULTS names the point at which it is killed.
"""

import sys

from market import clock, db, logins
from orders.paying import card_refunds, refund_jobs, refunds
from tests.world import NOON
from wsgi import create_app

OVER_FEN = 350

if __name__ == "__main__":
    step, login, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with create_app().app_context(), clock.at(NOON):
        by = logins.visitor_of_login(login)
        assert by is not None
        if step == "follow":
            refund_jobs.follow()
        else:
            with db.transaction():
                if step == "ask":
                    refunds.ask(number, OVER_FEN, "多付", by)
                elif step == "send":
                    card_refunds.send(number, by)
                else:
                    refunds.confirm(number, clock.today(), by)
