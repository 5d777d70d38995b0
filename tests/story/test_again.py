"""A cook's order in fewer taps than a phone call: last week's thirty lines, and a text out of the chat.

陈师傅 of 永州演示第一小学 ordered thirty lines last week, ten on each of three days. Now he orders them again.
"""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page
from sqlalchemy import func, select, update

from catalog.models import Product
from market import clock, db
from orders.models import OrderLine, Purchase
from tests.story.conftest import PageAt
from tests.story.told import Told
from tests.trade import Trade
from tests.world import GREENS, POMELO, World

pytestmark = pytest.mark.slow
MOST_TAPS = 8


class Taps:
    """Presses of a thumb, counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def on(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.count += 1
        self.page.wait_for_load_state()


def thirty_lines_last_week(trade: Trade) -> list[int]:
    """Ten goods of two co-operatives, delivered on three days of the newest week whose weekdays are still to come."""
    goods = [trade.product(f"时蔬{number}", (GREENS, POMELO)[number % 2], price_fen=200 + number, supply="daily",
                           daily_milli=1_000_000) for number in range(10)]
    today = clock.today()
    first = today - timedelta(days=6 if today.weekday() < 4 else today.weekday())
    with clock.at(clock.shanghai(first - timedelta(days=3), 9)):
        for number in range(3):
            trade.place(dict.fromkeys(goods, 10000 + 500 * number), day=first + timedelta(days=number))
    return goods


@pytest.mark.parametrize(("width", "lang"), [(390, "zh"), (390, "en"), (1280, "zh")])
def test_last_weeks_thirty_lines_are_ordered_again_in_few_taps(page_at: PageAt, world: World, width: int,
                                                               lang: str) -> None:
    told, trade = Told(page_at, width, lang), Trade(world)
    goods = thirty_lines_last_week(trade)
    with db.transaction() as session:
        session.execute(update(Product).where(Product.id == goods[0]).values(price_fen=260))
    page = told.of("cook.chen", "/desk")
    told.look(page, "desk-before")
    taps = Taps(page)
    taps.on("a[href='/order-again']")
    told.look(page, "again")
    lines = page.locator(".cart-line").count()
    taps.on("button[formaction$='/order-draft/purchases']")
    page.wait_for_url(re.compile(r"/desk"))
    told.look(page, "desk-after")
    assert lines == 30
    assert taps.count <= 3 <= MOST_TAPS
    db.session().rollback()
    assert db.session().scalar(select(func.count()).select_from(Purchase)) == 6
    assert db.session().scalar(select(func.count()).select_from(OrderLine)) == 60


@pytest.mark.parametrize(("width", "lang", "javascript"), [(390, "zh", True), (1280, "en", True), (390, "zh", False)])
def test_a_chat_text_with_three_mistakes_is_mended_and_ordered(page_at: PageAt, world: World, width: int, lang: str,
                                                               javascript: bool) -> None:
    trade = Trade(world)
    for name in ("土豆", "白菜", "鸡蛋"):
        trade.product(name, supply="daily", daily_milli=1_000_000)
    told = Told(lambda **more: page_at(**more, javascript=javascript), width, lang)
    page = told.of("cook.chen", "/quick-order")
    told.look(page, "quick-empty")
    page.fill("#text", "土豆50斤白菜30斤，鸡旦20斤 龙虾5只 洋芋1,000斤")
    page.locator("button[formaction$='/quick-order']").first.click()
    page.wait_for_selector(".unknown-words")
    told.look(page, "quick-read")
    named = page.locator(".unknown-words li strong").all_inner_texts()
    assert named == ["鸡旦20斤", "龙虾5只", "洋芋1,000斤"]
    assert page.input_value("#text") == "土豆50斤白菜30斤，鸡旦20斤 龙虾5只 洋芋1,000斤"
    page.fill("input[name='renames-0-name']", "鸡蛋")
    page.locator(".unknown-words button").first.click()
    page.wait_for_selector("input[name$='-remember']")
    assert page.locator(".cart-line").count() == 3
    page.locator("button[formaction$='/order-draft/purchases']").click()
    page.wait_for_url(re.compile(r"/purchases/\d+"))
    assert "100.00" in page.locator("main").inner_text()  # 25, 15 and 10 kg at ¥2
    page = told.of("cook.chen", "/quick-order")
    page.fill("#text", "鸡旦20斤")
    page.locator("button[formaction$='/quick-order']").first.click()
    page.wait_for_selector(".cart-line")
    assert page.locator(".unknown-words").count() == 0
