"""Several workers look for risk signals in one night: each signal and each case is there once."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from market import clock, db
from market.journal import JournalEntry
from orders.risk.models import RiskCase, RiskSignal
from tests.earnings import Earnings
from tests.faults.test_standing import compete
from tests.world import World

pytestmark = pytest.mark.slow

WORKERS, HOUSEHOLDS = 3, 6
MODULE = "tests.faults.risk_worker"


@pytest.fixture(autouse=True)
def unpaid(world: World) -> None:
    """Six households that nobody has paid for a quarter."""
    earnings = Earnings(world)
    for number in range(1, HOUSEHOLDS + 1):
        earnings.earn(world.household_id(f"DEMO-XT-000{number}"), clock.today() - timedelta(days=90), 800, paid=False)
    db.session().rollback()


def count(entity: type[db.Base]) -> int:
    with db.snapshot() as session:
        return session.scalar(select(func.count()).select_from(entity)) or 0


def test_workers_of_one_night_find_each_signal_once(database_url: str, data_dir: Path) -> None:
    assert compete(database_url, data_dir, *[[]] * WORKERS, module=MODULE) == [0] * WORKERS
    assert compete(database_url, data_dir, [], module=MODULE) == [0]
    assert (count(RiskSignal), count(RiskCase)) == (HOUSEHOLDS, HOUSEHOLDS)
    with db.snapshot() as session:
        opened = session.scalar(select(func.count()).where(JournalEntry.action == "risk.opened"))
    assert opened == HOUSEHOLDS


def test_without_the_key_the_same_workers_add_twice(database_url: str, data_dir: Path) -> None:
    compete(database_url, data_dir, *[["unkeyed"]] * WORKERS, module=MODULE, FAULTS="unkeyed")
    assert count(RiskSignal) > HOUSEHOLDS
