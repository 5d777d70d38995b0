"""What story tests share: one browser for the session, and a live server for the test's database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page
from werkzeug.serving import make_server

from tests import browser as browsers

PageAt = Callable[..., Page]

# a story is told once on each database, in another language and on another screen each time
TWICE = pytest.mark.parametrize(("backend", "lang"), [("sqlite", "zh"), ("postgresql", "en")], indirect=["backend"])
ON_A_PHONE_AND_AT_A_DESK = pytest.mark.parametrize(
    ("backend", "width", "lang"), [("sqlite", 390, "zh"), ("postgresql", 1280, "en")], indirect=["backend"])
WITH_AND_WITHOUT_SCRIPT = pytest.mark.parametrize(
    ("backend", "lang", "javascript"), [("sqlite", "zh", True), ("postgresql", "en", True),
                                        ("postgresql", "zh", False)], indirect=["backend"])
FOUR_TIMES = pytest.mark.parametrize(
    ("backend", "width", "lang"), [("sqlite", 390, "zh"), ("sqlite", 1280, "en"), ("postgresql", 1280, "zh"),
                                   ("postgresql", 390, "en")], indirect=["backend"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all stories."""
    with browsers.running() as found:
        yield found


@pytest.fixture
def live(app: Flask) -> Iterator[str]:
    """The address at which a browser meets the test's site; `world` and `Trade` write to the same database."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def page_at(browser: Browser, live: str) -> Iterator[PageAt]:
    """`page_at(width=1280, lang="zh", javascript=True)`: a fresh page of the live site; errors in it fail the test."""
    wrong: list[str] = []
    with ExitStack() as stack:
        def open_page(width: int = 1280, lang: str = "zh", javascript: bool = True) -> Page:
            context = stack.enter_context(browser.new_context(
                base_url=live, viewport={"width": width, "height": 900}, java_script_enabled=javascript,
                locale="zh-CN" if lang == "zh" else "en-GB", reduced_motion="reduce"))
            context.add_cookies([{"name": "lang", "value": lang, "url": live}])
            page = context.new_page()
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda said: wrong.append(said.text) if is_wrong(said) else None)
            return page

        yield open_page
    assert wrong == []


def is_wrong(said: ConsoleMessage) -> bool:
    """A script or policy error; that a form was refused (a status of 4xx) is not one."""
    return said.type == "error" and "responded with a status of 4" not in said.text
