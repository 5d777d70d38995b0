"""A placed order changes: less at once, more only with every yes anew, a part now, the rest later; sums stay right."""

from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from catalog import products, stock
from catalog.capacity import asking
from catalog.models import StockHold
from market import clock, db
from market.parties import Organisation
from orders import seasons, states
from orders.approving import amending, parting, people
from orders.approving.models import OrderAmendment, OrderLineChange
from orders.buying import approval, cart
from orders.income import checks
from orders.models import Order, OrderLine, Purchase
from tests.trade import TOMORROW, Trade
from tests.world import NOON, POMELO, SCHOOL, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade: Trade) -> int:
    product = trade.product("白菜", price_fen=233)
    trade.lot(product, kg=100)
    return product


def limit(world: World, fen: int) -> None:
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id(SCHOOL)).approval_limit_fen = fen


def amend(world: World, order: int, wanted: dict[int, int], new: list[tuple[int, int]] | None = None,
          by: str = "cook.chen") -> int | None:
    with db.transaction():
        return amending.amend(order, wanted, new or [], "少来几个人", world.person(by))


def part(world: World, order: int, stays: dict[int, int], day: date) -> int:
    with db.transaction():
        return parting.part(order, stays, day, world.person("clerk.zhang"))


def facts(placed) -> tuple[int, str, list[tuple[str, int]]]:
    db.session().expire_all()
    purchase = db.session().get_one(Purchase, placed.id)
    orders = db.session().execute(select(Order.state, Order.placed_fen).where(Order.purchase_id == placed.id)
                                  .order_by(Order.id)).all()
    return purchase.total_fen, purchase.approval, [tuple(row) for row in orders]


def held(line: int) -> int:
    return db.session().scalar(select(func.sum(StockHold.milli)).where(StockHold.line_id == line)) or 0


def is_clean() -> None:
    with db.snapshot():
        assert [repr(one) for check in (*checks.CHECKS, *seasons.CHECKS) for one in check()
                if type(one).__name__ == "Problem"] == []


def test_less_needs_nobody_and_everything_moves_together(world, trade, cabbage):
    limit(world, 1000)
    placed = trade.place({cabbage: 10_000})
    with db.transaction():
        approval.approve(placed.id, None, world.person("head.li"))
    order = trade.orders(placed)[0]
    line = trade.lines(order.id)[0].id
    before = db.session().get_one(Purchase, placed.id).content_hash
    amendment = amend(world, order.id, {line: 7_500})
    assert facts(placed) == (1748, "approved", [("placed", 1748)])
    assert held(line) == 7_500
    assert db.session().get_one(Purchase, placed.id).content_hash != before
    change = db.session().execute(select(OrderLineChange.before_milli, OrderLineChange.after_milli,
                                         OrderLineChange.before_fen, OrderLineChange.after_fen)).one()
    assert tuple(change) == (10_000, 7_500, 2330, 1748)
    assert db.session().get_one(OrderAmendment, amendment).kind == "reduced"
    is_clean()


def test_a_cancelled_line_leaves_the_order_and_its_history_stays(world, trade, cabbage):
    leek = trade.product("韭菜", price_fen=500)
    trade.lot(leek, kg=10)
    placed = trade.place({cabbage: 10_000, leek: 2_000})
    order = trade.orders(placed)[0]
    first, second = (line.id for line in trade.lines(order.id))
    amend(world, order.id, {first: 0})
    assert [line.id for line in trade.lines(order.id)] == [second]
    assert (held(first), held(second)) == (0, 2_000)
    assert facts(placed) == (1000, "not_needed", [("placed", 1000)])
    assert db.session().execute(select(OrderLineChange.product_name, OrderLineChange.before_milli,
                                       OrderLineChange.after_milli)).all() == [("白菜", 10_000, 0)]
    is_clean()
    assert amend(world, order.id, {second: 0}) is None  # nothing is left: the order is cancelled
    assert facts(placed)[2] == [("cancelled", 1000)]
    is_clean()


