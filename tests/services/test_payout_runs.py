"""到户: accounts with two persons, runs from what is owed, failures, and the village's word that books a payout."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import audit, clock, db, journal, logins
from market.access import Visitor
from market.errors import Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.four_eyes import ManagerNeeded, OwnCooperative
from market.parties import Membership
from orders.delivering import returns
from orders.income import checks as income_checks
from orders.income import households, presence
from orders.models import Payout, PayoutLine
from orders.payouts import accounts, checks, on_way, owed, runs
from orders.payouts.accounts import Said
from orders.payouts.models import HouseholdAccount, PayoutRun, PayoutRunLine
from orders.payouts.runs import Wanted
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, TODAY, World

NUMBER = "6228480402564890018"


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=(*income_checks.CHECKS, *checks.CHECKS), sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield



def accountant(world: World) -> Visitor:
    """Dong, who keeps the books of the greens too: no manager."""
    found = logins.visitor_of_login("books.dong", world.organisation_id(GREENS))
    assert found is not None
    return found


def earned(trade: Trade, kilos: int = 20) -> list[int]:
    """Two households earn ¥12 each by 20 kilos, the collective 3 percent of ¥40; their ids."""
    home = trade.world.villages["greens_home"]
    trade.agree_collective(GREENS, home, 300)
    cabbage = trade.product("白菜")
    trade.lot(cabbage, kilos)
    order = trade.orders(trade.place({cabbage: kilos * 1_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return trade.members(GREENS, home)[:2]


def account(world: World, household: int, number: str = NUMBER) -> int:
    """Entered by the clerk, confirmed by the chair."""
    with db.transaction():
        row = accounts.enter(household, Said("户主", "新田农商银行", number), world.person("clerk.zhang"))
    with db.transaction():
        accounts.confirm(row.id, world.person("chair.shi"))
    return row.id


def everything(world: World, *, at_most: int = 10**9) -> list[Wanted]:
    return [Wanted(one.village_id, one.household_id, one.income_kind, min(at_most, one.free_fen))
            for one in owed.of(supplier_id=world.organisation_id(GREENS)) if one.free_fen]


def built(world: World, wanted: list[Wanted] | None = None, **how: bool) -> int:
    wanted = wanted or everything(world)
    with db.transaction():
        return runs.build(wanted, world.person("clerk.zhang"), **how).id


def approved(world: World, wanted: list[Wanted] | None = None) -> int:
    run = built(world, wanted)
    with db.transaction():
        runs.approve(run, world.person("chair.shi"))
    return run


def lines(run: int, state: str | None = None) -> list[PayoutRunLine]:
    db.session().rollback()
    found = db.session().scalars(select(PayoutRunLine).where(PayoutRunLine.run_id == run).order_by(PayoutRunLine.id))
    return [line for line in found if state in (None, line.state)]


def paid(world: World, trade: Trade, run: int, *some: int) -> None:
    ids = some or [line.id for line in lines(run, "open")]
    proof = trade.proof()
    with db.transaction():
        runs.mark_paid(run, ids, TODAY, proof, world.person("clerk.zhang"))


def confirmed(world: World, run: int, by: str = "village.cao") -> None:
    ids = [line.id for line in lines(run, "paid")]
    with db.transaction():
        runs.confirm(run, ids, world.person(by))


def paid_fen(world: World) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.coalesce(func.sum(PayoutLine.amount_fen), 0))) or 0


def unpaid(world: World) -> int:
    return sum(one.unpaid_fen for one in owed.of(supplier_id=world.organisation_id(GREENS)))


def refused(refusal: type[MarketError], verb: object, *given: object, **more: object) -> MarketError:
    """The verb says no and nothing has changed."""
    def seen() -> list[tuple[object, ...]]:
        db.session().rollback()
        return [tuple(row) for row in db.session().execute(
            select(PayoutRunLine.id, PayoutRunLine.state, PayoutRunLine.payout_line_id)
            .order_by(PayoutRunLine.id)).all()] + [(db.session().scalar(select(func.count()).select_from(Payout)),)]

    before = seen()
    with pytest.raises(refusal) as raised, db.transaction():
        verb(*given, **more)  # type: ignore[operator]
    assert seen() == before
    return raised.value


def test_an_account_needs_two_persons_and_keeps_its_history(world: World, trade: Trade) -> None:
    clerk, chair = world.person("clerk.zhang"), world.person("chair.shi")
    household = trade.members(GREENS, world.villages["greens_home"])[0]
    with db.transaction():
        first = accounts.enter(household, Said("户主", "新田农商银行", NUMBER), clerk).id
    refused(SecondPersonNeeded, accounts.confirm, first, clerk)
    refused(ManagerNeeded, accounts.confirm, first, accountant(world))
    refused(accounts.StillWaiting, accounts.enter, household, Said("户主", "邮储", "6217"), chair)
    refused(NotFound, accounts.enter, trade.members(POMELO, world.villages["pomelo_home"])[0],
            Said("户主", "邮储", "621700001111"), clerk)
    refused(NotFound, accounts.confirm, first, world.person("chair.he"))
    with db.transaction():
        accounts.confirm(first, chair)
    refused(Conflict, accounts.confirm, first, chair)
    second = account(world, household, "621799990000")
    states = dict(db.session().execute(select(HouseholdAccount.id, HouseholdAccount.state)).all())
    assert states == {first: "former", second: "current"}
    with db.transaction():
        assert accounts.reveal(first, chair).number == NUMBER
    acts = [entry["action"] for entry in journal.timeline("household_account", first)]
    assert acts == ["household_account.entered", "household_account.confirmed", "household_account.revealed"]
    assert NUMBER not in str(journal.timeline("household_account", first))


def test_a_run_goes_from_what_is_owed_to_the_villages_yes(world: World, trade: Trade) -> None:
    first, second = earned(trade)
    account(world, first)
    assert unpaid(world) == 2 * 1_200 + 120
    run = built(world)
    assert [(line.household_id, line.way, line.amount_fen) for line in lines(run)] == [
        (None, "other", 120), (first, "bank", 1_200), (second, "cash", 1_200)]
    refused(SecondPersonNeeded, runs.approve, run, world.person("clerk.zhang"))
    refused(ManagerNeeded, runs.approve, run, accountant(world))
    refused(runs.NotApproved, runs.export, run, "csv", world.person("chair.shi"))
    with db.transaction():
        runs.approve(run, world.person("chair.shi"))
    with db.transaction():
        runs.export(run, "csv", world.person("chair.shi"))
    refused(runs.AlreadySent, runs.cancel, run, world.person("clerk.zhang"))
    paid(world, trade, run)
    refused(runs.NothingForTheBank, runs.export, run, "csv", world.person("chair.shi"))
    assert (unpaid(world), paid_fen(world)) == (2_520, 0)  # paid is what the village has confirmed
    refused(NotFound, runs.confirm, run, [line.id for line in lines(run)], world.person("village.kong"))
    refused(NotFound, runs.confirm, run, [line.id for line in lines(run)], world.person("clerk.zhang"))
    confirmed(world, run)
    assert (unpaid(world), paid_fen(world)) == (0, 2_520)
    kinds = db.session().execute(select(Payout.income_kind, Payout.supplier_id).order_by(Payout.income_kind)).all()
    assert [kind for kind, _supplier in kinds] == ["collective", "farm_gate"]
    refused(Conflict, runs.confirm, run, [line.id for line in lines(run)], world.person("village.cao"))
    assert audit.check() == []


def test_nothing_is_owed_twice(world: World, trade: Trade) -> None:
    first, second = earned(trade)
    home, clerk = world.villages["greens_home"], world.person("clerk.zhang")
    part = built(world, [Wanted(home, first, "farm_gate", 700)])
    refused(InvalidInput, runs.build, [Wanted(home, first, "farm_gate", 501)], clerk)
    refused(InvalidInput, runs.build, [Wanted(home, first, "farm_gate", 1)] * 2, clerk)
    refused(InvalidInput, runs.build, [], clerk)
    refused(NotFound, runs.build, [Wanted(home, first, "wage", 1)], clerk)
    refused(NotFound, runs.build, [Wanted(world.villages["pomelo_home"], second, "farm_gate", 1)], clerk)
    with db.transaction():
        runs.cancel(part, clerk)
    assert on_way.sums(supplier_id=world.organisation_id(GREENS)) == {}
    refused(Conflict, runs.approve, part, world.person("chair.shi"))
    assert built(world, [Wanted(home, first, "farm_gate", 1_200)])


def test_what_failed_stays_owed_and_goes_into_the_next_run(world: World, trade: Trade) -> None:
    first, second = earned(trade)
    clerk, home = world.person("clerk.zhang"), world.villages["greens_home"]
    run = approved(world)
    by_household = {line.household_id: line.id for line in lines(run)}
    with db.transaction():
        runs.fail(run, [by_household[first]], "wrong_account", "户名不符", clerk)
    paid(world, trade, run)
    confirmed(world, run)
    assert {line.household_id: line.state for line in lines(run)} == {
        None: "confirmed", first: "failed", second: "confirmed"}
    assert unpaid(world) == 1_200
    again = built(world, [Wanted(home, first, "farm_gate", 1_200)])
    refused(runs.MoreThanFree, runs.reopen, run, [by_household[first]], clerk)  # it stands in the next one now
    refused(Conflict, runs.fail, run, [by_household[second]], "returned", "", clerk)  # the village has confirmed it
    with db.transaction():
        runs.cancel(again, clerk)
    with db.transaction():
        runs.reopen(run, [by_household[first]], clerk)
    paid(world, trade, run)
    confirmed(world, run)
    assert (unpaid(world), audit.check()) == (0, [])


def test_the_village_says_that_it_did_not_come(world: World, trade: Trade) -> None:
    _first, second = earned(trade)
    officer = world.person("village.cao")
    run = approved(world)
    paid(world, trade, run)
    wrong = next(line.id for line in lines(run) if line.household_id == second)
    refused(InvalidInput, runs.dispute, run, [wrong], "", officer)
    with db.transaction():
        runs.dispute(run, [wrong], "本人没有收到", officer)
    confirmed(world, run)
    assert (paid_fen(world), unpaid(world)) == (1_320, 1_200)
    refused(InvalidInput, runs.build, [Wanted(world.villages["greens_home"], second, "farm_gate", 1)],
            world.person("clerk.zhang"))  # until it is settled
    paid(world, trade, run, wrong)
    confirmed(world, run)
    assert (paid_fen(world), audit.check()) == (2_520, [])
    assert [line.note for line in lines(run)] == [""] * 3


def test_who_acts_for_the_cooperative_confirms_nothing_for_the_village(world: World, trade: Trade) -> None:
    earned(trade)
    run = approved(world)
    paid(world, trade, run)
    officer = world.person("village.cao")
    with db.transaction() as session:
        session.add(Membership(user_id=officer.id, organisation_id=world.organisation_id(GREENS), role="clerk"))
    refused(OwnCooperative, runs.confirm, run, [line.id for line in lines(run)], officer)


def test_goods_that_come_back_meet_money_on_its_way(world: World, trade: Trade) -> None:
    """Before it is sent the run is stopped; afterwards the co-operative bears it."""
    home = world.villages["greens_home"]
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 20)
    ids = [trade.orders(trade.place({cabbage: 10_000}))[0].id for _ in range(2)]
    for order in ids:
        trade.ship(order)
        trade.accept(order)
    run = built(world)
    send_back(world, trade, ids[0])
    refused(runs.LessOwedNow, runs.approve, run, world.person("chair.shi"))
    with db.transaction():
        runs.cancel(run, world.person("clerk.zhang"))
    run = approved(world)
    paid(world, trade, run)
    send_back(world, trade, ids[1])
    confirmed(world, run)
    due = households.dues(world.organisation_id(GREENS), [home])
    assert [(one.earned_fen, one.paid_fen) for one in due.values()] == [(600, 600), (600, 600)]
    assert audit.check() == []


def send_back(world: World, trade: Trade, order: int) -> None:
    with db.transaction():
        returns.take_back(order, {trade.lines(order)[0].id: 10_000}, "发黄", world.person("store.wang"),
                          world.person("chair.shi"))


def test_a_changed_account_stops_the_run(world: World, trade: Trade) -> None:
    first, _second = earned(trade)
    account(world, first)
    run = built(world)
    account(world, first, "621799990000")
    refused(runs.AccountsChanged, runs.approve, run, world.person("chair.shi"))
    with db.transaction():
        runs.cancel(run, world.person("clerk.zhang"))
    run = approved(world)
    account(world, first, "621799991111")
    refused(runs.AccountsChanged, runs.export, run, "csv", world.person("chair.shi"))


def test_a_day_that_cannot_be(world: World, trade: Trade) -> None:
    earned(trade)
    run, clerk = approved(world), world.person("clerk.zhang")
    ids, proof = [line.id for line in lines(run)], trade.proof()
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        refused(InvalidInput, runs.mark_paid, run, ids, day, proof, clerk)
    refused(NotFound, runs.mark_paid, run, [*ids, 999_999], TODAY, proof, clerk)
    refused(NotFound, runs.mark_paid, run, ids, TODAY, proof, world.person("chair.he"))


def test_the_audit_finds_a_line_that_says_something_else(world: World, trade: Trade) -> None:
    earned(trade)
    run = approved(world)
    paid(world, trade, run)
    confirmed(world, run)
    assert audit.check() == []
    number = db.session().scalars(select(PayoutRun.number)).one()
    with db.transaction():
        db.session().execute(db.table(PayoutRunLine).update().where(PayoutRunLine.id == lines_first(run)).values(
            amount_fen=1))
    found = [str(one) for one in audit.check()]
    assert len(found) == 1 and number in found[0]


def lines_first(run: int) -> int:
    return db.session().scalars(select(func.min(PayoutRunLine.id)).where(PayoutRunLine.run_id == run)).one()


def test_the_oldest_income_is_paid_first(world: World, trade: Trade) -> None:
    household = world.household_id("DEMO-XT-0003")
    trade.wage(GREENS, household, 8_000)
    with clock.at(clock.shanghai(date(2026, 10, 14), 12)):
        trade.wage(GREENS, household, 5_000)
        one = next(one for one in owed.of(supplier_id=world.organisation_id(GREENS)) if one.income_kind == "wage")
        assert (one.unpaid_fen, one.oldest, one.since_before(TODAY)) == (13_000, TODAY, 8_000)
        trade.pay_out(world.organisation_id(GREENS), world.villages["greens_home"], "wage", 9_000)
        one = next(one for one in owed.of(villages=[world.villages["greens_home"]]) if one.income_kind == "wage")
        assert (one.unpaid_fen, one.oldest, one.waiting) == (4_000, date(2026, 10, 14), [(date(2026, 10, 14), 4_000)])
