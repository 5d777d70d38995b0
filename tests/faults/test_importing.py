"""The worker behind imports: seen while it works, shot and taken up again, doubled and still written once."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from catalog.importing import jobs, runs
from catalog.importing.models import SheetImport
from catalog.models import Product, ProductChange, ProductPrice
from market import clock, db, serving
from market.journal import JournalEntry
from market.places import Division
from tests import servers, tables
from tests.counting import count_statements
from tests.faults.test_worker_killed import end_leases, start, wait_until
from tests.goods import shelves
from tests.tables import checked, confirm, csv_of, goods, sent, told, work, xlsx_of
from tests.world import NOON, World

ROWS = 5000
DESK = "/village/imports"


@pytest.fixture
def clerk(world: World) -> FlaskClient:
    shelves()
    return world.logged_in("clerk.zhang")


@pytest.fixture
def village(world: World) -> str:
    return db.session().scalars(
        select(Division.code).where(Division.id == world.villages["greens_home"])).one()


def rows_there(entity: type[db.Base] = Product) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def progress(import_id: int) -> tuple[str, int, int]:
    """As anybody else sees it, over a connection of its own."""
    table = db.table(SheetImport)
    with db.db.engine.connect() as apart:
        row = apart.execute(select(table.c.state, table.c.rows_done, table.c.rows_total)
                            .where(table.c.id == import_id)).one()
    return row.state, row.rows_done, row.rows_total


class Watcher:
    """Looks at the import from outside each time the worker is about to tell how far it is."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch, client: FlaskClient) -> None:
        self.app, self.client, self.seen, self.pages = app, client, list[tuple[str, int, int]](), list[str]()
        self.tell = runs.tell_progress
        monkeypatch.setattr(runs, "tell_progress", self)

    def __call__(self, work: runs.Work, done: int, of: int) -> None:
        self.seen.append(progress(work.id))
        if done == of // 2:
            visit = threading.Thread(target=self.visit, args=(work.id,))
            visit.start()
            visit.join()
        self.tell(work, done, of)

    def visit(self, import_id: int) -> None:
        with self.app.app_context():
            self.pages.append(self.client.get(f"{DESK}/{import_id}").text)

    def steps(self, state: str) -> list[int]:
        return [done for now, done, _of in self.seen if now == state]


@pytest.mark.parametrize("make", [xlsx_of, lambda rows: csv_of(rows, encoding="gb18030")], ids=["xlsx", "gb18030"])
def test_five_thousand_goods_come_in_and_are_watched(
        app: Flask, world: World, clerk: FlaskClient, village: str, make: Callable[..., bytes],
        monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(app, monkeypatch, clerk)
    began = time.perf_counter()
    one = checked(clerk, "products", make(goods(village, ROWS)))
    seen = time.perf_counter()
    assert (one.state, one.new_rows, one.faults) == ("ready", ROWS, 0)
    assert watcher.steps("checking")[2:] == list(range(250, ROWS, 250))
    confirm(clerk, one.id)
    work()
    ended = time.perf_counter()
    print(f"{db.dialect()}: checked in {seen - began:.1f} s, written in {ended - seen:.1f} s")  # noqa: T201
    assert watcher.steps("writing")[2:] == list(range(250, ROWS, 250))
    assert ["2250 / 5000" in page for page in watcher.pages] == [True, True]
    assert all('hx-trigger="every 1s"' in page and 'http-equiv="refresh"' in page for page in watcher.pages)
    assert told(one.id).state == "done"
    assert rows_there() == rows_there(ProductPrice) == rows_there(ProductChange) == ROWS


def test_a_shot_worker_is_followed_by_one_that_finishes(
        app: Flask, clerk: FlaskClient, village: str, database_url: str, data_dir: Path) -> None:
    import_id = sent(clerk, "products", csv_of(goods(village, 1000)))
    shoot(database_url, data_dir)
    assert progress(import_id) == ("checking", 500, 1000)
    work()
    assert told(import_id).state == "checking"  # still leased to the dead one
    end_leases()
    work()
    assert (told(import_id).state, told(import_id).new_rows, rows_there()) == ("ready", 1000, 0)
    confirm(clerk, import_id)
    shoot(database_url, data_dir)
    assert (progress(import_id), rows_there()) == (("writing", 500, 1000), 0)
    end_leases()
    work()
    assert (told(import_id).state, rows_there(), rows_there(ProductPrice)) == ("done", 1000, 1000)
    assert written() == 1


def shoot(url: str, folder: Path) -> None:
    ended = subprocess.run([sys.executable, "-m", "tests.faults.shot", "500"], cwd=serving.ROOT, check=False,
                           env=servers.environment(url, folder), stdout=subprocess.DEVNULL)
    assert ended.returncode == -signal.SIGKILL


def written() -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).where(JournalEntry.action == "import.written")) or 0


