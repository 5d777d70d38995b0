"""Attacks on the books of income: what is earned is never lost, doubled, or put on the wrong village or household."""

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from catalog import lots
from catalog.lot_parts import Contribution
from market import audit, clock, db, villages
from market import linkages as ties
from market.ledger import LedgerTransfer
from market.places import Division
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.households import cards, register
from orders.income import checks as income_checks
from orders.income import corrections, declarations, desk, households, linkages, payouts, posting, presence, shares
from orders.linkages import proposals
from orders.models import AcceptancePart, CollectiveAgreement, PayoutLine
from orders.payouts import checks, on_way, owed, runs
from orders.payouts.models import PayoutRunLine
from orders.payouts.runs import Wanted
from orders.periods import checklist
from tests.trade import Trade
from tests.world import GREENS, NOON, TODAY, World

LATER = date(2027, 1, 1)
FOLLOWERS = (shares.follow_village, ties.follow_village)


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=(*income_checks.CHECKS, *checks.CHECKS), sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


@pytest.fixture
def home(world: World) -> int:
    return world.villages["greens_home"]


def eaten(trade: Trade, cabbage: int, grams: int = 10_000) -> int:
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=grams)])
    return order.id


def send_back(world: World, trade: Trade, order: int, milli: int = 10_000) -> None:
    with db.transaction():
        returns.take_back(order, {trade.lines(order)[0].id: milli}, "发黄", world.person("store.wang"),
                          world.person("chair.shi"))


def due(world: World, village: int, kind: str = "farm_gate") -> dict[int | None, tuple[int, int]]:
    """Earned and paid by household."""
    db.session().rollback()
    found = households.dues(world.organisation_id(GREENS), [village])
    return {household: (one.earned_fen, one.paid_fen) for (_village, household, of), one in found.items() if of == kind}


def sent(world: World, trade: Trade, kind: str, household: int | None = None) -> int:
    """A run of what is owed by this kind (to this household), approved and paid, not yet confirmed by the village."""
    clerk, chair = world.person("clerk.zhang"), world.person("chair.shi")
    wanted = [Wanted(one.village_id, one.household_id, one.income_kind, one.free_fen)
              for one in owed.of(supplier_id=world.organisation_id(GREENS))
              if one.free_fen and one.income_kind == kind and household in (None, one.household_id)]
    with db.transaction():
        run = runs.build(wanted, clerk).id
    with db.transaction():
        runs.approve(run, chair)
    proof, ids = trade.proof(), line_ids(run)
    with db.transaction():
        runs.mark_paid(run, ids, TODAY, proof, clerk)
    return run


def line_ids(run: int) -> list[int]:
    db.session().rollback()
    return list(db.session().scalars(select(PayoutRunLine.id).where(PayoutRunLine.run_id == run)))


def arrived(world: World, run: int) -> None:
    ids = line_ids(run)
    with db.transaction():
        runs.confirm(run, ids, world.person("village.cao"))


def growers_bear(world: World, trade: Trade, home: int) -> None:
    tie = linkages.Tie(home, None, "direct_support", "guaranteed_purchase", date(2026, 1, 1), trade.proof(),
                       bears_returns=True)
    with db.transaction():
        row = linkages.enter(tie, world.person("chair.shi")).id
    with db.transaction():
        linkages.confirm(row, world.person("village.cao"))


def renamed(world: World, village: int) -> int:
    db.session().rollback()
    with db.transaction():
        return villages.rename(village, "新荣村", TODAY, "批复", world.person("official.jin"), FOLLOWERS).id


def payout_lines() -> int:
    return db.session().scalar(select(func.count()).select_from(PayoutLine)) or 0


# ---- money that stands in payment runs ------------------------------------------------------------------------------


def test_what_the_bank_was_told_is_not_taken_back_on_paper(world: World, trade: Trade, home: int) -> None:
    """Else the run's line could never be booked, and the household's money would lie in no book."""
    household = world.household_id("DEMO-XT-0003")
    row, zhang = trade.wage(GREENS, household, 10_000), world.person("clerk.zhang")
    with db.transaction():
        asked = corrections.ask(row, 4_000, "多写了", zhang).id
    run = sent(world, trade, "wage")
    with pytest.raises(corrections.MoreThanLeft), db.transaction():
        corrections.confirm(asked, world.person("village.cao"))
    assert due(world, home, "wage") == {household: (10_000, 0)}
    arrived(world, run)
    assert due(world, home, "wage") == {household: (10_000, 10_000)}
    assert audit.check() == []


