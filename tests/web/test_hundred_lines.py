"""A hundred goods of twelve co-operatives in one purchase: placed at once, with as many statements as for ten.

What is read and written goes as whole lists, so a further line costs PER_LINE statements at every door: none. The terms
of all co-operatives are two statements.
"""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from catalog.models import Product, ProductPrice
from catalog.papers import validity
from catalog.terms.models import DeliveryTerms
from market import clock, db
from market.parties import Organisation
from market.places import Division
from orders.buying import cart
from orders.models import CartLine, Order, OrderLine, Purchase
from tests.counting import count_statements
from tests.trade import TOMORROW, Trade
from tests.web.forms import csrf_token
from tests.world import NOON, World, keep_paper

SUPPLIERS = 12
PER_LINE = 0  # statements that one further line may cost
SIZES = (10, 50, 100)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def fill(world: World) -> list[int]:
    """A hundred goods harvested to order, of twelve co-operatives with terms of their own; their ids."""
    category = Trade(world)._category
    with db.transaction() as session:
        shelf, village = category(), world.villages["greens_home"]
        city = session.scalars(select(Division.id).where(Division.level == "city")).first()
        suppliers = [Organisation(kind="supplier", name=f"演示合作社{number}", short_name=f"合作社{number}",
                                  supplier_type="cooperative", division_id=village, created_at=clock.now())
                     for number in range(SUPPLIERS)]
        session.add_all(suppliers)
        session.flush()
        goods = []
        for number in range(max(SIZES)):
            supplier = suppliers[number % SUPPLIERS].id
            goods.append(Product(
                supplier_id=supplier, category_id=shelf, village_id=village, name=f"菜{number}", supply="daily",
                unit="公斤", grams_per_unit=1000, by_weight=True, minimum_milli=500, step_milli=500, price_fen=200,
                certified=False, daily_capacity_milli=1_000_000, picture="cabbage", created_at=clock.now()))
        session.add_all(goods)
        session.flush()
        session.add_all(ProductPrice(product_id=row.id, price_fen=200, valid_from=clock.now()) for row in goods)
        for supplier in suppliers:
            keep_paper(supplier.id, "licence")
            validity.recompute(supplier.id)
            session.add(DeliveryTerms(
                supplier_id=supplier.id, area_id=city, weekdays="1,2,3,4,5,6,7", windows="morning", cut_off_hour=16,
                cut_off_days=1, freight_fen=500, stated_by=world.person("chair.shi").id, stated_at=clock.now()))
        return [row.id for row in goods]


def costs_no_more(counts: list[int]) -> None:
    """From ten to a hundred lines, and from ten to twelve co-operatives, statements grow by PER_LINE only."""
    for size, count in zip(SIZES, counts, strict=True):
        assert count <= counts[0] + PER_LINE * (size - SIZES[0]), counts


def placed(size: int) -> None:
    """The newest purchase holds so many lines, one order per co-operative, each with its freight."""
    purchase = db.session().scalars(select(Purchase).order_by(Purchase.id.desc()).limit(1)).one()
    orders = db.session().scalars(select(Order).where(Order.purchase_id == purchase.id)).all()
    assert len(orders) == min(size, SUPPLIERS)
    assert db.session().scalar(select(func.count()).select_from(OrderLine).where(
        OrderLine.order_id.in_([order.id for order in orders]))) == size
    assert (purchase.total_fen, purchase.freight_fen) == (200 * size, 500 * len(orders))


def test_a_cart_of_a_hundred_lines_is_placed_in_one_request(app: Flask, world: World) -> None:
    goods, cook = fill(world), world.person("cook.chen")
    client = world.logged_in("cook.chen")
    counts = []
    for size in (max(SIZES), *SIZES):  # the first one fills what is kept: settings, statements, the day's rows
        chosen = goods[:size]
        with db.transaction():
            cart.put_all([(product, 1_000) for product in chosen], cook)
        token = csrf_token(client, "/cart")
        sent = {"csrf_token": token, "submit_token": f"cart-{len(counts)}-{size}", "fund_source": "canteen",
                "delivery_point_id": str(world.delivery_point_id()), "delivery_day": TOMORROW.isoformat(),
                "delivery_window": "morning",
                "expected_total_fen": str(200 * size + 500 * min(size, SUPPLIERS))}
        for number, product in enumerate(chosen):
            sent |= {f"lines-{number}-product_id": str(product), f"lines-{number}-quantity_milli": "1"}
        with count_statements(app) as statements:
            answer = client.post("/purchases", data=sent)
        assert answer.status_code == 303, answer.text
        placed(size)
        assert db.session().scalar(select(func.count()).select_from(CartLine)) == 0
        counts.append(len(statements))
    costs_no_more(counts[1:])


def test_the_api_places_a_hundred_lines_as_cheaply(app: Flask, world: World) -> None:
    goods = fill(world)
    client, headers = app.test_client(), world.api_headers("cook.chen")
    counts = []
    for number, size in enumerate((max(SIZES), *SIZES)):
        body = {"delivery_point_id": world.delivery_point_id(), "delivery_day": TOMORROW.isoformat(),
                "delivery_window": "morning", "fund_source": "canteen",
                "lines": [{"product_id": product, "ordered_milli": 1_000} for product in goods[:size]]}
        with count_statements(app) as statements:
            answer = client.post("/api/v1/purchases", json=body, headers=headers | {"Idempotency-Key": f"key-{number}"})
        assert answer.status_code == 201, answer.text
        told = answer.get_json()
        assert (told["total_fen"], told["freight_fen"]) == (200 * size, 500 * min(size, SUPPLIERS))
        placed(size)
        counts.append(len(statements))
    costs_no_more(counts[1:])


def test_one_co_operative_that_does_not_come_stops_all(app: Flask, world: World) -> None:
    goods = fill(world)
    with db.transaction() as session:
        row = session.scalars(select(DeliveryTerms).order_by(DeliveryTerms.id).limit(1)).one()
        row.weekdays = "1"
        late = row.supplier_id
    body = {"delivery_point_id": world.delivery_point_id(), "delivery_day": TOMORROW.isoformat(),
            "delivery_window": "morning", "fund_source": "canteen",
            "lines": [{"product_id": product, "ordered_milli": 1_000} for product in goods]}
    answer = app.test_client().post("/api/v1/purchases", json=body, headers=world.api_headers("cook.chen"))
    assert answer.status_code == 422
    error = answer.get_json()["error"]
    assert error["code"] == "outside_terms"
    assert list(error["fields"]) == [f"supplier-{late}"]
    assert "2026-10-19" in str(error["fields"])
    assert db.session().scalar(select(func.count()).select_from(Purchase)) == 0
