"""Capacity: declared by the co-operative, approved by the county, never exceeded by orders or lots."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from catalog.capacity import asking, checks, gates
from catalog.capacity.asking import Asked, Season
from catalog.capacity.models import CapacityRequest, SeasonCapacity, VillageCapacity
from catalog.models import Lot, StockHold
from market import clock, db, logins
from market.errors import InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.parties import Membership
from orders import seasons
from orders.buying import approval, refusals
from orders.delivering.acceptance import Taken
from orders.models import Order, Purchase
from tests.counting import count_statements
from tests.trade import TOMORROW
from tests.world import NOON, POMELO, TODAY, World

AUTUMN = Season("2026 秋", date(2026, 9, 1), date(2026, 11, 10))


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def pomelo(trade) -> int:
    """Pomelos with half a tonne in store, harvested before the season."""
    product = trade.product("香柚", POMELO)
    trade.lot(product, kg=500, harvested_on=date(2026, 8, 20))
    return product


def declare(world: World, product: int, kg: int, village: str = "pomelo_home", season: Season = AUTUMN) -> int:
    with db.transaction():
        row = asking.declare(product, world.villages[village], season, Asked(kg * 1000, "32 亩"), [],
                             seasons.sold_grams, world.person("clerk.lv"))
    return row.id


def decide(world: World, request: int, kg: int | None, reason: str = "", by: str = "farm.luo") -> None:
    with db.transaction():
        asking.decide(request, None if kg is None else kg * 1000, reason, seasons.sold_grams, world.person(by))


def approved(world: World, product: int, kg: int, village: str = "pomelo_home") -> int:
    """A declared and approved capacity; returns the id of the village's row."""
    request = declare(world, product, kg, village)
    decide(world, request, kg)
    return db.session().get_one(CapacityRequest, request).village_capacity_id


def sold(product: int) -> int:
    return db.session().scalars(select(SeasonCapacity.sold_grams).where(SeasonCapacity.product_id == product)).one()


def booked(capacity: int) -> int:
    return db.session().scalars(select(VillageCapacity.booked_grams).where(VillageCapacity.id == capacity)).one()


def problems() -> list[str]:
    return [repr(one) for check in (*checks.CHECKS, *seasons.CHECKS) for one in check()]


# ---- asking and answering -------------------------------------------------------------------------------------------


def test_a_season_holds_what_its_villages_were_approved_for(world, pomelo):
    approved(world, pomelo, 100)
    approved(world, pomelo, 50, "pomelo_next")
    season = db.session().scalars(select(SeasonCapacity)).one()
    assert (season.approved_grams, season.sold_grams) == (150_000, 0)
    assert problems() == []


def test_the_county_may_lower_a_figure_with_a_reason(world, pomelo):
    request = declare(world, pomelo, 100)
    with pytest.raises(InvalidInput):
        decide(world, request, 80)
    with pytest.raises(InvalidInput):
        decide(world, request, 101, "more than asked")
    decide(world, request, 80, "只有 26 亩")
    row = db.session().get_one(CapacityRequest, request, populate_existing=True)
    assert (row.decision, row.granted_grams, row.reason) == ("approved", 80_000, "只有 26 亩")
    with pytest.raises(asking.NothingOpen):
        decide(world, request, 100)


def test_a_refusal_needs_a_reason_and_approves_nothing(world, trade, pomelo):
    request = declare(world, pomelo, 100)
    with pytest.raises(InvalidInput):
        decide(world, request, None)
    decide(world, request, None, "没有地")
    assert db.session().scalars(select(SeasonCapacity.approved_grams)).one() == 0
    trade.place({pomelo: 200_000})  # not bounded
    assert sold(pomelo) == 200_000


@pytest.mark.parametrize(("by", "refusal"), [
    ("official.hua", NotAllowed), ("official.jin", NotAllowed), ("village.kong", NotAllowed),
    ("village.cao", NotFound)])
def test_only_the_agriculture_office_of_the_place_answers(world, pomelo, by, refusal):
    request = declare(world, pomelo, 100)
    with pytest.raises(refusal):
        decide(world, request, 100, by=by)
    assert db.session().get_one(CapacityRequest, request, populate_existing=True).decided_at is None


