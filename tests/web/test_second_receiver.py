"""The own PIN: set with the password, typed on a colleague's phone, counted whatever becomes of the goods."""

import pytest
from sqlalchemy import select, update

from market import clock, db
from market.journal import JournalEntry
from market.parties import Organisation
from market.users import User
from tests.trade import Trade
from tests.web.forms import send
from tests.web.test_handover import Van
from tests.world import NOON, PASSWORD, SCHOOL, World

PIN = "739105"


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def van(world: World) -> Van:
    return Van(world, Trade(world))


def set_pin(world: World, login: str, pin: str = PIN, current: str = PASSWORD) -> int:
    return send(world.logged_in(login), "/account/pin", current=current, pin=pin).status_code


def user(login: str) -> User:
    query = select(User).where(User.login == login).execution_options(populate_existing=True)
    return db.session().scalars(query).one()


# ---- setting it -----------------------------------------------------------------------------------------------------


def test_a_receiver_sets_a_pin_with_the_password(world):
    aunt = world.logged_in("aunt.zhao")
    assert "/account/pin" in aunt.get("/account").text
    assert set_pin(world, "aunt.zhao") == 303
    kept = user("aunt.zhao").pin_hash
    assert kept
    assert kept.startswith("$argon2")
    acts = db.session().scalars(select(JournalEntry.action).where(JournalEntry.actor_name == "赵阿姨")).all()
    assert "login.pin_set" in acts


@pytest.mark.parametrize("pin", ["123456", "111111", "121212", "12345", "abcdef", "1234567", "", "１２３９８５"])
def test_an_easy_pin_is_refused(world, pin):
    assert set_pin(world, "aunt.zhao", pin) == 422
    assert user("aunt.zhao").pin_hash is None


def test_without_the_password_no_pin_is_set(world):
    assert set_pin(world, "aunt.zhao", current="wrong") == 422
    assert user("aunt.zhao").pin_hash is None


@pytest.mark.parametrize("login", ["head.li", "cashier.sun", "clerk.zhang", "official.jin"])
def test_who_never_receives_has_no_use_for_one(world, login):
    assert world.logged_in(login).get("/account/pin").status_code == 403
    assert send(world.logged_in(login), "/account/pin", "/account", current=PASSWORD, pin=PIN).status_code == 403


def test_a_pin_opens_no_login(world):
    set_pin(world, "aunt.zhao")
    stranger = world.app.test_client()
    assert send(stranger, "/login", login="aunt.zhao", password=PIN).status_code == 401


# ---- signing with it ------------------------------------------------------------------------------------------------


def test_the_second_signs_with_the_own_pin(world, van):
    set_pin(world, "aunt.zhao")
    keeper = world.logged_in("store.wang")
    assert send(keeper, van.url, van.url, **van.form(second_password=PIN)).status_code == 303
    assert van.accepted() == 2


def test_where_a_pin_is_set_the_password_no_longer_signs(world, van):
    set_pin(world, "aunt.zhao")
    answer = send(world.logged_in("store.wang"), van.url, van.url, **van.form())
    assert answer.status_code == 422
    assert 'id="second_password-error"' in answer.text
    assert van.accepted() == 0


def test_somebody_else_s_pin_signs_nothing(world, van):
    set_pin(world, "aunt.zhao")
    set_pin(world, "store.wang", "280416")
    keeper = world.logged_in("store.wang")
    assert send(keeper, van.url, van.url, **van.form(second_password="280416")).status_code == 422
    assert van.accepted() == 0


def test_five_wrong_pins_lock_and_the_count_stays_though_nothing_was_accepted(world, van):
    set_pin(world, "aunt.zhao")
    keeper = world.logged_in("store.wang")
    for tries in range(1, 5):
        assert send(keeper, van.url, van.url, **van.form(second_password="000000")).status_code == 422
        assert user("aunt.zhao").failed_count == tries
    assert send(keeper, van.url, van.url, **van.form(second_password="000000")).status_code == 422
    assert user("aunt.zhao").locked_until is not None
    assert send(keeper, van.url, van.url, **van.form(second_password=PIN)).status_code == 422  # right, but locked
    assert van.accepted() == 0
    with clock.at(NOON.replace(minute=16)):
        assert send(keeper, van.url, van.url, **van.form(second_password=PIN)).status_code == 303
    assert user("aunt.zhao").failed_count == 0


def test_a_right_pin_counts_as_right_though_the_goods_are_refused_afterwards(world, van):
    set_pin(world, "aunt.zhao")
    keeper = world.logged_in("store.wang")
    send(keeper, van.url, van.url, **van.form(second_password="000000"))
    assert user("aunt.zhao").failed_count == 1
    one = f"/orders/{van.orders[0].id}/acceptance"
    assert send(keeper, one, van.url, **van.form(second_password=PIN)).status_code == 404  # a line of another order
    assert user("aunt.zhao").failed_count == 1  # it never came to the PIN
    assert send(keeper, van.url, van.url, **van.form(second_password=PIN)).status_code == 303


@pytest.mark.parametrize("second", ["store.wang", "cook.chen", "store.zheng"])
def test_nobody_but_another_receiver_of_the_unit_is_asked_for_a_pin(world, van, second):
    set_pin(world, second)
    answer = send(world.logged_in("store.wang"), van.url, van.url, **van.form(second=second, second_password=PIN))
    assert answer.status_code == 422
    assert 'id="second_id-error"' in answer.text
    assert van.accepted() == 0
    assert user(second).failed_count == 0


def test_in_a_reduced_scheme_the_requester_signs_with_a_pin(world, van):
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == world.organisation_id(SCHOOL))
                        .values(receiving_scheme="reduced"))
    set_pin(world, "cook.chen")
    answer = send(world.logged_in("store.wang"), van.url, van.url, **van.form(second="cook.chen", second_password=PIN))
    assert answer.status_code == 303


# ---- by API ---------------------------------------------------------------------------------------------------------


def test_by_api_the_pin_stands_beside_the_login(world, van):
    set_pin(world, "aunt.zhao")
    headers = world.api_headers("store.wang")
    order = van.orders[0]
    url = f"/api/v1/orders/{order.id}/acceptance"
    body = {"lines": [{"line_id": van.cabbage, "accepted_grams": 10_000}]}

    def accept(**proof: str):
        return world.app.test_client().post(url, headers=headers, json=body | {
            "second_receiver": {"login": "aunt.zhao", **proof}})

    assert "second_receiver-pin" in accept().json["error"]["fields"]
    assert "second_receiver-pin" in accept(pin="000000").json["error"]["fields"]
    assert "second_receiver-password" in accept(password=PASSWORD).json["error"]["fields"]
    assert user("aunt.zhao").failed_count == 2
    assert accept(pin=PIN).status_code == 201
    assert van.accepted() == 1
