"""A thousand bells in ten seconds while twenty shoppers browse: every bell is answered 2xx, nobody gets a 5xx."""

import http.client
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import stripe
from sqlalchemy import func, select

from market import clock, db
from market.outbox import OutboxMessage
from orders.models import ConnectedAccount, ProviderEvent
from tests import databases, servers
from tests.servers import Server
from tests.trade import Trade
from tests.world import GREENS, World

pytestmark = pytest.mark.slow

EVENTS, SECONDS, RINGERS, SHOPPERS = 1_000, 10, 10, 20
ACCOUNT = "acct_of_the_greens"


@pytest.fixture
def account(world: World) -> str:
    with db.transaction() as session:
        session.add(ConnectedAccount(
            supplier_id=world.organisation_id(GREENS), account_id=ACCOUNT, live=False, charges_enabled=True,
            connected_by=world.person("chair.shi").id, connected_at=clock.now()))
    return ACCOUNT


def test_a_thousand_bells_among_shoppers(
        world: World, trade: Trade, account: str, database_url: str, data_dir: Path) -> None:
    products = [trade.product(name) for name in ("白菜", "萝卜", "芋头")]
    for product in products:
        trade.lot(product)
    db.session().rollback()
    pages = ["/", "/search?q=%E7%99%BD%E8%8F%9C", *(f"/products/{product}" for product in products)]
    rung_out = Event()
    with (servers.running(database_url, data_dir, quiet=True, RATE_LIMITS="off") as server,
          ThreadPoolExecutor(RINGERS + SHOPPERS) as people):
        shoppers = [people.submit(browse, server, pages, rung_out) for _ in range(SHOPPERS)]
        rung = Counter(status for ringer in [people.submit(ring, server, account, number) for number in range(RINGERS)]
                       for status in ringer.result())
        rung_out.set()
        seen = Counter(status for shopper in shoppers for status in shopper.result())
    assert rung == {200: EVENTS}
    assert set(seen) == {200}
    assert counted(ProviderEvent) == counted(OutboxMessage, OutboxMessage.kind.like("card.%")) == EVENTS


def ring(server: Server, account: str, number: int) -> list[int]:
    """One ringer's share of the bells, evenly over the ten seconds; what each was answered."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    answers, began, share = [], time.monotonic(), EVENTS // RINGERS
    for turn in range(share):
        time.sleep(max(0.0, began + turn * SECONDS / share - time.monotonic()))
        body = json.dumps({
            "id": f"evt_{number}_{turn}", "object": "event", "type": "charge.succeeded", "livemode": False,
            "account": account, "data": {"object": {"id": f"ch_{number}_{turn}", "object": "charge"}}})
        connection.request("POST", "/webhooks/stripe", body, {
            "Content-Type": "application/json",
            "Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, databases.CARD_SECRET)})
        answer = connection.getresponse()
        answer.read()
        answers.append(answer.status)
    return answers


def browse(server: Server, pages: list[str], rung_out: Event) -> list[int]:
    """A shopper who reads one page after the other, a second each."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    seen: list[int] = []
    while not rung_out.wait(1.0):
        connection.request("GET", pages[len(seen) % len(pages)])
        answer = connection.getresponse()
        answer.read()
        seen.append(answer.status)
    return seen


def counted(table: type[db.Base], *conditions: object) -> int:
    with db.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
