"""Stock of lots over their whole life: written off by two people, expected before the harvest, made out of others."""

from threading import Thread

import pytest
from sqlalchemy import delete, func, select, text, update

from catalog import lot_arrivals, lot_write_offs, lots, stock
from catalog.lot_models import LotMaking, LotWriteOff
from catalog.lot_parts import Contribution, Ingredient, Making
from catalog.models import Category, Lot, Product, StockHold, StockMove
from market import audit, clock, db, sealing
from market.errors import InvalidInput, NotFound, SecondPersonNeeded
from market.households import CoopMember
from market.ledger import LedgerTransfer
from orders.delivering import promises
from orders.income import checks, declarations, document_sums, presence, wages
from orders.linkages import lists
from orders.models import IncomeDeclaration
from tests.trade import Trade
from tests.world import NOON, POMELO, TODAY


@pytest.fixture(autouse=True)
def noon(app):
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade) -> int:
    return trade.product("卷心菜")


def stock_agrees() -> bool:
    """Sums of moves are what every lot shows, and what is promised is what order lines hold."""
    lot, move, hold = db.table(Lot), db.table(StockMove), db.table(StockHold)
    moved = {row.lot_id: (row.on_hand, row.held) for row in db.session().execute(
        select(move.c.lot_id, db.sum_of(move.c.on_hand_change_milli).label("on_hand"),
               db.sum_of(move.c.held_change_milli).label("held"))
        .where(move.c.lot_id.is_not(None)).group_by(move.c.lot_id))}
    held = {row.lot_id: row.milli for row in db.session().execute(
        select(hold.c.lot_id, db.sum_of(hold.c.milli).label("milli")).where(hold.c.lot_id.is_not(None))
        .group_by(hold.c.lot_id))}
    for row in db.session().execute(select(lot)):
        assert moved[row.id] == (row.on_hand_milli, row.held_milli), row.code
        assert held.get(row.id, 0) == row.held_milli, row.code
    return list(document_sums.problems()) == []


# ---- written off ----------------------------------------------------------------------------------------------------


def proposed(trade: Trade, lot: int, milli: int = 5000, by: str = "clerk.zhang", reason: str = "spoiled") -> int:
    with db.transaction():
        return lot_write_offs.propose(lot, milli, reason, "", trade.world.person(by)).id


def decide(trade: Trade, write_off: int, by: str, yes: bool = True) -> None:
    with db.transaction():
        (lot_write_offs.confirm if yes else lot_write_offs.refuse)(write_off, trade.world.person(by))


@pytest.mark.parametrize("second", ["chair.shi", "village.cao"])
def test_goods_are_gone_once_a_second_person_has_seen_it(world, trade, cabbage, second):
    lot = trade.lot(cabbage, 100)
    write_off = proposed(trade, lot)
    assert trade.stock_of(lot) == (100_000, 0)
    with pytest.raises(SecondPersonNeeded):
        decide(trade, write_off, "clerk.zhang")
    decide(trade, write_off, second)
    assert trade.stock_of(lot) == (95_000, 0)
    with pytest.raises(lot_write_offs.AlreadyDecided):
        decide(trade, write_off, "village.cao" if second == "chair.shi" else "chair.shi")
    assert trade.stock_of(lot) == (95_000, 0)
    assert stock_agrees()
    assert audit.check() == []


def test_a_refused_write_off_takes_nothing(world, trade, cabbage):
    lot = trade.lot(cabbage, 100)
    write_off = proposed(trade, lot)
    decide(trade, write_off, "chair.shi", yes=False)
    with pytest.raises(lot_write_offs.AlreadyDecided):
        decide(trade, write_off, "village.cao")
    assert trade.stock_of(lot) == (100_000, 0)


def test_what_is_promised_cannot_be_written_off(world, trade, cabbage):
    lot = trade.lot(cabbage, 10)
    write_off = proposed(trade, lot, 4000)
    trade.place({cabbage: 8000})
    with pytest.raises(stock.NotInLot):
        decide(trade, write_off, "chair.shi")
    with pytest.raises(stock.NotInLot):
        proposed(trade, lot, 2001)
    assert trade.stock_of(lot) == (10_000, 8000)
    assert db.session().scalars(select(LotWriteOff.state)).all() == ["waiting"]


def test_foreign_write_offs_are_unknown(world, trade, cabbage):
    lot = trade.lot(cabbage, 10)
    write_off = proposed(trade, lot)
    for stranger in ("chair.he", "village.kong"):
        with pytest.raises(NotFound):
            decide(trade, write_off, stranger)
    with pytest.raises(NotFound):
        proposed(trade, lot, by="clerk.lv")
    assert trade.stock_of(lot) == (10_000, 0)


