"""A hand on a payment run: `python -m tests.faults.payout_hand build|confirm LOGIN RUN [unlocked]`.

unlocked has the guards taken off: the lock under which dues and open runs are added up, and the lock on the lines. What
is left is the code everybody writes first: look what is owed, take a moment, write. It starts with FAULTS=unlocked
alone, which production refuses; other FAULTS name the point at which the process is killed.
"""

import os
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from market import clock, db, logins
from market.access import Visitor
from market.errors import MarketError
from orders.income import payouts
from orders.payouts import owed, runs
from orders.payouts.models import PayoutRunLine
from orders.payouts.owed import Owed
from tests.world import NOON
from wsgi import create_app

PAUSE_SECONDS = 0.4
REFUSED = 3


def wait_for_the_others() -> None:
    """All begin at the same moment: when the file that START names is there."""
    while not Path(os.environ["START"]).exists():
        time.sleep(0.005)


def take_the_guards_off(supplier_id: int | None, run_id: int) -> None:
    if os.environ.get("FAULTS") != "unlocked":
        raise SystemExit("this hand pays too much on purpose: it starts with FAULTS=unlocked only")
    seen = owed.of(supplier_id=supplier_id)
    states = {row.id: row.state for row in db.session().execute(
        select(PayoutRunLine.id, PayoutRunLine.state).where(PayoutRunLine.run_id == run_id))}
    db.session().rollback()
    time.sleep(PAUSE_SECONDS)

    def owed_as_seen(**_what: Any) -> list[Owed]:
        return seen

    def chosen_as_seen(_run: Any, line_ids: Collection[int], wanted: Collection[str],
                       _officer: Visitor | None = None) -> list[PayoutRunLine]:
        if any(states[one] not in wanted for one in line_ids):
            raise runs.Conflict()
        db.session().execute(update(PayoutRunLine).where(PayoutRunLine.id.in_(line_ids)).values(
            state="paid", payout_line_id=None))
        return list(db.session().scalars(select(PayoutRunLine).where(PayoutRunLine.id.in_(line_ids))))

    owed.of = owed_as_seen
    runs._chosen = chosen_as_seen
    payouts._check_dues = lambda *_what: None
    payouts.dues.unpaid_by_category = lambda *_what: {None: 10**9}



def everything(by: Visitor) -> list[runs.Wanted]:
    return [runs.Wanted(one.village_id, one.household_id, one.income_kind, one.free_fen)
            for one in owed.of(supplier_id=by.organisation_id) if one.free_fen]


def deed(step: str, by: Visitor, run_id: int, wanted: list[runs.Wanted]) -> None:
    with db.transaction() as session:
        if step == "build":
            runs.build(wanted, by)
            return
        ids = session.scalars(select(PayoutRunLine.id).where(PayoutRunLine.run_id == run_id)).all()
        runs.confirm(run_id, ids, by)


if __name__ == "__main__":
    step, login, run_id = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with create_app().app_context(), clock.at(NOON):
        by = logins.visitor_of_login(login)
        assert by is not None
        wanted = everything(by) if step == "build" else []
        db.session().rollback()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        wait_for_the_others()
        if sys.argv[4:] == ["unlocked"]:
            take_the_guards_off(by.organisation_id if step == "build" else None, run_id)
        try:
            deed(step, by, run_id, wanted)
        except MarketError:
            sys.exit(REFUSED)
