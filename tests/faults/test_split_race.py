"""Eight people of one school order for 3,000 each at the same moment, over the wire: only the first slips through."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from market import clock, db
from orders.approving import rules
from orders.approving.rules import Rule
from tests import servers
from tests.faults.test_last_fifty import at_once
from tests.trade import Trade
from tests.world import World

BUYERS = 8

pytestmark = pytest.mark.slow


@pytest.fixture
def cabbage(world: World) -> int:
    """Cabbage in plenty, and a school whose leader decides above 5,000."""
    trade = Trade(world)
    product = trade.product("白菜", price_fen=1000)
    trade.lot(product, kg=9_000)
    with db.transaction():
        rules.replace([Rule("any", 500_000, "leader")], world.person("admin.qian"))
    return product


def test_one_slips_through_and_seven_wait(world: World, cabbage: int, database_url: str, data_dir: Path) -> None:
    assert everybody_orders(world, cabbage, database_url, data_dir, "wsgi:app") == {
        "not_needed": 1, "waiting": BUYERS - 1}


def test_without_the_lock_more_slip_through(world: World, cabbage: int, database_url: str, data_dir: Path) -> None:
    found = everybody_orders(world, cabbage, database_url, data_dir, "tests.faults.unsummed:create()",
                             FAULTS="unsummed")
    assert found["not_needed"] > 1


def everybody_orders(world: World, product: int, url: str, folder: Path, target: str, **more: str) -> Counter[str]:
    """How the purchases of two people, four each, stand."""
    headers = [world.api_headers(login) for login in ("cook.chen", "admin.qian")]
    wanted = {"delivery_point_id": world.delivery_point_id(), "delivery_window": "morning", "fund_source": "canteen",
              "delivery_day": (clock.today() + timedelta(days=1)).isoformat(),
              "lines": [{"product_id": product, "ordered_milli": 300_000}]}
    db.session().rollback()
    with servers.running(url, folder, target, **more) as server:
        answers = at_once(BUYERS, lambda number: server.ask(
            "POST", "/api/v1/purchases", wanted, {**headers[number % 2], "Idempotency-Key": f"order-{number}"}))
    assert {answer.status for answer in answers} == {201}
    return Counter(answer.json["approval"] for answer in answers)