# ---- expected before the harvest ------------------------------------------------------------------------------------


def expected(trade: Trade, product: int, kg: int = 100, in_days: int = 20, confirmed: bool = True) -> int:
    home = trade.world.villages["greens_home"]
    with db.transaction():
        lot = lots.expect(product, clock.days_after(TODAY, in_days), None, 120,
                          [Contribution(kg * 1000, None, home, unsplit=True)], trade.world.person("clerk.zhang"))
    if confirmed:
        with db.transaction():
            lots.confirm(lot.id, trade.world.person("village.cao"))
    return lot.id


def ahead(trade: Trade, product: int, milli: int, days: int = 25):
    return trade.place({product: milli}, day=clock.days_after(TODAY, days))


def test_goods_are_ordered_ahead_from_the_day_of_the_harvest_on(world, trade, cabbage):
    waiting = expected(trade, cabbage, confirmed=False)
    with pytest.raises(stock.OutOfStock):
        ahead(trade, cabbage, 10_000)  # nobody at the village has confirmed it
    with db.transaction():
        lots.confirm(waiting, world.person("village.cao"))
    with pytest.raises(stock.OutOfStock):
        ahead(trade, cabbage, 10_000, days=19)
    ahead(trade, cabbage, 10_000, days=20)
    assert trade.stock_of(waiting) == (100_000, 10_000)
    assert stock_agrees()


def test_an_expected_lot_is_never_packed_made_or_written_off(world, trade, cabbage):
    lot = expected(trade, cabbage)
    order = trade.orders(ahead(trade, cabbage, 10_000))[0]
    line = trade.lines(order.id)[0]
    with pytest.raises(stock.NotHarvested):
        trade.ship(order.id, {line.id: [(lot, 10_000)]})
    pickle = trade.product("腌菜")
    with pytest.raises(stock.NotHarvested):
        trade.processed(pickle, 5000, {lot: 10_000})
    with pytest.raises(NotFound):
        proposed(trade, lot)
    assert trade.stock_of(lot) == (100_000, 10_000)


def test_the_real_lot_takes_the_promises_over(world, trade, cabbage):
    lot = expected(trade, cabbage)
    orders = [trade.orders(ahead(trade, cabbage, milli))[0] for milli in (30_000, 50_000)]
    with clock.at(NOON.replace(month=11, day=2)):
        real = trade.lot(cabbage, 60)
        with db.transaction():
            assert lot_arrivals.arrive(lot, real, world.person("clerk.zhang"), promises.named) == 60_000
        assert trade.stock_of(lot) == (40_000, 20_000)
        assert trade.stock_of(real) == (60_000, 60_000)
        assert stock_agrees()
        trade.ship(orders[0].id)
        with db.transaction():
            lot_arrivals.close(lot, world.person("clerk.zhang"))
        assert trade.stock_of(lot) == (20_000, 20_000)  # short: promised, and nothing will come
        assert [row.milli for row in lot_arrivals.promises(lot)] == [20_000]
        with pytest.raises(lot_arrivals.AlreadyClosed), db.transaction():
            lot_arrivals.close(lot, world.person("clerk.zhang"))
        line = trade.lines(orders[1].id)[0]
        trade.ship(orders[1].id, {line.id: [(real, 30_000)]})  # short by 20 kg
        assert trade.stock_of(real) == (0, 0)
        assert trade.stock_of(lot) == (20_000, 0)
        with pytest.raises(stock.OutOfStock):
            trade.place({cabbage: 1000})
        assert stock_agrees()
        assert audit.check() == []


def test_a_real_lot_takes_no_promise_for_a_day_after_its_date(world, trade, cabbage):
    lot = expected(trade, cabbage)
    late = trade.orders(ahead(trade, cabbage, 80_000))[0]
    with clock.at(NOON.replace(month=11, day=2)):
        real = trade.lot(cabbage, 60)
        with db.transaction() as session:
            before = clock.days_after(late.delivery_day, -1)
            session.execute(update(Lot).where(Lot.id == real).values(best_before=before))
        with db.transaction():
            assert lot_arrivals.arrive(lot, real, world.person("clerk.zhang"), promises.named) == 20_000
        assert (trade.stock_of(lot), trade.stock_of(real)) == ((80_000, 80_000), (60_000, 0))
        assert stock_agrees()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # SQLite's writers come one after the other
