"""A purchase that waits for a second person's yes: what happens meanwhile to its orders, its goods and its sellers."""

from datetime import date

import pytest
from sqlalchemy import select

from catalog import products
from catalog.capacity import asking
from catalog.capacity.models import SeasonCapacity
from catalog.entry import standing
from catalog.papers import keeping
from catalog.papers.models import Paper
from market import clock, db
from market.parties import Organisation
from orders import seasons
from orders.buying import approval, refusals
from orders.models import Purchase
from tests.trade import Trade
from tests.world import NOON, POMELO, SCHOOL


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def trade(world) -> Trade:
    """A school whose every purchase needs a second person."""
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id(SCHOOL)).approval_limit_fen = 1
    return Trade(world)


@pytest.fixture
def pomelo(trade) -> int:
    product = trade.product("香柚", POMELO)
    trade.lot(product, kg=500, harvested_on=date(2026, 8, 20))
    return product


@pytest.fixture
def cabbage(trade) -> int:
    product = trade.product("白菜")
    trade.lot(product, kg=500)
    return product


def bounded(world, product: int, kg: int) -> None:
    autumn = asking.Season("2026 秋", date(2026, 9, 1), date(2026, 11, 10))
    with db.transaction():
        row = asking.declare(product, world.villages["pomelo_home"], autumn, asking.Asked(kg * 1000, "32 亩"), [],
                             seasons.sold_grams, world.person("clerk.lv"))
    with db.transaction():
        asking.decide(row.id, kg * 1000, "", seasons.sold_grams, world.person("farm.luo"))


def sold_kg(product: int) -> int:
    return db.session().scalars(
        select(SeasonCapacity.sold_grams).where(SeasonCapacity.product_id == product)).one() // 1000


def cancelled(world, trade: Trade, placed, supplier: str) -> None:
    order = next(one for one in trade.orders(placed) if one.supplier_id == world.organisation_id(supplier))
    with db.transaction():
        approval.cancel(order.id, "柚子不要了", world.person("cook.chen"))


def declined(world, placed) -> None:
    with db.transaction():
        approval.decline(placed.id, "太贵", world.person("head.li"))


def states(trade: Trade, placed) -> list[str]:
    db.session().expire_all()
    return [order.state for order in trade.orders(placed)]


@pytest.mark.parametrize("others_kg", [0, 100])
def test_a_declined_purchase_gives_back_once_what_was_cancelled_before(world, trade, pomelo, cabbage, others_kg):
    bounded(world, pomelo, 300)
    if others_kg:
        trade.place({pomelo: others_kg * 1000})
    placed = trade.place({pomelo: 100_000, cabbage: 1_000})
    cancelled(world, trade, placed, POMELO)
    declined(world, placed)
    assert (sold_kg(pomelo), states(trade, placed)) == (others_kg, ["cancelled", "cancelled"])
    assert [repr(problem) for problem in seasons.counted()] == []


def suspended(world, _product: int) -> None:
    standing.stand(db.session().get_one(Organisation, world.organisation_id(POMELO)), "suspended", clock.today(),
                   "农残超标", world.person("official.jin"))


def without_licence(world, _product: int) -> None:
    licence = db.session().scalars(select(Paper.id).where(Paper.supplier_id == world.organisation_id(POMELO))).one()
    keeping.refuse(licence, "伪造", world.person("farm.luo"))


def hidden(world, product: int) -> None:
    by = world.person("chair.he")
    products.set_state(products.own_product(product, by.organisation_id), "hidden", by)


@pytest.mark.parametrize(("meanwhile", "reason"), [
    (suspended, "This is no longer on sale."), (hidden, "This is no longer on sale."),
    (without_licence, "Cannot be ordered: the business licence of 江永县演示香柚合作社 is missing.")])
def test_what_left_the_shelf_meanwhile_is_not_approved(world, trade, pomelo, cabbage, meanwhile, reason):
    placed = trade.place({pomelo: 1_000, cabbage: 1_000})
    with db.transaction():
        meanwhile(world, pomelo)
    with pytest.raises(refusals.GoodsWithdrawn) as refused, db.transaction():
        approval.approve(placed.id, None, world.person("head.li"))
    assert str(refused.value) == f"香柚: {reason} Nothing has been sent to the co-operatives."
    assert refused.value.message() == str(refused.value)
    assert states(trade, placed) == ["waiting", "waiting"]
    assert db.session().get_one(Purchase, placed.id).approval == "waiting"
    declined(world, placed)  # the second person can still say no
    assert states(trade, placed) == ["cancelled", "cancelled"]


def test_goods_taken_back_before_do_not_stop_the_rest(world, trade, pomelo, cabbage):
    placed = trade.place({pomelo: 1_000, cabbage: 1_000})
    cancelled(world, trade, placed, POMELO)
    with db.transaction():
        suspended(world, pomelo)
        approval.approve(placed.id, None, world.person("head.li"))
    assert sorted(states(trade, placed)) == ["cancelled", "placed"]
