"""What the shop relies on at the card provider, asked through the gateway.

Always against the stand-in. By hand also against Stripe's test mode: STRIPE_TEST_KEY (sk_test_…) and
STRIPE_TEST_ACCOUNT (a connected account of it, enabled for card, Alipay and WeChat Pay in CNY) in the environment.
Nobody can press a button on Stripe's own page from here, so there a payment is a confirmed PaymentIntent of a test
card, and what needs the page or a misbehaving provider is skipped, saying so. Stripe's test mode was not to be reached
where this was written: that half has never run.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe
from flask import current_app

from market import clock
from market.config import Config, from_environment
from orders.paying.gateway import CURRENCY, Asked, CardsOff, Charge, Declined, Gateway, OutcomeUnknown, Session
from tests import databases
from tests.stand_in import StandIn
from tests.world import NOON, POMELO, World

SHOP = "http://127.0.0.1:1"
TEST_KEY, TEST_ACCOUNT = "STRIPE_TEST_KEY", "STRIPE_TEST_ACCOUNT"
HERE, THERE = "stand-in", "test mode"
SIDES = (HERE, THERE) if os.environ.get(TEST_KEY) else (HERE,)


class Side:
    """One of the two providers, with a gateway to it and a connected account."""

    def __init__(self, config: Config, account: str, stand_in: StandIn | None) -> None:
        self.config, self.account, self._stand_in = config, account, stand_in
        self.gateway = Gateway(config)
        self.run = f"{time.time_ns()}"  # test mode remembers the keys of earlier runs

    @property
    def stand_in(self) -> StandIn:
        if self._stand_in is None:
            pytest.skip("needs the hosted page or the levers of the stand-in: not to be had in Stripe's test mode")
        return self._stand_in

    def asked(self, key: str = "1", fen: int = 2300, **more: object) -> Asked:
        """What a page is opened for; ask once and keep it, as the shop does: its last moment is part of it."""
        facts: dict[str, Any] = {
            "account_id": self.account, "key": f"order-{self.run}-{key}", "payment_id": 7, "amount_fen": fen,
            "order_number": "S261012-7KQ2M9X", "title": "香柚", "cancel_url": f"{SHOP}/cancel",
            "success_url": f"{SHOP}/back?page={{CHECKOUT_SESSION_ID}}",
            "expires_at": clock.now() + timedelta(minutes=35)}
        return Asked(**(facts | more))

    def paid(self, key: str = "1", fen: int = 2300, way: str = "alipay") -> Session:
        """A page that somebody has paid."""
        page = self.gateway.open_session(self.asked(key, fen))
        assert self.stand_in.pay(page.url, way) == f"{SHOP}/back?page={page.id}"
        return self.gateway.session(self.account, page.id)

    def charged(self, fen: int) -> Charge:
        """Money taken by a card of the test mode, or on the page of the stand-in."""
        if self._stand_in is not None:
            intent_id = self.paid(f"charge-{fen}", fen, "card").intent_id
        else:
            intent_id = self.client.v1.payment_intents.create(
                {"amount": fen, "currency": CURRENCY, "payment_method": "pm_card_visa", "confirm": True,
                 "allowed_payment_method_types": ["card"]}, {"stripe_account": self.account}).id
        charge = self.gateway.charge(self.account, intent_id or "")
        assert charge is not None
        return charge

    @property
    def client(self) -> stripe.StripeClient:
        """The library itself, for what the gateway never says."""
        where: Any = {"base_addresses": {"api": self.config.stripe_api}} if self.config.stripe_api else {}
        return stripe.StripeClient(self.config.stripe_key, max_network_retries=0, **where)


@contextmanager
def declined(sentence: str) -> Iterator[None]:
    """The provider refuses with this sentence, which names accounts and is not repeated to whoever reads the page."""
    with pytest.raises(Declined) as refusal:
        yield
    assert sentence in str(refusal.value.__cause__)
    assert sentence not in refusal.value.message()


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest, tmp_path: Path, stand_in: StandIn) -> Side:
    if request.param == HERE:
        return Side(databases.settings("sqlite://", tmp_path), stand_in.new_account("演示合作社"), stand_in)
    config = from_environment({"SECRET_KEY": databases.SECRET, "DATA_DIR": str(tmp_path),
                               "STRIPE_SECRET_KEY": os.environ[TEST_KEY]})
    return Side(config, os.environ[TEST_ACCOUNT], None)


# ---- opening ---------------------------------------------------------------------------------------------------------


def test_the_same_key_opens_one_page_and_another_amount_is_refused(side: Side) -> None:
    asked = side.asked()
    page = side.gateway.open_session(asked)
    assert (page.state, page.paid, page.amount_fen, page.currency, page.live, page.reference) == (
        "open", False, 2300, "cny", False, "7")
    assert side.gateway.open_session(asked) == page
    assert side.gateway.session(side.account, page.id) == page
    with pytest.raises(OutcomeUnknown):  # the key stands for other words: what became of those is looked up
        side.gateway.open_session(side.asked(fen=2400, expires_at=asked.expires_at))


def test_a_page_is_open_for_half_an_hour_to_a_day(side: Side) -> None:
    for wrong in (side.asked("short", expires_at=clock.now() + timedelta(minutes=5)),
                  side.asked("long", expires_at=clock.now() + timedelta(days=3))):
        with pytest.raises(Declined):
            side.gateway.open_session(wrong)


def test_a_page_is_closed_once(side: Side) -> None:
    page = side.gateway.open_session(side.asked())
    closed = side.gateway.expire(side.account, page.id)
    assert (closed.id, closed.state, closed.paid, closed.url) == (page.id, "expired", False, "")
    with pytest.raises(Declined):
        side.gateway.expire(side.account, page.id)


def test_things_of_another_account_are_not_there(side: Side) -> None:
    page, other = side.gateway.open_session(side.asked()), side.stand_in.new_account()
    with declined("No such session"):
        side.gateway.session(other, page.id)
    with pytest.raises(Declined):
        side.gateway.session("acct_unknown", page.id)
    elsewhere = side.gateway.open_session(side.asked(account_id=other))  # keys count account by account
    assert elsewhere.id != page.id


def test_ten_at_once_with_one_key_make_one_page(side: Side) -> None:
    asked = side.asked()

    def open_one(_number: int) -> str:
        try:
            return side.gateway.open_session(asked).id
        except OutcomeUnknown:  # another one is under way
            return ""

    with ThreadPoolExecutor(10) as tabs:
        made = set(tabs.map(open_one, range(10))) - {""}
    assert made == {side.gateway.open_session(asked).id}


@pytest.mark.parametrize(("wrong", "code"), [
    ({"payment_method_types": ["card"]}, "payment_method_types_no_longer_supported"),
    ({"allowed_payment_methods": ["card"]}, "parameter_unknown"),
    ({"line_items": [{"quantity": 1, "price_data": {"currency": "cny", "unit_amount": "ten"}}]}, None),
    ({"payment_method_options": {"wechat_pay": {"app_id": "x"}}}, "parameter_missing"),
])
def test_wrong_parameters_are_refused(side: Side, wrong: dict[str, Any], code: str | None) -> None:
    right = {"mode": "payment", "success_url": SHOP, "line_items": [
        {"quantity": 1, "price_data": {"currency": "cny", "unit_amount": 10, "product_data": {"name": "x"}}}]}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        side.client.v1.checkout.sessions.create({**right, **wrong}, {"stripe_account": side.account})  # type: ignore[typeddict-item]
    assert caught.value.http_status == 400
    assert code in {None, caught.value.code}


# ---- paying ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["alipay", "wechat_pay", "card"])
def test_a_paid_page_has_one_charge(side: Side, way: str) -> None:
    page = side.paid(way=way)
    assert (page.state, page.paid, page.url) == ("complete", True, "")
    charge = side.gateway.charge(side.account, page.intent_id or "")
    assert charge is not None
    assert (charge.intent_id, charge.captured_fen, charge.refunded_fen, charge.currency, charge.live, charge.paid,
            charge.disputed, charge.way, charge.reference, charge.order_number) == (
        page.intent_id, 2300, 0, "cny", False, True, False, way, "7", "S261012-7KQ2M9X")
    assert abs(charge.created_at - clock.now()) < timedelta(minutes=1)
    with pytest.raises(Declined):
        side.gateway.expire(side.account, page.id)
    kinds = [one.kind for one in side.stand_in.events]
    assert kinds == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def test_a_declined_card_may_try_again(side: Side) -> None:
    page = side.gateway.open_session(side.asked())
    status, back, told = side.stand_in.try_to_pay(page.url, "card", "4000 0000 0000 0002")
    assert (status, back) == (402, "") and "没有扣款" in told
    tried = side.gateway.session(side.account, page.id)
    assert (tried.state, tried.paid) == ("open", False)
    assert side.gateway.charge(side.account, tried.intent_id or "") is None
    assert side.stand_in.pay(page.url, "card", "4242 4242 4242 4242")
    assert side.gateway.session(side.account, page.id).intent_id == tried.intent_id
    assert [charge["paid"] for charge in side.stand_in.charges(side.account)] == [True]
    assert "payment_intent.payment_failed" in [one.kind for one in side.stand_in.events]


def test_ten_taps_at_once_charge_once(side: Side) -> None:
    page = side.gateway.open_session(side.asked())
    with ThreadPoolExecutor(10) as taps:
        sent = list(taps.map(lambda _number: side.stand_in.pay(page.url), range(10)))
    assert len([back for back in sent if back]) == 1
    assert [one["amount_captured"] for one in side.stand_in.charges(side.account)] == [2300]


def test_nobody_pays_on_a_closed_page(side: Side) -> None:
    page = side.gateway.open_session(side.asked())
    side.gateway.expire(side.account, page.id)
    status, back, told = side.stand_in.try_to_pay(page.url)
    assert (status, back) == (410, "") and "已过期" in told
    assert side.stand_in.charges(side.account) == []


def test_a_page_expires_by_itself(world: World, stand_in: StandIn) -> None:
    with clock.at(NOON):
        side = Side(current_app.extensions["sijin"], stand_in.account(POMELO), stand_in)
        page = side.gateway.open_session(side.asked())
        assert side.gateway.account(side.account).name == "江永县演示香柚合作社"
    with clock.at(NOON + timedelta(minutes=36)):
        assert stand_in.pay(page.url) == ""
        assert side.gateway.session(side.account, page.id).state == "expired"
        [event] = stand_in.events
        bell = side.gateway.heard(event.body, event.signature)
        assert (bell.kind, bell.account_id, bell.object_id) == ("checkout.session.expired", side.account, page.id)


# ---- giving back -----------------------------------------------------------------------------------------------------


def test_never_more_goes_back_than_came(side: Side) -> None:
    charge = side.charged(2300)
    intent_id = charge.intent_id or ""
    first = int(side.run) % 10**9
    given = side.gateway.refund(side.account, intent_id, 300, first)
    assert (given.amount_fen, given.state, given.reference, given.charge_id, given.intent_id, given.currency) == (
        300, "succeeded", str(first), charge.id, intent_id, "cny")
    assert side.gateway.refund(side.account, intent_id, 300, first) == given
    with pytest.raises(OutcomeUnknown):  # the key stands for other words: what became of those is looked up
        side.gateway.refund(side.account, intent_id, 301, first)
    with declined("greater than unrefunded amount"):
        side.gateway.refund(side.account, intent_id, 2001, first + 1)
    side.gateway.refund(side.account, intent_id, 2000, first + 2)
    with declined("already been refunded"):
        side.gateway.refund(side.account, intent_id, 1, first + 3)
    after = side.gateway.charge(side.account, intent_id)
    assert after is not None and (after.captured_fen, after.refunded_fen) == (2300, 2300)


def test_refunds_at_once_stay_within_what_came(side: Side) -> None:
    intent_id = side.paid().intent_id or ""

    def refund(number: int) -> int:
        try:
            return side.gateway.refund(side.account, intent_id, 700, number).amount_fen
        except Declined:
            return 0

    with ThreadPoolExecutor(8) as desks:
        given = sum(desks.map(refund, range(8)))
    assert given == 2100
    assert side.stand_in.balances(side.account) == {intent_id: (2300, 2100)}


def test_a_refund_may_wait_and_fail(side: Side) -> None:
    intent_id = side.paid().intent_id or ""
    side.stand_in.let_refunds_wait(side.account, 2)
    first, second = (side.gateway.refund(side.account, intent_id, 1000, number) for number in (1, 2))
    assert (first.state, second.state) == ("pending", "pending")
    with pytest.raises(Declined):
        side.gateway.refund(side.account, intent_id, 1000, 3)  # what waits is spoken for
    side.stand_in.finish_refund(first.id)
    side.stand_in.finish_refund(second.id, "failed")
    assert side.gateway.refund(side.account, intent_id, 1000, 4).state == "succeeded"
    assert side.stand_in.balances(side.account) == {intent_id: (2300, 2000)}
    assert [one.state for one in side.gateway.refunds(side.account, clock.now() - timedelta(hours=1), clock.now()
            + timedelta(hours=1))] == ["succeeded", "failed", "succeeded"]


# ---- looking ---------------------------------------------------------------------------------------------------------


def test_lists_go_over_all_pages_and_are_half_open(side: Side) -> None:
    stand_in = side.stand_in
    with clock.at(NOON):
        made = [stand_in.foreign_charge(side.account, 100 + number)["id"] for number in range(230)]
        for charge_id in made[:3]:
            stand_in.refund_in_dashboard(charge_id, 50)
        stand_in.dispute(made[5], 70)
    with clock.at(NOON + timedelta(hours=1)):
        late = stand_in.foreign_charge(side.account, 9)["id"]
        side.gateway.open_session(side.asked())  # no charge
    found = [one.id for one in side.gateway.charges(side.account, NOON, NOON + timedelta(hours=1))]
    assert sorted(found) == sorted(made)
    assert [one.id for one in side.gateway.charges(side.account, NOON + timedelta(seconds=1),
                                                   NOON + timedelta(hours=2))] == [late]
    given = list(side.gateway.refunds(side.account, NOON, NOON + timedelta(hours=2)))
    assert {(one.charge_id, one.amount_fen, one.reference) for one in given} == {(one, 50, "") for one in made[:3]}
    [dispute] = side.gateway.disputes(side.account, NOON, NOON + timedelta(hours=2))
    assert (dispute.charge_id, dispute.amount_fen, dispute.state) == (made[5], 70, "needs_response")
    assert list(side.gateway.charges(stand_in.new_account(), NOON, NOON + timedelta(hours=2))) == []


def test_todays_payments_are_listed(side: Side) -> None:
    since = clock.now() - timedelta(minutes=1)
    charge = side.charged(1200)
    assert charge.id in [one.id for one in side.gateway.charges(side.account, since, since + timedelta(hours=1))]


# ---- accounts --------------------------------------------------------------------------------------------------------


def test_a_cooperative_gets_one_account_and_a_way_to_open_it(side: Side) -> None:
    supplier_id = int(side.run) % 10**9
    made = side.gateway.create_account(supplier_id, "新田县演示蔬菜合作社")
    assert (made.charges_enabled, made.name) == (False, "新田县演示蔬菜合作社")
    assert side.gateway.create_account(supplier_id, "新田县演示蔬菜合作社").id == made.id
    url = side.gateway.onboarding_url(made.id, f"{SHOP}/connected")
    assert url.startswith("http")
    assert side.stand_in.press(url) == (303, f"{SHOP}/connected")
    assert side.gateway.account(made.id).charges_enabled
    with pytest.raises(Declined):
        side.gateway.account("acct_unknown")


# ---- no answer -------------------------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[Side, Session, Asked], object]] = {
    "open": lambda side, _paid, asked: side.gateway.open_session(asked),
    "session": lambda side, paid, _asked: side.gateway.session(side.account, paid.id),
    "intent": lambda side, paid, _asked: side.gateway.charge(side.account, paid.intent_id or ""),
    "refund": lambda side, paid, _asked: side.gateway.refund(side.account, paid.intent_id or "", 100, 1),
    "charges": lambda side, _paid, _asked: list(side.gateway.charges(
        side.account, clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1))),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", ["charge_then_cut", "charge_then_hang", "slow", "429", "500"])
def test_no_answer_is_unknown_and_the_same_again_is_done_once(
        side: Side, call: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paid, asked = side.paid(), side.asked("2")
    side.stand_in.misbehave(side.account, kind, seconds=0.9, on=call)
    patient, side.gateway = side.gateway, Gateway(side.config)
    monkeypatch.setattr("orders.paying.gateway.SECONDS", 0.5)
    with pytest.raises(OutcomeUnknown):
        CALLS[call](side, paid, asked)
    side.gateway = patient
    for _again in range(2):
        CALLS[call](side, paid, asked)
    time.sleep(0.7 if kind == "slow" else 0)  # the first one, which nobody waited for, arrives now
    assert len(side.stand_in.pages(side.account)) == (2 if call == "open" else 1)
    assert [one["amount"] for one in side.stand_in.refunds(side.account)] == ([100] if call == "refund" else [])


@pytest.mark.parametrize("call", ["open", "refund"])
def test_a_refusal_is_certain(side: Side, call: str) -> None:
    paid, asked = side.paid(), side.asked("2")
    side.stand_in.misbehave(side.account, "decline", on=call)
    for _again in range(2):  # the same key gets the same answer
        with pytest.raises(Declined, match="declined"):
            CALLS[call](side, paid, asked)
    assert (len(side.stand_in.pages(side.account)), side.stand_in.refunds(side.account)) == (1, [])


@pytest.mark.parametrize("kind", ["charge_then_cut", "charge_then_hang"])
def test_a_browser_that_gets_no_answer_has_paid_once(side: Side, kind: str) -> None:
    page = side.gateway.open_session(side.asked())
    side.stand_in.misbehave(side.account, kind, seconds=0.2, on="pay")
    try:
        assert side.stand_in.pay(page.url) == f"{SHOP}/back?page={page.id}"
    except OSError:
        assert kind == "charge_then_cut"
    assert side.stand_in.pay(page.url) == ""
    assert side.gateway.session(side.account, page.id).paid
    assert len(side.stand_in.charges(side.account)) == 1


@pytest.mark.parametrize("kind", ["429", "500", "decline"])
def test_a_page_that_is_not_served_takes_nothing(side: Side, kind: str) -> None:
    page = side.gateway.open_session(side.asked())
    side.stand_in.misbehave(side.account, kind, on="pay")
    assert side.stand_in.pay(page.url) == ""
    assert side.stand_in.charges(side.account) == []
    assert side.stand_in.pay(page.url)


def test_nobody_listening_is_unknown(tmp_path: Path) -> None:
    config = databases.settings("sqlite://", tmp_path, STRIPE_API="http://127.0.0.1:9")
    with pytest.raises(OutcomeUnknown):
        Gateway(config).account("acct_practice_1")


def test_without_a_key_nothing_is_asked(tmp_path: Path) -> None:
    gateway = Gateway(databases.settings("sqlite://", tmp_path, CARD_PAYMENTS="off"))
    assert not gateway.is_on
    with pytest.raises(CardsOff):
        gateway.account("acct_practice_1")
