"""What a unit sees of its standing orders: columns, a fixed number of statements, its own rows only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, case, func, or_, select

from catalog.models import Product
from catalog.on_sale import on_sale
from market import db, money, paging
from market.access import Visitor
from market.errors import NotFound
from market.parties import DeliveryPoint, Organisation
from market.users import User
from orders.models import Order, OrderLine, Purchase
from orders.standing import contents
from orders.standing.contents import Line
from orders.standing.models import StandingLine, StandingPlan, StandingRun, StandingRunLine

PER_PAGE = 30
RUNS = 15
MOST_FOUND = 12
Columns = Row[*tuple[Any, ...]]
_SHOWN = {state: at for at, state in enumerate(("waiting", "active", "paused", "draft", "ended"))}


@dataclass(frozen=True)
class Estimated:
    """A plan as the list shows it: what its next run comes to today, and how many goods stand still and ask."""

    row: Columns
    next_fen: int
    goods: int
    asking: int


def plans(unit_id: int | None, page: int) -> paging.Page:
    """A unit's plans, those that run first, each as Estimated; four statements."""
    here = StandingPlan.unit_id == unit_id
    total = db.session().scalar(select(func.count()).select_from(StandingPlan).where(here)) or 0
    found = paging.read(_columns().where(here).order_by(
        case(_SHOWN, value=StandingPlan.state), StandingPlan.next_due_at.is_(None), StandingPlan.next_due_at,
        StandingPlan.id.desc()), total, page, PER_PAGE)
    ids = [row.id for row in found.rows]
    lines, facts = contents.lines_of(ids), goods_of_plans(ids)
    return paging.Page([_estimated(row, lines[row.id], facts[row.id]) for row in found.rows],  # type: ignore[misc]
                       total, found.page, PER_PAGE)


def _estimated(row: Columns, lines: Sequence[Line], facts: Mapping[int, Columns]) -> Estimated:
    return Estimated(row, estimate_fen(lines, facts, row.next_day), len(lines),
                     sum(fact.asked_fen is not None for fact in facts.values()))


def estimate_fen(lines: Sequence[Line], facts: Mapping[int, Columns], day: date | None) -> int:
    """What a day's order comes to at today's prices: goods on sale within their ceilings."""
    if day is None:
        return 0
    return sum(money.line_total(facts[line.product_id].price_fen, line.quantities[day.weekday()]) for line in lines
               if facts[line.product_id].on_sale and facts[line.product_id].price_fen <= max(
                   line.ceiling_fen, facts[line.product_id].once_fen or 0))


def _columns() -> Select[Any]:
    approver, budget = db.table(User).alias(), db.table(Organisation).alias()
    return (
        select(db.table(StandingPlan), User.name.label("owner"), approver.c.name.label("approver"),
               DeliveryPoint.name.label("point"), budget.c.short_name.label("budget_unit"))
        .join(User, User.id == StandingPlan.owner_id)
        .join(DeliveryPoint, DeliveryPoint.id == StandingPlan.delivery_point_id)
        .join(budget, budget.c.id == StandingPlan.budget_unit_id)
        .outerjoin(approver, approver.c.id == StandingPlan.approved_by)
    )


def plan(plan_id: int, unit_id: int | None) -> Columns:
    """One plan's facts. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _columns().where(StandingPlan.id == plan_id, StandingPlan.unit_id == unit_id)).first()
    if found is None:
        raise NotFound()
    return found


def feed(unit_id: int | None, cursor: int | None, limit: int) -> Sequence[Columns]:
    """A unit's plans before a cursor, newest first."""
    query = select(db.table(StandingPlan)).where(StandingPlan.unit_id == unit_id)
    if cursor:
        query = query.where(StandingPlan.id < cursor)
    return db.session().execute(query.order_by(StandingPlan.id.desc()).limit(limit)).all()


def goods_of_plans(plan_ids: Collection[int]) -> dict[int, dict[int, Columns]]:
    """Goods of plans by plan and product: how they are called, sold and priced today, and what they ask."""
    found: dict[int, dict[int, Columns]] = {plan_id: {} for plan_id in plan_ids}
    for row in db.session().execute(
            _goods(StandingLine.plan_id, StandingLine.asked_fen, StandingLine.once_fen)
            .join(StandingLine, StandingLine.product_id == Product.id).where(StandingLine.plan_id.in_(plan_ids))):
        found[row.plan_id][row.id] = row
    return found


