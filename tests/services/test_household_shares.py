"""Whose income: parts by household sum to the ledger, what was paid at weigh-in, who bears goods that come back."""

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from catalog import lots
from catalog.lot_models import LotPayment
from catalog.models import LotContribution
from market import audit, clock, db
from market.errors import MarketError
from market.ledger import LedgerTransfer
from market.linkages import Linkage
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.income import checks, declarations, households, linkages, payouts, presence
from orders.models import IncomeDeclaration, Payout
from tests.trade import Trade
from tests.world import GREENS, NOON, TODAY, World


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


def eaten(trade: Trade, cabbage: int, grams: int) -> int:
    """An order of ten kilos of which so much is taken; returns its id."""
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=grams)])
    return order.id


def due(world: World) -> dict[int | None, tuple[int, int]]:
    """Earned and paid of farm-gate income by household of the greens' village."""
    home = world.villages["greens_home"]
    return {household: (one.earned_fen, one.paid_fen) for (_village, household, kind), one in
            households.dues(world.organisation_id(GREENS), [home]).items() if kind == "farm_gate"}


def paid_when_brought(trade: Trade, lot: int, fen_of: dict[int, int]) -> None:
    """Mark what households of a lot were paid at weigh-in."""
    proof = trade.proof()
    with db.transaction() as session:
        for household, fen in fen_of.items():
            contribution = session.scalars(select(LotContribution.id).where(
                LotContribution.lot_id == lot, LotContribution.household_id == household)).one()
            session.add(LotPayment(contribution_id=contribution, amount_fen=fen, paid_on=TODAY, way="cash",
                                   proof_id=proof, marked_by=trade.world.person("clerk.zhang").id,
                                   marked_at=clock.now()))


def test_every_household_is_paid_to_the_fen_however_small_the_lines(world: World, trade: Trade) -> None:
    first, second, third = trade.members(GREENS, world.villages["greens_home"])[:3]
    cabbage = trade.product("白菜", price_fen=233, minimum_milli=1, step_milli=1)
    trade.lot(cabbage, farm_gate_fen=121, grams=[3_333, 3_333, 6_667], households=[first, second, third])
    for grams in (3_331, 3_334, 3_333, 3_335):
        order = trade.orders(trade.place({cabbage: grams}))[0]
        trade.ship(order.id)
        trade.accept(order.id)
    assert due(world) == {first: (403, 0), second: (403, 0), third: (807, 0)}  # of 16.13
    assert audit.check() == []


def test_what_was_paid_at_weigh_in_needs_no_payout(world: World, trade: Trade) -> None:
    first, second = trade.members(GREENS, world.villages["greens_home"])[:2]
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 20, confirmed=False)
    paid_when_brought(trade, lot, {first: 1_200})
    with db.transaction():
        lots.confirm(lot, trade.confirmer_of(lot))
    eaten(trade, cabbage, 10_000)
    assert due(world) == {first: (600, 600), second: (600, 0)}
    home, coop, proof = world.villages["greens_home"], world.organisation_id(GREENS), trade.proof()
    with pytest.raises(payouts.MoreThanDue), db.transaction():
        payouts.pay(home, "farm_gate", [(first, 1)], TODAY, proof, world.person("chair.shi"),
                    world.person("village.cao"))
    assert db.session().scalar(select(func.count()).select_from(Payout)) == 0
    trade.pay_out(coop, home, "farm_gate", 600)
    eaten(trade, cabbage, 10_000)
    assert due(world) == {first: (1_200, 1_200), second: (1_200, 600)}
    assert audit.check() == []


def test_a_return_takes_nothing_that_a_household_holds(world: World, trade: Trade) -> None:
    first, second = trade.members(GREENS, world.villages["greens_home"])[:2]
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 20, confirmed=False)
    paid_when_brought(trade, lot, {first: 1_200})
    with db.transaction():
        lots.confirm(lot, trade.confirmer_of(lot))
    order = eaten(trade, cabbage, 10_000)
    with db.transaction():
        returns.take_back(order, {trade.lines(order)[0].id: 10_000}, "发黄", world.person("store.wang"),
                          world.person("chair.shi"))
    assert due(world) == {first: (600, 600), second: (0, 0)}  # the co-operative bears what the first one holds
    assert audit.check() == []


def test_a_return_falls_on_growers_where_their_village_has_agreed_to_it(world: World, trade: Trade) -> None:
    home = world.villages["greens_home"]
    first, second = trade.members(GREENS, home)[:2]
    tie = linkages.Tie(home, None, "direct_support", "guaranteed_purchase", date(2026, 1, 1), trade.proof(),
                       bears_returns=True)
    with db.transaction():
        row = linkages.enter(tie, world.person("chair.shi")).id
    with db.transaction():
        linkages.confirm(row, world.person("village.cao"))
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 20)
    order = eaten(trade, cabbage, 10_000)
    trade.pay_out(world.organisation_id(GREENS), home, "farm_gate", 1_200)
    with db.transaction():
        returns.take_back(order, {trade.lines(order)[0].id: 10_000}, "发黄", world.person("store.wang"),
                          world.person("chair.shi"))
    assert due(world) == {first: (0, 600), second: (0, 600)}  # paid ahead for what they bring next
    assert audit.check() == []


def test_every_income_points_to_a_linkage(world: World, trade: Trade) -> None:
    home = world.villages["greens_home"]
    trade.agree_collective(GREENS, home, 300)
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 20)
    trade.wage(GREENS, world.household_id("DEMO-XT-0003"), 8_000)
    eaten(trade, cabbage, 10_000)
    forms = dict(db.session().execute(
        select(LedgerTransfer.income_kind, Linkage.form).join(Linkage, Linkage.id == LedgerTransfer.linkage_id)
        .where(LedgerTransfer.event == "attributed")).all())
    assert forms == {"farm_gate": "delivery", "collective": "collective_share", "wage": "employment"}
    assert db.session().scalar(select(func.count()).select_from(LedgerTransfer).where(
        LedgerTransfer.event == "attributed", LedgerTransfer.linkage_id.is_(None))) == 0


def test_income_without_a_tie_is_refused(world: World, trade: Trade) -> None:
    proof = trade.proof()
    with pytest.raises(linkages.NoLinkage), db.transaction():
        declarations.declare(declarations.Declared(world.household_id("DEMO-XT-0003"), "wage", "2026-10", 8_000, proof),
                             world.person("chair.shi"))
    assert db.session().scalar(select(func.count()).select_from(IncomeDeclaration)) == 0


def test_a_tie_needs_a_second_person_at_the_village(world: World, trade: Trade) -> None:
    household = world.household_id("DEMO-XT-0003")
    row = trade.tie(GREENS, household, confirmed=False)
    for login in ("village.kong", "chair.shi", "official.hua"):
        with pytest.raises(MarketError), db.transaction():
            linkages.confirm(row, world.person(login))
    assert db.session().get_one(Linkage, row).confirmed_at is None
    with db.transaction():
        linkages.confirm(row, world.person("village.cao"))
    with db.transaction():
        linkages.end(row, date(2026, 11, 1), world.person("chair.shi"))
    assert db.session().get_one(Linkage, row).until == date(2026, 11, 1)
