"""Reports as files: asked for once, made in order, kept for seven days, theirs alone; long ones in steady memory."""

import csv
import io
import os
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import func, select

from market import clock, db, faults, long_work, serving, sheets
from market.errors import InvalidInput, NotFound
from market.journal import JournalEntry
from market.notices import Notice
from orders.exports import asking, jobs, making
from orders.exports.models import ExportFile
from orders.reports import frame, village_income
from orders.reports.frame import Asked
from orders.reports.readers import PUBLIC, WHOLE
from orders.reports.routes import REPORTS
from tests import long_reports
from tests.trade import Trade
from tests.world import NOON, World

OCTOBER = Asked("2026-10", "2026-10")
SEPTEMBER = Asked("2026-09", "2026-09")
VILLAGES = "village-income"


class Died(Exception):
    """Stands for a worker's death."""


@pytest.fixture(autouse=True)
def _long_report(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    app.extensions["sijin_demo"] = lambda: False
    monkeypatch.setitem(REPORTS, long_reports.REPORT.name, long_reports.REPORT)
    monkeypatch.setattr(making, "EVERY", 1000)


def ask(world: World, login: str = "auditor.wei", name: str = VILLAGES, asked: Asked = OCTOBER, kind: str = "csv",
        language: str = "zh") -> int:
    with db.transaction():
        return asking.ask(name, "", asked, kind, language, world.person(login))


def row_of(number: int) -> ExportFile:
    db.session().rollback()
    return db.session().get_one(ExportFile, number, populate_existing=True)


def content_of(number: int) -> bytes:
    return (jobs.folder() / (row_of(number).file_name or "")).read_bytes()


def dying_at(monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    def die(name: str) -> None:
        if name == point:
            raise Died(point)

    monkeypatch.setattr(faults, "point", die)


def test_a_second_click_joins_and_the_file_is_what_the_page_downloads(app: Flask, world: World, trade: Trade) -> None:
    with clock.at(NOON):
        order = trade.cabbage()
        trade.ship(order.id)
        trade.accept(order.id)
        numbers = [ask(world, kind=kind) for kind in ("csv", "xlsx", "csv", "xlsx")]
        assert numbers[:2] == numbers[2:] and len({*numbers, ask(world, language="en"), ask(world, "audit.qi")}) == 4
        while jobs.make_next():
            pass
        filled = frame.fill(village_income.REPORT, OCTOBER, WHOLE, False)
        assert content_of(numbers[0]) == sheets.write_csv(frame.as_table(filled))
        book = openpyxl.load_workbook(io.BytesIO(content_of(numbers[1])))
        page = openpyxl.load_workbook(io.BytesIO(sheets.write_xlsx(frame.as_table(filled))))
        assert [[c.value for c in r] for r in book.active.iter_rows()] == [
            [c.value for c in r] for r in page.active.iter_rows()]
        english = db.session().scalars(select(asking.FILES.c.id).where(asking.FILES.c.language == "en")).one()
        assert b'"Village"' in content_of(english)
        assert ask(world) not in numbers  # what is finished is not joined: the site may have gone on
        told = db.session().scalars(select(Notice.thing_id).where(Notice.kind == asking.READY)).all()
        assert set(numbers) <= set(told)


def test_a_report_of_many_rows_is_read_one_by_one(app: Flask, world: World) -> None:
    with clock.at(NOON):
        number = ask(world, name=long_reports.REPORT.name)
        jobs.make_next()
        found = list(csv.reader(io.StringIO(content_of(number).decode("utf-8-sig"))))
        rows = row_of(number).whole
        numbers = [int(line[2]) for line in found[1:rows + 1]]
        assert numbers == sorted(numbers) and found[rows + 1][0] == "合计" and int(found[rows + 1][2]) == sum(numbers)


def test_who_may_not_read_a_report_cannot_have_it_made(app: Flask, world: World) -> None:
    with clock.at(NOON):
        for login, name, asked, refusal in (
                ("cook.chen", long_reports.REPORT.name, OCTOBER, NotFound), ("cook.chen", VILLAGES, OCTOBER, Exception),
                ("official.hua", VILLAGES, Asked("2026-10", "2026-10", county="431128000000"), NotFound),
                ("official.jin", VILLAGES, Asked("2026-10", "2026-09"), InvalidInput),
                ("official.jin", "nothing", OCTOBER, NotFound)):
            with pytest.raises(refusal):
                ask(world, login, name, asked)
        assert db.session().scalar(select(func.count()).select_from(ExportFile)) == 0
        public = ask(world, "cook.chen", asked=SEPTEMBER)
        jobs.make_next()
        shown = frame.fill(village_income.REPORT, SEPTEMBER, PUBLIC, False)
        assert content_of(public) == sheets.write_csv(frame.as_table(shown))


def test_one_person_does_not_fill_the_queue(app: Flask, world: World) -> None:
    with clock.at(NOON):
        months = [Asked(f"2026-0{n}", f"2026-0{n}") for n in range(1, 7)]
        first = [ask(world, asked=month) for month in months[:5]]
        with pytest.raises(asking.TooManyWaiting):
            ask(world, asked=months[5])
        assert ask(world, asked=months[0]) == first[0] and ask(world, "audit.qi", asked=months[5])
        with db.transaction():
            asking.cancel(first[1], world.person("auditor.wei"))
        assert row_of(first[1]).state == "cancelled" and ask(world, asked=months[5])
        with pytest.raises(NotFound), db.transaction():
            asking.cancel(first[2], world.person("audit.qi"))
        assert row_of(first[2]).state == "queued"


def test_cancelled_while_it_is_made_nothing_stays(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(NOON):
        number = ask(world, name=long_reports.REPORT.name)

        def cancel(name: str) -> None:
            if name == "export_writing":
                with app.app_context(), db.transaction():
                    asking.cancel(number, world.person("auditor.wei"))

        monkeypatch.setattr(faults, "point", cancel)
        assert jobs.make_next()
        assert row_of(number).state == "cancelled" and list(jobs.folder().iterdir()) == []


def test_the_moment_stays_where_nothing_has_changed_and_only_there(app: Flask, world: World,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(NOON):
        number = ask(world, name=long_reports.REPORT.name)
    for minutes, moment in ((0, 0), (5, 0), (10, 10)):
        with clock.at(NOON + timedelta(minutes=minutes)), monkeypatch.context() as patched:
            dying_at(patched, "export_reading")
            with pytest.raises(Died):
                jobs.make_next()
        assert row_of(number).made_at == NOON + timedelta(minutes=moment)
        if minutes == 5:
            ask(world, "audit.qi")  # written down in the journal: the site is not what it was
    with clock.at(NOON + timedelta(minutes=15)):
        jobs.make_next()
        assert row_of(number).state == "failed" and "几次" in (row_of(number).why or "")
        assert not list(jobs.folder().glob(f"{number}.*"))


def test_a_file_that_was_not_told_of_is_not_offered_and_is_swept(app: Flask, world: World,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(NOON):
        number = ask(world)
        with monkeypatch.context() as patched, pytest.raises(Died):
            dying_at(patched, "export_before_offer")
            jobs.make_next()
        with pytest.raises(NotFound), db.transaction():
            asking.fetch(number, world.person("auditor.wei"))
    for path in jobs.folder().iterdir():
        os.utime(path, (0, 0))
    with clock.at(NOON + timedelta(minutes=61)):
        jobs.follow_hours()
        assert [path.name for path in jobs.folder().iterdir()] == [f"{number}.read"]  # its rows wait for the next
        jobs.make_next()
        assert len(list(jobs.folder().iterdir())) == 1 and row_of(number).state == "done"


def test_a_maker_that_was_thought_dead_changes_nothing(app: Flask, world: World) -> None:
    with clock.at(NOON):
        number = ask(world)
        with db.transaction():
            slow = long_work.take(ExportFile)
    assert slow is not None
    with clock.at(NOON + timedelta(minutes=4)):
        jobs.make_next()
        kept = content_of(number)
        with pytest.raises(long_work.Overtaken), db.transaction():
            long_work.change(slow, done=1)
        with pytest.raises(long_work.Overtaken), db.transaction():
            asking.fail(slow, "late")
        with pytest.raises(long_work.Overtaken):
            jobs._make(slow)
    assert row_of(number).state == "done" and content_of(number) == kept
    assert [path.name for path in jobs.folder().iterdir()] == [row_of(number).file_name]


def test_it_is_kept_for_seven_days_for_its_owner_alone(app: Flask, world: World) -> None:
    with clock.at(NOON):
        number = ask(world)
        jobs.make_next()
        path = jobs.folder() / (row_of(number).file_name or "")
        for login in ("audit.qi", "official.jin"):
            with pytest.raises(NotFound), db.transaction():
                asking.fetch(number, world.person(login))
        with db.transaction():
            asking.fetch(number, world.person("auditor.wei"))
        assert db.session().scalars(select(JournalEntry.details).where(JournalEntry.action == asking.FETCHED)).all() \
            == [{"sha256": row_of(number).sha256}]
    with clock.at(NOON + timedelta(days=7) - timedelta(minutes=1)):
        jobs.follow_hours()
        assert path.is_file()
    with clock.at(NOON + timedelta(days=7)):
        with pytest.raises(NotFound), db.transaction():
            asking.fetch(number, world.person("auditor.wei"))
        jobs.follow_hours()
    assert row_of(number).state == "expired" and not path.exists()


def test_a_snapshot_is_not_open_for_ever(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(NOON):
        number = ask(world, name=long_reports.REPORT.name)
        monkeypatch.setattr(making, "LONGEST", timedelta(seconds=-60))
        jobs.make_next()
    assert row_of(number).state == "failed" and row_of(number).file_name is None


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["xlsx"])
def test_fifty_thousand_rows_take_no_more_memory_than_a_few(app: Flask, kind: str) -> None:
    """Highest resident memory of a process that writes them, above that of one that writes a hundred."""
    def highest(rows: int) -> Any:
        return int(subprocess.run([sys.executable, "-m", "tests.long_file", kind, str(rows)], cwd=serving.ROOT,
                                  capture_output=True, check=True, timeout=120).stdout.split()[0])

    began = time.monotonic()
    more = highest(50_000) - highest(100)
    assert more < 20_000, f"{more} KB"  # 60 MB would be allowed
    assert time.monotonic() - began < 100
