"""The kitchen door on a phone: a correct van of 25 lines taken with few taps, also without JavaScript.

Two co-operatives bring 25 goods at dawn; 王保管 opens the van, 赵阿姨 taps her name and types her PIN.
"""

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page
from sqlalchemy import select

from market import db, own_pin
from orders.inspection.models import InspectionRecord
from orders.models import AcceptanceLine, AcceptancePhoto
from tests.story.conftest import WITH_AND_WITHOUT_SCRIPT, PageAt
from tests.story.told import Told
from tests.trade import Trade
from tests.world import GREENS, POMELO, World

pytestmark = pytest.mark.slow
PIN = "739105"
MOST_TAPS = 6
LINES = 25


class Hand:
    """Counts what a finger does: every tap, a field typed into as one."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    def tap(self, selector: str) -> None:
        self.taps += 1
        self.page.locator(selector).click()

    def type(self, selector: str, text: str) -> None:
        self.tap(selector)
        self.page.keyboard.type(text)


@pytest.fixture
def van(world: World) -> Trade:
    """25 goods of two co-operatives on one van, by weight and by count."""
    trade = Trade(world)
    wishes = {}
    for number in range(LINES):
        by_weight = number % 2 == 0
        product = trade.product(f"货品{number + 1:02}", GREENS if number % 3 else POMELO, price_fen=200 + number,
                                unit="公斤" if by_weight else "箱", grams_per_unit=1000 if by_weight else 5000,
                                by_weight=by_weight, minimum_milli=1000, step_milli=1000)
        trade.lot(product, 100)
        wishes[product] = 4000
    for order in trade.orders(trade.place(wishes)):
        trade.ship(order.id)
    with db.transaction():
        own_pin.put(world.person("aunt.zhao"), PIN)
    return trade


@WITH_AND_WITHOUT_SCRIPT
def test_a_correct_van_of_25_lines_takes_at_most_six_taps(
        page_at: PageAt, world: World, van: Trade, lang: str, javascript: bool) -> None:
    told = Told(lambda **options: page_at(**options, javascript=javascript), 390, lang)
    page = told.of("store.wang", "/handover")
    told.look(page, "handover-van")
    hand = Hand(page)
    hand.tap("a.task")
    page.wait_for_url(re.compile(r"/runs/\d+/acceptance"))
    assert page.locator("article.scale-line").count() == LINES
    told.look(page, "van-25")
    hand.tap(f"label.choice:has(input[name=second_id][value='{world.person('aunt.zhao').id}'])")
    hand.type("input[name=second_password]", PIN)
    hand.tap("label.choice:has(input[name=documents_seen])")
    hand.tap(".sum-bar button[type=submit]")
    page.wait_for_url(re.compile(r"/runs/\d+/sheet"))
    told.look(page, "sheet-25")
    assert hand.taps <= MOST_TAPS
    db.session().rollback()
    assert db.session().scalars(select(AcceptanceLine.outcome)).all() == ["accepted"] * LINES
    assert len(db.session().scalars(select(InspectionRecord.id)).all()) == LINES


def test_one_crate_is_refused_with_a_photo(page_at: PageAt, world: World, van: Trade, tmp_path: Path) -> None:
    told = Told(page_at, 390, "zh")
    page = told.of("store.wang", "/handover")
    page.locator("a.task").click()
    crate = page.locator("article.scale-line", has_text="货品02")
    assert crate.locator("input[data-amount]").is_hidden()
    crate.locator("summary").click()
    crate.locator("input[data-amount]").fill("3")
    crate.locator("select[name$='-reason']").select_option("damaged")
    crate.locator("input[type=file]").set_input_files(photo(tmp_path))
    assert crate.locator("[data-as-noted]").is_hidden()
    assert "1" in page.locator("[data-progress]").inner_text()
    page.locator(f"label.choice:has(input[name=second_id][value='{world.person('aunt.zhao').id}'])").click()
    page.fill("input[name=second_password]", PIN)
    page.locator("label.choice:has(input[name=documents_seen])").click()
    told.look(page, "crate-refused")
    page.locator(".sum-bar button[type=submit]").click()
    page.wait_for_url(re.compile(r"/runs/\d+/sheet"))
    db.session().rollback()
    rejected = db.session().execute(select(InspectionRecord.product_name, InspectionRecord.rejected_milli)
                                    .where(InspectionRecord.rejected_milli > 0)).all()
    assert [tuple(row) for row in rejected] == [("货品02", 1000)]
    assert len(db.session().scalars(select(AcceptancePhoto.id)).all()) == 1
    book = told.of("store.wang", "/inspection")
    told.look(book, "inspection")
    assert "货品02" in book.locator("main").inner_text()
    told.look(told.of("store.wang", "/inspection/elsewhere"), "inspection-new")
    told.look(told.of("aunt.zhao", "/account/pin"), "own-pin")


def photo(folder: Path) -> str:
    """A photo larger than a phone's screen."""
    content = io.BytesIO()
    Image.new("RGB", (3000, 2000), "brown").save(content, "JPEG")
    path = folder / "crate.jpg"
    path.write_bytes(content.getvalue())
    return str(path)
