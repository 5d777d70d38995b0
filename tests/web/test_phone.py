"""Phone orders over HTTP: the clerk types and sends a link, the canteen taps once."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market import clock, db, outbox
from orders.models import Purchase
from orders.phone import jobs
from orders.phone.models import PhoneOrder
from tests import terms
from tests.standing_plans import set_price
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.world import NOON, PASSWORD, SCHOOL, TODAY, World

DAY = (TODAY + timedelta(days=2)).isoformat()


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade: Trade) -> int:
    product = trade.product("白菜", price_fen=200)
    trade.lot(product)
    return product


def type_in(world: World, goods: dict[int, str], login: str = "clerk.zhang", **changes: str):
    unit = world.organisation_id(SCHOOL)
    lines = {f"lines-{n}-{name}": value for n, (product_id, quantity) in enumerate(goods.items())
             for name, value in (("product_id", str(product_id)), ("quantity_milli", quantity))}
    return send(world.logged_in(login), "/village/phone-orders", f"/village/phone-orders/new?unit={unit}",
                unit_id=unit, delivery_day=DAY, delivery_window="morning", **lines, **changes)


def typed(world: World, cabbage: int) -> tuple[int, str]:
    """A phone order's id, and the path of the link that the clerk sends."""
    address = type_in(world, {cabbage: "10"}).location
    page = html.unescape(world.logged_in("clerk.zhang").get(address).text)
    link = re.findall(r"http://localhost(/phone/\w+)", page)[0]
    return int(address.rpartition("/")[2]), link


def confirm(client, order_id: int, total: str = "2000", **fields):
    address = f"/phone-orders/{order_id}"
    return send(client, f"{address}/confirmation", "/account", fund_source="canteen", expected_total_fen=total,
                **fields)


def purchases() -> int:
    return db.session().scalar(select(func.count()).select_from(Purchase)) or 0


def test_the_clerk_finds_the_unit_by_name_and_sees_its_short_name_alone(world, trade, cabbage):
    clerk = world.logged_in("clerk.zhang")
    assert "永州演示第一小学" not in clerk.get("/village/phone-orders/new").text
    assert "永州演示第一小学" in clerk.get("/village/phone-orders/new?q=第一小学").text
    trade.place({cabbage: 1_000})
    assert "永州演示第一小学" in clerk.get("/village/phone-orders/new").text


def test_typed_sent_opened_and_confirmed_by_one_tap(world, cabbage):
    order_id, link = typed(world, cabbage)
    outbox.drain(jobs.HANDLERS)
    cook = world.logged_in("cook.chen")
    assert f"/phone-orders/{order_id}" in cook.get("/notices").text
    opened = cook.get(link)
    assert (opened.status_code, opened.location) == (303, f"/phone-orders/{order_id}")
    page = cook.get(opened.location).text
    assert "白菜" in page and "20.00" in page and "张文书" not in page
    done = confirm(cook, order_id, delivery_point_id=world.delivery_point_id())
    assert done.status_code == 303 and done.location.startswith("/purchases/")
    again = confirm(cook, order_id, delivery_point_id=world.delivery_point_id())
    assert again.location == done.location
    assert purchases() == 1
    assert done.location in cook.get(f"/phone-orders/{order_id}").text


def test_the_same_tap_sent_twice_is_one_order(world, cabbage):
    order_id, _link = typed(world, cabbage)
    cook = world.logged_in("cook.chen")
    taps = [confirm(cook, order_id, delivery_point_id=world.delivery_point_id(), submit_token="tap") for _ in "ab"]
    assert {tap.location for tap in taps} == {taps[0].location}
    assert purchases() == 1


def test_who_is_not_logged_in_comes_back_after_the_login(app, world, cabbage):
    order_id, link = typed(world, cabbage)
    stranger = app.test_client()
    sent = stranger.get(link)
    assert sent.status_code == 302 and sent.location == f"/login?next={link}"
    back = stranger.post(sent.location, data={"csrf_token": csrf_token(stranger, sent.location), "login": "cook.chen",
                                              "password": PASSWORD, "next": link})
    assert back.location == link
    assert stranger.get(link).location == f"/phone-orders/{order_id}"


