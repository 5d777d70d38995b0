"""Terms of payment over HTTP: chosen, shown, extended; claims of several orders, taken back, seen alike by both."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market import clock, db, outbox
from market.journal import JournalEntry
from orders.models import ClaimPart, Order, PaymentClaim, PaymentSetting, Shipment
from orders.paying import claims as verbs
from orders.paying import settings, terms_jobs
from orders.paying.payer_models import DeclaredPayer
from tests.trade import Trade
from tests.web.forms import send
from tests.world import GREENS, NOON, SCHOOL, TODAY


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def cabbage_order(trade: Trade, **how: str) -> Order:
    """Ten kilos of cabbage for ¥23.00."""
    return trade.cabbage(price_fen=230, **how)


def accepted(trade: Trade) -> Order:
    order = cabbage_order(trade)
    trade.ship(order.id)
    trade.accept(order.id)
    return order


def told(**changes: object) -> dict[str, object]:
    return {"payer_name": "永州演示第一小学", "paid_on": TODAY.isoformat(), "submit_token": "once"} | changes


def count(entity: type) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def only(entity: type):
    return db.session().scalars(select(entity).execution_options(populate_existing=True)).one()


# ---- who sets what --------------------------------------------------------------------------------------------------


def test_the_co_operative_s_manager_asks_all_units_to_pay_first(world, trade):
    chair = world.logged_in("chair.shi")
    assert send(chair, "/payment-settings", chosen="maybe").status_code == 422
    assert count(PaymentSetting) == 0
    assert send(chair, "/payment-settings", chosen="yes").status_code == 303
    assert only(PaymentSetting).pay_first is True
    page = chair.get("/payment-settings").text
    assert "石社长" in page and "先款后货" in page
    assert db.session().scalar(select(func.count()).select_from(JournalEntry).where(
        JournalEntry.action == "payment_setting.changed")) == 1
    assert "谁代我们付款" not in page
    for login in ("clerk.zhang", "cashier.sun", "cook.chen", "books.dong", "official.jin"):
        client = world.logged_in(login)
        assert client.get("/payment-settings").status_code == 403
        assert send(client, "/payment-settings", "/account", chosen="no").status_code == 403
    assert only(PaymentSetting).pay_first is True


def test_a_unit_s_manager_sees_whether_it_pays_first_and_declares_who_else_pays(world):
    with db.transaction():
        settings.require_pay_first(world.organisation_id(SCHOOL), True, world.person("security.jiang"))
    manager = world.logged_in("admin.qian")
    assert "本单位须先付款" in manager.get("/payment-settings").text
    assert send(manager, "/payment-settings", chosen="yes").status_code == 303
    assert (only(PaymentSetting).bank_only, only(PaymentSetting).pay_first) == (True, True)
    url = "/payment-settings/payers"
    assert send(manager, url, "/payment-settings", name="", kind="treasury").status_code == 422
    assert send(manager, url, "/payment-settings", name="永州财政国库支付中心", kind="treasury").status_code == 303
    again = send(manager, url, "/payment-settings", name="永州财政国库支付中心", kind="other", submit_token="2")
    assert again.status_code == 409
    row = only(DeclaredPayer)
    assert "永州财政国库支付中心" in manager.get("/payment-settings").text
    stranger = world.logged_in("cook.wu")
    assert send(stranger, f"{url}/{row.id}/end", "/payment-settings").status_code == 404
    assert send(world.logged_in("chair.shi"), url, "/payment-settings", name="x", kind="other").status_code == 404
    assert only(DeclaredPayer).ended_at is None
    assert send(manager, f"{url}/{row.id}/end", "/payment-settings").status_code == 303
    assert only(DeclaredPayer).ended_at is not None


# ---- shown where one orders, packs, pays ----------------------------------------------------------------------------


def test_the_buyer_chooses_to_pay_first_and_the_co_operative_packs_once_it_is_paid(world, trade):
    cabbage = trade.product("白菜", price_fen=230, minimum_milli=1000)
    trade.lot(cabbage, 100)
    cook = world.logged_in("cook.chen")
    send(cook, "/cart/lines", "/account", product_id=cabbage, quantity_milli="10", submit_token="in")
    assert 'name="payment_terms"' in cook.get("/cart").text
    form = {"lines-0-product_id": cabbage, "lines-0-quantity_milli": "10", "fund_source": "canteen",
            "delivery_point_id": world.delivery_point_id(), "delivery_window": "morning", "submit_token": "order",
            "delivery_day": (TODAY + timedelta(days=1)).isoformat(), "expected_total_fen": "2300"}
    wrong = send(cook, "/purchases", "/cart", **form, payment_terms="later")
    assert (wrong.status_code, count(Order)) == (422, 0)
    placed = send(cook, "/purchases", "/cart", **{**form, "submit_token": "2"}, payment_terms="pay_first")
    assert "先款后货" in cook.get(placed.location).text
    order = only(Order)
    assert "先款后货" in cook.get(f"/orders/{order.id}").text
    clerk, pack = world.logged_in("clerk.zhang"), f"/village/orders/{order.id}/shipment"
    assert "待付款后装箱" in clerk.get(pack).text
    assert "packed_milli" not in clerk.get(pack).text
    assert "先款后货" in clerk.get(f"/village/orders/{order.id}").text
    assert order.number in clerk.get("/village/pay-first").text
    line, lot = trade.lines(order.id)[0].id, 1
    refused = send(clerk, pack, "/account", **{"lines-0-line_id": line, "lines-0-lot_id": lot,
                                              "lines-0-packed_milli": "10"})
    assert (refused.status_code, count(Shipment)) == (409, 0)
    trade.pay(order.id, 2300)
    assert "packed_milli" in clerk.get(pack).text
    assert order.number not in clerk.get("/village/pay-first").text


def test_the_cart_says_which_co_operative_wants_its_money_first(world, trade):
    cabbage = trade.product("白菜", price_fen=230, minimum_milli=1000)
    trade.lot(cabbage, 100)
    cook = world.logged_in("cook.chen")
    send(cook, "/cart/lines", "/account", product_id=cabbage, quantity_milli="10", submit_token="in")
    assert "货款到账后装箱" not in cook.get("/cart").text
    with db.transaction():
        settings.choose(True, world.person("chair.shi"))
    assert "货款到账后装箱" in cook.get("/cart").text


def test_the_pay_page_says_until_when_and_gives_more_time_once(world, trade):
    order = cabbage_order(trade, payment_terms="pay_first")
    url = f"/orders/{order.id}/payment-claims"
    cashier = world.logged_in("cashier.sun")
    page = cashier.get(url).text
    assert "2026-11-11" in page and f"/orders/{order.id}/extension" in page
    assert re.search(r"<textarea[^>]*readonly>[^<]*" + order.number, page)  # the whole remittance as one text
    assert world.logged_in("store.wang").get(url).text.count("/extension") == 0
    for login, answer in (("store.wang", 403), ("cashier.feng", 404)):
        assert send(world.logged_in(login), f"/orders/{order.id}/extension", "/account").status_code == answer
    assert send(cashier, f"/orders/{order.id}/extension", url, submit_token="1").status_code == 303
    assert "2026-11-26" in cashier.get(url).text
    assert "/extension" not in cashier.get(url).text
    assert send(cashier, f"/orders/{order.id}/extension", url, submit_token="2").status_code == 409
    assert db.session().get_one(Order, order.id, populate_existing=True).pay_by == TODAY + timedelta(days=45)


# ---- one transfer, several orders -----------------------------------------------------------------------------------


def test_several_ticked_orders_are_claimed_as_one_transfer(world, trade):
    first, second = accepted(trade), accepted(trade)
    waits = cabbage_order(trade, payment_terms="pay_first")
    cashier = world.logged_in("cashier.sun")
    page = cashier.get("/payments").text
    assert f'value="{first.id}" form="transfer"' in page and f'value="{waits.id}" form="transfer"' in page
    ticked = f"/payments/transfer?order={first.id}&order={second.id}&order={waits.id}"
    form = cashier.get(ticked).text
    assert all(re.search(f'name="order-{one.id}"[^>]* value="23.00"', form) for one in (first, second, waits))
    remark = re.search(r"附言：([^<]*)</textarea>", form)
    assert remark and set(remark[1].split()) == {first.number, second.number, waits.number}
    amounts = {f"order-{first.id}": "23", f"order-{second.id}": "10", f"order-{waits.id}": ""}
    assert send(cashier, "/payments/transfer", ticked, **told(**amounts, payer_name="")).status_code == 422
    wrong = told(**{**amounts, f"order-{first.id}": "x"})
    assert send(cashier, "/payments/transfer", ticked, **wrong).status_code == 422
    assert count(PaymentClaim) == 0
    done = send(cashier, "/payments/transfer", ticked, **told(**amounts))
    row = only(PaymentClaim)
    assert done.location.endswith(f"/payments/claims/{row.id}")
    assert (row.amount_fen, count(ClaimPart)) == (3300, 2)
    assert cashier.get(f"/payments/transfer?supplier={world.organisation_id(GREENS)}").text.count('name="order-') == 2


def test_orders_of_two_co_operatives_or_of_others_make_no_transfer(world, trade):
    order = accepted(trade)
    pomelo = trade.product("香柚", supplier="pomelo", price_fen=300)
    trade.lot(pomelo)
    other = trade.orders(trade.place({pomelo: 1000}))[0]
    cashier = world.logged_in("cashier.sun")
    both = cashier.get(f"/payments/transfer?order={order.id}&order={other.id}")
    assert both.status_code == 200 and 'name="payer_name"' not in both.text
    mixed = told(**{f"order-{order.id}": "1", f"order-{other.id}": "1"})
    answer = send(cashier, "/payments/transfer", "/account", **mixed)
    assert answer.status_code == 422
    stranger = world.logged_in("cashier.feng")
    assert stranger.get(f"/payments/transfer?order={order.id}").status_code == 404
    assert send(stranger, "/payments/transfer", "/account", **told(**{f"order-{order.id}": "1"})).status_code == 404
    assert world.logged_in("cook.chen").get("/payments/transfer").status_code == 403
    assert cashier.get("/payments/transfer?order=x&order=99999999999999999").status_code == 200
    assert cashier.get("/payments/transfer").status_code == 200
    assert count(PaymentClaim) == 0


def test_more_than_is_open_is_noted_with_a_warning_and_a_slip_is_refused_at_its_field(world, trade):
    order = accepted(trade)
    cashier, url = world.logged_in("cashier.sun"), f"/orders/{order.id}/payment-claims"
    slip = send(cashier, url, **told(amount_fen="230000000"))
    assert slip.status_code == 422 and 'id="amount_fen-error"' in slip.text
    assert count(PaymentClaim) == 0
    assert send(cashier, url, **told(amount_fen="23.50")).status_code == 303
    assert "0.50" in cashier.get(url).text and "多出" in cashier.get("/account").text + cashier.get(url).text
    assert only(PaymentClaim).amount_fen == 2350


# ---- claims, both sides ---------------------------------------------------------------------------------------------


def test_a_claim_is_taken_back_and_both_sides_read_the_same(world, trade):
    order = accepted(trade)
    cashier, chair = world.logged_in("cashier.sun"), world.logged_in("chair.shi")
    url = f"/orders/{order.id}/payment-claims"
    send(cashier, url, **told(amount_fen="32.00", payer_name="永州财政国库支付中心"))
    row = only(PaymentClaim)
    claim = f"/payments/claims/{row.id}"
    assert "付款人与单位名称不同" in cashier.get("/payments/claims").text
    for login, answer in (("cook.chen", 403), ("cashier.feng", 404), ("chair.shi", 403)):
        assert send(world.logged_in(login), f"{claim}/withdrawal", "/account").status_code == answer
    assert only(PaymentClaim).state == "claimed"
    assert send(cashier, f"{claim}/withdrawal", claim).status_code == 303
    assert only(PaymentClaim).state == "withdrawn"
    assert "已撤回" in cashier.get(claim).text and "孙会计" in cashier.get(claim).text
    assert row.number in chair.get("/village/payments?state=withdrawn").text
    assert "已撤回" in chair.get(f"/village/payment-claims/{row.id}").text
    assert chair.get(f"/village/orders/{order.id}").status_code == 200
    assert send(chair, f"/village/payment-claims/{row.id}/receipt", "/account").status_code == 409
    assert send(cashier, f"{claim}/withdrawal", claim, submit_token="again").status_code == 409


def test_a_claim_that_was_not_found_says_what_to_do(world, trade):
    order = accepted(trade)
    claim = trade.pay(order.id, 2300, confirmed=False)
    with db.transaction():
        verbs.refuse(claim, "账上没有", world.person("chair.shi"))
    outbox.drain(terms_jobs.HANDLERS)
    cashier = world.logged_in("cashier.sun")
    page = cashier.get(f"/payments/claims/{claim}").text
    assert "3个工作日" in page and "账上没有" in page and f"order={order.id}" in page
    assert "账上没有" in cashier.get("/notices").text
    assert world.logged_in("cashier.feng").get(f"/payments/claims/{claim}").status_code == 404


def test_a_claim_found_on_the_bank_statement_says_so(world, trade):
    order = accepted(trade)
    claim = trade.pay(order.id, 2300, confirmed=False)
    with db.transaction() as session:
        session.get_one(PaymentClaim, claim).origin = "bank"
    cashier = world.logged_in("cashier.sun")
    for path in ("/payments/claims", f"/payments/claims/{claim}", f"/orders/{order.id}/payment-claims"):
        assert "合作社银行流水中找到" in cashier.get(path).text
    assert send(cashier, f"/payments/claims/{claim}/withdrawal", "/account").status_code == 404


def test_by_api_several_orders_are_claimed_taken_back_and_given_time(world, trade):
    first, second = accepted(trade), cabbage_order(trade, payment_terms="pay_first")
    client, headers = world.app.test_client(), world.api_headers("cashier.sun")
    body = {"payer_name": "永州演示第一小学", "paid_on": TODAY.isoformat(),
            "orders": [{"order_id": first.id, "amount_fen": 2300}, {"order_id": second.id, "amount_fen": 2300}]}
    twice = {**body, "orders": [body["orders"][0]] * 2}
    assert client.post("/api/v1/payment-claims", json=twice, headers={
        **headers, "Idempotency-Key": "t"}).status_code == 422
    made = [client.post("/api/v1/payment-claims", json=body, headers={**headers, "Idempotency-Key": "k"})
            for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert (made[0].json["amount_fen"], made[0].json["id"]) == (4600, made[1].json["id"])
    back = client.post(f"/api/v1/payment-claims/{made[0].json['id']}/withdrawal", headers={
        **headers, "Idempotency-Key": "w"})
    assert (back.status_code, back.json["state"]) == (201, "withdrawn")
    more = client.post(f"/api/v1/orders/{second.id}/extension", headers={**headers, "Idempotency-Key": "e"})
    assert (more.status_code, more.json["pay_by"], more.json["payment_terms"]) == (201, "2026-11-26", "pay_first")
