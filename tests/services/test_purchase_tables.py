"""Purchases line by line, by place and method, and by supplier: every table adds up to the village report."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select

from market import clock, db, sealing, sheets
from market.errors import NotFound
from market.figures import Facets
from market.parties import Organisation
from market.places import Division
from orders.aftersale import cases, crediting, ratings
from orders.aftersale.cases import Matter
from orders.delivering import returns
from orders.income import presence
from orders.models import Order
from orders.reports import (
    bought,
    place_method,
    place_method_lines,
    purchase_detail,
    supplier_ledger,
    village_income,
)
from orders.reports.bought import Wanted
from orders.reports.frame import Asked, Filled, Report, as_table, fill
from orders.reports.readers import PUBLIC, WHOLE, Reader, area_of, number_of
from tests.counting import count_statements
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, POMELO, SCHOOL, World, keep_paper

NOVEMBER = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 3, 4, 0, tzinfo=UTC)
MONTHS = (("2026-10", "2026-10"), ("2026-11", "2026-11"), ("2026-10", "2026-12"))


@pytest.fixture(autouse=True)
def things_are_counted(app: Flask) -> Iterator[None]:
    app.extensions["sijin_presence"] = presence.things_of
    with clock.at(NOON):
        yield


def read(report: Report, first: str, last: str | None = None, reader: Reader = WHOLE, **more: Any) -> Filled:
    return fill(report, Asked(first, last or first, **more), reader, demo=False)


def village_total(first: str, last: str, **more: Any) -> int:
    """The purchase amount of the village report, in fen."""
    found: int = read(village_income.REPORT, first, last, **more).content.totals.values["purchase_fen"]
    return found


def rows(filled: Filled) -> dict[str, dict[str, Any]]:
    return {row.place: row.values for row in filled.content.rows}


def every_row(first: str, last: str, **more: Any) -> list[dict[str, Any]]:
    """What an export holds."""
    asked = Asked(first, last, **more)
    with db.snapshot():
        area = area_of(WHOLE, asked.county, asked.township, asked.village)
        return [row.values for row in purchase_detail.rows_of(asked, area, WHOLE)]


def bought_and_sent_back(world: World, trade: Trade) -> dict[str, Order]:
    """October: the school takes certified cabbage of two villages, and taro at a fair; an order moves to the hospital.
    November: a part of the cabbage comes back, and the cabbage of October is paid.
    """
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id(HOSPITAL)).parent_id = world.organisation_id(SCHOOL)
    cabbage, taro = trade.product("白菜", price_fen=233, certified=True), trade.product("香芋", POMELO, price_fen=481)
    box = trade.product("礼盒", POMELO, price_fen=3_000, unit="箱", grams_per_unit=2_500, by_weight=False)
    with db.transaction():
        keep_paper(world.organisation_id(GREENS), "green", date(2027, 1, 1), product_id=cabbage)
    trade.lot(cabbage, 8)  # the order below comes out of two lots
    trade.lot(cabbage, 40, households=[trade.members(GREENS, world.villages["greens_home"])[2]])
    both = [*trade.members(POMELO, world.villages["pomelo_home"])[:2],
            *trade.members(POMELO, world.villages["pomelo_next"])[:1]]
    trade.lot(taro, 60, households=list(both))
    trade.lot(box, 50)
    orders = {"cabbage": trade.orders(trade.place({cabbage: 9_500}))[0],
              "taro": trade.orders(trade.place({taro: 7_000, box: 2_000}))[0],
              "moved": trade.orders(trade.place({taro: 3_000}))[0]}
    with db.transaction() as session:
        session.get_one(Order, orders["taro"].id).method = "fair"
    for order in orders.values():
        trade.ship(order.id)
        trade.accept(order.id)
    with db.transaction():
        change = crediting.ask(orders["moved"].id, world.organisation_id(HOSPITAL), "医院订的", None,
                               world.person("cook.chen"))
    with db.transaction():
        crediting.approve(change.id, world.person("admin.qian"))
    with db.transaction():
        ratings.rate(orders["cabbage"].id, 4, 5, "新鲜", world.person("cook.chen"))
        cases.open_case(orders["cabbage"].id, Matter("complaint", "wilted", "叶子黄了", {
            trade.lines(orders["cabbage"].id)[0].id: 1_000}), world.person("cook.chen"))
    with clock.at(NOVEMBER):
        with db.transaction():
            returns.take_back(orders["cabbage"].id, {trade.lines(orders["cabbage"].id)[0].id: 4_000}, "发黄",
                              world.person("store.wang"), world.person("chair.shi"))
        trade.pay(orders["cabbage"].id, orders["cabbage"].placed_fen - 932)
    return orders


def test_purchases_by_line_by_place_and_by_supplier_tell_one_story(world: World, trade: Trade) -> None:
    orders = bought_and_sent_back(world, trade)
    with clock.at(DECEMBER):
        told = _all_tables(world)
        sealing.seal(limit=9)
        assert _all_tables(world) == told  # half in a block, half not
        sealing.seal_all()
        assert _all_tables(world) == told
        _detail_names_what_documents_say(orders)
        _places_and_methods(orders)
        _suppliers(world)
        assert read(place_method.REPORT, "2020-01").content.totals.values["all-fen"] == 0
    for report in (purchase_detail.REPORT, place_method.REPORT, supplier_ledger.REPORT):
        with pytest.raises(NotFound):
            read(report, "2026-09", reader=PUBLIC)


def _all_tables(world: World) -> list[Any]:
    """Every total beside the village report's; rows as they stand, whether sealed or not."""
    told: list[Any] = []
    county = db.session().scalars(select(Division.code).join_from(
        Division, Organisation, Division.id == Organisation.division_id).where(
        Organisation.name.contains("演示乡村振兴局"), Division.level == "county")).one()
    for months in MONTHS:
        for more in ({}, {"county": county}):
            purchase = village_total(*months, **more)
            detail = read(purchase_detail.REPORT, *months, **more)
            cells = read(place_method.REPORT, *months, **more)
            amounts = [row.values["amount_fen"] for row in detail.content.rows]
            assert sum(amounts) == detail.content.totals.values["amount_fen"] == purchase
            assert [row.values for row in detail.content.rows] == every_row(*months, **more)
            assert cells.content.totals.values["all-fen"] == purchase == sum(
                value for values in rows(cells).values() for key, value in values.items()
                if key.endswith("-fen") and key != "all-fen")
            assert sum(row["grams"] for row in every_row(*months, **more)) == (
                detail.content.totals.values["grams"]) == cells.content.totals.values["all-grams"]
            told.append((rows(detail), rows(cells)))
        suppliers = read(supplier_ledger.REPORT, *months)
        assert sum(values["sales_fen"] for values in rows(suppliers).values()) == village_total(*months)
        told.append(rows(suppliers))
    for facets in (Facets(unit_type="hospital"), Facets(method="fair"), Facets(certified=True), Facets(certified=False),
                   Facets(fund_source="canteen"), Facets(category="vegetables"), Facets(method="assisted")):
        detail = read(purchase_detail.REPORT, "2026-10", "2026-12", facets=facets)
        cells = read(place_method.REPORT, "2026-10", "2026-12", facets=facets)
        assert sum(row["amount_fen"] for row in rows(detail).values()) == (
            detail.content.totals.values["amount_fen"]) == cells.content.totals.values["all-fen"]
        told.append((facets, detail.content.totals.values))
    hospital = str(world.organisation_id(HOSPITAL))
    told.append(rows(read(purchase_detail.REPORT, "2026-10", "2026-12", unit=hospital)))
    assert {row["unit"] for row in told[-1].values()} == {"永州演示医院"}
    with pytest.raises(NotFound):
        number_of("医院")
    return told


