"""Purchases, suppliers and prices at the door: who reads them, outputs that agree cell by cell, what opens."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from market import clock, db, sheets
from market.places import Division
from orders.income import presence
from tests import goods
from tests.trade import Trade
from tests.world import GREENS, NOON, PEOPLE, POMELO, World

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])
REPORTS = ("by-place-and-method", "purchase-detail", "supplier-ledger", "price-monitor")
READERS = {"official.jin", "official.liang", "auditor.wei", "audit.qi", "farm.luo", "official.hua", "township.yan"}
MONTH = "from=2026-10&to=2026-10"


@pytest.fixture(autouse=True)
def traded(app: Flask, world: World) -> Iterator[Trade]:
    """A school buys of two counties; goods of one have a name that begins like a formula."""
    app.extensions.update(sijin_presence=presence.things_of, sijin_demo=lambda: False)
    trade = Trade(world)
    with clock.at(NOON):
        cabbage, taro = trade.product("=白菜", price_fen=233), trade.product("香芋", POMELO, price_fen=481)
        goods.reference(world, 400, "白菜", "vegetables")
        trade.lot(cabbage, 50)
        trade.lot(taro, 50)
        for order in trade.orders(trade.place({cabbage: 9_500, taro: 7_500})):
            trade.ship(order.id)
            trade.accept(order.id)
        yield trade


def test_offices_read_their_own_area_and_nobody_else_anything(world: World, client: Any) -> None:
    county = db.session().scalars(select(Division.code).where(Division.name == "新田县")).one()
    for login in [*PEOPLE, None]:
        browser = world.logged_in(login) if login else client
        for name in REPORTS:
            for form in (".json", ".csv", ".xlsx", ""):
                answer = browser.get(f"/reports/{name}{form}?{MONTH}")
                assert answer.status_code == (200 if login in READERS else 404), (login, name, form)
            if login in READERS - {"official.jin", "official.liang", "auditor.wei", "audit.qi"}:
                told = browser.get(f"/reports/{name}.json?{MONTH}").text
                assert "新田" not in told and browser.get(f"/reports/{name}?{MONTH}&county={county}").status_code == 404
        lines = browser.get(f"/reports/by-place-and-method/lines?{MONTH}&row=school&figure=all-fen").status_code
        assert lines == (200 if login in READERS else 403 if login else 302), login


def test_every_output_holds_the_same_cells(world: World) -> None:
    browser = world.logged_in("official.jin")
    for name in REPORTS:
        report = browser.get(f"/reports/{name}.json?{MONTH}").get_json()
        file = list(csv.reader(io.StringIO(browser.get(f"/reports/{name}.csv?{MONTH}").data.decode("utf-8-sig"))))
        kinds = [(column["key"], column["kind"]) for column in report["columns"]]
        assert file[0] == [column["heading"] for column in report["columns"]], name
        for row, cells in zip(report["rows"], file[1:], strict=False):
            said = [row[key] if row[key] is not None else row.get("instead", {}).get(key) for key, _kind in kinds]
            assert cells == [sheets.plain(kind, value) if not str(value).startswith("=") else f"'{value}"
                             for value, (_key, kind) in zip(said, kinds, strict=True)], name
        sheet = openpyxl.load_workbook(io.BytesIO(browser.get(f"/reports/{name}.xlsx?{MONTH}").data)).active
        table = [[cell.value for cell in line] for line in sheet.iter_rows()]
        top = table.index([column["heading"] for column in report["columns"]])
        for at, (key, kind) in enumerate(kinds):
            values = [line[at] for line in table[top + 1:top + 1 + len(report["rows"])]]
            if kind in ("fen", "grams"):
                scale = 100 if kind == "fen" else 1_000
                assert [round((value or 0) * scale) for value in values] == [row[key] or 0 for row in report["rows"]]
                if report["totals"].get(key) is not None:
                    assert sum(round((value or 0) * scale) for value in values) == report["totals"][key], (name, key)
        page, sheet_page = (browser.get(f"/reports/{name}?{MONTH}{more}").text for more in ("", "&format=print"))
        for text in (page, sheet_page):
            assert text.count("<th scope=\"col\"") == len(kinds), name


def test_a_cell_opens_to_what_it_is_made_of(world: World) -> None:
    browser = world.logged_in("official.jin")
    county = db.session().scalars(select(Division.code).where(Division.name == "新田县")).one()
    page = browser.get(f"/reports/by-place-and-method?{MONTH}&county={county}").text
    assert f"county={county}" in page.split("figure=all-fen")[0].rsplit("href=", 1)[1] + page.split(
        "figure=all-fen")[1].split('"')[0]
    lines = browser.get(f"/reports/by-place-and-method/lines.json?{MONTH}&county={county}&row=school&figure=all-fen")
    assert lines.get_json()["totals"]["amount_fen"] == 2_214 and "香芋" not in lines.text
    ledger = browser.get(f"/reports/supplier-ledger?{MONTH}").text
    supplier = world.organisation_id(GREENS)
    assert f"row={supplier}" in ledger
    orders = browser.get(f"/reports/supplier-ledger/lines?{MONTH}&row={supplier}&figure=sales_fen")
    assert orders.status_code == 200 and "22.14" in orders.text
    for wrong in ("row=school&figure=nothing", "row=palace&figure=all-fen", "figure=all-fen", "row=school&figure=all"):
        assert browser.get(f"/reports/by-place-and-method/lines?{MONTH}&{wrong}").status_code == 404
    for wrong in ("x", "-1", "9" * 13):
        assert browser.get(f"/reports/purchase-detail?{MONTH}&unit={wrong}").status_code in (404, 422)