def test_who_waits_while_a_promise_is_parted_gives_both_parts_back(app, world, trade, cabbage):
    lot = expected(trade, cabbage)
    line = trade.lines(trade.orders(ahead(trade, cabbage, 80_000))[0].id)[0].id

    def give_back() -> None:
        with app.app_context(), clock.at(NOON.replace(month=11, day=2)), db.transaction():
            stock.release([line])

    with clock.at(NOON.replace(month=11, day=2)):
        real, rival = trade.lot(cabbage, 60), Thread(target=give_back)
        with db.transaction() as session:
            lot_arrivals.arrive(lot, real, world.person("clerk.zhang"), promises.named)
            rival.start()
            waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            while not session.scalar(waits):
                # in one transaction PostgreSQL lists the connections of its first look: a later rival is none of them
                session.execute(text("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()"))
        rival.join()
    assert (trade.stock_of(lot), trade.stock_of(real)) == ((40_000, 0), (60_000, 0))
    assert db.session().scalars(select(StockHold.id)).all() == []
    assert stock_agrees()


def test_a_bigger_real_lot_replaces_the_whole(world, trade, cabbage):
    lot = expected(trade, cabbage, 50)
    ahead(trade, cabbage, 30_000)
    with clock.at(NOON.replace(month=11, day=2)):
        real = trade.lot(cabbage, 80)
        with db.transaction():
            lot_arrivals.arrive(lot, real, world.person("clerk.zhang"), promises.named)
        assert trade.stock_of(lot) == (0, 0)
        assert trade.stock_of(real) == (80_000, 30_000)
        assert db.session().get_one(Lot, lot, populate_existing=True).closed_at is not None
        assert stock_agrees()


def test_only_confirmed_goods_of_the_same_kind_replace(world, trade, cabbage):
    lot, other = expected(trade, cabbage), expected(trade, cabbage)
    leek = trade.product("韭菜")
    for wrong in (trade.lot(leek), trade.lot(cabbage, confirmed=False), other):
        with pytest.raises(lot_arrivals.CannotReplace), db.transaction():
            lot_arrivals.arrive(lot, wrong, world.person("clerk.zhang"), promises.named)
    right = trade.lot(cabbage)
    with pytest.raises(NotFound), db.transaction():
        lot_arrivals.arrive(lot, right, world.person("clerk.lv"), promises.named)
    with pytest.raises(NotFound), db.transaction():
        lot_arrivals.arrive(right, lot, world.person("clerk.zhang"), promises.named)
    assert trade.stock_of(lot) == (100_000, 0)
    assert trade.stock_of(right) == (100_000, 0)


def test_a_harvest_that_is_late_is_no_longer_promised(world, trade, cabbage):
    expected(trade, cabbage, in_days=20)
    with clock.at(NOON.replace(month=11, day=3)), pytest.raises(stock.OutOfStock):
        trade.place({cabbage: 1000})


@pytest.mark.parametrize("change", [{"expected_on": TODAY}, {"expected_on": clock.days_after(TODAY, 400)}])
def test_days_that_cannot_be_expected(world, trade, cabbage, change):
    with pytest.raises(InvalidInput), db.transaction():
        lots.expect(cabbage, change["expected_on"], None, 120,
                    [Contribution(1000, None, world.villages["greens_home"])], world.person("clerk.zhang"))
    daily = trade.product("空心菜", supply="daily", daily_milli=1000)
    with pytest.raises(InvalidInput), db.transaction():
        lots.expect(daily, clock.days_after(TODAY, 20), None, 120,
                    [Contribution(1000, None, world.villages["greens_home"])], world.person("clerk.zhang"))
    assert db.session().scalar(select(func.count()).select_from(Lot)) == 0


# ---- made out of others ---------------------------------------------------------------------------------------------


@pytest.fixture
def oil(trade) -> int:
    """Camellia oil of the pomelo growers, of the category that has a usual yield."""
    product = trade.product("山茶油", POMELO, price_fen=6000)
    with db.transaction() as session:
        category = Category(code="camellia-oil", name_zh="油茶籽油", name_en="Camellia oil", sort=2)
        session.add(category)
        session.flush()
        session.get_one(Product, product).category_id = category.id
    return product


def pressed(trade: Trade, oil: int, grams: int, making: Making | None = None) -> Lot:
    seed = trade.lot(trade.product("油茶籽", POMELO), 100)
    with db.transaction():
        return lots.process(oil, TODAY, None, grams, [Ingredient(seed, 100_000)], trade.world.person("clerk.lv"),
                            making=making)


