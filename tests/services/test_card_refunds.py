"""Money back to the card it came from: once, whatever the provider's answers do; its books and ours agree."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, current_app
from sqlalchemy import select

from market import audit, clock, db, outbox, worker
from market.errors import Conflict, SecondPersonNeeded
from orders.models import CardPayment, MoneyTask, Order, Refund
from orders.paying import card_refunds, receipts, refund_jobs, refund_sums, refunds
from orders.paying.gateway import Asked, Gateway
from tests.services.test_refunds import delivered, everything_agrees, refund_rows, send_back, state
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, NOON


@pytest.fixture(autouse=True)
def noon(app: Flask, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("orders.paying.gateway.SECONDS", 0.5)
    monkeypatch.setattr(app.extensions["sijin_gateway"], "_made", None)  # a client of another test waits longer
    with clock.at(NOON):
        yield


@pytest.fixture
def account(trade: Trade, stand_in: StandIn) -> str:
    return stand_in.account(GREENS)


def gateway() -> Gateway:
    found: Gateway = current_app.extensions["sijin_gateway"]
    return found


def pay_by_card(stand_in: StandIn, account: str, order_id: int, fen: int, attempt: int = 1) -> int:
    """The payer pays on the hosted page, and it is booked; returns the card payment's id."""
    now = clock.now()
    with db.transaction() as session:
        order = session.get_one(Order, order_id)
        payment = CardPayment(
            order_id=order.id, unit_id=order.unit_id, supplier_id=order.supplier_id, account_id=account,
            attempt=attempt, key=f"{order.number}-{attempt}", amount_fen=fen, live=False, state="asked",
            started_by=1, started_at=now, expires_at=now + timedelta(minutes=35), next_look_at=now)
        session.add(payment)
        session.flush()
        payment_id, number = payment.id, order.number
    page = gateway().open_session(Asked(account, f"{number}-{attempt}", payment_id, number, fen, "白菜",
                                        "http://127.0.0.1:1/back", "http://127.0.0.1:1/off",
                                        now + timedelta(minutes=35)))
    stand_in.pay(page.url)
    paid = gateway().session(account, page.id)
    with db.transaction() as session:
        payment = session.get_one(CardPayment, payment_id)
        payment.state, payment.session_id, payment.intent_id = "paid", page.id, paid.intent_id
        payment.way, payment.business_date = "alipay", clock.today()
        order = session.get_one(Order, order_id)
        receipts.lay(order, receipts.Brought(card_payment_id=payment_id), fen, clock.today())
        receipts.update_payment(order)
    return payment_id


def paid_too_much(trade: Trade, stand_in: StandIn, account: str, fen: int = 2_350) -> tuple[int, int]:
    """Cabbage for ¥20.00, accepted, paid by wallet: the order and its payment."""
    order = delivered(trade)
    return order, pay_by_card(stand_in, account, order, fen)


def asked_and_confirmed(trade: Trade, order: int, payment: int, fen: int) -> int:
    with db.transaction():
        asked = refunds.ask(order, fen, "多付", trade.world.person("clerk.zhang"), payment).id
    with db.transaction():
        card_refunds.send(asked, trade.world.person("chair.shi"))
    return asked


def work() -> None:
    """What the worker does when it comes by."""
    outbox.drain(current_app.extensions["sijin_handlers"])
    refund_jobs.follow()


def kept_by_the_ledger(payment: int) -> int:
    """What a card payment brought less its refunds that are done, in fen."""
    brought = db.session().get_one(CardPayment, payment, populate_existing=True).amount_fen
    return brought - sum(row.amount_fen for row in refund_rows()
                         if row.card_payment_id == payment and row.state == "done")


def kept_by_the_provider(stand_in: StandIn, account: str, payment: int) -> int:
    intent = db.session().get_one(CardPayment, payment).intent_id
    captured, refunded = stand_in.balances(account)[intent or ""]
    return captured - refunded


def both_books_agree(stand_in: StandIn, account: str, *payments: int) -> None:
    for payment in payments:
        assert kept_by_the_ledger(payment) == kept_by_the_provider(stand_in, account, payment)
    everything_agrees()