def _detail_names_what_documents_say(orders: dict[str, Order]) -> None:
    lines = every_row("2026-10", "2026-12")
    cabbage = [row for row in lines if row["order"] == orders["cabbage"].number]
    assert [(row["day"], row["grams"], row["amount_fen"]) for row in cabbage] == [
        ("2026-10-12", 9_500, 2_214), ("2026-11-03", -4_000, -932)]
    accepted = cabbage[0]
    assert (accepted["unit"], accepted["goods"], accepted["spec"], accepted["price_fen"], accepted["households"]) == (
        "永州演示第一小学", "白菜", "公斤", 233, 3)
    assert (accepted["certificate"], accepted["accepted_on"], accepted["paid_on"], accepted["invoice"]) == (
        "DEMO-001", "2026-10-12", "2026-11-03", None)
    assert accepted["origin"].startswith("永州市 新田县")
    taro = [row for row in lines if row["order"] == orders["taro"].number and row["goods"] == "香芋"]
    assert len(taro) == 2 and len({row["origin"] for row in taro}) == 2  # two villages grew it
    assert sum(row["amount_fen"] for row in taro) == 7 * 481 and {row["certificate"] for row in taro} == {None}
    moved = [row for row in lines if row["order"] == orders["moved"].number]
    assert sorted((row["unit"], row["amount_fen"] > 0) for row in moved) == [
        ("永州演示医院", True)] * 2 + [("永州演示第一小学", False)] * 2 + [("永州演示第一小学", True)] * 2
    assert any(row["spec"] == "箱 (2.5 kg)" and row["price_fen"] == 3_000 for row in lines)
    text = str(lines)
    assert "户1" not in text and "DEMO-XT" not in text  # households are counted, no one is named
    with db.snapshot():
        some, more = bought.first_lines(Wanted("2026-10", "2026-12"), most=3)
    assert more and [f"T{line.number}" for line in some] == list(rows(read(purchase_detail.REPORT, "2026-10",
                                                                          "2026-12")))[:len(some)]


