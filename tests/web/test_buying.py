"""The buyer's desk over HTTP: cart, purchase, approval, taking back, lists."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from catalog.models import Product
from market import clock, db
from market.parties import Organisation
from orders.buying import cart
from orders.models import CartLine, Order, Purchase
from tests.counting import count_statements
from tests.trade import TOMORROW, Trade
from tests.web.forms import send
from tests.world import NOON, POMELO, SCHOOL, TODAY, World

BAD_NUMBERS = ["１２", "1e3", "-1", "0x10", "1_000", "1" + "0" * 20, "NaN", "", " ", "0", "1,5", "٣"]


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def cabbage_and_pomelo(trade: Trade) -> tuple[int, int]:
    cabbage = trade.product("白菜", price_fen=200, supply="daily", daily_milli=50_000)
    pomelo = trade.product("香柚", POMELO, price_fen=6000, unit="箱", grams_per_unit=10_000, by_weight=False,
                           minimum_milli=1000, step_milli=1000)
    trade.lot(pomelo, 500)
    return cabbage, pomelo


def wishes(world: World, goods: dict[int, str], total_fen: int, **changes: str) -> dict[str, str]:
    lines = {f"lines-{at}-{name}": value for at, (product_id, quantity) in enumerate(goods.items())
             for name, value in (("product_id", str(product_id)), ("quantity_milli", quantity))}
    return lines | {"delivery_point_id": str(world.delivery_point_id()), "delivery_day": TOMORROW.isoformat(),
                    "delivery_window": "morning", "fund_source": "canteen", "expected_total_fen": str(total_fen),
                    "submit_token": "once"} | changes


def fill(world: World, goods: dict[int, str], login: str = "cook.chen"):
    client = world.logged_in(login)
    for product_id, quantity in goods.items():
        assert send(client, "/cart/lines", "/account", product_id=product_id, quantity_milli=quantity
                    ).status_code == 303
    return client


def purchases() -> int:
    return db.session().scalar(select(func.count()).select_from(Purchase)) or 0


def set_limit(world: World, fen: int | None) -> None:
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == world.organisation_id(SCHOOL))
                        .values(approval_limit_fen=fen))


# ---- cart -----------------------------------------------------------------------------------------------------------


def test_a_cart_is_grouped_by_cooperative_with_sums(world, trade):
    cabbage, pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "12.5", pomelo: "3"})
    page = client.get("/cart")
    assert page.status_code == 200
    for shown in ("新田县演示蔬菜合作社", "江永县演示香柚合作社", "25.00", "180.00", "205.00", 'value="20500"'):
        assert shown in page.text
    assert cart.count(world.person("cook.chen")) == 2
    assert cart.count(world.person("admin.qian")) == 0


@pytest.mark.parametrize("text", [*BAD_NUMBERS, "0.7", "0.3"])
def test_a_refused_quantity_stays_typed_with_its_message_and_nothing_changes(world, trade, text):
    cabbage, _pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "5"})
    for url, fields in (("/cart/lines", {"product_id": cabbage, "quantity_milli": text}),
                        ("/cart", {"lines-0-product_id": cabbage, "lines-0-quantity_milli": text}),
                        ("/purchases", wishes(world, {cabbage: text}, 1000))):
        answer = send(client, url, "/cart", **fields)
        assert answer.status_code == 422, url
        assert "field-error" in answer.text
        assert f'value="{text}"' in answer.text
    assert db.session().scalars(select(CartLine.milli)).all() == [5000]
    assert purchases() == 0


def test_hostile_forms_are_refused_not_crashed_on(world, trade):
    cabbage, _pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "5"})
    for fields in ({"lines": "x"}, {"lines": "x", "lines-0-product_id": "x"},
                   {"lines-0-product_id": "9" * 30, "lines-0-quantity_milli": "1"},
                   {"delivery_day": "2026-02-30"}, {"delivery_day": "２０２６-10-13"}, {"expected_total_fen": "1e3"},
                   {"delivery_point_id": "²"}, {"note": "a\x01b"}, {"note": "x" * 501}, {"fund_source": "mine"},
                   {"delivery_window": ""}, {"delivery_day": TODAY.isoformat()},
                   {"delivery_day": (TODAY + timedelta(days=61)).isoformat()},
                   {"delivery_point_id": str(world.delivery_point_id("hospital"))}):
        answer = send(client, "/purchases", "/cart", **(wishes(world, {cabbage: "5"}, 1000) | fields))
        assert answer.status_code == 422, fields
    assert purchases() == 0


def test_unknown_hidden_and_foreign_goods_do_not_get_into_the_cart(world, trade):
    client = world.logged_in("cook.chen")
    for product_id in ("999999", "x", "", "9" * 30):
        answer = send(client, "/cart/lines", "/account", product_id=product_id, quantity_milli="5")
        assert answer.status_code in {404, 422}
    assert db.session().scalars(select(CartLine.id)).all() == []


def test_goods_leave_the_cart_one_by_one(world, trade):
    cabbage, pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "5", pomelo: "1"})
    assert send(client, "/cart/removals", "/cart", product_id=cabbage).status_code == 303
    assert db.session().scalars(select(CartLine.product_id)).all() == [pomelo]
    assert send(client, "/cart", "/cart", **{"lines-0-product_id": pomelo, "lines-0-quantity_milli": "4"}
                ).status_code == 303
    assert db.session().scalars(select(CartLine.milli)).all() == [4000]


def test_only_those_who_order_have_a_cart(world):
    for login in ("head.li", "store.wang", "cashier.sun", "clerk.zhang", "official.hua"):
        assert world.logged_in(login).get("/cart").status_code == 403


# ---- purchase -------------------------------------------------------------------------------------------------------


def test_one_purchase_makes_an_order_per_cooperative_and_empties_the_cart(world, trade):
    cabbage, pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "12.5", pomelo: "3"})
    answer = send(client, "/purchases", "/cart", **wishes(world, {cabbage: "12.5", pomelo: "3"}, 20_500))
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert "205.00" in page.text
    assert [o.placed_fen for o in db.session().scalars(select(Order).order_by(Order.id))] == [2500, 18_000]
    assert db.session().scalars(select(CartLine.id)).all() == []
    assert "205.00" in client.get(answer.location + "/sheet").text


def test_the_same_form_sent_twice_is_one_purchase(world, trade):
    cabbage, _pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "5"})
    form = wishes(world, {cabbage: "5"}, 1000)
    first, second = (send(client, "/purchases", "/cart", **form) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert purchases() == 1
    assert send(client, "/purchases", "/cart", **form | {"note": "another"}).status_code == 409
    assert purchases() == 1


def test_too_much_is_said_at_its_line_and_nothing_is_held(world, trade):
    cabbage, pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "5", pomelo: "60"})
    answer = send(client, "/purchases", "/cart", **wishes(world, {cabbage: "5", pomelo: "60"}, 361_000))
    assert answer.status_code == 422
    assert 'id="lines-0-quantity_milli-error"' in answer.text  # the pomelo, whose co-operative comes first
    assert "只剩 50" in answer.text
    assert purchases() == 0
    assert cart.count(world.person("cook.chen")) == 2


def test_goods_taken_off_the_shelf_are_marked_and_the_rest_can_be_ordered(world, trade):
    cabbage, pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "5", pomelo: "1"})
    with db.transaction() as session:
        session.execute(update(Product).where(Product.id == cabbage).values(state="hidden"))
    page = client.get("/cart")
    assert "已下架" in page.text
    assert 'value="6000"' in page.text
    assert send(client, "/purchases", "/cart", **wishes(world, {cabbage: "5", pomelo: "1"}, 7000)).status_code == 422
    assert send(client, "/purchases", "/cart", **wishes(world, {pomelo: "1"}, 6000)).status_code == 303
    assert db.session().scalars(select(CartLine.product_id)).all() == [cabbage]


def test_another_total_than_was_shown_is_refused_with_the_new_one(world, trade):
    cabbage, _pomelo = cabbage_and_pomelo(trade)
    client = fill(world, {cabbage: "5"})
    answer = send(client, "/purchases", "/cart", **wishes(world, {cabbage: "5"}, 900))
    assert answer.status_code == 409
    assert "10.00" in answer.text
    changed = send(client, "/purchases", "/cart", **wishes(world, {cabbage: "6"}, 1000))
    assert changed.status_code == 409
    assert "您改了数量" in changed.text
    assert 'value="1200"' in changed.text
    assert purchases() == 0


# ---- approval and cancelling ----------------------------------------------------------------------------------------


def test_a_large_purchase_waits_for_a_second_person_who_sees_what_they_approve(world, trade):
    set_limit(world, 10_000)
    _cabbage, pomelo = cabbage_and_pomelo(trade)
    placed = trade.place({pomelo: 2000})
    url = f"/purchases/{placed.id}"
    approver = world.logged_in("head.li")
    assert url in approver.get("/desk").text
    shown = re.search(r'name="content_hash" value="([0-9a-f]{64})"', approver.get(url).text)[1]
    for wrong in ({"decision": "approve"}, {"decision": "decline", "content_hash": shown, "reason": " "},
                  {"decision": "perhaps", "content_hash": shown}):
        assert send(approver, url + "/approval", url, **wrong).status_code == 422
    assert send(approver, url + "/approval", url, decision="approve", content_hash="0" * 64).status_code == 409
    assert send(world.logged_in("cook.chen"), url + "/approval", url, decision="approve", content_hash=shown
                ).status_code == 403
    assert trade.orders(placed)[0].state == "waiting"
    assert send(approver, url + "/approval", url, decision="approve", content_hash=shown).status_code == 303
    assert trade.orders(placed)[0].state == "placed"
    assert send(approver, url + "/approval", url, decision="approve", content_hash=shown).status_code == 409


def test_a_declined_purchase_frees_its_goods(world, trade):
    set_limit(world, 10_000)
    pomelo = trade.product("香柚", POMELO, price_fen=6000, unit="箱", grams_per_unit=10_000, by_weight=False)
    lot = trade.lot(pomelo, 100)
    placed = trade.place({pomelo: 2000})
    assert trade.stock_of(lot)[1] == 2000
    url, approver = f"/purchases/{placed.id}", world.logged_in("head.li")
    shown = re.search(r'name="content_hash" value="([0-9a-f]{64})"', approver.get(url).text)[1]
    assert send(approver, url + "/approval", url, decision="decline", reason="太贵", content_hash=shown
                ).status_code == 303
    assert trade.stock_of(lot)[1] == 0
    assert "太贵" in approver.get(f"/orders/{trade.orders(placed)[0].id}").text


def test_an_order_can_be_taken_back_until_it_is_packed(world, trade):
    _cabbage, pomelo = cabbage_and_pomelo(trade)
    first, second = trade.orders(trade.place({pomelo: 1000}))[0], trade.orders(trade.place({pomelo: 1000}))[0]
    cook, url = world.logged_in("cook.chen"), f"/orders/{first.id}"
    refused = send(cook, url + "/cancellation", url, reason="")
    assert refused.status_code == 422
    assert "field-error" in refused.text
    assert send(cook, url + "/cancellation", url, reason="停课").status_code == 303
    assert "停课" in cook.get(url).text
    assert "cancellation" not in cook.get(url).text
    trade.ship(second.id)
    answer = send(cook, f"/orders/{second.id}/cancellation", "/account", reason="停课")
    assert answer.status_code == 409
    assert "“配送中”" in answer.text
    assert db.session().get_one(Order, second.id, populate_existing=True).state == "shipped"


# ---- walls and lists ------------------------------------------------------------------------------------------------


def test_foreign_things_answer_like_unknown_ones(world, trade):
    _cabbage, pomelo = cabbage_and_pomelo(trade)
    placed = trade.place({pomelo: 1000})
    order_id = trade.orders(placed)[0].id
    nurse = world.logged_in("cook.wu")
    for path in ("/orders/{}", "/orders/{}/payment-claims"):
        assert same_404(nurse.get(path.format(order_id)), nurse.get(path.format(999_999)))
    for path in ("/purchases/{}", "/purchases/{}/sheet"):
        assert same_404(nurse.get(path.format(placed.id)), nurse.get(path.format(999_999)))
    for reason in ("", "x"):
        assert same_404(send(nurse, f"/orders/{order_id}/cancellation", "/account", reason=reason),
                        send(nurse, "/orders/999999/cancellation", "/account", reason=reason))
    assert trade.orders(placed)[0].state == "placed"


def same_404(one, other) -> bool:
    return one.status_code == other.status_code == 404 and body(one) == body(other)


def body(answer) -> str:
    return re.sub(r'(href="[^"]*"|value="[^"]*")', "", answer.text)


def test_orders_are_found_by_tab_number_and_cooperative(world, trade):
    cabbage, pomelo = cabbage_and_pomelo(trade)
    orders = trade.orders(trade.place({cabbage: 5000, pomelo: 1000}))
    trade.ship(next(o.id for o in orders if o.placed_fen == 6000))
    client = world.logged_in("head.li")

    def found(query: str) -> set[str]:
        return {o.number for o in orders if o.number in client.get("/orders?" + query).text}

    both = {o.number for o in orders}
    assert found("") == found("tab=nonsense&page=0") == both
    shipped = {o.number for o in orders if o.placed_fen == 6000}
    assert found("tab=to_receive") == shipped
    assert found("tab=to_ship") == both - shipped
    assert found("q=香柚") == shipped
    assert found("q=" + orders[0].number.lower()) == {orders[0].number}
    assert found("q=%25") == found("q=_") == set()
    assert client.get("/orders?q=%01&page=99999").status_code == 200


def test_the_desk_shows_what_comes_and_what_waits(world, trade):
    set_limit(world, 10_000)
    cabbage, pomelo = cabbage_and_pomelo(trade)
    waiting = trade.place({pomelo: 2000})
    trade.place({cabbage: 5000})
    page = world.logged_in("head.li").get("/desk").text
    assert waiting.number in page
    assert "白菜" in page
    for login in ("clerk.zhang", "official.hua"):
        assert world.logged_in(login).get("/desk").status_code == 403
    assert world.app.test_client().get("/desk").status_code == 302


def test_lists_cost_the_same_for_ten_orders_and_for_a_hundred(world, trade):
    cabbage = trade.product("白菜", supply="daily", daily_milli=10_000_000)
    client = world.logged_in("cook.chen")
    costs = []
    for count in (10, 90):
        for _ in range(count):
            trade.place({cabbage: 1000})
        costs.append([])
        for path in ("/desk", "/orders", "/orders?tab=to_ship&q=蔬菜", "/cart", "/payments", "/payments/claims"):
            world.app.extensions["sijin_demo"]()  # asked for once in a while, not per page
            with count_statements(world.app) as statements:
                assert client.get(path).status_code == 200
            costs[-1].append(len(statements))
    assert costs[0] == costs[1]
    assert costs[0][0] <= 32  # the first screen asks every room what waits
    assert max(costs[0][1:]) <= 14
