"""The commands a newcomer starts with, on an empty database: migrate, load the demo world, audit, list people."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import databases, servers

pytestmark = pytest.mark.slow


def test_the_demo_world_trades_for_a_year_and_its_books_balance(backend: str, worker_id: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'sijin.db'}"
    if backend == "postgresql":
        postgres, name = os.environ["SIJIN_TEST_POSTGRES"], f"sijin_demo_{worker_id}"
        databases.run_on(postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
        url = databases.on_database(postgres, name)
    variables = servers.environment(url, tmp_path)
    command(variables, "db", "upgrade")
    command(variables, "demo", "load", "--orders", "24", "--today", "2026-11-20")
    assert "agrees" in command(variables, "ledger", "check")
    people = json.loads(command(variables, "demo", "users", "--json"))
    assert {"cook.chen", "auditor.city"} <= {person["login"] for person in people}
    assert "nothing was loaded" in command(variables, "demo", "load", "--if-empty")
    command(variables, "report", "village-income", "--period", "2026-10", "--format", "csv", "--output",
            str(tmp_path / "report.csv"))
    assert "演示数据" in (tmp_path / "report.csv").read_text(encoding="utf-8-sig")


def command(variables: dict[str, str], *words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", *words], env=variables, capture_output=True,
                          text=True, check=False, timeout=150, cwd=Path(__file__).parent.parent.parent)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
