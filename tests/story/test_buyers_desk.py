"""Every page of the buyer's desk, on a phone and at a desk, in both languages: it fits, and axe finds nothing serious.

The pages come from the url map, so a new one is looked at the day it appears.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page
from werkzeug.routing import Rule

from market import access, db
from orders.aftersale import cases
from orders.aftersale.cases import Matter
from orders.models import Shipment
from tests.goods import shelves
from tests.story.conftest import PageAt
from tests.story.told import Told
from tests.trade import Trade
from tests.world import PEOPLE, SCHOOL, World

# pages look alike on both databases
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
KITCHEN = [login for login, (_name, organisation, _roles) in PEOPLE.items() if organisation == SCHOOL]
# these are files, not pages; or they are shown to everybody and looked at elsewhere
NO_PAGE = {"account.own", None}
SERIOUS = {"serious", "critical"}


@pytest.fixture
def things(world: World) -> dict[str, Any]:
    """A busy kitchen: an order that waits to be packed, one on its way, one accepted and in dispute."""
    shelves()
    trade = Trade(world)
    goods = [trade.product(name) for name in ("白菜", "萝卜", "土豆")]
    for product in goods:
        trade.lot(product, 500)
    orders = [trade.orders(trade.place(dict.fromkeys(goods, 10_000)))[0] for _turn in range(3)]
    trade.ship(orders[1].id)
    trade.ship(orders[2].id)
    trade.accept(orders[2].id)
    with db.transaction():
        case = cases.open_case(orders[2].id, Matter("return", "wilted", "叶子黄了",
                                                    {trade.lines(orders[2].id)[0].id: 1_000}),
                               world.person("store.wang"))
    run = db.session().query(Shipment.run_id).filter(Shipment.order_id == orders[1].id).scalar()
    return {"order_id": orders[2].id, "purchase_id": orders[2].purchase_id, "run_id": run, "case_id": case.id,
            "delivering.accept_order.order_id": orders[1].id}


def pages(app: Flask, world: World, things: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(endpoint, login, path) of every page of the desk whose things the kitchen has."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions.get(rule.endpoint)
        verb = getattr(view, "access", None)
        if "GET" not in (rule.methods or ()) or verb in NO_PAGE or rule.rule.startswith("/api/") or "." in rule.rule:
            continue
        login = next((login for login in KITCHEN if access.can(world.person(login), verb)), None)
        path = filled(rule, things)
        if login is not None and path is not None:
            yield rule.endpoint, login, path


def filled(rule: Rule, things: dict[str, Any]) -> str | None:
    """The address with the kitchen's own things in it."""
    values = {name: things.get(f"{rule.endpoint}.{name}", things.get(name)) for name in rule.arguments}
    if None in values.values():
        return None
    built = rule.build(values)
    return built[1] if built else None


@pytest.mark.parametrize(("width", "lang"), [(390, "zh"), (1280, "zh"), (390, "en"), (1280, "en")])
def test_every_page_fits_and_can_be_read(app: Flask, page_at: PageAt, world: World, things: dict[str, Any], width: int,
                                         lang: str) -> None:
    told, axe = Told(page_at, width, lang), Axe()
    found: list[str] = []
    seen = 0
    for endpoint, login, path in pages(app, world, things):
        page = told.of(login, path)
        if not page.content().lstrip().lower().startswith("<!doctype html"):
            continue
        try:
            told.look(page, f"desk-{endpoint}")
        except AssertionError as wide:
            found.append(str(wide))
        found += [f"{endpoint} {path}: {line}" for line in serious(axe, page)]
        seen += 1
    assert seen > 12
    assert "\n".join(found) == ""


def serious(axe: Axe, page: Page) -> list[str]:
    """What axe calls serious or critical, with the place."""
    violations = axe.run(page).response["violations"]
    return [f"{one['id']} at {one['nodes'][0]['target']}" for one in violations if one["impact"] in SERIOUS]