def test_more_waits_again_for_everybody_and_the_cooperative_no_longer_sees_it(world, trade, cabbage):
    limit(world, 1000)
    placed = trade.place({cabbage: 10_000})
    with db.transaction():
        approval.approve(placed.id, None, world.person("head.li"))
    order = trade.orders(placed)[0]
    line = trade.lines(order.id)[0].id
    amend(world, order.id, {line: 12_000}, by="admin.qian")
    assert facts(placed) == (2796, "waiting", [("waiting", 2796)])
    assert held(line) == 12_000
    assert db.session().get_one(Purchase, placed.id).approved_by is None
    assert people.deciders([placed.id]) == {world.person("head.li").id}  # also of the yes that is void
    with pytest.raises(states.WrongState):
        trade.ship(order.id)
    with db.transaction():
        approval.approve(placed.id, None, world.person("head.li"))
    assert facts(placed)[1:] == ("approved", [("placed", 2796)])
    is_clean()


def test_a_new_line_waits_too_and_what_is_not_there_is_refused_whole(world, trade, cabbage):
    limit(world, 1000)
    leek = trade.product("韭菜", price_fen=500)
    trade.lot(leek, kg=10)
    pomelo = trade.product("香柚", POMELO)
    placed = trade.place({cabbage: 4_000})
    order = trade.orders(placed)[0]
    line = trade.lines(order.id)[0].id
    before = facts(placed)
    for wanted, new, refusal in (({}, [(leek, 11_000)], stock.OutOfStock), ({}, [(pomelo, 1_000)], amending.NotFound),
                                 ({line: 4_300}, [], cart.NotThisQuantity), ({line: 300}, [], cart.NotThisQuantity),
                                 ({999_999: 0}, [], amending.NotFound), ({}, [(cabbage, 1_000)], amending.InvalidInput),
                                 ({line: 4_000}, [], amending.InvalidInput)):
        with pytest.raises(refusal):
            amend(world, order.id, wanted, new)
        assert facts(placed) == before
    amend(world, order.id, {}, [(leek, 2_000)])
    assert facts(placed) == (1932, "waiting", [("waiting", 1932)])
    is_clean()


def test_more_below_every_limit_needs_nobody(world, trade, cabbage):
    limit(world, 100_000)
    placed = trade.place({cabbage: 1_000})
    order = trade.orders(placed)[0]
    amend(world, order.id, {trade.lines(order.id)[0].id: 2_000})
    assert facts(placed) == (466, "not_needed", [("placed", 466)])


def test_no_more_at_an_old_price(world, trade, cabbage):
    placed = trade.place({cabbage: 1_000})
    order = trade.orders(placed)[0]
    with db.transaction():
        product = products.own_product(cabbage, order.supplier_id)
        product.price_fen = 250
    with pytest.raises(amending.PriceMoved):
        amend(world, order.id, {trade.lines(order.id)[0].id: 2_000})
    assert facts(placed)[0] == 233


def test_after_the_cut_off_the_hour_is_named(world, trade, cabbage):
    placed = trade.place({cabbage: 1_000})
    order = trade.orders(placed)[0]
    with clock.at(clock.shanghai(clock.today(), 16)), pytest.raises(amending.TooLateToAmend) as refused:
        amend(world, order.id, {trade.lines(order.id)[0].id: 500})
    assert str(refused.value) == "This order could be changed until 2026-10-12 16:00."
    trade.ship(order.id)
    with pytest.raises(states.WrongState):
        amend(world, order.id, {trade.lines(order.id)[0].id: 500})
    assert facts(placed)[0] == 233


def test_of_another_unit_nothing_can_be_changed(world, trade, cabbage):
    order = trade.orders(trade.place({cabbage: 1_000}))[0]
    with pytest.raises(amending.NotFound):
        amend(world, order.id, {trade.lines(order.id)[0].id: 500}, by="cook.wu")


def test_a_season_follows_every_change(world, trade):
    pomelo = trade.product("香柚", POMELO)
    trade.lot(pomelo, kg=300, harvested_on=date(2026, 9, 1))
    with db.transaction():
        row = asking.declare(pomelo, world.villages["pomelo_home"], asking.Season(
            "2026 秋", date(2026, 9, 1), date(2026, 11, 10)), asking.Asked(100_000, "十亩"), [], seasons.sold_grams,
            world.person("clerk.lv"))
    with db.transaction():
        asking.decide(row.id, 100_000, "", seasons.sold_grams, world.person("farm.luo"))
    order = trade.orders(trade.place({pomelo: 60_000}))[0]
    line = trade.lines(order.id)[0].id
    with pytest.raises(seasons.gates.AboveCapacity):
        amend(world, order.id, {line: 100_500})
    amend(world, order.id, {line: 100_000})
    amend(world, order.id, {line: 20_000})
    is_clean()


