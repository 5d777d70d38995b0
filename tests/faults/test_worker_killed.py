"""The worker is shot in the middle of its work, again and again; every message still tells once, none is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from market import clock, db, outbox, sealing, serving
from market.ledger import LedgerTransfer
from market.notices import Notice
from market.outbox import OutboxMessage
from tests import servers
from tests.trade import Trade
from tests.world import World

pytestmark = pytest.mark.slow

MESSAGES, SHOTS = 60, 2
COMMAND = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]


def test_killed_workers_lose_nothing_and_tell_nothing_twice(
        app: Flask, world: World, database_url: str, data_dir: Path) -> None:
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage, kg=500)
    orders = [trade.orders(trade.place({cabbage: 1_000}))[0] for _ in range(MESSAGES)]
    trade.ship(orders[0].id)
    trade.accept(orders[0].id)
    db.session().rollback()
    for shot in range(1, SHOTS + 1):
        worker = start(database_url, data_dir)
        wait_until(lambda least=shot * MESSAGES // (SHOTS + 2): told() >= least)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        end_leases()
    pair = [start(database_url, data_dir) for _ in range(2)]
    try:
        wait_until(lambda: waiting() == 0 and unsealed() == 0)
    finally:
        for worker in pair:
            servers.end(worker)
    assert told() == MESSAGES + 1
    ends = {worker.returncode for worker in pair}
    assert 0 in ends
    assert ends <= {0, -signal.SIGTERM}  # one of the two may have been asked to end before it had begun
    assert sealing.seal_all() == 0


def start(url: str, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(COMMAND, cwd=serving.ROOT, env=servers.environment(url, folder),
                            stdout=subprocess.DEVNULL)


def end_leases() -> None:
    """As if the minutes had passed after which a dead worker's message is due again."""
    with db.transaction() as session:
        session.execute(update(OutboxMessage)
                        .where(OutboxMessage.done_at.is_(None), OutboxMessage.attempts > 0)
                        .values(due_at=clock.now() - outbox.LEASE))


def told() -> int:
    return counted(select(func.count()).select_from(Notice))


def waiting() -> int:
    return counted(select(func.count()).where(OutboxMessage.done_at.is_(None)))


def unsealed() -> int:
    return counted(select(func.count()).where(LedgerTransfer.block_no.is_(None)))


def counted(query) -> int:
    with db.snapshot() as session:
        return session.scalar(query) or 0


def wait_until(is_so, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "the worker did not get there in time"
        time.sleep(0.01)