def test_what_came_by_card_goes_back_to_the_card(trade: Trade, stand_in: StandIn, account: str) -> None:
    order, payment = paid_too_much(trade, stand_in, account)
    refund = asked_and_confirmed(trade, order, payment, 350)
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("sending", 0)
    assert stand_in.refunds(account) == [], "nothing is sent in the request"
    work()
    assert (refund_rows()[0].state, state(order).refunded_fen, state(order).payment) == ("done", 350, "paid")
    assert [(one["amount"], one["metadata"]) for one in stand_in.refunds(account)] == [(350, {"refund": str(refund)})]
    assert refund_rows()[0].provider_id == stand_in.refunds(account)[0]["id"]
    work()
    assert len(stand_in.refunds(account)) == 1
    both_books_agree(stand_in, account, payment)


@pytest.mark.parametrize("kind", ["charge_then_cut", "charge_then_hang", "500", "429"])
def test_no_answer_is_asked_again_with_the_same_key_and_gives_back_once(
        trade: Trade, stand_in: StandIn, account: str, kind: str) -> None:
    order, payment = paid_too_much(trade, stand_in, account)
    stand_in.misbehave(account, kind, on="refund", seconds=1)
    refund = asked_and_confirmed(trade, order, payment, 350)
    card_refunds.carry_on(refund, gateway())
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("sending", 0), "never failed: it is being checked"
    assert db.session().scalars(select(MoneyTask.id)).all() == []
    work()
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("done", 350)
    assert len(stand_in.refunds(account)) == 1
    both_books_agree(stand_in, account, payment)


def test_after_the_key_is_forgotten_it_is_looked_for_before_it_is_sent_again(
        trade: Trade, stand_in: StandIn, account: str) -> None:
    order, payment = paid_too_much(trade, stand_in, account)
    stand_in.misbehave(account, "charge_then_cut", on="refund")
    refund = asked_and_confirmed(trade, order, payment, 350)
    card_refunds.carry_on(refund, gateway())
    with clock.at(NOON + timedelta(days=2)):
        with stand_in.provider.books.deed() as there:
            there.execute("DELETE FROM answer")
        card_refunds.carry_on(refund, gateway())
        assert refund_rows()[0].state == "done"
        assert len(stand_in.refunds(account)) == 1
        both_books_agree(stand_in, account, payment)


def test_what_the_provider_refuses_is_a_task_and_may_be_asked_again(
        trade: Trade, stand_in: StandIn, account: str) -> None:
    order, payment = paid_too_much(trade, stand_in, account)
    stand_in.misbehave(account, "decline", on="refund")
    asked_and_confirmed(trade, order, payment, 350)
    work()
    failed = refund_rows()[0]
    assert (failed.state, state(order).refunded_fen, bool(failed.answer)) == ("failed", 0, True)
    task = db.session().scalars(select(MoneyTask)).one()
    assert (task.kind, task.thing, task.refund_id, task.amount_fen) == ("refund_failed", failed.number, failed.id, 350)
    assert stand_in.refunds(account) == []
    asked_and_confirmed(trade, order, payment, 350)
    work()
    assert [row.state for row in refund_rows()] == ["failed", "done"]
    both_books_agree(stand_in, account, payment)


def test_refused_after_a_call_without_answer_means_nothing_until_it_is_looked_up(
        trade: Trade, stand_in: StandIn, account: str) -> None:
    order, payment = paid_too_much(trade, stand_in, account)
    stand_in.misbehave(account, "charge_then_cut", on="refund")
    refund = asked_and_confirmed(trade, order, payment, 350)
    card_refunds.carry_on(refund, gateway())
    stand_in.misbehave(account, "decline", on="refund")
    card_refunds.carry_on(refund, gateway())
    assert refund_rows()[0].state == "done"
    assert len(stand_in.refunds(account)) == 1
    both_books_agree(stand_in, account, payment)


def test_what_is_pending_waits_until_the_provider_has_done_it(trade: Trade, stand_in: StandIn, account: str) -> None:
    order, payment = paid_too_much(trade, stand_in, account)
    stand_in.misbehave(account, "charge_then_cut", on="refund")
    refund = asked_and_confirmed(trade, order, payment, 350)
    card_refunds.carry_on(refund, gateway())
    there = stand_in.refunds(account)[0]
    stand_in.provider.books.keep(there | {"status": "pending"})
    with db.transaction() as session:
        session.get_one(Refund, refund).provider_id = there["id"]
    work()
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("sending", 0)
    stand_in.provider.books.keep(there | {"status": "succeeded"})
    refund_jobs.rang({"account_id": account, "object_id": there["id"], "refund_mark": str(refund)})
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("done", 350)
    both_books_agree(stand_in, account, payment)


