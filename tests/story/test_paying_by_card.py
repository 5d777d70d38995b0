"""孙会计 pays an order by practice Alipay on the provider's own page, under the site's policy, and comes back.

The provider is the stand-in, at an origin of its own; the browser is a real one, so that the policy is in force.
"""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page
from sqlalchemy import func, select

from market import audit, clock, db, ledger, ledger_frame, web, worker
from orders.models import CardPayment, Order, ReceiptShare
from orders.paying import card_following, card_jobs
from orders.paying.gateway import Gateway
from orders.practice.page_words import WORDS
from orders.practice.sessions import DECLINED_CARD
from tests.stand_in import StandIn
from tests.story.conftest import FOUR_TIMES, ON_A_PHONE_AND_AT_A_DESK, PageAt
from tests.story.told import Told
from tests.trade import Trade
from tests.world import GREENS, World

pytestmark = pytest.mark.slow
TO_PAGE = "form[action$='/card-payments'] button[type=submit]"
SECONDS = 20  # that the provider may take to charge


@pytest.fixture(autouse=True)
def address(app: Flask, live: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The site knows where it is met, so that payers are sent back to it."""
    here = Gateway(replace(app.extensions["sijin"], site_url=live))
    monkeypatch.setitem(app.extensions, "sijin_gateway", here)
    return live


@pytest.fixture
def account(world: World, stand_in: StandIn) -> str:
    return stand_in.account(GREENS)


@pytest.fixture
def order_id(world: World, trade: Trade) -> int:
    """Ten kilos of cabbage for ¥20.00, accepted and unpaid."""
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order.id


class Heard:
    """What the browser said about policies."""

    def __init__(self, page: Page) -> None:
        self.broken: list[str] = []
        page.on("console", self.listen)

    def listen(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            self.broken.append(said.text)


def words(told: Told) -> dict[str, str]:
    return WORDS[told.lang]


def origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


def to_the_hosted_page(told: Told, order_id: int, app: Flask) -> Page:
    """From the order, by the press of two buttons, to a page that is not ours."""
    page = told.of("cashier.sun", f"/orders/{order_id}")
    told.look(page, "card-1-order")
    page.locator("summary", has_text={"zh": "更多", "en": "More"}[told.lang]).first.click()
    page.locator(f"a[href='/orders/{order_id}/card-payments']").first.click()
    page.wait_for_url(re.compile("/card-payments$"))
    told.look(page, "card-2-pay")
    page.locator(TO_PAGE).click()
    page.wait_for_url(re.compile("/c/pay/"))
    assert origin(page.url) == app.extensions["sijin"].hosted_page
    assert "20.00" in page.locator("dl .amount").inner_text()
    told.look(page, "card-3-hosted")
    return page


def press(page: Page, way: str) -> None:
    page.locator(f"form:has(input[value={way}]) button").click()


def payment() -> CardPayment:
    db.session().rollback()
    return db.session().scalars(select(CardPayment).execution_options(populate_existing=True)).one()


def is_paid_once(order_id: int, stand_in: StandIn, account: str) -> None:
    """The order, the ledger and the provider agree, and money was taken once."""
    db.session().rollback()
    order = db.session().get_one(Order, order_id, populate_existing=True)
    assert (order.payment, order.received_fen) == ("paid", 2000)
    assert [(charge["amount_captured"], charge["payment_method_details"]["type"])
            for charge in stand_in.charges(account)] == [(2000, "alipay")]
    assert db.session().scalar(select(func.count()).select_from(ReceiptShare)) == 1
    assert ledger.balance_fen(f"supplier:{order.supplier_id}") == 0
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


def until(done: Callable[[], object]) -> None:
    pause = threading.Event()
    for _look in range(SECONDS * 50):
        if done():
            return
        pause.wait(0.02)
    raise AssertionError("it did not come about")


@FOUR_TIMES
def test_the_cashier_pays_by_practice_alipay_and_comes_back_to_a_paid_order(
        app: Flask, page_at: PageAt, order_id: int, account: str, stand_in: StandIn, live: str, width: int,
        lang: str) -> None:
    told = Told(page_at, width, lang)
    stand_in.ring(live)
    heard = Heard(told.of("cashier.sun", "/desk"))
    page = to_the_hosted_page(told, order_id, app)
    assert page.locator("html").get_attribute("lang") in {"zh", "zh-CN", "en"}
    press(page, "alipay")
    page.wait_for_selector(".notice-good")
    assert origin(page.url) == live
    told.look(page, "card-4-back")
    assert {"zh": "已付款", "en": "Paid."}[lang] in page.locator("main").inner_text()
    page = told.of("cashier.sun", f"/orders/{order_id}")
    told.look(page, "card-5-paid")
    assert {"zh": "已付", "en": "Paid"}[lang] in page.locator("h1").inner_text()
    until(lambda: not stand_in.provider.bells.held(state="waiting"))
    worker.run_once(app)  # the bells rang meanwhile, too
    is_paid_once(order_id, stand_in, account)
    both_sides_see_it(told, order_id)
    assert heard.broken == []


def both_sides_see_it(told: Told, order_id: int) -> None:
    """The co-operative's list and the unit's page of the order name the same sum."""
    theirs, ours = "/village/card-payments", f"/orders/{order_id}/card-payments"
    for login, path in (("clerk.zhang", theirs), ("cashier.sun", ours)):
        page = told.of(login, path)
        told.look(page, f"card-6-{login}")
        assert "20.00" in page.locator("main tbody tr").first.inner_text()


@ON_A_PHONE_AND_AT_A_DESK
def test_a_declined_card_takes_nothing_and_alipay_pays_after_it(
        app: Flask, page_at: PageAt, order_id: int, account: str, stand_in: StandIn, width: int, lang: str) -> None:
    told = Told(page_at, width, lang)
    heard = Heard(told.of("cashier.sun", "/desk"))
    page = to_the_hosted_page(told, order_id, app)
    page.fill("#number", DECLINED_CARD)
    press(page, "card")
    page.wait_for_selector("[role=alert]")
    told.look(page, "card-declined")
    assert page.locator("[role=alert]").inner_text() == words(told)["declined"]
    assert (stand_in.charges(account), payment().state) == ([], "open")
    press(page, "alipay")
    page.wait_for_selector(".notice-good")
    is_paid_once(order_id, stand_in, account)
    assert heard.broken == []


@ON_A_PHONE_AND_AT_A_DESK
def test_who_turns_back_comes_to_the_order_and_finds_the_same_page_again(
        app: Flask, page_at: PageAt, order_id: int, account: str, stand_in: StandIn, width: int, lang: str) -> None:
    told = Told(page_at, width, lang)
    page = to_the_hosted_page(told, order_id, app)
    there = page.url
    page.locator("a", has_text=words(told)["cancel"]).click()
    page.wait_for_url(re.compile("/card-payments$"))
    told.look(page, "card-turned-back")
    page.locator(TO_PAGE).click()
    page.wait_for_url(re.compile("/c/pay/"))
    assert page.url == there
    press(page, "alipay")
    page.wait_for_selector(".notice-good")
    is_paid_once(order_id, stand_in, account)


def by_bell(stand_in: StandIn, live: str) -> None:
    card_jobs.follow()  # looks at nothing yet: it is the bell that tells
    assert set(stand_in.deliver_to(live)) == {200}
    worker.drain_outbox()
    card_jobs.follow()


def by_looking(_stand_in: StandIn, _live: str) -> None:
    with clock.at(clock.now() + card_following.WHILE_OPEN):
        card_jobs.follow()


@pytest.mark.parametrize("hears", [by_bell, by_looking])
@ON_A_PHONE_AND_AT_A_DESK
def test_a_browser_closed_after_paying_leaves_a_paid_order(
        app: Flask, page_at: PageAt, order_id: int, account: str, stand_in: StandIn, live: str, width: int, lang: str,
        hears: Callable[[StandIn, str], None]) -> None:
    told = Told(page_at, width, lang)
    page = to_the_hosted_page(told, order_id, app)
    stand_in.misbehave(account, "charge_then_hang", seconds=3, on="pay")
    press(page, "alipay")
    until(lambda: stand_in.charges(account))
    page.context.close()  # before any answer came
    assert payment().state == "open"
    hears(stand_in, live)
    is_paid_once(order_id, stand_in, account)
    told.pages.clear()
    page = told.of("cashier.sun", f"/orders/{order_id}")
    assert {"zh": "已付", "en": "Paid"}[lang] in page.locator("h1").inner_text()
    hears(stand_in, live)  # whatever comes later changes nothing
    is_paid_once(order_id, stand_in, account)


@ON_A_PHONE_AND_AT_A_DESK
def test_without_javascript_the_return_page_works_by_its_button(
        app: Flask, page_at: PageAt, order_id: int, account: str, stand_in: StandIn, width: int, lang: str) -> None:
    told = Told(lambda **more: page_at(**more, javascript=False), width, lang)
    page = to_the_hosted_page(told, order_id, app)
    press(page, "alipay")
    page.wait_for_url(re.compile(r"/card-payments/\d+"))
    told.look(page, "card-no-script-back")
    assert payment().state == "open"  # reading the page has changed nothing
    page.locator("form[action$='/check'] button").click()
    page.wait_for_selector(".notice-good")
    is_paid_once(order_id, stand_in, account)


# ---- the policy -----------------------------------------------------------------------------------------------------


@pytest.fixture
def without_the_host(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A policy that does not name the hosted page."""
    monkeypatch.setitem(app.extensions, "sijin_headers", web._headers(""))
    yield


@pytest.mark.usefixtures("without_the_host")
def test_the_policy_is_in_force_a_page_that_it_does_not_name_is_not_reached(
        browser: Browser, order_id: int, account: str, stand_in: StandIn, live: str) -> None:
    """The twin of the tests above: were no policy looked at, this one would reach the page as well."""
    context = browser.new_context(base_url=live, locale="zh-CN")
    told = Told(lambda **_more: context.new_page(), 1280, "zh")
    page = told.of("cashier.sun", f"/orders/{order_id}/card-payments")
    heard = Heard(page)
    with page.expect_console_message(lambda said: "form-action" in said.text):
        page.locator(TO_PAGE).click(no_wait_after=True)
    assert heard.broken
    assert origin(page.url) == live
    assert stand_in.charges(account) == []
    context.close()
