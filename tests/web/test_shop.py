"""The shop front and the goods pages of the village desk, as visitors meet them."""

import io
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import login_user
from PIL import Image

from catalog import indexing, origins, products
from catalog.models import Availability, Product, ProductPrice
from market import clock, db, files, page_cache
from tests import goods
from tests.counting import count_statements
from tests.web.forms import csrf_token
from tests.world import GREENS, POMELO, World, uploads


@pytest.fixture(autouse=True)
def _shelves(world: World) -> None:
    """Shelves, and a reference price by which the pomelos of these stories are on the shelf at once."""
    goods.shelves()
    goods.reference(world, 800, category="fruit", county="pomelo_home")


def forget(app: Flask) -> None:
    """As if some seconds had passed."""
    app.extensions["sijin_pages"].clear()


def index(app: Flask) -> None:
    indexing.rebuild(app.extensions["sijin"].search_dir)


def photo(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "green").save(content, kind)
    return content.getvalue()


def form_of(world: World, supplier: str = POMELO, **changes: str) -> dict[str, str]:
    """The form of new goods as a browser sends it."""
    said = goods.values(world, supplier)
    return {
        "name": "江永香柚", "category": "citrus", "village": said["village"], "supply": "stocked", "unit": "斤",
        "grams_per_unit": "0.5", "minimum_milli": "10", "step_milli": "1", "daily_capacity_milli": "0",
        "picture": "pomelo", "price_fen": "3.98", **changes,
    }


# ---- statements ------------------------------------------------------------------------------------------------------

LISTS = ("/goods", "/goods?category=veg&county=431128&sort=price", "/search?q=货品", "/villages", "/", "/goods?page=2")


@pytest.mark.parametrize("address", LISTS)
def test_a_list_costs_as_many_statements_for_100_products_as_for_10(
        app: Flask, world: World, client: FlaskClient, address: str) -> None:
    costs = []
    for more in (10, 90):
        goods.fill_shelf(world, more)
        index(app)
        forget(app)
        app.extensions["sijin_search"]._check_at = 0
        app.extensions["sijin_demo"]()  # asked for once in a while, not per page
        with count_statements(app) as statements:
            assert client.get(address).status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1]
    assert costs[0] <= (5 if address == "/" else 3)


def test_the_database_answers_a_search_within_three_statements(app: Flask, world: World, client: FlaskClient) -> None:
    goods.fill_shelf(world, 30)
    with count_statements(app) as statements:
        assert "货品" in client.get("/search?q=货品").text
    assert len(statements) == 3


def test_the_desks_list_costs_the_same_for_many(app: Flask, world: World) -> None:
    browser = world.logged_in("clerk.lv")
    costs = []
    for more in (10, 90):
        goods.fill_shelf(world, more)
        app.extensions["sijin_demo"]()
        with count_statements(app) as statements:
            assert browser.get("/village/products").status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 5  # two of its own; the rest is the frame's


# ---- shelves ---------------------------------------------------------------------------------------------------------


def test_pages_of_a_shelf_and_their_edges(app: Flask, world: World, client: FlaskClient) -> None:
    goods.fill_shelf(world, 30)
    first, second = client.get("/goods?sort=name").text, client.get("/goods?sort=name&page=2").text
    assert first.count('class="card') - first.count('class="card-') == 24
    assert second.count('class="card') - second.count('class="card-') == 6
    for page, same_as in (("0", first), ("abc", first), ("-1", first), ("9999", second), ("9" * 20, first)):
        assert cards(client.get(f"/goods?sort=name&page={page}").text) == cards(same_as), page


def cards(html: str) -> list[str]:
    return re.findall(r'class="card-name"><a href="([^"]+)"', html)


def test_filters_in_the_address(world: World, client: FlaskClient) -> None:
    goods.list_goods(world, name="小白菜")
    goods.list_goods(world, POMELO, name="江永香柚", category="citrus", certified=True, supply="stocked")
    for wish, shown in (("county=431125", "江永香柚"), ("category=veg", "小白菜"), ("certified=1", "江永香柚"),
                        ("supply=daily", "小白菜"), ("month=13&county=431128", "小白菜")):
        html = client.get(f"/goods?{wish}").text
        assert {name for name in ("小白菜", "江永香柚") if name in html} == {shown}, wish
    assert "没有同时符合" in client.get("/goods?county=431128&certified=1").text


