"""Who has a seat in an office and one in a co-operative decides nothing about that co-operative."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlalchemy import select

from catalog import lot_write_offs, lots
from catalog.capacity import asking
from catalog.capacity.models import VillageCapacity
from catalog.entry import standing
from catalog.lot_models import LotWriteOff
from catalog.models import Lot
from catalog.papers import keeping
from catalog.papers.models import Paper
from catalog.review import outliers
from catalog.review.models import PriceOutlier
from market import clock, db, ledger, logins
from market.access import Visitor
from market.four_eyes import OwnCooperative
from market.parties import Membership, Organisation
from orders import seasons
from orders.income import declarations
from orders.models import IncomeDeclaration
from tests import world as worlds
from tests.trade import Trade
from tests.world import NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def also_in_the_cooperative(world: World, login: str, role: str = "manager") -> Visitor:
    """The official, at their office's desk, who has been made a member of the pomelo co-operative's staff."""
    office = world.person(login).organisation_id
    assert office is not None
    with db.transaction() as session:
        session.add(Membership(user_id=world.person(login).id, organisation_id=world.organisation_id(POMELO),
                               role=role))
    found = logins.visitor_of_login(login, office)
    assert found is not None and found.organisation_id == office
    return found


def refused(deed: Callable[[], object]) -> None:
    with pytest.raises(OwnCooperative), db.transaction():
        deed()


def test_hua_does_not_lift_the_suspension_of_the_cooperative_she_manages(world: World) -> None:
    with db.transaction() as session:
        standing.stand(session.get_one(Organisation, world.organisation_id(POMELO)), "suspended", TODAY, "假票",
                       world.person("official.jin"))
    hua, supplier = also_in_the_cooperative(world, "official.hua"), world.organisation_id(POMELO)
    refused(lambda: standing.change(supplier, {"status": "active", "from_day": TODAY, "reason": "好了"}, hua))
    assert db.session().get_one(Organisation, supplier, populate_existing=True).status == "suspended"
    assert len(standing.history(supplier)) == 1


@pytest.mark.parametrize("deed", ["check", "refuse"])
def test_luo_does_not_decide_about_the_papers_of_the_cooperative_she_writes_for(world: World, deed: str) -> None:
    with db.transaction():
        paper = worlds.keep_paper(world.organisation_id(POMELO), "licence")
    luo = also_in_the_cooperative(world, "farm.luo", "clerk")
    refused(lambda: keeping.mark_checked(paper, luo) if deed == "check" else keeping.refuse(paper, "看不清", luo))
    assert db.session().get_one(Paper, paper, populate_existing=True).state == "unchecked"


def test_luo_does_not_grant_capacity_to_the_cooperative_she_manages(world: World, trade: Trade) -> None:
    pomelo = trade.product("香柚", POMELO)
    with db.transaction():
        request = asking.declare(
            pomelo, world.villages["pomelo_home"], asking.Season("秋", date(2026, 9, 1), date(2026, 11, 10)),
            asking.Asked(100_000, "32 亩"), [], seasons.sold_grams, world.person("clerk.lv")).id
    luo = also_in_the_cooperative(world, "farm.luo")
    refused(lambda: asking.decide(request, 100_000, "", seasons.sold_grams, luo))
    assert db.session().scalars(select(VillageCapacity.approved_grams)).one() == 0


def test_kong_does_not_confirm_the_price_of_a_lot_of_the_cooperative_he_manages(world: World, trade: Trade) -> None:
    lot = trade.lot(trade.product("香柚", POMELO), confirmed=False)
    kong = also_in_the_cooperative(world, "village.kong")
    refused(lambda: lots.confirm(lot, kong))
    assert db.session().get_one(Lot, lot, populate_existing=True).confirmed_at is None


def test_kong_sees_no_loss_as_the_officer_of_the_cooperative_he_manages(world: World, trade: Trade) -> None:
    lot = trade.lot(trade.product("香柚", POMELO), kg=100)
    with db.transaction():
        loss = lot_write_offs.propose(lot, 5_000, "spoiled", "", world.person("clerk.lv")).id
    kong = also_in_the_cooperative(world, "village.kong")
    for deed in (lot_write_offs.confirm, lot_write_offs.refuse):
        refused(lambda deed=deed: deed(loss, kong))  # type: ignore[misc]
    assert db.session().get_one(LotWriteOff, loss, populate_existing=True).state == "waiting"
    assert trade.stock_of(lot) == (100_000, 0)
    with db.transaction():  # at the co-operative's own desk he is its second person
        lot_write_offs.confirm(loss, logins.visitor_of_login("village.kong", world.organisation_id(POMELO)))
    assert trade.stock_of(lot) == (95_000, 0)


def test_hua_neither_explains_nor_agrees_to_the_price_of_the_cooperative_she_manages(world: World,
                                                                                     trade: Trade) -> None:
    pomelo = trade.product("香柚", POMELO)
    with db.transaction() as session:
        row = PriceOutlier(product_id=pomelo, period="2026-10", price_fen=900, fen_per_kg=900,
                           median_fen_per_kg=400, compared_with=4, found_at=NOON, due_on=TODAY, reason="")
        session.add(row)
        session.flush()
        outlier = row.id
    hua = also_in_the_cooperative(world, "official.hua")
    refused(lambda: outliers.explain(outlier, "礼盒", hua))
    with db.transaction():
        outliers.explain(outlier, "礼盒", world.person("farm.luo"))
    refused(lambda: outliers.agree(outlier, hua))
    kept = db.session().get_one(PriceOutlier, outlier, populate_existing=True)
    assert kept.reasoned_by == world.person("farm.luo").id and kept.approved_at is None


def test_kong_does_not_confirm_wages_of_the_cooperative_he_manages(world: World, trade: Trade) -> None:
    proof = trade.proof()
    trade.tie(POMELO, world.household_id("DEMO-JY-0001"))
    with db.transaction():
        declared = declarations.declare(
            declarations.Declared(world.household_id("DEMO-JY-0001"), "wage", "2026-10", 50_000, proof),
            world.person("clerk.lv")).id
    kong = also_in_the_cooperative(world, "village.kong")
    refused(lambda: declarations.confirm(declared, kong))
    assert db.session().get_one(IncomeDeclaration, declared, populate_existing=True).confirmed_at is None
    assert ledger.balance_fen(f"households:{world.villages['pomelo_home']}") == 0
