"""The village desk's first page: what leaves today, which money comes, which farmers wait; all of its own only."""

from collections.abc import Iterator

import pytest

from market import clock, db, money
from orders.income import desk as income_desk
from orders.models import Order
from orders.paying import desk as paying_desk
from tests.world import GREENS, HOSPITAL, NOON, TODAY


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def ordered(trade, product, milli, **more):
    return trade.orders(trade.place({product: milli}, **more))[0].id


def test_three_cards_and_one_button_where_nothing_waits(world):
    page = world.logged_in("clerk.zhang").get("/village").text
    for words in ("今明两天没有要送的货", "食堂没有欠款", "农户都付清了", "过秤入库"):
        assert words in page
    assert "待办" not in page


def test_the_menu_begins_with_the_day_and_groups_the_rest(world):
    page = world.logged_in("clerk.zhang").get("/village").text
    menu = page.split('class="desk-menu"')[1].split("</nav>")[0]
    said = ("今日", "过秤入库", "货款", "产品与库存", "批次", "产能", "社员与村户", "村户收入", "资料", "证照")
    places = [menu.index(f">{words}<") for words in said]
    assert places == sorted(places)
    assert menu.count("menu-group") == 4  # none over the day's own


def test_the_cards_say_who_how_much_and_since_when(world, trade):
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage, 1000, farm_gate_fen=120)
    accepted = ordered(trade, cabbage, 10_000)
    trade.ship(accepted)
    trade.accept(accepted)
    ordered(trade, cabbage, 12_500)
    ordered(trade, cabbage, 5_000, by="cook.wu", unit=HOSPITAL)
    page = world.logged_in("clerk.zhang").get("/village").text
    assert ">35&nbsp;" in page  # 17.5 kg in 斤
    assert "及另外 1 家" in page
    owed = db.session().get_one(Order, accepted).accepted_fen
    assert money.yuan(owed) in page
    assert f"最早一笔 {TODAY} 验收" in page
    other = world.logged_in("clerk.lv").get("/village").text
    assert "食堂没有欠款" in other
    coming = paying_desk.money_coming(world.person("clerk.zhang"))
    assert [(one.unit_name, one.open_fen, one.since) for one in coming] == [("永州演示第一小学", owed, TODAY)]
    assert paying_desk.money_coming(world.person("clerk.lv")) == []


def test_an_overdue_order_stands_out(world, trade):
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage)
    order = ordered(trade, cabbage, 1000)
    with db.transaction() as session:
        session.get_one(Order, order).delivery_day = clock.days_after(TODAY, -2)
    page = world.logged_in("clerk.zhang").get("/village").text
    assert "已超期" in page
    assert "待办" in page


def test_households_wait_until_they_are_paid(world, trade):
    cabbage = trade.product("卷心菜")
    trade.lot(cabbage, 100, farm_gate_fen=120)
    order = ordered(trade, cabbage, 10_000)
    clerk = world.person("clerk.zhang")
    village = {world.villages["greens_home"]}
    assert income_desk.households_waiting(clerk, village) == 0
    trade.ship(order)
    trade.accept(order)
    waiting = income_desk.households_waiting(clerk, village)
    assert waiting > 0
    assert income_desk.households_waiting(world.person("clerk.lv"), village) == 0
    assert income_desk.households_waiting(clerk, set()) == 0
    trade.pay_out(world.organisation_id(GREENS), world.villages["greens_home"], "farm_gate", 600)  # the first one's
    assert income_desk.households_waiting(clerk, village) == waiting - 1
