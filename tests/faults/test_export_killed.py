"""The worker is killed while it makes a file: nothing half made is offered, and the next one gives the same bytes."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import clock, db, serving
from market.places import Division
from orders.exports import asking, jobs
from orders.exports.models import ExportFile
from orders.reports.frame import Asked
from orders.reports.routes import REPORTS
from tests import long_reports, servers
from tests.world import NOON, World

pytestmark = pytest.mark.slow
OCTOBER = Asked("2026-10", "2026-10")


@pytest.fixture(autouse=True)
def _long_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REPORTS, long_reports.REPORT.name, long_reports.REPORT)


def make(url: str, folder: Path, minutes: int, point: str = "") -> int:
    db.session().rollback()
    more = {"FAULTS": point} if point else {}
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.export_maker", str(minutes)], cwd=serving.ROOT,
        env=servers.environment(url, folder, **more), timeout=120, check=False).returncode


def ask(world: World, login: str, kind: str) -> int:
    with clock.at(NOON), db.transaction():
        return asking.ask(long_reports.REPORT.name, "", OCTOBER, kind, "zh", world.person(login))


def file_of(number: int) -> ExportFile:
    db.session().rollback()
    return db.session().get_one(ExportFile, number, populate_existing=True)


def content_of(number: int) -> bytes:
    row = file_of(number)
    assert row.state == "done" and row.file_name is not None
    return (jobs.folder() / row.file_name).read_bytes()


def test_a_killed_worker_leaves_nothing_and_the_next_gives_the_same_bytes(
        app: Flask, world: World, database_url: str, data_dir: Path) -> None:
    undisturbed = ask(world, "auditor.wei", "xlsx")
    with clock.at(NOON):
        assert jobs.make_next()
    killed, later = ask(world, "official.jin", "xlsx"), ask(world, "official.jin", "csv")
    for minutes, point in ((0, "export_reading"), (5, "export_writing")):
        assert make(database_url, data_dir, minutes, point) == -signal.SIGKILL
        row = file_of(killed)
        assert (row.state, row.file_name, row.made_at, file_of(later).state) == ("making", None, NOON, "queued")
        assert [path.name for path in jobs.folder().glob("*.xlsx")] == [file_of(undisturbed).file_name]
        assert len(list(jobs.folder().glob("*.part"))) == 1
    with db.transaction() as session:  # the rows are read: this comes too late for the one, not for the other
        session.get_one(Division, world.villages["pomelo_home"]).path = "改了名"
    with clock.at(NOON + timedelta(minutes=10)):
        while jobs.make_next():
            pass
    assert content_of(killed) == content_of(undisturbed)
    rows = db.session().scalar(select(func.count()).select_from(Division)) or 0
    assert rows > 3000 and file_of(killed).whole == file_of(later).whole == rows
    for words in ("改了名", "2026-10-12 12:10"):
        assert words.encode() in content_of(later)
    assert sorted(path.suffix for path in jobs.folder().iterdir()) == [".csv", ".xlsx", ".xlsx"]
