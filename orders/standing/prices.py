"""A price above its ceiling: the buyer raises the ceiling, takes the price once, or does without the good."""

from dataclasses import replace
from typing import Any

from sqlalchemy import update

from market import db, journal
from market.access import Visitor
from market.errors import NotFound
from orders.standing import contents, plans, writing
from orders.standing.contents import Content, Line
from orders.standing.models import KIND, StandingLine
from orders.standing.refusals import NoGoods


def raise_ceiling(plan_id: int, product_id: int, ceiling_fen: int, by: Visitor) -> bool:
    """Take a higher price from now on: an increase; returns whether it waits for a new approval."""
    plan = plans.own(plan_id, by)
    before = contents.of_plan(plan)
    _line(before, product_id)
    after = replace(before, lines=tuple(
        replace(line, ceiling_fen=max(line.ceiling_fen, ceiling_fen)) if line.product_id == product_id else line
        for line in before.lines))
    _update_line(plan.id, product_id, ceiling_fen=_line(after, product_id).ceiling_fen, asked_fen=None)
    plans.settle(plan, before, after)
    journal.record("standing.ceiling_raised", KIND, plan.id, by, product=product_id, after=ceiling_fen)
    return plan.state == "waiting"


def take_once(plan_id: int, product_id: int, price_fen: int, by: Visitor) -> None:
    """Take this price, and none higher, at the next run alone. The plan's approval does not cover that run: its order
    waits for a second person where the unit's limit says so (runs.make)."""
    plan = plans.own(plan_id, by)
    _line(contents.of_plan(plan), product_id)
    _update_line(plan.id, product_id, once_fen=price_fen, asked_fen=None)
    journal.record("standing.price_taken_once", KIND, plan.id, by, product=product_id, price=price_fen)


def drop(plan_id: int, product_id: int, by: Visitor) -> None:
    """Do without a good from now on: a reduction. Raises NoGoods for the last one."""
    plan = plans.own(plan_id, by)
    before = contents.of_plan(plan)
    _line(before, product_id)
    after = replace(before, lines=tuple(line for line in before.lines if line.product_id != product_id))
    if plan.state != "draft" and not after.weekdays:
        raise NoGoods()
    writing.write_lines(plan.id, after.lines)
    plans.settle(plan, before, after)
    journal.record("standing.good_dropped", KIND, plan.id, by, product=product_id)


def _line(content: Content, product_id: int) -> Line:
    found = next((line for line in content.lines if line.product_id == product_id), None)
    if found is None:
        raise NotFound()
    return found


def _update_line(plan_id: int, product_id: int, **values: Any) -> None:
    db.session().execute(update(StandingLine).where(
        StandingLine.plan_id == plan_id, StandingLine.product_id == product_id).values(**values))
