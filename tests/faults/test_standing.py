"""A standing order runs exactly once per due day, however many workers compete and however often one is killed."""

import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from market import clock, db, serving
from orders.models import Order, Purchase
from orders.standing.models import StandingRun
from tests import servers
from tests.standing_plans import a_plan
from tests.trade import Trade
from tests.world import World

pytestmark = pytest.mark.slow

WORKERS, PLANS, DAYS, KG = 4, 2, 5, 10


@pytest.fixture
def lot(world: World) -> int:
    """Two plans that began a week ago, with five days ahead of them that are all due now."""
    trade = Trade(world)
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, kg=1_000)
    today = clock.today()
    with clock.at(clock.now() - timedelta(days=8)):
        for _plan in range(PLANS):
            a_plan(world, {cabbage: KG * 1_000}, weekdays=tuple(range(7)), days_ahead=DAYS, cut_off_hour=0,
                   first_day=today + timedelta(days=1))
    return lot


def test_each_due_day_is_ordered_once_by_competing_and_restarted_workers(
        world: World, lot: int, database_url: str, data_dir: Path) -> None:
    db.session().rollback()
    (shot,) = compete(database_url, data_dir, ["shot", "3"])
    assert shot == -signal.SIGKILL
    assert len(purchases()) == 2  # the third is gone with the worker, its day with it
    assert set(compete(database_url, data_dir, ["shot", "2"], *[[]] * (WORKERS - 1))) <= {0, -signal.SIGKILL}
    assert set(compete(database_url, data_dir, *[[]] * 2)) == {0}
    due = [clock.today() + timedelta(days=ahead) for ahead in range(1, DAYS + 1)]
    assert Counter(purchases()) == dict.fromkeys(due, PLANS)
    assert counted(StandingRun) == counted(Order) == PLANS * DAYS
    assert Trade(world).stock_of(lot) == (1_000_000, PLANS * DAYS * KG * 1_000)


def test_without_the_guards_the_same_workers_order_twice(
        world: World, lot: int, database_url: str, data_dir: Path) -> None:
    db.session().rollback()
    compete(database_url, data_dir, *[["unclaimed"]] * WORKERS, FAULTS="unclaimed")
    assert len(purchases()) > PLANS * DAYS
    assert max(Counter(purchases()).values()) > PLANS


def compete(url: str, folder: Path, *workers: list[str], module: str = "tests.faults.standing_worker",
            **more: str) -> list[int]:
    """Run workers that begin at the same moment; how each ended."""
    start = folder / "start"
    start.unlink(missing_ok=True)
    running = [subprocess.Popen([sys.executable, "-m", module, *said], cwd=serving.ROOT,
                                env=servers.environment(url, folder, START=str(start), **more),
                                stdout=subprocess.PIPE, text=True) for said in workers]
    for worker in running:
        assert worker.stdout is not None
        assert any(line == "ready\n" for line in worker.stdout)
    start.touch()
    for worker in running:
        worker.communicate(timeout=120)
    return [worker.returncode for worker in running]


def purchases() -> list[object]:
    """The days of delivery of all purchases."""
    with db.snapshot() as session:
        return list(session.scalars(select(Purchase.delivery_day).where(Purchase.source == "standing")))


def counted(table: type[db.Base]) -> int:
    with db.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
