"""People of units by the verbs: who may be added, ended, hand over, run a canteen; how a new unit comes in."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from market import clock, credentials, db, journal, logins, notices, outbox, resets
from market.access import Visitor
from market.errors import InvalidInput, NotFound
from market.message_rows import Message
from market.parties import DeliveryPoint, Organisation
from market.resets import WrongResetCode
from market.sheet_input import Rows
from market.users import User
from orders.buying import cart, checkout, lists
from orders.models import Order, Purchase
from orders.units import admission, contractors, desk, doors, handover, news, people, sheet, tree
from orders.units.admission import UnitNotAdmitted
from orders.units.contractors import Term, TermOver
from orders.units.models import UnitApplication, UnitHandover, UnitLeaver
from orders.units.people import LastManager, NotYetAdmitted, Person
from tests.trade import Trade
from tests.world import HOSPITAL, NOON, SCHOOL, TODAY, World

NEW_CODE = "91431100MA4L1TEST0"
LU = Person("卢师傅", "13911110001", "Lu@example.cn")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def qian(world: World) -> Visitor:
    """钱主任 manages the school."""
    return world.person("admin.qian")


def added(by: Visitor, person: Person = LU, *roles: str) -> int:
    with db.transaction():
        return people.add(person, roles or ("requester",), by)


def counted(entity: Any) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def roles(user_id: int, unit_id: int) -> set[str]:
    db.session().rollback()
    return people.roles_of(user_id, unit_id)


def test_a_new_person_logs_in_by_a_printed_code_and_chooses_the_password(world: World, qian: Visitor) -> None:
    user_id = added(qian, LU, "requester", "receiver")
    assert not credentials.examine("13911110001", "none").right
    assert not credentials.examine("13911110001", "").right
    with db.transaction():
        [(_person, sheet)] = people.print_codes(qian, user_id)
    with db.transaction():
        resets.use(sheet.code, "noodles-and-greens", "", "", "")
    assert credentials.examine("13911110001", "noodles-and-greens").right
    with pytest.raises(NotFound), db.transaction():  # who has a password gets no second code from the manager
        people.print_codes(qian, user_id)
    with pytest.raises(WrongResetCode), db.transaction():
        resets.use(sheet.code, "another-of-mine", "", "", "")


def test_one_mobile_and_one_address_belong_to_one_login(world: World, qian: Visitor) -> None:
    added(qian)
    before = counted(User)
    for person, field in ((Person("别人", "13911110001"), "mobile"),
                          (Person("别人", "13911110002", "lU@EXAMPLE.cn"), "email")):
        with pytest.raises(InvalidInput) as refused:
            added(qian, person)
        assert list(refused.value.fields) == [field]
    with pytest.raises(InvalidInput) as refused, db.transaction():
        credentials.set_email(world.person("cook.chen"), "LU@example.cn")
    assert list(refused.value.fields) == ["email"]
    assert counted(User) == before
    with pytest.raises(IntegrityError) as fault, db.transaction() as session:  # and the database itself
        session.execute(update(User).where(User.login == "cook.chen").values(email="LU@EXAMPLE.CN"))
    assert "EXAMPLE" not in str(fault.value)  # which is logged


def test_ended_people_keep_their_name_and_lose_their_sessions_there(world: World, qian: Visitor) -> None:
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    placed = trade.place({cabbage: 1_000})
    chen = world.person("cook.chen")
    with db.transaction():
        token = logins.open_session(chen.id, qian.organisation_id)
    with db.transaction():
        people.end(chen.id, "调走", qian)
    assert logins.visitor_of_session(token) is None
    assert roles(chen.id, qian.organisation_id or 0) == set()
    assert lists.purchase(placed.id, [qian.organisation_id or 0]).orderer == "陈师傅"
    assert db.session().scalars(select(UnitLeaver.roles)).all() == [["requester"]]
    with pytest.raises(IntegrityError), db.transaction() as session:  # nobody with orders can be deleted
        session.execute(delete(User).where(User.id == chen.id))


def test_nobody_takes_over_the_first_code_of_another_units_newcomer(world: World, qian: Visitor) -> None:
    """Else whoever learns login and mobile number of somebody's new approver could print a code and be that person."""
    user_id, wu = added(qian, LU, "approver"), world.person("cook.wu")
    known = Person("卢师傅", "13911110001", login=logins.login_of(user_id))
    with pytest.raises(InvalidInput) as refused:
        added(wu, known)
    assert list(refused.value.fields) == ["login"]
    with pytest.raises(NotFound), db.transaction():
        people.print_codes(wu, user_id)
    assert roles(user_id, wu.organisation_id or 0) == set()
    with db.transaction():
        credentials.set_password(user_id, "noodles-and-greens")
    assert added(wu, known) == user_id


