"""Lists of documents at the door: who may open them, five outputs of the same rows, contacts masked."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest

from catalog.members import surplus
from catalog.members.surplus import Meeting, Plan
from market import clock, db
from tests.trade import Trade
from tests.world import GREENS, NOON, PEOPLE, SCHOOL, TODAY, World

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # rows: tests/services/test_report_lists.py
OFFICES = {"official.jin", "official.liang", "auditor.wei", "audit.qi", "farm.luo", "official.hua", "township.yan"}
CO_OPERATIVES = {"chair.shi", "clerk.zhang", "chair.he", "clerk.lv"}
NAMES = ("purchase-inspections", "delivery-notes", "complaints", "certified-products", "school-supply", "co-op-return")
LINES = {"certified-products": ("sales_fen",), "school-supply": ("fen", "registered_grams"), "co-op-return": ("grams",)}
OCTOBER = "from=2026-10&to=2026-10"
OVER = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)  # October is over


@pytest.fixture(autouse=True)
def traded(world: World) -> Iterator[None]:
    with clock.at(NOON):
        trade = Trade(world)
        cabbage = trade.product("=白菜", price_fen=233, certified=True)
        trade.lot(cabbage, 50, households=list(trade.members(GREENS, world.villages["greens_home"])[:3]))
        order = trade.orders(trade.place({cabbage: 9_500}))[0]
        trade.ship(order.id)
        trade.accept(order.id)
        with db.transaction():
            drawn = surplus.draw_up(Plan(date(2026, 1, 1), TODAY, 100_000, 1_000, 6_000), world.person("clerk.zhang"))
        with db.transaction():
            surplus.confirm(drawn.id, Meeting("3号", TODAY), world.person("chair.shi"))
    with clock.at(OVER):
        yield


def test_who_may_open_them(world: World, client: Any) -> None:
    for login in [*PEOPLE, None]:
        browser = world.logged_in(login) if login else client
        listed = browser.get("/reports").text
        for name in NAMES:
            may = login in OFFICES or (name == "co-op-return" and login in CO_OPERATIVES | {"books.dong"})
            assert browser.get(f"/reports/{name}?{OCTOBER}").status_code == (200 if may else 404), (login, name)
            assert (f"/reports/{name}\"" in listed) == may, (login, name)
    for login in CO_OPERATIVES:
        page = world.logged_in(login).get("/reports/co-op-return?period=2026-10").text
        assert ("XT户1" in page) == (login in {"chair.shi", "clerk.zhang"})
        assert "DEMO-XT" not in page
    assert "XT户1" not in world.logged_in("official.jin").get(f"/reports/co-op-return?{OCTOBER}").text


def test_every_output_holds_the_same_rows(world: World) -> None:
    browser = world.logged_in("official.jin")
    for name in NAMES:
        address = f"/reports/{name}"
        told = browser.get(f"{address}.json?{OCTOBER}").get_json()
        file = list(csv.reader(io.StringIO(browser.get(f"{address}.csv?{OCTOBER}").data.decode("utf-8-sig"))))
        sheet = openpyxl.load_workbook(io.BytesIO(browser.get(f"{address}.xlsx?{OCTOBER}").data)).active
        headings = [one["heading"] for one in told["columns"]]
        assert file[0] == headings and headings in [[cell.value for cell in row] for row in sheet.iter_rows()]
        assert (len(told["rows"]) > 0) == (name != "complaints")
        assert len(file[1:]) > len(told["rows"])
        assert browser.get(f"{address}?{OCTOBER}&format=print").status_code == 200
        for row in told["rows"]:
            if "product" in row:
                assert row["product"] == "=白菜" and "'=白菜" in {cell for line in file for cell in line}
    for name, figures in LINES.items():
        row = str(world.organisation_id(SCHOOL)) if name == "school-supply" else "1"
        for figure in figures:
            page = browser.get(f"/reports/{name}/lines?{OCTOBER}&row={row}&figure={figure}")
            assert page.status_code == 200, (name, figure)
            assert f"/reports/{name}/lines" in browser.get(f"/reports/{name}?{OCTOBER}").text
        assert browser.get(f"/reports/{name}/lines?{OCTOBER}&row=999&figure={figures[0]}").status_code == 404
        assert browser.get(f"/reports/{name}/lines?{OCTOBER}&row={row}&figure=nothing").status_code == 404
    for query in ("unit=x", "unit=%27"):
        assert browser.get(f"/reports/delivery-notes?{OCTOBER}&{query}").status_code == 422
    assert browser.get("/reports/school-supply?from=2025-09&to=2026-10").status_code == 422
