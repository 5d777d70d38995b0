"""What nobody types: NUL, half characters, endless nesting, numbers without end, the same thing from two sides."""

import io
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from catalog.models import Lot
from market import clock, credentials, db, logins
from market.access import Visitor
from market.parties import Membership
from orders.buying import cart
from orders.models import CartLine, Purchase
from tests.trade import TOMORROW, Trade
from tests.web.forms import csrf_token, send
from tests.world import HOSPITAL, NOON, PASSWORD, SCHOOL, TODAY, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def wanted(world: World, product_id: int, unit: str = SCHOOL) -> dict[str, Any]:
    return {"lines": [{"product_id": product_id, "ordered_milli": 1000}], "delivery_window": "morning",
            "delivery_point_id": world.delivery_point_id(unit), "delivery_day": TOMORROW.isoformat(),
            "fund_source": "canteen"}


def post_json(client: FlaskClient, path: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
    """A JSON body as plain ASCII, which can carry what UTF-8 cannot."""
    return client.post(path, data=json.dumps(body), content_type="application/json", headers=headers)


def purchases() -> int:
    return db.session().scalar(select(func.count()).select_from(Purchase)) or 0


# ---- once -----------------------------------------------------------------------------------------------------------


def lose_the_answer_to_the_next_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database commits the deed, but the connection breaks before it can say so."""
    commit, lost = Session.commit, []

    def break_after(session: Session) -> None:
        commit(session)
        if not lost:
            lost.append(True)
            raise OperationalError("COMMIT", {}, Exception("gone"), connection_invalidated=True)

    monkeypatch.setattr(Session, "commit", break_after)


@pytest.mark.parametrize(("key", "status"), [(None, 503), ("monday", 201)])
def test_what_was_lost_at_commit_is_never_done_twice(
        world: World, trade: Trade, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, key: str | None, status: int,
        ) -> None:
    cabbage = trade.product("卷心菜")
    lot = trade.lot(cabbage)
    headers = world.api_headers("cook.chen") | ({"Idempotency-Key": key} if key else {})
    body = wanted(world, cabbage)
    lose_the_answer_to_the_next_commit(monkeypatch)
    answer = client.post("/api/v1/purchases", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers.get("Idempotent-Replay") == ("true" if key else None)
    assert purchases() == 1
    assert trade.stock_of(lot) == (100_000, 1000)


def test_what_was_lost_in_reading_is_read_again(world: World, client: FlaskClient,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    headers = world.api_headers("cook.chen")
    execute, lost = Session.execute, []

    def break_once(session: Session, *args: Any, **options: Any) -> Any:
        if not lost and "purchase" in str(args[0]):
            lost.append(True)
            raise OperationalError("SELECT", {}, Exception("gone"), connection_invalidated=True)
        return execute(session, *args, **options)

    monkeypatch.setattr(Session, "execute", break_once)
    assert client.get("/api/v1/purchases", headers=headers).status_code == 200
    assert lost


def test_one_key_for_two_schools_buys_twice(world: World, trade: Trade, client: FlaskClient) -> None:
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    cook = world.person("cook.chen")
    hospital = world.organisation_id(HOSPITAL)
    with db.transaction() as session:
        session.add(Membership(user_id=cook.id, organisation_id=hospital, role="requester"))
    with db.transaction():
        tokens = {SCHOOL: logins.issue_api_token(cook.id, cook.organisation_id),
                  HOSPITAL: logins.issue_api_token(cook.id, hospital)}
    answers = [client.post("/api/v1/purchases", json=wanted(world, cabbage, unit) | {"delivery_point_id": point},
                           headers={"Authorization": f"Bearer {tokens[unit]}", "Idempotency-Key": "monday"})
               for unit, point in ((unit, world.delivery_point_id(unit)) for unit in (SCHOOL, HOSPITAL, SCHOOL))]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert answers[0].json["id"] == answers[2].json["id"] != answers[1].json["id"]
    assert purchases() == 2


def test_keys_that_begin_alike_are_two(world: World, trade: Trade) -> None:
    cabbage = trade.product("卷心菜")
    client = world.logged_in("cook.chen")
    for end, quantity in (("a", "1"), ("b", "2")):
        answer = send(client, "/cart/lines", "/account", product_id=str(cabbage), quantity_milli=quantity,
                      submit_token="x" * 80 + end)
        assert answer.status_code == 303
    assert db.session().scalars(select(CartLine.milli)).all() == [2000]


def test_two_tabs_that_put_the_same_good_into_the_cart_at_once(
        world: World, trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tab's line comes into being between this tab's first look and its write."""
    cabbage = trade.product("卷心菜")
    cook = world.person("cook.chen")
    check = cart.check_quantity

    def other_tab(product: Any, milli: int) -> None:
        check(product, milli)
        db.insert_rows(CartLine, [{"unit_id": cook.organisation_id, "user_id": cook.id, "product_id": cabbage,
                                   "milli": 9000}])

    monkeypatch.setattr(cart, "remove", lambda _ids, _by: None)  # it could not see what is not yet committed
    monkeypatch.setattr(cart, "check_quantity", other_tab)
    with db.transaction():
        cart.put(cabbage, 2000, cook)
    assert db.session().scalars(select(CartLine.milli)).all() == [2000]


# ---- NUL and half characters ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [
    "/van/%00", "/villages/%00", "/trace/a%00b", "/goods?q=%00", "/goods?%00=1", "/login?next=/%00", "/files/%00.pdf"])
