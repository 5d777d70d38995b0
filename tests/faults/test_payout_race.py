"""Several hands on the same dues at once: nobody is paid more than is owed; a killed yes is whole or absent."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from market import audit, clock, db, serving
from orders.models import PayoutLine
from orders.payouts.models import RESERVING, PayoutRunLine
from tests import servers
from tests.faults.payout_hand import REFUSED
from tests.services.test_payout_runs import approved, earned, lines, paid
from tests.trade import Trade
from tests.world import NOON, World

OWED_FEN = 2_520
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def at_once(url: str, folder: Path, step: str, people: tuple[str, ...], run: int, *how: str, **more: str) -> list[int]:
    """Several people do the same; how each ended."""
    db.session().rollback()
    start = folder / "start"
    start.unlink(missing_ok=True)
    around = servers.environment(url, folder, START=str(start), **more)
    hands = [subprocess.Popen([sys.executable, "-m", "tests.faults.payout_hand", step, who, str(run), *how],
                              cwd=serving.ROOT, env=around, stdout=subprocess.PIPE, text=True) for who in people]
    for hand in hands:
        assert hand.stdout is not None
        assert any(line == "ready\n" for line in hand.stdout)
    start.touch()
    for hand in hands:
        hand.communicate(timeout=120)
    return sorted(hand.returncode for hand in hands)


def in_runs() -> int:
    with db.snapshot() as session:
        return session.scalar(select(func.coalesce(func.sum(PayoutRunLine.amount_fen), 0)).where(
            PayoutRunLine.state.in_(RESERVING))) or 0


def booked() -> int:
    with db.snapshot() as session:
        return session.scalar(select(func.coalesce(func.sum(PayoutLine.amount_fen), 0))) or 0


CLERKS = ("clerk.zhang", "chair.shi", "clerk.zhang")


def test_two_clerks_build_from_the_same_dues(trade: Trade, database_url: str, data_dir: Path) -> None:
    earned(trade)
    assert at_once(database_url, data_dir, "build", CLERKS, 0) == [0, REFUSED, REFUSED]
    assert in_runs() == OWED_FEN


def test_without_the_lock_the_same_dues_stand_in_several_runs(
        trade: Trade, database_url: str, data_dir: Path) -> None:
    earned(trade)
    at_once(database_url, data_dir, "build", CLERKS, 0, "unlocked", FAULTS="unlocked")
    assert in_runs() > OWED_FEN


def test_one_confirmation_twice_books_once(world: World, trade: Trade, database_url: str, data_dir: Path) -> None:
    earned(trade)
    run = approved(world)
    paid(world, trade, run)
    people = ("village.cao",) * 3
    assert at_once(database_url, data_dir, "confirm", people, run) == [0, REFUSED, REFUSED]
    assert (booked(), audit.check()) == (OWED_FEN, [])


def test_without_the_lock_it_is_booked_several_times(
        world: World, trade: Trade, database_url: str, data_dir: Path) -> None:
    earned(trade)
    run = approved(world)
    paid(world, trade, run)
    at_once(database_url, data_dir, "confirm", ("village.cao",) * 3, run, "unlocked", FAULTS="unlocked")
    assert booked() > OWED_FEN


def test_a_confirmation_killed_half_way_is_absent_and_then_whole(
        world: World, trade: Trade, database_url: str, data_dir: Path) -> None:
    earned(trade)
    run = approved(world)
    paid(world, trade, run)
    ended = at_once(database_url, data_dir, "confirm", ("village.cao",), run, FAULTS="run_confirmed_half")
    assert ended == [-9]
    assert (booked(), {line.state for line in lines(run)}, audit.check()) == (0, {"paid"}, [])
    assert at_once(database_url, data_dir, "confirm", ("village.cao",), run) == [0]
    assert (booked(), {line.state for line in lines(run)}, audit.check()) == (OWED_FEN, {"confirmed"}, [])