def test_the_last_manager_stays(world: World, qian: Visitor) -> None:
    for act in (lambda: people.end(qian.id, "退休", qian), lambda: people.set_roles(qian.id, ["requester"], qian)):
        with pytest.raises(LastManager), db.transaction():
            act()
    assert roles(qian.id, qian.organisation_id or 0) == {"manager"}


def test_other_units_people_are_unknown(world: World, qian: Visitor) -> None:
    wu = world.person("cook.wu")
    for act in (lambda: people.end(wu.id, "x", qian), lambda: people.set_roles(wu.id, ["finance"], qian),
                lambda: people.print_codes(qian, wu.id), lambda: desk.person(wu.id, qian)):
        with pytest.raises(NotFound), db.transaction():
            act()
    assert roles(wu.id, wu.organisation_id or 0) == {"requester", "manager"}


# ---- contractors ----------------------------------------------------------------------------------------------------


def contracted(by: Visitor, person: Person = LU, days: int = 30) -> int:
    term = Term("永州演示餐饮", "JY14311", TODAY, TODAY, TODAY + timedelta(days=days))
    with db.transaction():
        return contractors.add(person, term, by)


def test_a_contractor_serves_two_units_and_the_order_counts_for_the_one_acted_for(world: World, qian: Visitor) -> None:
    user_id = contracted(qian)
    login = logins.login_of(user_id)
    with db.transaction():
        credentials.set_password(user_id, "noodles-and-greens")
    hospital = world.organisation_id(HOSPITAL)
    assert contracted(world.person("cook.wu"), Person("卢师傅", "13911110001", login=login)) == user_id
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    for key in (SCHOOL, HOSPITAL):
        acting = logins.visitor_of_login(login, world.organisation_id(key))
        assert acting is not None and acting.roles == {"contractor"}
        with db.transaction():
            checkout.place([(cabbage, 1_000)], trade_wish(world, key), f"t-{key}", acting)
    rows = db.session().execute(select(Purchase.unit_id, Purchase.by_contractor).order_by(Purchase.id)).all()
    assert [tuple(row) for row in rows] == [(qian.organisation_id, True), (hospital, True)]
    assert db.session().scalars(select(Order.unit_id).order_by(Order.id)).all() == [qian.organisation_id, hospital]


def trade_wish(world: World, key: str) -> checkout.Wish:
    return checkout.Wish(world.delivery_point_id(key), TODAY + timedelta(days=1), "dawn")


def test_a_contractor_never_controls(world: World, qian: Visitor) -> None:
    user_id = contracted(qian)
    for role in ("approver", "leader", "receiver", "finance", "manager"):
        with pytest.raises(InvalidInput) as refused, db.transaction():
            people.set_roles(user_id, [role], qian)
        assert "roles" in refused.value.fields
    assert roles(user_id, qian.organisation_id or 0) == {"contractor"}
    chen = world.person("store.wang")  # receives already
    with pytest.raises(InvalidInput):
        contracted(qian, Person(chen.name, "13900000002", login="store.wang"))
    assert roles(chen.id, qian.organisation_id or 0) == {"receiver"}


def test_after_the_contract_nothing_is_ordered(world: World, qian: Visitor) -> None:
    login = logins.login_of(contracted(qian, days=5))
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    with clock.at(NOON + timedelta(days=6)), pytest.raises(TermOver), db.transaction():
        acting = logins.visitor_of_login(login)
        assert acting is not None
        wish = checkout.Wish(world.delivery_point_id(), TODAY + timedelta(days=8), "dawn")
        checkout.place([(cabbage, 1_000)], wish, "late", acting)
    assert counted(Purchase) == 0


# ---- hand-over ------------------------------------------------------------------------------------------------------


