"""A unit's pages and API: people, tables, doors, hand-overs, registration; what is refused changes nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from stdnum.cn import uscc

from catalog.importing.models import SheetFault
from market import clock, db, limits, messages, robots
from market.parties import DeliveryPoint, Membership, Organisation
from market.users import User
from orders.buying import cart
from orders.models import Purchase
from orders.units import sheet
from orders.units.models import UnitApplication, UnitHandover
from tests.tables import checked, confirm, csv_of, work
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.world import HOSPITAL, NOON, SCHOOL, TODAY, World

TABLES = "/unit/tables"


def credit_code(number: int) -> str:
    """A code with its right check digit."""
    front = f"12431100{number:09d}"
    return front + uscc.calc_check_digit(front)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def qian(world: World) -> FlaskClient:
    return world.logged_in("admin.qian")


def counted(entity) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def test_a_manager_adds_a_person_changes_roles_and_ends(world: World, qian: FlaskClient) -> None:
    answer = send(qian, "/unit/people", page="/unit/people/new", name="卢师傅", mobile="13911110001",
                  email="lu@example.cn", **{"roles[]": ["requester", "approver"]})
    assert answer.status_code == 303
    page = answer.location
    assert "一人兼有应由两人担任的角色" in qian.get(page).text
    sheet_ = send(qian, page + "/code", page=page)
    assert sheet_.status_code == 200 and sheet_.headers["Cache-Control"].startswith("private")
    assert send(qian, page + "/roles", page=page, **{"roles[]": ["requester"]}).status_code == 303
    assert "一人兼有" not in qian.get(page).text
    assert send(qian, page + "/ending", page=page, reason="调走").status_code == 303
    listed = qian.get("/unit/people").text
    assert "卢师傅" in listed and "调走" in listed
    assert qian.get(page).status_code == 404


@pytest.mark.parametrize(("field", "value"), [("mobile", "13900000000"), ("email", "LI@example.cn")])
def test_one_mobile_and_one_address_each_by_form_and_api(
        app: Flask, world: World, qian: FlaskClient, field: str, value: str) -> None:
    assert send(world.logged_in("head.li"), "/account/email", page="/account", email="li@EXAMPLE.cn").status_code == 303
    before = counted(User)
    person = {"name": "别人", "mobile": "13911110009", "email": "", field: value}
    answer = send(qian, "/unit/people", page="/unit/people/new", **person, **{"roles[]": "requester"})
    assert answer.status_code == 422 and f'id="{field}-error"' in answer.text
    answer = app.test_client().post("/api/v1/unit/people", json={**person, "roles": ["requester"]},
                                    headers=world.api_headers("admin.qian"))
    assert answer.status_code == 422 and list(answer.json["error"]["fields"]) == [field]
    assert counted(User) == before
    if field == "email":
        answer = send(world.logged_in("cook.chen"), "/account/email", page="/account", email=value)
        assert answer.status_code == 422 and 'id="email-error"' in answer.text


def test_a_program_adds_and_ends_people_and_deletes_nobody(app: Flask, world: World) -> None:
    program, headers = app.test_client(), world.api_headers("admin.qian")
    made = program.post("/api/v1/unit/people", json={
        "name": "卢师傅", "mobile": "13911110001", "roles": ["receiver"]}, headers=headers)
    assert made.status_code == 201 and made.json["roles"] == ["receiver"]
    one = f"/api/v1/unit/people/{made.json['id']}"
    assert program.delete(one, headers=headers).status_code in (404, 405)
    assert program.delete("/unit/people/1").status_code in (302, 404, 405)
    assert program.post(one + "/ending", json={"reason": "调走"}, headers=headers).json["roles"] == ["receiver"]
    assert program.post(one + "/ending", json={"reason": "调走"}, headers=headers).status_code == 404
    assert db.session().scalar(select(User.name).where(User.id == made.json["id"])) == "卢师傅"
    wu = world.person("cook.wu").id
    assert program.post(f"/api/v1/unit/people/{wu}/ending", json={"reason": "x"}, headers=headers).status_code == 404
    assert program.post("/api/v1/unit/people", json={"name": "x", "mobile": "13911110002", "roles": ["contractor"]},
                        headers=headers).status_code == 422
    assert program.get("/api/v1/unit/people", headers=world.api_headers("cook.chen")).status_code == 403


def test_another_units_people_are_unknown(world: World, qian: FlaskClient) -> None:
    wu = world.person("cook.wu")
    token = csrf_token(qian, "/unit/people/new")
    for method, path in (("get", ""), ("post", "/roles"), ("post", "/ending"), ("post", "/code")):
        answer = getattr(qian, method)(f"/unit/people/{wu.id}{path}", data={"csrf_token": token, "reason": "x"})
        assert answer.status_code == 404, path
    assert qian.get(f"/unit/sub-units/{world.organisation_id(HOSPITAL)}").status_code == 404
    assert world.person("cook.wu").roles == {"requester", "manager"}


def test_the_contractors_form_wants_the_licence_looked_at(world: World, qian: FlaskClient) -> None:
    said = {"name": "卢师傅", "mobile": "13911110001", "firm_name": "演示餐饮", "licence_no": "JY1",
            "licence_seen_on": "2026-10-13", "first_day": "2026-10-12", "last_day": "2026-10-01"}
    answer = send(qian, "/unit/contractors", page="/unit/contractors/new", **said)
    assert answer.status_code == 422 and 'id="last_day-error"' in answer.text
    assert 'id="licence_seen_on-error"' in answer.text
    said |= {"licence_seen_on": "2026-10-12", "last_day": "2027-08-31"}
    answer = send(qian, "/unit/contractors", page="/unit/contractors/new", **said)
    assert answer.status_code == 303
    assert "演示餐饮" in qian.get(answer.location).text
    answer = send(qian, answer.location + "/roles", page="/unit/people", **{"roles[]": ["approver"]})
    assert answer.status_code == 422


# ---- tables ---------------------------------------------------------------------------------------------------------


def row(number: int, **changes: str) -> dict[str, str]:
    return {"unit_name": "演示小学分校", "credit_code": credit_code(1), "unit_type": "学校", "parent": "",
            "name": f"老师{number}", "mobile": f"1392222{number:04d}", "email": f"t{number}@example.cn",
            "roles": "下单、验收", "door": "分校后门", **changes}


def test_a_table_with_three_planted_errors_writes_nothing(world: World, qian: FlaskClient) -> None:
    before = [counted(entity) for entity in (User, Organisation, Membership, DeliveryPoint)]
    rows = [row(1), row(2, mobile="13900000001"), row(3, roles="下单、打杂"), row(4, email="t1@EXAMPLE.cn"), row(5)]
    one = checked(qian, "unit_people", csv_of(rows, sheet.KIND), TABLES)
    assert one.state == "faulty"
    found = db.session().execute(select(SheetFault.line, SheetFault.field).where(SheetFault.import_id == one.id)
                                 .order_by(SheetFault.line)).all()
    assert [tuple(x) for x in found] == [(3, "mobile"), (4, "roles"), (5, "email")]
    assert [counted(entity) for entity in (User, Organisation, Membership, DeliveryPoint)] == before
    page = qian.get(f"{TABLES}/{one.id}").text
    assert "手机" in page and "角色" in page and "邮箱" in page


def test_a_table_makes_sub_units_people_and_codes_and_comes_back_unchanged(world: World, qian: FlaskClient) -> None:
    rows = [row(1, roles="管理"), row(2), row(3, unit_name="演示小学幼儿园", credit_code=credit_code(2), roles="下单")]
    one = checked(qian, "unit_people", csv_of(rows, sheet.KIND), TABLES)
    assert (one.state, one.new_rows) == ("ready", 3)
    assert counted(UnitApplication) == 0  # nothing is written until somebody says so
    confirm(qian, one.id, TABLES)
    work()
    units = db.session().execute(select(Organisation.name, Organisation.status, Organisation.parent_id)
                                 .where(Organisation.parent_id.is_not(None)).order_by(Organisation.id)).all()
    school = world.organisation_id(SCHOOL)
    assert [tuple(unit) for unit in units] == [("演示小学分校", "applying", school),
                                               ("演示小学幼儿园", "applying", school)]
    assert counted(UnitApplication) == 2
    codes = send(qian, "/unit/people/codes", page="/unit/people")
    assert all(name in codes.text for name in ("老师1", "老师2", "老师3"))
    again = checked(qian, "unit_people", csv_of(rows, sheet.KIND), TABLES)
    assert (again.state, again.unchanged_rows) == ("done", 3)
    assert "老师3" in qian.get(f"{TABLES}/exports/unit_people.csv").text
    assert "老师1" in qian.get("/unit/sub-units/" + str(db.session().scalar(
        select(Organisation.id).where(Organisation.name == "演示小学分校")))).text


# ---- doors, hand-overs ----------------------------------------------------------------------------------------------


def test_a_door_is_added_changed_and_closed(world: World, qian: FlaskClient) -> None:
    page = "/unit/delivery-points"
    assert send(qian, page, name="南门", window_note="7 点前", division_id="").status_code == 303
    door = db.session().scalars(select(DeliveryPoint.id).where(DeliveryPoint.name == "南门")).one()
    assert send(qian, f"{page}/{door}", name="南门", address="学院路 1 号").status_code == 303
    assert send(qian, f"{page}/{door}", name="", address="x").status_code == 422
    assert send(qian, f"{page}/{door}/closing", page=page).status_code == 303
    assert send(qian, f"{page}/{door}/closing", page=page).status_code == 409
    assert send(qian, page, name="北门", division_id="999999").status_code == 422
    assert "学院路 1 号" in qian.get(page).text
    assert "南门" not in world.logged_in("cook.chen").get("/cart").text


def test_a_hand_over_has_a_record_to_print(world: World, qian: FlaskClient) -> None:
    chen, wang = world.person("cook.chen").id, world.person("store.wang").id
    answer = send(qian, "/unit/handovers", from_user_id=chen, to_user_id=wang, from_day="2026-10-20", reason="轮岗")
    assert answer.status_code == 303
    sheet_ = qian.get(answer.location)
    assert "交接单" in sheet_.text and "陈师傅" in sheet_.text and "王保管" in sheet_.text
    again = send(qian, "/unit/handovers", from_user_id=chen, to_user_id=wang, from_day="2026-10-21")
    assert again.status_code == 422
    assert counted(UnitHandover) == 1
    assert world.logged_in("cook.wu").get(answer.location).status_code == 404
    assert send(qian, answer.location + "/cancellation", page=answer.location).status_code == 303
    assert world.person("cook.chen").roles == {"requester"}


# ---- coming in ------------------------------------------------------------------------------------------------------


def test_every_form_for_strangers_is_limited(app: Flask) -> None:
    """Each of them makes a slow hash or a row before anybody is known."""
    open_forms = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())
                  and getattr(app.view_functions[rule.endpoint], "access", "") is None}
    assert {"unit_door.register", "entry_door.register"} <= open_forms
    assert open_forms - set(limits.LIMITS) == set()


def test_a_new_unit_registers_is_told_why_it_cannot_order_and_is_admitted(app: Flask, world: World) -> None:
    stranger = app.test_client()
    county = world.person("official.hua").division_id
    said = {"unit": "江永演示中学", "unit_type": "school", "credit_code": credit_code(7), "county_id": county,
            "name": "袁老师", "mobile": "13911110005", "password": "noodles-and-greens", "submit_token": "once"}
    assert send(stranger, "/buy/register", **{**said, "credit_code": "123"}).status_code == 422
    assert send(stranger, "/buy/register", **said).status_code == 303
    unit = db.session().scalars(select(Organisation).where(Organisation.name == "江永演示中学")).one()
    assert "江永县演示乡村振兴局" in stranger.get("/unit").text
    assert send(stranger, "/unit/delivery-points", name="门").status_code == 303
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    login = db.session().scalars(select(User.login).where(User.name == "袁老师")).one()
    yuan = world.person(login)
    with db.transaction():
        cart.put(cabbage, 1_000, yuan)
    door = db.session().scalars(select(DeliveryPoint.id).where(DeliveryPoint.unit_id == unit.id)).one()
    order = {"delivery_point_id": door, "delivery_day": (TODAY + timedelta(days=1)).isoformat(),
             "delivery_window": "dawn", "fund_source": "canteen"}
    lines = {"lines-0-product_id": cabbage, "lines-0-quantity_milli": "1"}
    answer = send(stranger, "/purchases", page="/cart", submit_token="t1", **order, **lines)
    assert answer.status_code == 409 and "江永县演示乡村振兴局" in answer.text
    answer = app.test_client().post("/api/v1/purchases", headers=world.api_headers(login), json={
        **order, "lines": [{"product_id": cabbage, "ordered_milli": 1_000}]})
    assert answer.status_code == 409 and answer.json["error"]["code"] == "unit_not_admitted"
    assert "江永县演示乡村振兴局" in answer.json["error"]["message"]
    assert counted(Purchase) == 0

    work()
    official = world.logged_in("official.hua")
    assert "江永演示中学" in official.get("/notices").text
    application = db.session().scalars(select(UnitApplication.id)).one()
    page = f"/office/units/{application}"
    assert "江永演示中学" in official.get("/office/units").text
    assert world.logged_in("farm.luo").get(page).status_code == 404
    assert send(official, page + "/admission", page=page, decision="admit").status_code == 303
    answer = send(stranger, "/purchases", page="/cart", submit_token="t2", **order, **lines)
    assert answer.status_code == 303
    assert counted(Purchase) == 1


def test_a_sub_unit_is_made_and_vouched_for_on_the_desk(world: World, qian: FlaskClient) -> None:
    answer = send(qian, "/unit/sub-units", page="/unit/sub-units/new", unit_name="演示小学分校", unit_type="school",
                  credit_code=credit_code(9), name="方老师", mobile="13911110006")
    assert answer.status_code == 303
    assert "演示小学分校" in qian.get("/unit").text
    chen = world.logged_in("cook.chen")  # may look, not vouch
    assert chen.get(answer.location).status_code == 200
    token = csrf_token(chen, "/account")
    assert chen.post(answer.location + "/admission", data={"csrf_token": token, "decision": "admit"}).status_code == 403
    assert send(qian, answer.location + "/admission", page=answer.location, decision="admit").status_code == 303
    assert db.session().scalar(select(Organisation.credit_code).where(
        Organisation.name == "演示小学分校")) == credit_code(9)


def test_facts_are_changed_with_a_trace(world: World, qian: FlaskClient) -> None:
    answer = send(qian, "/unit/facts", page="/unit", short_name="演示一小", contact_name="钱主任", phone="0746-1")
    assert answer.status_code == 303
    shown = qian.get("/unit").text
    assert "演示一小" in shown and "修改了单位信息" in shown
    assert send(qian, "/unit/facts", page="/unit", short_name="").status_code == 422


# ---- being told -----------------------------------------------------------------------------------------------------


def test_ways_to_be_told_and_a_text_to_copy(world: World, qian: FlaskClient) -> None:
    page = "/ways-to-be-told"
    assert send(qian, page, sms="1").status_code == 303
    assert messages.chosen(world.person("admin.qian")) == {"mail": False, "sms": True}
    chat = {"csrf_token": csrf_token(qian, page), "kind": "wecom", "name": "食堂群"}
    bad = qian.post(page + "/robots", data={**chat, "url": "https://example.cn/x?key=1"})
    assert bad.status_code == 422 and "qyapi.weixin.qq.com" in bad.text
    good = qian.post(page + "/robots", data={
        **chat, "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=SECRETKEY"})
    assert good.status_code == 303
    shown = qian.get(page).text
    assert "食堂群" in shown and "SECRETKEY" not in shown
    robot = robots.of_organisation(world.organisation_id(SCHOOL))[0].id
    wu = world.logged_in("cook.wu")
    assert wu.post(f"{page}/robots/{robot}/removal", data={"csrf_token": csrf_token(wu, page)}).status_code == 404
    assert "添加群聊" not in world.logged_in("cook.chen").get(page).text
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    trade.ship(trade.orders(trade.place({cabbage: 1_000}))[0].id)
    work()
    news = qian.get("/notices").text
    assert "data-copy=" in news and "http://127.0.0.1:8000/orders/" in news
