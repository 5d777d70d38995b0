"""A new form in a minute, in the browser: sent in, confirmed, filled; refusals at their field; other offices' walls."""

import io
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from market import clock, db
from market.journal import JournalEntry
from orders.forms.models import ReportForm, ReportFormVersion
from tests.counting import count_statements
from tests.province_forms import HEADINGS, TITLE, monthly, sheet_of
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.world import NOON, World

FORMS = "/office/forms"
OCTOBER = "from=2026-10&to=2026-10"
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def upload(client: FlaskClient, content: bytes, address: str = FORMS, page: str = FORMS, report: str = "village-income",
           name: str = "附件2.xlsx") -> TestResponse:
    return client.post(address, data={"csrf_token": csrf_token(client, page), "report": report,
                                      "file": (io.BytesIO(content), name)})


def typed(page: str) -> dict[str, Any]:
    """What the mapping page would send as it stands."""
    form = page[page.index("form-wide"):]
    values = dict(re.findall(r'<input [^>]*name="([a-z0-9-]+)"[^>]*value="([^"]*)"', form))
    for name, options in re.findall(r'<select [^>]*name="([a-z0-9-]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = chosen[1] if chosen else ""
    return values


def counted() -> list[int]:
    db.session().rollback()
    return [db.session().scalar(select(func.count()).select_from(entity)) or 0
            for entity in (ReportForm, ReportFormVersion, JournalEntry)]


def test_a_new_form_in_a_minute(app: Flask, world: World, trade: Trade) -> None:
    app.extensions["sijin_demo"] = lambda: False
    with clock.at(NOON):
        order = trade.cabbage()
        trade.ship(order.id)
        trade.accept(order.id)
        official = world.logged_in("official.jin")
        assert "还没有表样" in official.get(FORMS).text
        headings = upload(official, monthly()).location
        page = official.get(headings).text
        assert TITLE in page and all(words in page for words in HEADINGS) and "这个月没有数据" in page
        values = typed(page)
        assert values["lines-5-source"] == "purchase_fen" and values["lines-5-unit"] == "yuan"
        values |= {"month": "2026-10", "deed": "show"}
        shown = send(official, headings, **values)
        assert shown.status_code == 200 and "共 1 行。" in shown.text and "20.00" in shown.text
        values = typed(shown.text) | {"deed": "keep", "lines-5-unit": "wan"}
        unseen = send(official, headings, **values)
        assert unseen.status_code == 200 and "设置与预览时不同" in unseen.text and counted()[0] == 1
        kept = send(official, headings, **typed(unseen.text) | {"deed": "keep", "lines-5-unit": "yuan"})
        assert "设置与预览时不同" in kept.text
        kept = send(official, headings, **typed(kept.text) | {"deed": "keep", "name": "省月报"})
        assert kept.status_code == 303
        form = kept.location
        assert "已保存" in official.get(form).text and "省月报" in official.get(FORMS).text
        filled = official.get(f"{form}/filled.xlsx?{OCTOBER}")
        assert filled.status_code == 200 and "%E7%9C%81" in filled.headers["Content-Disposition"]
        row = official.get(f"/reports/village-income.json?{OCTOBER}").get_json()["rows"][0]
        assert [cell.value for cell in sheet_of(filled.data)[5]][:7] == [
            1, row["county"], row["village"], row["code"], row["accepted_grams"] / 1000, row["purchase_fen"] / 100,
            row["received_fen"] / 100]
        assert sheet_of(filled.data)["F9"].value == row["purchase_fen"] / 100
        nowhere = official.get(f"{form}/filled.xlsx?{OCTOBER}&county=431125000000")
        assert sheet_of(nowhere.data)["B5"].value is None and sheet_of(nowhere.data)["F9"].value == 0
        auditor = world.logged_in("auditor.wei")
        assert auditor.get(f"{form}/filled.xlsx?{OCTOBER}").status_code == 200
        assert sheet_of(auditor.get(f"{form}/empty.xlsx").data)["F9"].value == "=SUM(F5:F8)"
        assert "上传空白表样" not in auditor.get(FORMS).text and auditor.get(f"{form}/headings").status_code == 403
        changed = monthly(2, lambda sheet: sheet.__setitem__("I3", "带动户数"))
        newer = upload(official, changed, f"{form}/versions", form)
        values = typed(official.get(newer.location).text)
        assert values["lines-8-source"] == "households" and values["lines-5-unit"] == "yuan"
        assert "新上传的表样尚未对应表头" in official.get(form).text
        assert send(official, newer.location, **values | {"deed": "keep"}).status_code == 303
        assert sheet_of(official.get(f"{form}/filled.xlsx?{OCTOBER}").data)["I5"].value == row["households"]
        assert send(official, f"{form}/name", form, name="新月报").location == form
        send(official, f"{form}/away", form)
        assert f'href="{form}"' not in official.get(FORMS).text
        assert "新月报" in official.get(f"{FORMS}?tab=away").text
        assert official.get(f"{form}/filled.xlsx?{OCTOBER}").status_code == 409
        assert send(official, f"{form}/name", FORMS, name="又").status_code == 409
        send(official, f"{form}/back", form)
        official.get(f"{FORMS}?lang=en")
        assert "Fill and download" in official.get(form).text and "Forms of the province" in official.get(FORMS).text


@on_sqlite
def test_refusals_stand_at_their_field_and_change_nothing(app: Flask, world: World) -> None:
    with clock.at(NOON):
        official = world.logged_in("official.hua")
        headings = upload(official, monthly()).location
        values = typed(official.get(headings).text) | {"deed": "keep"}
        form = send(official, headings, **values).location
        second = upload(official, monthly()).location
        before = counted()
        for content, words in ((b"", "请填写"), (b"x", "表样须是 XLSX"), (b"PK\x03\x04x", "表样须是 XLSX"),
                               (monthly() + b"0" * 3_000_000, "空白表样不应很大")):
            refused = upload(official, content)
            assert refused.status_code == 422 and words in refused.text and 'id="file-error"' in refused.text
        assert upload(official, monthly(), report="nothing").status_code == 422
        assert upload(official, b"x", f"{form}/versions", form).status_code == 422
        for wrong, field in (({"lines-0-source": "x"}, "lines-0-source-error"), ({"name": ""}, "name-error"),
                             ({"lines-7-source": "=text", "lines-7-text": ""}, "lines-7-text-error"),
                             ({"month": "2026-13"}, "month-error"), ({"name": values["name"]}, "name-error")):
            refused = send(official, second, **typed(official.get(second).text) | {"deed": "keep"} | wrong)
            assert refused.status_code == 422 and f'id="{field}"' in refused.text, wrong
        for wrong_fields in ({"lines": "x"}, {"version": "9"}, {"report": "nothing"}, {"lines-9-source": ""}):
            refused = send(official, second, **typed(official.get(second).text) | {"deed": "keep", "name": "别的"}
                           | wrong_fields)
            assert refused.status_code in (409, 422), wrong_fields
        for query, status in (("", 422), ("from=2026-10&to=2026-09", 422), ("from=x&to=2026-10", 422),
                              (f"{OCTOBER}&county=431128000000", 404), (f"{OCTOBER}&village=x", 404)):
            assert official.get(f"{form}/filled.xlsx?{query}").status_code == status, query
        assert send(official, f"{form}/name", form, name=" ").status_code == 422
        for other in ("official.jin", "farm.luo", "township.yan"):
            stranger = world.logged_in(other)
            for address in (form, f"{form}/headings", f"{form}/filled.xlsx?{OCTOBER}", f"{form}/empty.xlsx"):
                assert stranger.get(address).status_code == 404
            for act in ("name", "away", "back", "headings", "versions"):
                assert send(stranger, f"{form}/{act}", FORMS, name="x").status_code == 404
        assert counted() == before
        for person in ("auditor.wei", "cook.chen", "chair.he"):
            assert upload(world.logged_in(person), monthly(), page="/account").status_code == 403


@on_sqlite
def test_statements_do_not_grow_with_forms_or_rows(app: Flask, world: World) -> None:
    with clock.at(NOON):
        official = world.logged_in("official.jin")
        costs = []
        for size in (1, 6):
            for _number in range(size):
                headings = upload(official, monthly()).location
            with count_statements(app) as statements:
                official.get(FORMS)
                official.get(headings)
                official.get(headings.removesuffix("/headings"))
            costs.append(len(statements))
        assert costs[0] == costs[1]
