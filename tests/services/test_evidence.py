"""Packages of evidence: whole, provable to the fen, the same for nobody else; and samples that the system draws."""

import ast
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
from pypdf import PdfReader
from sqlalchemy import func, select, update

from market import clock, db, long_work, sealing
from market.errors import InvalidInput, NotFound
from market.figures import EVERYWHERE, Where
from market.files import StoredFile
from market.households import Household
from market.journal import JournalEntry
from market.ledger import CANONICAL
from market.notices import Notice
from market.places import Division
from market.village_months import FEEDS, VillageMonth
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.evidence import asking, drawing, facts, jobs, making, subjects, verify
from orders.evidence.index import SUMS
from orders.evidence.models import EvidencePackage, SampleDraw
from orders.income import checks, presence
from orders.reports.readers import WHOLE, Place, find_place
from tests.counting import count_statements
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
    code = db.session().scalar(select(Division.code).where(Division.id == world.villages["greens_home"]))
    return subjects.of_village(find_place(WHOLE, code or "", "village"), YEAR, named.get("named"))


def make(subject: subjects.Subject, path: Path, app: Flask) -> making.Made:
    return making.make(subject, path, app.extensions["sijin"].files_dir, lambda _done, _whole: None)


def verified(path: Path, *options: str) -> tuple[int, str]:
    """The site's own verifier, without site packages and environment, on a package."""
    told = subprocess.run([sys.executable, "-I", "-S", str(VERIFIER), str(path), *options], capture_output=True,
                          text=True, encoding="utf-8", timeout=60, check=False)
    return told.returncode, told.stdout + told.stderr


def test_the_verifier_says_what_the_ledger_says() -> None:
    ast.parse(VERIFIER.read_text(encoding="utf-8"), feature_version=(3, 8))
    assert verify.FIELDS == CANONICAL
    kinds = {kind for _event, kind in FEEDS if kind}
    for (event, kind), feeds in FEEDS.items():
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
    text = PdfReader(folder / "orders" / year[0] / "一单一档.pdf").pages[0].extract_text()
    assert year[0] in text and "缺少" in text


