"""A plan's life: drawn up, changed, started, approved by a second person, paused, handed over, ended."""

from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import select

from catalog.models import Product
from market import clock, db, journal, money, outbox
from market.access import Visitor
from market.errors import N_, Conflict, NotFound, SecondPersonNeeded
from market.journal import JournalEntry
from orders.approving import rules
from orders.standing import contents, days, writing
from orders.standing.contents import Content
from orders.standing.models import KIND, MAKING, StandingPlan, StandingRun
from orders.standing.refusals import NoGoods, PlanChanged


def draw_up(content: Content, by: Visitor) -> int:
    """Write a new plan down as a draft; returns its id. Raises InvalidInput, NotFound."""
    writing.check(content, by, known=())
    content = content.without_nothings()
    row = {**writing.columns(content.terms), "unit_id": by.organisation_id, "owner_id": by.id, "state": "draft",
           "created_at": clock.now()}
    plan_id: int = db.insert_returning_ids(StandingPlan, [row])[0]
    writing.write_lines(plan_id, content.lines)
    journal.record("standing.drafted", KIND, plan_id, by, name=content.terms.name)
    return plan_id


def change(plan_id: int, content: Content, by: Visitor) -> bool:
    """Give a plan new content; returns whether it waits for a new approval because it says more than before.

    Raises InvalidInput, NotFound, Conflict for a plan that has ended.
    """
    plan = own(plan_id, by)
    before = contents.of_plan(plan)
    writing.check(content, by, known=[line.product_id for line in before.lines])
    content = content.without_nothings()
    if plan.state != "draft" and not content.weekdays:
        raise NoGoods()
    for name, value in writing.columns(content.terms).items():
        setattr(plan, name, value)
    writing.write_lines(plan.id, content.lines)
    settle(plan, before, content)
    journal.record("standing.changed", KIND, plan.id, by, before=before, after=content)
    return plan.state == "waiting"


def start(plan_id: int, by: Visitor) -> str:
    """Let a draft run, or have a second person asked where its runs are large; returns the new state."""
    plan = own(plan_id, by)
    if plan.state != "draft":
        raise Conflict()
    content = contents.of_plan(plan)
    if not content.weekdays:
        raise NoGoods()
    _wait_or_run(plan, content)
    journal.record("standing.started", KIND, plan.id, by)
    return plan.state


class NotTheirAmount(Conflict):
    """The largest run is for somebody else to decide."""

    code = "not_their_amount"
    text = N_("A run of this size is decided by the person for large purchases.")


def approve(plan_id: int, shown_hash: str, by: Visitor) -> None:
    """A second person lets a waiting plan order by itself.

    Raises SecondPersonNeeded, PlanChanged, NotTheirAmount, Conflict, NotFound.
    """
    plan = _waiting(plan_id, by)
    content = contents.of_plan(plan)
    if shown_hash != content.hash:
        raise PlanChanged()
    asked = asked_roles(plan, content)
    if asked and asked[-1] not in by.roles:  # one yes for all runs: that of who decides the largest
        raise NotTheirAmount()
    plan.approved_by, plan.approved_at, plan.approved_hash = by.id, clock.now(), content.hash
    _run_from(plan, content, days.first_day_still_ahead(plan))
    journal.record("standing.approved", KIND, plan.id, by, content_hash=content.hash)


def decline(plan_id: int, reason: str, by: Visitor) -> None:
    """The plan is a draft again; who made it reads why."""
    plan = _waiting(plan_id, by)
    plan.state = "draft"
    journal.record("standing.declined", KIND, plan.id, by, reason=reason)


def pause(plan_id: int, by: Visitor) -> None:
    """Nothing is ordered until it goes on."""
    _move(plan_id, "active", "paused", by)


def resume(plan_id: int, by: Visitor) -> None:
    """It goes on with the first day whose moment of ordering has not passed; what was left out stays left out."""
    plan = _move(plan_id, "paused", "active", by)
    _run_from(plan, contents.of_plan(plan), days.first_day_still_ahead(plan))


def end(plan_id: int, by: Visitor) -> None:
    """For good; what has been ordered stays ordered."""
    plan = own(plan_id, by)
    plan.state, plan.next_day, plan.next_due_at = "ended", None, None
    journal.record("standing.ended", KIND, plan.id, by)


def take_over(plan_id: int, by: Visitor) -> None:
    """It orders in this person's name from now on. Who approved it cannot also order. Raises SecondPersonNeeded."""
    plan = own(plan_id, by)
    if plan.approved_by == by.id:
        raise SecondPersonNeeded()
    before, plan.owner_id = plan.owner_id, by.id
    journal.record("standing.taken_over", KIND, plan.id, by, before=before)


# ---- whose it is ----------------------------------------------------------------------------------------------------