def test_a_hand_over_moves_roles_and_cart_on_its_day_once(world: World, qian: Visitor) -> None:
    trade, chen, unit = Trade(world), world.person("cook.chen"), qian.organisation_id or 0
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    trade.place({cabbage: 1_000})
    with db.transaction():
        cart.put(cabbage, 2_000, chen)
    zhou = added(qian, Person("周师傅", "13911110009"), "receiver")
    with db.transaction():
        made = handover.plan(chen.id, zhou, TODAY + timedelta(days=3), "轮岗", qian)
    handover.follow_day()
    assert roles(chen.id, unit) == {"requester"}  # not yet
    with clock.at(NOON + timedelta(days=3)):
        handover.follow_day()
        handover.follow_day()
    assert roles(chen.id, unit) == set()
    assert roles(zhou, unit) == {"receiver", "requester"}
    one = handover.own(made, qian)
    assert one.state == "done" and sorted(map(tuple, one.things)) == [
        (handover.IN_CART, 1), (handover.ORDERED, 1)]
    acting = logins.visitor_of_login(logins.login_of(zhou))
    assert acting is not None and [(x["product_id"], x["milli"]) for x in cart.lines(acting)] == [(cabbage, 2_000)]
    assert [x["action"] for x in journal.timeline("handover", made)] == ["handover.planned", "handover.done"]
    assert counted(UnitLeaver) == 1


def test_a_hand_over_to_strangers_or_oneself_is_refused(world: World, qian: Visitor) -> None:
    chen, wu = world.person("cook.chen"), world.person("cook.wu")
    for giver, taker, day in ((chen.id, chen.id, TODAY), (chen.id, wu.id, TODAY), (wu.id, chen.id, TODAY),
                              (chen.id, qian.id, TODAY - timedelta(days=1))):
        with pytest.raises(InvalidInput), db.transaction():
            handover.plan(giver, taker, day, "", qian)
    assert counted(UnitHandover) == 0
    assert roles(chen.id, qian.organisation_id or 0) == {"requester"}


# ---- doors ----------------------------------------------------------------------------------------------------------


def test_a_closed_door_is_not_offered_and_stays_on_old_orders(world: World, qian: Visitor) -> None:
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    placed = trade.place({cabbage: 1_000})
    door = world.delivery_point_id()
    said = {"name": "南门", "address": "", "contact": "", "phone": "", "window_note": "", "division_id": None}
    with db.transaction():
        doors.add(said, qian)
        doors.close(door, qian)
    assert [row.name for row in lists.delivery_points(qian.organisation_id)] == ["南门"]
    with pytest.raises(InvalidInput) as refused:
        trade.place({cabbage: 1_000}, token="second")
    assert list(refused.value.fields) == ["delivery_point_id"]
    assert lists.purchase(placed.id, [qian.organisation_id or 0]).point == "食堂后门"
    with pytest.raises(NotFound), db.transaction():
        doors.close(door, world.person("cook.wu"))
    assert counted(DeliveryPoint) == 3


# ---- coming in ------------------------------------------------------------------------------------------------------


def county_of(world: World) -> int:
    return world.person("official.hua").division_id or 0


def registered(world: World, code: str = NEW_CODE) -> Visitor:
    newcomer = admission.Newcomer("江永演示中学", "school", code, county_of(world), "", "袁老师", "13911110005", "x")
    with db.transaction():
        user_id = admission.register(newcomer, "token")
    visitor = logins.visitor_of_login(logins.login_of(user_id))
    assert visitor is not None
    return visitor


def try_to_order(world: World, by: Visitor) -> None:
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    with db.transaction() as session:
        door = session.scalar(insert(DeliveryPoint).returning(DeliveryPoint.id), {
            "unit_id": by.organisation_id, "name": "门", "address": "", "contact": "", "phone": "", "window_note": ""})
    with db.transaction():
        cart.put(cabbage, 1_000, by)  # the cart is open to everybody who prepares
    with db.transaction():
        checkout.place([(cabbage, 1_000)], checkout.Wish(door or 0, TODAY + timedelta(days=1), "dawn"), "t", by)


