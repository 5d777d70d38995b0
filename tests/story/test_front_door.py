"""The front door in a real browser: the site is there, in both languages, on a phone, and nothing in it fails."""

import pytest

from tests.story.conftest import PageAt
from tests.world import PASSWORD, World

pytestmark = pytest.mark.slow


def test_a_cook_logs_in_on_a_phone(page_at: PageAt, world: World) -> None:
    page = page_at(width=390)
    page.goto("/login")
    page.fill("input[name=login]", "cook.chen")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.goto("/notices")
    assert page.locator("h1").inner_text() == "消息"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_shop_is_there_in_english_without_javascript(page_at: PageAt, world: World) -> None:
    page = page_at(lang="en", javascript=False)
    page.goto("/")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("input[name=q]").first.is_visible()