@pytest.mark.slow
def test_two_workers_with_the_same_message_write_once(
        app: Flask, world: World, clerk: FlaskClient, village: str, database_url: str, data_dir: Path) -> None:
    one = checked(clerk, "products", csv_of(goods(village, ROWS)))
    confirm(clerk, one.id)
    with db.transaction() as session:  # as if a lease had ended while its worker was still at it
        outbox = db.Base.metadata.tables["outbox_message"]
        row = session.execute(select(outbox).where(outbox.c.kind == runs.WRITE)).mappings().one()
        session.execute(outbox.insert(), [{**row, "id": row["id"] + 1, "unique_key": None}])
    pair = [start(database_url, data_dir) for _ in range(2)]
    try:
        wait_until(lambda: progress(one.id)[0] == "done")
    finally:
        for worker in pair:
            servers.end(worker)
    assert (rows_there(), written()) == (ROWS, 1)


@pytest.fixture
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.mark.usefixtures("noon")
class TestOneAfterTheOther:
    """The same, step by step: no luck is needed."""

    @pytest.fixture
    def overtaken(self, clerk: FlaskClient, village: str, monkeypatch: pytest.MonkeyPatch) -> int:
        """A confirmed import, whose worker pauses after reading while another one does all of it."""
        one = checked(clerk, "products", csv_of(goods(village, 3)))
        confirm(clerk, one.id)
        read = jobs._read

        def pause(taken: runs.Work) -> object:
            found = read(taken)
            if taken.attempt == 2:
                jobs.write({"import_id": one.id})
            return found

        monkeypatch.setattr(jobs, "_read", pause)
        return int(one.id)

    def test_the_slow_worker_stops(self, overtaken: int) -> None:
        work()
        assert (told(overtaken).state, told(overtaken).attempt) == ("done", 3)
        assert (rows_there(), written()) == (3, 1)

    def test_without_the_claim_it_would_write_over_what_was_done_since(
            self, overtaken: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """The guard off: the slow worker reaches the goods, and only its last step finds that it was overtaken."""
        reached = []
        monkeypatch.setattr(runs, "claim", lambda taken: reached.append(taken.attempt))
        work()
        assert reached == [3, 2]

    def test_a_cancelled_import_is_not_finished(self, clerk: FlaskClient, village: str,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
        import_id = sent(clerk, "products", csv_of(goods(village, 600)))
        tell = runs.tell_progress

        def cancel_halfway(taken: runs.Work, done: int, of: int) -> None:
            if done == 250:
                db.session().execute(db.table(SheetImport).update().values(state="cancelled"))
            tell(taken, done, of)

        monkeypatch.setattr(runs, "tell_progress", cancel_halfway)
        work()
        assert rows_there() == 0
        assert told(import_id).checked_at is None

    def test_writing_costs_as_many_statements_for_many_rows(
            self, app: Flask, clerk: FlaskClient, village: str) -> None:
        costs = []
        for size in (10, 40, 400):
            one = checked(clerk, "products", csv_of(goods(village, size, aliases=f"{size}", description="neu")))
            confirm(clerk, one.id)
            with count_statements(app) as statements:
                work()
            assert told(one.id).state == "done"
            costs.append(len(statements))
        assert costs[2] - costs[1] <= 8  # two more tellings of progress, more rows in one insert

    def test_a_broken_import_is_given_up(self, clerk: FlaskClient, village: str,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
        import_id = sent(clerk, "products", csv_of(goods(village)))

        def breaks(_taken: runs.Work) -> object:
            raise ZeroDivisionError

        monkeypatch.setattr(jobs, "_read", breaks)
        for _ in range(runs.MOST_ATTEMPTS + 1):
            end_leases()
            work()
        assert told(import_id).state == "refused"
        assert "出了问题" in clerk.get(f"{DESK}/{import_id}").text
        assert tables.faults(import_id) == []
