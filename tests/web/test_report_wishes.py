"""What a person keeps of a report, links that carry their own wishes, comparison, and stages of amounts."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from market import clock, db
from market.users import User
from orders.income import presence
from orders.reports.models import ReportWish
from tests import report_pages
from tests.counting import count_statements
from tests.trade import Trade
from tests.world import NOON, World

PAGE = "/reports/village-income"
MONTHS = "from=2026-10&to=2026-10"


@pytest.fixture(autouse=True)
def traded(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    app.extensions.update(sijin_presence=presence.things_of, sijin_demo=lambda: False)
    report_pages.trade_of_two_years(Trade(world))
    with clock.at(NOON):
        yield


def headings(page: str) -> int:
    return page.partition("</thead>")[0].count('<th scope="col"')


def test_columns_and_filters_are_kept_for_one_person_alone_and_a_link_wins(world: World) -> None:
    jin, hua = world.logged_in("official.jin"), world.logged_in("official.hua")
    all_of_them = headings(jin.get(PAGE).text)
    kept = jin.post(f"{PAGE}/kept?{MONTHS}", data={"deed": "columns", "columns": ["purchase_fen", "received_fen"]})
    assert kept.status_code == 303 and "columns=purchase_fen,received_fen" in kept.location.replace("%2C", ",")
    assert headings(jin.get(kept.location).text) == headings(hua.get(kept.location).text) == 3
    assert headings(jin.get(PAGE).text) == 3 and headings(hua.get(PAGE).text) == all_of_them
    assert headings(jin.get(f"{PAGE}?{MONTHS}").text) == all_of_them  # a link with its own question wins
    file = jin.get(kept.location.replace("village-income?", "village-income.csv?")).data
    assert [len(row) for row in report_pages.of_csv(file)] == [3] * 4
    jin.post(f"{PAGE}/kept?{MONTHS}&unit_type=school&compare=yoy", data={"deed": "filters"})
    page = jin.get(PAGE).text
    assert "按您为本报表保存的条件显示" in page and "单位类型：学校" in page and headings(page) == 7
    assert "unit_type=school" in page.partition(".xlsx?")[2][:300] and "from=2026-10" not in kept_filters(world)
    jin.post(f"{PAGE}/kept?{MONTHS}", data={"deed": "star"})
    assert "<h2>我的报表" in jin.get("/reports").text and "<h2>我的报表" not in hua.get("/reports").text
    jin.post(f"{PAGE}/kept", data={"deed": "forget"})
    assert headings(jin.get(PAGE).text) == all_of_them and "<h2>我的报表" in jin.get("/reports").text
    jin.post(f"{PAGE}/kept", data={"deed": "unstar"})
    assert "<h2>我的报表" not in jin.get("/reports").text


def kept_filters(world: World) -> dict[str, str]:
    me = select(User.id).where(User.login == "official.jin").scalar_subquery()
    found = db.session().scalar(select(ReportWish.filters).where(ReportWish.user_id == me))
    db.session().rollback()
    return found or {}


def test_kept_wishes_that_fit_no_more_do_not_lock_anybody_out(world: World) -> None:
    jin = world.logged_in("official.jin")
    jin.post(f"{PAGE}/kept?county=431199000000", data={"deed": "filters"})
    jin.post(f"{PAGE}/kept", data={"deed": "columns", "columns": ["gone", "x'--", "<b>"]})
    page = jin.get(PAGE)
    assert page.status_code == 200 and "按您为本报表保存的条件显示" not in page.text
    assert jin.post(f"{PAGE}/kept", data={"deed": "burn"}).status_code == 404
    assert jin.post("/reports/nothing/kept", data={"deed": "star"}).status_code == 404
    assert world.logged_in("cook.chen").post("/reports/unit-progress/kept", data={"deed": "star"}).status_code == 404
    assert world.app.test_client().post(f"{PAGE}/kept", data={"deed": "star"}).status_code == 302


def test_comparison_stands_beside_every_amount_and_narrowing_changes_every_form(world: World) -> None:
    jin = world.logged_in("official.jin")
    plain = jin.get(f"{PAGE}.json?{MONTHS}").get_json()
    told = jin.get(f"{PAGE}.json?{MONTHS}&compare=ytd,yoy&sort=purchase_fen&order=desc").get_json()
    row, before = told["rows"][0], jin.get(f"{PAGE}.json?from=2025-10&to=2025-10").get_json()
    then = next(one for one in before["rows"] if one["code"] == row["code"])
    assert row["purchase_fen_ytd"] == row["purchase_fen"] > 0
    assert row["purchase_fen_change"] == row["purchase_fen"] - then["purchase_fen"] == 0
    assert row["purchase_fen_yoy"] == 0 and told["totals"]["purchase_fen"] == plain["totals"]["purchase_fen"]
    assert row["households_change"] == row["households"] - then["households"]
    september = jin.get(f"{PAGE}.json?from=2026-09&to=2026-09&compare=yoy,ytd").get_json()
    assert september["rows"] == []
    later = jin.get(f"{PAGE}.json?from=2026-11&to=2026-11&compare=ytd").get_json()
    assert [one["purchase_fen"] for one in later["rows"]] == [0, 0]
    assert later["totals"]["purchase_fen_ytd"] == plain["totals"]["purchase_fen"]
    assert all(one["purchase_fen_yoy"] is None for one in jin.get(
        f"{PAGE}.json?from=2025-10&to=2025-10&compare=yoy").get_json()["rows"])
    for facet, value, share in (("unit_type", "school", 2), ("method", "fair", 0), ("certified", "1", 1)):
        narrowed = jin.get(f"{PAGE}.json?{MONTHS}&{facet}={value}").get_json()
        assert len(narrowed["rows"]) == share and narrowed["filters"] == {facet: True if value == "1" else value}
        keys = {column["key"] for column in narrowed["columns"]}
        assert not keys & {"households", "people", "per_head_fen", "farmers_share", "wage_fen", "under_check_fen"}
        wanted = {one["code"] for one in narrowed["rows"]}
        assert narrowed["totals"]["purchase_fen"] == sum(
            one["purchase_fen"] for one in plain["rows"] if one["code"] in wanted)
        assert f"2026-10-{'certified' if value == '1' else value}.csv" in jin.get(
            f"{PAGE}.csv?{MONTHS}&{facet}={value}").headers["Content-Disposition"]
        for form in (".csv", "?format=print", ""):
            text = jin.get(f"{PAGE}{form}{'&' if '?' in form else '?'}{MONTHS}&{facet}={value}").text
            assert "筛选条件" in text, form


def test_an_amount_is_shown_at_the_stage_asked_for(world: World) -> None:
    jin = world.logged_in("official.jin")
    plain = jin.get(f"{PAGE}.json?{MONTHS}").get_json()
    received = jin.get(f"{PAGE}.json?{MONTHS}&stage=received").get_json()
    assert [column["key"] for column in received["columns"]][-1] == "received_fen"
    assert received["totals"] == {"received_fen": 2_000} == {"received_fen": plain["totals"]["received_fen"]}
    placed = jin.get(f"{PAGE}.json?{MONTHS}&stage=placed").get_json()
    months = jin.get(f"/reports/placed-by-month.json?{MONTHS}").get_json()["totals"]
    assert placed["totals"]["net_placed_fen"] == months["net"] > 0
    assert placed["totals"]["back_fen"] == 699 == -months["same"]
    assert jin.get(f"{PAGE}.json?{MONTHS}&stage=accepted").get_json()["rows"] == plain["rows"]
    page = jin.get(f"{PAGE}?{MONTHS}&stage=received&compare=yoy").text
    assert "金额口径：实收" in page and "/lines?" in page
    link = next(part.split('"')[0] for part in page.split('href="') if "/lines?" in part).replace("&amp;", "&")
    lines = jin.get(link.replace("/lines?", "/lines.json?")).get_json()
    assert lines["totals"]["received_fen"] == 1_000 == sum(row["received_fen"] for row in lines["rows"])


def test_a_report_costs_as_many_statements_however_it_is_asked_for(app: Flask, world: World) -> None:
    jin = world.logged_in("official.jin")
    costs = {}
    for query in (MONTHS, MONTHS + "&every=1", MONTHS + "&compare=yoy", MONTHS + "&compare=yoy&every=1"):
        jin.get(f"{PAGE}?{query}")
        with count_statements(app) as statements:
            jin.get(f"{PAGE}?{query}")
        costs[query] = len(statements)
    assert costs[MONTHS + "&compare=yoy&every=1"] <= 2 * costs[MONTHS + "&every=1"], costs
    assert costs[MONTHS + "&every=1"] <= costs[MONTHS] + 2, costs
