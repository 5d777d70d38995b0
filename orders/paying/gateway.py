"""The card provider, in our words: the only file of the product's own that imports stripe.

Every call is made on the co-operative's connected account and may be repeated with the same key. Nothing here touches
the database; nobody calls it inside a transaction. What it raises says what is known: Declined (nothing happened),
OutcomeUnknown (it may have happened: ask again with the same key, or look).
"""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import stripe
import structlog

from market import clock
from market.config import Config
from market.errors import N_, MarketError

API_VERSION = "2026-10-28.endive"  # the one that stripe 16.1 speaks; pinned with it
CURRENCY = "cny"
WAYS = ("card", "alipay", "wechat_pay")
SECONDS = 10  # for one call; after that its outcome is unknown
TOLERANCE_SECONDS = 300  # of a webhook's stamp, old or ahead
SESSION_MINUTES = 35  # the provider wants at least 30
PAGE = 100
IN_USE = 409

T = TypeVar("T")
log = structlog.get_logger("sijin.cards")


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


class Gateway:
    """The provider as one site's settings reach it. Made once per process, used by many threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._made: stripe.StripeClient | None = None
        self._making = threading.Lock()

    @property
    def is_on(self) -> bool:
        """Whether this site takes cards at all."""
        return bool(self._config.stripe_key)

    @property
    def live(self) -> bool:
        """Whether cards are charged in earnest."""
        return self._config.live_money

    @property
    def site_url(self) -> str:
        """Where the payer comes back to."""
        return self._config.site_url

    # ---- paying -----------------------------------------------------------------------------------------------------

    def open_session(self, asked: Asked) -> Session:
        """Open the page on which an order is paid. Raises Declined, OutcomeUnknown."""
        marks = {"payment": str(asked.payment_id), "order": asked.order_number}
        return _session(self._call(lambda client: client.v1.checkout.sessions.create(
            {
                "mode": "payment", "client_reference_id": str(asked.payment_id), "metadata": marks,
                "allowed_payment_method_types": list(WAYS),
                "payment_method_options": {"wechat_pay": {"client": "web"}},
                "payment_intent_data": {"metadata": marks, "description": asked.order_number},
                "line_items": [{"quantity": 1, "price_data": {
                    "currency": CURRENCY, "unit_amount": asked.amount_fen, "product_data": {"name": asked.title}}}],
                "success_url": asked.success_url, "cancel_url": asked.cancel_url,
                "expires_at": int(asked.expires_at.timestamp()),
            }, {"stripe_account": asked.account_id, "idempotency_key": asked.key})))

    def session(self, account_id: str, session_id: str) -> Session:
        """A payment page as it stands. Raises Declined, OutcomeUnknown."""
        return _session(self._call(
            lambda client: client.v1.checkout.sessions.retrieve(session_id, options={"stripe_account": account_id})))

    def expire(self, account_id: str, session_id: str) -> Session:
        """Close a page so that nobody pays on it; Declined where it is no longer open."""
        return _session(self._call(
            lambda client: client.v1.checkout.sessions.expire(session_id, options={"stripe_account": account_id})))

    def charge(self, account_id: str, intent_id: str) -> Charge | None:
        """The successful charge of a payment, None where there is none (yet)."""
        found = self._call(lambda client: client.v1.payment_intents.retrieve(
            intent_id, {"expand": ["latest_charge"]}, {"stripe_account": account_id}))
        latest = found.latest_charge
        return _charge(latest) if latest is not None and not isinstance(latest, str) and latest.paid else None

    # ---- giving back ------------------------------------------------------------------------------------------------

    def refund(self, account_id: str, intent_id: str, amount_fen: int, refund_id: int) -> GivenBack:
        """Give money back to the card or wallet it came from; the key is our refund's id. Raises Declined,
        OutcomeUnknown.
        """
        return _given(self._call(lambda client: client.v1.refunds.create(
            {"payment_intent": intent_id, "amount": amount_fen, "metadata": {"refund": str(refund_id)}},
            {"stripe_account": account_id, "idempotency_key": f"refund-{refund_id}"})))

    # ---- looking ----------------------------------------------------------------------------------------------------

    def charges(self, account_id: str, since: datetime, until: datetime) -> Iterator[Charge]:
        """Every charge made on an account from a moment to a moment (UTC, half-open), failed ones left out."""
        for found in self._list(lambda client, options: client.v1.charges.list(
                {"created": _between(since, until), "limit": PAGE}, options), account_id):
            if found.paid:
                yield _charge(found)

    def refunds(self, account_id: str, since: datetime, until: datetime) -> Iterator[GivenBack]:
        """Every refund of an account from a moment to a moment."""
        yield from map(_given, self._list(lambda client, options: client.v1.refunds.list(
            {"created": _between(since, until), "limit": PAGE}, options), account_id))

    def disputes(self, account_id: str, since: datetime, until: datetime) -> Iterator[Dispute]:
        """Every dispute of an account from a moment to a moment."""
        for one in self._list(lambda client, options: client.v1.disputes.list(
                {"created": _between(since, until), "limit": PAGE}, options), account_id):
            yield Dispute(one.id, _id(one.charge) or "", one.amount, one.status, one.reason, _moment(one.created))

    def _list(self, ask: Callable[[Any, Any], Any], account_id: str) -> Iterator[Any]:
        """All pages of a list; each page is a call of its own."""
        page = self._call(lambda client: ask(client, {"stripe_account": account_id}))
        while True:
            yield from page.data
            if not page.has_more:
                return
            page = self._call(lambda _client: page.next_page())  # noqa: B023 - called at once

    # ---- accounts ---------------------------------------------------------------------------------------------------

    def account(self, account_id: str) -> Account:
        """A connected account as it stands. Raises Declined, OutcomeUnknown."""
        return _account(self._call(lambda client: client.v1.accounts.retrieve(account_id)))

    def create_account(self, supplier_id: int, name: str) -> Account:
        """An account of the co-operative's own: it sees to its dashboard, fees and losses. Raises Declined,
        OutcomeUnknown.
        """
        return _account(self._call(lambda client: client.v1.accounts.create(
            {
                "controller": {"fees": {"payer": "account"}, "losses": {"payments": "stripe"},
                               "stripe_dashboard": {"type": "full"}},
                "business_profile": {"name": name}, "metadata": {"supplier": str(supplier_id)},
            }, {"idempotency_key": f"account-{supplier_id}"})))

    def onboarding_url(self, account_id: str, back_url: str) -> str:
        """Where the co-operative tells the provider who it is. Raises Declined, OutcomeUnknown."""
        return self._call(lambda client: client.v1.account_links.create({
            "account": account_id, "type": "account_onboarding", "return_url": back_url, "refresh_url": back_url})).url

    # ---- webhooks ---------------------------------------------------------------------------------------------------

    def heard(self, body: bytes, signature: str) -> Bell:
        """Check who rang and when. Raises BadWebhook: unsigned, forged, old, ahead, of another mode, or no event."""
        if not any(_is_signed(body, signature, secret) for secret in self._config.stripe_secrets):
            raise BadWebhook("signature")
        if abs(clock.now().timestamp() - _stamp(signature)) > TOLERANCE_SECONDS:
            raise BadWebhook("stamp")
        bell = _bell(body)
        if bell.live != self.live:
            raise BadWebhook("mode")
        return bell

    # ---- how a call is made -----------------------------------------------------------------------------------------

    def _call(self, work: Callable[[stripe.StripeClient], T]) -> T:
        """Make a call; what the library raises becomes Declined or OutcomeUnknown."""
        if not self.is_on:
            raise CardsOff()
        client = self._client()
        try:
            return work(client)
        except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
            raise OutcomeUnknown() from error
        except stripe.StripeError as error:
            if error.http_status == IN_USE:  # another try with this key is under way
                raise OutcomeUnknown() from error
            raise Declined(why=_why(error)) from error

    def _client(self) -> stripe.StripeClient:
        with self._making:
            if self._made is None:
                where: Any = {"base_addresses": {"api": self._config.stripe_api}} if self._config.stripe_api else {}
                self._made = stripe.StripeClient(
                    self._config.stripe_key, stripe_version=API_VERSION, max_network_retries=0,
                    http_client=stripe.RequestsClient(timeout=SECONDS), **where)
            return self._made


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body.decode(), signature, secret))
    except (stripe.SignatureVerificationError, ValueError, TypeError):  # not UTF-8; a signature that is not ASCII
        return False


def _stamp(signature: str) -> int:
    """The moment that was signed, read as the library reads it: the first 't'. The signature holds."""
    return int(next(part.split("=")[1] for part in signature.split(",") if part.startswith("t=")))


def _why(error: stripe.StripeError) -> str:
    """What may be shown: a bank's own word. Of other refusals only the kind, as their sentences name keys and
    accounts; the provider finds the rest by the number that is logged.
    """
    log.warning("the card provider refused", kind=type(error).__name__, code=error.code, number=error.request_id)
    word = error.user_message if isinstance(error, stripe.CardError) else None
    return str(word or error.code or type(error).__name__)


def _bell(body: bytes) -> Bell:
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


def _session(found: Any) -> Session:
    return Session(found.id, found.url or "", found.status, found.payment_status == "paid", _id(found.payment_intent),
                   found.amount_total, found.currency, found.livemode, found.client_reference_id or "")


def _charge(found: Any) -> Charge:
    details = found.payment_method_details
    marks = found.metadata or {}
    return Charge(found.id, _id(found.payment_intent), found.amount_captured, found.amount_refunded, found.currency,
                  found.livemode, found.paid, found.disputed, details.type if details else "",
                  _mark(marks, "payment"), _mark(marks, "order"), _moment(found.created))


def _given(found: Any) -> GivenBack:
    return GivenBack(found.id, _id(found.payment_intent), _id(found.charge), found.amount, found.currency, found.status,
                     _mark(found.metadata or {}, "refund"), _moment(found.created))


def _account(found: Any) -> Account:
    profile = found.business_profile
    return Account(found.id, bool(found.charges_enabled), (profile.name if profile else "") or "")


def _mark(marks: Any, name: str) -> str:
    return str(marks[name]) if name in marks else ""


def _id(found: Any) -> str | None:
    """The id of something that the provider may give as an id or whole."""
    return found if found is None or isinstance(found, str) else str(found.id)


def _between(since: datetime, until: datetime) -> Any:
    return {"gte": int(since.timestamp()), "lt": int(until.timestamp())}


def _moment(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