def _places_and_methods(orders: dict[str, Order]) -> None:
    october, whole = read(place_method.REPORT, "2026-10"), read(place_method.REPORT, "2026-10", "2026-12")
    assert list(rows(october)) == ["agency", "school", "hospital", "enterprise"]
    school, hospital = rows(october)["school"], rows(october)["hospital"]
    assert (school["direct_online-fen"], school["direct_online-orders"], school["fair-orders"]) == (2_214, 1, 1)
    assert (school["fair-fen"], school["fair-villages"]) == (7 * 481 + 6_000, 2)
    assert (hospital["direct_online-fen"], hospital["all-orders"], hospital["all-villages"]) == (3 * 481, 1, 2)
    assert school["direct_online-certified"] == 10_000 and hospital["all-certified"] == 0
    assert all(school[f"assisted-{measure}"] == 0 for measure in ("orders", "fen", "grams", "villages"))
    assert school["assisted-certified"] is None and set(rows(october)["agency"].values()) - {0, None} == {
        rows(october)["agency"]["kind"]}
    totals = october.content.totals.values
    assert (totals["all-orders"], totals["all-villages"], totals["all-change"]) == (3, 3, None)
    november = read(place_method.REPORT, "2026-11")
    assert rows(november)["school"]["direct_online-fen"] == -932
    assert rows(november)["school"]["direct_online-change"] == -14_210  # -9.32 after 22.14
    assert rows(november)["school"]["fair-change"] == -10_000 and rows(november)["school"]["all-orders"] == 0
    for place, values in rows(whole).items():  # what opens adds up to the cell
        for column in whole.content.columns:
            if column.opens and values[column.key]:
                behind = read(place_method_lines.report_of(column.key), "2026-10", "2026-12", row=place)
                last = behind.content.columns[-1]
                amounts = [row.values[last.key] for row in behind.content.rows]
                assert sum(amounts) == behind.content.totals.values[last.key] == values[column.key], (place, column.key)
    for figure in ("all-change", "fair-certified", "kind", "", "nothing-fen"):
        with pytest.raises(NotFound):
            place_method_lines.report_of(figure)
    with pytest.raises(NotFound):
        read(place_method_lines.report_of("all-fen"), "2026-10", row="palace")


