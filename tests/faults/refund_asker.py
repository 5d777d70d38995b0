"""A person who asks for a refund: `python -m tests.faults.refund_asker LOGIN ORDER FEN [unlocked]`.

unlocked has the guard taken off, the order's lock under which what is owed is added up: what is left is the code
everybody writes first, look how much is owed, then ask. It starts with FAULTS=unlocked alone, which production refuses.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from market import clock, db, logins
from market.errors import MarketError
from orders.models import Order
from orders.paying import refund_sums, refunds
from tests.world import NOON
from wsgi import create_app

PAUSE_SECONDS = 0.3
REFUSED = 3


def take_the_guard_off(order_id: int) -> None:
    if os.environ.get("FAULTS") != "unlocked":
        raise SystemExit("this person asks for too much on purpose: it starts with FAULTS=unlocked only")
    seen = refund_sums.owed_fen(db.session().get_one(Order, order_id))
    db.session().rollback()
    time.sleep(PAUSE_SECONDS)

    def owed_as_seen(_order: Any, beside: int | None = None) -> int:
        return seen if beside is None else 0

    refund_sums.owed_fen = owed_as_seen


def wait_for_the_others() -> None:
    """All begin at the same moment: when the file that START names is there."""
    while not Path(os.environ["START"]).exists():
        time.sleep(0.005)


if __name__ == "__main__":
    login, order, fen = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with create_app().app_context(), clock.at(NOON):
        by = logins.visitor_of_login(login)
        assert by is not None
        db.session().rollback()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        wait_for_the_others()
        if sys.argv[4:] == ["unlocked"]:
            take_the_guard_off(order)
        try:
            with db.transaction():
                refunds.ask(order, fen, "多付", by)
        except MarketError:
            sys.exit(REFUSED)