def plan_of(plan_id: int, by: Visitor) -> StandingPlan:
    """A plan of the visitor's unit, to look at. Raises NotFound."""
    plan = db.session().scalar(select(StandingPlan).where(
        StandingPlan.id == plan_id, StandingPlan.unit_id == by.organisation_id).execution_options(
            populate_existing=True))
    if plan is None:
        raise NotFound()
    return plan


def own(plan_id: int, by: Visitor) -> StandingPlan:
    """A plan of the visitor's unit that has not ended, locked until the commit. Raises NotFound, Conflict.

    The lock lets others insert rows that point to the plan: a run inserts its row first and locks then.
    """
    plan = locked(plan_id)
    if plan is None or plan.unit_id != by.organisation_id:
        raise NotFound()
    if plan.state == "ended":
        raise Conflict()
    return plan


def locked(plan_id: int) -> StandingPlan | None:
    return db.session().scalar(select(StandingPlan).where(StandingPlan.id == plan_id).with_for_update(key_share=True)
                               .execution_options(populate_existing=True))


def _waiting(plan_id: int, by: Visitor) -> StandingPlan:
    """A plan that waits for this person as the second one."""
    plan = own(plan_id, by)
    if plan.state != "waiting":
        raise Conflict()
    if by.id == plan.owner_id or is_maker(plan.id, by.id):
        raise SecondPersonNeeded()
    return plan


def is_maker(plan_id: int, user_id: int) -> bool:
    """Whether somebody had a hand in what the plan says."""
    return db.session().scalar(select(JournalEntry.id).where(
        JournalEntry.thing_kind == KIND, JournalEntry.thing_id == str(plan_id), JournalEntry.actor_id == user_id,
        JournalEntry.action.in_(MAKING)).limit(1)) is not None


# ---- states ---------------------------------------------------------------------------------------------------------


def settle(plan: StandingPlan, before: Content, after: Content) -> None:
    """What a change means for an approval and for the next run."""
    if plan.state == "draft":
        return
    if contents.says_more(after, before) or plan.approved_by is None:
        plan.approved_by = plan.approved_at = plan.approved_hash = None
        if plan.state != "paused" or asked_roles(plan, after):
            _wait_or_run(plan, after)
        return
    plan.approved_hash = after.hash  # less than was approved is approved
    if plan.state == "active":
        _run_from(plan, after, plan.next_day or days.first_day_still_ahead(plan))


def _wait_or_run(plan: StandingPlan, content: Content) -> None:
    if asked_roles(plan, content):
        plan.state, plan.next_day, plan.next_due_at = "waiting", None, None
        db.session().flush()
        outbox.enqueue("standing.waiting", {"plan_id": plan.id})
    else:
        _run_from(plan, content, plan.next_day or days.first_day_still_ahead(plan))


def _run_from(plan: StandingPlan, content: Content, day: date) -> None:
    """Active, with the first day from a day on that nobody has made or skipped."""
    plan.state = "active"
    set_next(plan, content, day)


def set_next(plan: StandingPlan, content: Content, day: date) -> None:
    """The next day for which the plan orders, and when; none where its days are over."""
    plan.next_day = days.following(day, content.weekdays, plan, taken_days(plan.id, day))
    plan.next_due_at = days.due_at(plan.next_day, plan) if plan.next_day else None
    db.session().flush()


def taken_days(plan_id: int, since: date) -> set[date]:
    """Days of a plan that were made or skipped."""
    return set(db.session().scalars(select(StandingRun.day).where(
        StandingRun.plan_id == plan_id, StandingRun.day >= since)))


def asked_roles(plan: Any, content: Content) -> tuple[str, ...]:
    """Whose yes the largest run alone would need as a purchase of its budget unit. Where it needs one, nobody looks at
    the runs any more: then it must be the yes that seven days from one co-operative and of one category need."""
    unit, fund = plan.budget_unit_id, plan.fund_source
    roles = rules.roles_for(unit, fund, content.largest_run_fen)
    return rules.roles_for(unit, fund, max(content.largest_run_fen, _week_fen(content))) if roles else ()


def _week_fen(content: Content) -> int:
    """The most that a week costs at its ceilings, of one category from one co-operative, in fen."""
    kinds: dict[int, tuple[int, int]] = {row.id: (row.supplier_id, row.category_id) for row in db.session().execute(
        select(Product.id, Product.supplier_id, Product.category_id)
        .where(Product.id.in_([line.product_id for line in content.lines])))}
    sums: dict[tuple[int, int], int] = defaultdict(int)
    for line in content.lines:
        sums[kinds[line.product_id]] += sum(money.line_total(line.ceiling_fen, milli) for milli in line.quantities)
    return max(sums.values(), default=0)


def _move(plan_id: int, state: str, new: str, by: Visitor) -> StandingPlan:
    plan = own(plan_id, by)
    if plan.state != state:
        raise Conflict()
    plan.state, plan.next_day, plan.next_due_at = new, None, None
    db.session().flush()
    journal.record(f"standing.{new}", KIND, plan.id, by)
    return plan
