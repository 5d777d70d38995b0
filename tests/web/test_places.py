"""Villages change; what happened before keeps the old name and id, what happens today moves on."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from catalog.models import Product, ProductChange
from market import clock, db, journal, ledger, places, villages
from market.errors import InvalidInput
from market.households import Household
from market.ledger import LedgerTransfer
from market.parties import Organisation
from market.places import Division, VillageDesignation
from orders.income import payouts
from orders.income.areas import in_area
from orders.models import CollectiveAgreement, ShipmentOrigin
from tests.web.counting import statements
from tests.web.forms import send
from tests.world import NOON, POMELO, TODAY

OFFICIAL = "official.hua"  # of 江永县
NEW_NAME = {"name": "新荣村", "day": TODAY.isoformat(), "reason": "县政府批复 12 号"}


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def division(village_id: int) -> Division:
    return db.session().get_one(Division, village_id, populate_existing=True)


def renamed(world, village_id: int, **more) -> int:
    """Rename over the page; returns the successor's id."""
    client = world.logged_in(OFFICIAL)
    answer = send(client, f"/office/places/{village_id}/name", page=f"/office/places/{village_id}", **NEW_NAME | more)
    assert answer.status_code == 303, answer.text
    return int(answer.location.rsplit("/", 1)[1])


# ---- what stays and what moves --------------------------------------------------------------------------------------


def test_a_rename_leaves_past_shipments_and_postings_alone(world, trade):
    old = world.villages["pomelo_home"]
    pomelo = trade.product("香柚", POMELO)
    trade.lot(pomelo)
    order_id = trade.orders(trade.place({pomelo: 10_000}))[0].id
    trade.ship(order_id)
    trade.accept(order_id)
    path = division(old).path
    new = renamed(world, old)

    assert (division(old).path, division(old).valid_to, division(old).successor_id) == (path, TODAY, new)
    assert division(new).path.endswith("新荣村")
    assert division(new).code == division(old).code
    assert db.session().execute(select(ShipmentOrigin.village_id, ShipmentOrigin.village_path)).all() == [(old, path)]
    assert set(db.session().scalars(select(LedgerTransfer.village_id))) == {old}
    assert journal.timeline("village", old)[-1]["details"]["after"] == "新荣村"
    assert journal.timeline("village", new)[-1]["actor_name"] == "华科长"


def test_households_goods_and_offices_move_on_with_the_village(world, trade):
    old = world.villages["pomelo_home"]
    pomelo = trade.product("香柚", POMELO)
    trade.agree_collective(POMELO, old, 300)
    new = renamed(world, old)
    assert db.session().get_one(Household, world.household_id("DEMO-JY-0001"), populate_existing=True).village_id == new
    assert db.session().get_one(Product, pomelo, populate_existing=True).village_id == new
    assert db.session().get_one(Organisation, world.organisation_id(POMELO), populate_existing=True).division_id == new
    assert pomelo in set(db.session().scalars(select(ProductChange.product_id)))  # the index hears of it
    assert set(db.session().scalars(select(CollectiveAgreement.village_id))) == {old, new}
    assert db.session().scalar(select(VillageDesignation.designated).where(
        VillageDesignation.village_id == new, VillageDesignation.year == 2026)) is True


def test_the_next_harvest_earns_for_the_new_village(world, trade):
    old = world.villages["pomelo_home"]
    pomelo = trade.product("香柚", POMELO)
    new = renamed(world, old)
    members = trade.members(POMELO, new)[:2]
    lot = trade.lot(pomelo, households=members, confirmed=False)
    officer = world.logged_in("village.kong")  # the office of the village moved on too
    assert send(officer, f"/office/lots/{lot}/confirmation", page=f"/office/lots/{lot}").status_code == 303
    order_id = trade.orders(trade.place({pomelo: 10_000}))[0].id
    trade.ship(order_id)
    trade.accept(order_id)
    assert ledger.balance_fen(f"households:{new}") == -1200
    assert ledger.balance_fen(f"households:{old}") == 0


