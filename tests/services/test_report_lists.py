"""Lists of documents as reports: inspections, delivery notes, cases, certified goods, schools, co-op returns.

One October week: a school and a hospital buy certified cabbage of Xintian and taro of Jiangyong, some goes back.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from catalog.members import surplus
from catalog.members.surplus import Meeting, Plan
from catalog.tracing import certificates
from market import clock, db, figures, sealing
from market.errors import InvalidInput, NotFound
from market.figures import ALL, Facets
from orders.aftersale import cases
from orders.aftersale.cases import Matter
from orders.inspection import recording
from orders.inspection.recording import Bought
from orders.models import Order
from orders.reports import (
    certified_products,
    complaints,
    coop_return,
    delivery_notes,
    inspections,
    listing,
    school_supply,
)
from orders.reports.frame import Asked, Content, Report, fill
from orders.reports.readers import PUBLIC, WHOLE, Area, Reader, reader_of
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, POMELO, SCHOOL, TODAY, World, keep_paper

OCTOBER = Asked("2026-10", "2026-10")
LISTS = (inspections.REPORT, delivery_notes.REPORT, complaints.REPORT)
ALL_SIX = (*LISTS, certified_products.REPORT, school_supply.REPORT, coop_return.REPORT)


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    with clock.at(NOON):
        yield


def read(report: Report, reader: Reader = WHOLE, asked: Asked = OCTOBER) -> Content:
    return fill(report, asked, reader, False).content


def summed(content: Content) -> bool:
    """Every total is the sum of the rows shown."""
    return all(content.totals.values[column.key] == sum(row.values[column.key] or 0 for row in content.rows)
               for column in content.columns if column.sums)


def column(content: Content, key: str) -> list[Any]:
    return [row.values[key] for row in content.rows]


class Week:
    """What was traded; the school's cabbage comes from two lots, one of them of a registered and another household."""

    def __init__(self, trade: Trade) -> None:
        self.trade, world = trade, trade.world
        self.cabbage = trade.product("白菜", price_fen=233, certified=True)
        self.taro = trade.product("香芋", POMELO, price_fen=481)
        home = trade.members(GREENS, world.villages["greens_home"])
        self.registered = trade.lot(self.cabbage, 5, households=[home[0], home[1]])
        with db.transaction():
            certificates.issue(self.registered, ["self_check"], world.person("clerk.zhang"))
        self.mixed = trade.lot(self.cabbage, grams=[30_000, 10_000, 5_000], households=[home[2], home[7], None])
        trade.lot(self.taro, 50, households=list(trade.members(POMELO, world.villages["pomelo_home"])[:2]))
        self.greens, self.pomelo = trade.orders(trade.place({self.cabbage: 9_500, self.taro: 7_500}))
        for order in (self.greens, self.pomelo):
            trade.ship(order.id)
        line = trade.lines(self.greens.id)[0]
        trade.accept(self.greens.id, [replace(trade.in_full(line), grams=9_000)])
        trade.accept(self.pomelo.id)
        self.hospital = trade.orders(trade.place({self.taro: 2_000}, by="cook.wu", unit=HOSPITAL))[0]
        trade.ship(self.hospital.id)

    def complain(self) -> None:
        """Two kilos of the cabbage go back and their money with them; about the taro nothing is said yet."""
        trade, world = self.trade, self.trade.world
        trade.pay(self.greens.id, db.session().get_one(Order, self.greens.id, populate_existing=True).accepted_fen)
        line = trade.lines(self.greens.id)[0]
        with db.transaction():
            case = cases.open_case(self.greens.id, Matter("return", "wilted", "黄叶", {line.id: 2_000}),
                                   world.person("store.wang"))
            cases.open_case(self.pomelo.id, Matter("complaint", "late", "来晚了"), world.person("store.wang"))
        with db.transaction():
            cases.agree(case.id, "同意", None, world.person("chair.shi"))
        trade.refund(self.greens.id, 466)
        with db.transaction():
            cases.open_case(self.greens.id, Matter("complaint", "wilted", "还是黄"), world.person("store.wang"))


@pytest.fixture
def week(trade: Trade) -> Week:
    return Week(trade)


