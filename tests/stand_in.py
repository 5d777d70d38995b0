"""The stand-in of the card provider for tests: real HTTP on loopback, books in memory, its levers in Python.

A test that asks for `stand_in` gets a provider that remembers nothing, behaves, and lives at the test's own time. Its
webhooks are held until the test delivers them, unless `ring()` names an address.
"""

import http.client
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import make_server

from market import clock, db
from market.parties import Organisation
from market.users import User
from orders.models.cards import ConnectedAccount
from orders.practice import bells as practice_bells
from orders.practice.bells import Delivery, Habit
from orders.practice.books import Thing
from orders.practice.cli import Quiet, create_app
from orders.practice.modes import Mode
from orders.practice.provider import Provider
from orders.practice.refunds import DISPUTE, REFUND
from orders.practice.sessions import CHARGE, GOOD_CARD, SESSION
from tests import databases
from tests.world import ORGANISATIONS

WEBHOOKS = "/webhooks/stripe"
_running: list[Provider] = []


class StandIn:
    """What a test can see and do at the provider."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.secret = provider.bells.secret

    # ---- accounts ---------------------------------------------------------------------------------------------------

    def account(self, supplier: int | str, name: str = "", enabled: bool = True) -> str:
        """Connect a co-operative (by id or key of the test world): an account there, a committed row here. Its id."""
        with db.transaction() as session:
            if isinstance(supplier, str):
                found = session.scalar(select(Organisation).where(Organisation.name == ORGANISATIONS[supplier][1]))
            else:
                found = session.get(Organisation, supplier)
            assert found is not None, supplier
            made = self.new_account(name or found.name, enabled)
            session.add(ConnectedAccount(
                supplier_id=found.id, account_id=made, live=False, charges_enabled=enabled, connected_at=clock.now(),
                connected_by=session.scalars(select(User.id).order_by(User.id)).first(), checked_at=clock.now()))
        return made

    def new_account(self, name: str = "演示合作社", enabled: bool = True) -> str:
        """An account at the provider only."""
        made = str(self.provider.accounts.create({"business_profile": {"name": name}})["id"])
        if enabled:
            self.provider.books.keep(self.provider.accounts.get(made) | {
                "charges_enabled": True, "details_submitted": True, "payouts_enabled": True})
        return made

    # ---- the payer --------------------------------------------------------------------------------------------------

    def pay(self, session_url: str, way: str = "alipay", card: str = GOOD_CARD) -> str:
        """Pay as a browser would; returns where it is sent, or "" where nothing was charged."""
        return self.try_to_pay(session_url, way, card)[1]

    def try_to_pay(self, session_url: str, way: str = "alipay", card: str = GOOD_CARD) -> tuple[int, str, str]:
        """Press the button; returns status, where the browser is sent, and the page. Raises OSError when cut off."""
        return _sent("POST", session_url, way=way, number=card)

    def press(self, url: str) -> tuple[int, str]:
        """Press the one button of another page of the provider's; returns status and where the browser is sent."""
        return _sent("POST", url)[:2]

    def look(self, url: str) -> tuple[int, str]:
        """Status and text of a page of the provider's."""
        status, _back, text = _sent("GET", url)
        return status, text

    # ---- its own books ----------------------------------------------------------------------------------------------

    def pages(self, account_id: str) -> list[Thing]:
        """Every payment page of an account, oldest first."""
        return self.provider.books.all(account_id, SESSION)

    def charges(self, account_id: str) -> list[Thing]:
        """Everything that an account took, oldest first, failed tries left out."""
        return [charge for charge in self.provider.books.all(account_id, CHARGE) if charge["paid"]]

    def refunds(self, account_id: str) -> list[Thing]:
        """Everything that an account gave back, oldest first."""
        return self.provider.books.all(account_id, REFUND)

    def disputes(self, account_id: str) -> list[Thing]:
        return self.provider.books.all(account_id, DISPUTE)

    def balances(self, account_id: str) -> dict[str, tuple[int, int]]:
        """Captured and refunded fen by payment intent."""
        return {str(one["payment_intent"]): (one["amount_captured"], one["amount_refunded"])
                for one in self.charges(account_id)}

    # ---- what happens without the shop ------------------------------------------------------------------------------

    def dispute(self, charge_id: str, fen: int | None = None) -> Thing:
        """The payer's bank wants the money back (all of it, unless fen are named)."""
        return self.provider.refunds.dispute(charge_id, fen)

    def refund_in_dashboard(self, charge_id: str, fen: int) -> Thing:
        """The co-operative gives money back without telling the shop."""
        return self.provider.refunds.create(self.provider.books.owner(charge_id), {"charge": charge_id, "amount": fen})

    def foreign_charge(self, account_id: str, fen: int, way: str = "alipay") -> Thing:
        """Money for something that the shop knows nothing of."""
        return self.provider.refunds.foreign_charge(account_id, fen, way)

    def change_amount(self, charge_id: str, fen: int) -> Thing:
        """The provider's books now say another amount for a charge."""
        return self.provider.refunds.change(charge_id, amount=fen, amount_captured=fen)

    def change(self, charge_id: str, **facts: Any) -> Thing:
        """The provider's books now say something else of a charge: currency="usd", livemode=True, metadata=…"""
        return self.provider.refunds.change(charge_id, **facts)

    def expire_due(self) -> int:
        """Expire every page whose time is up (they also expire when looked at); returns how many."""
        return self.provider.sessions.expire_due()

    # ---- modes: what the next calls meet ----------------------------------------------------------------------------

    def misbehave(self, account_id: str, kind: str, times: int = 1, seconds: float = 1.0, on: str = "") -> None:
        """The next `times` calls meet: decline, charge_then_hang, charge_then_cut, 429, 500, slow (see modes.Mode).

        `on` names one call: open, session, expire, intent, refund, charges, refunds, disputes, account, link, or pay.
        """
        self.provider.modes.set(account_id, Mode(kind, times, seconds, on))

    def let_refunds_wait(self, account_id: str, times: int = 1) -> None:
        """The next refunds of an account are pending until finish_refund()."""
        self.provider.refunds.pending_next[account_id] = times

    def finish_refund(self, refund_id: str, state: str = "succeeded") -> Thing:
        """A pending refund is now succeeded, failed or canceled."""
        return self.provider.refunds.finish(refund_id, state)

    def behave(self) -> None:
        """No modes any more."""
        self.provider.modes.clear()

    # ---- webhooks ---------------------------------------------------------------------------------------------------

    @property
    def events(self) -> list[Delivery]:
        """Every event so far, signed now, oldest first: .body, .signature, .kind, .event."""
        return self.events_of("")

    def events_of(self, account_id: str, kind: str = "") -> list[Delivery]:
        """The held events of an account, and of a kind where one is named."""
        return [one for one in self.provider.bells.held(account_id) if kind in {"", one.kind}]

    def signed(self, body: str, stamp: int | None = None, secret: str = "") -> Delivery:
        """Any body as the provider would send it: also old, ahead, or with a wrong secret."""
        return self.provider.bells.signed(body, stamp, secret)

    def deliver_to(self, target: FlaskClient | str, deliveries: list[Delivery] | None = None, copies: int = 1,
                   shuffled: bool = False, at_once: int = 1) -> list[int]:
        """Send the held events (or these) to a test client, or to the address of a site; returns the statuses.

        To an address several may go `at_once`.

        They stay in `events`; nothing is sent by itself.
        """
        sent = [one for one in (self.events if deliveries is None else deliveries) for _ in range(copies)]
        if shuffled:
            random.shuffle(sent)
        if isinstance(target, str) and at_once > 1:
            with ThreadPoolExecutor(at_once) as senders:
                return list(senders.map(lambda one: _deliver(target, one), sent))
        return [_deliver(target, one) for one in sent]

    def ring(self, site: str, account_id: str = "", **habit: Any) -> None:
        """From now on deliver by itself to a site's address; copies=, delay=, drop=, shuffled= for one account."""
        address = site.rstrip("/") + WEBHOOKS
        if account_id:
            self.provider.bells.addresses[account_id] = address
            self.provider.bells.habits[account_id] = Habit(**habit)
        else:
            self.provider.bells.address = address

    def drop_next(self, account_id: str, count: int) -> None:
        """The next events of an account are never sent, nor held."""
        self.provider.bells.habits.setdefault(account_id, Habit()).drop = count


