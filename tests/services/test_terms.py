"""Delivery terms: which hold at a door, what checkout makes of them, and freight on its way through the ledger."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from catalog.terms import reading, stating
from catalog.terms.models import DeliveryTerms
from market import audit, clock, db, ledger, sealing
from market.errors import MarketError, NotFound
from market.journal import timeline
from market.ledger import LedgerTransfer
from market.places import Division
from orders.buying import approval, checkout, freight
from orders.buying.checkout import OutsideTerms
from orders.delivering import packing, returns, substitutes
from orders.models import AcceptanceLine, AcceptancePart, Order, Purchase
from orders.paying import receipts, refunds
from tests.terms import USUAL, county_of, move_point, state
from tests.trade import TOMORROW, Trade
from tests.world import GREENS, NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def stock(trade: Trade, supplier: str = GREENS, **more: int) -> int:
    product = trade.product("白菜" if supplier == GREENS else "香柚", supplier, **more)
    trade.lot(product, 1_000)
    return product


def refused(trade: Trade, goods: dict[int, int], **more: object) -> dict[str, list[MarketError]]:
    """The refusals by co-operative; nothing has been placed."""
    with pytest.raises(OutsideTerms) as caught:
        trade.place(goods, **more)  # type: ignore[arg-type]
    assert db.session().scalar(select(func.count()).select_from(Purchase)) == 0
    assert db.session().scalar(select(func.count()).select_from(Order)) == 0
    db.session().rollback()
    return caught.value.fields  # type: ignore[return-value]


# ---- which terms hold -----------------------------------------------------------------------------------------------


def test_the_nearest_area_counts_and_others_do_not_reach(world: World, trade: Trade) -> None:
    greens, pomelo = world.organisation_id(GREENS), world.organisation_id(POMELO)
    county = county_of(world)
    home = db.session().get_one(Division, world.villages["greens_home"])
    township = db.session().get_one(Division, home.township_id)
    codes = {"county": county.code, "township": township.code, "other": county_of(world, "pomelo_home").code}
    move_point(world, home.id)
    state(world, minimum_fen=100)
    state(world, area=codes["county"], minimum_fen=200)
    nearest = state(world, area=codes["township"], minimum_fen=300)
    state(world, POMELO, area=codes["other"])
    stated = reading.at_point(world.delivery_point_id())
    terms = stated.of(greens)
    assert terms is not None
    assert (terms.minimum_fen, terms.id) == (300, nearest)
    assert stated.of(pomelo) is None
    with db.transaction():
        stating.close(nearest, world.person("chair.shi"))
    terms = reading.at_point(world.delivery_point_id(), [greens]).of(greens)
    assert terms is not None
    assert terms.minimum_fen == 200


def test_an_area_is_stated_once_and_belongs_to_its_co_operative(world: World, trade: Trade) -> None:
    row = state(world)
    with pytest.raises(stating.AreaStated):
        state(world)
    with pytest.raises(NotFound), db.transaction():
        stating.change(row, USUAL, world.person("chair.he"))
    with pytest.raises(NotFound), db.transaction():
        stating.close(row, world.person("chair.he"))
    assert db.session().scalar(select(func.count()).select_from(DeliveryTerms)) == 1
    with db.transaction():
        stating.close(row, world.person("chair.shi"))
    state(world)  # closed rows stay, a new one may follow


# ---- checkout obeys -------------------------------------------------------------------------------------------------


def test_who_states_nothing_delivers_everywhere(trade: Trade) -> None:
    order = trade.orders(trade.place({stock(trade): 1_000}))[0]
    assert (order.freight_fen, order.terms_id, order.cut_off_at) == (0, None, None)


def test_each_co_operative_that_does_not_come_says_so(world: World, trade: Trade) -> None:
    greens, pomelo = stock(trade), stock(trade, POMELO)
    state(world, weekdays="5", minimum_fen=10_000)
    state(world, POMELO, area=county_of(world, "pomelo_home").code)  # the school's door lies in the city only
    fields = refused(trade, {greens: 1_000, pomelo: 1_000})
    assert {name: [one.code for one in some] for name, some in fields.items()} == {
        f"supplier-{world.organisation_id(GREENS)}": ["not_on_this_day", "below_minimum"],
        f"supplier-{world.organisation_id(POMELO)}": ["not_reached"]}
    day, short = fields[f"supplier-{world.organisation_id(GREENS)}"]
    assert day.details["earliest"] == "2026-10-16"
    assert short.details["missing"] == "98.00"


def test_the_minute_of_the_cut_off_decides(world: World, trade: Trade) -> None:
    product = stock(trade)
    state(world)
    four = clock.shanghai(TODAY, 16)
    with clock.at(four):
        fields = refused(trade, {product: 1_000})
    late = fields[f"supplier-{world.organisation_id(GREENS)}"][0]
    assert (late.code, late.details["earliest"]) == ("after_cut_off", "2026-10-14")
    with clock.at(four - timedelta(seconds=1)):
        order = trade.orders(trade.place({product: 1_000}))[0]
    assert order.placed_at < order.cut_off_at == four


def test_a_break_closes_every_area(world: World, trade: Trade) -> None:
    product = stock(trade)
    with db.transaction():
        row = stating.pause(TODAY, clock.days_after(TODAY, 3), "换季", world.person("chair.shi"))
    fields = refused(trade, {product: 1_000})
    assert fields[f"supplier-{world.organisation_id(GREENS)}"][0].details["earliest"] == "2026-10-16"
    with db.transaction():
        stating.resume(row, world.person("chair.shi"))
    trade.place({product: 1_000})


def test_an_order_keeps_what_it_was_promised(world: World, trade: Trade) -> None:
    product = stock(trade)
    terms = state(world, freight_fen=1_500, free_from_fen=30_000, minimum_fen=200)
    order = trade.orders(trade.place({product: 1_000}))[0]
    with db.transaction():
        stating.change(terms, USUAL | {"freight_fen": 9_900}, world.person("chair.shi"))
    db.session().refresh(order)
    assert (order.terms_id, order.terms_area, order.minimum_fen, order.free_from_fen, order.freight_agreed_fen,
            order.freight_fen) == (terms, "永州市", 200, 30_000, 1_500, 1_500)
    assert order.cut_off_at == clock.shanghai(TODAY, 16)
    assert [entry["action"] for entry in timeline("delivery_terms", terms)] == ["terms.stated", "terms.changed"]


def test_limit_total_and_approval_count_the_freight(world: World, trade: Trade) -> None:
    product = stock(trade)
    state(world, freight_fen=1_500)
    wish = checkout.Wish(world.delivery_point_id(), TOMORROW, "morning", expected_total_fen=200)
    with pytest.raises(checkout.PricesChanged, match=r"17\.00"), db.transaction():
        checkout.place([(product, 1_000)], wish, "t", world.person("cook.chen"))
    with db.transaction() as session:
        order_unit = world.organisation_id("school")
        session.get_one(checkout.Organisation, order_unit).approval_limit_fen = 1_699
    placed = trade.place({product: 1_000})
    assert (placed.approval, placed.total_fen, placed.freight_fen) == ("waiting", 200, 1_500)
    purchase = db.session().get_one(Purchase, placed.id)
    assert checkout.content_hash([], db.columns_of(purchase)) != checkout.content_hash(
        [], db.columns_of(purchase) | {"freight_fen": 0})
    with db.transaction():
        approval.approve(placed.id, purchase.content_hash, world.person("head.li"))


# ---- freight --------------------------------------------------------------------------------------------------------


def delivered(world: World, trade: Trade, freight_fen: int = 1_500) -> Order:
    """Ten kilos for ¥20.00 and the way for ¥15.00."""
    product = stock(trade)
    state(world, freight_fen=freight_fen)
    order = trade.orders(trade.place({product: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return db.session().get_one(Order, order.id, populate_existing=True)


def balances(world: World) -> tuple[int, int]:
    return tuple(ledger.balance_fen(f"{kind}:{world.organisation_id(key)}")  # type: ignore[return-value]
                 for kind, key in (("unit", "school"), ("supplier", GREENS)))


def check_books(world: World) -> None:
    db.session().rollback()
    sealing.seal_all()
    assert [str(problem) for problem in audit.check()] == []


def test_goods_and_freight_paid_leave_every_balance_at_zero(world: World, trade: Trade) -> None:
    order = delivered(world, trade)
    assert balances(world) == (3_500, -3_500)
    assert order.accepted_fen == 2_000
    row = db.session().scalars(select(LedgerTransfer).where(LedgerTransfer.event == "freight")).one()
    assert (row.source, row.amount_fen, row.village_id, row.grams, row.order_ref) == (
        f"freight:{order.id}", 1_500, None, 0, order.number)
    trade.pay(order.id, 2_000)
    db.session().refresh(order)
    assert order.payment == "part"
    trade.pay(order.id, 1_500)
    db.session().refresh(order)
    assert order.payment == "paid"
    assert balances(world) == (0, 0)
    assert receipts.ahead_fen(order.id) == 0
    check_books(world)


def test_money_paid_ahead_covers_goods_first(world: World, trade: Trade) -> None:
    product = stock(trade)
    state(world, freight_fen=1_500)
    order = trade.orders(trade.place({product: 10_000}))[0]
    trade.pay(order.id, 2_600)
    trade.ship(order.id)
    trade.accept(order.id)
    assert [part["open_fen"] for part in receipts.open_parts(order.id)] == [0]
    assert receipts.ahead_fen(order.id) == 0
    trade.pay(order.id, 1_000)  # a yuan too much
    order = db.session().get_one(Order, order.id, populate_existing=True)
    assert (order.payment, receipts.ahead_fen(order.id), refunds.owed_fen(order)) == ("over", 100, 100)
    with pytest.raises(refunds.NotOwed):
        trade.refund(order.id, 101)
    trade.refund(order.id, 100)
    assert balances(world) == (0, 0)
    check_books(world)


def test_money_of_goods_that_went_back_covers_the_freight(world: World, trade: Trade) -> None:
    order = delivered(world, trade)
    trade.pay(order.id, 2_600)
    line = db.session().scalars(select(AcceptanceLine)).one()
    with db.transaction():
        returns.take_back(order.id, {line.order_line_id: 5_000}, "坏了", world.person("store.wang"),
                          world.person("chair.shi"))
    order = db.session().get_one(Order, order.id, populate_existing=True)
    assert (order.payment, refunds.owed_fen(order), receipts.ahead_fen(order.id)) == ("over", 100, 0)
    assert [part["received_fen"] for part in receipts.open_parts(order.id)] == [1_100]
    trade.refund(order.id, 100)
    order = db.session().get_one(Order, order.id, populate_existing=True)
    assert order.payment == "paid"
    assert balances(world) == (0, 0)
    check_books(world)


def test_no_freight_for_what_was_all_refused(world: World, trade: Trade) -> None:
    product = stock(trade)
    state(world, freight_fen=1_500)
    order = trade.orders(trade.place({product: 10_000}))[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    trade.accept(order.id, [trade.in_full(line).__class__(line.id, grams=0, reason="坏了")])
    order = db.session().get_one(Order, order.id, populate_existing=True)
    assert (order.state, order.payment) == ("rejected", "paid")
    assert balances(world) == (0, 0)
    check_books(world)


def test_a_cancelled_order_owes_no_freight(world: World, trade: Trade) -> None:
    product = stock(trade)
    state(world, freight_fen=1_500)
    order = trade.orders(trade.place({product: 10_000}))[0]
    with db.transaction():
        approval.cancel(order.id, "不要了", world.person("cook.chen"))
    assert db.session().get_one(Order, order.id, populate_existing=True).payment == "paid"
    check_books(world)


def test_freight_is_lowered_until_it_ships_and_never_raised(world: World, trade: Trade) -> None:
    product = stock(trade)
    state(world, freight_fen=1_500)
    order = trade.orders(trade.place({product: 10_000}))[0]
    chair = world.person("chair.shi")
    with pytest.raises(freight.FreightRaised), db.transaction():
        freight.lower(order.id, 1_501, chair)
    with pytest.raises(NotFound), db.transaction():
        freight.lower(order.id, 100, world.person("chair.he"))
    with db.transaction():
        freight.lower(order.id, 500, chair)
    with pytest.raises(freight.FreightRaised), db.transaction():
        freight.lower(order.id, 600, chair)
    trade.ship(order.id)
    with pytest.raises(freight.FreightFixed), db.transaction():
        freight.lower(order.id, 0, chair)
    trade.accept(order.id)
    assert balances(world) == (2_500, -2_500)
    told = [entry for entry in timeline("order", order.id) if entry["action"] == "order.freight_lowered"]
    assert [(entry["details"]["before_fen"], entry["details"]["after_fen"]) for entry in told] == [(1_500, 500)]
    check_books(world)


def test_a_changed_freight_is_found(world: World, trade: Trade) -> None:
    order = delivered(world, trade)
    with db.transaction():
        order.freight_fen = 1_400
    db.session().rollback()
    assert any("freight" in str(problem) for problem in audit.check())


# ---- another good instead -------------------------------------------------------------------------------------------


def allowing(trade: Trade, world: World, product: int) -> Order:
    wish = checkout.Wish(world.delivery_point_id(), TOMORROW, "morning")
    with db.transaction():
        placed = checkout.place([(product, 2_000)], wish, "allowing", world.person("cook.chen"), substitutes={product})
    return trade.orders(placed)[0]


def test_another_good_of_the_kind_is_packed_where_allowed(world: World, trade: Trade) -> None:
    cabbage, chard = stock(trade), trade.product("菠菜", price_fen=180)
    other = trade.lot(chard, 50)
    order = allowing(trade, world, cabbage)
    line = trade.lines(order.id)[0]
    offered = packing.choices(order.id, world.person("clerk.zhang"))[line.id]
    assert [(one.lot_id == other, one.instead.name if one.instead else "") for one in offered] == [
        (False, ""), (True, "菠菜")]
    trade.ship(order.id, {line.id: [(other, 2_000)]})
    db.session().refresh(line)
    assert (line.product_id, line.product_name, line.substitute_product_id, line.substitute_name, line.amount_fen) == (
        cabbage, "白菜", chard, "菠菜", 400)
    assert trade.stock_of(other) == (48_000, 0)
    trade.accept(order.id)
    part = db.session().scalars(select(AcceptancePart)).one()
    assert (part.lot_id, part.amount_fen) == (other, 400)
    check_books(world)


def test_no_other_good_unasked_dearer_or_beside(world: World, trade: Trade) -> None:
    cabbage, chard, dear = stock(trade), trade.product("菠菜"), trade.product("香菜", price_fen=201)
    lots = {product: trade.lot(product, 50) for product in (cabbage, chard, dear)}
    plain = trade.orders(trade.place({cabbage: 2_000}))[0]
    with pytest.raises(NotFound):
        trade.ship(plain.id, {trade.lines(plain.id)[0].id: [(lots[chard], 2_000)]})
    order = allowing(trade, world, cabbage)
    line = trade.lines(order.id)[0].id
    with pytest.raises(NotFound):
        trade.ship(order.id, {line: [(lots[dear], 2_000)]})
    with pytest.raises(substitutes.OneGoodPerLine):
        trade.ship(order.id, {line: [(lots[chard], 1_000), (lots[cabbage], 1_000)]})
    db.session().rollback()
    assert [o.state for o in db.session().scalars(select(Order))] == ["placed", "placed"]
    assert trade.stock_of(lots[chard]) == (50_000, 0)
