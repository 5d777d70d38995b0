"""One bell rings a hundred times at once at four workers: it is kept once, and its money is booked once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import db, worker
from orders.models import CardPayment, Order, ProviderEvent, ReceiptShare
from orders.paying import cards
from tests import servers
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, World

TIMES, AT_ONCE = 100, 8

pytestmark = pytest.mark.slow


@pytest.fixture
def payment_id(app: Flask, world: World, trade: Trade, stand_in: StandIn) -> int:
    """Cabbage for ¥20.00, paid on the provider's page; nobody here knows it yet."""
    stand_in.account(GREENS)
    order_id = trade.cabbage().id
    gateway = app.extensions["sijin_gateway"]
    with db.transaction():
        payment_id = cards.start(order_id, world.person("cashier.sun"), gateway).id
    cards.open_page(payment_id, gateway)
    stand_in.pay(db.session().scalars(select(CardPayment.session_url)).one())
    db.session().rollback()
    return payment_id


def test_one_bell_a_hundred_times_is_one_event_and_one_booking(
        app: Flask, payment_id: int, stand_in: StandIn, database_url: str, data_dir: Path) -> None:
    statuses = storm(stand_in, database_url, data_dir, "wsgi:app")
    assert statuses == {200: TIMES}
    assert counted(ProviderEvent) == 1
    db.session().rollback()
    at_once(AT_ONCE, lambda _number: turn(app, payment_id))
    assert (counted(ReceiptShare), db.session().scalars(select(Order.received_fen)).one()) == (1, 2000)
    assert db.session().scalars(select(CardPayment.state)).one() == "paid"


def test_without_the_guard_the_same_storm_doubles(
        payment_id: int, stand_in: StandIn, database_url: str, data_dir: Path, backend: str) -> None:
    if backend == "sqlite":
        pytest.skip("SQLite has one writer at a time: who looks inside the transaction sees the other's row")
    storm(stand_in, database_url, data_dir, "tests.faults.undoubted:create()", FAULTS="undoubted")
    assert counted(ProviderEvent) > 1


def storm(stand_in: StandIn, url: str, folder: Path, target: str, **more: str) -> dict[int, int]:
    """The last bell of the payment, a hundred times at once; answers by status."""
    bell = stand_in.events[-1]
    with servers.running(url, folder, target, workers=4, quiet=True, **more) as server:
        answers = at_once(TIMES, lambda _number: stand_in.deliver_to(server.address, [bell])[0])
    return dict(Counter(answers))


def turn(app: Flask, payment_id: int) -> None:
    """What a worker does, and a browser that comes back, in one of many processes."""
    with app.app_context():
        worker.run_once(app)
        cards.book(payment_id, app.extensions["sijin_gateway"])


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    start = Barrier(count)

    def one(number: int) -> Any:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def counted(table: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(table)) or 0
