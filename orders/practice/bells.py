"""Webhooks: signed by the library's own signer; held for a test, or rung by a thread until somebody answers 2xx."""

import http.client
import json
import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import stripe
import structlog

from orders.practice.books import Books, Thing, new_id

API_VERSION = "2026-10-28.endive"
TRIES, PAUSE_SECONDS, LOOK_SECONDS, AT_ONCE, SENDERS = 6, 2, 0.1, 50, 4

log = structlog.get_logger("sijin.practice")


@dataclass(frozen=True)
class Delivery:
    """One webhook request as it goes over the wire."""

    body: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def kind(self) -> str:
        return str(self.event["type"])


@dataclass
class Habit:
    """How an account's events are rung: so many times, late, in another order, and the next `drop` not at all."""

    copies: int = 1
    delay: float = 0.0
    drop: int = 0
    shuffled: bool = False


class Bells:
    """The events of all accounts. Without an address they are held."""

    def __init__(self, books: Books, secret: str, address: str = "") -> None:
        self.books, self.secret, self.address = books, secret, address
        self.addresses: dict[str, str] = {}  # of accounts that have one of their own
        self.habits: dict[str, Habit] = {}
        self._ended = threading.Event()
        self._senders = ThreadPoolExecutor(SENDERS, "bell")

    def ring(self, account: str, kind: str, thing: Thing) -> None:
        """Something happened in an account; part of the deed that it happened in."""
        event = {"id": new_id("evt"), "object": "event", "account": account, "api_version": API_VERSION,
                 "created": self.books.now(), "data": {"object": thing}, "livemode": False, "pending_webhooks": 1,
                 "request": {"id": None, "idempotency_key": None}, "type": kind}
        body, habit = json.dumps(event, ensure_ascii=False), self.habits.get(account, Habit())
        state = "waiting" if self.address_of(account) else "held"
        if habit.drop > 0:
            habit.drop -= 1
            state = "dropped"
        due = self.books.now() + habit.delay
        with self.books.deed() as connection:
            connection.executemany("INSERT INTO bell (account, body, due, state) VALUES (?, ?, ?, ?)",
                                   [(account, body, due, state)] * habit.copies)

    def address_of(self, account: str) -> str:
        return self.addresses.get(account, self.address)

    def signed(self, body: str, stamp: int | None = None, secret: str = "") -> Delivery:
        """A body as the provider sends it now, or with another stamp or secret."""
        header = stripe.WebhookSignature.generate_signature_header(
            body, secret or self.secret, self.books.now() if stamp is None else stamp)
        return Delivery(body.encode(), str(header))

    def held(self, account: str = "", state: str = "held") -> list[Delivery]:
        """The events that wait for a test to send them (of one account), oldest first."""
        rows = self.books.rows("SELECT body FROM bell WHERE state = ? AND (account = ? OR ? = '') ORDER BY seq",
                               state, account, account)
        return [self.signed(row["body"]) for row in rows]

    # ---- by a thread ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ring what is due, until stop()."""
        threading.Thread(target=self._run, name="bells", daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(0 if self.ring_due() else LOOK_SECONDS):
            pass

    def ring_due(self) -> int:
        """Send what is due, once each, several at a time; returns how many were answered 2xx."""
        rows = self.books.rows("SELECT seq, account, body, tries FROM bell WHERE state = 'waiting' AND due <= ? "
                               "ORDER BY due, seq LIMIT ?", self.books.now(), AT_ONCE)
        if any(self.habits.get(row["account"], Habit()).shuffled for row in rows):
            random.shuffle(rows)
        return sum(self._senders.map(self._ring_one, rows))

    def _ring_one(self, row: sqlite3.Row) -> bool:
        good = self._send(self.address_of(row["account"]), row["body"])
        state = "done" if good else "given_up" if row["tries"] + 1 >= TRIES else "waiting"
        with self.books.deed() as connection:
            connection.execute("UPDATE bell SET state = ?, tries = tries + 1, due = ? WHERE seq = ?",
                               (state, self.books.now() + PAUSE_SECONDS * 2 ** row["tries"], row["seq"]))
        return good

    def _send(self, address: str, body: str) -> bool:
        try:
            return 200 <= post(address, self.signed(body)) < 300
        except OSError:
            log.info("nobody answers the webhook", address=address)
            return False


def post(address: str, delivery: Delivery) -> int:
    """Send a webhook over HTTP; returns the status. Raises OSError where nobody answers."""
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=30)
    try:
        connection.request("POST", where.path or "/", delivery.body,
                           {"Content-Type": "application/json", "Stripe-Signature": delivery.signature})
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
