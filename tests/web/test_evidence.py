"""Evidence in the browser: ask, wait, fetch; draw; what is not one's own answers like what is not there."""

import io
import re
import zipfile

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from market import clock, db, sealing
from market.journal import JournalEntry
from orders.evidence import asking, jobs
from orders.evidence.models import EvidencePackage, SampleDraw
from tests.trade import Trade
from tests.web.forms import send
from tests.world import NOON, World


@pytest.fixture
def eaten(app: Flask, world: World, trade: Trade) -> str:
    """Ten kilos of cabbage, sealed; returns the order's number."""
    with clock.at(NOON):
        order = trade.cabbage()
        trade.ship(order.id)
        trade.accept(order.id)
        sealing.seal_all()
    return order.number


def address(client: FlaskClient, page: str) -> str:
    found = re.search(r'<option value="([0-9]{12})"', client.get(page).text)
    assert found is not None
    return found[1]


def rows(entity: type) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def test_an_auditor_asks_waits_and_fetches(app: Flask, world: World, eaten: str) -> None:
    with clock.at(NOON):
        auditor = world.logged_in("auditor.wei")
        code = address(auditor, "/office/evidence")
        answer = send(auditor, "/office/evidence", None, village=code, year="2026", with_names="1")
        assert answer.status_code == 303
        again = send(auditor, "/office/evidence", None, village=code, year="2026", with_names="1")
        assert again.location == answer.location
        waiting = auditor.get(answer.location)
        assert waiting.headers["Refresh"] == "3" and rows(EvidencePackage) == 1
        assert send(auditor, f"{answer.location}/file", "/office/evidence").status_code == 404
        jobs.make_next()
        page = auditor.get(answer.location)
        row = db.session().scalars(select(EvidencePackage)).one()
        assert "Refresh" not in page.headers and (row.manifest_sha256 or "-") in page.text
        fetched = send(auditor, f"{answer.location}/file", answer.location)
        assert fetched.headers["Content-Disposition"].startswith("attachment")
        with zipfile.ZipFile(io.BytesIO(fetched.data)) as package:
            assert f"orders/{eaten}/一单一档.pdf" in package.namelist()
        seen = db.session().scalars(select(JournalEntry.details).where(JournalEntry.action == asking.FETCHED)).one()
        assert seen == {"manifest": row.manifest_sha256, "full_view": True}
        for login in ("official.jin", "audit.qi"):
            assert world.logged_in(login).get(answer.location).status_code == 404
        assert "import hashlib" in auditor.get("/office/evidence/verify.py").text


def test_a_county_official_asks_within_the_county_only(app: Flask, world: World, eaten: str) -> None:
    with clock.at(NOON):
        code = address(world.logged_in("auditor.wei"), "/office/evidence")
        official = world.logged_in("official.hua")  # of another county
        assert code not in official.get("/office/evidence").text
        assert official.get("/office/samples").status_code == 200
        for sent in ({"village": code, "year": "2026"}, {"village": "999999999999", "year": "2026"},
                     {"village": "nonsense", "year": "2026"}, {"village": code, "year": "1026"}):
            answer = send(official, "/office/evidence", "/office/samples", **sent)
            assert answer.status_code == 422, sent
        assert rows(EvidencePackage) == 0
        refused = send(official, "/office/samples", None, year="2026", villages=code, wanted="2")
        assert refused.status_code == 422 and rows(SampleDraw) == 0


def test_a_draw_shows_its_seed_and_says_that_it_is_the_second(app: Flask, world: World, eaten: str) -> None:
    with clock.at(NOON):
        auditor = world.logged_in("auditor.wei")
        for nth in (1, 2):
            answer = send(auditor, "/office/samples", None, year="2026", area="", wanted="5")
            row = db.session().scalars(select(SampleDraw).order_by(SampleDraw.id.desc())).first()
            assert row is not None and (row.nth, row.numbers) == (nth, [eaten])
            page = auditor.get(answer.location).text
            assert row.seed in page and row.head_hash in page and eaten in page
        assert "第 2 次" in page
        asked = send(auditor, f"{answer.location}/package", answer.location)
        jobs.make_next()
        assert "verify.py --expect" in auditor.get(asked.location).text
        for wanted in ("0", "201", "x", ""):
            refused = send(auditor, "/office/samples", None, year="2026", area="", wanted=wanted)
            assert refused.status_code == 422
        assert send(auditor, "/office/samples", None, year="2026", area="county:1", wanted="1"
                      ).status_code == 422
        assert rows(SampleDraw) == 2