def test_nul_in_an_address_is_not_understood(client: FlaskClient, world: World, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (400, "text/html")


def test_nul_is_refused_inside_too_and_by_the_api_in_its_own_shape(world: World, client: FlaskClient) -> None:
    clerk = world.logged_in("clerk.zhang")
    assert clerk.get("/village/orders?q=%00").status_code == 400
    answer = client.get("/api/v1/orders?state=%00", headers=world.api_headers("cook.chen"))
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "http_400")
    assert client.get("/login?next=/a%2500").status_code == 200  # a percent sign and two noughts


def test_nul_in_a_form_or_a_file_name_is_not_understood(world: World, trade: Trade) -> None:
    cabbage = trade.product("卷心菜")
    cook, clerk = world.logged_in("cook.chen"), world.logged_in("clerk.zhang")
    for fields in ({"submit_token": "\0"}, {"a\0b": "1"}, {"quantity_milli": "1\0"}):
        good = {"product_id": str(cabbage), "quantity_milli": "1"}
        assert send(cook, "/cart/lines", "/account", **good | fields).status_code == 400, fields
    assert db.session().scalars(select(CartLine.id)).all() == []
    form = {"csrf_token": csrf_token(clerk, "/village/products/new"), "photo": (io.BytesIO(b"x"), "a\0.png")}
    assert clerk.post("/village/products", data=form).status_code == 400


HALF = "\ud800"


def test_half_characters_are_no_password(world: World, trade: Trade, app: Any, client: FlaskClient,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # a JSON body to a form's address
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    order = trade.orders(trade.place({cabbage: 1000}))[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0].id
    own = world.logged_in("cook.chen")
    for password in (HALF, "x" * 201, 5, None):
        answers = [
            post_json(client, "/login", {"login": "cook.chen", "password": password}),
            post_json(client, "/login/pin", {"pin": password}),
            post_json(client, "/login/reset", {"code": "1", "password": password, "pin": "1"}),
            post_json(own, "/account/password", {"current": password, "password": password}),
            post_json(own, "/account/password", {"current": PASSWORD, "password": password}),
            post_json(client, f"/api/v1/orders/{order.id}/acceptance", {
                "lines": [{"line_id": line, "accepted_grams": 1000}],
                "second_receiver": {"login": "aunt.zhao", "password": password}}, world.api_headers("store.wang")),
        ]
        assert [answer.status_code for answer in answers] == [422] * len(answers), password
    assert credentials.examine("cook.chen", PASSWORD).user_id


# ---- without end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["[" * 100_000, '{"x":' * 100_000, '{"x":' + "[" * 600 + "]" * 600 + "}",
                                  '{"x":' + "9" * 5000 + "}", '{"x":1e999}', "\ufeff{}", "{", ""])
def test_endless_nesting_is_refused_or_left_aside(world: World, trade: Trade, client: FlaskClient, body: str) -> None:
    cabbage = trade.product("卷心菜")
    lot = trade.lot(cabbage, confirmed=False)
    for login, path in (("cook.chen", "/purchases"), ("village.cao", f"/lots/{lot}/confirmation")):
        headers = world.api_headers(login) | {"Idempotency-Key": "deep", "Content-Type": "application/json"}
        answer = client.post("/api/v1" + path, data=body, headers=headers)
        assert answer.status_code in {201, 400, 422}, answer.text