def test_a_refund_that_bounces_after_it_was_booked_is_a_task(trade: Trade, stand_in: StandIn, account: str) -> None:
    order, payment = paid_too_much(trade, stand_in, account)
    refund = asked_and_confirmed(trade, order, payment, 350)
    work()
    there = stand_in.refunds(account)[0]
    stand_in.provider.books.keep(there | {"status": "failed"})
    for _ in range(2):
        refund_jobs.rang({"account_id": account, "object_id": there["id"], "refund_mark": ""})
    task = db.session().scalars(select(MoneyTask)).one()
    assert (task.kind, task.refund_id, task.facts["booked"]) == ("refund_failed", refund, True)
    assert refund_rows()[0].state == "done"


def test_bells_about_what_is_not_ours_do_nothing(trade: Trade, stand_in: StandIn, account: str) -> None:
    order, payment = paid_too_much(trade, stand_in, account)
    refund = asked_and_confirmed(trade, order, payment, 350)
    for said in ({"account_id": "acct_foreign", "object_id": "re_1", "refund_mark": str(refund)},
                 {"account_id": account, "object_id": "re_1", "refund_mark": "九"},
                 {"account_id": account, "object_id": "re_1", "refund_mark": "9" * 40},
                 {"account_id": account, "object_id": "re_1"}):
        refund_jobs.rang(said)
    assert (refund_rows()[0].state, stand_in.refunds(account)) == ("sending", [])


def test_to_a_card_goes_at_most_what_it_brought(trade: Trade, stand_in: StandIn, account: str) -> None:
    """¥10 by card and ¥20 by bank for goods of ¥20 that all go back: the card gets ¥10, the bank account the rest."""
    order = delivered(trade)
    payment = pay_by_card(stand_in, account, order, 1_000)
    trade.pay(order, 1_000)
    send_back(trade, order, {trade.lines(order)[0].id: 10_000})
    assert refunds.owed_fen(state(order)) == 2_000
    clerk = trade.world.person("clerk.zhang")
    with pytest.raises(refunds.NotOwed), db.transaction():
        refunds.ask(order, 1_001, "退货", clerk, payment)
    assert refund_rows() == []
    assert [(way.card_payment_id, way.amount_fen) for way in refund_sums.proposed(state(order))] == [
        (payment, 1_000), (None, 1_000)]
    with db.transaction():
        to_card, by_bank = (row.id for row in refunds.ask_whole(order, "退货", clerk))
    chair = trade.world.person("chair.shi")
    with pytest.raises(Conflict), db.transaction():
        refunds.confirm(to_card, clock.today(), chair)
    with pytest.raises(Conflict), db.transaction():
        card_refunds.send(by_bank, chair)
    with pytest.raises(SecondPersonNeeded), db.transaction():
        card_refunds.send(to_card, clerk)
    with db.transaction():
        card_refunds.send(to_card, chair)
        refunds.confirm(by_bank, clock.today(), chair)
    work()
    assert (state(order).refunded_fen, state(order).payment) == (2_000, "paid")
    assert [one["amount"] for one in stand_in.refunds(account)] == [1_000]
    both_books_agree(stand_in, account, payment)


def test_a_foreign_card_payment_takes_nothing(trade: Trade, stand_in: StandIn, account: str) -> None:
    order, _payment = paid_too_much(trade, stand_in, account)
    other = trade.cabbage().id
    foreign = pay_by_card(stand_in, account, other, 2_000)
    with pytest.raises(refunds.NotOwed), db.transaction():
        refunds.ask(order, 350, "多付", trade.world.person("clerk.zhang"), foreign)
    assert refund_rows() == []


def test_the_worker_knows_the_job(trade: Trade) -> None:
    assert ("refunds", 30) in [(job.name, job.seconds) for job in worker.jobs_of(current_app._get_current_object())]  # type: ignore[attr-defined]
    assert audit.check() == []
