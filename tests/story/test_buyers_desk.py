"""Every page of the buyer's desk, on a phone and at a desk, in both languages: it fits, and axe finds nothing serious.

The pages come from the url map, so a new one is looked at the day it appears.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from market import db
from orders.aftersale import cases
from orders.aftersale.cases import Matter
from orders.models import Shipment
from tests import busy_money
from tests.goods import shelves
from tests.stand_in import StandIn
from tests.story import walking
from tests.story.conftest import PageAt
from tests.story.told import Told
from tests.trade import Trade
from tests.world import PEOPLE, SCHOOL, World

# pages look alike on both databases
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
KITCHEN = [login for login, (_name, organisation, _roles) in PEOPLE.items() if organisation == SCHOOL]
MONEY = {"paying.payments", "paying.transfer", "paying.claims", "paying.show", "paying.order_claims", "overdue.due",
         "refunds.to_unit", "payment_settings.show", "cards.index", "cards.show"}


@pytest.fixture
def things(app: Flask, world: World, stand_in: StandIn) -> dict[str, Any]:
    """A busy kitchen: orders that wait, are on their way, accepted and in dispute, and a month of money."""
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
    money = busy_money.things(app, world, stand_in)
    return {**money, "order_id": orders[2].id, "purchase_id": orders[2].purchase_id, "run_id": run, "case_id": case.id,
            "delivering.accept_order.order_id": orders[1].id}


def pages(app: Flask, world: World, things: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every page of the desk, the transfer form with orders in it, and what the cashier is told of an open page."""
    yield from walking.pages(app, world, KITCHEN, things)
    yield "paying.transfer", "cashier.sun", f"/payments/transfer?order={things['unpaid']}&order={things['unpaid_too']}"
    yield "paying.payments", "cashier.sun", "/payments"
    yield "paying.order_claims", "cashier.sun", f"/orders/{things['unpaid']}/payment-claims"
    yield "paying.show", "cashier.sun", f"/payments/claims/{things['refused']}"
    yield "cards.index", "cashier.sun", f"/orders/{things['unpaid']}/card-payments"
    yield "payment_settings.show", "admin.qian", "/payment-settings"


@pytest.mark.parametrize(("width", "lang"), [(390, "zh"), (1280, "en")])
def test_every_page_fits_and_can_be_read(app: Flask, page_at: PageAt, world: World, things: dict[str, Any], width: int,
                                         lang: str) -> None:
    seen, wrong = walking.look_at(Told(page_at, width, lang), pages(app, world, things), "desk")
    assert MONEY - seen == set()
    assert len(seen) > 12
    assert "\n".join(wrong) == ""