def test_what_the_old_village_is_owed_can_still_be_confirmed_and_paid(world, trade):
    """Nothing owed may get stuck under a name that no longer exists."""
    old = world.villages["pomelo_home"]
    pomelo = trade.product("香柚", POMELO)
    waiting = trade.lot(pomelo, confirmed=False)
    trade.lot(pomelo)
    order_id = trade.orders(trade.place({pomelo: 10_000}))[0].id
    trade.ship(order_id)
    trade.accept(order_id)
    new = renamed(world, old)
    renamed(world, new, name="再荣村")
    assert in_area(old, world.person("village.kong"))
    growers = trade.members(POMELO, places.today_of(old))[:2]
    proof = trade.proof()
    with db.transaction():
        payouts.pay(old, "farm_gate", [(household, 600) for household in growers], TODAY, proof,
                    world.person("chair.he"), world.person("village.kong"))
    assert ledger.balance_fen(f"households:{old}") == 0
    officer = world.logged_in("village.kong")
    assert send(officer, f"/office/lots/{waiting}/confirmation", page=f"/office/lots/{waiting}").status_code == 303


def test_merged_villages_become_one_and_keep_their_own_pasts(world, trade):
    home, following = world.villages["pomelo_home"], world.villages["pomelo_next"]
    client = world.logged_in(OFFICIAL)
    page = f"/office/places/{home}"
    same_township = division(home).township_id == division(following).township_id
    assert same_township
    assert send(client, f"{page}/merger", page=page, **NEW_NAME).status_code == 422  # with whom?
    answer = send(client, f"{page}/merger", page=page, **NEW_NAME | {"villages[]": str(following)})
    assert answer.status_code == 303
    new = int(answer.location.rsplit("/", 1)[1])
    assert {division(home).successor_id, division(following).successor_id} == {new}
    assert division(new).code == division(home).code
    homes = db.session().scalars(select(Household.village_id).where(
        Household.register_code.in_(["DEMO-JY-0001", "DEMO-JN-0001"])))
    assert set(homes) == {new}
    story = client.get(f"/office/places/{new}").text
    assert division(home).name in story
    assert division(following).name in story


def test_a_village_with_households_cannot_simply_end(world):
    client = world.logged_in(OFFICIAL)
    home = world.villages["pomelo_home"]
    empty = db.session().scalar(select(Division.id).where(
        Division.county_id == division(home).county_id, Division.level == "village",
        Division.id.not_in(world.villages.values())).order_by(Division.id))
    form = {"day": TODAY.isoformat(), "reason": "库区移民"}
    assert send(client, f"/office/places/{home}/retirement", page=f"/office/places/{home}", **form).status_code == 409
    assert division(home).valid_to is None
    assert send(client, f"/office/places/{empty}/retirement", page=f"/office/places/{empty}", **form
                ).status_code == 303
    assert (division(empty).valid_to, division(empty).successor_id) == (TODAY, None)
    assert send(client, f"/office/places/{empty}/name", page=f"/office/places/{home}", **NEW_NAME).status_code == 409


def test_a_village_is_added_under_its_township(world):
    client = world.logged_in(OFFICIAL)
    township = division(division(world.villages["pomelo_home"]).township_id)
    taken = division(world.villages["pomelo_home"]).code
    form = NEW_NAME | {"township_id": str(township.id)}
    for code in (taken, "431128001399", "x"):
        answer = send(client, "/office/places", page="/office/places/new", **form, code=code)
        assert answer.status_code == 422
        assert 'href="#code"' in answer.text
    answer = send(client, "/office/places", page="/office/places/new", **form, code=township.code[:9] + "399")
    assert answer.status_code == 303
    added = division(int(answer.location.rsplit("/", 1)[1]))
    assert (added.kind, added.valid_from, added.path) == ("village", TODAY, f"{township.path} 新荣村")


@pytest.mark.parametrize("wrong", [{"day": "2026-10-13"}, {"name": ""}, {"reason": ""}, {"day": "soon"}])
def test_days_reasons_and_names_are_needed(world, wrong):
    home = world.villages["pomelo_home"]
    client = world.logged_in(OFFICIAL)
    answer = send(client, f"/office/places/{home}/name", page=f"/office/places/{home}", **NEW_NAME | wrong)
    assert answer.status_code == 422
    assert division(home).valid_to is None


