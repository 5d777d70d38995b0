"""Card payments over HTTP: to the provider's page and back, both sides' lists, bells that are not to be believed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from market import clock, db, worker
from market.outbox import OutboxMessage
from orders.models import CardPayment, ConnectedAccount, MoneyTask, Order, ProviderEvent
from orders.paying import cards
from orders.practice.books import PLATFORM
from tests.counting import count_statements
from tests.stand_in import WEBHOOKS, StandIn
from tests.trade import Trade
from tests.web.forms import send
from tests.world import GREENS, NOON, World


@pytest.fixture(autouse=True)
def noon(stand_in: StandIn) -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def account(world: World, stand_in: StandIn) -> str:
    return stand_in.account(GREENS)


@pytest.fixture
def order_id(world: World, trade: Trade) -> int:
    return trade.cabbage().id


@pytest.fixture
def cashier(world: World) -> FlaskClient:
    return world.logged_in("cashier.sun")


def counted(table: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(table)) or 0


def payment() -> CardPayment:
    db.session().rollback()
    return db.session().scalars(select(CardPayment).order_by(CardPayment.id.desc()).limit(1)
                                .execution_options(populate_existing=True)).one()


def order(order_id: int) -> Order:
    db.session().rollback()
    return db.session().get_one(Order, order_id, populate_existing=True)


def address(order_id: int) -> str:
    return f"/orders/{order_id}/card-payments"


def begin(client: FlaskClient, order_id: int, token: str = "once") -> Any:
    return send(client, address(order_id), submit_token=token)


# ---- the unit's pages -----------------------------------------------------------------------------------------------


def test_from_the_order_to_the_page_and_back_to_a_paid_order(
        order_id: int, cashier: FlaskClient, account: str, stand_in: StandIn) -> None:
    assert "¥20.00" in cashier.get(address(order_id)).text
    there = begin(cashier, order_id)
    assert (there.status_code, there.location) == (303, payment().session_url)
    back = stand_in.pay(there.location)
    path = "/orders" + back.partition("/orders")[2]
    page = cashier.get(path).text
    assert "data-check-after" in page
    assert payment().state == "open"  # reading has changed nothing
    told = send(cashier, f"{path}/check", path, looks="0")
    assert told.status_code == 303
    page = cashier.get(told.location).text
    assert "data-check-after" not in page
    assert (payment().state, order(order_id).payment) == ("paid", "paid")
    assert payment().charge_id in page


def test_a_form_sent_twice_and_a_second_tab_find_the_same_page(
        order_id: int, cashier: FlaskClient, account: str, stand_in: StandIn) -> None:
    places = {begin(cashier, order_id, token).location for token in ("a", "a", "b")}
    assert places == {payment().session_url}
    assert counted(CardPayment) == 1


def test_no_answer_shows_being_checked_and_never_failed(
        order_id: int, cashier: FlaskClient, account: str, stand_in: StandIn) -> None:
    stand_in.misbehave(account, "500", times=1, on="open")
    answer = begin(cashier, order_id)
    assert answer.status_code == 303
    page = cashier.get(answer.location).text
    assert "正在核实" in page
    send(cashier, f"{answer.location}/check", answer.location)
    assert payment().state == "open"


def test_the_page_stops_asking_by_itself_after_a_while(
        order_id: int, cashier: FlaskClient, account: str) -> None:
    begin(cashier, order_id)
    shown = f"{address(order_id)}/{payment().id}"
    assert 'data-check-after="5000"' in cashier.get(f"{shown}?looks=9").text
    for looks in ("20", "x", "-1", "999999"):
        assert "data-check-after" not in cashier.get(f"{shown}?looks={looks}").text
    assert send(cashier, f"{shown}/check", shown, looks="朝").status_code == 303


@pytest.mark.parametrize(("state", "words"), [
    ("expired", "没有扣款"), ("refused", "没有扣款"), ("different", "请勿重复付款"), ("paid", "已付款")])
def test_every_end_is_told_in_plain_words(
        order_id: int, cashier: FlaskClient, account: str, state: str, words: str) -> None:
    begin(cashier, order_id)
    with db.transaction() as session:
        session.execute(db.table(CardPayment).update().values(
            state=state, business_date=NOON.date() if state == "paid" else None, settled_at=NOON))
    page = cashier.get(f"{address(order_id)}/{payment().id}").text
    assert words in page
    assert "data-check-after" not in page


def test_paid_on_a_closed_order_is_no_success(order_id: int, cashier: FlaskClient, account: str) -> None:
    begin(cashier, order_id)
    with db.transaction() as session:
        session.execute(db.table(CardPayment).update().values(state="paid", business_date=NOON.date()))
        session.execute(db.table(Order).update().values(state="cancelled"))
    page = cashier.get(f"{address(order_id)}/{payment().id}").text
    assert "订单已关闭" in page
    assert "notice-good" not in page


def test_why_not_is_said(world: World, order_id: int, cashier: FlaskClient) -> None:
    assert "该合作社尚未开通" in cashier.get(address(order_id)).text
    answer = send(cashier, address(order_id), f"/orders/{order_id}/payment-claims", submit_token="x")
    assert answer.status_code == 409
    assert counted(CardPayment) == 0


def test_walls(world: World, order_id: int, cashier: FlaskClient, account: str) -> None:
    begin(cashier, order_id)
    mine = f"{address(order_id)}/{payment().id}"
    stranger = world.logged_in("cashier.feng")
    assert stranger.get(address(order_id)).status_code == 404
    assert stranger.get(mine).status_code == 404
    assert send(stranger, f"{mine}/check", "/account").status_code == 404
    assert send(stranger, address(order_id), "/account").status_code == 404
    cook = world.logged_in("cook.chen")
    assert cook.get(mine).status_code == 200
    assert "data-check-after" not in cook.get(mine).text
    assert send(cook, address(order_id), "/account").status_code == 403
    pomelo = world.logged_in("chair.he").get("/village/card-payments").text
    assert order(order_id).number not in pomelo
    greens = world.logged_in("books.dong")
    assert greens.get("/village/card-payments").status_code == 200


# ---- the co-operative's pages ---------------------------------------------------------------------------------------


def test_the_cooperative_sees_what_was_paid(
        world: World, order_id: int, cashier: FlaskClient, account: str, stand_in: StandIn) -> None:
    begin(cashier, order_id)
    stand_in.pay(payment().session_url)
    chair = world.logged_in("chair.shi")
    assert "notice-good" not in chair.get("/village/card-payments").text
    cards.book(payment().id, world.app.extensions["sijin_gateway"])
    page = chair.get("/village/card-payments").text
    assert order(order_id).number in page
    assert payment().charge_id in page
    assert "支付宝" in page


def test_the_manager_connects_checks_and_disconnects(world: World, stand_in: StandIn) -> None:
    chair, page = world.logged_in("chair.shi"), "/village/card-account"
    assert send(chair, page).status_code == 303
    made = db.session().scalars(select(ConnectedAccount)).one()
    shown = send(chair, f"{page}/onboarding", page)
    assert shown.status_code == 200
    assert re.search(r'href="http://127\.0\.0\.1:\d+/[^"]+"', shown.text)
    assert send(chair, f"{page}/check", page).status_code == 303
    assert "支付机构还需要" in chair.get(page).text
    stand_in.provider.books.keep(stand_in.provider.accounts.get(made.account_id) | {"charges_enabled": True})
    send(chair, f"{page}/check", page)
    assert "可以收款" in chair.get(page).text
    assert send(chair, f"{page}/disconnection", page).status_code == 303
    assert db.session().scalars(select(ConnectedAccount.disconnected_at)).one() is not None
    assert send(chair, f"{page}/check", page).status_code == 409
    assert world.logged_in("clerk.zhang").get(page).status_code == 403


def test_a_provider_that_does_not_answer_is_said_on_the_page(world: World, account: str, stand_in: StandIn) -> None:
    stand_in.misbehave(PLATFORM, "500", times=1)
    chair = world.logged_in("chair.shi")
    answer = send(chair, "/village/card-account/check", "/village/card-account")
    assert answer.status_code == 503
    assert account in answer.text


# ---- programs -------------------------------------------------------------------------------------------------------


def test_a_program_pays(world: World, client: FlaskClient, order_id: int, account: str, stand_in: StandIn) -> None:
    headers = {**world.api_headers("cashier.sun"), "Idempotency-Key": "pay-1"}
    url = f"/api/v1{address(order_id)}"
    first = client.post(url, headers=headers)
    assert first.status_code == 201
    assert (first.json["state"], first.json["amount_fen"], first.json["url"]) == ("open", 2000, payment().session_url)
    again = client.post(url, headers=headers)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replay"] == "true"
    stand_in.pay(first.json["url"])
    cards.book(first.json["id"], world.app.extensions["sijin_gateway"])
    seen = client.get(f"{url}/{first.json['id']}", headers=world.api_headers("chair.shi"))
    assert (seen.json["state"], seen.json["url"], seen.json["way"]) == ("paid", "", "alipay")
    assert client.get(f"{url}/{first.json['id']}", headers=world.api_headers("chair.he")).status_code == 404
    assert client.post(url, headers=world.api_headers("cashier.feng")).status_code == 404
    assert client.post(url, headers=world.api_headers("cook.chen")).status_code == 403
    assert client.post(url, headers=world.api_headers("cashier.sun")).json["error"]["code"] == "nothing_open"


def test_a_program_hears_that_it_is_being_checked(
        world: World, client: FlaskClient, order_id: int, account: str, stand_in: StandIn) -> None:
    stand_in.misbehave(account, "500", times=1, on="open")
    headers = {**world.api_headers("cashier.sun"), "Idempotency-Key": "pay-1"}
    first = client.post(f"/api/v1{address(order_id)}", headers=headers)
    assert (first.status_code, first.json["state"], first.json["url"]) == (201, "asked", "")
    again = client.post(f"/api/v1{address(order_id)}", headers=headers)
    assert (again.json["id"], again.json["state"]) == (first.json["id"], "open")


# ---- bells ----------------------------------------------------------------------------------------------------------


def paid(order_id: int, cashier: FlaskClient, stand_in: StandIn) -> None:
    begin(cashier, order_id)
    stand_in.pay(payment().session_url)


def ring(client: FlaskClient, body: bytes, signature: str | None, content_type: str = "application/json") -> int:
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return client.post(WEBHOOKS, data=body, headers=headers, content_type=content_type).status_code


def test_bells_book_once_however_often_they_ring(
        app: Flask, client: FlaskClient, order_id: int, cashier: FlaskClient, account: str, stand_in: StandIn) -> None:
    paid(order_id, cashier, stand_in)
    assert set(stand_in.deliver_to(client, copies=3, shuffled=True)) == {200}
    assert counted(ProviderEvent) == 3
    db.session().rollback()
    worker.run_once(app)
    assert (payment().state, order(order_id).received_fen) == ("paid", 2000)
    assert set(stand_in.deliver_to(client)) == {200}
    worker.run_once(app)
    assert order(order_id).received_fen == 2000


def test_what_is_not_to_be_believed_changes_nothing(
        client: FlaskClient, order_id: int, cashier: FlaskClient, account: str, stand_in: StandIn) -> None:
    paid(order_id, cashier, stand_in)
    true = stand_in.events[-1]
    text, now = true.body.decode(), int(NOON.timestamp())
    event = json.loads(text)
    before = counted(OutboxMessage)

    def signed(body: Any, **how: Any) -> tuple[bytes, str | None]:
        sent = stand_in.signed(body if isinstance(body, str) else json.dumps(body), **how)
        return sent.body, sent.signature

    latin = '{"id": "evt_1", "type": "é"}'.encode("latin-1")
    bad: dict[str, tuple[bytes, str | None]] = {
        "unsigned": (true.body, None), "empty signature": (true.body, ""), "nonsense": (true.body, "t=x,v1=y"),
        "no stamp": (true.body, "v1=" + "0" * 64), "forged": signed(text, secret="whsec_of_somebody_else"),
        "changed": (true.body.replace(b"2000", b"9000"), true.signature),
        "old": signed(text, stamp=now - 301), "ahead": signed(text, stamp=now + 301),
        "another account": signed(event | {"account": "acct_of_nobody"}),
        "no account": signed(event | {"account": None}), "our own account": signed(event | {"account": ""}),
        "another mode": signed(event | {"livemode": True}),
        "mode as a word": signed(event | {"livemode": "false"}), "array": signed("[1, 2]"), "null": signed("null"),
        "text": signed('"evt"'), "no object": signed(event | {"data": {}}), "id is a number": signed(event | {"id": 7}),
        "long id": signed(event | {"id": "e" * 500}), "deep": signed("[" * 100_000),
        "empty": signed(""), "not UTF-8": (latin, true.signature),
        "1 MB": signed(event | {"more": "x" * 1024 * 1024}), "just too large": signed(event | {"more": "x" * 262_144}),
    }
    for what, (body, signature) in bad.items():
        assert ring(client, body, signature) == 400, what
    assert ring(client, *signed(text), content_type="application/x-www-form-urlencoded") == 400
    assert ring(client, *signed(text), content_type="multipart/form-data; boundary=x") == 400
    assert client.get(WEBHOOKS).status_code == 405
    assert (counted(ProviderEvent), counted(OutboxMessage), counted(MoneyTask)) == (0, before, 0)
    assert ring(client, *signed(text, stamp=now - 299)) == 200


def test_a_bell_costs_as_much_for_the_hundredth_time_and_asks_nobody(
        app: Flask, client: FlaskClient, order_id: int, cashier: FlaskClient, account: str,
        stand_in: StandIn) -> None:
    paid(order_id, cashier, stand_in)
    body = stand_in.events[-1].body.decode()
    costs = []
    for number in range(30):
        sent = stand_in.signed(body.replace('"id": "evt_', f'"id": "evt_{number}_'))
        with count_statements(app) as counted_:
            assert ring(client, sent.body, sent.signature) == 200
        costs.append(len(counted_))
    assert max(costs) == min(costs) <= 6
    assert payment().state == "open"


def test_lists_cost_as_much_for_many_attempts_as_for_one(
        world: World, order_id: int, cashier: FlaskClient, account: str) -> None:
    def cost(page: str, client: FlaskClient) -> int:
        client.get(page)
        with count_statements(world.app) as statements:
            assert client.get(page).status_code == 200
        return len(statements)

    begin(cashier, order_id)
    chair = world.logged_in("chair.shi")
    pages = [(address(order_id), cashier), ("/village/card-payments", chair)]
    few = [cost(*page) for page in pages]
    for number in range(10):
        with db.transaction() as session:
            session.execute(db.table(CardPayment).update().values(state="expired"))
        begin(cashier, order_id, f"again-{number}")
    assert counted(CardPayment) == 11
    assert [cost(*page) for page in pages] == few
