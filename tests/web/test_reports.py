"""Reports at the door: who sees what, five outputs of the same rows, files that spreadsheets read rightly."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from market import clock, db, sealing
from market.households import Household
from market.places import Division
from orders.income import presence
from tests.trade import Trade
from tests.world import GREENS, NOON, PEOPLE, POMELO, World

PAGE = "/reports/village-income"
LINES = PAGE + "/lines?village={}&from=2026-10&to=2026-10&figure={}"
SEES_ALL = {"official.jin", "official.liang", "auditor.wei", "audit.qi"}
OF_JIANGYONG = {"farm.luo", "official.hua", "township.yan"}
NOVEMBER = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)  # its first moment in Shanghai
KINDS = {"farm_gate_fen", "wage_fen", "land_fen", "dividend_fen"}


@pytest.fixture(autouse=True)
def traded(app: Flask, world: World) -> Iterator[Trade]:
    """Two counties: few households in one, enough in the other; the name of a village begins like a formula."""
    app.extensions.update(sijin_presence=presence.things_of, sijin_demo=lambda: False)
    trade = Trade(world)
    with clock.at(NOON):
        with db.transaction() as session:
            session.get_one(Division, world.villages["greens_home"]).name = "=1+1村"
        cabbage, taro = trade.product("白菜", price_fen=233), trade.product("香芋", POMELO, price_fen=481)
        trade.lot(cabbage, 50, households=list(trade.members(GREENS, world.villages["greens_home"])[:3]))
        trade.lot(taro, 50, households=list(trade.members(POMELO, world.villages["pomelo_home"])[:6]))
        for order in trade.orders(trade.place({cabbage: 9_500, taro: 7_500})):
            trade.ship(order.id)
            trade.accept(order.id)
        yield trade


def codes(world: World) -> dict[str, str]:
    return {key: db.session().get_one(Division, village).code for key, village in world.villages.items()}


def told(client: Any, address: str = PAGE + ".json?period=2026-10") -> dict[str, Any]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_each_role_sees_its_own_area_and_everybody_else_the_public_part(world: World, client: Any) -> None:
    with clock.at(NOVEMBER):
        each_role_sees_its_part(world, client)


def each_role_sees_its_part(world: World, client: Any) -> None:
    both, jiangyong = set(codes(world).values()) - {codes(world)["pomelo_next"]}, {codes(world)["pomelo_home"]}
    for login in [*PEOPLE, None]:
        browser = world.logged_in(login) if login else client
        report = told(browser)
        rows = {row["code"]: row for row in report["rows"]}
        kinds = KINDS & {column["key"] for column in report["columns"]}
        assert kinds == (KINDS if login in SEES_ALL | OF_JIANGYONG else set()), login
        assert ("household_fen" in report["totals"]) == (not kinds), login
        assert rows.keys() == (jiangyong if login in OF_JIANGYONG else both), login
        hidden = rows.get(codes(world)["greens_home"], {"income_fen": "none of theirs"})["income_fen"] is None
        assert hidden == (login not in SEES_ALL | OF_JIANGYONG), login
        assert rows[codes(world)["pomelo_home"]]["income_fen"] == 900
        lines = browser.get(LINES.format(codes(world)["pomelo_home"], "income_fen")).status_code
        assert lines == (200 if login in SEES_ALL | OF_JIANGYONG else 403 if login else 302), login
        assert browser.get(PAGE + ".json?from=2026-09&to=2026-10").status_code == (
            200 if login in SEES_ALL | OF_JIANGYONG else 422), login


def test_a_month_that_is_not_over_is_not_public(world: World, client: Any) -> None:
    for query in ("", "?format=print", ".csv", ".xlsx", ".json"):
        name, _dot, form = query.partition("?")
        address = f"{PAGE}{name}?{form + '&' if form else ''}period="
        for month in ("2026-10", "2026-11"):
            refused = client.get(address + month)
            assert refused.status_code == 422 and f"{month} 尚未结束" in refused.text, address
        assert client.get(address + "2026-09").status_code == 200
        assert world.logged_in("official.jin").get(address + "2026-10").status_code == 200
    page = client.get(PAGE).text
    assert "<strong>2026-09</strong>" in page and 'max="2026-09"' in page and "只能选已结束的月份" in page
    assert told(client, PAGE + ".json")["period"] == {"from": "2026-09", "to": "2026-09"}
    assert told(world.logged_in("official.jin"), PAGE + ".json")["period"]["to"] == "2026-10"
    headers = world.api_headers("cook.chen")
    refused = client.get("/api/v1/reports/village-income?period=2026-10", headers=headers).get_json()["error"]
    assert refused["code"] == "month_not_over"


def test_the_public_outputs_are_equal_and_hold_no_kind_of_household_income(world: World, client: Any) -> None:
    with clock.at(NOVEMBER):
        report = told(client)
        file = list(csv.reader(io.StringIO(client.get(PAGE + ".csv").data.decode("utf-8-sig"))))
        sheet = openpyxl.load_workbook(io.BytesIO(client.get(PAGE + ".xlsx").data)).active
        pages = [client.get(PAGE + query).text for query in ("", "?format=print")]
        officials = world.logged_in("official.jin").get(PAGE + "?period=2026-10").text
    headings = [column["heading"] for column in report["columns"]]
    keys = [column["key"] for column in report["columns"]]
    assert not KINDS & set(keys) and keys[keys.index("household_fen") + 1] == "collective_fen"
    assert file[0] == headings
    assert headings in [[cell.value for cell in row] for row in sheet.iter_rows()]
    at, code = keys.index("household_fen"), keys.index("code")
    shown = {codes(world)["pomelo_home"]: 900, codes(world)["greens_home"]: None}
    assert {row["code"]: row["household_fen"] for row in report["rows"]} == shown
    assert {row[code]: row[at] for row in file[1:3]} == {key: "9.00" if fen else "" for key, fen in shown.items()}
    cells = {row[code].value: row[at].value for row in sheet.iter_rows() if row[code].value in shown}
    assert cells == {key: 9 if fen else None for key, fen in shown.items()}
    words = ("收购款", "工资", "土地租金", "分红")
    assert all(word in officials for word in words)
    for page in pages:
        assert page.count("<th scope=\"col\"") == len(keys) and "农户收入" in page
        assert not any(word in page for word in words)
        assert page.count("9.00</span>") == 4  # households and all income: the row and the total


def test_a_foreign_place_answers_like_an_unknown_one(world: World) -> None:
    browser = world.logged_in("official.hua")
    foreign, unknown = (browser.get(LINES.format(code, "purchase_fen"))
                        for code in (codes(world)["greens_home"], "431199999999"))
    assert foreign.status_code == unknown.status_code == 404
    assert re.sub("4311[0-9]+", "", foreign.text) == re.sub("4311[0-9]+", "", unknown.text)
    township = codes(world)["greens_home"][:9] + "000"
    for query in ("county=431128000000", f"township={township}", "village=x", "county='"):
        assert browser.get(f"{PAGE}?{query}").status_code == 404, query
    assert browser.get(PAGE + "?county=431125000000").status_code == 200


def test_nothing_that_is_no_report_is_one(world: World) -> None:
    browser = world.logged_in("official.jin")
    home = codes(world)["pomelo_home"]
    for address in ("/reports/nothing", "/reports/nothing.csv", PAGE + ".exe", PAGE + "?format=exe",
                    LINES.format(home, "farmers_share"), LINES.format(home, "head_name"), "/reports/nothing/lines"):
        assert browser.get(address).status_code == 404, address
    for query in ("period=2026-13", "from=x", "from=2026-11&to=2026-10", "period=1900-01", "every=perhaps"):
        assert browser.get(f"{PAGE}?{query}").status_code == 422, query


def test_csv_has_its_mark_its_codes_as_text_and_no_formula(world: World) -> None:
    answer = world.logged_in("official.jin").get(PAGE + ".csv?period=2026-10")
    assert answer.data[:3] == b"\xef\xbb\xbf" and b"\r\n" in answer.data
    assert 'filename="village-income-2026-10.csv"' in answer.headers["Content-Disposition"]
    text = answer.data.decode("utf-8-sig")
    assert f'"{codes(world)["greens_home"]}"' in text and '"\'=1+1村"' in text
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows[:4]}) == 1 and rows[3][0] == "合计"
    assert any("Asia/Shanghai" in row[0] for row in rows[4:] if row)


def test_xlsx_has_codes_as_text_and_its_period_above(world: World) -> None:
    answer = world.logged_in("official.jin").get(PAGE + ".xlsx?from=2026-09&to=2026-10")
    assert 'filename="village-income-2026-09_2026-10.xlsx"' in answer.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert sheet["A1"].value == "各村销售与收入" and "2026-09 至 2026-10" in sheet["A2"].value
    found = {cell.value: cell for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert found[codes(world)["greens_home"]].data_type == found["=1+1村"].data_type == "s"


def test_every_output_says_whether_the_world_is_invented(world: World, app: Flask) -> None:
    browser = world.logged_in("official.jin")
    for is_demo in (False, True):
        app.extensions["sijin_demo"] = lambda is_demo=is_demo: is_demo
        outputs = [browser.get(PAGE + query).text for query in ("", "?format=print", ".csv")]
        assert [("演示数据" in text) for text in outputs] == [is_demo] * 3
        book = openpyxl.load_workbook(io.BytesIO(browser.get(PAGE + ".xlsx").data)).active
        assert any("演示数据" in str(cell.value) for row in book.iter_rows() for cell in row) == is_demo
        assert told(browser)["demo"] == is_demo and ("demo_mark" in told(browser)) == is_demo


def test_the_head_of_the_ledger_and_what_is_not_sealed_stand_on_every_output(world: World) -> None:
    browser = world.logged_in("official.jin")
    before = told(browser)
    assert before["ledger_head"] is None and before["unsealed_transfers"] == 4
    sealing.seal_all()
    after = told(browser)
    assert re.fullmatch("1:[0-9a-f]{64}", after["ledger_head"]) and after["unsealed_transfers"] == 0
    assert after["rows"] == before["rows"] and after["totals"] == before["totals"]
    for query in ("?period=2026-10", "?period=2026-10&format=print", ".csv?period=2026-10"):
        assert after["ledger_head"] in browser.get(PAGE + query).text


def test_sorting_and_pages_keep_the_totals_of_all_rows(world: World) -> None:
    browser = world.logged_in("official.jin")
    address = PAGE + ".json?period=2026-10&sort=purchase_fen&order="
    ways = {order: [r["purchase_fen"] for r in told(browser, address + order)["rows"]] for order in ("asc", "desc")}
    assert ways["asc"] == sorted(ways["asc"]) == ways["desc"][::-1]
    every = browser.get(PAGE + "?period=2026-10&every=1&sort=purchase_fen&order=desc&page=2").text
    assert every.count('scope="row" class="stay"') == 51 and 'aria-current="page">2<' in every
    assert re.search(r"<tfoot>.*58\.22", every, re.DOTALL)  # 22.14 + 36.08, both on the first page
    assert "sort=purchase_fen" in re.search(r'rel="prev" href="([^"]+)"', every)[1]  # type: ignore[index]


def test_a_figure_opens_to_its_documents_without_a_name(world: World, traded: Trade) -> None:
    browser = world.logged_in("official.jin")
    page = browser.get(PAGE + "?period=2026-10").text
    home = codes(world)["pomelo_home"]
    link = next(a for a in re.findall(r'href="([^"]+lines[^"]+)"', page) if home in a and "farm_gate" in a)
    assert "</span>9.00</span>" in browser.get(link.replace("&amp;", "&")).text
    people = browser.get(LINES.format(home, "people")).text
    assert "DEMO-JY-0001" in people
    named = [name for name in db.session().scalars(select(Household.head_name)) if name in people]
    assert named == []
    for kind in ("csv", "xlsx", "json"):
        assert browser.get(LINES.format(home, "people").replace("/lines", f"/lines.{kind}")).status_code == 200


def test_the_api_reads_the_same_rows_and_the_command_too(world: World, app: Flask, tmp_path: Any) -> None:
    browser = world.logged_in("official.hua")
    api = app.test_client().get("/api/v1/reports/village-income?period=2026-10",
                                headers=world.api_headers("official.hua")).get_json()
    assert api["rows"] == told(browser)["rows"] and api["totals"] == told(browser)["totals"]
    assert app.test_client().get("/api/v1/reports/village-income").status_code == 401
    target = tmp_path / "report.json"
    run = app.test_cli_runner().invoke(args=["report", "village-income", "--period", "2026-10", "--format", "csv",
                                             "--output", str(target)])
    assert run.exit_code == 0, run.output
    page = world.logged_in("official.jin").get(PAGE + ".csv?period=2026-10").data
    assert target.read_bytes().splitlines()[:4] == page.splitlines()[:4]
    assert app.test_cli_runner().invoke(args=["report", "village-income", "--period", "2026-1", "--output",
                                              str(target)]).exit_code == 2


def test_the_officials_first_page_shows_the_month_of_ones_own_area(world: World) -> None:
    assert "</span>58.22</span>" in world.logged_in("official.jin").get("/office").text
    assert "</span>36.08</span>" in world.logged_in("village.kong").get("/office").text
    assert world.logged_in("cook.chen").get("/office").status_code == 403
