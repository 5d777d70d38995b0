"""Files of reports in the browser: ask, wait, fetch, cancel; what is not one's own answers like what is not there."""

import re

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import clock, db
from market.journal import JournalEntry
from orders.exports import asking, jobs, making
from orders.exports.models import ExportFile
from tests.web.forms import send
from tests.world import NOON, World

PAGE = "/reports/village-income?from=2026-09&to=2026-10"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # both: tests/services/test_exports.py


def files() -> int:
    return db.session().scalar(select(func.count()).select_from(ExportFile)) or 0


def test_an_auditor_asks_from_the_report_waits_and_fetches(app: Flask, world: World) -> None:
    with clock.at(NOON):
        auditor = world.logged_in("auditor.wei")
        action = re.search(r'action="(/reports/village-income/file[^"]*)"', auditor.get(PAGE).text)
        assert action is not None
        address = action[1].replace("&amp;", "&")
        answer = send(auditor, address, PAGE, kind="xlsx")
        assert answer.status_code == 303 and send(auditor, address, PAGE, kind="xlsx").location == answer.location
        waiting = auditor.get(answer.location)
        assert waiting.headers["Refresh"] == "3" and "排队" in waiting.text and files() == 1
        assert send(auditor, f"{answer.location}/file", "/my-files").status_code == 404
        jobs.make_next()
        ready = auditor.get(answer.location)
        assert "Refresh" not in ready.headers and "village-income-2026-09_2026-10.xlsx" in ready.text
        assert "已完成" in auditor.get("/my-files").text
        fetched = send(auditor, f"{answer.location}/file", answer.location)
        assert fetched.data[:2] == b"PK" and fetched.headers["Cache-Control"] == "private, no-store"
        assert 'filename=village-income-2026-09_2026-10.xlsx' in fetched.headers["Content-Disposition"]
        assert db.session().scalar(select(func.count()).where(JournalEntry.action == asking.FETCHED)) == 1
        for login in ("official.jin", "audit.qi", "cook.chen"):
            other = world.logged_in(login)
            assert other.get(answer.location).status_code == 404
            for act in ("file", "cancel"):
                assert send(other, f"{answer.location}/{act}", "/my-files").status_code == 404
            assert "village-income" not in other.get("/my-files").text
        assert "我的文件" in world.logged_in("cook.chen").get("/my-files").text


def test_refusals_are_told_and_change_nothing(app: Flask, world: World) -> None:
    with clock.at(NOON):
        official = world.logged_in("official.hua")
        for address, kind, status in (
                ("/reports/village-income/file?county=431128000000", "csv", 404),
                ("/reports/nothing/file", "csv", 404), ("/reports/village-income/file", "pdf", 422),
                ("/reports/village-income/file", "", 422),
                ("/reports/village-income/file?from=2026-10&to=2026-09", "csv", 422),
                ("/reports/village-income/file?from=x", "csv", 422),
                ("/reports/village-income/file?figure=" + "x" * 300, "csv", 404)):
            assert send(official, address, "/my-files", kind=kind).status_code == status, address
        cook = world.logged_in("cook.chen")
        assert send(cook, "/reports/late-payments/file", "/my-files", kind="csv").status_code == 404
        assert send(cook, "/reports/village-income/file?period=2026-10", "/my-files", kind="csv").status_code == 422
        assert files() == 0
        for month in range(1, 6):
            send(official, f"/reports/village-income/file?period=2026-0{month}", "/my-files", kind="csv")
        full = send(official, "/reports/village-income/file?period=2026-06", "/my-files", kind="csv")
        assert full.status_code == 409 and "您有 5 个文件还没有生成" in full.text and files() == 5


def test_a_file_is_cancelled_fails_and_expires_in_words(app: Flask, world: World,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(NOON):
        official = world.logged_in("official.jin")
        first = send(official, "/reports/village-income/file?period=2026-09", "/my-files", kind="csv").location
        send(official, f"{first}/cancel", first)
        assert "已取消" in official.get(first).text and not jobs.make_next()
        second = send(official, "/reports/village-income/file?period=2026-09", "/my-files", kind="csv").location
        assert second != first

        def too_long(*_all: object, **_more: object) -> None:
            raise making.TooLong(minutes=10)

        monkeypatch.setattr(making, "read", too_long)
        jobs.make_next()
        assert "读取这些行超过 10 分钟" in official.get(second).text
    with clock.at(NOON), db.transaction():
        db.session().execute(asking.FILES.update().values(state="expired"))
    assert "文件保留七天" in world.logged_in("official.jin").get(second).text


def test_english_asks_get_english_files(app: Flask, world: World) -> None:
    with clock.at(NOON):
        official = world.logged_in("official.jin")
        official.get("/my-files?lang=en")
        page = send(official, "/reports/village-income/file?period=2026-09", "/my-files", kind="csv").location
        assert "The file waits for its turn." in official.get(page).text
        jobs.make_next()
        assert b'"Purchase amount' in send(official, f"{page}/file", page).data
