"""Walking every page of a desk: it fits the screen, and axe finds nothing serious.

The pages come from the url map, so a new one is looked at the day it appears.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page
from werkzeug.routing import Rule

from market import access
from tests.story.told import Told
from tests.world import World

# these are files, not pages; or they are shown to everybody and looked at elsewhere
NO_PAGE = {"account.own", None}
WIDTHS = (390, 1280)
SERIOUS = {"serious", "critical"}
# a caption that is squeezed into the first column of nothing reads one word a line
SQUEEZED = """[...document.querySelectorAll("caption:not(.visually-hidden)")]
    .filter(one => one.offsetWidth < one.parentElement.offsetWidth / 2).map(one => one.textContent)"""


def pages(app: Flask, world: World, logins: Collection[str],
          things: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(endpoint, login, path) of every page that one of these people may see and whose things there are."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions.get(rule.endpoint)
        verb = getattr(view, "access", None)
        if "GET" not in (rule.methods or ()) or verb in NO_PAGE or rule.rule.startswith("/api/") or "." in rule.rule:
            continue
        login = next((login for login in logins if access.can(world.person(login), verb)), None)
        path = filled(rule, things)
        if login is not None and path is not None:
            yield rule.endpoint, login, path


def filled(rule: Rule, things: Mapping[str, Any]) -> str | None:
    """The address with these things in it."""
    values = {name: things.get(f"{rule.endpoint}.{name}", things.get(name)) for name in rule.arguments}
    if None in values.values():
        return None
    built = rule.build(values)
    return built[1] if built else None


def look_at(told: Told, asked: Iterable[tuple[str, str, str]], name: str) -> tuple[set[str], list[str]]:
    """The endpoints that were looked at, and what is wrong with them.

    Each fits a phone and a desk; axe looks at it as wide as it is told.
    """
    axe, seen, wrong = Axe(), set(), []
    for endpoint, login, path in asked:
        page = told.of(login, path)
        if not page.content().lstrip().lower().startswith("<!doctype html"):
            continue
        for width in sorted(WIDTHS, key=lambda width: width == told.width):  # its own one last
            page.set_viewport_size({"width": width, "height": 900})
            try:
                told.look(page, f"{name}-{endpoint}-{path.partition('?')[2]}".rstrip("-"), width)
            except AssertionError as wide:
                wrong.append(str(wide))
        wrong += [f"{endpoint} {path}: {line}" for line in (*serious(axe, page), *page.evaluate(SQUEEZED))]
        seen.add(endpoint)
    return seen, wrong


def serious(axe: Axe, page: Page) -> list[str]:
    """What axe calls serious or critical, with the place."""
    violations = axe.run(page).response["violations"]
    return [f"{one['id']} at {one['nodes'][0]['target']}" for one in violations if one["impact"] in SERIOUS]
