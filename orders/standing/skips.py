"""Single days of a plan, left out and taken back."""

from datetime import date
from typing import Any

from sqlalchemy import delete, select

from market import clock, db, journal
from market.access import Visitor
from orders.standing import contents, days, plans
from orders.standing.contents import Content
from orders.standing.models import KIND, StandingPlan, StandingRun
from orders.standing.refusals import NotItsDay


def skip(plan_id: int, day: date, by: Visitor) -> None:
    """Leave one day out, as long as its order has not been made. Raises NotItsDay, NotFound.

    The day's row is what a run would insert too: whoever is first decides.
    """
    if day not in upcoming(plans.plan_of(plan_id, by), 40):
        raise NotItsDay()
    taken = db.session().execute(db.insert_new(StandingRun).returning(StandingRun.id), {
        "plan_id": plan_id, "day": day, "outcome": "skipped", "made_at": clock.now(), "total_fen": 0,
        "refusal_zh": "", "refusal_en": ""}).first()
    if taken is None:
        raise NotItsDay()
    plan = plans.own(plan_id, by)
    if plan.state != "active":
        raise NotItsDay()
    plans.set_next(plan, contents.of_plan(plan), plan.next_day or day)
    journal.record("standing.day_skipped", KIND, plan.id, by, day=day)


def unskip(plan_id: int, day: date, by: Visitor) -> None:
    """Order for a skipped day after all. Raises NotItsDay, NotFound."""
    plans.plan_of(plan_id, by)
    freed = db.session().execute(
        delete(StandingRun).where(StandingRun.plan_id == plan_id, StandingRun.day == day,
                                  StandingRun.outcome == "skipped", StandingRun.day > clock.today())
        .returning(StandingRun.id)).first()
    if freed is None:
        raise NotItsDay()
    plan = plans.own(plan_id, by)
    if plan.state == "active":
        plans.set_next(plan, contents.of_plan(plan), min(day, plan.next_day or day))
    journal.record("standing.day_back", KIND, plan.id, by, day=day)


def upcoming(plan: StandingPlan, most: int) -> list[date]:
    """The next days for which an active plan will order; two statements."""
    if plan.state != "active" or plan.next_day is None:
        return []
    taken = plans.taken_days(plan.id, plan.next_day)
    return days.coming(plan.next_day, contents.of_plan(plan).weekdays, plan, most, taken)


def ahead(plan: Any, content: Content, most: int) -> list[tuple[date, bool]]:
    """The next days of an active plan, with those that are left out marked; for its page. One statement."""
    if plan.next_day is None:
        return []
    skipped = set(db.session().scalars(select(StandingRun.day).where(
        StandingRun.plan_id == plan.id, StandingRun.outcome == "skipped", StandingRun.day > clock.today())))
    first = min([plan.next_day, *skipped])
    return [(day, day in skipped) for day in days.coming(first, content.weekdays, plan, most)
            if day in skipped or day >= plan.next_day]
