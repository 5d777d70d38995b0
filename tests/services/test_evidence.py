"""Packages of evidence: whole, provable to the fen, the same for nobody else; and samples that the system draws."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select, update

from catalog import lots
from market import clock, db, sealing
from market.files import StoredFile
from market.figures import Where
from market.journal import JournalEntry
from market.ledger import CANONICAL
from market.notices import Notice
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.evidence import asking, drawing, jobs, making, subjects, verify
from orders.evidence.index import SUMS
from orders.evidence.models import EvidencePackage, SampleDraw
from orders.income import checks, presence
from orders.reports.readers import WHOLE, find_place
from tests.trade import Trade
from tests.world import GREENS, NOON, World

VERIFIER = Path(verify.__file__)
YEAR = 2026


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


@pytest.fixture
def year(world: World, trade: Trade) -> list[str]:
    """A village's year: three orders, one short, one with a return; a wage, a collective share, a payout; sealed."""
    home = world.villages["greens_home"]
    trade.agree_collective(GREENS, home, 500)
    trade.wage(GREENS, trade.members(GREENS, home)[2], 30_000)
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 60)
    numbers = []
    for grams in (10_000, 9_500, 10_000):
        order = trade.orders(trade.place({cabbage: 10_000}))[0]
        trade.ship(order.id)
        trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=grams)])
        numbers.append(order.number)
        last = order.id
    with db.transaction():
        returns.take_back(last, {trade.lines(last)[0].id: 2_000}, "发黄", world.person("store.wang"),
                          world.person("chair.shi"))
    trade.pay(last - 2, 2_000)
    trade.pay_out(world.organisation_id(GREENS), home, "farm_gate", 500)
    sealing.seal_all()
    return sorted(numbers)


def greens(world: World, **named: Where) -> subjects.Subject:
    code = db.session().scalar(select(db.table(subjects.Division).c.code).where(
        subjects.Division.id == world.villages["greens_home"]))
    return subjects.of_village(find_place(WHOLE, code or "", "village"), YEAR, named.get("named"))


def make(subject: subjects.Subject, path: Path, app: Flask) -> making.Made:
    return making.make(subject, path, app.extensions["sijin"].files_dir, lambda _done, _whole: None)


def verified(path: Path, *options: str) -> tuple[int, str]:
    """The site's own verifier, without site packages and environment, on a package."""
    told = subprocess.run([sys.executable, "-I", "-S", str(VERIFIER), str(path), *options], capture_output=True,
                          text=True, encoding="utf-8", timeout=60, check=False)
    return told.returncode, told.stdout + told.stderr


def test_the_verifier_says_what_the_ledger_says() -> None:
    assert verify.FIELDS == CANONICAL
    kinds = {kind for _event, kind in sealing.FEEDS if kind}
    for (event, kind), feeds in sealing.FEEDS.items():
        paid = "collective_paid" if kind == "collective" else "households_paid"
        told = {(name.replace("KIND", str(kind)).replace("PAID", paid), measure, sign)
                for name, measure, sign in verify.FEEDS[event]}
        assert told == {(name, measure, sign) for name, measure, sign, _certified in feeds}, (event, kind)
        assert all(certified == (name == "certified_fen") for name, _measure, _sign, certified in feeds)
    assert {f"{kind}_fen" for kind in kinds - {"collective"}} == set(verify.HOUSEHOLD_KINDS)
    assert tuple(verify.ORDER_COLUMNS.values()) == SUMS


def test_a_package_opens_without_the_site_and_proves_every_figure(
        app: Flask, world: World, year: list[str], tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    made = make(greens(world), path, app)
    assert verified(path, "--expect", made.manifest_sha256, "--expect-zip", made.zip_sha256)[0] == 0
    folder = tmp_path / "opened"
    zipfile.ZipFile(path).extractall(folder)
    assert verified(folder, "--expect", made.manifest_sha256)[0] == 0
    own = subprocess.run([sys.executable, "-I", "-S", "verify.py"], cwd=folder, capture_output=True, check=False)
    assert own.returncode == 0, own.stdout
    assert sorted(p.name for p in (folder / "orders").iterdir()) == year
    assert all((folder / "orders" / number / "一单一档.pdf").read_bytes().startswith(b"%PDF") for number in year)
    figures = json.loads((folder / "figures.json").read_text())["total"]
    assert (figures["accepted_fen"], figures["returned_fen"], figures["farm_gate_fen"], figures["wage_fen"]) == (
        5_900, 400, 3_540 - 240, 30_000)
    book = load_workbook(folder / "index.xlsx", read_only=True)
    assert book.sheetnames[0].startswith("缺少")
    missing = [row[1] for row in book.worksheets[0].iter_rows(values_only=True)]
    assert "没有有效发票" in missing and "没有已签章的合同" in missing