def test_deep_fields_that_nobody_asked_for_cannot_be_compared(
        world: World, trade: Trade, client: FlaskClient) -> None:
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    deep: Any = 1
    for _level in range(600):
        deep = [deep]
    headers = world.api_headers("cook.chen") | {"Idempotency-Key": "deep"}
    answer = client.post("/api/v1/purchases", json=wanted(world, cabbage) | {"more": deep}, headers=headers)
    assert answer.status_code in {201, 422}
    assert purchases() == (answer.status_code == 201)


@pytest.mark.parametrize("number", ["1" + "0" * 30, "-1", "0", "x", "２", "0" * 40 + "1", "9" * 5000])
@pytest.mark.parametrize(("login", "path"), [
    ("clerk.zhang", "/village/payments/statement?before="), ("clerk.zhang", "/village/lots?product="),
    ("village.cao", "/office/lots?page=")])
def test_numbers_without_end_in_an_address(world: World, login: str, path: str, number: str) -> None:
    assert world.logged_in(login).get(path + number).status_code in {200, 404}


@pytest.mark.parametrize("page", ["", "/households"])
def test_a_year_with_noughts_before_it(world: World, page: str) -> None:
    village = world.villages["pomelo_home"]
    officer = world.logged_in("official.hua")
    assert officer.get(f"/office/places/{village}{page}?year=02020{'9' * 30}").status_code == 200


# ---- rows -----------------------------------------------------------------------------------------------------------


def test_a_plain_field_in_the_place_of_rows_is_refused_and_the_form_shown_again(world: World, trade: Trade) -> None:
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    order = trade.orders(trade.place({cabbage: 1000}))[0]
    clerk = world.logged_in("clerk.zhang")
    for path, page, name in ((f"/village/orders/{order.id}/shipment", None, "lines"),
                             ("/village/lots", "/village/lots/new", "contributions"),
                             ("/village/lots/process", None, "ingredients")):
        for fields in ({name: "x"}, {name: "x", f"{name}-0-grams": "1"}, {f"{name}-0-grams": "1", name: "x"}):
            answer = send(clerk, path, page, **fields)
            assert (answer.status_code, answer.mimetype) == (422, "text/html"), (path, fields)


def test_an_ingredient_that_weighs_nothing_is_refused_at_its_field(world: World, trade: Trade) -> None:
    spice, oil = trade.product("香料", grams_per_unit=1), trade.product("茶油")
    lot = trade.lot(spice, kg=1)
    form = {"product_id": str(oil), "made_on": TODAY.isoformat(), "grams": "1", "ingredients-0-lot_id": str(lot),
            "ingredients-0-milli": "0.001"}
    answer = send(world.logged_in("clerk.zhang"), "/village/lots/process", **form)
    assert answer.status_code == 422, answer.text
    assert db.session().scalars(select(Lot.id)).all() == [lot]


# ---- anything -------------------------------------------------------------------------------------------------------

VALUES = ["", " ", "x", "0", "-1", "1.5", "１２", "1e3", "NaN", "9" * 12, "9" * 30, "2026-10-13", "2026-02-30",
          "\ufeff", "\u202e", "a\x01b", "\x7f", "𠮷" * 300, "'; --", "{{7*7}}", "%s%n", "../../etc", "true", "null",
          "[]", "\n\n"]
JSON_VALUES: list[Any] = [*VALUES, "\0", HALF, None, True, 0, -1, 1, 1.5, 1e308, 10 ** 12, 10 ** 30, -2 ** 63, [], {},
                          [[]], [{}], [None], {"x": 1}, ["x"], [1]]


