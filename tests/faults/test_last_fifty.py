"""Two hundred buyers want the last fifty boxes at the same moment, over the wire, on both databases."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select

from catalog.models import Lot, StockHold
from market import clock, db
from orders.models import OrderLine, Purchase
from tests import servers
from tests.servers import Answer
from tests.trade import Trade
from tests.world import World

BUYERS, BOXES = 200, 50

pytestmark = pytest.mark.slow


@pytest.fixture
def product(world: World) -> int:
    """Fifty boxes of cabbage, in one lot."""
    trade = Trade(world)
    cabbage = trade.product("白菜", unit="箱", grams_per_unit=10_000, by_weight=False, minimum_milli=1_000,
                            step_milli=1_000)
    trade.lot(cabbage, kg=10 * BOXES)
    return cabbage


def test_exactly_fifty_of_two_hundred_succeed(
        world: World, product: int, database_url: str, data_dir: Path) -> None:
    answers = everybody_orders_one(world, product, database_url, data_dir, "wsgi:app")
    assert Counter(answer.status for answer in answers) == {201: BOXES, 409: BUYERS - BOXES}
    assert {answer.json["error"]["code"] for answer in answers if answer.status == 409} == {"out_of_stock"}
    lot = db.session().execute(select(Lot.on_hand_milli, Lot.held_milli)).one()
    assert (lot.on_hand_milli, lot.held_milli) == (BOXES * 1_000, BOXES * 1_000)
    assert counted(Purchase) == counted(OrderLine) == counted(StockHold) == BOXES


def test_without_the_guard_the_same_rush_oversells(
        world: World, product: int, database_url: str, data_dir: Path) -> None:
    answers = everybody_orders_one(world, product, database_url, data_dir, "tests.faults.unguarded:create()",
                                   FAULTS="unguarded")
    promised = sum(answer.status == 201 for answer in answers)
    assert promised > BOXES
    assert counted(StockHold) == promised


def everybody_orders_one(world: World, product: int, url: str, folder: Path, target: str, **more: str) -> list[Answer]:
    """Every buyer's answer to an order of one box."""
    headers = world.api_headers("cook.chen")
    wanted = {"delivery_point_id": world.delivery_point_id(), "delivery_window": "morning", "fund_source": "canteen",
              "delivery_day": (clock.today() + timedelta(days=1)).isoformat(),
              "lines": [{"product_id": product, "ordered_milli": 1_000}]}
    db.session().rollback()
    with servers.running(url, folder, target, **more) as server:
        return at_once(BUYERS, lambda number: server.ask(
            "POST", "/api/v1/purchases", wanted, {**headers, "Idempotency-Key": f"buyer-{number}"}))


def at_once(count: int, work: Callable[[int], Answer]) -> list[Answer]:
    """The answers to `count` requests that start together."""
    start = Barrier(count)

    def one(number: int) -> Answer:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def counted(table: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(table)) or 0
