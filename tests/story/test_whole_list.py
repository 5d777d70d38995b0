"""石社长 on a phone: the sum follows the ticks, one tap books the list; without JavaScript a second tap does."""

import re

import pytest

from market import clock
from tests.services.test_agency import in_bank, several, state_of
from tests.story.conftest import WITH_AND_WITHOUT_SCRIPT, PageAt
from tests.story.told import Told
from tests.trade import Trade
from tests.world import GREENS, NOON, World

pytestmark = pytest.mark.slow


@WITH_AND_WITHOUT_SCRIPT
def test_the_sum_follows_the_ticks_and_one_tap_books_the_list(
        page_at: PageAt, world: World, trade: Trade, lang: str, javascript: bool) -> None:
    with clock.at(NOON):
        ids = several(trade, 4)
        for claim in ids[:2]:
            in_bank(world, GREENS, 200, claim)
    told = Told(lambda **options: page_at(**options, javascript=javascript), 390, lang)
    page = told.of("chair.shi", "/village/payments")
    told.look(page, "whole-list")
    button = page.locator(".sum-bar button")
    assert "4.00" in button.inner_text()
    page.locator(f"input[name='claims[]'][value='{ids[3]}']").check()
    assert ("6.00" in button.inner_text()) == javascript
    button.click()
    if not javascript:
        page.wait_for_selector(".notice-waiting")
        assert "6.00" in button.inner_text()
        button.click()
    page.wait_for_selector(".notice-good")
    assert page.url.endswith("/village/payments")
    assert re.search(r"6\.00", page.locator(".notice-good").inner_text())
    assert [state_of(claim) for claim in ids] == ["received", "received", "claimed", "received"]
