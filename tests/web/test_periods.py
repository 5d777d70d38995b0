"""Month close on the desk: one official proposes, another confirms, everybody of the offices reads and downloads."""

import hashlib

import pytest
from flask import Flask

from market import clock, db, filings, ledger, sealing
from market.ledger import Transfer
from tests.attacker import attack
from tests.bare_ledger import by_itself
from tests.services.test_periods import JANUARY, OCTOBER
from tests.web.forms import send
from tests.world import World

PAGE = "/office/months/202610"


@pytest.fixture(autouse=True)
def bare_ledger(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    by_itself(app, monkeypatch)


def post(world: World, source: str, fen: int) -> None:
    with db.transaction():
        ledger.post([Transfer("accepted", source, "unit:1", "supplier:3", fen, OCTOBER,
                              village_id=world.villages["pomelo_home"])])


def test_a_month_is_closed_opened_and_closed_again(world: World) -> None:
    with clock.at(JANUARY):
        post(world, "a", 1000)
        first, second = world.logged_in("official.jin"), world.logged_in("official.liang")
        county = world.logged_in("official.hua")
        assert send(first, f"{PAGE}/closing", PAGE, reason="十月无遗留").status_code == 303
        page = second.get(PAGE).text
        assert "十月无遗留" in page
        assert "proposals/1/confirmation" in page
        assert "proposals/1/confirmation" not in first.get(PAGE).text
        assert PAGE in second.get("/office").text  # it waits for the second person
        assert send(first, "/office/months/proposals/1/confirmation", PAGE).status_code == 409
        assert send(county, "/office/months/proposals/1/confirmation", PAGE).status_code == 403
        assert sealing.closed_months() == frozenset()
        assert send(second, "/office/months/proposals/1/confirmation", PAGE).status_code == 303
        file = county.get(f"{PAGE}/1.csv")
        assert file.data.startswith(b"month,level,code,path,place,accepted_fen")
        assert hashlib.sha256(file.data).hexdigest() in county.get(PAGE).text
        post(world, "late", 7)
        sealing.seal_all()
        late = county.get("/office/months/202611/late?lang=en").text
        assert "entered late: belongs to 2026-10, counted in 2026-11" in late
        assert send(first, f"{PAGE}/reopening", PAGE, reason="").status_code == 422
        assert send(first, f"{PAGE}/reopening", PAGE, reason="漏记").status_code == 303
        assert send(first, "/office/months/proposals/2/withdrawal", PAGE).status_code == 303
        assert send(second, f"{PAGE}/reopening", PAGE, reason="漏记一张磅单").status_code == 303
        assert send(first, "/office/months/proposals/3/confirmation", PAGE).status_code == 303
        post(world, "more", 5)
        assert send(first, f"{PAGE}/closing", PAGE).status_code == 303
        assert send(second, "/office/months/proposals/4/confirmation", PAGE).status_code == 303
        shown = county.get(f"{PAGE}?lang=en").text
        assert "What closing 2 changed" in shown
        assert "10.05" in shown
        assert [county.get(f"{PAGE}/{nth}.csv").status_code for nth in (0, 1, 2, 3)] == [404, 200, 200, 404]
        assert filings.filed("2026-10", 2).filed.encode() == county.get(f"{PAGE}/2.csv").data
        assert county.get("/office/months").status_code == 200
        assert county.get("/office/months/202613").status_code == 404
        assert county.get("/office/months/202001").status_code == 404


def test_a_ledger_that_does_not_agree_is_not_closed_over(world: World) -> None:
    with clock.at(JANUARY):
        post(world, "a", 1000)
        sealing.seal_all()
        attack("UPDATE village_month SET accepted_fen = 1")
        answer = send(world.logged_in("official.jin"), f"{PAGE}/closing", PAGE)
        assert answer.status_code == 409
        assert sealing.closed_months() == frozenset()
