"""Where a co-operative delivers, as its desk states it and as a canteen meets it: in the cart and on the shelf."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from catalog.models import Product
from catalog.terms.models import DeliveryBreak, DeliveryTerms
from market import clock, db
from market.parties import DeliveryPoint
from orders.models import CartLine, Order, OrderLine, Purchase
from tests.counting import count_statements
from tests.goods import fill_shelf, list_goods, shelves
from tests.terms import county_of, move_point, state
from tests.trade import TOMORROW, Trade
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def rows(entity: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


# ---- the village desk -----------------------------------------------------------------------------------------------


def test_a_co_operative_states_changes_and_closes_an_area(world: World) -> None:
    desk, county = world.logged_in("clerk.zhang"), county_of(world).code
    assert "默认各处都送" in desk.get("/village/terms").text
    said = {"area": county, "weekdays[]": ["1", "4"], "windows[]": ["dawn", "morning"], "cut_off_days": "1",
            "cut_off_hour": "16", "minimum_fen": "50", "freight_fen": "15.00", "free_from_fen": "300"}
    assert send(desk, "/village/terms", "/village/terms/new", **said).status_code == 303
    row = db.session().scalars(select(DeliveryTerms)).one()
    assert (row.weekdays, row.windows, row.cut_off_hour, row.minimum_fen, row.freight_fen, row.free_from_fen) == (
        "1,4", "dawn,morning", 16, 5_000, 1_500, 30_000)
    page = desk.get("/village/terms").text
    assert "永州市 新田县" in page
    assert "周一 周四" in page
    assert "提前 1 天 16:00 前" in page
    edited = send(desk, f"/village/terms/{row.id}", **said | {"weekdays[]": ["2"], "free_from_fen": ""})
    assert edited.status_code == 303
    db.session().refresh(row)
    assert (row.weekdays, row.free_from_fen) == ("2", None)
    assert send(desk, f"/village/terms/{row.id}/closing", "/village/terms").status_code == 303
    db.session().refresh(row)
    assert row.closed_at is not None


def test_bad_terms_are_refused_at_their_fields(world: World) -> None:
    desk = world.logged_in("clerk.zhang")
    said = {"area": county_of(world).code, "weekdays[]": ["1"], "windows[]": ["dawn"], "cut_off_days": "1",
            "cut_off_hour": "16"}
    for wrong, at in (({"area": "000000000000"}, "area"), ({"weekdays[]": []}, "weekdays"), ({"windows[]": ["night"]},
                      "windows"), ({"cut_off_hour": "25"}, "cut_off_hour"), ({"freight_fen": "-1"}, "freight_fen"),
                      ({"free_from_fen": "100"}, "free_from_fen")):
        answer = send(desk, "/village/terms", "/village/terms/new", **said | wrong)
        assert answer.status_code == 422, wrong
        assert re.search(rf'href="#{at}', answer.text), wrong
    assert rows(DeliveryTerms) == 0
    state(world, area=said["area"])
    assert send(desk, "/village/terms", "/village/terms/new", **said).status_code == 409
    assert rows(DeliveryTerms) == 1


def test_a_break_is_added_and_taken_back(world: World) -> None:
    desk = world.logged_in("chair.shi")
    days = {"first_day": "2026-11-01", "last_day": "2026-10-31"}
    assert send(desk, "/village/terms/breaks", "/village/terms", **days).status_code == 422
    assert rows(DeliveryBreak) == 0
    assert send(desk, "/village/terms/breaks", "/village/terms", **days | {"last_day": "2026-11-20"}).status_code == 303
    row = db.session().scalars(select(DeliveryBreak)).one()
    assert send(desk, f"/village/terms/breaks/{row.id}/ending", "/village/terms").status_code == 303
    db.session().refresh(row)
    assert row.ended_at is not None


# ---- the cart -------------------------------------------------------------------------------------------------------


def filled(world: World, kilos: int = 10) -> tuple[Trade, int, dict[str, str]]:
    """Ten kilos for ¥20.00 in the cart of the cook, and the form as it would be sent."""
    trade = Trade(world)
    product = trade.product("白菜")
    trade.lot(product, 1_000)
    with db.transaction() as session:
        cook = world.person("cook.chen")
        session.add(CartLine(unit_id=cook.organisation_id, user_id=cook.id, product_id=product, milli=kilos * 1_000))
    return trade, product, {
        "lines-0-product_id": str(product), "lines-0-quantity_milli": str(kilos), "fund_source": "canteen",
        "delivery_point_id": str(world.delivery_point_id()), "delivery_day": TOMORROW.isoformat(),
        "delivery_window": "morning", "submit_token": "cart of the cook"}


def test_the_cart_shows_freight_and_orders_with_it(world: World) -> None:
    _trade, _product, sent = filled(world)
    state(world, freight_fen=1_500, free_from_fen=30_000, minimum_fen=1_000)
    cook = world.logged_in("cook.chen")
    page = cook.get("/cart").text
    assert "商品 ¥20.00，运费 ¥15.00" in page
    assert "满 ¥300.00 免运费" in page
    assert 'name="expected_total_fen" value="3500"' in page
    answer = send(cook, "/purchases", "/cart", **sent, expected_total_fen="3500",
                  **{"lines-0-substitute_ok": "1"})
    assert answer.status_code == 303
    order = db.session().scalars(select(Order)).one()
    assert (order.placed_fen, order.freight_fen) == (2_000, 1_500)
    assert db.session().scalars(select(OrderLine.substitute_ok)).all() == [True]


def test_another_freight_than_shown_is_asked_about(world: World) -> None:
    _trade, _product, sent = filled(world)
    state(world, freight_fen=1_500)
    answer = send(world.logged_in("cook.chen"), "/purchases", "/cart", **sent, expected_total_fen="2000")
    assert answer.status_code == 409
    assert "35.00" in answer.text
    assert rows(Purchase) == 0


def test_a_co_operative_that_does_not_come_says_it_at_its_place(world: World) -> None:
    _trade, _product, sent = filled(world)
    state(world, weekdays="5", minimum_fen=10_000)
    cook = world.logged_in("cook.chen")
    answer = send(cook, "/purchases", "/cart", **sent)
    assert answer.status_code == 422
    assert f'href="#supplier-{world.organisation_id(GREENS)}"' in answer.text
    assert "最早 2026-10-16" in answer.text
    assert "还差 ¥80.00" in answer.text
    assert (rows(Purchase), rows(CartLine)) == (0, 1)


def test_recalculating_keeps_door_day_window_and_substitutes(world: World) -> None:
    _trade, _product, sent = filled(world)
    state(world, weekdays="5")
    cook = world.logged_in("cook.chen")
    assert 'value="2026-10-16"' in cook.get("/cart").text  # the first day on which anybody comes
    changed = sent | {"delivery_day": "2026-10-23", "delivery_window": "noon", "lines-0-substitute_ok": "1"}
    assert send(cook, "/cart", **changed).status_code == 303
    page = cook.get("/cart").text
    assert 'value="2026-10-23"' in page
    assert re.search(r'value="noon" checked', page)
    assert re.search(r'name="lines-0-substitute_ok" value="1" checked', page)
    assert db.session().scalars(select(CartLine.substitute_ok)).all() == [True]


def test_the_chair_lowers_the_freight_of_an_order(world: World) -> None:
    trade, product, _sent = filled(world)
    state(world, freight_fen=1_500)
    order = trade.orders(trade.place({product: 10_000}))[0]
    chair, page = world.logged_in("chair.shi"), f"/village/orders/{order.id}"
    assert send(chair, f"{page}/freight", page, freight_fen="16").status_code == 422
    assert send(chair, f"{page}/freight", page, freight_fen="5").status_code == 303
    db.session().refresh(order)
    assert (order.freight_fen, order.freight_agreed_fen) == (500, 1_500)
    assert "运费已调低" in chair.get(page).text


def test_the_unit_pays_goods_and_freight(world: World) -> None:
    trade, product, _sent = filled(world)
    state(world, freight_fen=1_500)
    order = trade.orders(trade.place({product: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    cashier = world.logged_in("cashier.sun")
    assert "35.00" in cashier.get("/payments").text
    page = cashier.get(f"/orders/{order.id}/payment-claims").text
    assert 'name="amount_fen" value="35.00"' in page
    chair = world.logged_in("chair.shi")
    assert "35.00" in chair.get("/village/payments").text


# ---- the shelf ------------------------------------------------------------------------------------------------------


def names(page: str) -> list[tuple[str, bool]]:
    """The cards in their order, and which are grey."""
    return [(name, bool(off)) for off, name in re.findall(
        r'<article class="card( is-off)?">.*?<h3 class="card-name"><a[^>]*>([^<]+)</a>', page, re.S)]


def test_what_reaches_the_door_stands_first(world: World) -> None:
    shelves()
    list_goods(world, GREENS, name="白菜")
    list_goods(world, POMELO, name="香柚", category="citrus")
    anonymous = world.app.test_client()
    before = names(anonymous.get("/goods?sort=new").text)
    assert before == [("香柚", False), ("白菜", False)]
    state(world, POMELO, weekdays="5")
    cook = world.logged_in("cook.chen")
    send(cook, "/delivery-choice", "/goods", delivery_point_id=str(world.delivery_point_id()),
         delivery_day=TOMORROW.isoformat(), delivery_window="morning", next="/goods?sort=new")
    world.app.extensions["sijin_pages"].clear()
    page = cook.get("/goods?sort=new").text
    assert names(page) == [("白菜", False), ("香柚", True)]
    assert "最早 2026-10-16 送" in page
    assert names(anonymous.get("/goods?sort=new").text) == before  # nobody else's shelf has changed


def test_search_puts_what_comes_first(world: World) -> None:
    shelves()
    list_goods(world, POMELO, name="白菜甲", category="citrus")
    list_goods(world, GREENS, name="白菜乙")
    state(world, POMELO, area=county_of(world, "pomelo_home").code)
    page = world.logged_in("cook.chen").get("/search?q=白菜").text
    assert names(page) == [("白菜乙", False), ("白菜甲", True)]
    assert "送不到您的收货点" in page


def test_a_unit_with_several_doors_chooses(world: World) -> None:
    shelves()
    list_goods(world, GREENS, name="白菜")
    state(world, area=county_of(world).code)
    with db.transaction() as session:
        second = DeliveryPoint(unit_id=world.organisation_id("school"), name="分校", address="")
        session.add(second)
    move_point(world, world.villages["greens_home"])
    second_id = db.session().scalars(select(DeliveryPoint.id).where(DeliveryPoint.name == "分校")).one()
    cook = world.logged_in("cook.chen")
    assert names(cook.get("/goods").text) == [("白菜", False)]
    said = {"delivery_point_id": str(second_id), "delivery_day": TOMORROW.isoformat(), "delivery_window": "noon"}
    answer = send(cook, "/delivery-choice", "/goods", **said, next="/goods?page=1")
    assert (answer.status_code, answer.location) == (303, "/goods?page=1")
    assert names(cook.get("/goods").text) == [("白菜", True)]  # the branch school lies in the city
    foreign = send(cook, "/delivery-choice", "/goods", **said | {
        "delivery_point_id": str(world.delivery_point_id("hospital"))})
    assert foreign.status_code == 404
    elsewhere = send(cook, "/delivery-choice", "/goods", **said, next="https://example.com/")
    assert elsewhere.location == "/goods"


def test_the_shelf_costs_three_statements_more_for_any_number_of_goods(app: Flask, world: World) -> None:
    shelves()
    state(world)
    state(world, POMELO, weekdays="1,2,3,4,5")
    cook = world.logged_in("cook.chen")
    costs: list[list[int]] = []
    for size in (10, 90):
        fill_shelf(world, size)
        costs.append([])
        for path in ("/goods", "/search?q=货品", f"/products/{first_good()}"):
            for visitor in (cook, app.test_client()):
                visitor.get(path)
                app.extensions["sijin_pages"].clear()
                with count_statements(app) as statements:
                    assert visitor.get(path).status_code == 200
                costs[-1].append(len(statements))
    assert costs[0] == costs[1]


def test_who_is_reached_alike_shares_the_cards(app: Flask, world: World) -> None:
    shelves()
    list_goods(world, GREENS, name="白菜")
    state(world, weekdays="5")
    said = {"delivery_day": TOMORROW.isoformat(), "delivery_window": "morning"}
    cooks = {key: world.logged_in(login) for key, login in (("school", "cook.chen"), ("hospital", "cook.wu"))}
    counts = []
    for key, cook in cooks.items():
        send(cook, "/delivery-choice", "/goods", **said, delivery_point_id=str(world.delivery_point_id(key)))
    app.extensions["sijin_pages"].clear()
    for cook in cooks.values():
        with count_statements(app) as statements:
            cook.get("/goods")
        counts.append(len(statements))
    assert counts[1] < counts[0]


def first_good() -> int:
    return db.session().scalar(select(func.min(Product.id))) or 0


def test_no_day_of_the_past_and_no_unknown_window(world: World) -> None:
    cook = world.logged_in("cook.chen")
    token = csrf_token(cook, "/goods")
    for wrong in ({"delivery_window": "night"}, {"delivery_day": "gestern"}, {"delivery_point_id": "x"}):
        said = {"csrf_token": token, "delivery_point_id": str(world.delivery_point_id()),
                "delivery_day": TODAY.isoformat(), "delivery_window": "noon"} | wrong
        assert cook.post("/delivery-choice", data=said).status_code == 422
    cook.post("/delivery-choice", data={"csrf_token": token, "delivery_day": "2020-01-01", "delivery_window": "noon",
                                        "delivery_point_id": str(world.delivery_point_id())})
    assert "2020" not in cook.get("/goods").text
