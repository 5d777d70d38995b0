"""The card provider, in our words: the only file of the product's own that imports stripe.

Every call is made on the co-operative's connected account and may be repeated with the same key. Nothing here touches
the database; nobody calls it inside a transaction. What it raises says what is known: Declined (nothing happened),
OutcomeUnknown (it may have happened: ask again with the same key, or look).
"""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import stripe
import structlog

from market import clock
from market.config import Config
from orders.paying.gateway_facts import Account as Account  # passed on: who asks here needs no other door
from orders.paying.gateway_facts import Asked as Asked
from orders.paying.gateway_facts import BadWebhook as BadWebhook
from orders.paying.gateway_facts import Bell as Bell
from orders.paying.gateway_facts import CardsOff as CardsOff
from orders.paying.gateway_facts import Charge as Charge
from orders.paying.gateway_facts import Declined as Declined
from orders.paying.gateway_facts import Dispute as Dispute
from orders.paying.gateway_facts import GivenBack as GivenBack
from orders.paying.gateway_facts import OutcomeUnknown as OutcomeUnknown
from orders.paying.gateway_facts import Session as Session
from orders.paying.gateway_facts import account_of, bell_of, charge_of, dispute_of, given_back_of, session_of

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
        return session_of(self._call(lambda client: client.v1.checkout.sessions.create(
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
        return session_of(self._call(
            lambda client: client.v1.checkout.sessions.retrieve(session_id, options={"stripe_account": account_id})))

    def expire(self, account_id: str, session_id: str) -> Session:
        """Close a page so that nobody pays on it; Declined where it is no longer open."""
        return session_of(self._call(
            lambda client: client.v1.checkout.sessions.expire(session_id, options={"stripe_account": account_id})))

    def charge(self, account_id: str, intent_id: str) -> Charge | None:
        """The successful charge of a payment, None where there is none (yet)."""
        found = self._call(lambda client: client.v1.payment_intents.retrieve(
            intent_id, {"expand": ["latest_charge"]}, {"stripe_account": account_id}))
        latest = found.latest_charge
        return charge_of(latest) if latest is not None and not isinstance(latest, str) and latest.paid else None

    # ---- giving back ------------------------------------------------------------------------------------------------

    def refund(self, account_id: str, intent_id: str, amount_fen: int, refund_id: int) -> GivenBack:
        """Give money back to the card or wallet it came from; the key is our refund's id. Raises Declined,
        OutcomeUnknown.
        """
        return given_back_of(self._call(lambda client: client.v1.refunds.create(
            {"payment_intent": intent_id, "amount": amount_fen, "metadata": {"refund": str(refund_id)}},
            {"stripe_account": account_id, "idempotency_key": f"refund-{refund_id}"})))

    # ---- looking ----------------------------------------------------------------------------------------------------

    def charges(self, account_id: str, since: datetime, until: datetime) -> Iterator[Charge]:
        """Every charge made on an account from a moment to a moment (UTC, half-open), failed ones left out."""
        for found in self._list(lambda client, options: client.v1.charges.list(
                {"created": _between(since, until), "limit": PAGE}, options), account_id):
            if found.paid:
                yield charge_of(found)

    def refunds(self, account_id: str, since: datetime, until: datetime) -> Iterator[GivenBack]:
        """Every refund of an account from a moment to a moment."""
        yield from map(given_back_of, self._list(lambda client, options: client.v1.refunds.list(
            {"created": _between(since, until), "limit": PAGE}, options), account_id))

    def disputes(self, account_id: str, since: datetime, until: datetime) -> Iterator[Dispute]:
        """Every dispute of an account from a moment to a moment."""
        for one in self._list(lambda client, options: client.v1.disputes.list(
                {"created": _between(since, until), "limit": PAGE}, options), account_id):
            yield dispute_of(one)

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
        return account_of(self._call(lambda client: client.v1.accounts.retrieve(account_id)))

    def create_account(self, supplier_id: int, name: str) -> Account:
        """An account of the co-operative's own: it sees to its dashboard, fees and losses. Raises Declined,
        OutcomeUnknown.
        """
        return account_of(self._call(lambda client: client.v1.accounts.create(
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
        bell = bell_of(body)
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
        except stripe.IdempotencyError as error:  # the key is used: by a call of other words, as of another address
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


def _between(since: datetime, until: datetime) -> Any:
    return {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
