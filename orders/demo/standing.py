"""The demo world's standing order, with one price that asks, and a phone order that waits for the canteen."""

from datetime import date, timedelta
from typing import Any

from flask import current_app

from market import clock, db, money
from market.errors import MarketError
from orders.buying import cart, checkout
from orders.demo.year import Book
from orders.phone import calls, links
from orders.phone.calls import Said
from orders.standing import contents, drafts, plans, runs
from orders.standing.contents import Content, Line, Terms

GOODS = 5
WORKDAYS = 5
DEAR_POINTS = 9_000  # the ceiling of the good that asks: nine tenths of its price


def order_ahead(book: Book, today: date) -> None:
    """The showcase school's vegetables for each workday, running for three days; and what it said on the phone."""
    unit = next(iter(book.facts.units))
    goods = _goods(book, today)
    cook, head = book.settled.person(unit, "requester"), book.settled.person(unit, "approver")
    with clock.at(clock.shanghai(today - timedelta(days=3), 9)):
        with db.transaction():
            plan_id = plans.draw_up(_content(book, unit, goods, today), cook)
            state = plans.start(plan_id, cook)
        if state == "waiting":
            with db.transaction():
                plans.approve(plan_id, contents.of_plan(plans.plan_of(plan_id, head)).hash, head)
    with clock.at(clock.shanghai(today, 7, 10)):
        while due := runs.due(1):
            _run(*due[0])
    _phone(book, unit, goods, today)


def _run(plan_id: int, day: date) -> None:
    try:
        with db.transaction():
            runs.make(plan_id, day)
    except MarketError as refusal:
        with db.transaction():
            runs.note_failure(plan_id, day, refusal)


def _goods(book: Book, today: date) -> list[Any]:
    """Some goods in season, first of the fact file."""
    sold = cart.sellable(list(book.products.values()), today)
    return [sold[product_id] for product_id in book.products.values() if product_id in sold and checkout.in_season(
        sold[product_id].harvest_months, today.month)][:GOODS]


def _content(book: Book, unit: str, goods: list[Any], today: date) -> Content:
    terms = Terms(
        name="演示：每天的菜", budget_unit_id=book.settled.organisations[unit],
        delivery_point_id=book.settled.points[unit], delivery_window="dawn", fund_source="canteen", days_ahead=3,
        cut_off_hour=7, first_day=today - timedelta(days=2), last_day=today + timedelta(days=180), skip_holidays=True,
        year_limit_fen=0)
    lines = tuple(Line(good.id, drafts.ceiling_of(good.price_fen) if number else _too_low(good.price_fen), number == 1,
                       (_some(good),) * WORKDAYS + (0, 0)) for number, good in enumerate(goods))
    return contents.with_year_limit(Content(terms, lines), None)


def _too_low(price_fen: int) -> int:
    return max(1, money.part_of(price_fen, DEAR_POINTS))


def _some(good: Any) -> int:
    """Twice the least, in whole steps."""
    return int(-(-2 * good.minimum_milli // good.step_milli) * good.step_milli)


def _phone(book: Book, unit: str, goods: list[Any], today: date) -> None:
    if not goods:
        return
    supplier_id = goods[0].supplier_id
    clerk = next(book.settled.person(key, "clerk") for key in book.facts.coops
                 if book.settled.organisations[key] == supplier_id)
    said = Said(book.settled.organisations[unit], today + timedelta(days=2), "morning",
                [(good.id, _some(good)) for good in goods if good.supplier_id == supplier_id], "演示：电话里说要新鲜的")
    with clock.at(clock.shanghai(today, 8)), db.transaction():
        calls.type_in(said, links.new(str(current_app.config["SECRET_KEY"])), clerk)
