"""Members at the village desk: added by hand, their volumes, the yearly return as page, list and file."""

import io
import re

import openpyxl
import pytest
from sqlalchemy import func, select

from catalog.members.models import SurplusReturn
from market import clock, db
from market.households import CoopMember, Household
from market.places import Division
from tests.trade import Trade
from tests.web.counting import statements
from tests.web.forms import send
from tests.world import NOON, TODAY


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def trade(world) -> Trade:
    trade = Trade(world)
    trade.lot(trade.product("卷心菜"), kg=40)
    return trade


def joining(world, **changes: str) -> dict[str, str]:
    code = db.session().get_one(Division, world.villages["greens_home"]).code
    return {"member_no": "M900", "head_name": "新来的户", "village": code, "people": "4", "register_code": "",
            **changes}


def plan(**changes: str) -> dict[str, str]:
    return {"first_day": "2026-01-01", "last_day": "2026-10-12", "surplus_fen": "1000", "reserve_points": "10",
            "return_points": "60", "measure": "amount", **changes}


def drawn_up(world, **changes: str) -> str:
    answer = send(world.logged_in("clerk.zhang"), "/village/surplus-returns", page="/village/surplus-returns/new",
                  **plan(**changes))
    assert answer.status_code == 303, answer.text
    return answer.location


def test_a_member_is_added_by_hand_once(world):
    clerk = world.logged_in("clerk.zhang")
    answer = send(clerk, "/village/members", page="/village/members/new", **joining(world))
    assert answer.status_code == 303
    assert "新来的户" in clerk.get(answer.location).text
    assert "新来的户" in clerk.get("/village/members?q=M900").text
    assert "新来的户" not in clerk.get("/village/members?q=M001").text
    again = send(clerk, "/village/members", page="/village/members/new", **joining(world))
    assert again.status_code == 422
    assert 'href="#member_no"' in again.text
    assert len(db.session().scalars(select(Household.id).where(Household.head_name == "新来的户")).all()) == 1


@pytest.mark.parametrize(("fields", "at"), [
    ({"register_code": "DEMO-JY-0001"}, "register_code"), ({"people": "31"}, "people"),
    ({"member_no": ""}, "member_no"), ({"village": "999999999999"}, "village")])
def test_what_is_wrong_is_said_at_its_field_and_nobody_joins(world, fields, at):
    before = db.session().scalar(select(func.count()).select_from(CoopMember))
    answer = send(world.logged_in("clerk.zhang"), "/village/members", page="/village/members/new",
                  **joining(world, **fields))
    assert answer.status_code == 422
    assert f'href="#{at}"' in answer.text
    assert db.session().scalar(select(func.count()).select_from(CoopMember)) == before


def test_the_list_tells_volumes_to_its_own_co_operative_alone(world, trade):
    page = world.logged_in("clerk.zhang").get("/village/members").text
    assert "XT户1" in page
    assert "24.00" in page  # 20 kg at 1.20
    assert "JY户1" not in page
    assert "24.00" not in world.logged_in("clerk.zhang").get("/village/members?from=2025-01-01&to=2025-12-31").text
    first = world.household_id("DEMO-XT-0001")
    assert "卷心菜" in world.logged_in("chair.shi").get(f"/village/members/{first}").text
    assert world.logged_in("clerk.lv").get(f"/village/members/{first}").status_code == 404
    for login in ("cook.chen", "village.cao", "official.jin"):
        assert world.logged_in(login).get("/village/members").status_code == 403


def test_capital_is_entered_and_the_newest_counts(world, trade):
    first = world.household_id("DEMO-XT-0001")
    clerk, address = world.logged_in("clerk.zhang"), f"/village/members/{first}"
    for yuan in ("500", "800"):
        assert send(clerk, address + "/capital", page=address, capital_fen=yuan).status_code == 303
    assert "800.00" in clerk.get(address).text
    assert "500.00" not in clerk.get(address).text
    assert send(world.logged_in("clerk.lv"), address + "/capital", page="/account", capital_fen="1").status_code == 404


