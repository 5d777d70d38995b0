"""Openness at the door: the village's page, shares beside goods, a co-operative's costs, a unit that is named."""

import io
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from catalog.models import Lot
from market import clock, db, linkages, sealing, villages
from market.places import Division
from orders.income import presence
from orders.openness import costs
from orders.openness.models import NamedUnit, SupplierCost
from tests.services.test_openness import SAID, a_year, at
from tests.trade import Trade
from tests.web.forms import csrf_token
from tests.web.test_shop import photo
from tests.world import GREENS, NOON, World

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def things_are_counted(app: Flask) -> Iterator[None]:
    app.extensions["sijin_presence"] = presence.things_of
    with clock.at(NOON):
        yield


def page_of(world: World, app: Flask, client: FlaskClient, village: str = "greens_home") -> str:
    app.extensions["sijin_pages"].clear()
    code = db.session().get_one(Division, world.villages[village]).code
    answer = client.get(f"/villages/{code}?lang=en")
    assert answer.status_code == 200
    return answer.text


def test_a_village_page_tells_what_was_bought_and_what_reached_whom(app: Flask, world: World, trade: Trade,
                                                                    client: FlaskClient) -> None:
    product = a_year(trade, world, payees=6)
    with db.transaction():
        costs.declare(SAID, None, world.person("chair.shi"))
    with clock.at(at(11)):
        html = page_of(world, app, client)
        assert "24.0%" in html and "8.0%" in html and ">6</dd>" in html
        assert html.count('data-value="') == 12 + 1 and 'data-value="8.00"' in html
        assert "1 unit has not agreed to be named." in html and "永州演示第一小学" not in html
        assert "ledger head" in html and 'data-map-mark' in html
        lot = db.session().scalar(select(Lot.code))
        for address in (f"/products/{product}?lang=en", f"/trace/{lot}?lang=en"):
            told = client.get(address).text
            assert "24.0%" in told and "declared by the co-operative, from 2026-09" in told
        assert "fewer than 5" not in html
        assert "Nothing was accepted in these months" in page_of(world, app, client, "pomelo_home")


def test_few_households_are_told_as_few_and_nothing_else(app: Flask, world: World, trade: Trade,
                                                         client: FlaskClient) -> None:
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 50, households=list(trade.members(GREENS, world.villages["greens_home"])[:4]))
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    trade.pay_out(world.organisation_id(GREENS), world.villages["greens_home"], "farm_gate", 1_200)
    sealing.seal_all()
    with clock.at(at(11)):
        code = db.session().get_one(Lot, lot).code
        for html in (page_of(world, app, client), client.get(f"/products/{cabbage}?lang=en").text,
                     client.get(f"/trace/{code}?lang=en").text):
            assert "fewer than 5" in html and "12.00" not in html


def test_a_village_that_was_renamed_keeps_its_figures_and_its_old_code_leads_on(
        app: Flask, world: World, trade: Trade, client: FlaskClient) -> None:
    a_year(trade, world, payees=6)
    near = db.session().scalars(select(Division.id).where(
        Division.township_id == db.session().get_one(Division, world.villages["greens_home"]).township_id,
        Division.level == "village", Division.id != world.villages["greens_home"]).limit(1)).one()
    gone = db.session().get_one(Division, near).code
    home = db.session().get_one(Division, world.villages["greens_home"])
    with clock.at(at(11)):
        with db.transaction():
            villages.merge([home.id, near], "新合村", clock.today(), "合并", world.person("official.jin"),
                           (linkages.follow_village,))
        html = page_of(world, app, client)
        assert "新合村" in html and home.name in html and "until" in html and 'data-value="8.00"' in html
        answer = client.get(f"/villages/{gone}")
        assert answer.status_code == 302 and answer.location.endswith(f"/villages/{home.code}")


def test_a_unit_is_named_while_its_manager_says_so(app: Flask, world: World, trade: Trade,
                                                   client: FlaskClient) -> None:
    a_year(trade, world, payees=6)
    with clock.at(at(11)):
        manager = world.logged_in("admin.qian")
        cook = world.logged_in("cook.chen")
        data = {"csrf_token": csrf_token(cook, "/account"), "agreed": "1"}
        assert cook.post("/unit/naming", data=data).status_code == 403
        for agreed, shown in (("1", True), ("0", False)):
            answer = manager.post("/unit/naming", data={"agreed": agreed, "csrf_token": csrf_token(manager, "/unit")})
            assert answer.status_code == 303
            assert ("永州演示第一小学" in page_of(world, app, client)) is shown
    assert db.session().scalar(select(NamedUnit.unit_id)) is None


def test_a_co_operative_says_its_costs_and_only_it_reads_the_paper(world: World, trade: Trade) -> None:
    trade.product("白菜")
    clerk, other = world.logged_in("clerk.zhang"), world.logged_in("clerk.lv")

    def form(**more: object) -> dict[str, object]:
        return {"csrf_token": csrf_token(clerk, "/village/costs"), "category": "vegetables", "valid_from": "2026-10",
                "packing_points": "5", "transport_points": "8.25", "loss_points": "3", "share_points": "",
                "evidence": (io.BytesIO(photo()), "票据.png"), **more}

    assert clerk.post("/village/costs", data=form()).status_code == 303
    row = db.session().scalars(select(SupplierCost)).one()
    assert (row.packing_points, row.transport_points, row.share_points) == (500, 825, None)
    assert clerk.get(f"/village/costs/{row.id}/evidence").status_code == 200
    assert other.get(f"/village/costs/{row.id}/evidence").status_code == 404
    for wrong in ({"packing_points": "90"}, {"category": "nothing"}, {"valid_from": "2027-01"},
                  {"loss_points": "x"}, {"share_points": "101"}, {"evidence": (io.BytesIO(b"x"), "x.exe")}):
        answer = clerk.post("/village/costs", data=form(**wrong))
        assert answer.status_code == 422 and re.search("field-error|role=\"alert\"", answer.text), wrong
    assert db.session().scalars(select(SupplierCost)).one().loss_points == 300
    assert "8.3%" in clerk.get("/village/costs").text
