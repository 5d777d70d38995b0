"""The same trade by program: one order end to end, one shape for every refusal, nothing done twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from market import clock, credentials, db, ledger, limits
from market.parties import Organisation
from market.submissions import Submission
from orders.models import Order, Purchase
from tests.counting import keep_the_demo_flag
from tests.trade import TOMORROW
from tests.world import GREENS, NOON, PASSWORD, POMELO, TODAY

LINES = {"id", "product_id", "ordered_milli", "packed_milli", "accepted_fen"}


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


class Caller:
    """A person's program."""

    def __init__(self, world, login: str) -> None:
        self.client, self.headers = world.app.test_client(), world.api_headers(login)

    def get(self, path: str, **query):
        return self.client.get("/api/v1" + path, headers=self.headers, query_string=query)

    def post(self, path: str, body=None, key: str | None = None):
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.post("/api/v1" + path, json=body, headers=headers)


def order_body(world, goods: dict[int, int], **more) -> dict:
    return {"lines": [{"product_id": p, "ordered_milli": m} for p, m in goods.items()],
            "delivery_point_id": world.delivery_point_id(), "delivery_day": TOMORROW.isoformat(),
            "delivery_window": "morning", "fund_source": "canteen", **more}


def error_of(answer, status: int, code: str | None = None) -> dict:
    """Every refusal has this shape and no other."""
    assert answer.status_code == status, answer.text
    assert set(answer.json) == {"error"}
    error = answer.json["error"]
    assert set(error) == {"code", "message", "fields"}
    assert error["message"]
    assert isinstance(error["fields"], dict)
    assert all(isinstance(messages, list) for messages in error["fields"].values())
    if code:
        assert error["code"] == code
    return error


# ---- one order ------------------------------------------------------------------------------------------------------


def test_one_order_from_the_harvest_to_the_money_over_the_api(world, trade):
    cabbage = trade.product("卷心菜", price_fen=200)
    clerk, officer = Caller(world, "clerk.zhang"), Caller(world, "village.cao")
    lot = clerk.post("/lots", {
        "product_id": cabbage, "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": 120,
        "contributions": [{"member": "M001", "grams": 60_000}, {"member": "M002", "grams": 40_000}]}, key="lot-1")
    assert lot.status_code == 201, lot.text
    assert (lot.json["state"], lot.json["total_milli"]) == ("waiting", 100_000)
    cook = Caller(world, "cook.chen")
    error_of(cook.post("/purchases", order_body(world, {cabbage: 10_000})), 409, "out_of_stock")
    assert [one["id"] for one in officer.get("/lots", state="waiting").json["items"]] == [lot.json["id"]]
    confirmed = officer.post(f"/lots/{lot.json['id']}/confirmation")
    assert (confirmed.status_code, confirmed.json["state"]) == (201, "in_store")
    error_of(officer.post(f"/lots/{lot.json['id']}/confirmation"), 409, "lot_confirmed")

    placed = cook.post("/purchases", order_body(world, {cabbage: 10_000}, expected_total_fen=2000), key="p-1")
    assert (placed.status_code, placed.json["total_fen"]) == (201, 2000)
    order = placed.json["orders"][0]
    line = order["lines"][0]
    assert set(line) >= LINES

    packed = {"lines": [{"line_id": line["id"], "lot_id": lot.json["id"], "packed_milli": 10_000}]}
    shipped = clerk.post(f"/orders/{order['id']}/shipment", packed, key="s-1")
    assert (shipped.status_code, shipped.json["state"]) == (201, "shipped")
    assert len(shipped.json["run_code"]) == 6
    receiver = Caller(world, "store.wang")
    seen = receiver.get(f"/orders/{order['id']}").json
    assert "run_code" not in seen  # it proves the driver, not the receiver
    taken = receiver.post(f"/orders/{order['id']}/acceptance", {
        "lines": [{"line_id": line["id"], "accepted_grams": 9500, "reason": "short"}],
        "second_receiver": {"login": "aunt.zhao", "password": PASSWORD}}, key="a-1")
    assert taken.status_code == 201, taken.text
    assert (taken.json["state"], taken.json["accepted_fen"]) == ("accepted", 1900)

    cashier, chair = Caller(world, "cashier.sun"), Caller(world, "chair.shi")
    claim = cashier.post(f"/orders/{order['id']}/payment-claims", {
        "amount_fen": 1900, "payer_name": "永州演示第一小学", "paid_on": TODAY.isoformat()}, key="c-1")
    assert (claim.status_code, claim.json["state"]) == (201, "claimed")
    assert [one["id"] for one in chair.get("/payment-claims", state="claimed").json["items"]] == [claim.json["id"]]
    received = chair.post(f"/payment-claims/{claim.json['id']}/receipt", key="r-1")
    assert (received.status_code, received.json["state"]) == (201, "received")
    assert ledger.balance_fen(f"unit:{order['unit_id']}") == 0
    assert ledger.balance_fen(f"supplier:{order['supplier_id']}") == 0
    assert ledger.balance_fen(f"households:{world.villages['greens_home']}") == -1140
    paid = cook.get("/orders", state="accepted").json["items"]
    assert [(one["id"], one["payment"]) for one in paid] == [(order["id"], "paid")]


