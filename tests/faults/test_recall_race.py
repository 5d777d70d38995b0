"""A lot is recalled while buyers order it and its clerk packs it: each deed came before and is listed, or it fails."""

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from catalog.models import Lot, StockHold
from catalog.tracing import recall
from catalog.tracing.models import RecallRelease
from market import clock, db
from orders.delivering import recall as reach
from orders.models import OrderLine, Shipment
from tests import servers
from tests.faults.test_last_fifty import at_once
from tests.servers import Answer
from tests.trade import Trade

BUYERS, PACKED = 20, 10

pytestmark = pytest.mark.slow


def recall_amid(trade: Trade, lot: int, rush: Callable[[], list[Answer]]) -> list[Answer]:
    """The answers to a rush in whose middle the chair recalls the lot."""
    answers: list[Answer] = []
    code = db.session().scalars(select(Lot.code).where(Lot.id == lot)).one()
    chair = trade.world.person("chair.shi")
    db.session().rollback()
    crowd = Thread(target=lambda: answers.extend(rush()))
    crowd.start()
    crowd.join(0.05)
    with db.transaction():
        recall.recall(code, "农残超标", chair)
    crowd.join()
    db.session().rollback()
    return answers


def everybody_orders(trade: Trade, product: int, server: servers.Server) -> Callable[[], list[Answer]]:
    headers = trade.world.api_headers("cook.chen")
    wanted = {"delivery_point_id": trade.world.delivery_point_id(), "delivery_window": "morning",
              "fund_source": "canteen", "delivery_day": clock.days_after(clock.today(), 1).isoformat(),
              "lines": [{"product_id": product, "ordered_milli": 1_000}]}
    db.session().rollback()
    return lambda: at_once(BUYERS, lambda number: server.ask(
        "POST", "/api/v1/purchases", wanted, {**headers, "Idempotency-Key": f"buyer-{number}"}))


def test_an_order_at_the_moment_of_a_recall_is_refused_or_listed(
        trade: Trade, database_url: str, data_dir: Path) -> None:
    product = trade.product("白菜")
    lot = trade.lot(product, 100)
    with servers.running(database_url, data_dir, "wsgi:app") as server:
        answers = recall_amid(trade, lot, everybody_orders(trade, product, server))
    placed = sum(answer.status == 201 for answer in answers)
    assert {answer.status for answer in answers} <= {201, 409}
    assert len(answers) == BUYERS
    assert set(db.session().scalars(select(RecallRelease.line_id))) == set(db.session().scalars(select(OrderLine.id)))
    assert len(db.session().scalars(select(RecallRelease.id)).all()) == placed
    assert db.session().scalars(select(StockHold.id)).all() == []
    assert trade.stock_of(lot) == (100_000, 0)


def test_without_the_guard_goods_stay_promised_from_a_recalled_lot(
        trade: Trade, database_url: str, data_dir: Path) -> None:
    product = trade.product("白菜")
    lot = trade.lot(product, 100)
    with servers.running(database_url, data_dir, "tests.faults.unguarded:create()", FAULTS="unguarded") as server:
        recall_amid(trade, lot, everybody_orders(trade, product, server))
    assert db.session().scalars(select(StockHold.id)).all() != []


def test_a_box_packed_at_the_moment_of_a_recall_is_refused_or_listed(
        trade: Trade, database_url: str, data_dir: Path) -> None:
    product = trade.product("白菜")
    lot = trade.lot(product, 100)
    orders = [trade.orders(trade.place({product: 1_000}))[0].id for _ in range(PACKED)]
    lines = {order: trade.lines(order)[0].id for order in orders}
    headers = trade.world.api_headers("clerk.zhang")
    db.session().rollback()
    with servers.running(database_url, data_dir, "wsgi:app") as server:
        answers = recall_amid(trade, lot, lambda: at_once(PACKED, lambda number: server.ask(
            "POST", f"/api/v1/orders/{orders[number]}/shipment",
            {"lines": [{"line_id": lines[orders[number]], "lot_id": lot, "packed_milli": 1_000}]},
            {**headers, "Idempotency-Key": f"box-{number}"})))
    shipped = set(db.session().scalars(select(Shipment.order_id)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert len(shipped) == sum(answer.status == 201 for answer in answers)
    found = db.session().scalars(select(recall.Recall.id)).one()
    assert {row.order_id for row in reach.reached(found)} == shipped
    assert {row.order_id for row in reach.still_to_fill(found)} == set(orders) - shipped
    assert db.session().scalars(select(StockHold.id)).all() == []
