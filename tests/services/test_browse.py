"""Shelves: what they show, how they count, how the index keeps up."""

from datetime import timedelta

import pytest

from catalog import browse, indexing, origins, products, search, shelves
from catalog.browse import Filters
from catalog.indexing import Place
from catalog.models import Availability, ProductChange, ProductPrice
from catalog.products import BelowPromised
from market import clock, config, db
from market.errors import InvalidInput, NotFound
from market.parties import Organisation
from tests import goods
from tests.world import GREENS, POMELO, World


@pytest.fixture(autouse=True)
def _shelves(world: World) -> None:
    goods.shelves()


def names_on(filters: Filters) -> list[str]:
    names = shelves.words()
    shelf = browse.shelf(filters, 1, names)
    assert shelf.total == len(shelf.cards)
    return [card.name for card in shelf.cards]


def test_a_shelf_shows_a_category_with_all_below_it(world: World) -> None:
    goods.list_goods(world, name="小白菜")
    goods.list_goods(world, POMELO, name="香柚", category="citrus")
    assert names_on(Filters(category="veg")) == ["小白菜"]
    assert names_on(Filters(category="leaf")) == ["小白菜"]
    assert names_on(Filters(category="citrus")) == ["香柚"]
    assert names_on(Filters(category="no-such")) == []


def test_filters_work_together(world: World) -> None:
    goods.list_goods(world, name="冬笋", harvest_months="11,12,1")
    goods.list_goods(world, name="芥菜", harvest_months="1")
    goods.list_goods(world, POMELO, name="香柚", harvest_months="10,11,12", certified=True, supply="stocked")
    goods.list_goods(world, POMELO, name="香芋", certified=True)
    assert set(names_on(Filters(month=1))) == {"冬笋", "芥菜", "香芋"}
    assert set(names_on(Filters(month=11, county="431125"))) == {"香柚", "香芋"}
    assert set(names_on(Filters(month=11, certified=True, supply="daily"))) == {"香芋"}
    assert set(names_on(Filters(month=11, seasonal=True))) == {"冬笋", "香柚"}
    assert names_on(Filters(county="431199")) == []


def test_each_choice_counts_what_it_would_show(world: World) -> None:
    goods.list_goods(world, name="小白菜")
    goods.list_goods(world, POMELO, name="香柚", category="citrus")
    goods.list_goods(world, POMELO, name="江永白菜")
    shelf = browse.shelf(Filters(category="veg", county="431125"), 1, shelves.words())
    assert shelf.total == 1
    assert shelf.by_category == {"veg": 1, "leaf": 1, "fruit": 1, "citrus": 1}
    assert shelf.by_county == {"431125": 1, "431128": 1}


def test_hidden_goods_and_those_of_a_suspended_supplier_are_on_no_shelf(world: World) -> None:
    hidden = goods.list_goods(world, name="小白菜")
    of_suspended = goods.list_goods(world, POMELO, name="香柚")
    with db.transaction() as session:
        products.set_state(products.own_product(hidden, world.organisation_id(GREENS)), "hidden", None)
        session.get_one(Organisation, world.organisation_id(POMELO)).status = "suspended"
    assert names_on(Filters()) == []
    assert browse.cards_of([hidden, of_suspended]) == []
    for product_id in (hidden, of_suspended):
        with pytest.raises(NotFound):
            origins.product_facts(product_id)


def test_orders_of_a_shelf(world: World) -> None:
    box = goods.list_goods(world, name="甲", unit="箱", grams_per_unit=5000, price_fen=1000)  # ¥1.00 per 500 g
    jin = goods.list_goods(world, name="乙", price_fen=150)
    assert [c.id for c in browse.cards(Filters(sort="price"), shelves.words(), 9)] == [box, jin]
    assert [c.id for c in browse.cards(Filters(sort="new"), shelves.words(), 9)] == [jin, box]
    assert [c.per_500g_fen for c in browse.cards(Filters(sort="price"), shelves.words(), 9)] == [100, 150]


def test_what_is_in_store_is_confirmed_unpromised_and_still_good(world: World) -> None:
    pomelo = goods.list_goods(world, POMELO, name="香柚", supply="stocked")
    assert browse.cards_of([pomelo])[0].in_store_milli == 0
    goods.book(world, pomelo, 100)
    goods.book(world, pomelo, 50, confirmed=False)
    assert browse.cards_of([pomelo])[0].in_store_milli == 100_000
    assert names_on(Filters(available=True)) == ["香柚"]
    with clock.at(clock.now() + timedelta(days=30)):
        assert browse.cards_of([pomelo])[0].in_store_milli == 0
        assert names_on(Filters(available=True)) == []


def test_a_word_is_looked_for_as_it_is_typed(world: World) -> None:
    goods.list_goods(world, name="100%纯红薯粉")
    goods.list_goods(world, name="小白菜")
    assert names_on(Filters(words=("%",))) == ["100%纯红薯粉"]
    assert names_on(Filters(words=("_",))) == []
    assert names_on(Filters(words=browse.search_words("白菜 新田县"))) == ["小白菜"]
    assert names_on(Filters(words=browse.search_words("' OR 1=1 --"))) == []