def test_a_purchase_above_the_limit_waits_for_a_second_person(world, trade):
    cabbage = trade.product("卷心菜", price_fen=200)
    trade.lot(cabbage)
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id("school")).approval_limit_fen = 1000
    cook, head = Caller(world, "cook.chen"), Caller(world, "head.li")
    placed = cook.post("/purchases", order_body(world, {cabbage: 10_000})).json
    assert placed["approval"] == "waiting"
    order_id = placed["orders"][0]["id"]
    clerk = Caller(world, "clerk.zhang")
    assert clerk.get("/orders").json["items"] == []
    error_of(clerk.get(f"/orders/{order_id}"), 404, "not_found")
    error_of(cook.post(f"/purchases/{placed['id']}/approval"), 403)
    error_of(head.post(f"/purchases/{placed['id']}/approval", {"content_hash": "0" * 64}), 409, "content_changed")
    error_of(head.post(f"/purchases/{placed['id']}/approval", {"decision": "decline"}), 422, "invalid")
    yes = head.post(f"/purchases/{placed['id']}/approval", {"content_hash": placed["content_hash"]})
    assert (yes.status_code, yes.json["approval"], yes.json["orders"][0]["state"]) == (201, "approved", "placed")
    assert clerk.get(f"/orders/{order_id}").status_code == 200


# ---- refusals -------------------------------------------------------------------------------------------------------


def test_every_refusal_has_one_shape(world, trade, client, monkeypatch):
    cook, clerk = Caller(world, "cook.chen"), Caller(world, "clerk.zhang")
    error_of(client.get("/api/v1/nothing"), 404)
    wrong_verb = client.delete("/api/v1/products")
    error_of(wrong_verb, 405)
    assert "GET" in wrong_verb.headers["Allow"]
    stranger = client.post("/api/v1/purchases", json={})
    error_of(stranger, 401)
    assert stranger.headers["WWW-Authenticate"] == "Bearer"
    error_of(client.get("/api/v1/orders", headers={"Authorization": "Bearer sj_forged"}), 401)
    error_of(clerk.post("/purchases", {}), 403)
    error_of(cook.post("/purchases", {}), 422, "invalid")
    error_of(cook.post("/purchases", [1, 2]), 422, "invalid")
    broken = cook.client.post("/api/v1/purchases", data="{", content_type="application/json", headers=cook.headers)
    error_of(broken, 422, "invalid")
    form = cook.client.post("/api/v1/purchases", data={"lines-0-product_id": "1"}, headers=cook.headers)
    error_of(form, 415)
    error_of(cook.get("/orders", limit="0"), 422, "invalid")
    error_of(cook.get("/orders", cursor="abc"), 422, "invalid")
    error_of(cook.get("/orders", state="eaten"), 422, "invalid")
    error_of(cook.get("/orders/99999999999999999999"), 404)
    error_of(cook.post("/purchases", {}, key="a key with blanks"), 400, "idempotency_key")
    error_of(cook.post("/purchases", {}, key="k" * 81), 400, "idempotency_key")
    monkeypatch.setattr(limits, "LIMITS", {"orders_api.place": "1 per minute"})
    limits.limiter.reset()
    cook.post("/purchases", {})
    error_of(cook.post("/purchases", {}), 429)