def test_a_village_cannot_change_before_it_began(world):
    home = world.villages["pomelo_home"]
    new = renamed(world, home)
    with pytest.raises(InvalidInput), db.transaction():
        villages.rename(new, "旧名村", date(2026, 10, 1), "x", world.person(OFFICIAL), ())
    with pytest.raises(InvalidInput), db.transaction():
        villages.rename(new, "新荣村", TODAY, "x", world.person(OFFICIAL), ())


def test_a_designation_is_set_by_year_and_told(world):
    home = world.villages["pomelo_home"]
    client = world.logged_in(OFFICIAL)
    page = f"/office/places/{home}"
    send(client, f"{page}/designation", page=page, year="2020", designated="1", source="省扶贫办名单")
    send(client, f"{page}/designation", page=page, year="2026", source="退出")
    rows = dict(db.session().execute(select(VillageDesignation.year, VillageDesignation.designated).where(
        VillageDesignation.village_id == home)).all())
    assert rows == {2020: True, 2026: False}
    text = client.get(page).text
    assert "贫困村" in text
    assert "省扶贫办名单" in text
    assert journal.timeline("village", home)[-1]["details"]["before"] is True


# ---- walls ----------------------------------------------------------------------------------------------------------


def test_another_county_is_unknown(world):
    official = world.logged_in(OFFICIAL)
    foreign, own = world.villages["greens_home"], world.villages["pomelo_home"]
    for path in ("", "/households"):
        assert official.get(f"/office/places/{foreign}{path}").status_code == 404
    for path, form in (("name", NEW_NAME), ("retirement", NEW_NAME), ("designation", {"year": "2026", "source": "x"}),
                       ("merger", NEW_NAME | {"villages[]": str(own)})):
        theirs = send(official, f"/office/places/{foreign}/{path}", page="/account", **form)
        unknown = send(official, f"/office/places/987654/{path}", page="/account", **form)
        assert theirs.status_code == unknown.status_code == 404
    joined = send(official, f"/office/places/{own}/merger", page="/account", **NEW_NAME | {"villages[]": str(foreign)})
    assert joined.status_code == 404
    assert division(own).valid_to is division(foreign).valid_to is None
    assert division(foreign).name not in official.get(f"/office/places?q={division(foreign).code}").text


def test_the_city_keeps_all_its_counties(world):
    city = world.logged_in("official.jin")
    for village_id in world.villages.values():
        assert city.get(f"/office/places/{village_id}").status_code == 200


@pytest.mark.parametrize("login", ["township.yan", "auditor.wei", "village.kong", "chair.he", "cook.chen"])
def test_others_do_not_keep_places(world, login):
    client = world.logged_in(login)
    assert client.get("/office/places").status_code == 403
    home = world.villages["pomelo_home"]
    assert send(client, f"/office/places/{home}/name", page="/account", **NEW_NAME).status_code == 403


def test_names_of_households_are_masked(world):
    page = world.logged_in(OFFICIAL).get(f"/office/places/{world.villages['pomelo_home']}/households").text
    assert "DEMO-JY-0001" in page
    assert "JY户1" not in page
    only = world.logged_in(OFFICIAL).get(
        f"/office/places/{world.villages['pomelo_home']}/households?class=stable").text
    assert "DEMO-JY-0001" in only
    assert "DEMO-JY-0002" not in only


def test_pages_cost_the_same_for_a_county_and_a_city(world):
    county, city = world.logged_in(OFFICIAL), world.logged_in("official.jin")
    assert statements(county, "/office/places") == statements(city, "/office/places")
    assert 'rel="next"' in city.get("/office/places").text
    home, greens = world.villages["pomelo_home"], world.villages["greens_home"]
    assert statements(city, f"/office/places/{home}") == statements(city, f"/office/places/{greens}")


def test_pages_are_complete_in_english(world):
    home = world.villages["pomelo_home"]
    client = world.logged_in(OFFICIAL)
    for path in ("/office/places/new", f"/office/places/{home}/households"):
        page = client.get(path + "?lang=en").text
        plain = re.sub(r'<nav class="languages".*?</nav>|<option.*?</option>', "", page, flags=re.DOTALL)
        plain = re.sub("华科长|江永县演示乡村振兴局|四进|演示数据|JY?户?|" + division(home).name, "", plain)
        assert not re.search(r"[\u4e00-\u9fff]", plain), path
