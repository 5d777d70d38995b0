"""What the worker does for late payment: once a day the reminders."""

from collections.abc import Mapping

from market import clock, db, settings
from market.notices import Kind, Kinds
from market.outbox import Handler
from orders.overdue import reminding
from orders.overdue.reminding import MATTERS

FOLLOWED = "overdue_followed"  # the last day whose reminders are out
WAYS: Mapping[str, tuple[str, str]] = {
    "unit": ("overdue.due", "unit"), "accept": ("overdue.due", "unit"), "asked": ("overdue.due", "supplier"),
    "supplier": ("village_overdue.due", "supplier"), "accept_supplier": ("village_overdue.due", "supplier"),
    "finance": ("office_overdue.index", "office"), "accept_office": ("office_overdue.not_accepted", "office"),
}
KINDS: Kinds = {f"overdue.{matter}": Kind(text, *WAYS[matter], mailed=True) for matter, (text, _to) in MATTERS.items()}
HANDLERS: Mapping[str, Handler] = {}


def follow_day() -> None:
    """Once a day, whenever the worker first comes to it; what was told before is not told again."""
    today = clock.today()
    if settings.get(FOLLOWED) == today.isoformat():
        return
    with db.transaction():
        reminding.follow(today)
        settings.put(FOLLOWED, today.isoformat())
