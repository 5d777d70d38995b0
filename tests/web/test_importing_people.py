"""Members of a co-operative and designations of villages by the table: walls between desks, facts that stay."""

import pytest
from sqlalchemy import func, select

from catalog.importing import designation_sheet, member_sheet
from market import clock, db, journal
from market.households import CoopMember, Household
from market.places import Division, VillageDesignation
from tests import tables
from tests.tables import checked, csv_of, faults, imported, xlsx_of
from tests.world import GREENS, NOON, POMELO, World

OFFICE = "/office/imports"


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def code(world: World, key: str) -> str:
    return db.session().scalars(select(Division.code).where(Division.id == world.villages[key])).one()


def counted(entity) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def member(number: str, name: str, village: str, people: str = "3", register_code: str = "") -> dict[str, str]:
    return {"member_no": number, "head_name": name, "village": village, "people": people,
            "register_code": register_code}


def members_csv(*rows: dict[str, str]) -> bytes:
    return csv_of(rows, member_sheet.KIND)


# ---- members --------------------------------------------------------------------------------------------------------


def test_members_join_with_households_of_their_own(world):
    village = code(world, "greens_home")
    clerk = world.logged_in("clerk.zhang")
    before = counted(Household)
    rows = [member("X001", "欧阳𠙶", village, "4"), member("X002", "=李四", village)]
    one = imported(clerk, "members", members_csv(*rows))
    assert (one.state, one.new_rows) == ("done", 2)
    found = db.session().execute(
        select(CoopMember.member_no, Household.head_name, Household.people, Household.village_id,
               Household.register_code, Household.id)
        .join(Household).where(CoopMember.member_no.startswith("X")).order_by(CoopMember.member_no)).all()
    assert [row[:5] for row in found] == [("X001", "欧阳𠙶", 4, world.villages["greens_home"], None),
                                          ("X002", "=李四", 3, world.villages["greens_home"], None)]
    assert journal.timeline("household", found[0].id)[0]["action"] == "member.joined"
    assert checked(clerk, "members", members_csv(*rows)).unchanged_rows == 2
    one = imported(clerk, "members", members_csv(rows[0] | {"people": "5"}))
    assert one.changed_rows == 1
    assert counted(Household) == before + 2
    assert db.session().get_one(Household, found[0].id).people == 5


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_members_go_out_and_come_back_unchanged(world, ending):
    clerk = world.logged_in("clerk.zhang")
    out = clerk.get(f"/village/imports/exports/members.{ending}").data
    assert "香柚" not in str(out)
    one = checked(clerk, "members", out)
    assert (one.state, one.unchanged_rows) == ("done", 8), faults(one.id)


def test_a_registered_household_joins_only_where_the_register_agrees(world):
    village = code(world, "pomelo_home")
    clerk = world.logged_in("clerk.zhang")  # of the other co-operative
    home = db.session().get_one(Household, world.household_id("DEMO-JY-0001"))
    right = member("Y1", home.head_name, village, str(home.people), "DEMO-JY-0001")
    wrong = [right | {"member_no": "Y2", "head_name": "别人"}, right | {"member_no": "Y3", "people": "9"},
             right | {"member_no": "Y4", "village": code(world, "greens_home")},
             right | {"member_no": "Y5", "register_code": "NOBODYS"}]
    messages = set()
    for row in wrong:
        one = checked(clerk, "members", members_csv(row))
        assert faults(one.id) == [(2, "建档立卡编号")]
        messages.add(clerk.get(f"/village/imports/{one.id}").text.count("没有编号、户主、村和人口都相符的登记户"))
    assert messages == {1}
    before = counted(Household)
    imported(clerk, "members", members_csv(right))
    assert counted(Household) == before
    assert db.session().scalar(select(CoopMember.household_id).where(CoopMember.member_no == "Y1")) == home.id


def test_what_the_register_says_of_a_member_stays(world):
    clerk = world.logged_in("clerk.zhang")
    village = code(world, "greens_home")
    known = db.session().execute(
        select(CoopMember.member_no, Household.head_name, Household.people, Household.register_code)
        .join(Household).where(CoopMember.supplier_id == world.organisation_id(GREENS),
                               Household.register_code == "DEMO-XT-0001")).one()
    row = member(known.member_no, known.head_name, village, str(known.people), known.register_code)
    for change, column in (({"head_name": "别人"}, "户主姓名"), ({"people": "9"}, "人口"),
                           ({"register_code": "DEMO-XT-0002"}, "建档立卡编号"),
                           ({"village": code(world, "pomelo_home")}, "村")):
        one = checked(clerk, "members", members_csv(row | change))
        assert faults(one.id) == [(2, column)]
    again = checked(clerk, "members", members_csv(row | {"member_no": "NEW"}))
    assert faults(again.id) == [(2, "建档立卡编号")]
    assert known.member_no in clerk.get(f"/village/imports/{again.id}").text


