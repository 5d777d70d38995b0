"""What the worker does: once a day it looks for what stands out in this month and the last, and opens cases."""

from collections.abc import Mapping

from market import clock, db, settings
from market.errors import N_
from market.figures import EVERYWHERE, Where
from market.notices import Kind, Kinds
from market.outbox import Handler
from orders.anomalies import cases, looks

LOOKED = "anomalies_looked"  # the last day on which everything was looked at
_PAGE = ("village_anomalies.show", "anomaly_id")
KINDS: Kinds = {
    "anomaly.opened": Kind(N_("%(what)s: some of your orders are under check and left out of public figures until "
                              "then. Please answer."), *_PAGE, words=("what",)),
    "anomaly.cleared": Kind(N_("A check has ended: your orders are in order and count again."), *_PAGE),
    "anomaly.upheld": Kind(N_("A check has ended: the orders stay out of public figures."), *_PAGE),
}
HANDLERS: Mapping[str, Handler] = {}


def follow_day() -> None:
    """Once a day, whenever the worker first comes to it; what was found before is not found again."""
    today = clock.today()
    if settings.get(LOOKED) == today.isoformat():
        return
    month = clock.period_of(today)
    look(clock.months_before(month, 1), month)
    with db.transaction():
        settings.put(LOOKED, today.isoformat())


def look(first: str, last: str, where: Where = EVERYWHERE) -> int:
    """Look in one moment, then open cases in a transaction of their own; returns how many are new."""
    with db.snapshot():
        found = looks.found(first, last, where)
    with db.transaction():
        return cases.open_found(found)
