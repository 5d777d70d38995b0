"""Ways in which money could be lost, doubled or stuck: each was tried, and ends with every fen where it belongs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import audit, clock, db, outbox
from market.access import Visitor
from orders.aftersale import crediting
from orders.approving import amending, parting
from orders.banking import deciding, taking
from orders.models import BankRow, CardPayment, ConnectedAccount, MoneyTask, Order, PaymentClaim, ReceiptShare, Refund
from orders.paying import card_refunds, cards, claims, expiry, refunds, tasks
from orders.paying.gateway import Declined, Gateway, OutcomeUnknown
from orders.reconciling import bank
from tests import bank_tables
from tests.bank_tables import line
from tests.counting import count_statements
from tests.services.test_after_sale import branch
from tests.services.test_banking import accepted, rows_of, take
from tests.services.test_cards import begun, order, payment
from tests.services.test_cards import gateway as gateway
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, NOON, TODAY, World


@pytest.fixture(autouse=True)
def noon(stand_in: StandIn) -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def account(world: World, stand_in: StandIn) -> str:
    return stand_in.account(GREENS)


@pytest.fixture
def cashier(world: World) -> Visitor:
    return world.person("cashier.sun")


def placed(trade: Trade, milli: int = 10_000, **more: str) -> int:
    """Cabbage at ¥2.00 a kilo, placed."""
    cabbage = trade.product("白菜", minimum_milli=1_000)
    trade.lot(cabbage)
    return trade.orders(trade.place({cabbage: milli}, **more))[0].id


def bank_row(row_id: int) -> BankRow:
    return db.session().get_one(BankRow, row_id, populate_existing=True)


def bring(world: World, *lines: list[str], by: str = "clerk.zhang") -> list[BankRow]:
    return rows_of(take(world, bank_tables.csv_of(*lines), by))


# ---- bank rows and claims -------------------------------------------------------------------------------------------


def test_a_row_is_not_laid_on_a_claim_that_was_taken_back(world: World, trade: Trade) -> None:
    due = accepted(trade, 2300)
    claim_id = trade.pay(due.id, 2000, confirmed=False)
    row = bring(world, line("20.00", "伙食费", payer="县国库"))[0]
    with db.transaction():
        claims.withdraw(claim_id, world.person("cashier.sun"))
    with pytest.raises(deciding.Conflict), db.transaction():
        deciding.link(row.id, claim_id, world.person("chair.shi"))
    assert (bank_row(row.id).state, bank_row(row.id).claim_id) == ("unknown", None)


def test_what_the_manager_refuses_though_the_bank_shows_it_waits_again(world: World, trade: Trade) -> None:
    due = accepted(trade, 2300)
    row = bring(world, line("23.00", due.number))[0]
    assert row.claim_id is not None
    with db.transaction():
        claims.refuse(row.claim_id, "不是这笔订单的", world.person("chair.shi"))
    again = bank_row(row.id)
    assert (again.state, again.claim_id) == ("unknown", None)
    assert order(due.id).payment == "unpaid"
    with db.transaction():  # nothing of the machine's own overrides what a person said
        assert taking.look_again(world.person("chair.shi")) == 0
    with db.transaction():
        deciding.assign(row.id, {due.id: 2300}, world.person("chair.shi"))
    assert order(due.id).payment == "claimed"


@pytest.mark.parametrize(("first", "second"), [("", "0042"), ("0042", ""), ("0042", "0042"), ("", "")])
def test_a_part_payment_in_two_formats_of_the_bank_counts_once(
        world: World, trade: Trade, first: str, second: str) -> None:
    due = accepted(trade, 2300)
    one = bring(world, line("10.00", due.number, serial=first))[0]
    two = bring(world, line("10.00", f"货款 {due.number}", serial=second))[0]
    assert (one.state, two.state, two.claim_id) == ("part", "duplicate", None)
    assert db.session().scalar(select(func.count()).select_from(PaymentClaim)) == 1


def test_two_instalments_that_the_bank_numbers_apart_are_two(world: World, trade: Trade) -> None:
    due = accepted(trade, 2300)
    one = bring(world, line("10.00", due.number, serial="0042"))[0]
    two = bring(world, line("10.00", due.number, serial="0043"))[0]
    next_day = bring(world, line("3.00", due.number, day="2026-10-11"))[0]
    assert [one.state, two.state, next_day.state] == ["part", "part", "matched"]


def test_many_rows_on_claims_cost_as_many_statements_as_few(world: World, trade: Trade) -> None:
    due, costs = accepted(trade, 900_000), []
    for size in (5, 40):
        with clock.at(NOON + timedelta(minutes=size)):
            said = [trade.pay(due.id, 100 * size + n, confirmed=False) for n in range(size)]
        lines = [line(f"{size}.{n:02d}", due.number, serial=f"{size}-{n}") for n in range(size)]
        with count_statements(world.app) as made:
            rows = bring(world, *lines)
        assert {row.claim_id for row in rows} == set(said)
        costs.append(len(made))
    assert costs[1] <= costs[0] + 2


def test_a_row_on_a_refused_claim_is_counted_as_unexplained(world: World, trade: Trade) -> None:
    due = accepted(trade, 2300)
    row = bring(world, line("23.00", due.number, day="2026-10-01"))[0]
    with db.transaction():
        claims.refuse(row.claim_id or 0, "找不到", world.person("chair.shi"))
    with db.snapshot():
        lines = bank.compared(world.organisation_id(GREENS), TODAY)
    assert [(one.verdict, one.is_old) for one in lines] == [(bank.UNKNOWN, True)]


# ---- the provider's keys --------------------------------------------------------------------------------------------


def test_another_address_of_the_site_is_no_refusal(
        world: World, trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn,
        monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = placed(trade)
    stand_in.misbehave(account, "charge_then_cut", on="open")
    with db.transaction():
        payment_id = cards.start(order_id, cashier, gateway).id
    with pytest.raises(OutcomeUnknown):
        cards.open_page(payment_id, gateway)
    monkeypatch.setattr(gateway, "_config", replace(gateway._config, site_url="https://new.example"))
    with pytest.raises(OutcomeUnknown):  # the page is there: the same key with another body
        cards.open_page(payment_id, gateway)
    assert payment(payment_id).state == "asked"
    stand_in.pay(stand_in.pages(account)[0]["url"])
    with clock.at(NOON + timedelta(minutes=50)):  # the page is over by now, whatever became of it
        assert cards.book(payment_id, gateway) == "paid"
    assert (order(order_id).payment, len(stand_in.charges(account))) == ("paid", 1)


def test_another_address_and_nobody_paid_lets_one_begin_again_within_the_hour(
        world: World, trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn,
        monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = placed(trade)
    stand_in.misbehave(account, "charge_then_cut", on="open")
    with db.transaction():
        payment_id = cards.start(order_id, cashier, gateway).id
    with pytest.raises(OutcomeUnknown):
        cards.open_page(payment_id, gateway)
    monkeypatch.setattr(gateway, "_config", replace(gateway._config, site_url="https://new.example"))
    with clock.at(NOON + timedelta(minutes=50)):
        assert cards.book(payment_id, gateway) == "expired"
        assert begun(order_id, cashier, gateway).attempt == 2


@pytest.mark.parametrize("state", ["refused", "expired"])
def test_money_of_a_page_that_was_thought_never_opened_is_booked(
        trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn, state: str) -> None:
    order_id = placed(trade)
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    with db.transaction() as session:
        session.execute(db.table(CardPayment).update().values(state=state, session_id=None, session_url=""))
    assert [cards.book(row.id, gateway) for _ in range(2)] == ["paid"] * 2
    assert (order(order_id).payment, order(order_id).received_fen) == ("paid", 2000)


def test_the_clock_of_the_provider_may_lag_behind(
        trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    order_id = placed(trade)
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    stand_in.change(stand_in.charges(account)[0]["id"], created=int((NOON - timedelta(minutes=2)).timestamp()))
    with db.transaction() as session:
        session.execute(db.table(CardPayment).update().values(state="asked", session_id=None, session_url=""))
    with clock.at(NOON + timedelta(days=2)):
        assert cards.book(row.id, gateway) == "paid"


def in_earnest(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the site's key is not one of practice."""
    monkeypatch.setattr(Gateway, "live", property(lambda _self: True))
    monkeypatch.setattr(gateway, "_call", refused_by_the_other_mode)


