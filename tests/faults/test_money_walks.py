"""Random histories of one order's money, several hands at once: what the ledger says was captured and refunded is what
the card provider's own books say, payment by payment.

A walk places an order and then pays, refunds, cancels, expires, delivers, loses answers and rings bells in any order,
one by one and in parallel. MONEY_WALKS says how many walks (200; `make soak` makes 2,000).
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import String, cast, select, update

from market import audit, clock, db, outbox
from market.errors import MarketError
from market.ledger import LedgerTransfer
from market.outbox import OutboxMessage
from orders.buying import approval, checkout
from orders.buying.checkout import Wish
from orders.models import CardPayment, Order, ReceiptShare, Refund, RefundShare
from orders.models.cards import LIVE_STATES
from orders.paying import card_jobs, card_refunds, cards, expiry, refund_jobs, refunds
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, World

WALKS, STEPS, HANDS = int(os.environ.get("MONEY_WALKS") or 200), 10, 3
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600 + 10 * WALKS)]

PRICE_FEN, MILLI = 333, 3_000
TURNS_TO_SETTLE = 12
MISHAPS = ("charge_then_hang", "charge_then_cut", "429", "500", "decline")
CALLS = ("open", "session", "expire", "intent", "refund", "pay")


class Hands:
    """What people, workers and the provider may do about one order. A refusal is an answer like any other."""

    def __init__(self, app: Flask, world: World, trade: Trade, stand_in: StandIn) -> None:
        self.app, self.world, self.trade, self.stand_in = app, world, trade, stand_in
        self.gateway = app.extensions["sijin_gateway"]
        self.account = stand_in.account(GREENS)
        self.product = trade.product("白菜", price_fen=PRICE_FEN, minimum_milli=1_000)
        self.lot = trade.lot(self.product, kg=100_000)
        self.people = {login: world.person(login) for login in (
            "cook.chen", "cashier.sun", "clerk.zhang", "chair.shi")}
        self.point = world.delivery_point_id()
        self.order_id, self.rung = 0, 0
        self.captured, self.refunded = 0, 0  # payments, in all walks

    def begin(self, terms: str) -> None:
        """A new order of three kilos for ¥9.99."""
        self.rung = len(self.stand_in.events_of(self.account))
        wish = Wish(self.point, clock.today() + timedelta(days=1), "morning", payment_terms=terms)
        with db.transaction():
            placed = checkout.place([(self.product, MILLI)], wish, os.urandom(8).hex(), self.people["cook.chen"])
        self.order_id = self.trade.orders(placed)[0].id

    # ---- deeds ------------------------------------------------------------------------------------------------------

    def opens(self) -> None:
        with db.transaction():
            payment = cards.start(self.order_id, self.people["cashier.sun"], self.gateway)
        cards.open_page(payment.id, self.gateway)

    def pays(self) -> None:
        for page in self._pages():
            with suppress(OSError):  # cut off: nobody knows
                self.stand_in.try_to_pay(page)

    def looks(self) -> None:
        for payment_id in self._attempts():
            cards.book(payment_id, self.gateway)

    def rings(self) -> None:
        """The bells since the walk began, doubled and shuffled, and a turn of the worker."""
        bells = self.stand_in.events_of(self.account)[self.rung:]
        assert set(self.stand_in.deliver_to(self.app.test_client(), bells, copies=2, shuffled=True)) <= {200}
        self.works()

    def works(self) -> None:
        outbox.drain(self.app.extensions["sijin_handlers"])
        while card_jobs.follow():  # pages of earlier walks may still be open: a turn takes only some of them
            pass
        refund_jobs.follow()

    def page_times_out(self) -> None:
        for payment in self._live():
            self.gateway.expire(payment.account_id, payment.session_id)

    def cancels(self) -> None:
        with db.transaction():
            approval.cancel(self.order_id, "不要了", self.people["cook.chen"])

    def expires(self) -> None:
        with db.transaction() as session:
            session.execute(update(Order).where(Order.id == self.order_id, Order.pay_by.is_not(None))
                            .values(pay_by=clock.days_after(clock.today(), -1)))
        with db.transaction():
            expiry.expire(self.order_id)

    def transfers(self) -> None:
        self.trade.pay(self.order_id, 500)

    def delivers(self) -> None:
        self.trade.ship(self.order_id)
        self.trade.accept(self.order_id)

    def asks_refund(self) -> None:
        with db.transaction():
            refunds.ask_whole(self.order_id, "多付", self.people["clerk.zhang"])

    def confirms_refund(self) -> None:
        for refund_id, way in self._asked():
            with db.transaction():
                if way == "card":
                    card_refunds.send(refund_id, self.people["chair.shi"])
                else:
                    refunds.confirm(refund_id, clock.today(), self.people["chair.shi"])

    # ---- reading ----------------------------------------------------------------------------------------------------

    def _read(self, query: Any) -> list[Any]:
        rows = list(db.session().execute(query).all())
        db.session().rollback()
        return rows

    def _live(self) -> list[Any]:
        return self._read(select(CardPayment.account_id, CardPayment.session_id).where(
            CardPayment.order_id == self.order_id, CardPayment.state == "open"))

    def _pages(self) -> list[str]:
        return [row.session_url for row in self._read(select(CardPayment.session_url).where(
            CardPayment.order_id == self.order_id, CardPayment.session_url != ""))]

    def _attempts(self) -> list[int]:
        return [row.id for row in self._read(select(CardPayment.id).where(CardPayment.order_id == self.order_id))]

    def _asked(self) -> list[tuple[int, str]]:
        return [(row.id, row.way) for row in self._read(select(Refund.id, Refund.way).where(
            Refund.order_id == self.order_id, Refund.state == "asked"))]

    # ---- the end of a walk ------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """The provider behaves again, what was asked for is confirmed, the workers have time; then the books agree."""
        self.stand_in.behave()
        do(self, "confirms_refund")
        for _turn in range(TURNS_TO_SETTLE):
            with db.transaction() as session:
                session.execute(update(OutboxMessage).where(OutboxMessage.done_at.is_(None))
                                .values(due_at=clock.now()))
                session.execute(update(CardPayment).where(
                    CardPayment.order_id == self.order_id, CardPayment.state.in_(LIVE_STATES))
                    .values(next_look_at=clock.now()))
            self.works()
            if not self._unsettled():
                break
        assert self._unsettled() == []
        theirs = {intent: sums for intent, sums in self.stand_in.balances(self.account).items()
                  if intent in self._intents()}
        assert self._ours() == theirs
        self.captured += len(theirs)
        self.refunded += sum(back > 0 for _in, back in theirs.values())

    def _unsettled(self) -> list[Any]:
        """What still waits for an answer: pages that nobody pays may stay open."""
        sending = select(Refund.id).where(Refund.order_id == self.order_id, Refund.state == "sending")
        asked = select(CardPayment.id).where(CardPayment.order_id == self.order_id, CardPayment.state == "asked")
        return self._read(sending.union_all(asked))

    def _intents(self) -> set[str]:
        """The provider's own marks say which charges are this order's."""
        mine = {str(one) for one in self._attempts()}
        return {str(charge["payment_intent"]) for charge in self.stand_in.charges(self.account)
                if charge["metadata"].get("payment") in mine}

    def _ours(self) -> Mapping[str, tuple[int, int]]:
        """Captured and refunded fen by payment, as the ledger holds them."""
        received, refunded = db.table(LedgerTransfer).alias(), db.table(LedgerTransfer).alias()
        captured = (
            select(db.sum_of(received.c.amount_fen)).select_from(received)
            .join(ReceiptShare, received.c.source == "receipt:" + cast(ReceiptShare.id, String))
            .where(received.c.event == "received", ReceiptShare.card_payment_id == CardPayment.id).scalar_subquery())
        back = (
            select(db.sum_of(refunded.c.amount_fen)).select_from(refunded)
            .join(RefundShare, refunded.c.source == "refund:" + cast(RefundShare.id, String))
            .join(Refund, Refund.id == RefundShare.refund_id)
            .where(refunded.c.event == "refunded", Refund.card_payment_id == CardPayment.id).scalar_subquery())
        return {row.intent_id: (row.captured, row.back) for row in self._read(
            select(CardPayment.intent_id, captured.label("captured"), back.label("back"))
            .where(CardPayment.order_id == self.order_id, captured > 0))}


DEEDS: Mapping[str, Callable[[Hands], None]] = {
    deed.__name__: deed for deed in (
        Hands.opens, Hands.pays, Hands.looks, Hands.rings, Hands.works, Hands.page_times_out, Hands.cancels,
        Hands.expires, Hands.transfers, Hands.delivers, Hands.asks_refund, Hands.confirms_refund)}
OFTEN = ("opens", "opens", "opens", "pays", "pays", "pays", "rings", "works", "asks_refund", "confirms_refund")
BEGINNINGS = ((), ("opens",), ("opens",), ("opens", "pays"), ("opens", "pays", "looks", "cancels", "asks_refund"))
a_deed = st.sampled_from((*sorted(DEEDS), *OFTEN))


class Walk(RuleBasedStateMachine):
    """One order's history."""

    hands: Hands

    @initialize(terms=st.sampled_from(("goods_first", "pay_first")), deeds=st.sampled_from(BEGINNINGS))
    def begin(self, terms: str, deeds: tuple[str, ...]) -> None:
        self.hands.begin(terms)
        for deed in deeds:
            do(self.hands, deed)

    @rule(deed=a_deed)
    def one(self, deed: str) -> None:
        do(self.hands, deed)

    @rule(deeds=st.lists(a_deed, min_size=2, max_size=HANDS))
    def at_once(self, deeds: list[str]) -> None:
        db.session().rollback()
        with ThreadPoolExecutor(len(deeds)) as hands:
            for done in [hands.submit(do, self.hands, deed) for deed in deeds]:
                done.result()

    @rule(kind=st.sampled_from(MISHAPS), on=st.sampled_from(CALLS))
    def provider_misbehaves(self, kind: str, on: str) -> None:
        self.hands.stand_in.misbehave(self.hands.account, kind, times=1, seconds=0.0, on=on)

    def teardown(self) -> None:
        if self.hands.order_id:
            self.hands.settle()


def do(hands: Hands, deed: str) -> None:
    """A deed in a context of its own; what is refused is refused."""
    with hands.app.app_context(), suppress(MarketError):
        DEEDS[deed](hands)
        db.db.session.remove()


def test_the_books_agree_whatever_happens(app: Flask, world: World, trade: Trade, stand_in: StandIn) -> None:
    everybody = Hands(app, world, trade, stand_in)

    class Here(Walk):
        hands = everybody

    run_state_machine_as_test(Here, settings=settings(
        max_examples=WALKS, stateful_step_count=STEPS, deadline=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck), print_blob=True))
    assert audit.check() == []
    assert everybody.captured > WALKS // 4, "these walks hardly ever paid"
    assert everybody.refunded > WALKS // 40, "these walks hardly ever gave back"