def _goods(*more: Any) -> Any:
    return (select(Product.id, Product.name, Product.name_en, Product.unit, Product.unit_en, Product.price_fen,
                   Product.minimum_milli, Product.step_milli, on_sale().label("on_sale"),
                   Organisation.short_name.label("supplier"), *more)
            .join(Organisation, Organisation.id == Product.supplier_id))


def search(query: str) -> Sequence[Columns]:
    """Goods on sale whose name, other names or co-operative hold the query, the best sold first."""
    if not query:
        return []
    return db.session().execute(
        _goods().where(on_sale(), or_(*(column.icontains(query, autoescape=True) for column in (
            Product.name, Product.name_en, Product.aliases, Organisation.short_name))))
        .order_by(Product.sold_milli.desc(), Product.id).limit(MOST_FOUND)).all()


def past_purchases(unit_id: int | None) -> Sequence[Columns]:
    """The latest purchases from which a plan can be drawn up."""
    return db.session().execute(
        select(Purchase.id, Purchase.number, Purchase.delivery_day, Purchase.total_fen)
        .where(Purchase.unit_id == unit_id).order_by(Purchase.id.desc()).limit(RUNS)).all()


def goods_of_purchase(purchase_id: int, unit_id: int | None) -> list[tuple[int, int]]:
    """(product id, milli) of a purchase of the unit. Raises NotFound."""
    from_order = select(Purchase.id).where(Purchase.id == purchase_id, Purchase.unit_id == unit_id)
    if db.session().scalar(from_order) is None:
        raise NotFound()
    return [(row.product_id, row.ordered_milli) for row in db.session().execute(
        select(OrderLine.product_id, OrderLine.ordered_milli).join(Order, Order.id == OrderLine.order_id)
        .where(Order.purchase_id == purchase_id).order_by(OrderLine.id))]


# ---- runs -----------------------------------------------------------------------------------------------------------


def runs(plan_id: int, page: int) -> paging.Page:
    """What came of a plan's days, the latest first. The caller has checked whose it is."""
    total = db.session().scalar(select(func.count()).where(StandingRun.plan_id == plan_id)) or 0
    return paging.read(_run_columns().where(StandingRun.plan_id == plan_id).order_by(StandingRun.day.desc()),
                       total, page, RUNS)


def run(run_id: int, unit_id: int | None) -> Columns:
    """One run with its plan's name. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _run_columns().where(StandingRun.id == run_id, StandingPlan.unit_id == unit_id)).first()
    if found is None:
        raise NotFound()
    return found


def _run_columns() -> Select[Any]:
    return (select(db.table(StandingRun), StandingPlan.name, Purchase.number, Purchase.approval)
            .join(StandingPlan, StandingPlan.id == StandingRun.plan_id)
            .outerjoin(Purchase, Purchase.id == StandingRun.purchase_id))


def run_lines(run_id: int) -> Sequence[Columns]:
    """What came of each good of a run. The caller has checked whose it is."""
    return db.session().execute(
        select(db.table(StandingRunLine), Product.name, Product.name_en, Product.unit, Product.unit_en)
        .join(Product, Product.id == StandingRunLine.product_id).where(StandingRunLine.run_id == run_id)
        .order_by(StandingRunLine.id)).all()


# ---- what waits -----------------------------------------------------------------------------------------------------


def waiting(by: Visitor) -> int:
    """Plans of the unit that wait for a second person."""
    return db.session().scalar(select(func.count()).select_from(StandingPlan).where(
        StandingPlan.unit_id == by.organisation_id, StandingPlan.state == "waiting")) or 0


def asking(by: Visitor) -> int:
    """Goods of the unit's plans whose price is above the ceiling."""
    return db.session().scalar(
        select(func.count()).select_from(StandingLine).join(StandingPlan, StandingPlan.id == StandingLine.plan_id)
        .where(StandingPlan.unit_id == by.organisation_id, StandingPlan.state.in_(("active", "waiting", "paused")),
               StandingLine.asked_fen.is_not(None))) or 0

