"""What the worker does for reconciliation: begins a night's runs, compares, tells who has to look at something."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select

from market import clock, db, notices, outbox
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.models import MoneyTask
from orders.paying import tasks
from orders.paying.gateway import Gateway
from orders.reconciling import night, words

RUN = "reconciliation.run"
SCOPES = ("card", "bank")

KINDS: Kinds = {
    tasks.FOUND: Kind(N_("Money of %(supplier)s: %(what)s. Please look."), "reconciliation.task", "task_id",
                      words=("what",)),
}


def begin_night() -> None:
    """Every night, once, however many workers ring."""
    for scope in scopes_with_work():
        with db.transaction():
            run_id = night.begin(scope, f"night {scope} {clock.today().isoformat()}")
            if run_id is not None:
                outbox.enqueue(RUN, {"run_id": run_id})


def scopes_with_work() -> list[str]:
    """What can be compared on this site: cards only where it takes them."""
    gateway: Gateway = current_app.extensions["sijin_gateway"]
    return [scope for scope in SCOPES if (scope == "bank" or gateway.is_on) and night.has_work(scope)]


def compare(payload: Mapping[str, Any]) -> None:
    """Begun: compare. A worker that dies leaves it to the next one."""
    gateway: Gateway = current_app.extensions["sijin_gateway"]
    folder: Path = current_app.extensions["sijin"].files_dir
    night.run(payload["run_id"], gateway, current_app.extensions["sijin_hands"], folder)


def told_of_task(payload: Mapping[str, Any]) -> None:
    """Found: the co-operative hears of it, and the platform; what is right again meanwhile is not told."""
    with db.transaction() as session:
        task = session.execute(
            select(MoneyTask.id, MoneyTask.kind, MoneyTask.supplier_id, MoneyTask.state, Organisation.name)
            .join(Organisation, Organisation.id == MoneyTask.supplier_id)
            .where(MoneyTask.id == payload["task_id"])).one()
        if task.state != "open":
            return
        platform = session.scalars(select(Organisation.id).where(
            Organisation.kind == "office", Organisation.office_kind == "platform").order_by(Organisation.id))
        for organisation_id in (task.supplier_id, *platform.all()):
            notices.tell(organisation_id, tasks.FOUND, task.id,
                         {"supplier": task.name, "what": words.KINDS[task.kind].name})


HANDLERS: Mapping[str, Handler] = {RUN: compare, tasks.FOUND: told_of_task}