def test_money_sent_is_booked_though_growers_bear_what_came_back_since(world: World, trade: Trade, home: int) -> None:
    growers_bear(world, trade, home)
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 20)
    order = eaten(trade, cabbage)
    run = sent(world, trade, "farm_gate")
    send_back(world, trade, order)
    arrived(world, run)
    assert set(due(world, home).values()) == {(0, 600)}  # paid ahead for what they bring next
    assert on_way.sums(supplier_id=world.organisation_id(GREENS)) == {}
    assert audit.check() == []


def test_a_neighbour_who_was_paid_ahead_takes_nothing_from_others(world: World, trade: Trade, home: int) -> None:
    """One household bears goods that came back; what another one is owed can still be paid, once."""
    growers_bear(world, trade, home)
    first, second = trade.members(GREENS, home)[:2]
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 10, households=[first])
    order = eaten(trade, cabbage)
    arrived(world, sent(world, trade, "farm_gate"))
    send_back(world, trade, order)
    trade.lot(cabbage, 10, households=[second])
    eaten(trade, cabbage)
    assert due(world, home) == {first: (0, 1_200), second: (1_200, 0)}
    arrived(world, sent(world, trade, "farm_gate"))
    assert due(world, home) == {first: (0, 1_200), second: (1_200, 1_200)}
    proof = trade.proof()
    with pytest.raises(payouts.MoreThanUnpaid), db.transaction():
        payouts.pay(home, "farm_gate", [(second, 1)], TODAY, proof, world.person("chair.shi"),
                    world.person("village.cao"))
    assert set(db.session().scalars(select(LedgerTransfer.category).where(LedgerTransfer.event == "paid_out"))) == {
        "vegetables"}
    assert audit.check() == []


# ---- households and villages that move ------------------------------------------------------------------------------


def test_a_household_that_moved_away_is_still_paid_what_it_earned(world: World, trade: Trade, home: int) -> None:
    household = world.household_id("DEMO-XT-0003")
    trade.wage(GREENS, household, 10_000)
    other = db.session().scalars(select(Division.id).where(
        Division.level == "village", Division.id != home, Division.township_id == select(Division.township_id).where(
            Division.id == home).scalar_subquery()).limit(1)).one()
    db.session().rollback()
    with db.transaction():
        register.correct(household, {"village_id": other, "register_code": "DEMO-XT-0003", "head_name": "",
                                     "people": 3}, world.person("official.jin"))
    proof = trade.proof()
    with pytest.raises(payouts.MoreThanUnpaid), db.transaction():
        payouts.pay(home, "wage", [(household, 10_001)], TODAY, proof, world.person("chair.shi"),
                    world.person("village.cao"))
    assert payout_lines() == 0
    arrived(world, sent(world, trade, "wage"))
    assert due(world, home, "wage") == {household: (10_000, 10_000)}
    card = cards.of_area(household, 2027, world.person("official.jin"))
    assert (card.sums.gross_fen, card.sums.paid_fen, card.sums.unpaid_fen) == (10_000, 10_000, 0)
    assert audit.check() == []


def test_an_agreed_share_outlives_a_new_name_though_another_one_follows_it(
        world: World, trade: Trade, home: int) -> None:
    """3 percent until the new year, 5 from then on; the village is renamed in between."""
    trade.agree_collective(GREENS, home, 300)
    trade.agree_collective(GREENS, home, 500, LATER)
    new = renamed(world, home)
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 10, households=trade.members(GREENS, new)[:2])
    eaten(trade, cabbage)
    greens = world.organisation_id(GREENS)
    assert {row.collective_fen for row in _village(new)} == {60}
    assert {day: [row.basis_points for row in _shares(greens, new, day)] for day in (TODAY, LATER)} == {
        TODAY: [300], LATER: [500]}
    assert audit.check() == []


def _village(village: int) -> list[AcceptancePart]:
    return list(db.session().scalars(select(AcceptancePart).where(
        AcceptancePart.village_id == village)))


