"""Fifty buyers order a box each of a season in which twenty are approved, over the wire, on both databases."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from catalog.capacity import asking
from catalog.capacity.asking import Asked, Season
from catalog.capacity.models import SeasonCapacity
from market import clock, db
from orders import seasons
from orders.models import OrderLine, Purchase
from tests import servers
from tests.faults.test_last_fifty import at_once, counted
from tests.servers import Answer
from tests.trade import Trade
from tests.world import POMELO, World

BUYERS, APPROVED = 50, 20

pytestmark = pytest.mark.slow


@pytest.fixture
def product(world: World) -> int:
    """Sixty boxes of pomelos in store, of which the county has approved twenty for the season."""
    trade = Trade(world)
    pomelo = trade.product("香柚", POMELO, unit="箱", grams_per_unit=10_000, by_weight=False, minimum_milli=1_000,
                           step_milli=1_000)
    today = clock.today()
    trade.lot(pomelo, kg=600, harvested_on=today - timedelta(days=5))
    season = Season("本季", today, today + timedelta(days=30))
    with db.transaction():
        asked = asking.declare(pomelo, world.villages["pomelo_home"], season, Asked(APPROVED * 10_000, "两亩"), [],
                               seasons.sold_grams, world.person("clerk.lv"))
    with db.transaction():
        asking.decide(asked.id, APPROVED * 10_000, "", seasons.sold_grams, world.person("farm.luo"))
    return pomelo


def test_exactly_what_is_approved_is_sold(world: World, product: int, database_url: str, data_dir: Path) -> None:
    answers = everybody_orders_one(world, product, database_url, data_dir, "wsgi:app")
    assert Counter(answer.status for answer in answers) == {201: APPROVED, 409: BUYERS - APPROVED}
    assert {answer.json["error"]["code"] for answer in answers if answer.status == 409} == {"above_capacity"}
    season = db.session().execute(select(SeasonCapacity.approved_grams, SeasonCapacity.sold_grams)).one()
    assert season.approved_grams == season.sold_grams == APPROVED * 10_000
    assert counted(Purchase) == counted(OrderLine) == APPROVED
    assert list(seasons.counted()) == []


def test_without_the_guard_the_same_rush_sells_more(
        world: World, product: int, database_url: str, data_dir: Path) -> None:
    answers = everybody_orders_one(world, product, database_url, data_dir, "tests.faults.unbounded:create()",
                                   FAULTS="unbounded")
    sold = sum(answer.status == 201 for answer in answers)
    assert sold > APPROVED
    assert counted(OrderLine) == sold
    assert len(list(seasons.counted())) == 1


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
