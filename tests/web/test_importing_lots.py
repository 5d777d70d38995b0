"""Harvests by the table: rows of one lot number are one lot, booked once, by the rules of the weigh-in."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from catalog.importing import lot_sheet
from catalog.importing.models import ImportedLot
from catalog.lot_models import LotDetail
from catalog.models import Lot, LotContribution, LotShare, StockMove
from market import clock, db
from market.households import CoopMember
from market.places import Division
from tests import tables
from tests.goods import book, list_goods, shelves
from tests.tables import checked, confirm, csv_of, faults, imported, told, work, xlsx_of
from tests.web.test_importing import TRICKY
from tests.world import GREENS, NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def clerk(world):
    shelves()
    return world.logged_in("clerk.zhang")


@pytest.fixture
def cabbage(world: World, clerk) -> int:
    return list_goods(world, GREENS, supply="stocked", name="白菜")


@pytest.fixture
def village(world: World) -> str:
    return db.session().scalars(select(Division.code).where(Division.id == world.villages["greens_home"])).one()


def member_no(world: World, number: int = 1, coop: str = GREENS) -> str:
    return db.session().scalars(select(CoopMember.member_no).where(
        CoopMember.supplier_id == world.organisation_id(coop)).order_by(CoopMember.id)).all()[number - 1]


def row(reference: str = "本子 12 页", **said: str) -> dict[str, str]:
    return {"reference": reference, "product": "白菜", "harvested_on": "2026-10-11", "farm_gate_fen_per_kg": "1.20",
            "member": "", "village": "", "unsplit": "", "grams": "10.5", "milli": "", "best_before": "2026-11-01",
            "received_at": "收购点", "plot": "", "area_mu_hundredths": "2.5", "test": "合格", "test_note": "", **said}


def lots_csv(*rows: dict[str, str]) -> bytes:
    return csv_of(rows, lot_sheet.KIND)


def counted(entity) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


@pytest.mark.parametrize("make", [csv_of, xlsx_of], ids=["csv", "xlsx"])
def test_rows_of_one_number_are_one_lot(world, clerk, cabbage, village, make):
    rows = [row(member=member_no(world)), row(member=member_no(world, 2), grams="4"), row(village=village, grams="3"),
            row("第二批", village=village, unsplit="是", grams="7.5", test="", best_before="")]
    content = make(rows, lot_sheet.KIND)
    one = imported(clerk, "lots", content)
    assert (one.state, one.new_rows) == ("done", 4)
    first, second = db.session().scalars(select(Lot).order_by(Lot.id)).all()
    assert (first.total_grams, first.total_milli, first.on_hand_milli, first.confirmed_at) == (17_500, 35_000, 35_000,
                                                                                               None)
    assert (first.harvested_on.isoformat(), first.best_before.isoformat(), first.farm_gate_fen_per_kg) == (
        "2026-10-11", "2026-11-01", 120)
    assert second.best_before == second.harvested_on + timedelta(days=30)
    given = db.session().execute(select(LotContribution.lot_id, LotContribution.grams, LotContribution.unsplit,
                                        LotContribution.household_id.is_(None)).order_by(LotContribution.id)).all()
    assert [tuple(g) for g in given] == [(first.id, 10_500, False, False), (first.id, 4_000, False, False),
                                         (first.id, 3_000, False, True), (second.id, 7_500, True, True)]
    assert counted(LotShare) == 3
    assert counted(StockMove) == 2
    assert db.session().get_one(LotDetail, first.id).test == "passed"
    again = checked(clerk, "lots", content + (b"\r\n" if make is csv_of else b""))
    assert (again.state, again.unchanged_rows, counted(Lot)) == ("done", 4, 2)


def test_a_booked_lot_does_not_change(world, clerk, cabbage, village):
    rows = [row(member=member_no(world)), row(member=member_no(world, 2))]
    imported(clerk, "lots", lots_csv(*rows))
    for change, column in (({"grams": "99"}, "重量（公斤）"), ({"farm_gate_fen_per_kg": "9"}, "收购价（元/公斤）"),
                           ({"test": "不合格"}, "抽检"), ({"harvested_on": "2026-10-10"}, "采收日期")):
        one = checked(clerk, "lots", lots_csv(*(r | change for r in rows)))
        assert (one.state, faults(one.id)) == ("faulty", [(2, column)])
    one = checked(clerk, "lots", lots_csv(rows[0]))  # half of it
    assert faults(one.id) == [(2, "重量（公斤）")]
    assert counted(Lot) == 1


def test_what_is_wrong_is_named_by_row_and_column(world, clerk, cabbage, village):
    theirs = list_goods(world, POMELO, supply="stocked", name="香柚")
    foreign = book(world, theirs, 10)
    known = member_no(world)
    rows = [row("1", member=known, product="香柚"), row("2", member=known, product=str(theirs)),
            row("3", member=member_no(world, 16, POMELO)), row("4", village="431125999999"), row("5"),
            row("6", member=known, harvested_on="2026-10-13"), row("7", member=known, best_before="2026-10-01"),
            row("8", member=known, milli="3"), row("9", member=known), row("9", member=known, plot="别处"),
            row(foreign, member=known), row("L261012-AAAAAAA", member=known), row("10", member=known, grams="0"),
            row("11", member=known, harvested_on="昨天"), row("12", member=known, village=village)]
    one = checked(clerk, "lots", lots_csv(*rows))
    assert faults(one.id) == [
        (2, "农产品"), (3, "农产品"), (4, "社员号"), (5, "基地所在村"), (6, "社员号"), (7, "采收日期"), (8, "保质期至"),
        (11, "地块"), (12, "批号"), (13, "批号"), (14, "重量（公斤）"), (15, "采收日期"), (16, "社员号")]
    one = checked(clerk, "lots", lots_csv(rows[7]))
    assert faults(one.id) == [(2, "数量（件）")]
    one = checked(clerk, "lots", lots_csv(*rows))
    page = clerk.get(f"/village/imports/{one.id}").text
    assert page.count("您没有这个代码的批次") == 2  # somebody else's is nobody's
    assert counted(ImportedLot) == 0
    assert counted(Lot) == 1


def test_days_as_spreadsheets_write_them(world, clerk, cabbage):
    one = checked(clerk, "lots", lots_csv(row(member=member_no(world), harvested_on="2026/10/1")))
    assert one.state == "ready", faults(one.id)


def test_pieces_need_their_number(world, clerk):
    list_goods(world, GREENS, supply="stocked", name="白菜", unit="箱", grams_per_unit=5_000)
    known = member_no(world)
    one = checked(clerk, "lots", lots_csv(row("1", member=known, grams="50"),
                                          row("2", member=known, grams="50", milli="10")))
    assert faults(one.id) == [(2, "数量（件）")]
    imported(clerk, "lots", lots_csv(row("2", member=known, grams="50", milli="10")))
    assert db.session().scalars(select(Lot.total_milli)).one() == 10_000


def test_what_changes_after_the_preview_stops_all(world, clerk, cabbage):
    """A member who leaves between preview and writing: found again under the lock, and nothing of it is booked."""
    known = [member_no(world), member_no(world, 2)]
    one = checked(clerk, "lots", lots_csv(row("1", member=known[0]), row("2", member=known[1])))
    assert one.state == "ready"
    with db.transaction() as session:
        membership = db.table(CoopMember)
        session.execute(membership.delete().where(membership.c.member_no == known[1]))
    confirm(clerk, one.id)
    work()
    assert (told(one.id).state, counted(Lot), counted(ImportedLot)) == ("faulty", 0, 0)
    assert faults(one.id) == [(3, "社员号")]


def test_the_last_rule_is_the_weigh_ins(world, clerk, cabbage, monkeypatch):
    known = member_no(world)
    one = checked(clerk, "lots", lots_csv(row("1", member=known), row("2", member=known)))
    confirm(clerk, one.id)
    real = lot_sheet.lots.book
    calls = []

    def refuses_the_second(*given, **more):
        calls.append(given)
        if len(calls) == 2:
            raise lot_sheet.lots.InvalidInput({"milli": [lot_sheet.DISAGREE]})
        return real(*given, **more)

    monkeypatch.setattr(lot_sheet.lots, "book", refuses_the_second)
    work()
    assert (told(one.id).state, counted(Lot)) == ("faulty", 0)
    assert faults(one.id) == [(3, "批号")]


def test_more_lots_than_one_table_may_hold(world, clerk, cabbage):
    known = member_no(world)
    rows = [row(f"第{n}批", member=known) for n in range(lot_sheet.MOST_LOTS + 1)]
    one = checked(clerk, "lots", lots_csv(*rows))
    assert faults(one.id) == [(lot_sheet.MOST_LOTS + 2, "批号")]
    one = imported(clerk, "lots", lots_csv(*rows[:-1]))
    assert (one.state, counted(Lot)) == ("done", lot_sheet.MOST_LOTS)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_lots_go_out_and_come_back_unchanged(world, clerk, cabbage, village, ending):
    known = member_no(world)
    boxes = list_goods(world, GREENS, supply="stocked", name="白菜", unit="箱", grams_per_unit=5_000)
    rows = [row(name, product=str(cabbage), member=known, plot=name, test_note=name) for name in TRICKY
            if name != "示例"]
    imported(clerk, "lots", xlsx_of([*rows, row("箱", product=str(boxes), village=village, grams="51", milli="10"),
                                     row("后", product=str(cabbage), village=village, unsplit="是")], lot_sheet.KIND))
    book(world, cabbage, 20, confirmed=False)
    out = clerk.get(f"/village/imports/exports/lots.{ending}").data
    again = checked(clerk, "lots", out)
    assert (again.state, again.unchanged_rows) == ("done", len(rows) + 4), faults(again.id)
    rival = world.logged_in("clerk.lv").get("/village/imports/exports/lots.csv").text
    assert rival.count("\n") == 1
    template = clerk.get("/village/imports/templates/lots.xlsx").data
    assert checked(clerk, "lots", template).left_out_rows == 1
    assert TODAY.isoformat() in str(tables.cells_of(template))
