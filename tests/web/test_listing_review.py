"""The listing review as people meet it: the clerk's form, the county's desk, the price pages, the API."""

import io
from collections.abc import Iterator
from html import unescape

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from catalog.models import Product
from catalog.review.models import ListingReview, PriceOutlier, ReferencePrice
from market import clock, db
from tests import goods
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, World, uploads

NEW = "/village/products/new"


@pytest.fixture(autouse=True)
def _noon_and_shelves(world: World) -> Iterator[None]:
    with clock.at(NOON):
        goods.shelves()
        yield


def form_of(world: World, **changes: str) -> dict[str, str]:
    """The form of new goods as a browser sends it."""
    return {
        "name": "白菜", "category": "leaf", "village": goods.values(world)["village"], "supply": "stocked",
        "unit": "斤", "grams_per_unit": "0.5", "minimum_milli": "10", "step_milli": "1", "daily_capacity_milli": "0",
        "picture": "cabbage", "price_fen": "2", **changes,
    }


def only_product() -> Product:
    return db.session().scalars(select(Product).execution_options(populate_existing=True)).one()


def newest_review() -> ListingReview:
    return db.session().scalars(select(ListingReview).order_by(ListingReview.id.desc()).limit(1)
                                .execution_options(populate_existing=True)).one()


def test_from_a_pity_word_to_the_shelf(world: World, client: FlaskClient) -> None:
    """Refused with the word named, listed, sent back by the county, mended, approved, bought by anybody."""
    clerk, county = world.logged_in("clerk.zhang"), world.logged_in("official.jin")
    refused = send(clerk, "/village/products", NEW, **form_of(world, description="滞销大白菜，帮帮农户"))
    assert refused.status_code == 422 and "“滞销”：请去掉这个词" in refused.text
    assert "滞销大白菜，帮帮农户" in refused.text and db.session().query(Product).count() == 0
    assert send(clerk, "/village/products", NEW, **form_of(world, description="可口")).status_code == 303
    cabbage = only_product()
    page = f"/village/products/{cabbage.id}"
    assert cabbage.state == "waiting" and "待县里审核" in clerk.get(page).text
    assert client.get(f"/products/{cabbage.id}").status_code == 404
    desk = f"/office/listings/{newest_review().id}"
    assert "白菜" in county.get("/office/listings").text and "没有可比的参考价" in county.get(desk).text
    assert "1 个产品待县里审核" in county.get("/office").text
    back = send(county, f"{desk}/return", desk, **{"reasons[]": "words", "remark": "请写明品种"})
    assert back.status_code == 303 and back.location == "/office/listings"
    told = clerk.get(page).text
    assert "请写明品种" in told and "介绍太少" in told and "可口" in told
    assert "县里退回了您的 1 个产品" in clerk.get("/village").text
    again = send(clerk, page, page, **form_of(world, description="高山白菜，霜后脆甜"))
    assert again.status_code == 303
    desk = f"/office/listings/{newest_review().id}"
    assert "曾被退回" in county.get(desk).text
    assert send(county, f"{desk}/approval", desk).status_code == 303
    assert only_product().state == "listed"
    shown = client.get(f"/products/{cabbage.id}").text
    assert "霜后脆甜" in shown and "历史价格" in shown
    assert send(county, f"{desk}/approval", desk).status_code == 409


def test_the_desk_goes_on_to_the_next_one_oldest_first(world: World) -> None:
    clerk, county = world.logged_in("clerk.zhang"), world.logged_in("official.jin")
    for name in ("白菜", "菜心", "芥菜"):
        send(clerk, "/village/products", NEW, **form_of(world, name=name))
    first, second, third = db.session().scalars(select(ListingReview.id).order_by(ListingReview.id)).all()
    listed = county.get("/office/listings").text
    assert listed.index("白菜") < listed.index("菜心") < listed.index("芥菜")
    desk = f"/office/listings/{first}"
    assert f'href="/office/listings/{second}"' in county.get(desk).text
    assert send(county, f"{desk}/approval", desk).location == f"/office/listings/{second}"
    nothing = send(county, f"/office/listings/{second}/return", f"/office/listings/{second}")
    assert nothing.status_code == 422 and "请至少写明一处要修改的地方" in nothing.text
    assert send(county, f"/office/listings/{third}/return", f"/office/listings/{third}",
                remark="图").location == f"/office/listings/{second}"


def test_a_voucher_is_for_the_county_and_its_address_is_no_link(world: World, client: FlaskClient) -> None:
    clerk = world.logged_in("clerk.zhang")
    form = form_of(world, voucher_link="https://evil.example/<b>")
    answer = clerk.post("/village/products", data={
        **form, "csrf_token": csrf_token(clerk, NEW), "voucher": (io.BytesIO(goods.PDF), "合同.pdf")})
    assert answer.status_code == 303
    assert [one["code"] for one in newest_review().findings] == ["no_reference"]
    county = world.logged_in("official.jin")
    shown = county.get(f"/office/listings/{newest_review().id}").text
    assert "https://evil.example/&lt;b&gt;" in shown and 'href="https://evil' not in shown
    (paper,) = uploads()
    assert paper.visibility == "own"
    send(county, f"/office/listings/{newest_review().id}/approval", f"/office/listings/{newest_review().id}")
    cook = world.logged_in("cook.chen")
    assert "evil.example" not in cook.get(f"/products/{only_product().id}").text
    for stranger in (cook, client, world.logged_in("clerk.lv"), world.logged_in("official.hua")):
        assert stranger.get(f"/files/{paper.name}").status_code == 404
    for reader in (clerk, county):
        assert reader.get(f"/files/{paper.name}").status_code == 200


