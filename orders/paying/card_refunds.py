"""Money back to the card or wallet it came from: confirmed by a second person, sent by the worker, booked once.

The provider is called outside any transaction, always with the refund's id as key, so a call without an answer is made
again and gives back once. The books follow what the provider says: per card payment, what it brought less its refunds
that are done is what the provider has kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from market import clock, db, faults, journal, outbox
from market.access import Visitor
from market.errors import Conflict
from orders.models import CardPayment, Order, Refund
from orders.paying import refunds, tasks
from orders.paying.gateway import CardsOff, Declined, Gateway, GivenBack, OutcomeUnknown

SEND = "refund.send"
KEY_LASTS = timedelta(hours=20)  # the provider forgets keys after a day: then it is looked for before it is sent again
SKEW = timedelta(hours=1)  # between the provider's clock and ours
IN_ONE_TURN = 50
FAILED = frozenset({"failed", "canceled"})
LONGEST = 500


def send(refund_id: int, by: Visitor) -> Refund:
    """A second person of the co-operative says that the money goes back to the card: the worker sends it.

    Raises NotFound, Conflict, SecondPersonNeeded, NotOwed where the order has come to cost more since.
    """
    order, refund = refunds.locked(refund_id, by)
    if refund.state != "asked" or refund.way != "card":
        raise Conflict()
    refunds.check_second(refund, order, by)
    refunds.check_still_owed(order, refund)
    refund.state, refund.confirmed_by, refund.confirmed_at = "sending", by.id, clock.now()
    db.session().flush()
    outbox.enqueue(SEND, {"refund_id": refund.id})
    journal.record("payment.refund_sent", "order", order.id, by, refund=refund.number, amount_fen=refund.amount_fen,
                   second=refund.made_by)
    faults.point("refund_confirmed")
    return refund


@dataclass(frozen=True)
class Sending:
    """What a call needs, read before it."""

    refund_id: int
    account_id: str
    intent_id: str
    amount_fen: int
    provider_id: str | None
    since: datetime
    tried: bool


@dataclass(frozen=True)
class Refused:
    """The provider has refused for certain: nothing moved."""

    why: str


def carry_on(refund_id: int, gateway: Gateway) -> None:
    """Send a refund, or see what became of it, and book what the provider says; harmless however often it is done.

    Opens its own transactions, none of them around the call. Without an answer it stays on its way.
    """
    with db.transaction():
        sending = _begin(refund_id, gateway.live)
    if sending is None:
        return
    given: GivenBack | Refused | None
    try:
        given = _given(sending, gateway)
    except (OutcomeUnknown, CardsOff):
        return
    except Declined as refusal:
        refused = Refused(str(refusal.details["why"]))
        given = _made_before(sending, gateway, refused) if sending.tried else refused
    if given is not None:
        with db.transaction():
            _settle(refund_id, given)


def _made_before(sending: Sending, gateway: Gateway, refusal: Refused) -> GivenBack | Refused | None:
    """Refused now, but an earlier call had no answer: only what the provider's list shows is certain."""
    try:
        return _look(sending.account_id, sending.since, sending.provider_id, sending.refund_id, gateway) or refusal
    except (Declined, OutcomeUnknown, CardsOff):
        return None


def look_again(refund_id: int, gateway: Gateway) -> None:
    """The provider rang about a refund: carry on with it, or, where it is booked, see whether it has bounced."""
    with db.transaction() as session:
        done = session.execute(
            select(Refund.provider_id, Refund.confirmed_at, CardPayment.account_id)
            .join(CardPayment, CardPayment.id == Refund.card_payment_id)
            .where(Refund.id == refund_id, Refund.state == "done")).first()
    if done is None:
        carry_on(refund_id, gateway)
        return
    given = _look(done.account_id, done.confirmed_at, done.provider_id, refund_id, gateway)
    if given is not None and given.state in FAILED:
        with db.transaction():
            order, refund = refunds.locked(refund_id, None)
            _tell_people(order, refund, given.state, booked=True)