@pytest.mark.parametrize("wrong", ["2.00", "200", 2.0, True, None, -1, 0, 10**20, [1], {}])
def test_numbers_are_integers_and_nothing_else(world, trade, wrong):
    """A text such as "2.00" would be yuan in a form; here it must not pass for fen."""
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    cook = Caller(world, "cook.chen")
    body = order_body(world, {cabbage: 1000})
    body["lines"][0]["ordered_milli"] = wrong
    assert "lines-0-ordered_milli" in error_of(cook.post("/purchases", body), 422, "invalid")["fields"]
    if wrong is not None:
        body = order_body(world, {cabbage: 1000}, expected_total_fen=wrong)
        assert "expected_total_fen" in error_of(cook.post("/purchases", body), 422, "invalid")["fields"]
    assert db.session().scalar(select(func.count()).select_from(Purchase)) == 0


def test_messages_speak_the_language_asked_for(client):
    assert "登录" in client.get("/api/v1/orders").json["error"]["message"]
    assert client.get("/api/v1/orders?lang=en").json["error"]["message"] == "Please log in first."


def test_a_cookie_opens_nothing(world, trade):
    browser = world.logged_in("cook.chen")
    error_of(browser.get("/api/v1/orders"), 401)
    error_of(browser.post("/api/v1/purchases", json=order_body(world, {1: 1000})), 401)


def test_what_belongs_to_others_is_unknown(world, trade):
    cabbage = trade.product("卷心菜")
    lot = trade.lot(cabbage, confirmed=False)
    stocked = trade.lot(cabbage)
    placed = trade.place({cabbage: 1000})
    order_id = trade.orders(placed)[0].id
    line = trade.lines(order_id)[0].id
    trade.ship(order_id)
    trade.accept(order_id)
    claim = trade.pay(order_id, 100, confirmed=False)
    acceptance = {"lines": [{"line_id": line, "accepted_grams": 1}],
                  "second_receiver": {"login": "store.zheng", "password": PASSWORD}}
    shipment = {"lines": [{"line_id": line, "lot_id": stocked, "packed_milli": 1}]}
    paid = {"amount_fen": 1, "payer_name": "x", "paid_on": TODAY.isoformat()}
    foreign = [
        ("cook.wu", "get", "/purchases/{}", placed.id, None), ("cook.wu", "get", "/orders/{}", order_id, None),
        ("clerk.lv", "get", "/orders/{}", order_id, None), ("clerk.lv", "get", "/lots/{}", lot, None),
        ("clerk.lv", "post", "/orders/{}/shipment", order_id, shipment),
        ("cashier.feng", "post", "/orders/{}/payment-claims", order_id, paid),
        ("chair.he", "post", "/payment-claims/{}/receipt", claim, None),
        ("village.kong", "post", "/lots/{}/confirmation", lot, None), ("village.kong", "get", "/lots/{}", lot, None),
    ]
    for login, method, path, number, body in foreign:
        caller = Caller(world, login)
        ask = getattr(caller, method)
        arguments = () if body is None else (body,)
        theirs, unknown = ask(path.format(number), *arguments), ask(path.format(987_654), *arguments)
        error_of(theirs, 404, "not_found")
        assert theirs.json == unknown.json, path
    other = Caller(world, "store.zheng")
    answers = [other.post(f"/orders/{number}/acceptance", acceptance) for number in (order_id, 987_654)]
    assert answers[0].json == answers[1].json
    for login, path in (("cook.wu", "/orders"), ("cook.wu", "/purchases"), ("clerk.lv", "/orders"),
                        ("clerk.lv", "/lots"), ("village.kong", "/lots"), ("chair.he", "/payment-claims"),
                        ("admin.qian", "/lots")):
        assert Caller(world, login).get(path).json["items"] == []


