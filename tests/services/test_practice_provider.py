"""The practice provider itself: never in production, honest about being practice, and as awkward as the real one."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from market import clock
from orders.paying.gateway import Asked, BadWebhook, Gateway
from orders.practice.bells import Habit
from orders.practice.knowing import know
from orders.practice.provider import Provider
from orders.practice.sessions import Closed
from tests import databases
from tests.stand_in import StandIn

ROOT = Path(__file__).parents[2]
LINES = [{"quantity": 1, "price_data": {"currency": "cny", "unit_amount": 2300, "product_data": {"name": "香柚"}}}]


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(databases.settings("sqlite://", tmp_path))


def opened(gateway: Gateway, account: str, key: str = "1", title: str = "香柚") -> Any:
    return gateway.open_session(Asked(account, key, 7, "S261012-7KQ2M9X", 2300, title, "http://127.0.0.1:1/back",
                                      "http://127.0.0.1:1/cancel", clock.now() + timedelta(minutes=35)))


# ---- where it may run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "imported"), [("practice", True), ("production", False)])
def test_production_cannot_import_it(mode: str, imported: bool) -> None:
    done = subprocess.run([sys.executable, "-c", "import orders.practice.cli"], cwd=ROOT, capture_output=True,
                          text=True, check=False, env={**os.environ, "SIJIN_ENV": mode})
    assert (done.returncode == 0) is imported
    assert ("not for production" in done.stderr) is not imported


def test_it_takes_no_live_key_and_knows_no_unknown_account(tmp_path: Path, stand_in: StandIn) -> None:
    api = os.environ[databases.STAND_IN]
    live = stripe.StripeClient("sk_live_0123456789", base_addresses={"api": api}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        live.v1.accounts.retrieve("acct_practice_1")
    practice = stripe.StripeClient("sk_test_1", base_addresses={"api": api}, max_network_retries=0)
    assert practice.v1.accounts.retrieve("acct_practice_1").charges_enabled
    with pytest.raises(stripe.PermissionError):
        practice.v1.charges.list({}, {"stripe_account": "acct_unknown"})


def test_what_it_knows_outlives_a_restart(tmp_path: Path) -> None:
    first = Provider("whsec_of_the_tests", tmp_path / "books.db")
    asked = {"mode": "payment", "success_url": "/back", "line_items": LINES}
    page = first.sessions.create("acct_practice_1", asked, "http://127.0.0.1:1")
    first.sessions.pay(page["id"], "alipay")
    second = Provider("whsec_of_the_tests", tmp_path / "books.db")
    with pytest.raises(Closed):
        second.sessions.pay(page["id"], "alipay")
    assert len(second.books.all("acct_practice_1", "charge")) == 1
    assert [one.kind for one in second.bells.held()][-1] == "checkout.session.completed"


# ---- what it answers -------------------------------------------------------------------------------------------------


def test_its_things_have_no_field_that_the_library_does_not_know(gateway: Gateway, stand_in: StandIn) -> None:
    account = stand_in.new_account()
    page = opened(gateway, account)
    stand_in.pay(page.url, "card")
    [charge] = stand_in.charges(account)
    stand_in.refund_in_dashboard(charge["id"], 100)
    stand_in.dispute(charge["id"])
    api = stripe.StripeClient("sk_test_1", base_addresses={"api": os.environ[databases.STAND_IN]})
    on = {"stripe_account": account}
    intent = api.v1.payment_intents.retrieve(charge["payment_intent"], options=on)
    found: list[tuple[Any, Any]] = [
        (stripe.checkout.Session, api.v1.checkout.sessions.retrieve(page.id, options=on)),
        (stripe.PaymentIntent, intent), (stripe.Charge, api.v1.charges.list({}, on).data[0]),
        (stripe.Refund, api.v1.refunds.list({}, on).data[0]), (stripe.Dispute, api.v1.disputes.list({}, on).data[0]),
        (stripe.Account, api.v1.accounts.retrieve(account)),
        (stripe.Event, stripe.Event.construct_from(stand_in.events[0].event, "sk_test_1"))]
    for kind, thing in found:
        assert type(thing) is kind
        assert set(thing.to_dict()) <= {*kind.__annotations__, "object", "id"}, kind.__name__


def test_its_events_are_what_the_library_verifies(gateway: Gateway, stand_in: StandIn) -> None:
    account = stand_in.new_account()
    page = opened(gateway, account)
    stand_in.pay(page.url)
    event = stand_in.events_of(account, "checkout.session.completed")[0]
    assert stripe.Webhook.construct_event(event.body, event.signature, stand_in.secret).account == account
    stamp, body = int(clock.now().timestamp()), event.body.decode()
    for wrong in (stand_in.signed(body, secret="whsec_of_somebody_else"), stand_in.signed(body, stamp - 400),
                  stand_in.signed(body, stamp + 400),
                  *(stand_in.signed(text) for text in (
                      "[]", "[" * 100_000, body.replace(page.id, r"cs_\u0000"), body.replace(page.id, r"cs_\ud800"),
                      body.replace('"livemode": false', '"livemode": true')))):
        with pytest.raises(BadWebhook):
            gateway.heard(wrong.body, wrong.signature)


def test_the_page_says_in_both_languages_that_it_is_practice(gateway: Gateway, stand_in: StandIn) -> None:
    account = stand_in.new_account("江永县演示香柚合作社")
    page = opened(gateway, account, title="<b>香柚</b>")
    for language, words in (("zh", ("演练", "用演练支付宝付款", "取消")),
                            ("en", ("Practice", "Pay with practice Alipay", "Cancel"))):
        status, text = stand_in.look(f"{page.url}?lang={language}")
        assert status == 200
        for word in (*words, "23.00", "江永县演示香柚合作社", "S261012-7KQ2M9X", "&lt;b&gt;", "http://127.0.0.1:1/cancel"):
            assert word in text
        assert "<script" not in text and " style=" not in text
    stand_in.pay(page.url)
    status, text = stand_in.look(page.url)
    assert status == 200 and "没有再次扣款" in text and 'href="http://127.0.0.1:1/back"' in text
    assert stand_in.look(page.url + "0")[0] == 404
    assert stand_in.try_to_pay(page.url + "0")[0] == 404


# ---- how it rings ----------------------------------------------------------------------------------------------------


class Ear(http.server.ThreadingHTTPServer):
    """A site that notes which events reach it; the first `deaf` it does not take."""

    daemon_threads = True

    def __init__(self, deaf: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Listening)
        self.deaf, self.heard = deaf, list[tuple[str, str]]()
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def wait_for(self, count: int) -> list[tuple[str, str]]:
        deadline = time.monotonic() + 15
        while len(self.heard) < count:
            assert time.monotonic() < deadline, self.heard
            time.sleep(0.02)
        return self.heard


class Listening(http.server.BaseHTTPRequestHandler):
    server: Ear

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], databases.CARD_SECRET)
        with self.server.lock:
            self.server.deaf -= 1
            good = self.server.deaf < 0
            if good:
                self.server.heard.append((event.type, event.id))
        self.send_response(200 if good else 503)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Nothing."""


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.shutdown()
    made.server_close()


