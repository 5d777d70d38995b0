"""Two hands on the same money at the same moment, each met where it hurts; and the same with a guard taken off."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import clock, db, faults
from orders.banking import finding
from orders.models import BankRow, CardPayment, Order, PaymentClaim, ReceiptShare
from orders.paying import card_booking, cards, claims
from orders.paying.gateway import Charge, Session
from tests import bank_tables
from tests.bank_tables import line
from tests.services.test_banking import accepted, take
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, World

pytestmark = pytest.mark.slow
HANDS, SECONDS = 4, 20


def at_once(app: Flask, *works: Callable[[], object]) -> list[object]:
    """Each in a thread and context of its own; what one raises is raised here."""
    def one(work: Callable[[], object]) -> object:
        with app.app_context():
            try:
                return work()
            finally:
                db.db.session.remove()

    db.session().rollback()
    with ThreadPoolExecutor(len(works)) as hands:
        return [done.result(SECONDS) for done in [hands.submit(one, work) for work in works]]


def a_paid_page(app: Flask, world: World, trade: Trade, stand_in: StandIn) -> tuple[int, int]:
    """Cabbage for ¥20.00, paid at the provider, not yet booked: the order and its attempt."""
    gateway = app.extensions["sijin_gateway"]
    stand_in.account(GREENS)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    order_id = trade.orders(trade.place({cabbage: 10_000}))[0].id
    with db.transaction():
        payment_id = cards.start(order_id, world.person("cashier.sun"), gateway).id
    cards.open_page(payment_id, gateway)
    stand_in.pay(db.session().get_one(CardPayment, payment_id).session_url)
    return order_id, payment_id


def book_at_once(app: Flask, payment_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four have all fetched what the provider says before the first of them books."""
    together = threading.Barrier(HANDS)

    def point(name: str) -> None:
        if name == "booking_fetched":
            together.wait(SECONDS)

    monkeypatch.setattr(faults, "point", point)
    gateway = app.extensions["sijin_gateway"]
    assert at_once(app, *[lambda: cards.book(payment_id, gateway)] * HANDS) == ["paid"] * HANDS


def received(order_id: int) -> int:
    return db.session().get_one(Order, order_id, populate_existing=True).received_fen


def test_four_who_fetched_the_same_payment_book_it_once(
        app: Flask, world: World, trade: Trade, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id, payment_id = a_paid_page(app, world, trade, stand_in)
    book_at_once(app, payment_id, monkeypatch)
    assert (received(order_id), db.session().scalar(select(func.count()).select_from(ReceiptShare))) == (2000, 1)


def test_without_looking_whether_it_is_paid_they_book_it_four_times(
        app: Flask, world: World, trade: Trade, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def enter(payment_id: int, _page: Session | None, charge: Charge | None) -> str:
        order, payment = card_booking._locked(payment_id)
        assert charge is not None
        return card_booking._receive(order, payment, charge)

    order_id, payment_id = a_paid_page(app, world, trade, stand_in)
    monkeypatch.setattr(card_booking, "enter", enter)
    book_at_once(app, payment_id, monkeypatch)
    assert received(order_id) == HANDS * 2000


def test_a_statement_comes_in_while_the_claim_that_it_shows_is_confirmed(
        app: Flask, world: World, trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the other in a circle, and the row lies on the claim."""
    due = accepted(trade, 2300)
    claim_id, number = trade.pay(due.id, 2300, confirmed=False), due.number
    chair, has_orders = world.person("chair.shi"), threading.Event()
    locked = finding.locked

    def and_waits(order_ids: list[int]) -> dict[int, Order]:
        found = locked(order_ids)
        has_orders.set()
        threading.Event().wait(0.5)
        return found

    def confirm() -> None:
        has_orders.wait(SECONDS)
        with db.transaction():
            claims.confirm(claim_id, chair)

    monkeypatch.setattr(finding, "locked", and_waits)
    content = bank_tables.csv_of(line("23.00", number, day=clock.today().isoformat()))
    at_once(app, lambda: take(world, content, "clerk.zhang"), confirm)
    assert db.session().execute(select(BankRow.state, BankRow.claim_id)).all() == [("matched", claim_id)]
    assert db.session().scalars(select(PaymentClaim.state)).all() == ["received"]


def test_a_claim_is_taken_back_while_it_is_confirmed(app: Flask, world: World, trade: Trade) -> None:
    """One comes first; the other finds it answered. Never both, and the money is there or it is not."""
    due = accepted(trade, 2300)
    ended: list[str] = []
    for _ in range(8):
        claim_id = trade.pay(due.id, 100, confirmed=False)

        def answer(verb: Callable[[int, object], object], login: str, claim_id: int = claim_id) -> str:
            try:
                with db.transaction():
                    verb(claim_id, world.person(login))
                return verb.__name__
            except claims.Conflict:
                return ""

        done = at_once(app, lambda: answer(claims.withdraw, "cashier.sun"), lambda: answer(claims.confirm, "chair.shi"))
        assert len([one for one in done if one]) == 1
        ended += [str(one) for one in done if one]
    assert received(due.id) == 100 * ended.count("confirm")