# ---- prices and days -------------------------------------------------------------------------------------------------


def test_a_new_price_is_followed_and_the_old_one_kept(world: World) -> None:
    product_id = goods.list_goods(world, price_fen=200)
    with db.transaction():
        products.set_price(products.own_product(product_id, world.organisation_id(GREENS)), 250, None)
    with db.transaction():
        products.set_price(products.own_product(product_id, world.organisation_id(GREENS)), 250, None)
    assert browse.cards_of([product_id])[0].price_fen == 250
    assert [row.price_fen for row in db.session().query(ProductPrice).order_by(ProductPrice.id)] == [200, 250]


def test_a_day_never_yields_less_than_what_is_promised(world: World) -> None:
    product_id, day = goods.list_goods(world), clock.today()
    with db.transaction() as session:
        session.add(Availability(product_id=product_id, day=day, capacity_milli=100_000, held_milli=40_000))
    with pytest.raises(BelowPromised), db.transaction():
        products.set_availability(products.own_product(product_id, world.organisation_id(GREENS)),
                                  [(clock.days_after(day, 1), 5_000), (day, 39_999)], None)
    rows = {row.day: row.capacity_milli for row in db.session().query(Availability)}
    assert rows == {day: 100_000}
    with db.transaction():
        own = products.own_product(product_id, world.organisation_id(GREENS))
        products.set_availability(own, [(day, 40_000)], None)
    db.session().expire_all()
    assert db.session().query(Availability).one().capacity_milli == 40_000


def test_an_unknown_category_or_village_lists_nothing(world: World) -> None:
    for wrong in ({"category": "no-such"}, {"village": "431125000000"}):
        with pytest.raises(InvalidInput):
            goods.list_goods(world, **wrong)
    assert names_on(Filters()) == []


def test_anothers_product_is_unknown(world: World) -> None:
    product_id = goods.list_goods(world)
    with pytest.raises(NotFound), db.transaction():
        products.own_product(product_id, world.organisation_id(POMELO))


# ---- the index -------------------------------------------------------------------------------------------------------


def reader(settings: config.Config) -> search.Reader:
    return search.Reader(settings.search_dir)


def test_the_index_follows_what_changes(world: World) -> None:
    settings: config.Config = world.app.extensions["sijin"]
    pomelo = goods.list_goods(world, POMELO, name="江永香柚", category="citrus", harvest_months="10,11")
    indexing.follow(settings.search_dir)  # no index yet: it is built
    found = reader(settings).find("xiangyou")
    assert found.ids == (pomelo,)
    assert found.facets.category == {"fruit": 1} and found.facets.county == {"431125": 1}
    greens = goods.list_goods(world, name="小白菜")
    assert indexing.follow(settings.search_dir) == 1
    assert reader(settings).find("白菜").ids == (greens,)
    with db.transaction():
        products.set_state(products.own_product(pomelo, world.organisation_id(POMELO)), "hidden", None)
    assert indexing.follow(settings.search_dir) == 1
    assert reader(settings).find("香柚").ids == ()
    assert indexing.follow(settings.search_dir) == 0
    assert indexing.waiting(settings.search_dir) == 0


def test_a_change_that_commits_late_is_not_lost(world: World) -> None:
    settings: config.Config = world.app.extensions["sijin"]
    first = goods.list_goods(world, name="小白菜")
    indexing.rebuild(settings.search_dir)
    late = Place.from_key(search.current_key(settings.search_dir)).last + 1
    with db.transaction() as session:
        session.add(ProductChange(id=late + 1, product_id=first))
    indexing.follow(settings.search_dir)
    place = Place.from_key(search.current_key(settings.search_dir))
    assert place.last == late + 1 and set(place.missing) == {late}
    with db.transaction() as session:
        session.add(ProductChange(id=late, product_id=first))
    assert indexing.follow(settings.search_dir) == 1
    assert Place.from_key(search.current_key(settings.search_dir)) == Place(late + 1)


def test_a_number_that_never_comes_is_given_up_after_an_hour() -> None:
    place = Place(5).after({8}, now=1_000)
    assert place == Place(8, {6: 1_000, 7: 1_000})
    assert place.after({7}, now=1_100) == Place(8, {6: 1_000})
    assert place.after({9}, now=4_600) == Place(9)


# ---- traces ----------------------------------------------------------------------------------------------------------


def test_a_trace_counts_households_and_waits_for_the_village(world: World) -> None:
    pomelo = goods.list_goods(world, POMELO, name="香柚", supply="stocked")
    code = goods.book(world, pomelo, 60, households=6)
    found = origins.trace(code)
    assert found.households == 6
    assert [(row.grams, row.households) for row in found.villages] == [(30_000, 6)]
    assert found.inputs == []
    unconfirmed = goods.book(world, pomelo, 10, confirmed=False)
    for unknown in (unconfirmed, "NO-SUCH"):
        with pytest.raises(NotFound):
            origins.trace(unknown)