def test_a_return_is_drawn_up_by_one_and_confirmed_by_another(world, trade):
    address = drawn_up(world)
    clerk, chair = world.logged_in("clerk.zhang"), world.logged_in("chair.shi")
    assert 'action="' + address + '/confirmation"' not in clerk.get(address).text
    decided = {"decision_no": "社员大会〔2026〕3号", "decided_on": TODAY.isoformat()}
    assert send(clerk, address + "/confirmation", page=address, **decided).status_code == 409
    assert "surplus-returns" in chair.get("/village").text
    assert send(chair, address + "/confirmation", page=address).status_code == 422
    assert send(chair, address + "/confirmation", page=address, **decided).status_code == 303
    page = chair.get(address).text
    assert decided["decision_no"] in page
    assert "540.00" in page  # 60 % of 900
    assert "270.00" in page  # half of it each
    assert send(chair, address + "/confirmation", page="/account", **decided).status_code == 409
    assert world.logged_in("chair.he").get(address).status_code == 404


def test_the_list_to_sign_and_the_files_say_the_same(world, trade):
    address = drawn_up(world)
    clerk = world.logged_in("clerk.zhang")
    paper = clerk.get(address + "/list").text
    assert "XT户1" in paper
    assert "签名" in paper
    text = clerk.get(address + ".csv").get_data().decode("utf-8-sig")
    assert text.count("270.00") >= 2
    sheet = openpyxl.load_workbook(io.BytesIO(clerk.get(address + ".xlsx").get_data())).active
    cells = [row for row in sheet.iter_rows(values_only=True) if row[0] == "M001"]
    assert cells[0][-1] == 270
    assert world.logged_in("clerk.lv").get(address + ".csv").status_code == 404


@pytest.mark.parametrize(("fields", "at"), [
    ({"return_points": "59.99"}, "return_points"), ({"surplus_fen": "0"}, "surplus_fen"),
    ({"reserve_points": "51"}, "reserve_points"), ({"last_day": "2026-10-13"}, "last_day"),
    ({"measure": "x"}, "measure")])
def test_a_return_that_cannot_be_is_refused_at_its_field(world, trade, fields, at):
    answer = send(world.logged_in("clerk.zhang"), "/village/surplus-returns", page="/village/surplus-returns/new",
                  **plan(**fields))
    assert answer.status_code == 422
    assert f'href="#{at}"' in answer.text
    assert db.session().scalar(select(func.count()).select_from(SurplusReturn)) == 0


def test_a_draft_is_discarded_and_stays_in_the_list(world, trade):
    address = drawn_up(world)
    clerk = world.logged_in("clerk.zhang")
    assert send(clerk, address + "/discard", page=address).status_code == 303
    assert address in clerk.get("/village/surplus-returns").text
    assert send(clerk, address + "/discard", page="/account").status_code == 409


def test_lists_cost_the_same_for_few_and_many(world, trade):
    clerk = world.logged_in("clerk.zhang")
    pages = ["/village/members", "/village/surplus-returns", drawn_up(world)]
    few = [statements(clerk, path) for path in pages]
    for number in range(12):
        send(clerk, "/village/members", page="/village/members/new", **joining(world, member_no=f"N{number}"))
        drawn_up(world)
    assert [statements(clerk, path) for path in pages] == few


@pytest.mark.parametrize("path", ["/village/members", "/village/members/new", "/village/surplus-returns",
                                  "/village/surplus-returns/new"])
def test_every_page_is_complete_in_english(world, path):
    page = world.logged_in("clerk.zhang").get(path + "?lang=en").text
    plain = re.sub(r'<nav class="languages".*?</nav>|<option.*?</option>|<tbody>.*?</tbody>', "", page, flags=re.DOTALL)
    assert not re.search(r"[\u4e00-\u9fff]", re.sub("张文书|新田县演示蔬菜合作社|四进|演示数据", "", plain))
