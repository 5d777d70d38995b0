"""What the card provider rings about: kept once as it came, then followed up by looking, in any order."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select, update

from market import clock, db, outbox
from orders.models import CardPayment, ConnectedAccount, ProviderEvent
from orders.models.cards import LIVE_STATES
from orders.paying import card_accounts, card_following, cards, tasks
from orders.paying.gateway import BadWebhook, Bell, Gateway

RANG = "card.event"
REFUND = "card.refund_event"  # for who makes refunds: {object_id, account_id, kind, event_id, refund_mark}
_events = db.table(ProviderEvent)


def keep(bell: Bell) -> bool:
    """Keep a bell and have it followed up after the commit; False where it rang before.

    Raises BadWebhook for an account that is nobody's here.
    """
    if _supplier_of(bell.account_id) is None:
        raise BadWebhook("account")
    kept = insert_once(bell)
    if kept is not None:
        outbox.enqueue(RANG, {"event_id": kept}, unique_key=f"{RANG}:{kept}")
    return kept is not None


def insert_once(bell: Bell) -> int | None:
    """The new row's id; None where the event is there already: of any number of rivals one gets it."""
    kept: int | None = db.session().execute(db.insert_new(ProviderEvent).values(
        event_id=bell.event_id, account_id=bell.account_id, kind=bell.kind, object_id=bell.object_id, live=bell.live,
        body=bell.body, received_at=clock.now(), outcome="").returning(_events.c.id)).scalar()
    return kept


def _supplier_of(account_id: str) -> int | None:
    """Whose account it is, or was when somebody paid into it."""
    session = db.session()
    return session.scalar(select(ConnectedAccount.supplier_id).where(ConnectedAccount.account_id == account_id)) or (
        session.scalar(select(CardPayment.supplier_id).where(CardPayment.account_id == account_id).limit(1)))


def follow_up(event_id: int, gateway: Gateway) -> None:
    """Do what a kept bell asks for, once; harmless when repeated. Outside a transaction."""
    session = db.session()
    event = session.execute(select(_events).where(_events.c.id == event_id)).one()
    session.rollback()
    if event.handled_at is not None:
        return
    outcome = _outcome(event, json.loads(event.body)["data"]["object"], gateway)
    with db.transaction() as session:
        session.execute(update(ProviderEvent).where(ProviderEvent.id == event_id)
                        .values(handled_at=clock.now(), outcome=outcome))


def _outcome(event: Row[Any], thing: Mapping[str, Any], gateway: Gateway) -> str:
    """What came of it, in a word for the record."""
    if event.kind.startswith("charge.dispute."):
        return _dispute(event, thing, gateway)
    if event.kind.startswith(("refund.", "charge.refund")):
        return _refund(event, thing, gateway)
    if event.kind == "account.updated":
        return card_accounts.check_account(event.account_id, gateway)
    if event.kind == "account.application.deauthorized":
        return card_accounts.lost(event.account_id)
    if event.kind.startswith(("checkout.session.", "payment_intent.", "charge.")):
        return _payment(event, thing, gateway)
    return "nothing to do"


def _payment(event: Row[Any], thing: Mapping[str, Any], gateway: Gateway) -> str:
    """One that is under way is looked at by the worker's own turn: six bells at once are one look."""
    payment = _payment_of(event, thing)
    if payment is None:
        return "none of ours"
    if payment.state in LIVE_STATES:
        with db.transaction():
            card_following.look_now(payment.id)
        return "looking"
    return cards.book(payment.id, gateway)


def _booked_first(event: Row[Any], thing: Mapping[str, Any], gateway: Gateway) -> Any:
    """The attempt of a charge that we had not heard of yet, booked; None where it is none of ours."""
    intent = thing.get("payment_intent")
    charge = gateway.charge(event.account_id, intent) if isinstance(intent, str) else None
    payment = _payment_of(event, {"metadata": {"payment": charge.reference}}) if charge is not None else None
    if payment is not None:
        cards.book(payment.id, gateway)
    return payment


def _payment_of(event: Row[Any], thing: Mapping[str, Any]) -> Any:
    """The attempt that an event is about, or None: by the provider's ids, or by our mark where these are not known."""
    ids = {event.object_id, *(value for value in (thing.get("payment_intent"), thing.get("charge"))
                              if isinstance(value, str))}
    marks = thing.get("metadata")
    mark = str(marks.get("payment", "")) if isinstance(marks, dict) else ""
    is_it: list[ColumnElement[bool]] = [
        CardPayment.session_id.in_(ids), CardPayment.intent_id.in_(ids), CardPayment.charge_id.in_(ids)]
    if mark.isascii() and mark.isdigit() and len(mark) < 13:
        is_it.append(CardPayment.id == int(mark))
    session = db.session()
    found = session.execute(
        select(CardPayment.id, CardPayment.state, CardPayment.order_id)
        .where(CardPayment.account_id == event.account_id, or_(*is_it)).order_by(CardPayment.id).limit(1)).first()
    session.rollback()
    return found


def _dispute(event: Row[Any], thing: Mapping[str, Any], gateway: Gateway) -> str:
    """A payer's bank wants the money back: somebody of the co-operative has to answer there."""
    return _task("dispute", event, thing, gateway, status=str(thing.get("status")), reason=str(thing.get("reason")))


def _refund(event: Row[Any], thing: Mapping[str, Any], gateway: Gateway) -> str:
    """Our own refunds go to who made them; one that was made at the provider is a task."""
    marks = thing.get("metadata")
    mark = str(marks.get("refund") or "") if isinstance(marks, dict) else ""
    made_there = thing.get("object") == "refund" and not mark
    if made_there:
        return _task("provider_refund", event, thing, gateway, status=str(thing.get("status")))
    with db.transaction():
        outbox.enqueue(REFUND, {"object_id": event.object_id, "account_id": event.account_id, "kind": event.kind,
                                "event_id": event.id, "refund_mark": mark}, unique_key=f"{REFUND}:{event.id}")
    return "refund"


def _task(kind: str, event: Row[Any], thing: Mapping[str, Any], gateway: Gateway, **facts: Any) -> str:
    payment = _payment_of(event, thing) or _booked_first(event, thing, gateway)
    supplier_id = _supplier_of(event.account_id)
    if supplier_id is None:
        return "none of ours"
    amount = thing.get("amount")
    with db.transaction():
        found = tasks.find(
            kind, event.object_id, supplier_id, amount_fen=amount if type(amount) is int else None,
            order_id=payment.order_id if payment else None, card_payment_id=payment.id if payment else None,
            charge=str(thing.get("charge") or ""), **facts)
    return "task" if found else "known task"
