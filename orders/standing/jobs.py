"""What the worker does for standing orders: makes every due run, and tells the unit what it must know."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import structlog
from sqlalchemy import select

from catalog import stock
from catalog.capacity import gates
from market import db, notices
from market.errors import N_, MarketError, NotFound
from market.notices import Kind, Kinds
from market.outbox import Handler
from orders.buying import cart, checkout
from orders.standing import runs
from orders.standing.models import StandingPlan, StandingRun, StandingRunLine

log = structlog.get_logger("sijin.standing")

IN_ONE_TURN = 50
TRIES = 3
# somebody else was quicker, between looking and ordering: look again
CHANGED_MEANWHILE = (stock.OutOfStock, gates.AboveCapacity, cart.NotThisQuantity, checkout.NotInSeason,
                     checkout.PricesChanged, NotFound)

KINDS: Kinds = {
    "standing.waiting": Kind(N_("The standing order %(name)s waits for approval."), "standing.show", "plan_id"),
    "standing.paused": Kind(N_("Standing order %(name)s, %(day)s: %(count)s goods cost more than you allow and were "
                               "left out. Please decide."), "standing.run", "run_id"),
    "standing.short": Kind(N_("Standing order %(name)s, %(day)s: %(count)s goods could not be had; the others are "
                              "ordered."), "standing.run", "run_id"),
    "standing.nothing": Kind(N_("Standing order %(name)s, %(day)s: nothing was ordered."), "standing.run", "run_id"),
    "standing.failed": Kind(N_("Standing order %(name)s, %(day)s: the order was refused. Please look why."),
                            "standing.run", "run_id"),
    "standing.missed": Kind(N_("Standing order %(name)s, %(day)s: the order could not be made in time."),
                            "standing.run", "run_id"),
}


def make_due() -> bool:
    """Make the runs that are due, each in a transaction of its own; True where more may wait."""
    due = runs.due(IN_ONE_TURN)
    for plan_id, day in due:
        try:
            make(plan_id, day)
        except Exception:  # one plan's trouble is not another's; its run is due again in the next turn
            db.session().rollback()
            log.exception("run failed", plan=plan_id, day=day.isoformat())
    after = runs.due(IN_ONE_TURN)
    return bool(after) and after != due


def make(plan_id: int, day: date) -> None:
    """One run: ordered, or noted as refused."""
    refusal: MarketError = NotFound()
    for _try in range(TRIES):
        try:
            with db.transaction():
                runs.make(plan_id, day)
            return
        except CHANGED_MEANWHILE as changed:
            refusal = changed
        except MarketError as refused:
            refusal = refused
            break
    with db.transaction():
        runs.note_failure(plan_id, day, refusal)


def told_of_run(payload: Mapping[str, Any]) -> None:
    """Made, refused or missed: the unit hears what did not come as planned."""
    with db.transaction() as session:
        run = session.execute(
            select(db.table(StandingRun), StandingPlan.unit_id, StandingPlan.name)
            .join(StandingPlan, StandingPlan.id == StandingRun.plan_id)
            .where(StandingRun.id == payload["run_id"])).one()
        about = {"name": run.name, "day": run.day.isoformat()}
        if run.outcome in {"failed", "missed", "nothing"}:
            notices.tell(run.unit_id, f"standing.{run.outcome}", run.id, about)
        outcomes = list(session.scalars(
            select(StandingRunLine.outcome).where(StandingRunLine.run_id == run.id)))
        for kind in ("paused", "short"):
            if kind in outcomes:
                notices.tell(run.unit_id, f"standing.{kind}", run.id, about | {"count": outcomes.count(kind)})


def told_of_waiting(payload: Mapping[str, Any]) -> None:
    """Waiting: the unit hears that somebody must approve."""
    with db.transaction() as session:
        plan = session.execute(
            select(StandingPlan.id, StandingPlan.unit_id, StandingPlan.name, StandingPlan.state)
            .where(StandingPlan.id == payload["plan_id"])).one()
        if plan.state == "waiting":
            notices.tell(plan.unit_id, "standing.waiting", plan.id, {"name": plan.name}, payload.get("since", ""))


HANDLERS: Mapping[str, Handler] = {"standing.run": told_of_run, "standing.waiting": told_of_waiting}
