"""What the worker does for entry: news for offices and applicants, and standings whose day has come.

A handler opens its own transaction and may run twice; the notice's unique key makes it tell once.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from catalog.entry import standing
from catalog.entry.models import Application, EntryStep, SupplierStanding
from market import db, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler

KINDS: Kinds = {
    "application.waiting": Kind(N_("%(name)s wants to sell here. Please decide by %(day)s."), "entry_office.index",
                                "step"),
    "application.passed": Kind(N_("An office has passed your application."), "entry.show", "step"),
    "application.returned": Kind(N_("Your application came back: %(reason)s"), "entry.show", "step"),
    "application.refused": Kind(N_("Your application was refused: %(reason)s"), "entry.show", "step"),
    "application.admitted": Kind(N_("You are admitted. You can list your first goods now."), "entry.show", "step"),
    "supplier.active": Kind(N_("You may sell again."), "entry.show", "standing"),
    "supplier.suspended": Kind(N_("Your goods are off the shelves since %(day)s: %(reason)s"), "entry.show",
                               "standing"),
    "supplier.left": Kind(N_("You have left since %(day)s: %(reason)s"), "entry.show", "standing"),
}


def step_opened(payload: Mapping[str, Any]) -> None:
    """The office hears that an application waits."""
    with db.transaction():
        step, application = _step(payload["step_id"])
        notices.tell(step.office_id, "application.waiting", step.id,
                     {"name": application.name, "day": step.due_on.isoformat()})


def step_decided(payload: Mapping[str, Any]) -> None:
    """The applicant hears what an office has decided, and that it is admitted."""
    with db.transaction():
        step, application = _step(payload["step_id"])
        notices.tell(application.supplier_id, f"application.{step.decision}", step.id, {"reason": step.reason})
        if step.step == "platform" and step.decision == "passed" and application.state == "admitted":
            notices.tell(application.supplier_id, "application.admitted", step.id, {})


def _step(step_id: int) -> tuple[EntryStep, Application]:
    step, application = db.session().execute(
        select(EntryStep, Application).join(Application, Application.id == EntryStep.application_id)
        .where(EntryStep.id == step_id)).one()
    return step, application


def stands(payload: Mapping[str, Any]) -> None:
    """The supplier hears how it stands; of its admission it has heard already."""
    with db.transaction() as session:
        row = session.get_one(SupplierStanding, payload["standing_id"])
        if row.reason:
            notices.tell(row.supplier_id, f"supplier.{row.status}", row.id,
                         {"day": row.from_day.isoformat(), "reason": row.reason})


def apply_standings() -> None:
    """Suspensions, liftings and exits whose day has come."""
    if standing.is_any_due():  # a look without a lock: most days open no write transaction
        with db.transaction():
            standing.apply_due()


HANDLERS: Mapping[str, Handler] = {
    "application.waiting": step_opened, "application.decided": step_decided, "supplier.stands": stands,
}