def test_a_lot_of_somebody_else_cannot_be_packed_nor_a_foreign_line(world, trade):
    cabbage, pomelo = trade.product("卷心菜"), trade.product("香柚", POMELO)
    trade.lot(cabbage)
    theirs = trade.lot(pomelo)
    order_id = trade.orders(trade.place({cabbage: 1000}))[0].id
    line = trade.lines(order_id)[0].id
    clerk = Caller(world, "clerk.zhang")
    body = {"lines": [{"line_id": line, "lot_id": theirs, "packed_milli": 1000}]}
    error_of(clerk.post(f"/orders/{order_id}/shipment", body), 404)
    error_of(clerk.post(f"/orders/{order_id}/shipment", {"lines": []}), 422)
    assert db.session().get_one(Order, order_id, populate_existing=True).state == "placed"


def test_the_second_receiver_must_prove_it_and_wrong_tries_are_counted(world, trade):
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    order_id = trade.orders(trade.place({cabbage: 1000}))[0].id
    line = trade.lines(order_id)[0].id
    trade.ship(order_id)
    receiver = Caller(world, "store.wang")

    def accept(login: str, password: str):
        return receiver.post(f"/orders/{order_id}/acceptance", {
            "lines": [{"line_id": line, "accepted_grams": 1000}],
            "second_receiver": {"login": login, "password": password}})

    assert "second_receiver-login" in error_of(accept("nobody", PASSWORD), 422)["fields"]
    assert "second_receiver-login" in error_of(accept("store.zheng", PASSWORD), 422)["fields"]
    assert "second_receiver-login" in error_of(accept("store.wang", PASSWORD), 422)["fields"]
    for _ in range(credentials.TRIES):
        assert "second_receiver-password" in error_of(accept("aunt.zhao", "wrong"), 422)["fields"]
    error_of(accept("aunt.zhao", PASSWORD), 422)  # locked for a quarter of an hour
    with clock.at(NOON + timedelta(minutes=16)):
        assert accept("aunt.zhao", PASSWORD).status_code == 201


# ---- twice ----------------------------------------------------------------------------------------------------------


def test_the_same_key_gets_the_first_answer(world, trade):
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    cook = Caller(world, "cook.chen")
    body = order_body(world, {cabbage: 1000})
    first, again = cook.post("/purchases", body, key="once"), cook.post("/purchases", body, key="once")
    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert again.headers["Idempotent-Replay"] == "true"
    error_of(cook.post("/purchases", order_body(world, {cabbage: 2000}), key="once"), 409, "token_reused")
    other = Caller(world, "admin.qian").post("/purchases", body, key="once")  # keys are a person's own
    assert other.json["id"] != first.json["id"]
    assert db.session().scalar(select(func.count()).select_from(Purchase)) == 2


def test_a_refused_request_keeps_no_key(world, trade):
    cabbage = trade.product("卷心菜")
    cook = Caller(world, "cook.chen")
    body = order_body(world, {cabbage: 1000})
    error_of(cook.post("/purchases", body, key="patience"), 409, "out_of_stock")
    trade.lot(cabbage)
    assert cook.post("/purchases", body, key="patience").status_code == 201


def test_no_password_is_kept_with_a_key(world, trade):
    """What tells two contents apart is a quick hash; a password in it could be guessed from a copied database."""
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    order_id = trade.orders(trade.place({cabbage: 1000}))[0].id
    line = trade.lines(order_id)[0].id
    trade.ship(order_id)
    with db.transaction():
        credentials.set_password(world.person("aunt.zhao").id, "another good password")
    receiver = Caller(world, "store.wang")
    marks = []
    for password in ("another good password", PASSWORD):
        with db.transaction():
            credentials.set_password(world.person("aunt.zhao").id, password)
        answer = receiver.post(f"/orders/{order_id}/acceptance", {
            "lines": [{"line_id": line, "accepted_grams": 1000}],
            "second_receiver": {"login": "aunt.zhao", "password": password}}, key="accept")
        marks.append((answer.status_code, answer.headers.get("Idempotent-Replay")))
    assert marks == [(201, None), (201, "true")]