def under_way() -> list[int]:
    """Refunds on their way to a card, those that were tried longest ago first."""
    return list(db.session().scalars(
        select(Refund.id).where(Refund.state == "sending")
        .order_by(Refund.tried_at.is_not(None), Refund.tried_at, Refund.id).limit(IN_ONE_TURN)))


def named(account_id: str, mark: str, provider_id: str) -> int | None:
    """The refund that the provider speaks of: by our mark on it, or by its own name for it; None for none of ours."""
    ours = Refund.id == int(mark) if mark.isascii() and mark.isdigit() and len(mark) < 13 else (
        Refund.provider_id == provider_id)
    return db.session().scalar(
        select(Refund.id).join(CardPayment, CardPayment.id == Refund.card_payment_id)
        .where(ours, CardPayment.account_id == account_id))


def _begin(refund_id: int, live: bool) -> Sending | None:
    """Note the try and read what the call needs; None where there is nothing to send, or it was paid in another mode
    than this site's now, whose key knows nothing of it.
    """
    refund = db.session().scalar(
        select(Refund).where(Refund.id == refund_id, Refund.state == "sending").with_for_update())
    if refund is None:
        return None
    payment = db.session().get_one(CardPayment, refund.card_payment_id)
    if payment.live != live:
        return None
    tried, refund.tried_at = refund.tried_at is not None, clock.now()
    return Sending(refund.id, payment.account_id, payment.intent_id or "", refund.amount_fen, refund.provider_id,
                   refund.confirmed_at or refund.made_at, tried)


def _given(sending: Sending, gateway: Gateway) -> GivenBack:
    """What the provider has done, asked for with the same key as ever. Raises Declined, OutcomeUnknown, CardsOff."""
    old = clock.now() - sending.since > KEY_LASTS
    if sending.provider_id or old:
        found = _look(sending.account_id, sending.since, sending.provider_id, sending.refund_id, gateway)
        if found is not None:
            return found
        if sending.provider_id:  # it is there, only not in what was looked at: never send another
            raise OutcomeUnknown()
    faults.point("refund_before_call")
    given = gateway.refund(sending.account_id, sending.intent_id, sending.amount_fen, sending.refund_id)
    faults.point("refund_after_call")
    return given


def _look(account_id: str, since: datetime, provider_id: str | None, refund_id: int,
          gateway: Gateway) -> GivenBack | None:
    for one in gateway.refunds(account_id, since - SKEW, clock.now() + SKEW):
        if one.id == provider_id or one.reference == str(refund_id):
            return one
    return None


def _settle(refund_id: int, given: GivenBack | Refused) -> None:
    """Book a refund that has succeeded, once; one that is pending keeps its name at the provider and waits."""
    order, refund = refunds.locked(refund_id, None)
    if refund.state != "sending":
        return
    if isinstance(given, Refused):
        _fail(order, refund, given.why)
        return
    refund.provider_id = given.id
    if given.state in FAILED:
        _fail(order, refund, given.state)
    elif given.state == "succeeded":
        refunds.book(refund)
        journal.record("payment.refunded", "order", order.id, None, refund=refund.number,
                       amount_fen=refund.amount_fen)
    db.session().flush()


def _fail(order: Order, refund: Refund, why: str) -> None:
    """Nothing moved, and somebody has to see to it; it may be asked for again."""
    refund.state, refund.answer = "failed", why[:LONGEST]
    db.session().flush()
    journal.record("payment.refund_failed", "order", order.id, None, refund=refund.number,
                   amount_fen=refund.amount_fen, reason=refund.answer)
    _tell_people(order, refund, why, booked=False)


def _tell_people(order: Order, refund: Refund, why: str, *, booked: bool) -> None:
    tasks.find("refund_failed", refund.number, order.supplier_id, amount_fen=refund.amount_fen, order_id=order.id,
               card_payment_id=refund.card_payment_id, refund_id=refund.id, why=why[:LONGEST], booked=booked)
