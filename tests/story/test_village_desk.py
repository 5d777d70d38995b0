"""The village desk as 张文书 uses it: a phone, a scale, a notebook. In both languages, with and without JavaScript."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from catalog.models import Lot, LotContribution
from market import clock, db
from market.households import CoopMember, Household
from tests.story.conftest import TWICE, PageAt
from tests.trade import Trade
from tests.world import GREENS, PASSWORD, World

pytestmark = pytest.mark.slow
PICTURES = os.environ.get("PICTURES")  # a folder, for looking at the pages afterwards
PHONE = 390
DRAFT = "Object.keys(localStorage).filter(key => key.startsWith('sijin-weigh-'))"


@pytest.fixture
def cabbage(world: World) -> int:
    """Two orders wait, one is accepted and unpaid; members have names one can spell."""
    trade = Trade(world)
    product = trade.product("卷心菜")
    trade.lot(product, 1000, farm_gate_fen=120)
    first, *_rest = [trade.orders(trade.place({product: milli}))[0].id for milli in (10_000, 12_500, 5_000)]
    trade.ship(first)
    trade.accept(first)
    with db.transaction() as session:
        for household, number in session.execute(
                select(Household, CoopMember.member_no).join(CoopMember, CoopMember.household_id == Household.id)
                .where(CoopMember.supplier_id == world.organisation_id(GREENS),
                       CoopMember.member_no.in_(("M004", "M005")))):
            household.head_name = {"M004": "曾小明", "M005": "吕大山"}[number]
    return product


def phone(page_at: PageAt, lang: str = "zh", javascript: bool = True) -> Page:
    page = page_at(width=PHONE, lang=lang, javascript=javascript)
    page.goto("/login")
    page.fill("input[name=login]", "clerk.zhang")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(re.compile("/village"))
    return page


def look(page: Page, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, f"{name} is too wide"
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


def newest() -> tuple[int, list[tuple[str | None, int, bool]]]:
    """The newest lot: its weight, who brought how much, whether names follow."""
    db.session().rollback()
    lot = db.session().scalars(select(Lot).order_by(Lot.id.desc()).limit(1)).one()
    rows = db.session().execute(
        select(Household.head_name, LotContribution.grams, LotContribution.unsplit)
        .select_from(LotContribution).outerjoin(Household, Household.id == LotContribution.household_id)
        .where(LotContribution.lot_id == lot.id).order_by(LotContribution.id))
    return lot.total_grams, [tuple(row) for row in rows]


def lots() -> int:
    db.session().rollback()
    return len(db.session().scalars(select(Lot.id)).all())


@TWICE
def test_the_first_screen_says_what_the_day_brings(page_at: PageAt, world: World, cabbage: int, lang: str) -> None:
    page = phone(page_at, lang)
    page.goto("/village")
    look(page, f"village-home-{lang}")
    cards = page.locator(".day-card")
    assert cards.count() == 3
    said = [cards.nth(number).inner_text() for number in range(3)]
    assert "35" in said[0]  # 17.5 kg in 斤
    assert "永州演示第一小学" in said[0]
    assert "20.00" in said[1]
    assert clock.today().isoformat() in said[1]
    assert "12.00" in said[2]
    button = page.locator(".weigh-button").bounding_box()
    menu = page.locator(".phone-menu").bounding_box()
    assert button is not None
    assert menu is not None
    assert button["y"] + button["height"] <= menu["y"]  # all of it on the first screen
    words = page.locator(".phone-menu > a").all_inner_texts()
    assert words == (["今日", "过秤入库", "订单", "货款"] if lang == "zh" else ["Today", "Weigh-in", "Orders", "Money"])


@TWICE
def test_two_members_by_pinyin_each_with_a_basket(page_at: PageAt, world: World, cabbage: int, lang: str) -> None:
    page = phone(page_at, lang)
    page.click(".weigh-button")
    page.click(".weigh-goods a >> nth=0")
    row = page.locator("[data-row]")
    member = row.nth(0).locator("[data-member]")
    assert member.input_value().startswith("M001")  # same as last time
    for number in range(2):
        row.nth(number).locator("[data-member]").fill("")
    member.press_sequentially("zxm")
    assert page.locator(".weigh-found li").inner_text().startswith("M004 曾小明")
    member.press("Enter")
    page.keyboard.type("50.5")
    row.nth(0).locator("[data-tare]").fill("2")
    page.keyboard.press("Enter")
    page.keyboard.type("lvda")
    page.keyboard.press("Enter")
    page.keyboard.type("30.25")
    assert row.nth(1).locator("[data-tare]").input_value() == "2"  # the same basket
    assert page.locator("[data-total]").inner_text() == "76.75"
    assert page.locator("[data-pay]").inner_text() == "46.05"
    look(page, f"weigh-rows-{lang}")
    page.reload()
    assert page.locator("[data-total]").inner_text() == "76.75"
    look(page, f"weigh-draft-{lang}")
    page.locator(".sum-bar button").dblclick()
    page.wait_for_url(re.compile(r"/village/weigh-in/\d+"))
    look(page, f"weighed-{lang}")
    assert "曹村主任" in page.locator("main").inner_text()
    assert newest() == (38_375, [("曾小明", 24_250, False), ("吕大山", 14_125, False)])
    assert lots() == 2
    assert page.evaluate(DRAFT) == []


def test_what_was_sent_before_the_line_broke_is_not_booked_again(page_at: PageAt, world: World, cabbage: int) -> None:
    page = phone(page_at)
    page.goto(f"/village/weigh-in?product={cabbage}")
    page.locator("[data-gross]").first.fill("10")
    kept = page.evaluate("({...localStorage})")
    page.locator(".sum-bar button").click()
    page.wait_for_url(re.compile(r"/village/weigh-in/\d+"))
    first = page.url
    page.evaluate("kept => Object.entries(kept).forEach(([key, value]) => localStorage.setItem(key, value))", kept)
    page.goto(f"/village/weigh-in?product={cabbage}")  # the answer never came: the draft is still there
    assert page.locator("[data-gross]").first.input_value() == "10"
    page.locator(".sum-bar button").click()
    page.wait_for_url(re.compile(r"/village/weigh-in/\d+"))
    assert page.url == first
    assert lots() == 2


@TWICE
def test_the_same_without_javascript(page_at: PageAt, world: World, cabbage: int, lang: str) -> None:
    page = phone(page_at, lang, javascript=False)
    page.goto(f"/village/weigh-in?product={cabbage}")
    for number, (who, gross, tare) in enumerate((("zxm", "50.5", "60"), ("吕大山", "30.25", "2"))):
        for part, typed in (("member", who), ("gross", gross), ("tare", tare)):
            page.fill(f"[name=contributions-{number}-{part}]", typed)
    page.locator(".sum-bar button").click()
    assert page.locator("#contributions-0-tare-error").is_visible()
    assert page.input_value("[name=contributions-1-member]") == "吕大山"
    look(page, f"weigh-refused-{lang}")
    page.fill("[name=contributions-0-tare]", "2")
    page.locator(".sum-bar button").click()
    page.wait_for_url(re.compile(r"/village/weigh-in/\d+"))
    assert newest() == (38_375, [("曾小明", 24_250, False), ("吕大山", 14_125, False)])


@pytest.mark.parametrize(("lang", "javascript"), [("zh", True), ("en", False)])
def test_then_a_photo_of_the_notebook(page_at: PageAt, world: World, cabbage: int, tmp_path: Path, lang: str,
                                      javascript: bool) -> None:
    page = phone(page_at, lang, javascript)
    notebook = tmp_path / "notebook.png"
    page.screenshot(path=str(notebook))
    page.goto(f"/village/weigh-in?product={cabbage}")
    page.click(".tabs a[href*=notebook]")
    page.set_input_files("[name=notebook]", str(notebook))
    page.fill("[name=gross]", "200.5")
    page.fill("[name=tare]", "10")
    look(page, f"weigh-notebook-{lang}")
    page.locator(".sum-bar button").click()
    page.wait_for_url(re.compile(r"/village/weigh-in/\d+"))
    look(page, f"weighed-notebook-{lang}")
    assert newest() == (95_250, [(None, 95_250, True)])
