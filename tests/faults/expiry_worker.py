"""One side of the race about unpaid orders: `python -m tests.faults.expiry_worker expire|claim|confirm|book`.

`expire` is the worker's own job; `claim` says for every order that money was sent, `confirm` answers the claims that
are there, `book` lays card payments as they come. `unlocked` expires with the look under the lock taken off: what is
left is the code everybody writes first, look what is unpaid, then cancel it. It starts with FAULTS=unlocked alone,
which production refuses.
"""

import os
import sys
import time
from datetime import timedelta

from sqlalchemy import select

from market import clock, db, logins
from market.access import Visitor
from market.errors import MarketError
from orders.models import CardPayment, Order, PaymentClaim
from orders.paying import card_closing, claims, expiry, receipts, terms_jobs
from tests.faults.standing_worker import wait_for_the_others
from tests.world import NOON
from wsgi import create_app

PAUSE_SECONDS = 1.0
LATE = NOON + timedelta(days=31)
ROUNDS = 40


def person(login: str) -> Visitor:
    found = logins.visitor_of_login(login)
    assert found is not None
    db.session().rollback()
    return found


def expire() -> None:
    for _round in range(ROUNDS):
        terms_jobs.expire()
        time.sleep(0.01)


def take_look_off() -> None:
    if os.environ.get("FAULTS") != "unlocked":
        raise SystemExit("this worker cancels what is paid on purpose: it starts with FAULTS=unlocked only")
    looked = expiry.due

    def due_long_ago(most: int = expiry.AT_ONCE) -> list[int]:
        found = looked(most)
        db.session().rollback()
        time.sleep(PAUSE_SECONDS)
        return found

    expiry.due = due_long_ago
    expiry._still_due = lambda _order_id: True


def claim() -> None:
    sun, told = person("cashier.sun"), claims.Remittance("永州演示第一小学", clock.today())
    for order in unpaid():
        try:
            with db.transaction():
                claims.claim({order.id: order.placed_fen}, told, sun)
        except MarketError:
            continue


def confirm() -> None:
    shi = person("chair.shi")
    for claim_id in db.session().scalars(select(PaymentClaim.id).where(PaymentClaim.state == "claimed")).all():
        db.session().rollback()
        try:
            with db.transaction():
                claims.confirm(claim_id, shi)
        except MarketError:
            continue


def book() -> None:
    """As a payment by card is booked: under the order's lock, whatever has become of it."""
    for payment in db.session().execute(select(db.table(CardPayment))).all():
        db.session().rollback()
        with db.transaction() as session:
            order = session.scalars(select(Order).where(Order.id == payment.order_id).with_for_update()).one()
            row = session.get_one(CardPayment, payment.id)
            row.state, row.business_date = "paid", clock.today()
            session.flush()
            receipts.lay(order, receipts.Brought(card_payment_id=row.id), row.amount_fen, clock.today())
            receipts.update_payment(order)


def unpaid() -> list[Order]:
    found = db.session().execute(select(db.table(Order)).where(
        Order.payment == "unpaid", ~card_closing.is_open()).order_by(Order.id)).all()
    db.session().rollback()
    return list(found)


WORK = {"expire": expire, "unlocked": expire, "claim": claim, "confirm": confirm, "book": book}

if __name__ == "__main__":
    if sys.argv[1] == "unlocked":
        take_look_off()
    with create_app().app_context(), clock.at(LATE):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        wait_for_the_others()
        WORK[sys.argv[1]]()