def test_it_rings_by_itself_and_again_until_it_is_heard(gateway: Gateway, stand_in: StandIn, ear: Ear) -> None:
    account = stand_in.new_account()
    stand_in.ring(ear.address)
    ear.deaf = 2
    stand_in.pay(opened(gateway, account).url)
    assert {kind for kind, _id in ear.wait_for(3)} == {
        "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}
    assert stand_in.events == []


def test_on_demand_events_come_twice_late_or_never(gateway: Gateway, stand_in: StandIn, ear: Ear) -> None:
    twice, late, never = (stand_in.new_account() for _ in range(3))
    stand_in.ring(ear.address, twice, copies=2, shuffled=True)
    stand_in.ring(ear.address, late, delay=3600)
    stand_in.ring(ear.address, never, drop=3)
    for account in (late, never, twice):
        stand_in.pay(opened(gateway, account).url)
    heard = ear.wait_for(6)
    assert len(set(heard)) == 3
    time.sleep(0.3)
    assert len(heard) == 6
    assert len(stand_in.provider.bells.held(never, "dropped")) == 3
    assert len(stand_in.provider.bells.held(late, "waiting")) == 3


def test_a_thousand_events_are_signed_and_handed_out_in_a_second(stand_in: StandIn) -> None:
    account = stand_in.new_account()
    with stand_in.provider.books.deed():
        for number in range(1, 1001):
            stand_in.foreign_charge(account, number)
    began = time.monotonic()
    events = stand_in.events
    assert len({json.loads(one.body)["id"] for one in events}) == 1000
    assert time.monotonic() - began < 1


def test_a_habit_of_one_account_leaves_others_alone(stand_in: StandIn) -> None:
    first, second = stand_in.new_account(), stand_in.new_account()
    stand_in.provider.bells.habits[first] = Habit(copies=3)
    stand_in.drop_next(second, 1)
    for account in (first, second, second):
        stand_in.foreign_charge(account, 100)
    assert (len(stand_in.events_of(first)), len(stand_in.events_of(second))) == (3, 1)


def test_it_is_told_of_an_invented_past_once(stand_in: StandIn, gateway: Gateway) -> None:
    told = {"accounts": [{"id": "acct_practice_1", "name": "江永县演示香柚合作社"}],
            "payments": [{"account": "acct_practice_1", "intent": "pi_1", "charge": "ch_1", "fen": 2300,
                          "way": "alipay", "at": 1_790_000_000, "payment": 7, "order": "S261012-7KQ2M9X"}]}
    for _start in range(2):
        know(stand_in.provider, told)
    charge = gateway.charge("acct_practice_1", "pi_1")
    assert charge is not None
    assert (charge.id, charge.captured_fen, charge.way, charge.reference, charge.order_number) == (
        "ch_1", 2300, "alipay", "7", "S261012-7KQ2M9X")
    assert gateway.account("acct_practice_1").name == "江永县演示香柚合作社"
    assert (len(stand_in.charges("acct_practice_1")), stand_in.events) == (1, [])
