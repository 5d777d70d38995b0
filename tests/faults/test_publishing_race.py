"""Four hands publish one notice at once: it is published once, under one number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from market import clock, db, journal
from orders.bulletins import drafting
from tests.faults.publishing_arena import HANDS
from tests.services.test_bulletins import NEXT_MONDAY, opened
from tests.world import World

pytestmark = pytest.mark.slow


def published(world: World, database_url: str, data_dir: Path, guard: str) -> tuple[list[str], int, int]:
    """How the hands ended, the notice's number, how often it was published."""
    with clock.at(NEXT_MONDAY):
        one = opened(world)
    db.session().rollback()
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults.publishing_arena", database_url, str(data_dir), str(one), guard],
        capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    acts = [entry["action"] for entry in journal.timeline("bulletin", one)]
    return json.loads(run.stdout), drafting.found(one).number, acts.count("bulletin.published")


def test_one_of_four_publishes(world: World, database_url: str, data_dir: Path) -> None:
    ended, number, times = published(world, database_url, data_dir, "on")
    assert (ended.count("1/2026"), number, times) == (1, 1, 1), ended
    assert {*ended} <= {"1/2026", "bulletin_not_open", "bulletin_changed"}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_the_condition_all_four_do(world: World, database_url: str, data_dir: Path) -> None:
    ended, number, times = published(world, database_url, data_dir, "off")
    assert (number, times) == (HANDS, HANDS), ended