@pytest.mark.parametrize("seed", range(2))
def test_no_value_in_any_field_breaks_anything(world: World, trade: Trade, app: Any, monkeypatch: pytest.MonkeyPatch,
                                               seed: int) -> None:
    """Right forms with one or two fields replaced or added: refused or done, never a fault."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    chance = random.Random(seed)
    targets = _targets(world, trade)
    clients = {login: world.logged_in(login) for login, _path, _right in targets}
    headers = {login: world.api_headers(login) for login in clients}
    program = app.test_client()
    for number in range(150):
        login, path, right = targets[number % len(targets)]
        if path.startswith("/api/"):
            body = _spoilt_json(right, chance)
            answer = post_json(program, path, body, headers[login] | {"Idempotency-Key": f"k{number % 7}"})
        else:
            body = _spoilt_form(right, chance)
            answer = clients[login].post(path, data=body)
        assert answer.status_code < 500, (login, path, body)


def _targets(world: World, trade: Trade) -> list[tuple[str, str, dict[str, Any]]]:
    """The main deeds, each with a right body."""
    cabbage = trade.product("卷心菜")
    lot, waiting = trade.lot(cabbage, kg=1000), trade.lot(cabbage, confirmed=False)
    orders = [trade.orders(trade.place({cabbage: 10_000}))[0] for _time in range(3)]
    for order in orders[1:]:
        trade.ship(order.id)
    trade.accept(orders[2].id)
    placed, shipped, accepted = orders
    line = trade.lines(placed.id)[0].id
    shipped_line = trade.lines(shipped.id)[0].id
    claim = trade.pay(accepted.id, 100, confirmed=False)
    second: Visitor = world.person("aunt.zhao")
    purchase = wanted(world, cabbage)
    day = TODAY.isoformat()
    booking = {"product_id": cabbage, "harvested_on": day, "farm_gate_fen_per_kg": 120}
    return [
        ("cook.chen", "/cart/lines", {"product_id": cabbage, "quantity_milli": "1"}),
        ("cook.chen", "/cart", {"lines-0-product_id": cabbage, "lines-0-quantity_milli": "1"}),
        ("cook.chen", "/purchases", {**{k: v for k, v in purchase.items() if k != "lines"}, "submit_token": "t",
                                     "lines-0-product_id": cabbage, "lines-0-quantity_milli": "1", "note": "x"}),
        ("cook.chen", "/api/v1/purchases", purchase | {"note": "x", "expected_total_fen": 200}),
        ("clerk.zhang", "/village/lots", booking | {"contributions-0-member": "M001", "contributions-0-grams": "5",
                                                    "best_before": TOMORROW.isoformat(), "shown": "6"}),
        ("clerk.zhang", "/api/v1/lots", booking | {"contributions": [{"member": "M001", "grams": 5000}]}),
        ("clerk.zhang", "/village/lots/process", {"product_id": cabbage, "made_on": day, "grams": "1", "milli": "1",
                                                  "ingredients-0-lot_id": lot, "ingredients-0-milli": "1"}),
        ("village.cao", f"/api/v1/lots/{waiting}/confirmation", {}),
        ("clerk.zhang", f"/village/orders/{placed.id}/shipment", {
            "lines-0-line_id": line, "lines-0-lot_id": lot, "lines-0-packed_milli": "1", "note": "x"}),
        ("clerk.zhang", f"/api/v1/orders/{placed.id}/shipment", {
            "lines": [{"line_id": line, "lot_id": lot, "packed_milli": 1000, "packed_grams": 1000}]}),
        ("store.wang", f"/orders/{shipped.id}/acceptance", {
            "lines-0-line_id": shipped_line, "lines-0-accepted_grams": "10", "second_id": second.id,
            "second_password": PASSWORD, "note": "x"}),
        ("store.wang", f"/api/v1/orders/{shipped.id}/acceptance", {
            "lines": [{"line_id": shipped_line, "accepted_grams": 10_000, "reason": ""}],
            "second_receiver": {"login": "aunt.zhao", "password": PASSWORD}}),
        ("cashier.sun", f"/api/v1/orders/{accepted.id}/payment-claims", {
            "amount_fen": 100, "payer_name": "食堂", "paid_on": day}),
        ("chair.shi", f"/village/payment-claims/{claim}/refusal", {"reason": "x"}),
        ("chair.shi", "/village/products", {"name": "白菜", "price_fen": "2", "unit": "公斤", "supply": "stocked",
                                            "grams_per_unit": "1", "minimum_milli": "1", "step_milli": "1"}),
        ("cook.chen", "/account/organisation", {"organisation_id": world.organisation_id(SCHOOL)}),
    ]


def _spoilt_form(right: dict[str, Any], chance: random.Random) -> dict[str, str]:
    form = {name: str(value) for name, value in right.items()}
    names = [*form, *(name.split("-")[0] for name in form), "submit_token", "lines-0-", "lines-999-x", "next", "more"]
    return form | {chance.choice(names): chance.choice(VALUES) for _time in range(chance.randint(1, 2))}


def _spoilt_json(right: Any, chance: random.Random) -> Any:
    """The same body with one value somewhere in it replaced, or one field added."""
    if isinstance(right, dict) and chance.random() < 0.9:
        name = chance.choice([*right, "more"])
        return right | {name: _spoilt_json(right.get(name), chance)}
    if isinstance(right, list) and right and chance.random() < 0.7:
        return [_spoilt_json(right[0], chance), *right[1:]]
    return chance.choice(JSON_VALUES)
