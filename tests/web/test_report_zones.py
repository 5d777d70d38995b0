"""Months begin at midnight in Shanghai, wherever the server stands: goods taken at 23:50 and at 00:10."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask

from market import clock, sealing
from orders.income import presence
from tests.trade import Trade
from tests.world import NOON, World

MIDNIGHT = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)  # the first moment of November in Shanghai
ZONES = ("UTC", "America/New_York", "Asia/Shanghai")
OCTOBER, NOVEMBER = "20.00", "30.00"
_seen: dict[str, dict[str, bytes]] = {}  # by database: what the reports said


@contextmanager
def server_in(zone: str) -> Iterator[None]:
    """The whole process, and on PostgreSQL the session, keeps this zone's time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def test_the_same_report_wherever_the_server_stands(app: Flask, world: World, backend: str) -> None:
    app.extensions.update(sijin_presence=presence.things_of, sijin_demo=lambda: False)
    trade = Trade(world)
    with clock.at(NOON):
        cabbage = trade.product("白菜", price_fen=200, minimum_milli=1_000)
        trade.lot(cabbage)
    for zone, minutes, kilos in (("America/New_York", -10, 10), ("UTC", 10, 15)):
        with server_in(zone), clock.at(MIDNIGHT + timedelta(minutes=minutes)):
            order = trade.orders(trade.place({cabbage: kilos * 1_000}))[0]
            trade.ship(order.id)
            trade.accept(order.id)
    browser = world.logged_in("official.jin")
    told = {}
    for sealed in (False, True):
        with clock.at(MIDNIGHT + timedelta(hours=1)):
            if sealed:
                sealing.seal_all()
            for zone in ZONES:
                with server_in(zone):
                    told[zone] = {path: body(browser, path) for path in paths()}
            assert told["UTC"] == told["America/New_York"] == told["Asia/Shanghai"]
        october, november = (told["UTC"][f"/reports/village-income.csv?period={month}"].decode()
                             for month in ("2026-10", "2026-11"))
        assert OCTOBER in october and NOVEMBER not in october and NOVEMBER in november and OCTOBER not in november
    _seen[backend] = {path: without_head(text) for path, text in told["UTC"].items()}
    assert len({str(sorted(found.items())) for found in _seen.values()}) == 1  # both databases, where both run here


def paths() -> list[str]:
    return [f"/reports/{name}{form}?period={month}" for month in ("2026-10", "2026-11")
            for name in ("village-income", "placed-by-month", "unit-progress", "reconciliation")
            for form in (".csv", ".json")]


def body(browser: Any, path: str) -> bytes:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return bytes(answer.data)


def without_head(text: bytes) -> bytes:
    """Of two databases: the head covers moments and random names that differ from one filling to the next."""
    return re.sub(rb"[0-9]+:[0-9a-f]{64}", b"", text)
