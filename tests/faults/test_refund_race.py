"""Two persons ask for the same money at the same moment: one of them gets a no, on both databases."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from market import clock, db, serving
from orders.models import Refund
from tests import servers
from tests.faults.refund_asker import REFUSED
from tests.services.test_refunds import delivered
from tests.trade import Trade
from tests.world import NOON

OVER_FEN = 350
PEOPLE = ("clerk.zhang", "chair.shi", "clerk.zhang")

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def paid_too_much(trade: Trade) -> int:
    order = delivered(trade)
    trade.pay(order, 2_000 + OVER_FEN)
    db.session().rollback()
    return order


def ask_at_once(url: str, folder: Path, order: int, *how: str, **more: str) -> list[int]:
    """Several people ask for all of it; how each ended."""
    start = folder / "start"
    start.unlink(missing_ok=True)
    around = servers.environment(url, folder, START=str(start), **more)
    running = [subprocess.Popen([sys.executable, "-m", "tests.faults.refund_asker", who, str(order), str(OVER_FEN),
                                 *how], cwd=serving.ROOT, env=around, stdout=subprocess.PIPE, text=True)
               for who in PEOPLE]
    for person in running:
        assert person.stdout is not None
        assert any(line == "ready\n" for line in person.stdout)
    start.touch()
    for person in running:
        person.communicate(timeout=120)
    return sorted(person.returncode for person in running)


def asked_fen() -> int:
    with db.snapshot() as session:
        return session.scalar(select(func.coalesce(func.sum(Refund.amount_fen), 0))) or 0


def test_what_is_owed_is_asked_for_once(trade: Trade, database_url: str, data_dir: Path) -> None:
    order = paid_too_much(trade)
    assert ask_at_once(database_url, data_dir, order) == [0, REFUSED, REFUSED]
    assert asked_fen() == OVER_FEN


def test_without_the_lock_the_same_money_is_asked_for_twice(
        trade: Trade, database_url: str, data_dir: Path) -> None:
    order = paid_too_much(trade)
    ask_at_once(database_url, data_dir, order, "unlocked", FAULTS="unlocked")
    assert asked_fen() > OVER_FEN
