"""The officials' first page and dashboard at the door: who sees them, and where their figures lead."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from flask import Flask

from market import clock
from orders.income import presence
from tests.counting import count_statements
from tests.trade import Trade
from tests.world import GREENS, NOON, PEOPLE, POMELO, World

PAGE = "/office/dashboard"
READERS = {"official.jin", "official.liang", "auditor.wei", "audit.qi", "official.hua", "farm.luo", "township.yan"}
FIGURE = re.compile(r'<a href="(/reports/[^"]+)"><span class="(?:money|quantity)">(.*?)</span></a>', re.DOTALL)
MAP_NOTE = "审图号"


@pytest.fixture(autouse=True)
def traded(app: Flask, world: World) -> Iterator[Trade]:
    """A school buys cabbage in one county and taro in another."""
    app.extensions.update(sijin_presence=presence.things_of, sijin_demo=lambda: False)
    trade = Trade(world)
    with clock.at(NOON):
        cabbage, taro = trade.product("白菜", GREENS, price_fen=233), trade.product("香芋", POMELO, price_fen=481)
        trade.lot(cabbage, 50)
        trade.lot(taro, 50)
        for order in trade.orders(trade.place({cabbage: 9_500, taro: 7_500})):
            trade.ship(order.id)
            trade.accept(order.id)
        yield trade


def table(page: str, key: str) -> list[tuple[str, str]]:
    """The figures of a drawing's table that lead somewhere: address and words."""
    part = page[page.index(f'id="{key}-title"'):]
    found = FIGURE.findall(part[:part.index("</section>")])
    return [(unescape(address), re.sub("<[^>]+>|[¥,]|&nbsp;", "", words)) for address, words in found]


def test_officials_see_it_and_nobody_else(world: World, client: Any) -> None:
    for login in PEOPLE:
        assert world.logged_in(login).get(PAGE).status_code == (200 if login in READERS else 403), login
    assert client.get(PAGE).status_code == 302
    officer = world.logged_in("village.cao").get("/office")
    assert officer.status_code == 200 and "/reports/village-income" not in officer.text.split("<main")[1]
    county = world.logged_in("official.hua").get(PAGE).text
    assert "22.14" not in county and "36.08" in county and MAP_NOTE not in county and "乡镇" in county
    assert world.logged_in("official.hua").get(PAGE + "?county=431128000000").status_code == 404
    assert world.logged_in("official.jin").get(PAGE + "?county=431199000000").status_code == 404
    refused = world.logged_in("official.jin").get(PAGE + "?period=2026-13")
    assert refused.status_code == 422 and "<table" not in refused.text and 'name="period"' in refused.text


def test_every_figure_leads_to_the_report_that_tells_it(world: World) -> None:
    browser = world.logged_in("official.jin")
    page = browser.get(PAGE + "?period=2026-10").text
    assert MAP_NOTE in page and page.count('scope="row"') > 20
    told = {"methods": "all-fen", "places": "purchase_fen", "villages": "purchase_fen"}
    for key, column in told.items():
        links = table(page, key)
        assert links and all("from=2026-10" in address and "to=2026-10" in address for address, _words in links), key
        address, words = links[0]
        answer = browser.get(address.replace("?", ".json?")).get_json()
        assert f"{answer['totals'][column] / 100:.2f}" == words, (key, address)
    tables = [table(page, key) for key in ("methods", "places", "villages", "goods", "share")]
    for address in {address for one in tables for address, _words in one}:
        assert browser.get(address).status_code == 200, address
    empty = browser.get(PAGE + "?period=2020-01").text
    assert empty.count('class="empty"') >= 4 and "data-chart=" not in empty.split('id="share-title"')[0]
    assert "county=431128000000" in browser.get(PAGE + "?period=2026-10&county=431128000000").text


def test_the_first_page_leads_to_reports_and_to_the_notice_where_there_are_notices(
        app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = world.logged_in("official.jin")
    page = browser.get("/office").text.split("<main")[1]
    assert "57.22" not in page and page.count("58.22") >= 1  # 22.14 of cabbage, 36.08 of taro
    assert "今日" in page and "本周无验收的地区" in page and 'href="/reports/by-place-and-method"' in page
    with count_statements(app) as again:
        browser.get("/office")
    app.extensions["sijin_pages"].clear()
    with count_statements(app) as afresh:
        browser.get("/office")
    assert len(again) < len(afresh)  # the same days before are kept for a while
    for login, drafts in (("official.jin", True), ("official.hua", False), ("auditor.wei", False)):
        assert ("起草本周通报" in world.logged_in(login).get("/office").text) == (
            drafts and "bulletins.index" in app.view_functions), login