def test_twenty_at_once_with_one_key_place_one_purchase(world, trade):
    cabbage = trade.product("卷心菜")
    lot = trade.lot(cabbage)
    headers = world.api_headers("cook.chen") | {"Idempotency-Key": "twenty"}
    body = order_body(world, {cabbage: 1000})
    db.db.session.remove()

    def place(_number: int):
        with world.app.app_context(), clock.at(NOON):
            return world.app.test_client().post("/api/v1/purchases", json=body, headers=headers)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(place, range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replay" not in answer.headers for answer in answers) == 1
    assert db.session().scalar(select(func.count()).select_from(Purchase)) == 1
    assert db.session().scalar(select(func.count()).select_from(Submission)) == 1
    assert trade.stock_of(lot) == (100_000, 1000)


# ---- lists ----------------------------------------------------------------------------------------------------------


def statements(ask) -> int:
    """How many statements a request needs."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    keep_the_demo_flag()
    listen = (db.db.engine, "before_cursor_execute", note)
    event.listen(*listen)
    try:
        assert ask().status_code == 200
    finally:
        event.remove(*listen)
    return len([one for one in seen if one.lstrip().upper().startswith("SELECT")])


def test_lists_come_in_pages_and_cost_the_same_for_many_rows(world, trade):
    cabbage = trade.product("卷心菜")
    lot = trade.lot(cabbage, kg=1000)
    cook, clerk = Caller(world, "cook.chen"), Caller(world, "clerk.zhang")

    def costs() -> list[int]:
        return [statements(lambda p=path, c=caller: c.get(p)) for caller, path in (
            (cook, "/products"), (cook, "/purchases"), (cook, "/orders"), (clerk, "/orders"), (clerk, "/lots"),
            (clerk, "/payment-claims"))]

    trade.place({cabbage: 1000})
    few = costs()
    for _ in range(12):
        trade.place({cabbage: 1000})
        trade.product("白菜")
    assert costs() == few
    seen, cursor = [], None
    while True:
        page = cook.get("/orders", limit=5, **({"cursor": cursor} if cursor else {})).json
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 13
    assert seen == sorted(seen, reverse=True)
    assert clerk.get("/lots").json["items"][0]["id"] == lot


def test_goods_are_found_by_words_shelf_and_seller(world, trade, client):
    cabbage, pomelo = trade.product("卷心菜"), trade.product("香柚", POMELO)
    def names(**query):
        return {one["id"] for one in client.get("/api/v1/products", query_string=query).json["items"]}

    assert names() == {cabbage, pomelo}
    assert names(q="心菜") == {cabbage}
    assert names(q="%") == set()
    assert names(category="vegetables") == {cabbage, pomelo}
    assert names(category="meat") == set()
    assert names(supplier_id=world.organisation_id(GREENS)) == {cabbage}
    assert client.get(f"/api/v1/products/{cabbage}").json["name"] == "卷心菜"
    error_of(client.get("/api/v1/products/99999"), 404)


def test_the_description_names_every_route_its_input_and_the_error_shape(app, client):
    spec = client.get("/api/v1/openapi.json").json
    described = {path.replace("{", "<").replace("}", ">") for path in spec["paths"]}
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    plain = {"/".join(part.split(":")[-1] if ":" not in part else "<" + part.split(":")[-1] for part in rule.split("/"))
             for rule in routes} - {"/api/v1/openapi.json"}
    assert described == plain
    assert spec["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert spec["security"] == [{"bearer": []}]
    error = spec["components"]["schemas"]["ErrorBody"]
    assert set(error["properties"]) == {"code", "message", "fields"}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            assert operation["responses"]["default"], (path, method)
            named = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert ("Idempotency-Key" in named) == (method == "post"), (path, method)
            is_public = path.startswith("/api/v1/products") and method == "get"
            assert operation.get("security", None) == ([] if is_public else None)
    line = spec["components"]["schemas"]["PurchaseLine"]["properties"]
    assert line["ordered_milli"]["type"] == "integer"
