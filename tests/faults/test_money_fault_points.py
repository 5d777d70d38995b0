"""Whoever opens a card page, hears a bell, books a payment or sends a refund is killed (SIGKILL) at every fault point.

Each deed is done by a process of its own that dies at the point, then by one that lives: in the end there is one page,
one bell, one booking, one refund, the co-operative's books agree with the card provider's, and the audit finds nothing.
"""

import os
import signal
from collections.abc import Callable
from typing import TypeVar

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from market import audit, clock, db, faults, outbox
from market.db import Base
from market.outbox import OutboxMessage
from orders.buying import approval
from orders.models import CardPayment, Order, ProviderEvent, ReceiptShare, Refund
from orders.paying import card_refunds, cards, refunds
from orders.paying.gateway import Gateway
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, World

pytestmark = pytest.mark.slow

PAGE = ("card_asked", "card_before_call", "card_after_call")
BELL = ("webhook_stored", "webhook_committed")
BOOKING = ("booking_fetched", "receipt_laid", "booking_booked", "booking_committed")
REFUND_ASKED = ("refund_asked",)
REFUND_SENT = ("refund_confirmed",)
REFUND_GIVEN = ("refund_before_call", "refund_after_call", "refund_booked")
FEN = 2_300
T = TypeVar("T", bound=Base)


@pytest.fixture
def account(stand_in: StandIn) -> str:
    return stand_in.account(GREENS)


@pytest.fixture
def order_id(trade: Trade) -> int:
    """Ten kilos of cabbage for ¥23.00."""
    return trade.cabbage(price_fen=230).id


class Deeds:
    """The deeds of this story, each harmless when repeated."""

    def __init__(self, app: Flask, world: World, stand_in: StandIn, account: str, order_id: int) -> None:
        self.app, self.stand_in, self.account, self.order_id = app, stand_in, account, order_id
        self.cashier, self.cook = world.person("cashier.sun"), world.person("cook.chen")
        self.clerk, self.chair = world.person("clerk.zhang"), world.person("chair.shi")

    @property
    def gateway(self) -> Gateway:
        found: Gateway = self.app.extensions["sijin_gateway"]
        return found

    def open_page(self) -> None:
        with db.transaction():
            payment = cards.start(self.order_id, self.cashier, self.gateway)
        cards.open_page(payment.id, self.gateway)

    def ring(self) -> None:
        (bell,) = self.stand_in.events_of(self.account, "checkout.session.completed")
        assert self.stand_in.deliver_to(self.app.test_client(), [bell]) == [200]

    def book(self) -> None:
        cards.book(the_only(CardPayment).id, self.gateway)

    def cancel(self) -> None:
        with db.transaction():
            approval.cancel(self.order_id, "不要了", self.cook)

    def ask_refund(self) -> None:
        with db.transaction():
            if db.session().scalar(select(func.count()).select_from(Refund)) == 0:  # as a form's token sees to it
                refunds.ask_whole(self.order_id, "订单已取消", self.clerk)

    def send_refund(self) -> None:
        refund = the_only(Refund)
        if refund.state == "asked":
            with db.transaction():
                card_refunds.send(refund.id, self.chair)

    def give_refund(self) -> None:
        card_refunds.carry_on(the_only(Refund).id, self.gateway)


def test_one_of_each_whoever_falls_where(
        app: Flask, world: World, stand_in: StandIn, account: str, order_id: int) -> None:
    deeds = Deeds(app, world, stand_in, account, order_id)
    for point in PAGE:
        falls(app, point, deeds.open_page)
        assert counted(CardPayment) == (0 if point == "card_asked" else 1), point
    deeds.open_page()
    page = the_only(CardPayment)
    assert (page.state, page.attempt) == ("open", 1)
    assert len(stand_in.provider.books.all(account, "checkout.session")) == 1, "every try was the same page"
    stand_in.pay(page.session_url)

    for point in BELL:
        falls(app, point, deeds.ring)
        assert counted(ProviderEvent) == messages() == (0 if point == "webhook_stored" else 1), point
    deeds.ring()
    assert counted(ProviderEvent) == messages() == 1

    for point in BOOKING:
        falls(app, point, deeds.book)
        whole = point == "booking_committed"
        assert (the_only(CardPayment).state, counted(ReceiptShare)) == (("paid", 1) if whole else ("open", 0)), point
    deeds.book()
    work(app)
    assert (state(order_id).payment, state(order_id).received_fen, counted(ReceiptShare)) == ("paid", FEN, 1)

    deeds.cancel()
    for point in REFUND_ASKED:
        falls(app, point, deeds.ask_refund)
        assert counted(Refund) == 0, point
    deeds.ask_refund()
    for point in REFUND_SENT:
        falls(app, point, deeds.send_refund)
        assert the_only(Refund).state == "asked", point
    deeds.send_refund()
    for point in REFUND_GIVEN:
        falls(app, point, deeds.give_refund)
        assert (the_only(Refund).state, state(order_id).refunded_fen) == ("sending", 0), point
    deeds.give_refund()
    work(app)
    assert (the_only(Refund).state, state(order_id).refunded_fen) == ("done", FEN)
    assert list(stand_in.balances(account).values()) == [(FEN, FEN)]
    assert len(stand_in.refunds(account)) == 1


def falls(app: Flask, point: str, deed: Callable[[], None]) -> None:
    """Do a deed in a process of its own, which is killed at the point; afterwards the books balance."""
    db.session().rollback()
    pid = os.fork()
    if pid == 0:
        _die(app, point, deed)
    _pid, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), f"{point}: nobody fell, status {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL
    db.session().rollback()
    assert audit.check() == [], point


def _die(app: Flask, point: str, deed: Callable[[], None]) -> None:
    """The child: with connections of its own; what it inherited stays the parent's."""
    try:
        with app.app_context():
            db.db.engine.dispose(close=False)
            app.extensions["sijin_gateway"] = Gateway(app.extensions["sijin"])
            faults.arm({point})
            deed()
    finally:
        os._exit(0)


def work(app: Flask) -> None:
    """The worker's turn: what the fallen had told and what lives on to be told."""
    with db.transaction() as session:
        session.execute(update(OutboxMessage).where(OutboxMessage.done_at.is_(None)).values(due_at=clock.now()))
    outbox.drain(app.extensions["sijin_handlers"])


def the_only(table: type[T]) -> T:
    """The one row that a table holds, as it is now."""
    db.session().rollback()
    return db.session().scalars(select(table).execution_options(populate_existing=True)).one()


def state(order_id: int) -> Order:
    db.session().rollback()
    return db.session().get_one(Order, order_id, populate_existing=True)


def counted(table: type[Base]) -> int:
    with db.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def messages() -> int:
    """Bells that the worker is to follow up."""
    with db.snapshot() as session:
        return session.scalar(select(func.count()).select_from(OutboxMessage).where(
            OutboxMessage.kind == "card.event")) or 0
