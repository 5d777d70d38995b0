"""Which villages goods may come from, and who at home may say so: a lot names no village that nobody near it knows."""

import pytest
from sqlalchemy import func, select

from catalog import lot_confirmers, lots, origins
from catalog.importing import lot_sheet
from catalog.lot_parts import Contribution
from catalog.models import Lot, LotShare
from market import clock, db
from market.errors import MarketError, NotFound
from market.households import CoopMember, Household
from market.parties import Organisation
from market.places import Division
from tests.tables import checked, csv_of, faults
from tests.trade import Trade
from tests.web.forms import send
from tests.world import NOON, TODAY


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def code_of(world, key: str) -> str:
    return db.session().get_one(Division, world.villages[key]).code


def booked() -> int:
    return db.session().scalars(select(func.count()).select_from(Lot)).one()


def test_a_member_named_far_away_makes_no_village_ones_own(world):
    """张文书's co-operative of 新田县 writes down a household of 江永县."""
    greens, far = world.organisation_id("greens"), world.villages["pomelo_next"]
    with db.transaction() as session:
        invented = Household(village_id=far, head_name="假人", people=3)
        session.add(invented)
        session.flush()
        session.add(CoopMember(supplier_id=greens, household_id=invented.id, member_no="M900"))
    assert origins.own_villages(greens, [far, world.villages["greens_home"]]) == {world.villages["greens_home"]}
    with db.transaction() as session:  # whom the register knows there is no invention
        session.add(CoopMember(supplier_id=greens, household_id=world.household_id("DEMO-JN-0001"), member_no="M901"))
    assert far in origins.own_villages(greens, [far])


# ---- an own base ----------------------------------------------------------------------------------------------------


def test_a_base_in_a_village_far_away_is_not_booked(world, trade):
    cabbage, clerk = trade.product("卷心菜"), world.person("clerk.zhang")
    given = [Contribution(1, None, world.villages["greens_home"]),
             Contribution(999_999, None, world.villages["pomelo_home"])]  # another county's designated village
    for verb in (lambda: lots.book(cabbage, TODAY, None, 120, given, clerk),
                 lambda: lots.expect(cabbage, clock.days_after(TODAY, 3), None, 120, given, clerk)):
        with pytest.raises(NotFound), db.transaction():
            verb()
    assert booked() == 0
    assert db.session().scalars(select(func.count()).select_from(LotShare)).one() == 0


def test_the_form_says_so_at_the_village(world, trade):
    cabbage, clerk = trade.product("卷心菜"), world.logged_in("clerk.zhang")
    answer = send(clerk, "/village/lots", page="/village/lots/new", **{
        "product_id": str(cabbage), "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": "1.20",
        "contributions-0-village": code_of(world, "pomelo_home"), "contributions-0-grams": "10"})
    assert (answer.status_code, booked()) == (422, 0)
    assert 'href="#contributions-0-village"' in answer.text


def test_the_api_says_so_at_the_village(world, trade):
    cabbage = trade.product("卷心菜")
    answer = world.app.test_client().post("/api/v1/lots", headers=world.api_headers("clerk.zhang"), json={
        "product_id": cabbage, "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": 120,
        "contributions": [{"village": code_of(world, "greens_home"), "grams": 1000},
                          {"village": code_of(world, "pomelo_home"), "grams": 999_000}]})
    assert (answer.status_code, booked()) == (422, 0)
    assert "contributions-1-village" in answer.text


def test_a_table_says_so_at_the_village(world, trade):
    trade.product("卷心菜")
    rows = [{"reference": "1", "product": "卷心菜", "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": "1.20",
             "village": code_of(world, key), "grams": "10"} for key in ("greens_home", "pomelo_home")]
    one = checked(world.logged_in("clerk.zhang"), "lots", csv_of(rows, lot_sheet.KIND))
    assert (faults(one.id), booked()) == ([(3, "基地所在村")], 0)


