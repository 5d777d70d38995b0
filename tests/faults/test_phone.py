"""Many people of a unit tap on the same phone order at the same moment: it is ordered once, all see the one order."""

from pathlib import Path

import pytest

from market import clock, db
from market.parties import Membership
from orders.models import Order, Purchase
from orders.phone import calls
from orders.phone.calls import Link, Said
from tests import servers
from tests.faults.test_last_fifty import at_once, counted
from tests.trade import Trade
from tests.world import SCHOOL, World

pytestmark = pytest.mark.slow

TAPS = 12


def test_many_taps_are_one_order(world: World, database_url: str, data_dir: Path) -> None:
    trade = Trade(world)
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage)
    school = world.organisation_id(SCHOOL)
    said = Said(school, clock.days_after(clock.today(), 2), "morning", [(cabbage, 10_000)])
    with db.transaction():
        order_id = calls.type_in(said, Link("nonce", "hash"), world.person("clerk.zhang"))
        db.session().add(Membership(user_id=world.person("store.wang").id, organisation_id=school, role="requester"))
    people = [world.api_headers(login) for login in ("cook.chen", "admin.qian", "store.wang")]
    wanted = {"delivery_point_id": world.delivery_point_id(), "expected_total_fen": 2_000}
    db.session().rollback()
    with servers.running(database_url, data_dir) as server:
        answers = at_once(TAPS, lambda number: server.ask(
            "POST", f"/api/v1/phone-orders/{order_id}/confirmation", wanted,
            {**people[number % 3], "Idempotency-Key": f"tap-{number}"}))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert (counted(Purchase), counted(Order)) == (1, 1)
    assert trade.stock_of(lot) == (100_000, 10_000)