def test_each_list_adds_up_and_holds_its_own_area_only(world: World, week: Week) -> None:
    week.complain()
    with db.transaction():
        keep_paper(world.organisation_id(GREENS), "green", date(2027, 5, 1), product_id=week.cabbage)
    proof = week.trade.proof()
    with db.transaction():
        recording.add(Bought(TODAY, "酱油", "瓶", 12_000, "调料店", best_before=date(2027, 3, 31),
                             supplier_contact="李师傅 13900001234"), proof,
                      (world.person("store.wang"), world.person("aunt.zhao")))
    the_lists_of_the_city(week)
    jiangyong = reader_of(world.person("official.hua"))
    assert set(column(read(delivery_notes.REPORT, jiangyong), "product")) == {"香芋"}
    assert read(delivery_notes.REPORT, jiangyong).totals.values["sent_grams"] == 9_500
    assert column(read(complaints.REPORT, jiangyong), "order") == [week.pomelo.number]
    assert read(complaints.REPORT, jiangyong).totals.values == {"back_fen": 0, "refund_fen": 0}
    assert read(inspections.REPORT, jiangyong).rows == []  # both units stand under the city
    assert read(certified_products.REPORT, jiangyong).rows == read(school_supply.REPORT, jiangyong).rows == []
    for report in ALL_SIX:
        for reader in (PUBLIC, reader_of(world.person("village.cao"))):
            with clock.at(NOON + timedelta(days=30)), pytest.raises(NotFound):
                read(report, reader)
        assert read(report, asked=Asked("2026-09", "2026-09")).rows == [] or report in (
            certified_products.REPORT, coop_return.REPORT)


def the_lists_of_the_city(week: Week) -> None:
    notes = read(delivery_notes.REPORT)
    assert summed(notes) and notes.totals.values == {
        "ordered_grams": 19_000, "sent_grams": 19_000, "accepted_grams": 16_500, "amount_fen": 2097 + 3608}
    first, second = notes.rows[:2]
    assert (first.values["ordered_grams"], second.values["ordered_grams"]) == (9_500, None)
    assert [first.values[key] for key in ("sent_grams", "accepted_grams", "price_fen")] == [5_000, 5_000, 233]
    assert first.values["signatures"] == "张文书、王保管、赵阿姨" and first.values["certificate"]
    assert notes.rows[-1].values["accepted_grams"] is None and notes.rows[-1].values["signatures"] == "吕文书"
    book = read(inspections.REPORT)
    assert (len(book.rows), book.rows[-1].values["contact"]) == (4, "李师傅 139****1234")
    assert len(column(book, "product")) == 4 and column(book, "result") != []
    by_kind = read(complaints.REPORT)
    assert [(row.values["back_fen"], row.values["refund_fen"], row.values["days"]) for row in by_kind.rows] == [
        (466, 466, 0), (0, 0, 0), (0, None, 0)]
    assert column(by_kind, "goods")[0] == "白菜" and by_kind.rows[0].values["closed"] == TODAY.isoformat()
    for report in LISTS:
        assert summed(read(report))
        narrowed = read(report, asked=replace(OCTOBER, facets=Facets(unit_type="hospital")))
        assert len(narrowed.rows) == (1 if report is delivery_notes.REPORT else 0) and summed(narrowed)
        with pytest.raises(NotFound):
            read(report, asked=replace(OCTOBER, unit="1'"))


def test_long_lists_are_cut_on_the_page_and_whole_in_an_export(week: Week, monkeypatch: pytest.MonkeyPatch) -> None:
    week.complain()
    for report in LISTS:
        whole, rows_of = read(report), report.rows_of
        assert rows_of is not None
        for batch in (1, 2, 1_000):
            monkeypatch.setattr(listing, "BATCH", batch)
            with db.snapshot():
                told = list(rows_of(OCTOBER, Area(WHOLE.where), WHOLE))
            assert [row.values for row in told] == [row.values for row in whole.rows]
        monkeypatch.setattr(listing, "MOST", 1)
        cut = read(report)
        assert (len(cut.rows), cut.totals.values) == (1, whole.totals.values)
        assert "1" in cut.notes[0] and cut.rows[0].values == whole.rows[0].values
        monkeypatch.undo()


