"""Names that follow from the notebook: exact weights, before the month is closed, and every figure stays right."""

import pytest
from sqlalchemy import func, select, update

from catalog import lots, origins
from catalog.lot_models import LotSplit
from catalog.lot_parts import Contribution
from catalog.lot_splitting import MonthClosed
from catalog.models import Lot, LotContribution
from market import audit, clock, db, sealing
from market.errors import InvalidInput, NotFound
from market.village_months import VillagePresence
from orders.income import checks, presence
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, TODAY


@pytest.fixture(autouse=True)
def noon(app):
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade) -> int:
    return trade.product("卷心菜")


def from_notebook(trade: Trade, product_id: int, grams: int = 30_000) -> int:
    """A confirmed lot of the greens' village whose names stand in the notebook."""
    home = trade.world.villages["greens_home"]
    with db.transaction():
        lot = lots.book(product_id, TODAY, None, 120, [Contribution(grams, None, home, unsplit=True)],
                        trade.world.person("clerk.zhang"))
    with db.transaction():
        lots.confirm(lot.id, trade.world.person("village.cao"))
    return lot.id


def name(trade: Trade, lot_id: int, *given: tuple[int, int], by: str = "clerk.zhang") -> None:
    with db.transaction():
        lots.split(lot_id, [Contribution(grams, household) for household, grams in given], trade.world.person(by))


def sold(trade: Trade, product_id: int, milli: int = 10_000) -> None:
    order = trade.orders(trade.place({product_id: milli}))[0]
    trade.ship(order.id)
    trade.accept(order.id)


def helped() -> int:
    return db.session().scalar(
        select(func.count()).select_from(VillagePresence).where(VillagePresence.kind == "household")) or 0


def test_names_follow_and_every_household_is_counted(world, trade, cabbage):
    lot = from_notebook(trade, cabbage)
    sold(trade, cabbage)
    sealing.seal_all()
    assert helped() == 0
    assert audit.check() == []
    first, second = trade.members(GREENS, world.villages["greens_home"])[:2]
    name(trade, lot, (first, 20_000), (second, 10_000))
    assert helped() == 2  # in the month that is sealed already
    assert audit.check() == []
    rows = db.session().execute(select(LotContribution.household_id, LotContribution.grams, LotContribution.unsplit)
                                .order_by(LotContribution.id)).all()
    assert [tuple(row) for row in rows] == [(first, 20_000, False), (second, 10_000, False)]
    listed = db.session().scalars(select(LotSplit)).one()
    assert (listed.grams, listed.households) == (30_000, 2)
    code = db.session().scalars(select(Lot.code).where(Lot.id == lot)).one()
    assert origins.trace(code).households == 2
    sold(trade, cabbage)
    sealing.seal_all()
    assert helped() == 2
    assert audit.check() == []


def test_goods_made_of_them_count_the_names_too(world, trade, cabbage):
    lot = from_notebook(trade, cabbage)
    pickle = trade.product("腌菜", price_fen=900)
    trade.processed(pickle, 10_000, {lot: 20_000})
    sold(trade, pickle, 5000)
    sealing.seal_all()
    first = trade.members(GREENS, world.villages["greens_home"])[0]
    name(trade, lot, (first, 30_000))
    assert helped() == 1
    assert audit.check() == []


@pytest.mark.parametrize("grams", [29_999, 30_001])
def test_a_gram_more_or_less_is_refused(world, trade, cabbage, grams):
    lot = from_notebook(trade, cabbage)
    first = trade.members(GREENS, world.villages["greens_home"])[0]
    with pytest.raises(InvalidInput):
        name(trade, lot, (first, grams))
    assert db.session().scalars(select(LotContribution.unsplit)).all() == [True]
    assert db.session().scalar(select(func.count()).select_from(LotSplit)) == 0


def test_a_second_split_has_nothing_left_to_name(world, trade, cabbage):
    lot = from_notebook(trade, cabbage)
    first = trade.members(GREENS, world.villages["greens_home"])[0]
    name(trade, lot, (first, 30_000))
    with pytest.raises(InvalidInput):
        name(trade, lot, (first, 30_000))
    assert db.session().scalar(select(func.count()).select_from(LotContribution)) == 1


def test_foreign_lots_and_households_are_unknown(world, trade, cabbage):
    lot = from_notebook(trade, cabbage)
    stranger = trade.members(POMELO, world.villages["pomelo_home"])[0]
    with pytest.raises(NotFound):
        name(trade, lot, (stranger, 30_000), by="clerk.lv")
    with pytest.raises(NotFound):
        name(trade, lot, (stranger, 30_000))
    assert db.session().scalars(select(LotContribution.unsplit)).all() == [True]


@pytest.mark.parametrize("closed", ["harvest", "income"])
def test_once_a_month_is_closed_no_name_follows(world, trade, cabbage, closed):
    lot = from_notebook(trade, cabbage)
    if closed == "income":  # accepted in the month after the harvest
        with clock.at(NOON.replace(month=11, day=2)):
            sold(trade, cabbage)
            sealing.seal_all()
    with db.transaction():
        sealing.close_month("2026-10" if closed == "harvest" else "2026-11")
    first = trade.members(GREENS, world.villages["greens_home"])[0]
    with pytest.raises(MonthClosed):
        name(trade, lot, (first, 30_000))
    assert helped() == 0
    assert db.session().scalars(select(LotContribution.unsplit)).all() == [True]
    assert audit.check() == []


def test_the_audit_names_a_lot_whose_names_were_moved_to_the_own_base(world, trade, cabbage):
    lot = from_notebook(trade, cabbage)
    name(trade, lot, (trade.members(GREENS, world.villages["greens_home"])[0], 30_000))
    assert audit.check() == []
    with db.transaction() as session:
        session.execute(update(LotContribution).values(household_id=None))
    code = db.session().scalars(select(Lot.code).where(Lot.id == lot)).one()
    assert [problem.details["name"] for problem in audit.check()] == [code]