# ---- a part now, the rest later -------------------------------------------------------------------------------------


def test_the_rest_follows_as_an_order_of_its_own(world, trade, cabbage):
    leek = trade.product("韭菜", supply="daily", daily_milli=20_000, price_fen=500)
    placed = trade.place({cabbage: 10_000, leek: 3_000})
    order = trade.orders(placed)[0]
    first, second = (line.id for line in trade.lines(order.id))
    later = TOMORROW + timedelta(days=2)
    rest = part(world, order.id, {first: 6_500}, later)
    assert [(line.id, line.ordered_milli) for line in trade.lines(order.id)] == [(first, 6_500)]
    follows = trade.lines(rest)
    assert sorted((line.product_id, line.ordered_milli) for line in follows) == [(cabbage, 3_500), (leek, 3_000)]
    assert sorted(held(line.id) for line in follows) == [3_000, 3_500]
    assert held(first) == 6_500
    follower = db.session().get_one(Order, rest)
    assert (follower.state, follower.delivery_day, follower.purchase_id) == ("placed", later, placed.id)
    assert follower.number != order.number
    is_clean()
    trade.ship(order.id)
    trade.accept(order.id)
    trade.lot(leek, kg=5)
    assert second in {line.id for line in follows}
    with db.transaction():  # the kitchen may refuse the rest
        approval.cancel(rest, "不要了", world.person("cook.chen"))
    is_clean()
    assert held(second) == 0


def test_what_cannot_be_parted(world, trade, cabbage):
    placed = trade.place({cabbage: 10_000})
    order = trade.orders(placed)[0]
    line = trade.lines(order.id)[0].id
    before = facts(placed)
    for stays, day, refusal in (({line: 10_000}, TOMORROW + timedelta(days=1), parting.InvalidInput),
                                ({line: 0}, TOMORROW + timedelta(days=1), parting.InvalidInput),
                                ({line: 5_000}, TOMORROW, parting.InvalidInput),
                                ({line: 5_000}, TOMORROW + timedelta(days=40), parting.InvalidInput),
                                ({999_999: 1}, TOMORROW + timedelta(days=1), parting.NotFound)):
        with pytest.raises(refusal):
            part(world, order.id, stays, day)
        assert facts(placed) == before
    trade.pay(order.id, 100)
    with pytest.raises(parting.PaidAhead):
        part(world, order.id, {line: 5_000}, TOMORROW + timedelta(days=1))
    assert facts(placed) == before


@pytest.mark.parametrize("seed", range(3))
def test_parts_always_sum_to_the_whole(world, trade, seed):
    chance = Random(seed)
    goods = [trade.product(f"菜{n}", price_fen=chance.randint(1, 999), step_milli=1, minimum_milli=1)
             for n in range(4)]
    for product in goods:
        trade.lot(product, kg=60)
    for _ in range(8):
        wanted = {product: chance.randint(1_000, 4_999) for product in goods}
        placed = trade.place(wanted)
        order = trade.orders(placed)[0]
        stays = {line.id: chance.choice([0, line.ordered_milli, chance.randint(500, line.ordered_milli)])
                 for line in trade.lines(order.id)}
        if not any(stays.values()) or all(stays[x.id] == x.ordered_milli for x in trade.lines(order.id)):
            continue
        total = facts(placed)[0]
        part(world, order.id, stays, TOMORROW + timedelta(days=chance.randint(1, 20)))
        after, _yes, orders = facts(placed)
        assert after == sum(fen for _state, fen in orders)
        assert abs(after - total) <= len(goods)
        lines = db.session().scalars(select(OrderLine).join(Order, Order.id == OrderLine.order_id)
                                     .where(Order.purchase_id == placed.id)).all()
        assert {product: sum(x.ordered_milli for x in lines if x.product_id == product) for product in goods} == wanted
        assert {x.id: held(x.id) for x in lines} == {x.id: x.ordered_milli for x in lines}
    is_clean()
