"""A month is closed while four writers post and one reads: every read is right, no entry is in two months or none.

RACE_SECONDS sets how long at least (4; a soak runs 20), RACE_SEED repeats when whoever closes is killed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.closing_arena import AMOUNT_FEN

SECONDS = os.environ.get("RACE_SECONDS", "4")


def fought(database_url: str, data_dir: Path, guard: str) -> dict[str, Any]:
    seed = os.environ.get("RACE_SEED") or str(int.from_bytes(os.urandom(4)))
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults.closing_arena", database_url, str(data_dir), SECONDS, seed, guard],
        capture_output=True, text=True, timeout=120 + 2 * float(SECONDS), check=False)
    assert run.returncode == 0, run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen


def test_every_read_is_right_while_a_month_is_closed_and_whoever_closes_dies(
        database_url: str, data_dir: Path) -> None:
    seen = fought(database_url, data_dir, "on")
    assert seen["wrong"] == [], seen
    assert seen["problems"] == [], seen
    assert seen["differ"] == [], seen  # each closing filed what it renders to
    assert set(seen["at_the_end"]) == {seen["batches"] * AMOUNT_FEN}, seen
    assert seen["acts"] == list(range(1, len(seen["acts"]) + 1)), seen  # closed and reopened in turn: whole or absent
    assert seen["without_persons"] == 0, seen
    assert seen["enough"], seen["done"]  # and it was a race


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # on SQLite the write queue lets in one writer
def test_a_close_that_does_not_wait_for_the_sealer_files_what_is_not_so(database_url: str, data_dir: Path) -> None:
    """The twin: rows that a sealer is dating into the month just then are in the month, not in its filing."""
    seen = fought(database_url, data_dir, "off")
    assert seen["differ"], seen
    assert any("rendered again" in problem for problem in seen["problems"]), seen