def test_another_cooperatives_member_is_nobodys_here(world):
    """The same number is another household; a number names only one's own."""
    village = code(world, "greens_home")
    theirs = db.session().scalars(select(CoopMember.household_id).where(
        CoopMember.supplier_id == world.organisation_id(POMELO), CoopMember.member_no == "M016")).one()
    clerk = world.logged_in("clerk.zhang")
    one = imported(clerk, "members", members_csv(member("M016", "新人", village)))
    assert one.new_rows == 1
    assert db.session().get_one(Household, theirs).head_name != "新人"


def test_a_number_is_said_once_and_a_village_exists(world):
    village = code(world, "greens_home")
    rows = [member("X1", "甲", village), member("X1", "乙", village), member("X2", "丙", "431125999999"),
            member("", "丁", village), member("X3", "戊", village, "31"), member("X4", "己", "哪里")]
    one = checked(world.logged_in("clerk.zhang"), "members", members_csv(*rows))
    assert faults(one.id) == [(3, "社员号"), (4, "村"), (5, "社员号"), (6, "人口"), (7, "村")]


# ---- designations ---------------------------------------------------------------------------------------------------


def designation(village: str, year: str = "2026", designated: str = "是", source: str = "省级名单", name: str = "",
                ) -> dict[str, str]:
    return {"village": village, "name": name, "year": year, "designated": designated, "source": source}


@pytest.mark.parametrize("make", [csv_of, xlsx_of], ids=["csv", "xlsx"])
def test_an_official_says_for_the_villages_of_the_area(world, make):
    home, following = code(world, "pomelo_home"), code(world, "pomelo_next")
    official = world.logged_in("official.hua")
    rows = [designation(home, designated="否", source="退出"), designation(following), designation(home, "2020")]
    one = imported(official, "designations", make(rows, designation_sheet.KIND), OFFICE)
    assert (one.state, one.new_rows, one.changed_rows) == ("done", 2, 1)
    said = db.session().execute(
        select(Division.code, VillageDesignation.year, VillageDesignation.designated, VillageDesignation.source)
        .join(Division).order_by(Division.code, VillageDesignation.year)).all()
    assert said == [(home, 2020, True, "省级名单"), (home, 2026, False, "退出"), (following, 2026, True, "省级名单")]
    act = journal.timeline("village", world.villages["pomelo_home"])
    assert [(entry["details"]["year"], entry["details"]["before"]) for entry in act if entry["details"]["year"] == 2026
            ] == [(2026, True)]
    for ending in ("csv", "xlsx"):
        again = checked(official, "designations", official.get(f"{OFFICE}/exports/designations.{ending}").data, OFFICE)
        assert (again.state, again.unchanged_rows) == ("done", 3)


def test_villages_elsewhere_are_unknown(world):
    official = world.logged_in("official.hua")  # of 江永县
    rows = [designation(code(world, "greens_home")), designation("431199999999"),
            designation(code(world, "pomelo_home"), name="别的村"), designation(code(world, "pomelo_home"), "1999"),
            designation(code(world, "pomelo_home"), designated="也许"), designation(code(world, "pomelo_next")),
            designation(code(world, "pomelo_next"), designated="否")]
    one = checked(official, "designations", csv_of(rows, designation_sheet.KIND), OFFICE)
    assert faults(one.id) == [(2, "村代码"), (3, "村代码"), (4, "村名"), (5, "年份"), (6, "是否脱贫村"), (8, "村代码")]
    page = official.get(f"{OFFICE}/{one.id}").text
    assert page.count("您的辖区内没有这个代码的现有村") == 2
    assert counted(VillageDesignation) == 1  # the world's own
    city = checked(world.logged_in("official.jin"), "designations", csv_of(rows[:1], designation_sheet.KIND), OFFICE)
    assert city.state == "ready"


def test_the_officials_template_lists_the_villages_of_the_area(world):
    official = world.logged_in("official.hua")
    sheet = official.get(f"{OFFICE}/templates/designations.xlsx").data
    listed = {str(cell) for row in tables.cells_of(sheet, 1) for cell in row if cell}
    assert code(world, "pomelo_home") in listed
    assert code(world, "greens_home") not in listed
    assert checked(official, "designations", sheet, OFFICE).left_out_rows == 1
    assert world.logged_in("official.jin").get(f"{OFFICE}/1").status_code == 404
