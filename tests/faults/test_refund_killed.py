"""A process is killed at every fault point of a refund: afterwards it is whole or absent, and a retry is one."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from market import clock, db, serving
from orders.paying import refund_jobs
from tests import servers
from tests.faults.refund_worker import OVER_FEN
from tests.services.test_card_refunds import asked_and_confirmed, both_books_agree, pay_by_card
from tests.services.test_refunds import ask, delivered, everything_agrees, refund_rows, state
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, NOON

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def noon(stand_in: StandIn) -> Iterator[None]:
    with clock.at(NOON):
        yield


class Steps:
    """Takes steps of refunds in processes that may fall."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def take(self, step: str, login: str, number: int, point: str = "") -> int:
        db.session().rollback()
        more = {"FAULTS": point} if point else {}
        return subprocess.run(
            [sys.executable, "-m", "tests.faults.refund_worker", step, login, str(number)], cwd=serving.ROOT,
            env=servers.environment(self.url, self.folder, **more), timeout=120, check=False).returncode


@pytest.fixture
def steps(database_url: str, data_dir: Path) -> Steps:
    return Steps(database_url, data_dir)


def test_asked_and_confirmed_wholly_or_not_at_all(trade: Trade, steps: Steps) -> None:
    order = delivered(trade)
    trade.pay(order, 2_000 + OVER_FEN)
    assert steps.take("ask", "clerk.zhang", order, "refund_asked") == -signal.SIGKILL
    assert refund_rows() == []
    asked = ask(trade, order, OVER_FEN)
    for point in ("refund_booked", "refund_confirmed"):
        assert steps.take("confirm", "chair.shi", asked, point) == -signal.SIGKILL
        assert (refund_rows()[0].state, state(order).refunded_fen) == ("asked", 0)
        everything_agrees()
    assert steps.take("confirm", "chair.shi", asked) == 0
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("done", OVER_FEN)
    everything_agrees()


@pytest.mark.parametrize(("point", "given"), [
    ("refund_before_call", 0), ("refund_after_call", 1), ("refund_booked", 1)])
def test_a_worker_that_falls_gives_back_once(
        trade: Trade, steps: Steps, stand_in: StandIn, point: str, given: int) -> None:
    account, order = stand_in.account(GREENS), delivered(trade)
    payment = pay_by_card(stand_in, account, order, 2_000 + OVER_FEN)
    asked_and_confirmed(trade, order, payment, OVER_FEN)
    assert steps.take("follow", "chair.shi", 0, point) == -signal.SIGKILL
    assert (len(stand_in.refunds(account)), state(order).refunded_fen) == (given, 0)
    everything_agrees()
    db.session().rollback()
    refund_jobs.follow()
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("done", OVER_FEN)
    assert len(stand_in.refunds(account)) == 1
    both_books_agree(stand_in, account, payment)