def test_who_asked_does_not_answer(world, pomelo):
    request = declare(world, pomelo, 100)
    clerk, office = world.person("clerk.lv"), world.person("farm.luo").organisation_id
    with db.transaction() as session:
        session.add(Membership(user_id=clerk.id, organisation_id=office, role="official"))
    both = logins.visitor_of_login("clerk.lv", office)
    with pytest.raises(SecondPersonNeeded), db.transaction():
        asking.decide(request, 100_000, "", seasons.sold_grams, both)


def test_foreign_goods_overlapping_days_and_too_much_are_refused(world, trade, pomelo):
    cabbage = trade.product("卷心菜")
    with pytest.raises(NotFound):
        declare(world, cabbage, 100)
    declare(world, pomelo, 100)
    with pytest.raises(InvalidInput):
        declare(world, pomelo, 100, "pomelo_next", Season("晚秋", date(2026, 11, 10), date(2026, 12, 31)))
    with pytest.raises(asking.StillOpen):
        declare(world, pomelo, 120)
    with pytest.raises(InvalidInput), db.transaction():
        asking.declare(pomelo, world.villages["pomelo_next"], AUTUMN, Asked(1_001_000, "", 2_000, 500_000), [],
                       seasons.sold_grams, world.person("clerk.lv"))
    assert db.session().scalar(select(func.count()).select_from(CapacityRequest)) == 1


def test_a_raise_brings_photos_is_due_in_one_working_day_and_replaces_the_figure(world, trade, pomelo):
    capacity = approved(world, pomelo, 100)
    clerk, photo = world.person("clerk.lv"), trade.proof()
    with pytest.raises(InvalidInput), db.transaction():
        asking.ask_for_more(capacity, Asked(150_000, "又种了"), [], clerk)
    with pytest.raises(InvalidInput), db.transaction():
        asking.ask_for_more(capacity, Asked(100_000, "又种了"), [photo], clerk)
    with db.transaction():
        row = asking.ask_for_more(capacity, Asked(150_000, "又种了 10 亩"), [photo], clerk)
    assert row.due_on == TODAY + timedelta(days=1)
    with pytest.raises(InvalidInput):
        decide(world, row.id, 99, "less than now")
    decide(world, row.id, 150)
    assert db.session().scalars(select(SeasonCapacity.approved_grams)).one() == 150_000
    assert problems() == []


# ---- sale -----------------------------------------------------------------------------------------------------------


def test_orders_are_taken_up_to_the_approved_figure_and_not_a_gram_more(world, trade, pomelo):
    approved(world, pomelo, 100)
    trade.place({pomelo: 99_500})
    with pytest.raises(gates.AboveCapacity) as refused:
        trade.place({pomelo: 1_000})
    assert refused.value.details["left"] == "0.5"
    assert db.session().scalar(select(func.count()).select_from(Purchase)) == 1
    assert db.session().scalar(select(db.sum_of(StockHold.milli))) == 99_500
    trade.place({pomelo: 500})
    assert sold(pomelo) == 100_000
    assert problems() == []
    assert isinstance(refusals.by_good([(pomelo, 500)], TOMORROW)[pomelo], gates.AboveCapacity)


def test_another_season_and_goods_without_one_are_not_bounded(world, trade, pomelo):
    approved(world, pomelo, 100)
    trade.place({pomelo: 150_000}, day=date(2026, 11, 11))
    other = trade.product("橙", POMELO)
    trade.lot(other, kg=300)
    trade.place({other: 200_000})
    assert sold(pomelo) == 0


def test_a_cancelled_and_a_declined_order_give_back(world, trade, pomelo):
    approved(world, pomelo, 100)
    order = trade.orders(trade.place({pomelo: 100_000}))[0]
    with db.transaction():
        approval.cancel(order.id, "放假", world.person("admin.qian"))
    assert sold(pomelo) == 0
    trade.place({pomelo: 100_000})
    assert problems() == []


