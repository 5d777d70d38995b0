"""A progress notice at the door: drafted, shown to the counties, objected to, corrected, published, read by all."""

import csv
import io
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader

from market import clock, outbox, sealing
from orders.bulletins import drafting, lists, news
from tests.bare_ledger import by_itself
from tests.services.test_bulletins import JIANGYONG, NEXT_MONDAY, WEEK, at, post
from tests.web.forms import send
from tests.world import World

LIST, DESK = "/bulletins", "/office/bulletins"


@pytest.fixture(autouse=True)
def bare(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    by_itself(app, monkeypatch)
    with clock.at(NEXT_MONDAY):
        yield


def words_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_week_s_notice_goes_its_way(world: World, client: FlaskClient) -> None:
    home = world.villages["pomelo_home"]
    post("a", home, 123_400, order_ref="D1")
    post("c", world.villages["greens_home"], 150_000, order_ref="D4")
    sealing.seal_all()
    jin, hua = world.logged_in("official.jin"), world.logged_in("official.hua")
    assert WEEK.name in jin.get("/office?lang=en").text  # it is time to draft it
    draft = {"kind": "week", "day": WEEK.first_day.isoformat()}
    for wrong, field in (({"kind": "year"}, "kind"), ({"day": "tomorrow"}, "day"), ({"day": "2026-10-19"}, ""),
                         ({"grade": "all"}, "grade")):
        answer = send(jin, f"{DESK}/drafts", LIST, **(draft | wrong))
        assert answer.status_code == 422 and (f'id="{field}-error"' in answer.text or not field), wrong
    assert send(hua, f"{DESK}/drafts", LIST, **draft).status_code == 403
    assert "No notice yet" in jin.get(f"{LIST}?lang=en").text
    page = send(jin, f"{DESK}/drafts", LIST, **draft).headers["Location"]
    number = int(page.rsplit("/", 1)[1])
    assert [one.get(page).status_code for one in (jin, hua, client)] == [200, 404, 404]
    assert hua.get(f"{page}.pdf").status_code == 404
    # what is set and declared stands beside it, each in its own grade
    assert send(jin, f"{DESK}/targets", f"{DESK}/targets", county=JIANGYONG, year="2026", amount="0",
                document="永政发〔2026〕1号").status_code == 422
    assert send(jin, f"{DESK}/targets", f"{DESK}/targets", county=JIANGYONG, year="2026", amount="5000",
                document="永政发〔2026〕1号").status_code == 303
    assert "5,000.00" in hua.get(f"{DESK}/targets").text
    for amount, status in (("-1", 422), ("8800", 303)):
        answer = send(hua, f"{DESK}/declared", f"{DESK}/declared", amount=amount, reason="线下直播", **draft)
        assert answer.status_code == status
    assert "江永县" in jin.get(f"{DESK}/declared").text
    assert world.logged_in("township.yan").get(f"{DESK}/declared").status_code == 403
    act = f"{DESK}/{number}"
    assert send(jin, f"{act}/drawings", page, version="1").status_code == 303
    assert send(jin, f"{act}/opening", page, version="1").status_code == 409  # drawn again meanwhile
    assert send(jin, f"{act}/opening", page, version="2").status_code == 303
    outbox.drain(news.HANDLERS)
    assert page in hua.get("/office").text and "8,800.00" in hua.get(page).text
    assert client.get(page).status_code == 404
    objection = {"figure": "proven", "words": "少算了一车"}
    assert send(hua, f"{act}/objections", page, **(objection | {"figure": "rank"})).status_code == 422
    answer = send(hua, f"{act}/objections", page, **(objection | {"words": ""}))
    assert answer.status_code == 422 and 'id="words-error"' in answer.text
    assert drafting.found(number).unanswered == 0
    assert send(hua, f"{act}/objections", page, **objection).status_code == 303
    assert page in jin.get("/office").text and "少算了一车" in jin.get(page).text
    reply = {"outcome": "corrected", "answer": "补记一车"}
    said = f"{DESK}/objections/{lists.objections(number)[0].id}/answer"
    assert send(hua, said, page, **reply).status_code == 403
    assert send(jin, said, page, **(reply | {"answer": ""})).status_code == 422
    assert send(jin, said, page, **reply).status_code == 303
    post("lorry", home, 100_000, WEEK.last_day, order_ref="D9")
    assert send(jin, f"{act}/drawings", page, version="2").status_code == 303
    assert "What drawing 3 changed" in jin.get(f"{page}?lang=en").text
    with at(27):
        jin, liang, hua = (world.logged_in(login) for login in ("official.jin", "official.liang", "official.hua"))
        assert send(jin, f"{act}/publication", page, version="3").status_code == 409
        assert send(liang, f"{act}/publication", page, version="2").status_code == 409
        assert page in liang.get("/office").text
        assert send(liang, f"{act}/publication", page, version="3").status_code == 303
        assert send(liang, f"{act}/withdrawal", page, reason="算错").status_code == 409
        assert send(liang, f"{act}/erratum", page, reason="").status_code == 422
        read_by_everybody(page, client, hua)


def read_by_everybody(page: str, client: FlaskClient, hua: FlaskClient) -> None:
    """The public reads figures and seals, offices also who signed and what was objected; files say the same."""
    one = drafting.found(int(page.rsplit("/", 1)[1]))
    public, office = client.get(page).text, hua.get(page).text
    for told in (public, office):
        assert "2,234.00" in told and one.sha256 in told and one.head in told
    assert "少算了一车" in office and "补记一车" in office
    assert not any(words in public for words in ("少算了一车", "金局长", "梁科长", "withdrawal", "erratum"))
    paper, signed = words_of(client.get(f"{page}.pdf").data), words_of(hua.get(f"{page}.pdf").data)
    assert "2,234.00" in paper and one.head[:20] in paper and "金局长" not in paper
    assert "金局长" in signed and "梁科长" in signed
    rows = list(csv.DictReader(client.get(f"{page}.csv?lang=en").data.decode("utf-8-sig").splitlines()))
    near = next(row for row in rows if row["County"] == "江永县")
    told = [near[heading] for heading in ("Rank", "Proven here (yuan)", "Declared by the county (yuan)")]
    assert told == ["1", "2234.00", "8800.00"]
    assert client.get(f"{page}.xlsx?table=units").status_code == 200
    assert client.get(LIST).text.count(f'href="{page}"') == 1