def test_hostile_addresses_are_answered_calmly(world: World, client: FlaskClient) -> None:
    goods.list_goods(world)
    hostile = ["%", "_", "\\", "'; DROP TABLE product;--", "<script>alert(1)</script>", "\x01", "\ud800", "a" * 5000,
               "*", '"', "AND OR NOT", "白" * 300, "${7*7}", "{{7*7}}", "\u202e香柚"]
    for text in hostile:
        for path, name in (("/search", "q"), ("/goods", "category"), ("/goods", "county"), ("/goods", "month"),
                           ("/goods", "sort"), ("/villages", "county"), ("/villages", "township")):
            answer = client.get(path, query_string={name: text.encode("utf-8", "surrogatepass")})
            assert answer.status_code == 200, (path, name, text)
            assert "<script>alert" not in answer.text
    for address in ("/products/0", "/products/99999999999999999999999", "/products/x", "/villages/1",
                    "/trace/no such", "/trace/" + "A" * 500, "/files/../secret_key", "/files/x.webp"):
        assert client.get(address).status_code == 404, address


# ---- search ----------------------------------------------------------------------------------------------------------


def test_search_finds_by_pinyin_keeps_the_query_and_suggests(app: Flask, world: World, client: FlaskClient) -> None:
    goods.list_goods(world, POMELO, name="江永香柚", category="citrus")
    goods.list_goods(world, name="脐橙")
    index(app)
    found = client.get("/search?q=xiangyou&county=431125").text
    assert cards(found) and "江永香柚" in found
    assert 'name="q" value="xiangyou"' in found
    nothing = client.get("/search?q=脐城").text
    assert not cards(nothing) and "脐橙" in nothing and "您要找的是不是" in nothing
    assert "想找什么" in client.get("/search").text


def test_without_an_index_the_database_answers(app: Flask, world: World, client: FlaskClient) -> None:
    goods.list_goods(world, POMELO, name="江永香柚", category="citrus")
    assert cards(client.get("/search?q=香柚").text)
    assert not cards(client.get("/search?q=%25").text)


def test_a_product_taken_off_is_not_shown_though_the_index_still_knows_it(app: Flask, world: World,
                                                                           client: FlaskClient) -> None:
    product_id = goods.list_goods(world, name="小白菜")
    index(app)
    with db.transaction():
        products.set_state(products.own_product(product_id, world.organisation_id(GREENS)), "hidden", None)
    assert not cards(client.get("/search?q=白菜").text)
    assert client.get(f"/products/{product_id}").status_code == 404


# ---- what is kept for some seconds -----------------------------------------------------------------------------------


def test_anonymous_pages_set_no_cookie_and_may_be_cached(world: World, client: FlaskClient) -> None:
    product_id = goods.list_goods(world)
    for address in ("/", "/goods", f"/products/{product_id}", "/search?q=白菜", "/villages"):
        answer = client.get(address)
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == page_cache.PUBLIC
        assert {"Cookie", "Accept-Encoding"} <= set(answer.headers["Vary"].replace(" ", "").split(","))
        assert "csrf_token" not in answer.text


def test_a_kept_page_costs_nothing_and_goes_after_some_seconds(app: Flask, world: World, client: FlaskClient) -> None:
    goods.list_goods(world, name="小白菜")
    first = client.get("/goods").text
    goods.list_goods(world, name="芥菜")
    with count_statements(app) as statements:
        assert client.get("/goods").text == first
    assert statements == []
    forget(app)
    assert "芥菜" in client.get("/goods").text


def test_pages_are_kept_apart_by_language_host_and_wishes(world: World, client: FlaskClient) -> None:
    goods.list_goods(world, name="小白菜", name_en="Pak choi")
    assert "小白菜" in client.get("/goods").text
    english = client.get("/goods?lang=en")
    assert "Pak choi" in english.text and "private" in english.headers["Cache-Control"]
    assert "Pak choi" in client.get("/goods").text  # the cookie is set now
    other = world.app.test_client()
    assert "Pak choi" not in other.get("/goods").text
    assert not cards(other.get("/goods?category=fruit").text) and cards(other.get("/goods?category=veg").text)
    code = goods.book(world, goods.list_goods(world, POMELO, supply="stocked"), 10)
    first = other.get(f"/trace/{code}", base_url="http://a.example").text
    assert first != other.get(f"/trace/{code}", base_url="http://b.example").text


def test_strange_parameters_reach_nobody_else(world: World, client: FlaskClient) -> None:
    goods.list_goods(world)
    assert "evil" in client.get("/goods?utm=evil").text  # in the link to the other language, for this visitor alone
    assert "evil" not in client.get("/goods").text
    assert "evil" not in client.get("/goods?page=1").text


