"""Payment by card and wallet: an attempt is written down, its page opened, and what came of it booked once.

The attempt and its key stand in the table before the provider is called, and the same key goes with every try; the
provider is asked outside a transaction, and what it says is booked inside one.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select, update

from market import clock, db, faults, journal
from market.access import Visitor
from market.errors import N_, Conflict, NotFound
from orders.buying import lists
from orders.models import CardPayment, Order
from orders.models.cards import LIVE_STATES
from orders.paying import card_booking, card_closing, card_offers, claims
from orders.paying.gateway import SESSION_MINUTES, Asked, Declined, Gateway, OutcomeUnknown

FIRST_LOOK = timedelta(seconds=15)
KEY_KEPT = timedelta(hours=23)  # the provider forgets keys after a day: then the same key would open a second page
LAST_MINUTES = timedelta(minutes=5)  # after which nobody pays any more on a page whose time is over
SKEW = timedelta(hours=1)  # between the provider's clock and ours


class EarlierAttempt(Conflict):
    """An attempt of another amount is not closed yet."""

    code = "earlier_attempt"
    text = N_("An earlier payment of this order is still being checked. Please try again in a minute.")


class LookedAt(Conflict):
    """Money came for the order that is not what was asked for, and nobody has said yet what becomes of it."""

    code = "looked_at"
    text = N_("Money has arrived for this order that is not what was asked for. The co-operative is looking at it; "
              "please do not pay again.")


def start(order_id: int, by: Visitor, gateway: Gateway) -> CardPayment:
    """Write down that this order is to be paid by card: what is open now, once; an attempt that is under way is reused.

    The payer is a person of their own, as for claims. Raises NotFound, SecondPersonNeeded, CardsOff, BankOnly,
    NoCardAccount, NothingOpen, EarlierAttempt, LookedAt.
    """
    session = db.session()
    order = session.scalar(
        select(Order).where(Order.id == order_id, Order.unit_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    claims.check_payer([order], by)
    amount_fen = card_offers.open_fen(order.id)
    refusal = card_offers.refusal(order, amount_fen, gateway)
    if refusal is not None:
        raise refusal
    if session.scalar(select(Order.id).where(Order.id == order.id, card_closing.is_looked_at())) is not None:
        raise LookedAt()
    under_way = session.scalar(
        select(CardPayment).where(CardPayment.order_id == order.id, CardPayment.state.in_(LIVE_STATES)))
    if under_way is not None and (under_way.amount_fen != amount_fen or under_way.live != gateway.live):
        raise EarlierAttempt()
    return under_way or _attempt(order, amount_fen, by, gateway)


def _attempt(order: Order, amount_fen: int, by: Visitor, gateway: Gateway) -> CardPayment:
    session, now = db.session(), clock.now()
    account = card_offers.account_of(order.supplier_id, gateway)
    if account is None:
        raise card_offers.NoCardAccount()
    attempt = 1 + (session.scalar(
        select(func.max(CardPayment.attempt)).where(CardPayment.order_id == order.id)) or 0)
    payment = CardPayment(
        order_id=order.id, unit_id=order.unit_id, supplier_id=order.supplier_id, account_id=account.account_id,
        attempt=attempt, key=f"order-{order.number}-{attempt}", amount_fen=amount_fen, live=gateway.live,
        state="asked", started_by=by.id, started_at=now, expires_at=now + timedelta(minutes=SESSION_MINUTES),
        next_look_at=now + FIRST_LOOK)
    session.add(payment)
    session.flush()
    journal.record("payment.card_asked", "order", order.id, by, key=payment.key, amount_fen=amount_fen)
    faults.point("card_asked")
    return payment


def newest(order_id: int) -> Row[Any]:
    """The latest attempt of an order. The caller has checked whose it is."""
    return db.session().execute(
        select(db.table(CardPayment)).where(CardPayment.order_id == order_id)
        .order_by(CardPayment.attempt.desc()).limit(1)).one()


def close_changed(order_id: int, by: Visitor, gateway: Gateway) -> None:
    """Close a page that stands for another amount than is open now; outside a transaction. Raises OutcomeUnknown."""
    changed = db.session().scalar(
        select(CardPayment.id).join(Order, Order.id == CardPayment.order_id)
        .where(CardPayment.order_id == order_id, CardPayment.unit_id == by.organisation_id,
               CardPayment.state.in_(LIVE_STATES), CardPayment.amount_fen != lists.open_fen()))
    if changed is not None:
        close(changed, gateway)


def close(payment_id: int, gateway: Gateway) -> str:
    """Close an attempt's page so that nobody pays on it, and book what was paid before; returns the state.

    Outside a transaction. Raises OutcomeUnknown.
    """
    if open_page(payment_id, gateway) == "open":
        row = _row(payment_id)
        with suppress(Declined):  # it is not open any more: what became of it is looked up
            gateway.expire(row.account_id, row.session_id)
    return book(payment_id, gateway)


def open_page(payment_id: int, gateway: Gateway) -> str:
    """Open the attempt's page at the provider, by the key that was stored; returns the state. Outside a transaction.

    Harmless when repeated: the same key finds the same page. Raises OutcomeUnknown, which leaves it 'asked'; once a
    page could not be paid any more, it is looked for among the charges instead.
    """
    row = _row(payment_id)
    if row.state != "asked" or row.live != gateway.live:
        return str(row.state)
    if clock.now() - row.started_at > KEY_KEPT:
        return _look_for_charge(row, gateway)
    faults.point("card_before_call")
    try:
        page = gateway.open_session(_asked(row, gateway))
    except Declined as refusal:
        with db.transaction():
            return card_booking.refuse(payment_id, refusal.message())
    except OutcomeUnknown:
        if clock.now() < row.expires_at + LAST_MINUTES:
            raise
        return _look_for_charge(row, gateway)
    faults.point("card_after_call")
    with db.transaction() as session:
        session.execute(update(CardPayment).where(CardPayment.id == payment_id, CardPayment.state == "asked")
                        .values(session_id=page.id, session_url=page.url, state="open"))
    return str(_row(payment_id).state)


def book(payment_id: int, gateway: Gateway) -> str:
    """Look up what became of an attempt and book it once; returns the state. Outside a transaction.

    The one way for webhook, return page, worker and reconciliation; any number of them at once. Raises OutcomeUnknown
    and Declined where the provider does not tell.
    """
    state = open_page(payment_id, gateway)
    row = _row(payment_id)
    if state == "paid":
        return state
    if row.live != gateway.live:
        return _of_other_mode(row)
    if row.session_id is None:
        return state if state == "asked" else _look_for_charge(row, gateway)
    page = gateway.session(row.account_id, row.session_id)
    charge = gateway.charge(row.account_id, page.intent_id) if page.intent_id else None
    faults.point("booking_fetched")
    with db.transaction():
        state = card_booking.enter(payment_id, page, charge)
        faults.point("booking_booked")
    faults.point("booking_committed")
    return state


def _of_other_mode(row: Row[Any]) -> str:
    """This site's key does not know a page of practice once it is in earnest, nor the other way round: it ends with
    its time. Money that came of it is booked when the mode is right again and it is looked up.
    """
    if row.state not in LIVE_STATES or clock.now() < row.expires_at + LAST_MINUTES:
        return str(row.state)
    with db.transaction():
        return card_booking.enter(row.id, None, None)


def _look_for_charge(row: Row[Any], gateway: Gateway) -> str:
    """An attempt whose page was never heard of: is there money of it? One that has ended stays so without."""
    found = next((charge for charge in gateway.charges(row.account_id, row.started_at - SKEW, clock.now() + SKEW)
                  if charge.reference == str(row.id)), None)
    if found is None and row.state != "asked":
        return str(row.state)
    with db.transaction():
        return card_booking.enter(row.id, None, found)


def _row(payment_id: int) -> Row[Any]:
    """An attempt as it stands; the read is over afterwards, as the provider may take its time."""
    session = db.session()
    if db.WRITE in session.info:
        raise RuntimeError("the provider is asked outside a transaction")
    row = session.execute(
        select(db.table(CardPayment), Order.number, Order.supplier_name)
        .join(Order, Order.id == CardPayment.order_id).where(CardPayment.id == payment_id)).one()
    session.rollback()
    return row


def _asked(row: Row[Any], gateway: Gateway) -> Asked:
    """The same for every try: only what was stored."""
    there = f"{gateway.site_url}/orders/{row.order_id}/card-payments"
    return Asked(
        account_id=row.account_id, key=row.key, payment_id=row.id, order_number=row.number, amount_fen=row.amount_fen,
        title=f"{row.supplier_name} {row.number}", success_url=f"{there}/{row.id}", cancel_url=there,
        expires_at=row.expires_at)
