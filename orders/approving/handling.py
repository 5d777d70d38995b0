"""What became of what stood out: an official looked into it and says so, once or again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, NotFound
from market.users import User
from orders.approving.models import AnomalyHandling

RESULT_LABELS: Mapping[str, str] = {
    "in_order": N_("Looked into: in order"), "mended": N_("Mended"), "passed_on": N_("Passed on to supervision"),
}


def handle(values: Mapping[str, Any], found: Collection[tuple[str, str]], by: Visitor) -> None:
    """Note kind, key, result and words about one of the things `found` in this official's area. Raises NotFound."""
    if (values["kind"], values["key"]) not in found:
        raise NotFound()
    row = {**{name: values[name] for name in ("kind", "key", "result", "note")}, "handled_by": by.id,
           "handled_at": clock.now()}
    db.session().execute(db.insert_or_update(AnomalyHandling, "kind", "key"), [row])
    journal.record("anomaly.handled", "anomaly", values["kind"], by, **{
        name: values[name] for name in ("key", "result", "note")})


def handled(kinds: Sequence[str]) -> dict[tuple[str, str], Any]:
    """What was noted so far, by kind and key."""
    return {(row.kind, row.key): row for row in db.session().execute(
        select(db.table(AnomalyHandling), User.name.label("who")).join(User, User.id == AnomalyHandling.handled_by)
        .where(AnomalyHandling.kind.in_(kinds)))}
