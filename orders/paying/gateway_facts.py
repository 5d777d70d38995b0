"""What the card provider says, in our own words: facts of pages, charges, refunds, accounts and bells, and refusals."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from market.errors import N_, MarketError


class Declined(MarketError):
    """The provider refused, for certain: nothing was charged or given back."""

    status = 409
    code = "card_declined"
    text = N_("The card provider refused: %(why)s")


class OutcomeUnknown(MarketError):
    """No answer, or none to rely on. It may have happened; it is looked up."""

    status = 503
    code = "card_unknown"
    text = N_("The card provider does not answer. The payment is being checked.")


class CardsOff(MarketError):
    """This site has no card provider."""

    status = 409
    code = "cards_off"
    text = N_("Payment by card is not offered here. Please pay by bank transfer.")


class BadWebhook(Exception):
    """Not from the provider, or not to be believed."""


@dataclass(frozen=True)
class Asked:
    """What a payment page is opened for. `amount_fen` > 0; `key` was stored before."""

    account_id: str
    key: str
    payment_id: int
    order_number: str
    amount_fen: int
    title: str
    success_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True)
class Session:
    """A payment page: open, complete or expired; `intent_id` once somebody has tried to pay."""

    id: str
    url: str
    state: str
    paid: bool
    intent_id: str | None
    amount_fen: int
    currency: str
    live: bool
    reference: str  # our payment's id


@dataclass(frozen=True)
class Charge:
    """Money that the provider took for a co-operative, in fen."""

    id: str
    intent_id: str | None
    captured_fen: int
    refunded_fen: int
    currency: str
    live: bool
    paid: bool
    disputed: bool
    way: str
    reference: str  # our payment's id, empty where it is none of ours
    order_number: str
    created_at: datetime


@dataclass(frozen=True)
class GivenBack:
    """A refund at the provider: pending, succeeded, failed or canceled."""

    id: str
    intent_id: str | None
    charge_id: str | None
    amount_fen: int
    currency: str
    state: str
    reference: str  # our refund's id, empty where it was made in the provider's dashboard
    created_at: datetime


@dataclass(frozen=True)
class Dispute:
    """A payer's bank asks for the money back."""

    id: str
    charge_id: str
    amount_fen: int
    state: str
    reason: str
    created_at: datetime


@dataclass(frozen=True)
class Account:
    """A co-operative's own account at the provider."""

    id: str
    charges_enabled: bool
    name: str


@dataclass(frozen=True)
class Bell:
    """A webhook whose signature holds."""

    event_id: str
    kind: str
    account_id: str
    object_id: str
    live: bool
    body: str


# ---- read from the provider's own things --------------------------------------------------------------------------


def bell_of(body: bytes) -> Bell:
    """The facts of an event. Raises BadWebhook for anything else that JSON can hold."""
    try:
        text = body.decode()
        event = json.loads(text)
        thing = event["data"]["object"]
        facts = (event["id"], event["type"], event.get("account") or "", thing["id"], event["livemode"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadWebhook("no event") from error
    if [type(fact) for fact in facts] != [str, str, str, str, bool] or any(len(f) > 80 for f in facts[:3]):
        raise BadWebhook("no event")
    if not all(fact.isascii() and fact.isprintable() for fact in facts[:4]) or "\0" in text:  # a database refuses it
        raise BadWebhook("no event")
    return Bell(facts[0], facts[1], facts[2], facts[3][:120], facts[4], text)


def session_of(found: Any) -> Session:
    return Session(found.id, found.url or "", found.status, found.payment_status == "paid", _id(found.payment_intent),
                   found.amount_total, found.currency, found.livemode, found.client_reference_id or "")


def charge_of(found: Any) -> Charge:
    details = found.payment_method_details
    marks = found.metadata or {}
    return Charge(found.id, _id(found.payment_intent), found.amount_captured, found.amount_refunded, found.currency,
                  found.livemode, found.paid, found.disputed, details.type if details else "",
                  _mark(marks, "payment"), _mark(marks, "order"), _moment(found.created))


def given_back_of(found: Any) -> GivenBack:
    return GivenBack(found.id, _id(found.payment_intent), _id(found.charge), found.amount, found.currency, found.status,
                     _mark(found.metadata or {}, "refund"), _moment(found.created))


def dispute_of(found: Any) -> Dispute:
    return Dispute(found.id, _id(found.charge) or "", found.amount, found.status, found.reason, _moment(found.created))


def account_of(found: Any) -> Account:
    profile = found.business_profile
    return Account(found.id, bool(found.charges_enabled), (profile.name if profile else "") or "")


def _mark(marks: Any, name: str) -> str:
    return str(marks[name]) if name in marks else ""


def _id(found: Any) -> str | None:
    """The id of something that the provider may give as an id or whole."""
    return found if found is None or isinstance(found, str) else str(found.id)


def _moment(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
