"""Plans of standing orders in the named people's world."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from catalog.models import Product
from market import clock, db, outbox
from market.notices import Notice
from market.parties import Organisation
from orders.standing import contents, jobs, plans
from orders.standing.contents import Content, Line, Terms
from orders.standing.models import StandingPlan, StandingRun
from tests.world import SCHOOL, World

WORKDAYS = (0, 1, 2, 3, 4)


def a_plan(world: World, goods: dict[int, int], *, ceiling_fen: int = 250, weekdays: tuple[int, ...] = WORKDAYS,
           by: str = "cook.chen", start: bool = True, **terms: Any) -> int:
    """A plan of {product id: milli} for each of its weekdays, from tomorrow on for 60 days; returns its id."""
    content = said(world, goods, ceiling_fen=ceiling_fen, weekdays=weekdays, **terms)
    with db.transaction():
        plan_id = plans.draw_up(content, world.person(by))
        if start:
            plans.start(plan_id, world.person(by))
    return plan_id


def said(world: World, goods: dict[int, int], *, ceiling_fen: int = 250, weekdays: tuple[int, ...] = WORKDAYS,
         **terms: Any) -> Content:
    today = clock.today()
    about = Terms(
        name="每天的菜", budget_unit_id=world.organisation_id(SCHOOL), delivery_point_id=world.delivery_point_id(),
        delivery_window="dawn", fund_source="canteen", days_ahead=1, cut_off_hour=16,
        first_day=today + timedelta(days=1), last_day=today + timedelta(days=60), skip_holidays=False,
        year_limit_fen=1_000_000)
    lines = tuple(Line(product_id, ceiling_fen, False, tuple(milli if day in weekdays else 0 for day in range(7)))
                  for product_id, milli in goods.items())
    return Content(replace(about, **terms), lines)


def content_of(plan_id: int) -> Content:
    return contents.of_plan(plan(plan_id))


def plan(plan_id: int) -> StandingPlan:
    return db.session().get_one(StandingPlan, plan_id, populate_existing=True)


def runs_of(plan_id: int) -> list[tuple[str, str]]:
    """(day, outcome) of a plan's runs."""
    return [(day.isoformat(), outcome) for day, outcome in db.session().execute(
        select(StandingRun.day, StandingRun.outcome).where(StandingRun.plan_id == plan_id).order_by(StandingRun.day))]


def work() -> None:
    """What the worker does: every due run, then the news."""
    while jobs.make_due():
        pass
    outbox.drain(jobs.HANDLERS)


def set_limit(world: World, fen: int | None) -> None:
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == world.organisation_id(SCHOOL))
                        .values(approval_limit_fen=fen))


def set_price(product_id: int, fen: int) -> None:
    with db.transaction() as session:
        session.execute(update(Product).where(Product.id == product_id).values(price_fen=fen))


def told(world: World, organisation: str = SCHOOL) -> list[str]:
    """Kinds of news of an organisation, the oldest first."""
    return list(db.session().scalars(select(Notice.kind).where(
        Notice.organisation_id == world.organisation_id(organisation)).order_by(Notice.id)))
