"""After-sale over HTTP: what a kitchen sends, what the co-operative answers, and what a refused form keeps."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from sqlalchemy import func, select

from market import clock, db
from orders.models import AfterSale, CreditChange, Order, OrderLine, Rating
from tests.trade import Trade
from tests.web.forms import send
from tests.world import NOON, World, uploads


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def order(world: World) -> Order:
    """Ten kilos of cabbage for ¥20.00, taken by the school."""
    trade = Trade(world)
    product = trade.product("白菜")
    trade.lot(product)
    order = trade.orders(trade.place({product: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order


def line_of(order: Order) -> int:
    return db.session().scalars(select(OrderLine.id).where(OrderLine.order_id == order.id)).one()


def photo() -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "JPEG")
    out.seek(0)
    return out, "叶子.jpg"


def asked(order: Order, quantity: str = "2", **more: object) -> dict[str, object]:
    return {"kind": "return", "reason": "wilted", "words": "叶子黄了", "submit_token": "once",
            "lines-0-line_id": str(line_of(order)), "lines-0-quantity_milli": quantity} | more


def number_of(table: type[db.Base]) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(table)) or 0


def test_a_kitchen_sends_a_photo_and_the_co_operative_agrees(world: World, order: Order) -> None:
    kitchen, chair = world.logged_in("store.wang"), world.logged_in("chair.shi")
    page, url = f"/orders/{order.id}/cases/new", f"/orders/{order.id}/cases"
    for _again in range(2):  # sent twice by an impatient thumb
        answer = send(kitchen, url, page, photos=photo(), **asked(order))
        assert answer.status_code == 303
    assert number_of(AfterSale) == 1
    case = db.session().scalars(select(AfterSale)).one()
    shown = chair.get(f"/cases/{case.id}").text
    assert "叶子黄了" in shown and "/photos/" in shown
    picture = shown.split(f"/cases/{case.id}/photos/")[1].split('"')[0]
    assert chair.get(f"/cases/{case.id}/photos/{picture}").content_type == "image/webp"
    assert send(chair, f"/cases/{case.id}/answer", f"/cases/{case.id}", decision="agree", words="",
                submit_token="yes").status_code == 303
    assert "4.00" in kitchen.get(f"/orders/{order.id}").text
    assert kitchen.get("/orders?tab=after_sale").text.count(order.number) == 0  # it is settled


def test_too_much_is_refused_at_its_line_and_the_words_stay(world: World, order: Order) -> None:
    kitchen = world.logged_in("store.wang")
    answer = send(kitchen, f"/orders/{order.id}/cases", f"/orders/{order.id}/cases/new",
                  **asked(order, "11", photos=photo()))
    assert answer.status_code == 422
    assert 'id="lines-0-quantity_milli-error"' in answer.text and "叶子黄了" in answer.text
    assert number_of(AfterSale) == 0 and uploads() == []


def test_a_file_that_is_no_picture_is_refused_at_its_field(world: World, order: Order) -> None:
    answer = send(world.logged_in("store.wang"), f"/orders/{order.id}/cases", f"/orders/{order.id}/cases/new",
                  **asked(order, photos=(io.BytesIO(b"%PDF-1.4 no picture"), "x.jpg")))
    assert answer.status_code == 422 and 'id="photos-error"' in answer.text
    assert number_of(AfterSale) == 0


def test_a_clerk_does_not_answer_for_the_manager(world: World, order: Order) -> None:
    kitchen = world.logged_in("store.wang")
    send(kitchen, f"/orders/{order.id}/cases", f"/orders/{order.id}/cases/new", **asked(order))
    case = db.session().scalars(select(AfterSale)).one()
    clerk = world.logged_in("clerk.zhang")
    assert "decision" not in clerk.get(f"/cases/{case.id}").text
    assert send(clerk, f"/cases/{case.id}/answer", "/account", decision="agree").status_code == 403
    assert db.session().get_one(Order, order.id).returned_fen == 0


def test_an_order_is_rated_from_its_page(world: World, order: Order) -> None:
    cook, url = world.logged_in("cook.chen"), f"/orders/{order.id}/rating"
    assert order.number in cook.get("/orders?tab=to_rate").text
    wrong = send(cook, url, url, goods_stars="9", delivery_stars="5")
    assert wrong.status_code == 422 and number_of(Rating) == 0
    assert send(cook, url, url, goods_stars="4", delivery_stars="5", words="新鲜").status_code == 303
    assert order.number not in cook.get("/orders?tab=to_rate").text
    assert "★★★★☆" in cook.get(f"/orders/{order.id}").text


def test_without_a_family_no_unit_can_be_chosen(world: World, order: Order) -> None:
    cook, url = world.logged_in("cook.chen"), f"/orders/{order.id}/unit-change"
    assert "to_unit_id" not in cook.get(url).text
    answer = send(cook, url, "/account", to_unit_id=str(world.organisation_id("hospital")), reason="订错了")
    assert answer.status_code == 422 and number_of(CreditChange) == 0
