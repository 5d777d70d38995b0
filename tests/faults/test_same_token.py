"""A finger that slips twenty times buys once."""

from datetime import timedelta
from pathlib import Path

import pytest

from market import clock, db
from orders.models import Order, Purchase
from tests import servers
from tests.faults.test_last_fifty import at_once, counted
from tests.trade import Trade
from tests.world import World

pytestmark = pytest.mark.slow


def test_twenty_posts_with_one_token_are_one_purchase_with_one_answer(
        world: World, database_url: str, data_dir: Path) -> None:
    trade = Trade(world)
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage)
    headers = {**world.api_headers("cook.chen"), "Idempotency-Key": "one-finger"}
    wanted = {"delivery_point_id": world.delivery_point_id(), "delivery_window": "morning", "fund_source": "canteen",
              "delivery_day": (clock.today() + timedelta(days=1)).isoformat(),
              "lines": [{"product_id": cabbage, "ordered_milli": 10_000}]}
    db.session().rollback()
    with servers.running(database_url, data_dir) as server:
        answers = at_once(20, lambda _number: server.ask("POST", "/api/v1/purchases", wanted, headers))
        other = server.ask("POST", "/api/v1/purchases", {**wanted, "note": "and salt"}, headers)
    assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
    assert (other.status, other.json["error"]["code"]) == (409, "token_reused")
    assert (counted(Purchase), counted(Order)) == (1, 1)
    assert trade.stock_of(lot) == (100_000, 10_000)