# ---- goods of several villages --------------------------------------------------------------------------------------


def pooled(world, trade: Trade, *villages: int) -> int:
    """Ten kilos of pomelos from a member of each of these villages, booked and not confirmed."""
    givers = []
    with db.transaction() as session:
        for number, village in enumerate(villages):
            household = Household(village_id=village, head_name=f"社员{number}", people=3)
            session.add(household)
            session.flush()
            session.add(CoopMember(supplier_id=world.organisation_id("pomelo"), household_id=household.id,
                                   member_no=f"P{number}"))
            givers.append(household.id)
    return trade.lot(trade.product("香柚", "pomelo"), grams=[10_000] * len(givers), households=givers, confirmed=False)


def elsewhere(world) -> int:
    """A village of another township of the growers' county."""
    home = db.session().get_one(Division, world.villages["pomelo_home"])
    return db.session().scalars(
        select(Division.id).where(Division.level == "village", Division.county_id == home.county_id,
                                  Division.township_id != home.township_id).order_by(Division.code).limit(1)).one()


def refused(world, lot: int, login: str) -> str:
    with pytest.raises(MarketError) as said, db.transaction():
        lots.confirm(lot, world.person(login))
    assert db.session().get_one(Lot, lot, populate_existing=True).confirmed_at is None
    return said.value.code


def confirmed(world, lot: int, login: str) -> bool:
    with db.transaction():
        lots.confirm(lot, world.person(login))
    return db.session().get_one(Lot, lot, populate_existing=True).confirmed_at is not None


def test_two_villages_of_a_township_are_confirmed_there(world, trade):
    lot = pooled(world, trade, world.villages["pomelo_home"], world.villages["pomelo_next"])
    with pytest.raises(lot_confirmers.VillageOutside) as said, db.transaction():
        lots.confirm(lot, world.person("village.kong"))
    assert db.session().get_one(Division, world.villages["pomelo_next"]).path in said.value.message()
    assert refused(world, lot, "village.cao") == "not_found"
    assert refused(world, lot, "official.hua") == "nearer_office"
    assert confirmed(world, lot, "township.yan")


@pytest.mark.parametrize("login", ["official.hua", "farm.luo", "official.jin"])
def test_villages_of_two_townships_are_confirmed_by_the_county_or_the_city(world, trade, login):
    lot = pooled(world, trade, world.villages["pomelo_home"], elsewhere(world))
    assert refused(world, lot, "village.kong") == refused(world, lot, "township.yan") == "village_outside"
    assert confirmed(world, lot, login)


def test_an_official_of_another_county_does_not_know_the_lot(world, trade):
    lot = pooled(world, trade, world.villages["pomelo_home"], elsewhere(world))
    with db.transaction() as session:
        greens = session.get_one(Division, world.villages["greens_home"])
        session.get_one(Organisation, world.organisation_id("jiangyong")).division_id = greens.county_id
    assert refused(world, lot, "official.hua") == "not_found"


def test_a_list_shows_as_waiting_only_what_its_reader_may_confirm(world, trade):
    lot = pooled(world, trade, world.villages["pomelo_home"], elsewhere(world))
    code = db.session().get_one(Lot, lot).code
    for login, mine in (("village.kong", False), ("township.yan", False), ("official.hua", True)):
        reader = world.logged_in(login)
        assert (code in reader.get("/office/lots").text) is mine
        assert (code in reader.get("/office/lots?state=elsewhere").text) is not mine
        assert (f"/office/lots/{lot}/confirmation" in reader.get(f"/office/lots/{lot}").text) is mine
        assert ("待其他单位确认" in reader.get(f"/office/lots/{lot}").text) is not mine
    official = world.logged_in("official.hua")
    assert send(official, f"/office/lots/{lot}/confirmation", page=f"/office/lots/{lot}").status_code == 303
    assert code not in official.get("/office/lots").text
