"""Papers over the pages: what buyers read when one has ended, the village desk's vault, the officials' list."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from catalog import indexing
from catalog import routes as shop_routes
from catalog.models import Category, Lot, Product
from catalog.papers import jobs, keeping
from catalog.papers.models import Paper
from market import clock, db
from market.files import StoredFile
from market.users import User
from orders.models import Purchase
from tests.goods import book, list_goods, shelves
from tests.services.test_papers import MORE_SHELVES
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, POMELO, TODAY, World, keep_paper

LAST = TODAY + timedelta(days=3)
AFTER = NOON + timedelta(days=4)


@pytest.fixture(autouse=True)
def noon(world: World) -> Iterator[None]:
    with clock.at(NOON):
        shelves()
        yield


@pytest.fixture
def pomelo(world: World) -> int:
    """Goods in store of a co-operative whose licence ends in three days."""
    product_id = list_goods(world, POMELO, category="citrus", name="香柚", supply="stocked", minimum_milli=1000)
    book(world, product_id, 100)
    own = select(Paper.id).where(Paper.supplier_id == world.organisation_id(POMELO))
    with db.transaction() as session:
        licence = session.scalars(own).one()
        newer = keep_paper(world.organisation_id(POMELO), "licence", LAST)
        keeping.refuse(licence, "旧证已换", world.person("farm.luo"))
        with clock.at(NOON + timedelta(minutes=1)):
            keeping.mark_checked(newer, world.person("farm.luo"))
    return product_id


def picture(kind: str = "JPEG") -> io.BytesIO:
    content = io.BytesIO()
    Image.new("RGB", (600, 400), "white").save(content, kind)
    content.seek(0)
    return content


def form(**changes: Any) -> dict[str, Any]:
    return {"kind": "licence", "number": "91431125MA0000000X", "issuer": "江永县市场监管局",
            "issued_on": "2026-10-01", "valid_until": "2027-10-01", "file": (picture(), "执照.jpg"), **changes}


def add(client: FlaskClient, **changes: Any) -> TestResponse:
    """A paper sent by the form; what is None is not sent."""
    sent = {name: value for name, value in form(**changes).items() if value is not None}
    return client.post("/village/papers", content_type="multipart/form-data", data={
        "csrf_token": csrf_token(client, "/village/papers/new"), **sent})


def papers() -> int:
    return db.session().scalar(select(func.count()).select_from(Paper)) or 0


def seen(app: Flask, client: FlaskClient, address: str) -> TestResponse:
    """As if some seconds had passed since the last look."""
    app.extensions["sijin_pages"].clear()
    shop_routes.init_app(app)
    return client.get(address)


def order(world: World, product_id: int) -> TestResponse:
    cook = world.logged_in("cook.chen")
    return send(cook, "/purchases", page="/cart", submit_token="monday", delivery_point_id=world.delivery_point_id(),
                delivery_day=clock.days_after(clock.today(), 1).isoformat(), delivery_window="morning",
                fund_source="canteen", **{"lines-0-product_id": product_id, "lines-0-quantity_milli": "5"})


# ---- the licence ended ----------------------------------------------------------------------------------------------


def test_an_ended_licence_takes_goods_from_shelf_search_and_api_and_the_cart_says_why(
        app: Flask, world: World, client: FlaskClient, pomelo: int) -> None:
    cook = world.logged_in("cook.chen")
    assert send(cook, "/cart/lines", page=f"/products/{pomelo}", product_id=pomelo,
                quantity_milli="5").status_code == 303
    indexing.rebuild(app.extensions["sijin"].search_dir)
    assert "香柚" in seen(app, client, "/goods").text
    with clock.at(AFTER):
        reason = f"暂不能下单：江永县演示香柚合作社的营业执照已于 {LAST.isoformat()} 到期。"
        cook = world.logged_in("cook.chen")
        assert f"/products/{pomelo}" not in seen(app, client, "/goods").text
        assert f"/products/{pomelo}" not in seen(app, client, "/search?q=香柚").text
        assert client.get(f"/api/v1/products/{pomelo}").status_code == 404
        page = seen(app, client, f"/products/{pomelo}")
        assert (page.status_code, reason in page.text) == (200, True)
        assert "加入" not in page.text
        cart = cook.get("/cart")
        assert reason in cart.text
        assert "ended on" in cook.get("/cart?lang=en").text
        assert order(world, pomelo).status_code in {404, 409, 422}
        assert db.session().scalar(select(func.count()).select_from(Purchase)) == 0
        refused = send(cook, "/cart/lines", page="/cart", product_id=pomelo, quantity_milli="6")
        assert refused.status_code == 404


def test_a_renewed_licence_brings_everything_back_and_nobody_touched_the_goods(
        app: Flask, world: World, client: FlaskClient, pomelo: int) -> None:
    send(world.logged_in("cook.chen"), "/cart/lines", page=f"/products/{pomelo}", product_id=pomelo,
         quantity_milli="5")
    product = db.table(Product)
    columns = [c for c in product.c if c.name != "papers_until"]
    before = db.session().execute(select(*columns).where(product.c.id == pomelo)).one()
    with clock.at(AFTER):
        jobs.follow_day()
        indexing.rebuild(app.extensions["sijin"].search_dir)
        assert f"/products/{pomelo}" not in seen(app, client, "/search?q=香柚").text
        assert add(world.logged_in("chair.he"), issued_on="2026-10-15").status_code == 303
        while indexing.follow(app.extensions["sijin"].search_dir):
            pass
        for address in ("/goods", "/search?q=香柚"):
            assert f"/products/{pomelo}" in seen(app, client, address).text, address
        assert "暂不能下单" not in world.logged_in("cook.chen").get("/cart").text
        assert order(world, pomelo).status_code == 303
    after = db.session().execute(select(*columns).where(product.c.id == pomelo)).one()
    assert tuple(after) == tuple(before)


def test_hidden_goods_and_goods_of_a_suspended_co_operative_stay_unknown(
        app: Flask, world: World, client: FlaskClient, pomelo: int) -> None:
    with db.transaction() as session:
        session.get_one(Product, pomelo).state = "hidden"
    with clock.at(AFTER):
        hidden, nobodys = seen(app, client, f"/products/{pomelo}"), client.get("/products/99999999")
        assert hidden.status_code == nobodys.status_code == 404
        assert "营业执照" not in hidden.text


# ---- the village desk -----------------------------------------------------------------------------------------------


def test_the_desk_names_what_is_missing_first_and_a_photo_mends_it(world: World, pomelo: int) -> None:
    chair = world.logged_in("chair.he")
    assert "证照齐全" in chair.get("/village/papers").text
    assert "还剩 3 天" in chair.get("/village/papers").text
    with clock.at(AFTER):
        chair = world.logged_in("chair.he")
        page = chair.get("/village/papers").text
        assert page.index("缺这些证照") < page.index("已有证照")
        assert "营业执照" in page
        assert "香柚" in page
        assert "不能下单" in chair.get("/village").text
        assert "证照 2026" in chair.get("/village/products").text
        assert add(chair, issued_on="2026-10-15").status_code == 303
        assert "证照齐全" in chair.get("/village/papers").text
        former = chair.get("/village/papers?tab=former").text
        assert former.count("/village/papers/") >= 2
    stored = db.session().scalars(select(StoredFile).order_by(StoredFile.id.desc()).limit(1)).one()
    assert (stored.content_type, stored.visibility) == ("image/webp", "parties")


@pytest.mark.parametrize(("changes", "field"), [
    ({"issuer": ""}, "issuer"), ({"kind": "diploma"}, "kind"), ({"valid_until": "2026-02-30"}, "valid_until"),
    ({"kind": "factory_report"}, "product_id"), ({"file": None}, "file"),
])
def test_a_wrong_form_comes_back_with_what_was_typed(world: World, changes: dict[str, Any], field: str) -> None:
    before = papers()
    answer = add(world.logged_in("clerk.lv"), **changes)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert 'value="91431125MA0000000X"' in answer.text
    assert papers() == before


@pytest.mark.parametrize("kind", ["production_permit", "operation_licence", "commission"])
def test_a_paper_that_always_ends_is_not_taken_without_its_last_day(world: World, kind: str) -> None:
    chair, before = world.logged_in("chair.he"), papers()
    answer = add(chair, kind=kind, valid_until="")
    assert answer.status_code == 422
    assert 'href="#valid_until"' in answer.text
    assert "这类证照有有效期" in answer.text
    assert papers() == before
    assert add(chair, kind="licence", valid_until="").status_code == 303
    assert add(chair, kind=kind).status_code == 303


def test_sent_twice_is_one_paper(world: World) -> None:
    chair, before = world.logged_in("chair.he"), papers()
    for _ in range(2):
        assert add(chair, submit_token="once").status_code == 303
    assert papers() == before + 1


def test_a_foreign_paper_answers_like_an_unknown_one(world: World) -> None:
    foreign = db.session().scalars(select(Paper.id).where(Paper.supplier_id == world.organisation_id(GREENS))).one()
    chair = world.logged_in("chair.he")
    closed, unknown = chair.get(f"/village/papers/{foreign}"), chair.get("/village/papers/9999999")
    assert closed.status_code == unknown.status_code == 404
    assert closed.text.count("<") == unknown.text.count("<")


def test_a_pork_lot_names_the_papers_it_lacks(world: World) -> None:
    from_shelves = {code: name for code, name, _parent in MORE_SHELVES}
    with db.transaction() as session:
        meat = _category(session, "meat", from_shelves["meat"], None)
        _category(session, "pork", from_shelves["pork"], meat)
    pork = list_goods(world, POMELO, category="pork", name="土猪肉", supply="stocked")
    code = book(world, pork, 40, confirmed=False)
    lot_id = db.session().scalars(select(Lot.id).where(Lot.code == code)).one()
    officer = world.logged_in("village.kong")
    answer = send(officer, f"/office/lots/{lot_id}/confirmation", page=f"/office/lots/{lot_id}")
    if answer.status_code == 404:
        address = re.search(r'action="([^"]+confirm[^"]*)"', officer.get(f"/office/lots/{lot_id}").text)
        assert address is not None
        answer = send(officer, address[1], page=f"/office/lots/{lot_id}")
    assert answer.status_code == 409
    assert "动物检疫合格证明" in answer.text
    assert "非洲猪瘟检测报告" in answer.text
    chair = world.logged_in("chair.he")
    page = chair.get("/village/papers").text
    assert code in page
    for kind in ("quarantine", "meat_quality", "asf_report", "quarantine_stamp", "inspection_stamp"):
        assert f"kind={kind}&amp;lot={lot_id}" in page
        assert add(chair, kind=kind, lot_id=str(lot_id), valid_until="").status_code == 303
    assert db.session().scalar(select(Lot.confirmed_at).where(Lot.id == lot_id)) is None
    assert code not in chair.get("/village/papers").text.split("已有证照")[0]


def _category(session: Any, code: str, name: str, parent: int | None) -> int:
    row = Category(code=code, name_zh=name, name_en=code, sort=90, parent_id=parent)
    session.add(row)
    session.flush()
    return int(row.id)


# ---- the officials --------------------------------------------------------------------------------------------------


def test_the_agriculture_office_checks_one_and_refuses_one(world: World, pomelo: int) -> None:
    chair = world.logged_in("chair.he")
    add(chair, kind="production_permit")
    paper = db.session().scalars(select(Paper.id).order_by(Paper.id.desc()).limit(1)).one()
    office = world.logged_in("farm.luo")
    assert f"/office/papers/{paper}" in office.get("/office/papers").text
    page = f"/office/papers/{paper}"
    assert send(office, page + "/check", page=page).status_code == 303
    assert f"/office/papers/{paper}" not in office.get("/office/papers").text
    assert send(office, page + "/refusal", page=page, reason="").status_code == 422
    assert send(office, page + "/refusal", page=page, reason="编号查不到").status_code == 303
    jobs.paper_refused({"paper_id": paper})
    assert "编号查不到" in chair.get("/notices").text
    assert "编号查不到" in chair.get(f"/village/papers/{paper}").text
    history = db.session().scalars(select(Paper.state).where(Paper.id == paper)).all()
    assert history == ["refused"]


def test_the_supplier_hears_that_a_paper_after_a_refused_one_waits_for_the_office(world: World, pomelo: int) -> None:
    chair, office = world.logged_in("chair.he"), world.logged_in("farm.luo")
    licence = db.session().scalars(select(Paper.id).where(Paper.valid_until == LAST)).one()
    page = f"/office/papers/{licence}"
    with clock.at(NOON + timedelta(minutes=2)):
        assert send(office, page + "/refusal", page=page, reason="编号查不到").status_code == 303
        assert "须经县农业农村局核查通过后才有效" in chair.get(add(chair).location).text
        assert "不能下单" in chair.get("/village").text


def test_other_offices_read_and_do_not_decide(world: World, pomelo: int) -> None:
    with db.transaction():
        paper = keep_paper(world.organisation_id(POMELO), "production_permit", TODAY + timedelta(days=90))
    page = f"/office/papers/{paper}"
    for login in ("official.hua", "official.jin", "auditor.wei", "township.yan"):
        reader = world.logged_in(login)
        if login == "township.yan":
            assert reader.get(page).status_code in {200, 404}
            continue
        shown = reader.get(page)
        assert shown.status_code == 200, login
        assert "/refusal" not in shown.text
    hua = world.logged_in("official.hua")
    assert send(hua, page + "/check", page="/account").status_code == 403
    assert db.session().scalar(select(Paper.state).where(Paper.id == paper)) == "unchecked"
    assert str(LAST.day) in world.logged_in("farm.luo").get("/office/papers?tab=soon").text


# ---- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [
    "chair", "chair@", "a@b", "a@b.cn, c@d.cn", "a b@c.cn", "a@c.cn\r\nBcc: x@y.cn", "<a@c.cn>", "é@c.cn", "a@-c.cn"])
def test_an_address_that_is_none_is_refused(world: World, address: str) -> None:
    chair = world.logged_in("chair.he")
    answer = send(chair, "/account/email", page="/account", email=address)
    assert answer.status_code == 422
    assert db.session().scalar(select(User.email).where(User.login == "chair.he")) == ""


def test_an_address_is_kept_and_taken_back(world: World) -> None:
    chair = world.logged_in("chair.he")
    assert send(chair, "/account/email", page="/account", email="he.she@mail.example.cn").status_code == 303
    assert 'value="he.she@mail.example.cn"' in chair.get("/account").text
    assert send(chair, "/account/email", page="/account", email="").status_code == 303
    assert db.session().scalar(select(User.email).where(User.login == "chair.he")) == ""




def test_a_co_operative_without_goods_hears_that_its_licence_is_missing(world: World) -> None:
    with db.transaction() as session:
        session.execute(delete(Paper).where(Paper.supplier_id == world.organisation_id(GREENS)))
    chair = world.logged_in("chair.shi")
    assert "证照齐全" not in chair.get("/village/papers").text
    assert "没有它，您的产品都不能下单" in chair.get("/village/papers").text
    assert "/village/papers/new?kind=licence" in chair.get("/village").text
    assert add(chair).status_code == 303
    assert "证照齐全" in chair.get("/village/papers").text
    assert "/village/papers/new?kind=licence" not in chair.get("/village").text
