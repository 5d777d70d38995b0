"""Which villages goods may come from, and who at home may say so: a lot names no village that nobody near it knows."""

import pytest
from sqlalchemy import func, select

from catalog import lots
from catalog.importing import lot_sheet
from catalog.lot_parts import Contribution
from catalog.models import Lot, LotShare
from market import clock, db
from market.errors import NotFound
from market.places import Division
from tests.tables import checked, csv_of, faults
from tests.trade import Trade
from tests.web.forms import send
from tests.world import NOON, TODAY


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def trade(world) -> Trade:
    return Trade(world)


def code_of(world, key: str) -> str:
    return db.session().get_one(Division, world.villages[key]).code


def booked() -> int:
    return db.session().scalars(select(func.count()).select_from(Lot)).one()


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
