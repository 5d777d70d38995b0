"""A worker is killed between two transfers of a list, and two chairmen press the same button at the same moment."""

import http.client
from pathlib import Path

import pytest
from sqlalchemy import func, select

from market import audit, db
from market.parties import Membership
from orders.models import Order, PaymentClaim, ReceiptShare
from tests import servers
from tests.faults.test_last_fifty import at_once
from tests.servers import Server
from tests.trade import Trade
from tests.world import GREENS, World

pytestmark = pytest.mark.slow
COUNT = 6


@pytest.fixture
def claims(trade: Trade) -> list[int]:
    """Transfers for one order, and for another that shares none with it."""
    cabbage = trade.product("白菜", price_fen=200, minimum_milli=1000)
    trade.lot(cabbage, 100)
    ids = []
    for _ in range(2):
        order = trade.orders(trade.place({cabbage: 10_000}))[0]
        trade.ship(order.id)
        trade.accept(order.id)
        ids += [trade.pay(order.id, 100, confirmed=False) for _ in range(COUNT // 2)]
    return ids


def states() -> list[str]:
    db.session().rollback()
    return list(db.session().scalars(select(PaymentClaim.state).distinct()))


def press(server: Server, ids: list[int], headers: dict[str, str], key: str) -> servers.Answer:
    content = {"claim_ids": ids, "seen_claims": len(ids), "seen_fen": 100 * len(ids)}
    return server.ask("POST", "/api/v1/payment-receipts", content, {**headers, "Idempotency-Key": key})


def test_a_worker_killed_between_two_transfers_leaves_none_and_the_same_key_ends_in_one(
        world: World, claims: list[int], database_url: str, data_dir: Path) -> None:
    shi = world.api_headers("chair.shi")
    db.session().rollback()
    with (servers.running(database_url, data_dir, workers=1, FAULTS="claims_confirmed_half") as server,
          pytest.raises((http.client.HTTPException, ConnectionError))):
        press(server, claims, shi, "list")
    assert states() == ["claimed"]
    assert audit.check() == []
    with servers.running(database_url, data_dir, workers=1) as server:
        answers = [press(server, claims, shi, "list") for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert states() == ["received"]
    assert [order.received_fen for order in db.session().scalars(select(Order))] == [300, 300]
    assert audit.check() == []


def test_two_lists_and_single_taps_at_once_book_each_transfer_once(
        world: World, claims: list[int], database_url: str, data_dir: Path) -> None:
    with db.transaction() as session:
        session.add(Membership(user_id=world.person("clerk.zhang").id, organisation_id=world.organisation_id(GREENS),
                               role="manager"))
    people = [world.api_headers(login) for login in ("chair.shi", "clerk.zhang")]
    db.session().rollback()

    def deed(server: Server, number: int) -> servers.Answer:
        if number % 3:
            return press(server, claims if number % 2 else claims[::-1], people[number % 2], f"list-{number}")
        return server.ask("POST", f"/api/v1/payment-claims/{claims[-1]}/receipt", {},
                          {**people[number % 2], "Idempotency-Key": f"one-{number}"})

    with servers.running(database_url, data_dir, workers=4) as server:
        answers = at_once(9, lambda number: deed(server, number))
        assert {answer.status for answer in answers} <= {201, 409}
        if states() != ["received"]:  # the single tap was first: what is left of the list is pressed again
            assert press(server, claims[:-1], people[0], "rest").status == 201
    assert states() == ["received"]
    assert db.session().scalar(select(func.count()).select_from(ReceiptShare)) == COUNT
    assert [order.received_fen for order in db.session().scalars(select(Order))] == [300, 300]
    assert audit.check() == []
