"""How goods are received at the village: collection point, plot, sample test, and names that follow from a notebook."""

import pytest
from sqlalchemy import func, select

from catalog import lot_desk, lots
from catalog.lot_models import LotDetail
from catalog.lot_parts import Contribution, LotDetails
from catalog.models import Lot, LotContribution, LotShare
from market import clock, db
from market.errors import InvalidInput, NotFound
from market.files import StoredFile
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, TODAY


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def photo(trade: Trade, supplier: str) -> int:
    """A page of a co-operative's notebook."""
    file = trade.proof()
    with db.transaction() as session:
        session.get_one(StoredFile, file).organisation_id = trade.world.organisation_id(supplier)
    return file


def book(trade: Trade, product_id: int, contributions: list[Contribution], details: LotDetails) -> Lot:
    with db.transaction():
        return lots.book(product_id, TODAY, None, 120, contributions, trade.clerk_of(product_id), details=details)


def test_a_lot_keeps_how_it_was_received(world, trade):
    cabbage, page = trade.product("卷心菜"), photo(trade, GREENS)
    said = LotDetails("龙泉收购点", "河边三号地", 250, "passed", "农残速测 12 号卡", page)
    member = trade.members(GREENS, world.villages["greens_home"])[0]
    lot = book(trade, cabbage, [Contribution(5000, member)], said)
    kept = lot_desk.story(lot.id, world.person("village.cao")).details
    assert (kept.received_at, kept.plot, kept.area_mu_hundredths, kept.test, kept.notebook_id) == (
        "龙泉收购点", "河边三号地", 250, "passed", page)
    assert lot_desk.notebook(lot.id, world.person("village.cao")).id == page
    with pytest.raises(NotFound):
        lot_desk.notebook(lot.id, world.person("village.kong"))


def test_somebody_elses_photo_is_unknown(world, trade):
    cabbage, page = trade.product("卷心菜"), photo(trade, POMELO)
    with pytest.raises(NotFound):
        book(trade, cabbage, [Contribution(5000, None, world.villages["greens_home"])], LotDetails(notebook_id=page))
    assert db.session().scalar(select(func.count()).select_from(Lot)) == 0


def test_a_lot_whose_sample_failed_is_kept_and_never_sold(world, trade):
    cabbage = trade.product("卷心菜")
    lot = book(trade, cabbage, [Contribution(50_000, None, world.villages["greens_home"])],
               LotDetails(test="failed", test_note="农残超标"))
    with pytest.raises(lots.SampleFailed), db.transaction():
        lots.confirm(lot.id, world.person("village.cao"))
    assert db.session().get_one(Lot, lot.id, populate_existing=True).confirmed_at is None
    assert lot_desk.story(lot.id, world.person("clerk.zhang")).lot.state == "failed"
    assert lot_desk.lots_in_area(world.person("village.cao"), "waiting", 1).total == 0


def test_households_named_later_are_owed_like_others(world, trade):
    cabbage, home = trade.product("卷心菜"), world.villages["greens_home"]
    member = trade.members(GREENS, home)[0]
    lot = book(trade, cabbage, [Contribution(30_000, None, home, unsplit=True), Contribution(10_000, member),
                                Contribution(5000, None, home)], LotDetails())
    shares = db.session().execute(select(LotShare.own_base, LotShare.grams, LotShare.farm_gate_fen_per_kg)
                                  .where(LotShare.lot_id == lot.id).order_by(LotShare.own_base)).all()
    assert [tuple(row) for row in shares] == [(False, 40_000, 120), (True, 5000, 0)]
    assert db.session().scalars(select(LotContribution.unsplit).order_by(LotContribution.id)).all() == [
        True, False, False]
    assert lot_desk.story(lot.id, world.person("clerk.zhang")).farm_gate_fen == 4800
    assert db.session().scalar(select(func.count()).select_from(LotDetail)) == 0  # nothing was said


def test_a_village_without_members_has_nobody_to_name(world, trade):
    cabbage = trade.product("卷心菜")
    with pytest.raises(InvalidInput):
        book(trade, cabbage, [Contribution(9000, None, world.villages["pomelo_next"], unsplit=True)], LotDetails())
    assert db.session().scalar(select(func.count()).select_from(Lot)) == 0
