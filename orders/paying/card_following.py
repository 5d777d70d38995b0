"""Attempts under way are asked about again and again, so that an order is paid though no bell ever rings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update

from market import clock, db
from market.errors import MarketError
from orders.models import CardPayment
from orders.models.cards import LIVE_STATES
from orders.paying import cards
from orders.paying.gateway import Gateway, OutcomeUnknown

log = structlog.get_logger("sijin.cards")

TURN = 20  # attempts in one turn
UNANSWERED = 3  # after so many the provider is left alone until the next turn
WHILE_OPEN = timedelta(seconds=30)  # who pays at the last minute is told within one, too
AFTERWARDS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60))


def follow(gateway: Gateway) -> bool:
    """Ask about attempts that are due; whether more of them wait. A provider that does not answer ends the turn."""
    if not gateway.is_on:
        return False
    due, unanswered = _due(), 0
    for row in due:
        if not _take(row):
            continue
        try:
            cards.book(row.id, gateway)
        except OutcomeUnknown:
            unanswered += 1
            if unanswered == UNANSWERED:
                return False
        except MarketError as refusal:  # such as an account that was closed: it is asked again later
            log.warning("card payment not looked up", payment=row.id, why=refusal.message())
    return len(due) == TURN


def look_now(payment_id: int) -> None:
    """A bell has rung: the attempt is due at once."""
    db.session().execute(
        update(CardPayment).where(CardPayment.id == payment_id, CardPayment.state.in_(LIVE_STATES))
        .values(next_look_at=clock.now()))


def wait(row: Any, now: datetime) -> timedelta:
    """Until the next look: half a minute as long as the page may be paid, then longer and longer."""
    if now < row.expires_at:
        return WHILE_OPEN
    over = now - row.expires_at
    return next((step for step in AFTERWARDS if over < 2 * step), AFTERWARDS[-1])


def _due() -> Sequence[Any]:
    session = db.session()
    rows = session.execute(
        select(CardPayment.id, CardPayment.next_look_at, CardPayment.expires_at)
        .where(CardPayment.state.in_(LIVE_STATES), CardPayment.next_look_at <= clock.now())
        .order_by(CardPayment.next_look_at, CardPayment.id).limit(TURN)).all()
    session.rollback()
    return rows


def _take(row: Any) -> bool:
    """Say when it is looked at next, before looking: of two workers one does, and one that dies loses nothing."""
    now = clock.now()
    with db.transaction() as session:
        taken = session.execute(
            update(CardPayment).where(CardPayment.id == row.id, CardPayment.next_look_at == row.next_look_at)
            .values(next_look_at=now + wait(row, now), looks=CardPayment.looks + 1).returning(CardPayment.id)).first()
    return taken is not None
