"""Owed, claimed, arrived: the payment pages of a buying unit over HTTP."""

import io
import re
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

from market import clock, db
from market.files import StoredFile
from orders.models import Order, PaymentClaim
from orders.paying import claims as verbs
from tests.counting import count_statements
from tests.trade import Trade
from tests.web.forms import send
from tests.world import NOON, TODAY, uploads


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def accepted_order(trade: Trade) -> Order:
    """Ten kilos of cabbage for ¥20.00, received in full."""
    cabbage = trade.product("白菜", price_fen=200, minimum_milli=1000)
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order


def claim(**changes: object) -> dict[str, object]:
    return {"amount_fen": "20.00", "payer_name": "永州演示第一小学", "paid_on": TODAY.isoformat(),
            "submit_token": "once"} | changes


def claims() -> int:
    return db.session().scalar(select(func.count()).select_from(PaymentClaim)) or 0


def photo() -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "JPEG")
    out.seek(0)
    return out, "回单.jpg"


def test_what_is_accepted_is_owed_until_the_cooperative_has_it(world, trade):
    order = accepted_order(trade)
    cashier, url = world.logged_in("cashier.sun"), f"/orders/{order.id}/payment-claims"
    assert "20.00" in cashier.get("/payments").text
    assert url in cashier.get("/payments").text
    assert send(cashier, url, url, **claim(voucher=photo())).status_code == 303
    row = db.session().scalars(select(PaymentClaim)).one()
    assert (row.amount_fen, row.state) == (2000, "claimed")
    voucher = db.session().get_one(StoredFile, row.voucher_id)
    assert (voucher.content_type, voucher.visibility) == ("image/webp", "parties")
    assert cashier.get(f"/files/{voucher.name}").status_code == 200
    assert world.logged_in("cook.wu").get(f"/files/{voucher.name}").status_code == 404
    assert world.logged_in("official.jin").get(f"/files/{voucher.name}").status_code == 200  # of the city
    assert world.logged_in("official.hua").get(f"/files/{voucher.name}").status_code == 404  # of a county without it
    assert row.number in cashier.get("/payments/claims").text
    assert "待合作社确认" in cashier.get(url).text
    with db.transaction():
        verbs.confirm(row.id, world.person("chair.shi"))
    assert "已到账" in cashier.get(url).text
    assert order.number not in cashier.get("/payments").text


def test_the_same_claim_sent_twice_is_one(world, trade):
    order = accepted_order(trade)
    cashier, url = world.logged_in("cashier.sun"), f"/orders/{order.id}/payment-claims"
    assert [send(cashier, url, url, **claim()).status_code for _ in range(2)] == [303, 303]
    assert claims() == 1


@pytest.mark.parametrize(("field", "text"), [
    *(("amount_fen", text) for text in ("１２", "1e3", "-1", "0x10", "1_000", "1" + "0" * 20, "NaN", "", "0", "1.234")),
    ("payer_name", " "), ("payer_name", "a\u202eb"), ("payer_name", "长" * 101), ("paid_on", ""),
    ("paid_on", "2026-13-01"), ("paid_on", (TODAY + timedelta(days=1)).isoformat()),
])
def test_a_refused_claim_says_why_at_its_field(world, trade, field, text):
    order = accepted_order(trade)
    cashier, url = world.logged_in("cashier.sun"), f"/orders/{order.id}/payment-claims"
    answer = send(cashier, url, url, **claim(**{field: text}))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert claims() == 0


def test_a_voucher_that_is_no_picture_is_refused(world, trade):
    order = accepted_order(trade)
    cashier, url = world.logged_in("cashier.sun"), f"/orders/{order.id}/payment-claims"
    for content in (b"", b"<svg onload=alert(1)>", b"MZ" * 100):
        answer = send(cashier, url, url, **claim(voucher=(io.BytesIO(content), "x.jpg")))
        assert answer.status_code == 422
        assert 'id="voucher-error"' in answer.text
    assert claims() == 0
    assert uploads() == []


def test_only_finance_claims_and_foreign_orders_are_unknown(world, trade):
    order = accepted_order(trade)
    url = f"/orders/{order.id}/payment-claims"
    for login in ("cook.chen", "head.li", "store.wang", "admin.qian"):
        client = world.logged_in(login)
        assert 'name="amount_fen"' not in client.get(url).text
        assert send(client, url, "/account", **claim()).status_code == 403
    stranger = world.logged_in("cashier.feng")
    for form in ({}, claim()):
        answers = [send(stranger, path, "/account", **form) for path in (url, "/orders/999999/payment-claims")]
        bodies = {re.sub(r'(href="[^"]*"|value="[^"]*")', "", answer.text) for answer in answers}
        assert [answer.status_code for answer in answers] == [404, 404]
        assert len(bodies) == 1
    assert claims() == 0


def test_nothing_can_be_paid_for_a_cancelled_order(world, trade):
    cabbage = trade.product("白菜", price_fen=200, supply="daily", daily_milli=50_000)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    cook, url = world.logged_in("cook.chen"), f"/orders/{order.id}"
    assert send(cook, url + "/cancellation", url, reason="停课").status_code == 303
    assert send(world.logged_in("cashier.sun"), url + "/payment-claims", "/account", **claim()).status_code == 409
    assert claims() == 0


def test_payment_pages_cost_the_same_for_few_and_for_many(world, trade):
    cabbage = trade.product("白菜", price_fen=200, minimum_milli=1000)
    trade.lot(cabbage, 2000)
    cashier, costs = world.logged_in("cashier.sun"), []
    for count in (2, 18):
        for _ in range(count):
            order = trade.orders(trade.place({cabbage: 1000}))[0]
            trade.ship(order.id)
            trade.accept(order.id)
            trade.pay(order.id, 100, confirmed=False)
        costs.append([])
        for path in ("/desk", "/payments", "/payments/claims", f"/orders/{order.id}",
                     f"/orders/{order.id}/payment-claims"):
            world.app.extensions["sijin_demo"]()  # asked for once in a while, not per page
            with count_statements(world.app) as statements:
                assert cashier.get(path).status_code == 200
            costs[-1].append(len(statements))
    assert costs[0] == costs[1]
