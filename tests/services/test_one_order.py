"""One order's whole way, told by its verbs: from the cart to the village's income, to the fen."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from catalog.models import Lot
from catalog.stock import NotInLot, OutOfStock
from market import audit, clock, db, ledger
from market.errors import InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.parties import Organisation
from orders.buying import approval, checkout
from orders.buying.checkout import PricesChanged
from orders.delivering import acceptance, returns, shipments
from orders.delivering.acceptance import NotTwoReceivers, ReasonMissing, Taken
from orders.delivering.shipments import LotTooOld, Packed, TooMuchPacked
from orders.income import declarations, dues, shares
from orders.income.payouts import MoreThanUnpaid
from orders.models import AcceptancePart, DeliveryRun, Order, Purchase, ShipmentLine
from orders.paying import claims
from orders.pricing import TooMuch, WeightUnlikely
from orders.states import WrongState
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def balances(world: World, village: str = "greens_home", supplier: str = GREENS) -> dict[str, int]:
    unit, coop = world.organisation_id("school"), world.organisation_id(supplier)
    home = world.villages[village]
    names = [f"unit:{unit}", f"supplier:{coop}", f"due:{coop}", f"households:{home}", f"collective:{home}"]
    return {name.partition(":")[0]: ledger.balance_fen(name) for name in names}


def test_a_short_delivery_pays_the_village_only_for_what_arrived(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜", price_fen=200)
    lot = trade.lot(cabbage, 100, farm_gate_fen=120)
    placed = trade.place({cabbage: 10_000})
    assert placed.total_fen == 2000
    assert trade.stock_of(lot) == (100_000, 10_000)
    order = trade.orders(placed)[0]
    trade.ship(order.id)
    assert trade.stock_of(lot) == (90_000, 0)
    line = trade.lines(order.id)[0]
    trade.accept(order.id, [Taken(line.id, grams=9_500)])
    assert balances(world) == {"unit": 1900, "supplier": -1900, "due": 1140, "households": -1140, "collective": 0}
    assert order.state == "accepted" and order.payment == "unpaid"


def test_an_order_delivered_paid_and_handed_on_leaves_every_balance_at_zero(world: World, trade: Trade) -> None:
    home = world.villages["greens_home"]
    trade.agree_collective(GREENS, home, 300)
    cabbage = trade.product("白菜", price_fen=233)
    trade.lot(cabbage, 100, farm_gate_fen=121)
    order = trade.orders(trade.place({cabbage: 7_500}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    trade.pay(order.id, order.accepted_fen)
    assert order.payment == "paid"
    coop = world.organisation_id(GREENS)
    for kind in ("farm_gate", "collective"):
        trade.pay_out(coop, home, kind, dues.unpaid_fen(coop, home, kind))
    assert set(balances(world).values()) == {0}


def test_money_paid_ahead_moves_onto_the_goods_once_they_are_accepted(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.pay(order.id, 2000)
    assert balances(world)["unit"] == -2000
    trade.ship(order.id)
    trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=9_500)])
    assert order.payment == "over"
    parts = db.session().query(AcceptancePart).all()
    assert sum(p.received_fen for p in parts) == 1900
    trade.refund(order.id, 100)
    assert order.payment == "paid"
    assert balances(world)["unit"] == 0


def test_goods_sent_back_take_unpaid_income_back_and_never_what_a_household_holds(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    coop, home = world.organisation_id(GREENS), world.villages["greens_home"]
    trade.pay_out(coop, home, "farm_gate", 1000)
    line = trade.lines(order.id)[0]
    with db.transaction():
        returns.take_back(order.id, {line.id: 10_000}, "发黄", world.person("store.wang"), world.person("chair.shi"))
    assert balances(world) == {"unit": 0, "supplier": 0, "due": 0, "households": 0, "collective": 0}
    assert order.returned_fen == order.accepted_fen == 2000


def test_another_lot_than_held_earns_for_its_own_village(world: World, trade: Trade) -> None:
    pomelo = trade.product("香柚", POMELO, price_fen=6000, unit="箱", grams_per_unit=10_000, by_weight=False)
    held = trade.lot(pomelo, 100, farm_gate_fen=300)
    packed = trade.lot(pomelo, 100, farm_gate_fen=320, village="pomelo_next",
                       households=trade.members(POMELO, world.villages["pomelo_next"])[:3])
    order = trade.orders(trade.place({pomelo: 2_000}))[0]
    assert trade.stock_of(held)[1] == 2_000
    trade.ship(order.id, {trade.lines(order.id)[0].id: [(packed, 2_000)]})
    assert trade.stock_of(held) == (10_000, 0)
    trade.accept(order.id)
    assert ledger.balance_fen(f"households:{world.villages['pomelo_home']}") == 0
    assert ledger.balance_fen(f"households:{world.villages['pomelo_next']}") == -6400


def test_a_reduced_price_pays_the_household_its_farm_gate_price_all_the_same(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    with pytest.raises(ReasonMissing):
        trade.accept(order.id, [Taken(line.id, grams=10_000, price_fen=150)])
    assert balances(world)["unit"] == 0
    trade.accept(order.id, [Taken(line.id, grams=10_000, price_fen=150, reason="叶黄")])
    assert balances(world)["unit"] == 1500 and balances(world)["households"] == -1200


def test_income_above_the_price_is_held_out_until_somebody_clears_it(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=10_000, price_fen=100, reason="雨淋")])
    assert balances(world)["households"] == 0
    part = db.session().query(AcceptancePart).one()
    assert part.income_held and part.farm_gate_fen == 1200


def test_the_last_unit_is_sold_once_and_a_refused_order_leaves_nothing(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 5)
    trade.place({cabbage: 4_000})
    with pytest.raises(OutOfStock) as refused:
        trade.place({cabbage: 2_000}, by="cook.wu", unit="hospital")
    assert refused.value.message() == "白菜: only 1 left."
    assert trade.stock_of(lot) == (5_000, 4_000)
    assert db.session().query(Purchase).count() == 1


def test_a_day_yields_only_what_it_yields(world: World, trade: Trade) -> None:
    lettuce = trade.product("生菜", supply="daily", daily_milli=10_000)
    placed = trade.place({lettuce: 8_000})
    with pytest.raises(OutOfStock):
        trade.place({lettuce: 2_500}, by="cook.wu", unit="hospital")
    with db.transaction():
        approval.cancel(trade.orders(placed)[0].id, "改菜单", world.person("cook.chen"))
    assert trade.place({lettuce: 2_500}, by="cook.wu", unit="hospital").total_fen == 500


def test_the_same_token_is_one_purchase(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 100)
    first = trade.place({cabbage: 1_000}, token="once")
    assert trade.place({cabbage: 1_000}, token="once") == first
    assert trade.stock_of(lot) == (100_000, 1_000)


def test_what_is_out_of_bounds_is_refused_and_changes_nothing(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 100)
    for goods in ({cabbage: 250}, {cabbage: 750}, {cabbage: -500}, {999_999: 1_000}, {}):
        with pytest.raises(MarketError):
            trade.place(goods)
    assert db.session().query(Purchase).count() == 0 and trade.stock_of(lot) == (100_000, 0)


def test_too_much_stays_on_the_van(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    with pytest.raises(TooMuch):
        trade.accept(order.id, [Taken(line.id, grams=10_501)])
    assert db.session().get_one(Order, order.id).state == "shipped"
    trade.accept(order.id, [Taken(line.id, grams=10_500)])
    assert balances(world)["unit"] == 2100


def test_four_eyes_at_every_step(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    for pair in (("store.wang", "store.wang"), ("store.wang", "cook.chen"), ("store.wang", "store.zheng"),
                 ("store.wang", "head.li")):
        with pytest.raises(NotTwoReceivers):
            trade.accept(order.id, receivers=pair)
    trade.accept(order.id)
    with pytest.raises(WrongState):
        trade.accept(order.id)
    coop, home = world.organisation_id(GREENS), world.villages["greens_home"]
    with pytest.raises(MoreThanUnpaid):
        trade.pay_out(coop, home, "farm_gate", 1201)
    with pytest.raises(SecondPersonNeeded), db.transaction():
        shares.agree_collective(home, 300, TODAY, world.person("chair.shi"), world.person("village.kong"))
    assert balances(world)["households"] == -1200


def test_an_approval_binds_what_was_shown(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id("school")).approval_limit_fen = 1000
    placed = trade.place({cabbage: 10_000})
    assert placed.approval == "waiting"
    with pytest.raises(WrongState):
        trade.ship(trade.orders(placed)[0].id)
    with pytest.raises(approval.ContentChanged), db.transaction():
        approval.approve(placed.id, "another", world.person("head.li"))
    with pytest.raises(NotFound), db.transaction():
        approval.approve(placed.id, None, world.person("cook.wu"))
    with db.transaction():
        approval.approve(placed.id, None, world.person("head.li"))
    trade.ship(trade.orders(placed)[0].id)


def test_a_price_that_moved_is_shown_before_it_is_paid(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    wish = checkout.Wish(world.delivery_point_id(), clock.days_after(clock.today(), 1), "morning",
                         expected_total_fen=1900)
    with pytest.raises(PricesChanged), db.transaction():
        checkout.place([(cabbage, 10_000)], wish, "t", world.person("cook.chen"))
    assert db.session().query(Purchase).count() == 0


def test_a_lot_gives_no_more_than_it_holds(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 10)
    order = trade.orders(trade.place({cabbage: 5_000}))[0]
    trade.place({cabbage: 5_000}, by="cook.wu", unit="hospital")
    with pytest.raises(NotInLot):
        trade.ship(order.id, {trade.lines(order.id)[0].id: [(lot, 5_200)]})
    assert trade.stock_of(lot) == (10_000, 10_000)


def test_processed_goods_pay_the_villages_of_their_inputs(world: World, trade: Trade) -> None:
    chilli = trade.product("三味辣椒", price_fen=1000)
    sauce = trade.product("剁辣椒", price_fen=2500, unit="瓶", grams_per_unit=500, by_weight=False,
                          minimum_milli=1000, step_milli=1000)
    first = trade.lot(chilli, 60, farm_gate_fen=600)
    own_base = trade.lot(chilli, 40, farm_gate_fen=500, grams=[40_000], households=[None])
    made = trade.processed(sauce, 50_000, {first: 60_000, own_base: 40_000})
    assert trade.stock_of(first) == (0, 0)
    order = trade.orders(trade.place({sauce: 100_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    assert made
    assert balances(world)["unit"] == 250_000
    assert balances(world)["households"] == -36_000  # 60 kg at ¥6.00; the own base is paid nothing here


def test_what_went_back_before_it_was_cleared_is_nobodys_income(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    trade.accept(order.id, [Taken(line.id, grams=10_000, price_fen=100, reason="雨淋")])
    with db.transaction():
        returns.take_back(order.id, {line.id: 2_500}, "发黄", world.person("store.wang"), world.person("chair.shi"))
    part = db.session().query(AcceptancePart).one()
    with db.transaction():
        declarations.clear(part.id, world.person("village.cao"))
    assert balances(world)["households"] == -900
    assert audit.check() == []


def test_the_receiver_may_say_which_lot_was_short(world: World, trade: Trade) -> None:
    pomelo = trade.product("香柚", POMELO, price_fen=600)
    home = trade.lot(pomelo, 10, farm_gate_fen=300)
    other = trade.lot(pomelo, 10, farm_gate_fen=300, village="pomelo_next",
                      households=trade.members(POMELO, world.villages["pomelo_next"])[:2])
    order = trade.orders(trade.place({pomelo: 10_000}))[0]
    line = trade.lines(order.id)[0]
    trade.ship(order.id, {line.id: [(home, 5_000), (other, 5_000)]})
    first = db.session().query(ShipmentLine).order_by(ShipmentLine.id).first()
    with pytest.raises(NotFound):
        trade.accept(order.id, [Taken(line.id, grams=9_000, short_shipment_line_id=999_999)])
    trade.accept(order.id, [Taken(line.id, grams=9_000, short_shipment_line_id=first.id if first else None)])
    assert ledger.balance_fen(f"households:{world.villages['pomelo_home']}") == -1200
    assert ledger.balance_fen(f"households:{world.villages['pomelo_next']}") == -1500


def test_a_count_weighs_what_it_weighs(world: World, trade: Trade) -> None:
    pomelo = trade.product("香柚", POMELO, price_fen=6000, unit="箱", grams_per_unit=10_000, by_weight=False)
    lot = trade.lot(pomelo, 100)
    order = trade.orders(trade.place({pomelo: 3_000}))[0]
    line = trade.lines(order.id)[0]
    with pytest.raises(WeightUnlikely), db.transaction():
        shipments.ship(order.id, [Packed(line.id, lot, 3_000, 1)], world.person("clerk.lv"))
    trade.ship(order.id)
    for grams in (0, 1, 10_000_000_000):
        with pytest.raises(WeightUnlikely):
            trade.accept(order.id, [Taken(line.id, milli=3_000, grams=grams)])
    assert ledger.balance_fen(f"unit:{world.organisation_id('school')}") == 0
    trade.accept(order.id, [Taken(line.id, milli=3_000, grams=29_400)])
    assert ledger.balance_fen(f"unit:{world.organisation_id('school')}") == 18_000


def test_what_was_not_sent_is_neither_taken_nor_paid(world: World, trade: Trade) -> None:
    cabbage, radish = trade.product("白菜"), trade.product("萝卜")
    lot = trade.lot(cabbage, 100)
    trade.lot(radish, 100)
    order = trade.orders(trade.place({cabbage: 10_000, radish: 10_000}))[0]
    first, second = trade.lines(order.id)
    with pytest.raises(TooMuchPacked):
        trade.ship(order.id, {first.id: [(lot, 10_501)]})
    trade.ship(order.id, {first.id: [(lot, 1_000)]})
    refuse = Taken(second.id, grams=0, reason="没到")
    with pytest.raises(TooMuch):
        trade.accept(order.id, [Taken(first.id, grams=1_051), refuse])
    with pytest.raises(InvalidInput):
        trade.accept(order.id, [Taken(first.id, grams=1_000), Taken(second.id, grams=10_000)])
    trade.accept(order.id, [Taken(first.id, grams=1_000), refuse])
    assert balances(world)["unit"] == 200


def test_goods_past_their_date_stay_in_store(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    with db.transaction() as session:
        session.get_one(Lot, lot).best_before = TODAY
    with pytest.raises(LotTooOld):
        trade.ship(order.id)
    assert trade.stock_of(lot) == (100_000, 10_000)


def test_nobody_stands_on_both_sides(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    both = replace(world.person("store.wang"), id=world.person("clerk.zhang").id)
    trade.ship(order.id)
    with pytest.raises(NotTwoReceivers), db.transaction():
        acceptance.accept(order.id, [trade.in_full(trade.lines(order.id)[0])], (both, world.person("aunt.zhao")))
    claim = trade.pay(order.id, 2000, confirmed=False)
    payer_too = replace(world.person("aunt.zhao"), id=world.person("cashier.sun").id)
    with pytest.raises(NotTwoReceivers), db.transaction():
        acceptance.accept(order.id, [trade.in_full(trade.lines(order.id)[0])], (world.person("store.wang"), payer_too))
    chair_too = replace(world.person("chair.shi"), id=world.person("cashier.sun").id)
    with pytest.raises(SecondPersonNeeded), db.transaction():
        claims.confirm(claim, chair_too)
    assert balances(world) == {"unit": 0, "supplier": 0, "due": 0, "households": 0, "collective": 0}


def test_a_van_carries_one_units_orders(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id("hospital")).parent_id = world.organisation_id("school")
    own = trade.orders(trade.place({cabbage: 1_000}))[0]
    wish = checkout.Wish(world.delivery_point_id(), clock.days_after(clock.today(), 1), "morning",
                         budget_unit_id=world.organisation_id("hospital"))
    with db.transaction():
        theirs = trade.orders(checkout.place([(cabbage, 1_000)], wish, "theirs", world.person("cook.chen")))[0]
    for order in (own, theirs):
        trade.ship(order.id)
    runs = db.session().query(DeliveryRun).all()
    assert sorted(run.unit_id for run in runs) == sorted([own.unit_id, theirs.unit_id])
    trade.accept(own.id)
    assert sorted(run.state for run in db.session().query(DeliveryRun).populate_existing()) == ["handed_over", "open"]