def test_nobody_sees_anothers_page(app: Flask, world: World, client: FlaskClient) -> None:
    product_id = goods.list_goods(world)
    addresses = ("/", "/goods", f"/products/{product_id}", "/search?q=白菜")
    cook, clerk = world.logged_in("cook.chen"), world.logged_in("clerk.lv")
    for address in addresses:
        mine = cook.get(address)
        assert "private" in mine.headers["Cache-Control"]
        other, stranger = clerk.get(address).text, client.get(address).text
        assert "陈师傅" not in other + stranger and "csrf_token" not in stranger
        assert "private" in cook.get(address).headers["Cache-Control"]
    forget(app)
    for address in addresses:
        assert client.get(address).headers["Cache-Control"] == page_cache.PUBLIC
        assert "private" in cook.get(address).headers["Cache-Control"]


def test_the_number_beside_the_cart_is_the_visitors_own(app: Flask, world: World, client: FlaskClient) -> None:
    goods.list_goods(world)
    app.extensions["sijin_cart_count"] = lambda visitor: 7 if visitor.login == "cook.chen" else 0
    try:
        assert "陈师傅" not in client.get("/goods").text
        entry = next(e for e in app.extensions["sijin_menu"] if e.endpoint == "cart.show")
        with app.test_request_context():
            login_user(world.person("cook.chen"))
            assert entry.count == 7
    finally:
        del app.extensions["sijin_cart_count"]


# ---- product, village, trace -----------------------------------------------------------------------------------------


def test_only_those_who_order_see_the_order_form(app: Flask, world: World, client: FlaskClient) -> None:
    product_id = goods.list_goods(world)
    stranger = client.get(f"/products/{product_id}").text
    assert "登录后下单" in stranger and 'name="quantity_milli"' not in stranger
    clerk = world.logged_in("clerk.lv").get(f"/products/{product_id}").text
    assert "登录后下单" not in clerk and 'name="quantity_milli"' not in clerk
    if "cart.add" in app.view_functions:
        assert 'name="quantity_milli"' in world.logged_in("cook.chen").get(f"/products/{product_id}").text


def test_a_village_page_shows_goods_and_lots_and_no_figures_of_its_own(app: Flask, world: World,
                                                                        client: FlaskClient) -> None:
    pomelo = goods.list_goods(world, POMELO, name="江永香柚", supply="stocked")
    code = goods.book(world, pomelo, 10)
    address = "/villages/" + goods.values(world, POMELO)["village"]
    html = client.get(address).text
    assert "江永香柚" in html and code in html and "带动农户" not in html
    assert client.get("/villages/431125000000").status_code == 404


@pytest.mark.parametrize(("households", "words"), [(2, "不足 5 户"), (6, "6 户")])
def test_a_trace_names_villages_but_nobody(world: World, client: FlaskClient, households: int, words: str) -> None:
    pomelo = goods.list_goods(world, POMELO, name="江永香柚", supply="stocked")
    code = goods.book(world, pomelo, 60, households=households)
    html = client.get(f"/trace/{code}").text
    assert words in html and "30" in html and "<svg" in html
    assert "户1" not in html and "DEMO-JY" not in html and "M001" not in html and "¥" not in html
    assert origins.FEWEST_HOUSEHOLDS == 5


def test_villages_by_county_and_township(world: World, client: FlaskClient) -> None:
    goods.list_goods(world, POMELO)
    code = goods.values(world, POMELO)["village"]
    assert code in client.get("/villages").text
    assert code in client.get(f"/villages?county=431125&township={code[:9]}000").text
    assert code not in client.get("/villages?county=431128").text
    assert 'class="pager"' in client.get("/villages?every=1&page=9999").text


# ---- the village desk ------------------------------------------------------------------------------------------------


def test_goods_are_listed_priced_and_taken_off(world: World) -> None:
    clerk = world.logged_in("clerk.lv")
    token = csrf_token(clerk, "/village/products/new")
    form = {**form_of(world), "csrf_token": token, "submit_token": "once", "harvest_months[]": ["11", "10"]}
    answer = clerk.post("/village/products", data={**form, "photo": (io.BytesIO(photo()), "柚子.png")})
    again = clerk.post("/village/products", data=form)
    assert answer.status_code == again.status_code == 303 and answer.location == again.location
    product = db.session().query(Product).one()
    assert (product.price_fen, product.grams_per_unit, product.by_weight) == (398, 500, True)
    assert (product.minimum_milli, product.step_milli) == (10_000, 1_000)
    assert (product.harvest_months, product.unit_en, product.certified) == ("10,11", "jin", False)
    page = f"/village/products/{product.id}"
    clerk.post(page + "/prices", data={"csrf_token": token, "price_fen": "4.20"})
    clerk.post(page + "/state", data={"csrf_token": token, "state": "hidden"})
    db.session().expire_all()
    assert (product.price_fen, product.state) == (420, "hidden")
    assert "¥</span>3.98" in clerk.get(page + "/prices").text
    assert "已下架" in clerk.get("/village/products?state=hidden&sort=price").text