def _suppliers(world: World) -> None:
    october = {values["supplier"]: values for values in rows(read(supplier_ledger.REPORT, "2026-10")).values()}
    assert set(october) == {"江永县演示香柚合作社", "新田县演示蔬菜合作社"}  # who only applies is none yet
    greens = october["新田县演示蔬菜合作社"]
    assert (greens["sales_fen"], greens["orders"], greens["ratings"], greens["stars"], greens["complaints"]) == (
        2_214, 1, 1, "4.0", 1)
    assert (greens["returns"], greens["papers_due"], greens["county"]) == (0, 1, "新田县")
    assert greens["farm_gate"] == 5_149  # 11.40 of 22.14
    whole = read(supplier_ledger.REPORT, "2026-10", "2026-12")
    at = {values["supplier"]: place for place, values in rows(whole).items()}
    assert rows(whole)[at["新田县演示蔬菜合作社"]]["returns"] == 4_210  # 9.32 of 22.14
    for place, values in rows(whole).items():
        for figure in ("sales_fen", "orders"):
            behind = read(supplier_ledger.lines_of(figure), "2026-10", "2026-12", row=place)
            assert behind.content.totals.values[behind.content.columns[-1].key] == values[figure]
            assert sum(row.values[behind.content.columns[-1].key] for row in behind.content.rows) == values[figure]
    jiangyong = Reader(True, area_of(WHOLE, "431125000000", None, None).where)
    assert set(rows(read(supplier_ledger.REPORT, "2026-10", reader=jiangyong))) == {
        str(world.organisation_id(POMELO))}
    for foreign in (at["新田县演示蔬菜合作社"], "999999", "x"):
        with pytest.raises(NotFound):
            read(supplier_ledger.lines_of("orders"), "2026-10", reader=jiangyong, row=foreign)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_statements_do_not_follow_the_number_of_orders(app: Flask, world: World, trade: Trade) -> None:
    cabbage, taro = trade.product("白菜"), trade.product("香芋", POMELO)
    trade.lot(cabbage, 200)
    trade.lot(taro, 200)
    reports = (purchase_detail.REPORT, place_method.REPORT, supplier_ledger.REPORT,
               place_method_lines.report_of("all-orders"), place_method_lines.report_of("all-fen"))
    counts = []
    for number in (1, 8):
        for _ in range(number):
            for order in trade.orders(trade.place({cabbage: 1_000, taro: 1_000})):
                trade.ship(order.id)
                trade.accept(order.id)
        costs = []
        for report in reports:
            with count_statements(app) as seen:
                read(report, "2026-10", row="school")
            costs.append(len(seen))
        counts.append(costs)
    assert counts[0] == counts[1] and max(counts[0]) <= 24


@pytest.mark.parametrize("backend", ["sqlite"])
def test_the_year_reported_decides_the_words_in_both_languages(app: Flask, world: World, trade: Trade) -> None:
    words = {("zh", "2020-12"): ("消费扶贫明细", "扶贫产品认定号", "贫困村"),
             ("zh", "2026-10"): ("消费帮扶明细", "帮扶产品认定号", "脱贫村"),
             ("en", "2020-12"): ("Purchase detail, poverty alleviation", "Poverty alleviation goods no.",
                                 "Poor village"),
             ("en", "2026-10"): ("Purchase detail, rural support", "Rural support goods no.",
                                 "Village lifted from poverty")}
    for (language, month), (title, certificate, village) in words.items():
        with app.test_request_context(), force_locale(language):
            detail, places = read(purchase_detail.REPORT, month), read(village_income.REPORT, month)
            file = list(csv.reader(io.StringIO(sheets.write_csv(as_table(detail)).decode("utf-8-sig"))))
            headings = [heading.text for heading in as_table(places).headings]
        assert detail.title == title and certificate in file[0] and title in str(file), (language, month)
        assert village in headings, (language, month)
        others = {word for key, some in words.items() if key[1] != month for word in some[:2]}
        assert not others & {*file[0], detail.title}