def _shares(supplier: int, village: int, day: date) -> list[CollectiveAgreement]:
    return list(posting.collective_shares(supplier, {village}, day).values())


def test_a_tie_with_an_end_outlives_a_new_name(world: World, trade: Trade, home: int) -> None:
    tie = linkages.Tie(home, None, "direct_support", "guaranteed_purchase", date(2026, 1, 1), trade.proof(),
                       until=LATER, bears_returns=True)
    with db.transaction():
        row = linkages.enter(tie, world.person("chair.shi")).id
    with db.transaction():
        linkages.confirm(row, world.person("village.cao"))
    new = renamed(world, home)
    found = ties.of_villages(world.organisation_id(GREENS), [home, new], TODAY)
    assert {village: (one.form, one.bears_returns) for village, one in found.items()} == {
        home: ("guaranteed_purchase", True), new: ("guaranteed_purchase", True)}


def test_what_waited_over_a_new_name_holds_for_the_new_village(world: World, trade: Trade, home: int) -> None:
    chair, greens = world.person("chair.shi"), world.organisation_id(GREENS)
    tie = linkages.Tie(home, None, "direct_support", "guaranteed_purchase", date(2026, 1, 1), trade.proof())
    with db.transaction():
        waits = linkages.enter(tie, chair).id
        share = proposals.propose(proposals.Proposed(home, 300, TODAY, "1号", tie.evidence_id), chair).id
    new = renamed(world, home)
    officer = world.person("village.cao")
    with db.transaction():
        linkages.confirm(waits, officer)
        proposals.confirm(share, officer)
    assert ties.of_villages(greens, [new], TODAY)[new].form == "guaranteed_purchase"
    assert [row.basis_points for row in _shares(greens, new, TODAY)] == [300]


# ---- notebooks, held income, what waits -----------------------------------------------------------------------------


def test_names_that_follow_bear_only_what_came_back_of_their_own_goods(world: World, trade: Trade, home: int) -> None:
    """Half the lot was named, half stood in the notebook when goods came back."""
    first, second = trade.members(GREENS, home)[:2]
    clerk, cabbage = world.person("clerk.zhang"), trade.product("白菜")
    with db.transaction():
        lot = lots.book(cabbage, TODAY, 10_000, 120, [
            Contribution(5_000, first), Contribution(5_000, None, home, unsplit=True)], clerk,
            best_before=clock.days_after(TODAY, 40)).id
    with db.transaction():
        lots.confirm(lot, trade.confirmer_of(lot))
    order = eaten(trade, cabbage)
    send_back(world, trade, order, 4_000)
    assert due(world, home) == {first: (360, 0), None: (360, 0)}
    with db.transaction():
        lots.split(lot, [Contribution(5_000, second)], clerk)
    assert due(world, home) == {first: (360, 0), second: (360, 0)}
    trade.pay_out(world.organisation_id(GREENS), home, "farm_gate", 720)
    assert audit.check() == []


def test_income_that_is_held_waits_for_nobody(world: World, trade: Trade, home: int) -> None:
    cabbage = trade.product("白菜", price_fen=100)  # less than the growers are to have
    trade.lot(cabbage, 10, farm_gate_fen=120)
    eaten(trade, cabbage)
    clerk = world.person("clerk.zhang")
    assert due(world, home) == {}
    assert desk.households_waiting(clerk, {home}) == 0
    (part,) = _village(home)
    with db.transaction():
        declarations.clear(part.id, world.person("village.cao"))
    assert set(due(world, home).values()) == {(600, 0)}
    assert desk.households_waiting(clerk, {home}) == 2
    assert audit.check() == []


def test_a_declaration_that_was_withdrawn_waits_for_no_closing(world: World, trade: Trade, home: int) -> None:
    household, chair = world.household_id("DEMO-XT-0003"), world.person("chair.shi")
    trade.tie(GREENS, household)
    proof = trade.proof()
    with db.transaction():
        row = declarations.declare(declarations.Declared(household, "wage", "2026-10", 500, proof), chair).id
    found = checklist._declarations("2026-10")
    with db.transaction():
        declarations.withdraw(row, chair)
    after = checklist._declarations("2026-10")
    assert (found.count, after.count) == (1, 0)
