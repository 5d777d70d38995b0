"""Four hands publish one notice at the same moment, each a process: `python -m tests.faults.publishing_arena URL FOLDER
BULLETIN GUARD` prints how each of them ended as JSON.

GUARD 'off' is the twin: the code everybody writes first, look, then write, and no trigger behind it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import text, update

from market import clock, db, logins
from market.errors import MarketError
from orders.bulletins import drafting
from tests import databases
from tests.faults.sealing_arena import forked
from tests.world import TODAY
from wsgi import create_app

HANDS, LOGIN = 4, "official.liang"
LATER = clock.shanghai(clock.days_after(TODAY, 30), 9)


def take_the_guards_off() -> None:
    with db.transaction() as session:
        session.execute(text("DROP TRIGGER bulletin_no_update" if db.dialect() == "sqlite"
                             else "ALTER TABLE bulletin DISABLE TRIGGER bulletin_stays"))

    def write(bulletin_id: int, _states: Any, values: dict[str, Any], *_conditions: Any) -> None:
        db.session().execute(update(drafting.TABLE).where(drafting.TABLE.c.id == bulletin_id).values(**values))

    drafting._step = write
    drafting._check_ready = lambda *_looked_before: None


def publish(bulletin_id: int, start: Any, ended: Any) -> None:
    with clock.at(LATER):
        by = logins.visitor_of_login(LOGIN)
        assert by is not None
        db.session().rollback()
        start.wait()
        try:
            with db.transaction():
                ended.put(drafting.publish(bulletin_id, 1, by))
        except MarketError as refusal:
            ended.put(refusal.code)


def race(bulletin_id: int) -> list[str]:
    start, ended = forked.Barrier(HANDS), forked.Queue()
    db.db.session.remove()
    db.db.engine.dispose()  # no connection may be shared with a child
    hands = [forked.Process(target=publish, args=(bulletin_id, start, ended)) for _hand in range(HANDS)]
    for hand in hands:
        hand.start()
    found = [ended.get(timeout=60) for _hand in hands]
    for hand in hands:
        hand.join()
    return sorted(found)


if __name__ == "__main__":
    url, place, bulletin, guard = sys.argv[1:]
    with create_app(databases.settings(url, Path(place))).app_context():
        if guard == "off":
            take_the_guards_off()
        print(json.dumps(race(int(bulletin))))  # noqa: T201
