"""One telling of a story: people with a page of their own each, on screens of one width in one language."""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.story.conftest import PageAt
from tests.world import PASSWORD

PICTURES = os.environ.get("PICTURES")  # a folder, for looking at the pages afterwards


class Told:
    """Who is at which page; `look` checks that it fits the screen."""

    def __init__(self, page_at: PageAt, width: int, lang: str) -> None:
        self.page_at, self.width, self.lang = page_at, width, lang
        self.pages: dict[str, Page] = {}

    def of(self, login: str, path: str) -> Page:
        """This person's page, logged in through the form the first time, at an address."""
        if login not in self.pages:
            page = self.pages[login] = self.page_at(width=self.width, lang=self.lang)
            page.goto("/login")
            page.fill("input[name=login]", login)
            page.fill("input[name=password]", PASSWORD)
            page.press("input[name=password]", "Enter")
            page.wait_for_url(lambda address: "/login" not in address)
        page = self.pages[login]
        page.goto(path)
        return page

    def look(self, page: Page, name: str, width: int | None = None) -> None:
        """No page is wider than the screen; a picture is kept where somebody wants to look."""
        width = width or self.width
        page.wait_for_load_state()  # a page that has just begun has no document to measure yet
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is too wide for {width}"
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}-{self.lang}.png"), full_page=True)


def press(page: Page, selector: str) -> None:
    """Press a button that asks whether one is sure."""
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator(selector).first.click()