WRONG = {
    "price_fen": "3.985", "name": "", "grams_per_unit": "0.6", "minimum_milli": "10.5", "category": "no-such",
    "village": "431125000000", "unit": "五个字的单位", "picture": "no-such", "supply": "maybe", "step_milli": "-1",
    "name_en": "x" * 81,
}


@pytest.mark.parametrize("field", WRONG)
def test_a_refused_form_keeps_what_was_typed_and_changes_nothing(world: World, field: str) -> None:
    clerk = world.logged_in("clerk.lv")
    form = form_of(world, aliases="<土名>&", **{field: WRONG[field]}) | {"csrf_token": csrf_token(
        clerk, "/village/products/new"), "harvest_months[]": "11"}
    answer = clerk.post("/village/products", data=form)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text or f'href="#{field}"' in answer.text
    assert "<土名>&" in unescape(answer.text) and "<土名>" not in answer.text
    assert re.search(r'name="harvest_months\[\]" value="11" checked', answer.text)
    assert db.session().query(Product).count() == 0 and db.session().query(ProductPrice).count() == 0


def bomb() -> bytes:
    """A small file of a huge picture."""
    content = io.BytesIO()
    Image.new("1", (6_000, 6_000)).save(content, "PNG")
    return content.getvalue()


REFUSED: dict[str, Callable[[], bytes]] = {
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "bomb": bomb, "pdf": lambda: goods.PDF, "html": lambda: b"<html>", "cut": lambda: photo()[:40],
    "large": lambda: b"\x89PNG" + b"0" * files.MAX_BYTES,
}


@pytest.mark.parametrize("kind", REFUSED)
def test_only_real_pictures_become_photos(app: Flask, world: World, kind: str) -> None:
    clerk = world.logged_in("clerk.lv")
    form = form_of(world) | {"csrf_token": csrf_token(clerk, "/village/products/new")}
    answer = clerk.post("/village/products", data={**form, "photo": (io.BytesIO(REFUSED[kind]()), "x.png")})
    assert answer.status_code == 422 and 'id="photo-error"' in answer.text
    assert db.session().query(Product).count() == len(uploads()) == 0
    assert not app.extensions["sijin"].files_dir.exists()


def test_a_photo_is_re_encoded_and_open_to_all(world: World, client: FlaskClient) -> None:
    clerk = world.logged_in("clerk.lv")
    form = form_of(world) | {"csrf_token": csrf_token(clerk, "/village/products/new")}
    clerk.post("/village/products", data={**form, "photo": (io.BytesIO(photo("JPEG")), "柚子.jpg")})
    (stored,) = uploads()
    answer = client.get(f"/files/{stored.name}")
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert "immutable" in answer.headers["Cache-Control"] and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert f"/files/{stored.name}" in client.get("/goods").text


@pytest.mark.parametrize("visibility", ["own", "parties"])
def test_papers_are_for_their_organisation_and_auditors(app: Flask, world: World, client: FlaskClient,
                                                        visibility: str) -> None:
    with db.transaction():
        paper = files.keep(files.prepare(goods.PDF), "合同.pdf", visibility, world.person("clerk.lv"),
                           app.extensions["sijin"].files_dir)
    address = f"/files/{paper.name}"
    unknown = client.get("/files/" + "0" * 32 + ".pdf")
    for stranger in (client, world.logged_in("cook.chen"), world.logged_in("clerk.zhang")):
        answer = stranger.get(address)
        assert answer.status_code == unknown.status_code == 404
    for reader in ("chair.he", "auditor.wei"):
        answer = world.logged_in(reader).get(address)
        assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_day_is_not_set_below_what_is_promised(world: World) -> None:
    product_id, day = goods.list_goods(world, POMELO), clock.today()
    with db.transaction() as session:
        session.add(Availability(product_id=product_id, day=day, capacity_milli=100_000, held_milli=40_000))
    clerk = world.logged_in("clerk.lv")
    page = f"/village/products/{product_id}/availability"
    form = {"csrf_token": csrf_token(clerk, page), "days-0-day": day.isoformat(), "days-0-capacity_milli": "39.9",
            "days-1-day": clock.days_after(day, 1).isoformat(), "days-1-capacity_milli": "0"}
    refused = clerk.post(page, data=form)
    assert refused.status_code == 422 and 'value="39.9"' in refused.text and "40" in refused.text
    assert db.session().query(Availability).count() == 1
    assert clerk.post(page, data={**form, "days-0-capacity_milli": "40"}).status_code == 303
    db.session().expire_all()
    assert {row.day: row.capacity_milli for row in db.session().query(Availability)} == {
        day: 40_000, clock.days_after(day, 1): 0}