def test_a_hundred_kilos_of_seed_give_twenty_five_of_oil(trade, oil):
    lot = pressed(trade, oil, 25_000)
    kept = db.session().get_one(LotMaking, lot.id)
    assert (kept.input_grams, kept.yield_reason, kept.wage_fen) == (100_000, "", 0)


def test_an_unusual_yield_needs_a_reason(trade, oil):
    with pytest.raises(InvalidInput) as refused:
        pressed(trade, oil, 50_000)
    assert refused.value.field_messages()["yield_reason"] == [
        "1 kg of input gave 0.5 kg; usual are 0.2 to 0.32 kg. Please say why."]
    assert db.session().scalar(select(func.count()).select_from(Lot).where(Lot.kind == "processed")) == 0
    lot = pressed(trade, oil, 50_000, Making("含水分高的新籽，另加去年存油"))
    assert db.session().get_one(LotMaking, lot.id).yield_reason.startswith("含水分")


def test_wages_of_the_plant_become_income_of_its_village(world, trade, oil):
    village = world.villages["pomelo_next"]
    lot = pressed(trade, oil, 25_000, Making("", village, 30_000))
    first, second = trade.members(POMELO, village)[:2]
    proof, chair = trade.proof(), world.person("chair.he")
    for household in (first, second):
        trade.tie(POMELO, household, "processing")
    with pytest.raises(wages.MoreThanStated), db.transaction():
        wages.declare(lot.id, [(first, 20_000), (second, 10_001)], "2026-10", proof, chair)
    elsewhere = trade.members(POMELO, world.villages["pomelo_home"])[0]
    with pytest.raises(NotFound), db.transaction():
        wages.declare(lot.id, [(elsewhere, 100)], "2026-10", proof, chair)
    with pytest.raises(NotFound), db.transaction():
        wages.declare(lot.id, [(first, 100)], "2026-10", proof, world.person("chair.shi"))
    assert db.session().scalar(select(func.count()).select_from(IncomeDeclaration)) == 0
    with db.transaction():
        rows = wages.declare(lot.id, [(first, 20_000), (second, 10_000)], "2026-10", proof, chair)
    assert db.session().scalar(select(func.count()).select_from(LedgerTransfer)) == 0  # the village has said nothing
    for row in rows:
        with db.transaction():
            declarations.confirm(row.id, world.person("township.yan"))
    with pytest.raises(wages.MoreThanStated), db.transaction():
        wages.declare(lot.id, [(first, 1)], "2026-10", proof, chair)
    sealing.seal_all()
    earned = db.session().execute(select(LedgerTransfer.village_id, db.sum_of(LedgerTransfer.amount_fen)).where(
        LedgerTransfer.income_kind == "wage").group_by(LedgerTransfer.village_id)).all()
    assert [tuple(row) for row in earned] == [(village, 30_000)]
    assert audit.check() == []


def test_wages_go_to_members_only_and_nobody_else_is_named(world, trade, oil):
    village = world.villages["pomelo_next"]
    lot = pressed(trade, oil, 25_000, Making("", village, 30_000))
    stranger, proof = trade.members(POMELO, village)[0], trade.proof()
    trade.tie(POMELO, stranger)
    with db.transaction() as session:
        session.execute(delete(CoopMember).where(CoopMember.household_id == stranger))
    with pytest.raises(NotFound), db.transaction():
        wages.declare(lot.id, [(stranger, 100)], "2026-10", proof, world.person("chair.he"))
    assert db.session().scalar(select(func.count()).select_from(IncomeDeclaration)) == 0
    with db.transaction():
        declarations.declare(declarations.Declared(stranger, "wage", "2026-10", 100, proof, lot.id),
                             world.person("chair.he"))
    found = lists.declared_of(world.person("chair.he"), "", 1).rows[0]
    assert (found.member_no, found.head_name) == (None, None)


def test_a_plant_stands_in_a_village_of_the_co_operatives_own(world, trade, oil):
    with pytest.raises(InvalidInput):
        pressed(trade, oil, 25_000, Making("", world.villages["greens_home"], 30_000))
    assert db.session().scalar(select(func.count()).select_from(LotMaking)) == 0


def test_wages_need_a_village(trade, oil):
    with pytest.raises(InvalidInput):
        pressed(trade, oil, 25_000, Making("", None, 30_000))
    assert db.session().scalar(select(func.count()).select_from(LotMaking)) == 0