def refused_by_the_other_mode(_work: object) -> None:
    raise Declined(why="No such checkout.session")


def test_a_page_of_practice_ends_once_the_site_is_in_earnest(
        trade: Trade, cashier: Visitor, gateway: Gateway, account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = placed(trade)
    row = begun(order_id, cashier, gateway)
    in_earnest(gateway, monkeypatch)
    with db.transaction() as session:
        session.execute(db.table(ConnectedAccount).update().values(live=True))
    with pytest.raises(cards.EarlierAttempt), db.transaction():
        cards.start(order_id, cashier, gateway)
    assert cards.book(row.id, gateway) == "open"
    with clock.at(NOON + timedelta(minutes=50)):
        assert cards.book(row.id, gateway) == "expired"
        with db.transaction():
            assert cards.start(order_id, cashier, gateway).attempt == 2


def test_a_refund_of_the_other_mode_is_not_said_to_have_failed(
        world: World, trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn,
        monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = placed(trade)
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    cards.book(row.id, gateway)
    trade.pay(order_id, 500)
    with db.transaction():
        refund = refunds.ask(order_id, 500, "多付", world.person("clerk.zhang"), row.id).id
    with db.transaction():
        card_refunds.send(refund, world.person("chair.shi"))
    with monkeypatch.context() as other:
        in_earnest(gateway, other)
        card_refunds.carry_on(refund, gateway)
        assert db.session().get_one(Refund, refund, populate_existing=True).state == "sending"
    card_refunds.carry_on(refund, gateway)
    assert db.session().get_one(Refund, refund, populate_existing=True).state == "done"
    assert [one["amount"] for one in stand_in.refunds(account)] == [500]


# ---- another amount than asked --------------------------------------------------------------------------------------


def set_aside(trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn, **more: str) -> int:
    """An order for which the provider took a fen less than was asked for; returns its id."""
    order_id = placed(trade, **more)
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    stand_in.change_amount(stand_in.charges(account)[0]["id"], 1999)
    assert cards.book(row.id, gateway) == "different"
    return order_id


def test_who_has_paid_another_amount_is_not_asked_to_pay_twice(
        world: World, trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    order_id = set_aside(trade, cashier, gateway, account, stand_in)
    with pytest.raises(cards.LookedAt), db.transaction():
        cards.start(order_id, cashier, gateway)
    task = db.session().scalars(select(MoneyTask)).one()
    with db.transaction():
        tasks.settle(task.id, "已在后台退回", world.person("chair.shi"))
    assert begun(order_id, cashier, gateway).attempt == 2


def test_an_order_with_money_that_is_looked_at_does_not_expire(
        trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    order_id = set_aside(trade, cashier, gateway, account, stand_in, payment_terms="pay_first")
    with clock.at(NOON + timedelta(days=60)):
        assert expiry.due() == []
        with db.transaction():
            assert expiry.expire(order_id) is False
    assert order(order_id).state == "placed"


# ---- an order that changes while its page is open -------------------------------------------------------------------


def test_an_order_does_not_count_for_another_unit_while_its_page_may_be_paid(
        world: World, trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    order_id, unit = placed(trade), branch(world)
    with db.transaction():
        change = crediting.ask(order_id, unit, "分校订的", None, world.person("cook.chen"))
    row = begun(order_id, cashier, gateway)
    with pytest.raises(crediting.CannotMove), db.transaction():
        crediting.approve(change.id, world.person("head.li"))
    stand_in.pay(row.session_url)
    cards.book(row.id, gateway)
    assert (order(order_id).unit_id, order(order_id).payment) == (row.unit_id, "paid")


@pytest.mark.parametrize("milli", [5_000, 12_000])
def test_a_page_is_closed_when_the_order_is_changed(
        app: Flask, world: World, trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn,
        milli: int) -> None:
    order_id = placed(trade)
    row = begun(order_id, cashier, gateway)
    with db.transaction():
        amending.amend(order_id, {trade.lines(order_id)[0].id: milli}, [], "人数有变", world.person("cook.chen"))
    outbox.drain(app.extensions["sijin_handlers"])
    assert payment(row.id).state == "expired"
    assert stand_in.pay(row.session_url) == ""


def test_a_page_is_closed_when_a_part_follows_later(
        app: Flask, world: World, trade: Trade, cashier: Visitor, gateway: Gateway, account: str,
        stand_in: StandIn) -> None:
    order_id = placed(trade)
    row = begun(order_id, cashier, gateway)
    with db.transaction():
        parting.part(order_id, {trade.lines(order_id)[0].id: 4_000}, TODAY + timedelta(days=3),
                     world.person("clerk.zhang"))
    outbox.drain(app.extensions["sijin_handlers"])
    assert payment(row.id).state == "expired"


def test_what_follows_later_has_nothing_of_what_the_first_order_received_and_gave_back(
        world: World, trade: Trade) -> None:
    order_id = placed(trade)
    trade.pay(order_id, 2500)
    trade.refund(order_id, 500)
    with db.transaction() as session:  # as an order that came back after all of its money was returned
        session.execute(db.table(Order).update().values(payment="unpaid"))
    with db.transaction():
        follower = parting.part(order_id, {trade.lines(order_id)[0].id: 4_000}, TODAY + timedelta(days=3),
                                world.person("clerk.zhang"))
    assert (order(follower).received_fen, order(follower).refunded_fen) == (0, 0)


# ---- midnight -------------------------------------------------------------------------------------------------------


def test_a_refund_over_midnight_lies_on_one_day(world: World, trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = placed(trade)
    trade.pay(order_id, 2500)
    with db.transaction():
        asked = refunds.ask(order_id, 500, "多付", world.person("clerk.zhang")).id
    days = iter([TODAY, TODAY, *[TODAY + timedelta(days=1)] * 9])
    monkeypatch.setattr(clock, "today", lambda: next(days))
    with db.transaction():
        refunds.confirm(asked, TODAY, world.person("chair.shi"))
    monkeypatch.undo()
    assert [problem.message() for problem in audit.check()] == []


@pytest.mark.parametrize(("moment", "day"), [
    (datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC), date(2026, 10, 31)),
    (datetime(2026, 10, 31, 16, 0, 0, tzinfo=UTC), date(2026, 11, 1))])
def test_the_month_turns_at_midnight_in_china(world: World, trade: Trade, moment: datetime, day: date) -> None:
    order_id = placed(trade)
    claim_id = trade.pay(order_id, 2000, confirmed=False)
    with clock.at(moment), db.transaction():
        claims.confirm(claim_id, world.person("chair.shi"))
    assert db.session().get_one(PaymentClaim, claim_id).business_date == day
    assert db.session().scalars(select(ReceiptShare.business_date)).all() == [day]
    assert audit.check() == []