def _sent(method: str, url: str, **form: str) -> tuple[int, str, str]:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    try:
        connection.request(method, f"{where.path}?{where.query}", urlencode(form),
                           {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location") or "", answer.read().decode()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def _deliver(target: FlaskClient | str, delivery: Delivery) -> int:
    if isinstance(target, str):
        return practice_bells.post(target.rstrip("/") + WEBHOOKS, delivery)
    return target.post(WEBHOOKS, data=delivery.body, content_type="application/json",
                       headers={"Stripe-Signature": delivery.signature}).status_code


def _provider() -> Provider:
    """The one of this process; listens where the tests' settings say."""
    if not _running:
        provider = Provider(databases.CARD_SECRET)
        port = urlsplit(os.environ[databases.STAND_IN]).port
        server = make_server("127.0.0.1", port or 0, create_app(provider), threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, name="stand-in", daemon=True).start()
        provider.bells.start()
        _running.append(provider)
    return _running[0]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The card provider of this test. It follows `clock.at`."""
    provider = _provider()
    provider.clear()
    provider.books.moment = clock._set_to.get()
    original = clock.at

    @contextmanager
    def at(moment: datetime) -> Iterator[None]:
        before, provider.books.moment = provider.books.moment, moment
        try:
            with original(moment):
                yield
        finally:
            provider.books.moment = before

    monkeypatch.setattr(clock, "at", at)
    yield StandIn(provider)
    provider.clear()