def test_a_new_unit_orders_once_the_county_has_said_yes(world: World) -> None:
    yuan = registered(world)
    with pytest.raises(UnitNotAdmitted) as refused:
        try_to_order(world, yuan)
    assert refused.value.details["office"] == "江永县演示乡村振兴局"
    assert counted(Purchase) == 0
    application = db.session().scalars(select(UnitApplication.id)).one()
    for stranger in ("farm.luo", "official.jin", "admin.qian", "auditor.wei"):
        with pytest.raises(NotFound), db.transaction():
            admission.admit(application, world.person(stranger))
    with db.transaction():
        admission.give_back(application, "信用代码请核对", world.person("official.hua"))
    with db.transaction():
        admission.send_again({"name": "江永演示中学", "unit_type": "school", "credit_code": NEW_CODE,
                              "supervising_code": ""}, yuan)
    with db.transaction():
        admission.admit(application, world.person("official.hua"))
    try_to_order(world, yuan)
    assert counted(Purchase) == 1
    assert db.session().scalar(select(User.mobile).where(User.id == yuan.id)) == "13911110005"


def test_a_unit_sent_back_twice_hears_twice_and_its_office_asks_twice(app: Flask, world: World) -> None:
    yuan, hua = registered(world), world.person("official.hua")
    with db.transaction() as session:
        session.execute(update(User).where(User.id.in_((yuan.id, hua.id))).values(email=User.login + "@example.cn"))
    application = db.session().scalars(select(UnitApplication.id)).one()
    told = []
    for number, reason in enumerate(("信用代码请核对", "名称请写全称")):
        with clock.at(NOON + timedelta(hours=number)):
            for _twice in range(2):  # a worker may die after the deed
                news.application_changed({"application_id": application, "state": "waiting"})
            with db.transaction():
                admission.give_back(application, reason, hua)
            for _twice in range(2):
                news.application_changed({"application_id": application, "state": "returned"})
            [back] = notices.newest(yuan.organisation_id or 0)
            told.append(back.details["reason"])
            outbox.drain(app.extensions["sijin_handlers"])
        with clock.at(NOON + timedelta(minutes=60 * number + 30)), db.transaction():
            admission.send_again({"name": "江永演示中学", "unit_type": "school", "credit_code": NEW_CODE,
                                  "supervising_code": ""}, yuan)
    assert told == ["信用代码请核对", "名称请写全称"]
    written = db.session().execute(select(Message.organisation_id).where(Message.user_id.in_((hua.id, yuan.id)))).all()
    assert sorted(row[0] for row in written) == sorted(2 * [yuan.organisation_id, hua.organisation_id])


def test_a_unit_nobody_has_vouched_for_keeps_no_mobile_number_from_its_owner(world: World) -> None:
    yuan = registered(world)
    sub = {"name": "分校", "credit_code": "12431100MA4L1TEST1", "unit_type": "school"}
    users, units = counted(User), counted(Organisation)
    for act in (lambda: people.add(LU, ["requester"], yuan), lambda: tree.add_sub_unit(sub, LU, yuan),
                lambda: sheet.match(Rows({}, [], 0, 0, frozenset()), yuan)):
        with pytest.raises(NotYetAdmitted), db.transaction():
            act()
    assert (counted(User), counted(Organisation)) == (users, units)
    with db.transaction():
        admission.admit(db.session().scalars(select(UnitApplication.id)).one(), world.person("official.hua"))
    assert added(yuan)


def test_a_supervising_unit_vouches_for_its_own_only(world: World, qian: Visitor) -> None:
    with db.transaction():
        sub = tree.add_sub_unit({"name": "演示小学分校", "credit_code": NEW_CODE, "unit_type": "school"},
                                Person("方老师", "13911110006"), qian)
    application = db.session().scalars(select(UnitApplication.id)).one()
    with pytest.raises(NotFound), db.transaction():
        admission.admit(application, world.person("cook.wu"))
    with pytest.raises(NotFound), db.transaction():
        admission.admit(application, world.person("cook.chen"))
    fang = logins.visitor_of_login(db.session().scalars(select(User.login).where(User.mobile == "13911110006")).one())
    assert fang is not None
    with pytest.raises(NotFound), db.transaction():
        admission.admit(application, fang)
    with db.transaction():
        admission.admit(application, qian)
    assert db.session().scalar(select(Organisation.status).where(Organisation.id == sub)) == "active"


def test_a_credit_code_that_takes_part_is_refused(world: World, qian: Visitor) -> None:
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == qian.organisation_id)
                        .values(credit_code=NEW_CODE))
    before = counted(Organisation)
    with pytest.raises(InvalidInput) as refused:
        registered(world)
    assert list(refused.value.fields) == ["credit_code"]
    assert counted(Organisation) == before