def test_what_is_accepted_short_gives_back_and_what_is_over_takes_nothing(world, trade, pomelo):
    approved(world, pomelo, 100)
    short, over = (trade.orders(trade.place({pomelo: 50_000}))[0] for _ in range(2))
    trade.ship(short.id)
    trade.accept(short.id, [Taken(trade.lines(short.id)[0].id, grams=45_000)])
    assert sold(pomelo) == 95_000
    line = trade.lines(over.id)[0].id
    lot = db.session().scalars(select(Lot.id)).one()
    trade.ship(over.id, {line: [(lot, 52_000)]})
    trade.accept(over.id, [Taken(line, grams=52_000)])
    assert sold(pomelo) == 95_000
    assert problems() == []


def test_a_refused_van_gives_all_back(world, trade, pomelo):
    approved(world, pomelo, 100)
    order = trade.orders(trade.place({pomelo: 50_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=0, reason="坏了")])
    assert sold(pomelo) == 0
    assert problems() == []


def test_what_was_sold_before_counts_when_the_county_approves(world, trade, pomelo):
    trade.place({pomelo: 150_000})
    capacity = approved(world, pomelo, 100)
    assert sold(pomelo) == 150_000
    with pytest.raises(gates.AboveCapacity) as refused:
        trade.place({pomelo: 500})
    assert refused.value.details["left"] == "0"
    assert problems() == []
    order = db.session().scalars(select(Order.id)).one()
    with db.transaction():
        approval.cancel(order, "太多了", world.person("admin.qian"))
    trade.place({pomelo: 100_000})
    assert (sold(pomelo), booked(capacity)) == (100_000, 0)


def test_an_order_that_a_new_season_has_not_counted_can_be_cancelled(world, trade, pomelo):
    order = trade.orders(trade.place({pomelo: 50_000}))[0]
    request = declare(world, pomelo, 100)
    with db.transaction() as session:  # as if it had been placed in the very moment of the declaration
        session.scalars(select(SeasonCapacity)).one().sold_grams = 0
    with db.transaction():
        approval.cancel(order.id, "放假", world.person("admin.qian"))
    decide(world, request, 100)
    assert sold(pomelo) == 0
    assert problems() == []


def test_placing_costs_no_statement_without_a_season_and_one_with_it(app, world, trade, pomelo):
    trade.place({pomelo: 500})
    with count_statements(app) as before:
        trade.place({pomelo: 500})
    approved(world, pomelo, 100)
    with count_statements(app) as after:
        trade.place({pomelo: 500})
    assert not any("UPDATE season_capacity" in one for one in before)
    assert len(after) == len(before) + 1


def test_the_audit_names_a_changed_counter(world, trade, pomelo):
    capacity = approved(world, pomelo, 100)
    trade.place({pomelo: 50_000})
    with db.transaction() as session:
        session.get_one(VillageCapacity, capacity).booked_grams = 7
        session.scalars(select(SeasonCapacity)).one().sold_grams = 10
    assert len(problems()) == 2
    assert "50000 g" in problems()[1]


# ---- lots -----------------------------------------------------------------------------------------------------------


def test_a_village_brings_no_more_than_it_was_approved_for(world, trade, pomelo):
    capacity = approved(world, pomelo, 100)
    trade.lot(pomelo, kg=90)
    lots = db.session().scalar(select(func.count()).select_from(Lot))
    with pytest.raises(gates.AboveVillageCapacity) as refused:
        trade.lot(pomelo, kg=11)
    assert refused.value.details["left"] == "10"
    assert db.session().scalar(select(func.count()).select_from(Lot)) == lots
    trade.lot(pomelo, kg=10)
    assert booked(capacity) == 100_000
    assert problems() == []


def test_a_pooled_lot_counts_at_each_village_and_an_undeclared_one_is_seen(world, trade, pomelo):
    capacity = approved(world, pomelo, 100)
    both = [trade.members(POMELO, world.villages[key])[0] for key in ("pomelo_home", "pomelo_next")]
    trade.lot(pomelo, grams=[30_000, 20_000], households=both)
    assert booked(capacity) == 30_000
    undeclared = db.session().scalars(select(VillageCapacity).where(VillageCapacity.id != capacity)).one()
    assert (undeclared.approved_grams, undeclared.booked_grams) == (0, 20_000)
    assert problems() == []


def test_a_harvest_outside_the_season_does_not_count(world, trade, pomelo):
    capacity = approved(world, pomelo, 100)
    trade.lot(pomelo, kg=300, harvested_on=date(2026, 8, 31))
    assert booked(capacity) == 0
