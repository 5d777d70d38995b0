"""Ordering again, from lists and from texts: 陈师傅 of the school orders the week that he ordered before."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from catalog import indexing
from catalog.models import Lot, Product, ProductChange
from catalog.search import Reader
from catalog.tracing import recall
from market import clock, db
from market.errors import InvalidInput, NotFound
from orders.buying import approval, arrivals, cart
from orders.models import Order, OrderLine, Purchase
from orders.ordering import again, drafts, learning, placing, reading, weekly
from orders.ordering.drafts import Delivery, Part, Want
from orders.ordering.models import UnitAlias, WeeklyList
from orders.ordering.weekly import Entry
from tests.counting import count_statements
from tests.trade import TOMORROW, Trade
from tests.world import HOSPITAL, NOON, POMELO, SCHOOL, TODAY, World

MONDAY = TODAY  # 2026-10-12
THURSDAY = NOON - timedelta(days=11)  # 2026-10-01, a week and a half before


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def chen(world: World):
    return world.person("cook.chen")


@pytest.fixture
def reader(world: World) -> Reader:
    return world.app.extensions["sijin_search"]


def greens(trade: Trade) -> tuple[int, int]:
    """Cabbage by the 斤 and potatoes by the kilo, cut to order."""
    cabbage = trade.product("白菜", unit="斤", grams_per_unit=500, supply="daily", daily_milli=1_000_000,
                            minimum_milli=5_000, step_milli=1_000)
    potato = trade.product("土豆", supply="daily", daily_milli=1_000_000)
    return cabbage, potato


def last_weeks(trade: Trade, goods: dict[date, dict[int, int]]) -> None:
    with clock.at(THURSDAY):
        for day, wanted in goods.items():
            trade.place(wanted, day=day)


def placed(world: World) -> list[Purchase]:
    db.session().rollback()
    return list(db.session().scalars(select(Purchase).order_by(Purchase.id)))


def change(product: int, **values) -> None:
    with db.transaction() as session:
        session.execute(update(Product).where(Product.id == product).values(**values))


# ---- the same again -------------------------------------------------------------------------------------------------


def test_last_weeks_days_come_a_week_later(trade, chen):
    cabbage, potato = greens(trade)
    tuesday, thursday = MONDAY - timedelta(days=6), MONDAY - timedelta(days=4)
    last_weeks(trade, {tuesday: {cabbage: 10_000, potato: 5_000}, thursday: {cabbage: 20_000}})
    copied = again.last_week(chen)
    assert [(part.delivery.delivery_day, len(part.wants)) for part in copied.parts] == [
        (TODAY + timedelta(days=1), 2), (TODAY + timedelta(days=3), 1)]
    assert copied.passed == []
    draft = drafts.draw(copied.parts, chen.organisation_id)
    assert draft.total_fen == draft.at_old_prices_fen == 10 * 200 + 5 * 200 + 20 * 200


def test_a_day_that_is_over_is_named_and_left_out(trade, chen):
    cabbage, _potato = greens(trade)
    last_weeks(trade, {MONDAY - timedelta(days=7): {cabbage: 10_000}, MONDAY - timedelta(days=3): {cabbage: 6_000}})
    copied = again.last_week(chen)
    assert [part.delivery.delivery_day for part in copied.passed] == [MONDAY]
    assert [part.delivery.delivery_day for part in copied.parts] == [MONDAY + timedelta(days=4)]


def test_once_this_week_is_ordered_it_is_copied_for_the_next(trade, chen):
    cabbage, _potato = greens(trade)
    last_weeks(trade, {MONDAY - timedelta(days=5): {cabbage: 10_000}})
    trade.place({cabbage: 7_000}, day=MONDAY + timedelta(days=2))
    copied = again.last_week(chen)
    assert (copied.source, copied.target) == (MONDAY, MONDAY + timedelta(days=7))
    assert [part.wants[0].milli for part in copied.parts] == [7_000]


def test_cancelled_orders_and_other_units_are_not_copied(world, trade, chen):
    cabbage, potato = greens(trade)
    day = MONDAY - timedelta(days=5)
    with clock.at(THURSDAY):
        order = trade.orders(trade.place({cabbage: 10_000}, day=day))[0]
        trade.place({potato: 5_000}, by="cook.wu", unit=HOSPITAL, day=day)
        with db.transaction():
            approval.cancel(order.id, "停餐", chen)
    assert again.last_week(chen).parts == []
    with pytest.raises(NotFound):
        again.purchase(placed(world)[1].id, chen)


def test_price_changes_and_goods_that_are_gone_are_shown(trade, chen):
    cabbage, potato = greens(trade)
    gone = trade.product("萝卜", supply="daily", daily_milli=1_000_000)
    scarce = trade.product("香柚", POMELO, price_fen=6000, unit="箱", grams_per_unit=10_000, by_weight=False)
    last_weeks_lot = trade.lot(scarce, 100)
    assert last_weeks_lot
    last_weeks(trade, {MONDAY - timedelta(days=5): {cabbage: 10_000, potato: 5_000, gone: 2_000, scarce: 8_000}})
    change(cabbage, price_fen=250)
    change(gone, state="hidden")
    change(potato, supply="daily", harvest_months="1,2")
    draft = drafts.draw(again.last_week(chen).parts, chen.organisation_id)
    by_good = {line.good.name: line for line in draft.lines}
    assert by_good["白菜"].has_new_price
    assert (by_good["白菜"].at_old_price_fen, by_good["白菜"].amount_fen) == (2_000, 2_500)
    assert by_good["萝卜"].milli is None and not by_good["萝卜"].is_sold
    assert by_good["土豆"].milli is None and by_good["土豆"].refusal.code == "not_in_season"
    assert by_good["香柚"].milli is None and by_good["香柚"].refusal.code == "out_of_stock"
    assert draft.total_fen == 2_500


def test_two_days_may_not_want_more_than_the_store_holds(trade, chen):
    rice = trade.product("大米")
    trade.lot(rice, 100)
    parts = [Part(Delivery(None, TOMORROW + timedelta(days=n)), [Want(rice, 60_000, was_milli=60_000)])
             for n in (0, 1)]
    assert set(drafts.wrong(parts)) == {(1, rice)}


def draft_of(world: World, *days: tuple[date, dict[int, int]]) -> list[Part]:
    point = world.delivery_point_id()
    return [Part(Delivery(point, day, "dawn", "canteen", world.organisation_id(SCHOOL)),
                 [Want(product, milli) for product, milli in goods.items()]) for day, goods in days]


def test_one_press_places_a_purchase_for_each_day(world, trade, chen):
    cabbage, potato = greens(trade)
    parts = draft_of(world, (TOMORROW, {cabbage: 10_000}), (TOMORROW + timedelta(days=2), {potato: 5_000}))
    with db.transaction():
        first = placing.place(parts, "", 3_000, "press", chen)
    with db.transaction():
        assert [one.id for one in placing.place(parts, "", 3_000, "press", chen)] == [one.id for one in first]
    assert [(one.delivery_day, one.total_fen) for one in placed(world)] == [
        (TOMORROW, 2_000), (TOMORROW + timedelta(days=2), 1_000)]


def test_all_days_or_none(world, trade, chen):
    cabbage, potato = greens(trade)
    change(potato, daily_capacity_milli=3_000)
    parts = draft_of(world, (TOMORROW, {cabbage: 10_000}), (TOMORROW + timedelta(days=2), {potato: 5_000}))
    with pytest.raises(InvalidInput) as refused, db.transaction():
        placing.place(parts, "", None, "press", chen)
    assert list(refused.value.fields) == ["lines-1-quantity_milli"]
    with pytest.raises(InvalidInput) as refused, db.transaction():
        placing.place(draft_of(world, (TOMORROW, {cabbage: 10_000}), (TODAY, {cabbage: 10_000})), "", None, "x", chen)
    assert list(refused.value.fields) == ["parts-1-delivery_day"]
    with pytest.raises(placing.TotalChanged), db.transaction():
        placing.place(draft_of(world, (TOMORROW, {cabbage: 10_000})), "", 1_999, "y", chen)
    assert placed(world) == []
    assert db.session().scalar(select(func.count()).select_from(OrderLine)) == 0


def test_a_foreign_door_or_unit_is_refused(world, trade, chen):
    cabbage, _potato = greens(trade)
    foreign = Delivery(world.delivery_point_id(HOSPITAL), TOMORROW, budget_unit_id=world.organisation_id(SCHOOL))
    with pytest.raises(InvalidInput) as refused, db.transaction():
        placing.place([Part(foreign, [Want(cabbage, 10_000)])], "", None, "a", chen)
    assert list(refused.value.fields) == ["parts-0-delivery_point_id"]
    foreign = Delivery(world.delivery_point_id(HOSPITAL), TOMORROW, budget_unit_id=world.organisation_id(HOSPITAL))
    with pytest.raises(NotFound), db.transaction():
        placing.place([Part(foreign, [Want(cabbage, 10_000)])], "", None, "b", chen)
    assert placed(world) == []


def test_into_the_cart_go_the_sums(world, trade, chen):
    cabbage, _potato = greens(trade)
    parts = draft_of(world, (TOMORROW, {cabbage: 10_000}), (TOMORROW + timedelta(days=1), {cabbage: 6_000}))
    with db.transaction():
        assert placing.into_cart(parts, chen) == 1
    assert [(line["product_id"], line["milli"]) for line in cart.lines(chen)] == [(cabbage, 16_000)]


def test_a_draft_of_many_lines_costs_the_statements_of_a_short_one(world, trade, chen):
    costs = []
    for size in (5, 60):
        goods = {trade.product(f"菜{size}-{n}", supply="daily", daily_milli=100_000): 1_000 for n in range(size)}
        parts = draft_of(world, (TOMORROW, goods))
        with count_statements(world.app) as statements:
            drafts.draw(parts, chen.organisation_id)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 8


# ---- weekly lists ---------------------------------------------------------------------------------------------------


def test_a_list_is_made_renamed_taken_away_and_brought_back(world, trade, chen):
    cabbage, potato = greens(trade)
    qian, wu = world.person("admin.qian"), world.person("cook.wu")
    with db.transaction():
        list_id = weekly.make("周一菜单", [Entry(cabbage, 10_000), Entry(potato, 5_000, 3)], chen)
    assert [row.name for row in weekly.lists(qian, 1).rows] == ["周一菜单"]  # shared among the unit's people
    assert weekly.lists(wu, 1).total == 0
    with pytest.raises(InvalidInput), db.transaction():
        weekly.make("周一菜单", [Entry(cabbage, 10_000)], qian)
    with db.transaction():
        weekly.change(list_id, "周三菜单", [Entry(cabbage, 12_000)], qian)
    assert weekly.entries(list_id) == [Entry(cabbage, 12_000)]
    with db.transaction():
        weekly.remove(list_id, chen)
    with pytest.raises(NotFound):
        weekly.one(list_id, chen)
    with db.transaction():
        assert weekly.bring_back(list_id, chen) == "周三菜单"
    assert weekly.one(list_id, chen).name == "周三菜单"


def test_a_foreign_list_is_unknown(world, trade, chen):
    cabbage, _potato = greens(trade)
    with db.transaction():
        list_id = weekly.make("周一菜单", [Entry(cabbage, 10_000)], chen)
    wu = world.person("cook.wu")
    for act in (lambda: weekly.change(list_id, "我的", [Entry(cabbage, 10_000)], wu),
                lambda: weekly.remove(list_id, wu), lambda: weekly.bring_back(list_id, wu),
                lambda: weekly.one(list_id, wu)):
        with pytest.raises(NotFound), db.transaction():
            act()
    assert weekly.one(list_id, chen).name == "周一菜单"


def test_the_name_of_a_list_taken_away_is_free_until_it_comes_back(trade, chen):
    cabbage, _potato = greens(trade)
    with db.transaction():
        first = weekly.make("菜单", [Entry(cabbage, 10_000)], chen)
        weekly.remove(first, chen)
        weekly.make("菜单", [Entry(cabbage, 10_000)], chen)
    with pytest.raises(weekly.NameTaken), db.transaction():
        weekly.bring_back(first, chen)
    assert db.session().scalar(select(func.count()).select_from(WeeklyList).where(
        WeeklyList.removed_at.is_(None))) == 1


def test_goods_of_a_weekday_come_the_next_time_it_is_that_day(world, trade, chen):
    cabbage, potato = greens(trade)
    usual = learning.usual_delivery(chen)
    parts = weekly.parts([Entry(cabbage, 10_000), Entry(potato, 5_000, 1), Entry(cabbage, 6_000, 2)], usual)
    assert [(part.delivery.delivery_day, [want.product_id for want in part.wants]) for part in parts] == [
        (TOMORROW, [cabbage]), (MONDAY + timedelta(days=7), [potato])]
    assert parts[0].wants[0].milli == 16_000  # tomorrow is Tuesday


# ---- texts ----------------------------------------------------------------------------------------------------------


def names(found: reading.Reading) -> list[tuple[str, int | None]]:
    return [(line.choices[0].good.name, line.choices[0].milli) for line in found.understood]


def test_a_chat_text_is_understood_and_three_mistakes_are_named(world, trade, chen, reader):
    greens(trade)
    eggs = trade.product("鸡蛋", unit="箱", grams_per_unit=20_000, by_weight=False, minimum_milli=1_000,
                         step_milli=1_000)
    trade.lot(eggs, 400)
    found = reading.read("土豆50斤白菜30斤鸡蛋2箱，龙虾5只 花菜20斤 谢谢", chen.organisation_id, reader)
    assert names(found) == [("土豆", 25_000), ("白菜", 30_000), ("鸡蛋", 2_000)]
    assert [line.piece.word for line in found.unknown] == ["龙虾", "花菜", "谢谢"]
    assert cart.count(chen) == 0


def test_quantities_that_are_not_sold_are_refused_with_the_nearest(trade, chen, reader):
    greens(trade)
    found = reading.read("白菜2斤 土豆3箱 白菜1,000斤 土豆", chen.organisation_id, reader)
    assert [line.choices[0].milli for line in found.understood] == [None] * 4
    assert [line.choices[0].refusal.code for line in found.understood] == [
        "not_expressible", "other_unit", "unclear_number", "no_quantity"]
    assert "5" in found.understood[0].choices[0].refusal.message()


def test_what_the_unit_ordered_before_comes_first(trade, chen, reader):
    dear = trade.product("白菜", POMELO, price_fen=500, supply="daily", daily_milli=100_000)
    cheap = trade.product("白菜", price_fen=100, supply="daily", daily_milli=100_000)
    other = trade.product("白菜苔", price_fen=50, supply="daily", daily_milli=100_000)

    def offers() -> list[int]:
        found = reading.read("白菜5公斤", chen.organisation_id, reader)
        return [choice.good.id for choice in found.understood[0].choices]

    assert offers() == [cheap, dear]  # the very name, then the cheaper one
    trade.place({dear: 1_000})
    assert offers() == [dear, cheap]
    assert other not in offers()


def test_sounds_codes_and_aliases(world, trade, chen, reader):
    cabbage, potato = greens(trade)
    change(potato, aliases="洋芋 马铃薯")
    trade.place({cabbage: 5_000, potato: 1_000})
    found = reading.read(f"baicai10斤 td5公斤 洋芋2公斤 #{cabbage} 8斤", chen.organisation_id, reader)
    assert names(found) == [("白菜", 10_000), ("土豆", 5_000), ("土豆", 2_000), ("白菜", 8_000)]
    assert found.unknown == []


def test_the_search_engine_reads_pinyin_of_goods_never_ordered(trade, chen, reader):
    cabbage, potato = greens(trade)
    change(potato, aliases="洋芋")
    with db.transaction() as session:
        session.add_all(ProductChange(product_id=product) for product in (cabbage, potato))
    indexing.follow(trade.world.app.extensions["sijin"].search_dir)
    found = reading.read("baicai10斤 tudou5公斤 yangyu2公斤 龙虾3只", chen.organisation_id, reader)
    assert names(found) == [("白菜", 10_000), ("土豆", 5_000), ("土豆", 2_000)]
    assert [line.piece.word for line in found.unknown] == ["龙虾"]


def test_a_word_is_learned_for_this_unit_only(world, trade, chen, reader):
    cabbage, _potato = greens(trade)
    assert names(reading.read("包菜10斤", chen.organisation_id, reader, {"包菜": "白菜"})) == [("白菜", 10_000)]
    with db.transaction():
        assert learning.remember([Want(cabbage, 10_000, word="包菜")], chen) == 1
    assert names(reading.read("包菜10斤", chen.organisation_id, reader)) == [("白菜", 10_000)]
    wu = world.person("cook.wu")
    assert [line.piece.word for line in reading.read("包菜10斤", wu.organisation_id, reader).unknown] == ["包菜"]
    with db.transaction():
        learning.remember([Want(cabbage, 10_000, word="包菜"), Want(999_999, 1, word="莲花白")], chen)
    assert db.session().scalar(select(func.count()).select_from(UnitAlias)) == 1


def test_goods_not_on_sale_are_not_offered(trade, chen, reader):
    cabbage, _potato = greens(trade)
    change(cabbage, state="hidden")
    found = reading.read(f"白菜10斤 #{cabbage} 5斤", chen.organisation_id, reader)
    assert [line.piece.word for line in found.unknown] == ["白菜", f"#{cabbage}"]


def test_texts_have_bounds_and_cost_few_statements(world, trade, chen, reader):
    for number in range(60):
        trade.product(f"货{number}号菜", supply="daily", daily_milli=1_000)
    costs = []
    for size in (3, 60):
        text = "\n".join(f"货{number}号菜 5公斤" for number in range(size))
        with count_statements(world.app) as statements:
            assert len(reading.read(text, chen.organisation_id, reader).understood) == size
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 4
    for text in ("白" * 20_001, "白菜1斤\n" * 201):
        with pytest.raises(InvalidInput):
            reading.read(text, chen.organisation_id, reader)


# ---- what comes -----------------------------------------------------------------------------------------------------


def test_what_comes_short_is_named(world, trade, chen):
    rice, oil = trade.product("大米"), trade.product("茶油")
    lot = trade.lot(rice, 100)
    trade.lot(oil, 100)
    order = trade.orders(trade.place({rice: 10_000}))[0]
    trade.ship(order.id, {trade.lines(order.id)[0].id: [(lot, 8_000)]})
    trade.place({oil: 5_000})
    _today, tomorrow = arrivals.days([chen.organisation_id], TODAY)
    assert [(short.line.product_name, short.packed_milli, short.reason) for short in tomorrow.short] == [
        ("大米", 8_000, arrivals.PACKED_LESS)]
    assert [one.state for one in tomorrow.not_packed] == ["placed"]


def test_goods_of_a_recalled_lot_are_named(world, trade, chen):
    rice, oil = trade.product("大米"), trade.product("茶油")
    lots = {good: trade.lot(good, 100) for good in (rice, oil)}
    sent = trade.orders(trade.place({rice: 10_000}))[0]
    trade.ship(sent.id)
    trade.place({oil: 5_000})
    for lot in lots.values():
        with db.transaction() as session:
            recall.recall(session.get_one(Lot, lot).code, "农残超标", world.person("chair.shi"))
    short = arrivals.days([chen.organisation_id], TODAY)[1].short
    assert {(one.line.product_name, one.reason) for one in short} == {
        ("大米", arrivals.RECALLED), ("茶油", arrivals.WITHDRAWN)}


def test_nobody_elses_orders_come(world, trade):
    cabbage, _potato = greens(trade)
    trade.place({cabbage: 10_000})
    wu = world.person("cook.wu")
    assert [day.orders for day in arrivals.days([wu.organisation_id], TODAY)] == [[], []]
    assert db.session().scalar(select(func.count()).select_from(Order)) == 1