def test_the_price_form_says_what_holds_and_an_edit_may_be_given_up(world: World) -> None:
    goods.reference(world, 400, "白菜")
    cabbage = goods.list_goods(world)
    clerk, page = world.logged_in("clerk.zhang"), f"/village/products/{cabbage}/prices"
    assert "不高于 ¥2.60" in clerk.get(page).text
    assert send(clerk, page, price_fen="2.61").status_code == 303
    told = clerk.get(page).text
    assert "比参考价（每公斤 ¥4.00）高 30.5%" in told and 'value="2.61"' in told
    assert only_product().price_fen == 200
    send(clerk, f"/village/listings/{newest_review().id}/withdrawal", page)
    assert newest_review().decision == "withdrawn" and "待县里审核" not in clerk.get(page).text.split("<main")[1]


def test_the_api_takes_new_goods_and_says_where_they_stand(world: World) -> None:
    program, headers = world.app.test_client(), world.api_headers("clerk.zhang")
    body = {name: value for name, value in goods.values(world).items() if name not in ("harvest_months",)}
    waits = program.post("/api/v1/products", json=body, headers={**headers, "Idempotency-Key": "a"})
    assert waits.status_code == 201, waits.text
    assert waits.json["state"] == "waiting"
    assert [one["code"] for one in waits.json["findings"]] == ["no_reference", "no_voucher"]
    again = program.post("/api/v1/products", json=body, headers={**headers, "Idempotency-Key": "a"})
    assert again.json == waits.json and db.session().query(Product).count() == 1
    goods.reference(world, 400, "菜心")
    listed = program.post("/api/v1/products", json={**body, "name": "菜心"}, headers=headers)
    assert listed.json["state"] == "listed"
    pity = program.post("/api/v1/products", json={**body, "name": "救救菜心"}, headers=headers)
    assert pity.status_code == 422 and "救救" in pity.json["error"]["fields"]["name"][0]


def test_reference_prices_are_entered_and_kept(world: World) -> None:
    county, page = world.logged_in("official.hua"), "/office/reference-prices"
    form = {"category": "leaf", "word": "白菜", "fen_per_kg": "4.20", "source": "农贸市场周报", "day": "2026-10-12"}
    assert send(county, page, **form).status_code == 303
    assert send(county, page, **{**form, "fen_per_kg": "4.30"}).status_code == 303
    shown = county.get(page + "?category=leaf&q=白").text
    assert shown.index("4.30") < shown.index("4.20")
    refused = send(county, page, **{**form, "day": "2026-10-13", "source": ""})
    assert refused.status_code == 422 and db.session().query(ReferencePrice).count() == 2
    assert world.logged_in("auditor.wei").post(page, data=form).status_code == 400  # no token
    assert "录入价格" not in world.logged_in("auditor.wei").get(page).text


def test_the_price_monitor_as_page_and_as_files(world: World) -> None:
    goods.reference(world, 400, "白菜")
    goods.list_goods(world, price_fen=300)
    goods.list_goods(world, name="=菜心")
    official = world.logged_in("official.jin")
    page = unescape(official.get("/office/prices").text)
    assert "+50.0%" in page and "农贸市场周报" in page and "高于区间" in page
    assert "菜心" not in official.get("/office/prices?show=above").text
    csv = official.get("/office/prices?format=csv")
    assert csv.data.startswith(b"\xef\xbb\xbf") and "白菜" in csv.text and "50.0%" in csv.text and "'=菜心" in csv.text
    book = load_workbook(io.BytesIO(official.get("/office/prices?format=xlsx").data))
    cells = [[cell.value for cell in row] for row in book.active.iter_rows()]
    row = next(one for one in cells if one[0] == "白菜")
    assert row[5:8] == [3, 6, 4] and row[10] == 0.5
    assert "白菜" not in world.logged_in("official.hua").get("/office/prices?format=csv").text


def test_an_outlier_is_explained_on_its_page(world: World) -> None:
    cabbage = goods.list_goods(world)
    with db.transaction() as session:
        session.add(PriceOutlier(product_id=cabbage, period="2026-10", price_fen=200, fen_per_kg=400,
                                 median_fen_per_kg=200, compared_with=9, found_at=clock.now(), due_on=clock.today()))
    outlier = db.session().scalars(select(PriceOutlier.id)).one()
    official, page = world.logged_in("official.jin"), "/office/price-outliers"
    assert "待说明理由" in official.get(page).text
    empty = send(official, f"{page}/{outlier}/reason", page)
    assert empty.status_code == 422 and "请填写" in empty.text
    assert send(official, f"{page}/{outlier}/reason", page, reason="有机认证").status_code == 303
    assert "有机认证" in official.get(page).text
    own = send(official, f"{page}/{outlier}/approval", page)
    assert own.status_code == 409
    assert db.session().scalars(select(PriceOutlier.approved_at)).one() is None
    assert world.logged_in("official.hua").get(page).text.count("有机认证") == 0
    assert send(official, f"{page}/{outlier}/return", page).status_code == 303
    assert only_product().state == "returned"


def test_english_says_the_same(world: World) -> None:
    clerk = world.logged_in("clerk.zhang")
    send(clerk, "/village/products", NEW, **form_of(world))
    county = world.logged_in("official.jin")
    shown = county.get(f"/office/listings/{newest_review().id}?lang=en").text
    assert "No reference price to compare with" in shown and "Like goods on sale" in shown
    assert world.organisation_id(GREENS) == only_product().supplier_id
