"""The worker is killed while it makes a package: nothing half made is offered, and the next one's is whole."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from market import clock, db, sealing, serving
from orders.evidence import asking, jobs
from orders.evidence.models import EvidencePackage
from orders.reports.readers import WHOLE, find_place
from tests import servers
from tests.services.test_evidence import verified
from tests.trade import Trade
from tests.world import NOON, World

pytestmark = pytest.mark.slow


def make(url: str, folder: Path, minutes: int, point: str = "") -> int:
    db.session().rollback()
    more = {"FAULTS": point} if point else {}
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.evidence_maker", str(minutes)], cwd=serving.ROOT,
        env=servers.environment(url, folder, **more), timeout=120, check=False).returncode


def test_a_package_is_whole_or_absent(
        app: Flask, world: World, trade: Trade, database_url: str, data_dir: Path) -> None:
    with clock.at(NOON):
        order = trade.cabbage()
        trade.ship(order.id)
        trade.accept(order.id)
        sealing.seal_all()
        with db.transaction():
            asked = asking.ask_for_village(
                find_place(WHOLE, str(world.villages["greens_home"]), "village"), 2026, False,
                world.person("auditor.wei"))
    for minutes, point in ((0, "evidence_told"), (5, "evidence_before_offer")):
        assert make(database_url, data_dir, minutes, point) == -signal.SIGKILL
        row = db.session().get_one(EvidencePackage, asked, populate_existing=True)
        assert (row.state, row.file_name) == ("making", None)
        assert not list(jobs.folder().glob("*.zip"))
    assert make(database_url, data_dir, 10) == 0
    db.session().rollback()
    row = db.session().get_one(EvidencePackage, asked, populate_existing=True)
    path = jobs.folder() / (row.file_name or "")
    assert (row.state, row.tries) == ("done", 3)
    assert verified(path, "--expect", row.manifest_sha256 or "", "--expect-zip", row.zip_sha256 or "")[0] == 0