def test_no_name_of_a_household_is_in_a_package(
        app: Flask, world: World, trade: Trade, year: list[str], tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    make(greens(world, named=EVERYWHERE), path, app)
    names = set(db.session().scalars(select(Household.head_name)))
    with zipfile.ZipFile(path) as package:
        told = "".join(contents_of(name, package.read(name)) for name in package.namelist())
        assert "DEMO-XT-0001" in told
        assert not [name for name in names if name in told]


def contents_of(name: str, content: bytes) -> str:
    """The text of a file, also of a PDF and of a workbook's sheets."""
    if name.endswith(".pdf"):
        return name + "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    if name.endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return "".join(book.read(sheet).decode() for sheet in book.namelist())
    return name + content.decode("utf-8", "replace")


def test_one_changed_byte_anywhere_is_found_and_its_file_named(
        app: Flask, world: World, year: list[str], tmp_path: Path) -> None:
    path, folder = tmp_path / "package.zip", tmp_path / "opened"
    made = make(greens(world), path, app)
    zipfile.ZipFile(path).extractall(folder)
    names = [found.relative_to(folder).as_posix() for found in sorted(folder.rglob("*")) if found.is_file()]
    assert {"index.xlsx", "figures.json", "verify.py", "manifest.json", "ledger/blocks.jsonl",
            "ledger/transfers.jsonl"} < set(names)
    for name in names:
        whole = (folder / name).read_bytes()
        for at in {0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 2, len(whole) - 1}:
            (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            code, told = verified(folder, "--expect", made.manifest_sha256)
            assert code == 1 and name in told, (name, at, told)
        (folder / name).write_bytes(whole)
    assert verified(folder, "--expect", made.manifest_sha256)[0] == 0
    (folder / "added.txt").write_text("new")
    assert "added.txt" in verified(folder)[1]
    (folder / "added.txt").unlink()
    (folder / "figures.json").unlink()
    assert "figures.json" in verified(folder)[1]


def test_one_changed_byte_of_the_zip_is_found(app: Flask, world: World, year: list[str], tmp_path: Path) -> None:
    path, changed = tmp_path / "package.zip", tmp_path / "changed.zip"
    made = make(greens(world), path, app)
    whole = path.read_bytes()
    directory = whole.rindex(b"PK\x01\x02")
    for at in {0, 5, len(whole) // 2, directory, directory + 12, directory + 40, len(whole) - 22, len(whole) - 1}:
        changed.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        code, told = verified(changed, "--expect-zip", made.zip_sha256)
        assert code == 1 and "changed.zip" in told, (at, told)


def test_a_package_forged_whole_with_fresh_hashes_does_not_follow_from_the_ledger(
        app: Flask, world: World, year: list[str], tmp_path: Path) -> None:
    """Who changes a file and the manifest too is found by what the file says, and by the manifest's own hash."""
    path, folder = tmp_path / "package.zip", tmp_path / "opened"
    made = make(greens(world), path, app)
    zipfile.ZipFile(path).extractall(folder)
    for name, change in FORGED.items():
        before, manifest = (folder / name).read_bytes(), (folder / "manifest.json").read_bytes()
        after = change(before)
        assert after != before, name
        (folder / name).write_bytes(after)
        told = json.loads(manifest)
        told["files"][name] = {"sha256": hashlib.sha256(after).hexdigest(), "bytes": len(after)}
        (folder / "manifest.json").write_text(json.dumps(told))
        code, said = verified(folder)
        assert code == 1 and ("ledger/" in said or "figures.json" in said), (name, said)
        assert "manifest.json" in verified(folder, "--expect", made.manifest_sha256)[1]
        (folder / name).write_bytes(before)
        (folder / "manifest.json").write_bytes(manifest)


FORGED = {
    "figures.json": lambda text: text.replace(b'"accepted_fen": 5900', b'"accepted_fen": 5901', 1),
    "ledger/transfers.jsonl": lambda text: text.replace(b",2000,", b",2001,", 1),
    "ledger/blocks.jsonl": lambda text: b"\n".join(text.split(b"\n")[1:]),
}


def test_a_scan_is_copied_under_a_readable_name_and_a_changed_one_is_said_first(
        app: Flask, world: World, trade: Trade, year: list[str], tmp_path: Path) -> None:
    uploads = app.extensions["sijin"].files_dir
    uploads.mkdir(exist_ok=True)
    proofs = list(db.session().scalars(select(StoredFile).where(StoredFile.original_name == "签收单.jpg")
                                       .order_by(StoredFile.id)))
    for row in proofs:
        (uploads / row.name).write_bytes(b"a signed slip")
    with db.transaction() as session:
        session.execute(update(StoredFile).where(StoredFile.id.in_([row.id for row in proofs[1:]])).values(
            sha256=hashlib.sha256(b"a signed slip").hexdigest()))
    path = tmp_path / "package.zip"
    assert make(greens(world), path, app).scans == 0
    with zipfile.ZipFile(path) as package:
        assert not [name for name in package.namelist() if name.startswith("village/") and name.endswith(".webp")]
    made = make(greens(world, named=EVERYWHERE), path, app)
    assert made.scans > 0 and verified(path)[0] == 0
    with zipfile.ZipFile(path) as package:
        assert [name for name in package.namelist() if name.startswith("village/发放单")]
        package.extract("index.xlsx", tmp_path)
    first = load_workbook(tmp_path / "index.xlsx", read_only=True).worksheets[0]
    rows = list(first.iter_rows(min_row=6, values_only=True))
    assert rows[0][2] == "The stored scan is not the one that was uploaded"


def test_a_batch_costs_as_many_statements_for_three_orders_as_for_one(
        app: Flask, world: World, year: list[str]) -> None:
    subject, costs = greens(world), []
    for numbers in (year[:1], year):
        with db.snapshot(), count_statements(app) as counted:
            facts.read(numbers, subject)
        costs.append(len(counted))
    assert costs[0] == costs[1] < 30


# ---- requests and the worker ----------------------------------------------------------------------------------------


def ask(world: World, login: str = "auditor.wei", names: bool = False) -> int:
    by = world.person(login)
    with db.transaction():
        return asking.ask_for_village(greens_place(), YEAR, names, by)


def greens_place() -> Place:
    code = db.session().scalar(select(Division.code).join(VillageMonth, VillageMonth.village_id == Division.id))
    return find_place(WHOLE, code or "", "village")


def package_of(package_id: int) -> EvidencePackage:
    return db.session().get_one(EvidencePackage, package_id, populate_existing=True)


def test_a_second_request_joins_the_first_and_the_owner_alone_gets_the_file(
        app: Flask, world: World, year: list[str]) -> None:
    first = ask(world)
    assert ask(world) == first
    others = ask(world, "official.jin")
    assert others != first
    while jobs.make_next():
        pass
    row = package_of(first)
    assert (row.state, row.done, row.whole) == ("done", 3, 3)
    assert verified(jobs.folder() / (row.file_name or ""), "--expect", row.manifest_sha256 or "")[0] == 0
    told = db.session().scalars(select(Notice.details).where(Notice.kind == asking.READY)).first()
    assert told is not None and len(told["manifest"]) == 64
    ready = db.session().scalars(select(JournalEntry.details).where(
        JournalEntry.action == asking.READY, JournalEntry.thing_id == str(first))).one()
    assert ready["manifest"] == row.manifest_sha256
    with pytest.raises(NotFound), db.transaction():
        asking.fetch(first, world.person("official.jin"))
    with db.transaction():
        asking.fetch(first, world.person("auditor.wei"))
    fetched = db.session().scalars(select(JournalEntry.details).where(JournalEntry.action == asking.FETCHED)).all()
    assert [one["full_view"] for one in fetched] == [False]
    assert ask(world) != first  # that one is made; this one is new


def test_after_seven_days_a_package_is_gone(app: Flask, world: World, year: list[str]) -> None:
    first = ask(world)
    jobs.make_next()
    path = jobs.folder() / (package_of(first).file_name or "")
    jobs.follow_hours()
    assert path.is_file()
    with clock.at(NOON + timedelta(days=7)):
        with pytest.raises(NotFound), db.transaction():
            asking.fetch(first, world.person("auditor.wei"))
        jobs.follow_hours()
    assert package_of(first).state == "expired" and not path.exists()


def test_a_killed_maker_is_followed_by_another_whose_package_is_whole(
        app: Flask, world: World, year: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(_row: EvidencePackage, _done: int, _whole: int) -> None:
        raise Killed

    first = ask(world)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(jobs, "_tell", die)
        jobs.make_next()
    assert package_of(first).state == "making" and not jobs.make_next()  # it may be alive still
    with clock.at(NOON + timedelta(minutes=4)):
        assert jobs.make_next()
    row = package_of(first)
    assert row.state == "done" and verified(jobs.folder() / (row.file_name or ""))[0] == 0
    assert [path.name for path in jobs.folder().iterdir()] == [row.file_name]


def test_a_maker_that_was_thought_dead_changes_nothing(app: Flask, world: World, year: list[str]) -> None:
    first = ask(world)
    with db.transaction():
        slow = long_work.take(EvidencePackage)
    assert slow is not None
    with clock.at(NOON + timedelta(minutes=4)):
        with db.transaction():
            quick = long_work.take(EvidencePackage)
        assert quick is not None and quick.maker != slow.maker
        with pytest.raises(long_work.Overtaken), db.transaction():
            long_work.change(slow, done=1, whole=3)
        with pytest.raises(long_work.Overtaken), db.transaction():
            asking.fail(slow, "late")
    assert package_of(first).state == "making"


def test_scans_with_names_are_for_auditors_and_officials_alone(app: Flask, world: World, year: list[str]) -> None:
    for login, may in (("auditor.wei", True), ("official.jin", True), ("audit.qi", False)):
        row = package_of(ask(world, login, names=True))
        assert (row.with_names, asking.named_by(world.person(login), True) is not None) == (may, may)


# ---- samples --------------------------------------------------------------------------------------------------------


def test_a_draw_is_by_its_seed_alone_counted_and_drawn_again_by_the_verifier(
        app: Flask, world: World, year: list[str], tmp_path: Path) -> None:
    by = world.person("auditor.wei")
    with db.transaction():
        first = drawing.draw(YEAR, EVERYWHERE, "永州市", 2, by)
    with db.transaction():
        second = drawing.draw(YEAR, EVERYWHERE, "永州市", 200, by)
    assert (first.nth, second.nth, first.population, second.wanted) == (1, 2, 3, 3)
    assert first.seed != second.seed and sorted(second.numbers) == year
    assert drawing.ranked(first.seed, first.head_hash, reversed(year))[:2] == first.numbers
    path = tmp_path / "sample.zip"
    made = make(subjects.of_draw(first, None), path, app)
    assert made.orders == 2 and verified(path, "--expect", made.manifest_sha256)[0] == 0
    folder = tmp_path / "opened"
    zipfile.ZipFile(path).extractall(folder)
    assert {found.name for found in (folder / "orders").iterdir()} == set(first.numbers)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["draw"]["seed"] = second.seed[::-1]
    manifest["draw"]["numbers"] = drawing.ranked(second.seed, first.head_hash, year)[:2][::-1]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "sample/population.txt" in verified(folder)[1]
    drawn = db.session().scalars(select(JournalEntry.details).where(JournalEntry.action == drawing.DRAWN)).all()
    assert [(one["nth"], one["seed"]) for one in drawn] == [(1, first.seed), (2, second.seed)]


def test_nothing_is_drawn_where_nothing_was_eaten(app: Flask, world: World, year: list[str]) -> None:
    with pytest.raises(InvalidInput), db.transaction():
        drawing.draw(2025, EVERYWHERE, "永州市", 2, world.person("auditor.wei"))
    with pytest.raises(InvalidInput), db.transaction():
        drawing.draw(YEAR, Where(village_ids=(world.villages["pomelo_home"],)), "别的村", 2,
                     world.person("auditor.wei"))
    assert db.session().scalar(select(func.count()).select_from(SampleDraw)) == 0
