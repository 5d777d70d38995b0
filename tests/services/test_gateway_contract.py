"""What the shop relies on at the card provider, through the gateway: against the stand-in."""

from datetime import timedelta
from typing import Any

import pytest
from flask import current_app

from market import clock
from orders.paying.gateway import Asked, Declined, Gateway, OutcomeUnknown
from tests import databases
from tests.stand_in import StandIn
from tests.world import NOON, POMELO, World

SHOP = "http://127.0.0.1:1"


@pytest.fixture
def gateway(tmp_path, stand_in: StandIn) -> Gateway:
    return Gateway(databases.settings("sqlite://", tmp_path))


def asked(account_id: str, key: str = "order-1-1", fen: int = 2300, **more: object) -> Asked:
    facts: dict[str, Any] = {
        "account_id": account_id, "key": key, "payment_id": 7, "order_number": "S261012-7KQ2M9X", "amount_fen": fen,
        "title": "香柚", "success_url": f"{SHOP}/back?s={{CHECKOUT_SESSION_ID}}", "cancel_url": f"{SHOP}/cancel",
        "expires_at": clock.now() + timedelta(minutes=35)}
    return Asked(**(facts | more))


def test_a_page_is_paid_once_and_given_back_in_part(gateway: Gateway, stand_in: StandIn) -> None:
    account = stand_in.new_account()
    page = gateway.open_session(asked(account))
    assert (page.state, page.paid, page.intent_id, page.amount_fen, page.currency, page.reference) == (
        "open", False, None, 2300, "cny", "7")
    assert gateway.open_session(asked(account)) == page
    with pytest.raises(Declined):
        gateway.open_session(asked(account, fen=2400))
    back = stand_in.pay(page.url, "wechat_pay")
    assert back == f"{SHOP}/back?s={page.id}"
    assert stand_in.pay(page.url) == ""
    paid = gateway.session(account, page.id)
    assert (paid.state, paid.paid) == ("complete", True)
    charge = gateway.charge(account, paid.intent_id)
    assert (charge.captured_fen, charge.refunded_fen, charge.way, charge.reference, charge.order_number) == (
        2300, 0, "wechat_pay", "7", "S261012-7KQ2M9X")
    given = gateway.refund(account, paid.intent_id, 300, 5)
    assert gateway.refund(account, paid.intent_id, 300, 5) == given
    assert (given.amount_fen, given.state, given.reference, given.charge_id) == (300, "succeeded", "5", charge.id)
    with pytest.raises(Declined):
        gateway.refund(account, paid.intent_id, 2001, 6)
    assert stand_in.balances(account) == {paid.intent_id: (2300, 300)}
    assert [one.kind for one in stand_in.events] == [
        "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed", "charge.refunded",
        "refund.created"]
    bell = gateway.heard(stand_in.events[2].body, stand_in.events[2].signature)
    assert (bell.kind, bell.account_id, bell.object_id) == ("checkout.session.completed", account, page.id)


@pytest.mark.parametrize(("kind", "pages"), [("charge_then_cut", 1), ("charge_then_hang", 1), ("429", 0), ("500", 0)])
def test_no_answer_means_unknown_and_the_same_key_again_makes_one(
        gateway: Gateway, stand_in: StandIn, kind: str, pages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.paying.gateway.SECONDS", 0.5)
    account = stand_in.new_account()
    stand_in.misbehave(account, kind, seconds=1)
    with pytest.raises(OutcomeUnknown):
        gateway.open_session(asked(account))
    assert len(stand_in.provider.books.all(account, "checkout.session")) == pages
    gateway.open_session(asked(account))
    assert len(stand_in.provider.books.all(account, "checkout.session")) == 1


def test_it_lives_at_the_time_of_the_test(world: World, stand_in: StandIn) -> None:
    with clock.at(NOON):
        account = stand_in.account(POMELO)
        gateway = current_app.extensions["sijin_gateway"]
        page = gateway.open_session(asked(account))
        assert gateway.account(account).name == "江永县演示香柚合作社"
    with clock.at(NOON + timedelta(minutes=36)):
        assert stand_in.pay(page.url) == ""
        assert gateway.session(account, page.id).state == "expired"
        assert [one.kind for one in stand_in.events] == ["checkout.session.expired"]
        assert gateway.heard(stand_in.events[0].body, stand_in.events[0].signature).object_id == page.id