def test_another_unit_finds_nothing(world, cabbage):
    order_id, link = typed(world, cabbage)
    other = world.logged_in("cook.wu")
    assert other.get(link).status_code == other.get("/phone/nonsense").status_code == 404
    assert other.get(f"/phone-orders/{order_id}").status_code == 404
    assert confirm(other, order_id, delivery_point_id=world.delivery_point_id("hospital")).status_code == 404
    assert world.logged_in("clerk.lv").get(f"/village/phone-orders/{order_id}").status_code == 404
    assert purchases() == 0


def test_a_changed_price_is_shown_again_before_it_counts(world, cabbage):
    order_id, _link = typed(world, cabbage)
    set_price(cabbage, 250)
    cook = world.logged_in("cook.chen")
    refused = confirm(cook, order_id, delivery_point_id=world.delivery_point_id())
    assert refused.status_code == 409
    assert 'name="expected_total_fen" value="2500"' in refused.text
    assert purchases() == 0
    assert confirm(cook, order_id, "2500", delivery_point_id=world.delivery_point_id()).status_code == 303


def test_declined_and_withdrawn_by_form(world, cabbage):
    order_id, _link = typed(world, cabbage)
    cook = world.logged_in("cook.chen")
    address = f"/phone-orders/{order_id}"
    assert send(cook, f"{address}/refusal", address, reason="没说要").status_code == 303
    clerk = world.logged_in("clerk.zhang")
    assert "没说要" in clerk.get(f"/village/phone-orders/{order_id}").text
    assert confirm(cook, order_id, delivery_point_id=world.delivery_point_id()).status_code == 409
    assert send(clerk, f"/village/phone-orders/{order_id}/withdrawal", f"/village/phone-orders/{order_id}"
                ).status_code == 409
    assert purchases() == 0


def test_a_wrong_quantity_stands_at_its_good(world, trade, cabbage):
    radish = trade.product("萝卜")
    refused = type_in(world, {radish: "", cabbage: "0.3"})
    assert refused.status_code == 422
    assert f'id="good-{cabbage}"' in refused.text and 'aria-invalid="true"' in refused.text
    assert type_in(world, {radish: ""}).status_code == 422
    assert type_in(world, {cabbage: "１２x"}).status_code == 422
    assert db.session().scalar(select(func.count()).select_from(PhoneOrder)) == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_reads_in_both_languages(world, cabbage, lang):
    order_id, _link = typed(world, cabbage)
    for login, pages in (("clerk.zhang", ("/village/phone-orders", "/village/phone-orders/new",
                                          f"/village/phone-orders/{order_id}")),
                         ("cook.chen", ("/phone-orders", f"/phone-orders/{order_id}"))):
        client = world.logged_in(login)
        for page in pages:
            assert client.get(f"{page}?lang={lang}").status_code == 200


def test_the_freight_is_shown_and_ordered_with_the_goods(world: World, cabbage: int) -> None:
    terms.state(world, freight_fen=300, minimum_fen=1_000)
    order_id, _link = typed(world, cabbage)
    told = html.unescape(world.logged_in("clerk.zhang").get(f"/village/phone-orders/{order_id}").text)
    assert "¥23.00" in told and "运费" in told  # also in the text that goes into the chat
    cook = world.logged_in("cook.chen")
    page = cook.get(f"/phone-orders/{order_id}").text
    assert 'name="expected_total_fen" value="2300"' in page and "运费" in page
    assert confirm(cook, order_id, total="2000", delivery_point_id=world.delivery_point_id()).status_code == 409
    answer = confirm(cook, order_id, total="2300", delivery_point_id=world.delivery_point_id())
    assert answer.status_code == 303
    assert db.session().execute(select(Purchase.total_fen, Purchase.freight_fen)).all() == [(2_000, 300)]