def test_certified_goods_and_schools_agree_with_the_village_report(world: World, week: Week) -> None:
    week.complain()
    before = (told(certified_products.REPORT), told(school_supply.REPORT))
    sealing.seal_all()
    assert (told(certified_products.REPORT), told(school_supply.REPORT)) == before
    with db.snapshot():
        villages = figures.total_of(figures.village_figures("2026-10", "2026-10"))
        schools = figures.total_of(figures.unit_figures("2026-10", "2026-10", unit_ids=[
            world.organisation_id(SCHOOL)], facets=ALL))
    goods = read(certified_products.REPORT)
    assert summed(goods) and goods.totals.values["sales_fen"] == villages["certified_fen"] == 2097 - 466
    row = goods.rows[0].values
    assert (row["province"], row["city"], row["county"]) == (None, "永州市", "新田县") or row["county"] == "新田县"
    assert [row[key] for key in ("people_helped", "goods_value_fen", "certified_on", "valid_to")] == [None] * 4
    school = read(school_supply.REPORT)
    assert summed(school) and [r.place for r in school.rows] == [str(world.organisation_id(SCHOOL))]
    values = school.rows[0].values
    assert values["fen"] == schools["accepted_fen"] - schools["returned_fen"]
    assert values["grams"] == schools["accepted_grams"] - schools["returned_grams"] == 14_500
    assert values["diners"] is None and values["points"] == "食堂后门"
    the_registered_part(values)
    for report, lines_of in ((certified_products.REPORT, certified_products.lines_of),
                             (school_supply.REPORT, school_supply.lines_of)):
        whole = read(report)
        for one in whole.columns:
            if one.opens:
                behind = read(lines_of(one.key), asked=replace(OCTOBER, row=whole.rows[0].place))
                assert behind.totals.values[one.key] == whole.rows[0].values[one.key], one.key
                assert summed(behind) and behind.rows
        for row_id in ("999999", "", "x"):
            with pytest.raises(NotFound):
                read(lines_of("sales_fen" if report is certified_products.REPORT else "fen"),
                     asked=replace(OCTOBER, row=row_id))
    for report in (certified_products.REPORT, school_supply.REPORT):
        with pytest.raises(InvalidInput):
            read(report, asked=Asked("2025-10", "2026-10"))


def told(report: Report) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    content = read(report)
    return [row.values for row in content.rows], content.totals.values


def the_registered_part(values: dict[str, Any]) -> None:
    """Five kilos of registered households; of the four accepted of the mixed lot 30/45, of which two went back."""
    # 3,889 g of the first lot, 30/45 of 3,111 g of the mixed one, all 7,500 g of the taro
    assert (values["registered_grams"], values["households"]) == (13_463, 5)
    assert values["share_points"] == (values["registered_fen"] * 20_000 + values["fen"]) // (values["fen"] * 2)
    assert values["per_household_fen"] == (values["income_fen"] * 2 + 5) // 10
    assert 0 < values["income_fen"] <= 14_500 * 120 // 1000


def test_a_return_is_read_by_name_at_home_and_by_code_at_the_office(world: World, week: Week) -> None:
    clerk, chair = world.person("clerk.zhang"), world.person("chair.shi")
    with db.transaction():
        surplus.set_capital(world.household_id("DEMO-XT-0001"), 10_000, clerk)
        draft = surplus.draw_up(Plan(date(2026, 1, 1), TODAY, 100_001, 1000, 6000), clerk).id
    own = reader_of(chair)
    assert read(coop_return.REPORT).rows == []  # a draft is nobody else's
    with db.transaction():
        surplus.confirm(draft, Meeting("社员大会〔2026〕3号", TODAY), chair)
    office = read(coop_return.REPORT)
    assert summed(office) and "name" not in {one.key for one in office.columns}
    assert column(office, "member")[:3] == ["DEMO-XT-0001", "DEMO-XT-0002", "DEMO-XT-0003"]
    assert office.totals.values["volume_fen"] == 54_001 and office.totals.values["capital_fen"] == 36_000
    assert set(column(office, "distributable_fen")) == {90_001}
    assert office.rows[0].values["decision"] == "社员大会〔2026〕3号 2026-10-12"
    with clock.at(NOON + timedelta(days=30)):
        mine = read(coop_return.REPORT, own)
        assert column(mine, "name")[0] == "XT户1" and column(mine, "member")[0] == "M001"
        assert [row.values["total_fen"] for row in mine.rows] == column(office, "total_fen")
        assert read(coop_return.REPORT, reader_of(world.person("chair.he"))).rows == []
    assert read(coop_return.REPORT, reader_of(world.person("official.hua"))).rows == []
    for key in ("grams", "traded_fen"):
        lots = read(coop_return.lines_of(key), asked=replace(OCTOBER, row=office.rows[0].place))
        assert lots.totals.values[key] == office.rows[0].values[key] and summed(lots)
    with pytest.raises(NotFound):
        read(coop_return.lines_of("grams"), reader_of(world.person("official.hua")),
             replace(OCTOBER, row=office.rows[0].place))
