"""A run: the order for one day of a plan, made once however many workers try, or a row that says why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, extract, select, update

from market import access, clock, db, journal, logins, money, outbox
from market.access import Visitor
from market.errors import InvalidInput, MarketError
from market.i18n import gettext
from market.users import User
from orders.buying import cart, checkout, refusals
from orders.buying.checkout import Placed, Wish
from orders.models import Order
from orders.standing import contents, days, plans
from orders.standing.contents import Content, Line
from orders.standing.models import KIND, StandingLine, StandingPlan, StandingRun, StandingRunLine
from orders.standing.refusals import OwnerGone, PlanChanged, YearUsedUp

Due = tuple[int, date]


@dataclass(frozen=True)
class Outcome:
    """What comes of one good on a day; a reason where it is not to be had."""

    line: Line
    milli: int
    outcome: str
    price_fen: int | None = None
    reason: MarketError | None = None


def due(most: int) -> list[Due]:
    """Plans whose next run is due, with its day of delivery; the longest due first."""
    return [(row.id, row.next_day) for row in db.session().execute(
        select(StandingPlan.id, StandingPlan.next_day).where(StandingPlan.next_due_at <= clock.now())
        .order_by(StandingPlan.next_due_at, StandingPlan.id).limit(most))]


def make(plan_id: int, day: date) -> None:
    """Order for a day, or note that it is too late for it; nothing where somebody has made it already.

    Raises MarketError where the whole order is refused: then nothing is written, and `note_failure` follows.
    """
    claimed = _claimed(plan_id, day)
    if claimed is None:
        return
    run_id, plan, content = claimed
    if day <= clock.today():
        _finish(run_id, plan, "missed")
        return
    by = _owner(plan)
    found = _look(plan, content, day)
    placed = _order(plan, content, day, found, by)
    _write_lines(run_id, found)
    _answer_lines(plan, found)
    _finish(run_id, plan, "placed" if placed else "nothing", found, placed)


def note_failure(plan_id: int, day: date, refusal: MarketError) -> None:
    """The order for a day was refused as a whole: it stands in the plan's history, and the unit is told."""
    claimed = _claimed(plan_id, day)
    if claimed is None:
        return
    run_id, plan, _content = claimed
    zh, en = both(refusal)
    db.session().execute(update(StandingRun).where(StandingRun.id == run_id).values(refusal_zh=zh, refusal_en=en))
    _finish(run_id, plan, "failed")


def both(refusal: MarketError) -> tuple[str, str]:
    """A refusal's sentence in Chinese (the worker's language) and English."""
    said = []
    for translate in (gettext, None):
        message = refusal.message(translate) if translate else refusal.message()
        fields = refusal.field_messages(translate) if translate else refusal.field_messages()
        parts = [text for texts in fields.values() for text in texts] if isinstance(refusal, InvalidInput) else []
        said.append(" ".join(parts) or message)
    return said[0], said[1]


# ---- once -----------------------------------------------------------------------------------------------------------


def claim(plan_id: int, day: date) -> int | None:
    """Take a plan's day for this transaction; None where it was taken before.

    A rival waits here until the first has committed; where the first is killed, its row and its order are gone.
    """
    taken: int | None = db.session().scalar(db.insert_new(StandingRun).returning(StandingRun.id), {
        "plan_id": plan_id, "day": day, "outcome": "nothing", "made_at": clock.now(), "total_fen": 0,
        "refusal_zh": "", "refusal_en": ""})
    return taken


def token_of(plan_id: int, day: date) -> str:
    """The purchase's submit token: a second lock on the same door, should a run's row ever be lost."""
    return f"standing:{plan_id}:{day.isoformat()}"


def _claimed(plan_id: int, day: date) -> tuple[int, StandingPlan, Content] | None:
    """The day's row, with the plan as it stands now, locked; None where there is nothing to do."""
    run_id = claim(plan_id, day)
    plan = plans.locked(plan_id)
    if plan is None:
        return None
    content = contents.of_plan(plan)
    if run_id is not None and plan.state == "active" and days.is_delivery_day(day, content.weekdays, plan):
        return run_id, plan, content
    if run_id is not None:  # paused or changed in the meantime
        db.session().execute(delete(StandingRun).where(StandingRun.id == run_id))
    if plan.state == "active" and plan.next_day == day:
        plans.set_next(plan, content, clock.days_after(day, 1))
    return None


# ---- what there is --------------------------------------------------------------------------------------------------


def _owner(plan: StandingPlan) -> Visitor:
    """The person in whose name it orders, as they are today."""
    login, name = db.session().execute(select(User.login, User.name).where(User.id == plan.owner_id)).one()
    visitor = logins.visitor_of_login(login, plan.unit_id)
    if visitor is None or not access.can(visitor, "purchase.place"):
        raise OwnerGone(name=name)
    return visitor


