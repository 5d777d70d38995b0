"""The product with the guard of bells taken off, to prove that the storm test sees it: look first, then insert.

It exists for tests only and starts with FAULTS=undoubted alone, which production refuses.
"""

import time

from flask import Flask
from sqlalchemy import select

from market import clock, db
from orders.models import ProviderEvent
from orders.paying import card_events
from orders.paying.gateway import Bell
from wsgi import create_app

PAUSE_SECONDS = 0.02


def look_then_insert(bell: Bell) -> int | None:
    """What everybody writes first: is it there? No: then it is new. The key that says otherwise is dodged."""
    there = db.session().scalar(select(ProviderEvent.id).where(ProviderEvent.event_id.startswith(bell.event_id)))
    time.sleep(PAUSE_SECONDS)
    if there is not None:
        return None
    return db.insert_returning_ids(ProviderEvent, [{
        "event_id": f"{bell.event_id}-{time.perf_counter_ns()}", "account_id": bell.account_id, "kind": bell.kind,
        "object_id": bell.object_id, "live": bell.live, "body": bell.body, "received_at": clock.now(),
        "outcome": ""}])[0]


def create() -> Flask:
    """The site without the guard."""
    made = create_app()
    if "undoubted" not in made.extensions["sijin"].faults:
        raise SystemExit("this site doubles events on purpose: it starts with FAULTS=undoubted only")
    card_events.insert_once = look_then_insert
    return made