RECOUNTED = {
    "unit": ({"unit": "公斤", "grams_per_unit": "1"}, {"unit", "grams_per_unit"}),
    "grams_per_unit": ({"unit": "箱", "grams_per_unit": "9"}, {"unit", "grams_per_unit"}),
    "supply": ({"supply": "daily"}, {"supply"}),
}


@pytest.mark.parametrize("use", ["lot", "day"])
@pytest.mark.parametrize("change", RECOUNTED)
def test_what_stock_is_counted_in_stays_once_there_is_a_lot_or_a_day(world: World, use: str, change: str) -> None:
    product_id = goods.list_goods(world, POMELO, supply="stocked")
    clerk, page = world.logged_in("clerk.lv"), f"/village/products/{product_id}"
    changes, fields = RECOUNTED[change]
    form = form_of(world, **changes) | {"csrf_token": csrf_token(clerk, page), "name": "改了名"}
    hint = "已有批次或已排供应日按此计量"
    assert hint not in clerk.get(page).text and '<option value="箱"' in clerk.get(page).text
    if use == "lot":
        goods.book(world, product_id, 10)
    else:
        with db.transaction() as session:
            session.add(Availability(product_id=product_id, day=clock.today(), capacity_milli=1_000))
    told = clerk.get(page).text
    assert hint in told and "箱" not in told and 'value="daily"' not in told and "readonly" in told
    refused = clerk.post(page, data=form)
    assert refused.status_code == 409
    for field in fields:
        message = refused.text.split(f'id="{field}-error"')[1][:400]
        assert "请另行上架一个新产品" in message, field
    db.session().expire_all()
    product = db.session().get_one(Product, product_id)
    assert (product.name, product.supply, product.unit, product.grams_per_unit, product.by_weight) == (
        "白菜", "stocked", "斤", 500, True)
    assert clerk.post(page, data={**form_of(world), "csrf_token": form["csrf_token"]}).status_code == 303
    db.session().expire_all()
    assert product.name == "江永香柚" and product.unit == "斤"


def test_goods_that_nothing_counts_yet_may_still_get_another_unit(world: World) -> None:
    product_id = goods.list_goods(world, POMELO)
    clerk, page = world.logged_in("clerk.lv"), f"/village/products/{product_id}"
    form = form_of(world, unit="箱", grams_per_unit="9", price_fen="36") | {"csrf_token": csrf_token(clerk, page)}
    assert clerk.post(page, data=form).status_code == 303
    product = db.session().get_one(Product, product_id)
    assert (product.supply, product.unit, product.grams_per_unit, product.by_weight) == ("stocked", "箱", 9_000, False)


def test_anothers_goods_answer_like_unknown_ones(world: World) -> None:
    product_id = goods.list_goods(world, GREENS)
    clerk = world.logged_in("clerk.lv")
    token = csrf_token(clerk, "/village/products/new")
    form = form_of(world) | {"csrf_token": token, "state": "hidden", "days-0-day": clock.today().isoformat(),
                             "days-0-capacity_milli": "1"}
    for product in (product_id, 999_999):
        for part in ("", "/prices", "/availability"):
            assert clerk.get(f"/village/products/{product}{part}").status_code == 404
            assert clerk.post(f"/village/products/{product}{part}", data=form).status_code == 404
        assert clerk.post(f"/village/products/{product}/state", data=form).status_code == 404
    db.session().expire_all()
    assert db.session().get_one(Product, product_id).state == "listed"


def test_the_village_desk_is_closed_to_others(world: World, client: FlaskClient) -> None:
    for address in ("/village/products", "/village/products/new"):
        assert client.get(address).status_code == 302
        assert world.logged_in("cook.chen").get(address).status_code == 403