def _look(plan: StandingPlan, content: Content, day: date) -> list[Outcome]:
    """Each good of the day: may be ordered, is above its ceiling, or is not to be had."""
    wanted = [(line, line.quantities[day.weekday()]) for line in content.lines if line.quantities[day.weekday()]]
    goods = [(line.product_id, milli) for line, milli in wanted]
    products = cart.sellable([product_id for product_id, _milli in goods], day)
    against, once = refusals.by_good(goods, day), _prices_taken_once(plan.id)
    return [_outcome(line, milli, products.get(line.product_id), against.get(line.product_id),
                     once.get(line.product_id) or 0) for line, milli in wanted]


def _outcome(line: Line, milli: int, product: Any, against: MarketError | None, once_fen: int) -> Outcome:
    if product is None:
        return Outcome(line, milli, "short", reason=against or refusals.NoLongerSold())
    if product.price_fen > max(line.ceiling_fen, once_fen):
        return Outcome(line, milli, "paused", product.price_fen)
    if against is not None:
        return Outcome(line, milli, "short", product.price_fen, against)
    return Outcome(line, milli, "ordered", product.price_fen)


def _prices_taken_once(plan_id: int) -> Mapping[int, int | None]:
    return {row.product_id: row.once_fen for row in db.session().execute(
        select(StandingLine.product_id, StandingLine.once_fen).where(StandingLine.plan_id == plan_id))}


def _order(plan: StandingPlan, content: Content, day: date, found: Sequence[Outcome], by: Visitor) -> Placed | None:
    ordered = [one for one in found if one.outcome == "ordered"]
    if not ordered:
        return None
    total = sum(money.line_total(one.price_fen or 0, one.milli) for one in ordered)
    _check_year(plan, day, total)
    wish = Wish(plan.delivery_point_id, day, plan.delivery_window, plan.fund_source,
                budget_unit_id=plan.budget_unit_id)
    placed = checkout.place([(one.line.product_id, one.milli) for one in ordered], wish, token_of(plan.id, day), by,
                            source="standing", approved_by=_approver(plan, content, ordered),
                            substitutes={one.line.product_id for one in ordered if one.line.substitutes})
    if placed.total_fen != total:  # the freight comes on top, by the terms of this moment
        raise checkout.PricesChanged(total=money.yuan(placed.total_fen))
    return placed


def _approver(plan: StandingPlan, content: Content, ordered: Sequence[Outcome]) -> int | None:
    """Who approved the plan, where that covers the run: a price above the ceiling, taken once, was not approved."""
    if plan.approved_by is None or any((one.price_fen or 0) > one.line.ceiling_fen for one in ordered):
        return None
    if plan.approved_hash != content.hash:
        raise PlanChanged()
    return plan.approved_by


def _check_year(plan: StandingPlan, day: date, run_fen: int) -> None:
    """Raises YearUsedUp. What was ordered for delivery in the year counts, less what was cancelled."""
    spent: int = db.session().scalar(
        select(db.sum_of(Order.placed_fen)).join(StandingRun, StandingRun.purchase_id == Order.purchase_id)
        .where(StandingRun.plan_id == plan.id, extract("year", StandingRun.day) == day.year,
               Order.state != "cancelled")) or 0
    if spent + run_fen > plan.year_limit_fen:
        raise YearUsedUp(limit=money.yuan(plan.year_limit_fen), spent=money.yuan(spent), run=money.yuan(run_fen))


# ---- what is written ------------------------------------------------------------------------------------------------


def _write_lines(run_id: int, found: Sequence[Outcome]) -> None:
    rows = []
    for one in found:
        zh, en = both(one.reason) if one.reason else ("", "")
        rows.append({"run_id": run_id, "product_id": one.line.product_id, "outcome": one.outcome, "milli": one.milli,
                     "price_fen": one.price_fen, "ceiling_fen": one.line.ceiling_fen,
                     "reason_zh": zh, "reason_en": en})
    db.insert_rows(StandingRunLine, rows)


def _answer_lines(plan: StandingPlan, found: Sequence[Outcome]) -> None:
    """A line above its ceiling asks; one that runs again asks no more, and a price taken once is used up."""
    for one in found:
        asked = one.price_fen if one.outcome == "paused" else None
        db.session().execute(
            update(StandingLine)
            .where(StandingLine.plan_id == plan.id, StandingLine.product_id == one.line.product_id)
            .values({"asked_fen": asked} | ({"once_fen": None} if one.outcome == "ordered" else {})))


def _finish(run_id: int, plan: StandingPlan, outcome: str, found: Sequence[Outcome] = (),
            placed: Placed | None = None) -> None:
    """The row says what came of the day, the plan turns to its next one, and the unit hears what it must know."""
    run = db.session().get_one(StandingRun, run_id)
    run.outcome, run.made_at = outcome, clock.now()
    if placed:
        run.purchase_id, run.total_fen = placed.id, placed.total_fen
    plans.set_next(plan, contents.of_plan(plan), clock.days_after(run.day, 1))
    journal.record("standing.run", KIND, plan.id, None, day=run.day, outcome=outcome,
                   purchase=placed.number if placed else "")
    if outcome in {"failed", "missed"} or any(one.outcome != "ordered" for one in found):
        outbox.enqueue("standing.run", {"run_id": run_id})
