"""What is not as on the note: photos where they are needed, cold goods measured, papers seen; and the API's way."""

import io

import pytest
from sqlalchemy import func, select, update

from catalog.models import Category, Lot
from market import clock, db
from market.files import StoredFile
from orders.models import Acceptance, AcceptanceLine, AcceptancePhoto, Order, OrderLine, Purchase
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.web.test_handover import Van, photo
from tests.web.test_hostile_files import png, squeezed
from tests.world import NOON, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def van(world: World) -> Van:
    return Van(world, Trade(world))


def photos() -> int:
    return db.session().scalar(select(func.count()).select_from(AcceptancePhoto)) or 0


# ---- photos ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [
    {"lines-1-milli": "2", "lines-1-reason": "damaged"},  # one box of three refused
    {"lines-1-refused": "1", "lines-1-reason": "spoiled"},
    {"lines-1-price_fen": "45", "lines-1-reason": "damaged"},
    {"lines-0-grams": "10.2"}])
def test_what_is_refused_reduced_or_over_needs_a_photo(world, van, changes):
    keeper = world.logged_in("store.wang")
    answer = send(keeper, van.url, van.url, **van.form(**{"lines-0-grams": "10"} | changes))
    line = next(iter(changes)).split("-")[1]
    assert answer.status_code == 422
    assert f'id="lines-{line}-photo-error"' in answer.text
    assert van.accepted() == 0
    form = van.form(**{"lines-0-grams": "10"} | changes, **{f"lines-{line}-photo": photo()})
    answer = send(keeper, van.url, van.url, **form)
    assert answer.status_code == 303
    assert photos() == 1
    sheet = keeper.get(answer.location)
    assert "1 张照片" in sheet.text


def test_a_short_line_needs_none(world, van):
    assert send(world.logged_in("store.wang"), van.url, van.url, **van.form(grams="9.5")).status_code == 303
    assert photos() == 0


@pytest.mark.parametrize("content", [b"", b"<svg onload='alert(1)'/>", b"%PDF-1.7 x", png(60_000, 60_000), b"GIF89a",
                                     png(9_000, 9_000, rows=squeezed(9_000 * 9_000 * 3 // 1000))])
def test_a_hostile_photo_is_refused_at_its_field_and_nothing_is_kept(world, van, content):
    before = db.session().scalar(select(func.count()).select_from(StoredFile))
    form = van.form(**{"lines-1-milli": "2", "lines-1-reason": "damaged",
                       "lines-1-photo": (io.BytesIO(content), "x.jpg")})
    answer = send(world.logged_in("store.wang"), van.url, van.url, **form)
    assert answer.status_code == 422
    assert 'id="lines-1-photo-error"' in answer.text
    assert van.accepted() == 0
    assert db.session().scalar(select(func.count()).select_from(StoredFile)) == before


def test_four_photos_of_a_line_are_too_many(world, van):
    keeper = world.logged_in("store.wang")
    form = van.form(**{"lines-1-milli": "2", "lines-1-reason": "damaged"})
    answer = keeper.post(van.url, data={**form, "csrf_token": csrf_token(keeper, van.url),
                                        "lines-1-photo": [photo(f"{n}.png") for n in range(4)]})
    assert answer.status_code == 422
    assert van.accepted() == 0


def test_both_sides_see_a_photo_and_nobody_else(world, van):
    keeper = world.logged_in("store.wang")
    form = van.form(**{"lines-1-milli": "2", "lines-1-reason": "damaged", "lines-1-photo": photo()})
    send(keeper, van.url, van.url, **form)
    number = db.session().scalars(select(AcceptancePhoto.id)).one()
    url = f"/acceptance-photos/{number}"
    assert keeper.get(url).mimetype == "image/webp"
    assert world.logged_in("clerk.lv").get(url).status_code == 200
    for login in ("clerk.zhang", "store.zheng"):
        assert world.logged_in(login).get(url).status_code == 404
    assert world.logged_in("official.jin").get(url).status_code == 403
    assert world.app.test_client().get(url).status_code == 302


# ---- cold goods and papers ------------------------------------------------------------------------------------------


@pytest.fixture
def cold_van(world: World, van: Van) -> Van:
    """The pomelos are pork now, as far as the cold is concerned."""
    with db.transaction() as session:
        meat = Category(code="meat", name_zh="肉类", name_en="Meat", sort=4)
        session.add(meat)
        session.flush()
        session.add(Category(code="pork", name_zh="鲜猪肉", name_en="Fresh pork", sort=5, parent_id=meat.id))
        session.execute(update(OrderLine).where(OrderLine.id == van.pomelo).values(category="pork"))
    return van


def test_cold_goods_are_measured_and_warm_ones_need_a_word(world, cold_van):
    van, keeper = cold_van, world.logged_in("store.wang")
    page = keeper.get(van.url).text
    assert 'name="chilled_tenths"' in page
    assert 'name="frozen_tenths"' not in page
    assert "GB 31605-2020" in page
    for text in ("", "warm", "4.55", "１", "99"):
        answer = send(keeper, van.url, van.url, **van.form(chilled_tenths=text))
        assert answer.status_code == 422
        assert 'id="chilled_tenths-error"' in answer.text
    warm = send(keeper, van.url, van.url, **van.form(chilled_tenths="8.1"))
    assert warm.status_code == 422
    assert 'name="warm_taken"' in warm.text
    assert van.accepted() == 0
    taken = send(keeper, van.url, van.url, **van.form(chilled_tenths="8.1", warm_taken="1"))
    assert taken.status_code == 303
    kept = dict(db.session().execute(select(AcceptanceLine.order_line_id, AcceptanceLine.temperature_tenths)).all())
    assert kept == {van.cabbage: None, van.pomelo: 81}
    assert "8.1 °C" in keeper.get(taken.location).text


def test_refused_cold_goods_need_no_temperature(world, cold_van):
    form = cold_van.form(**{"lines-1-refused": "1", "lines-1-reason": "too_warm", "lines-1-photo": photo()})
    assert send(world.logged_in("store.wang"), cold_van.url, cold_van.url, **form).status_code == 303


def test_papers_are_seen_or_said_to_be_missing(world, van):
    keeper = world.logged_in("store.wang")
    code = db.session().scalars(select(Lot.code).limit(1)).one()
    assert code in keeper.get(van.url).text
    silent = send(keeper, van.url, van.url, **van.form(documents_seen=""))
    assert silent.status_code == 422
    assert 'id="documents_seen-error"' in silent.text
    assert van.accepted() == 0
    said = send(keeper, van.url, van.url, **van.form(documents_seen="", documents_note="白菜无合格证"))
    assert said.status_code == 303
    assert "白菜无合格证" in keeper.get(said.location).text
    assert set(db.session().scalars(select(Acceptance.documents_seen))) == {False}


def test_a_certificate_that_is_missing_stands_out(world, van):
    with db.transaction() as session:
        session.add(Category(code="veg", name_zh="蔬菜", name_en="Vegetables", sort=5))
        session.execute(update(OrderLine).where(OrderLine.id == van.cabbage).values(category="veg"))
    assert "Certificate missing" in world.logged_in("store.wang").get(van.url + "?lang=en").text


def test_the_rest_of_a_parted_order_is_announced(world, van):
    """A second sub-order of the same purchase and co-operative comes another day."""
    first, second = van.orders
    with db.transaction() as session:
        session.execute(update(Order).where(Order.id == second.id).values(
            supplier_id=first.supplier_id, state="placed", delivery_day=NOON.date().replace(day=20)))
        assert session.scalar(select(Purchase.id).where(Purchase.id == first.purchase_id))
    page = world.logged_in("store.wang").get(f"/orders/{first.id}/acceptance?lang=en").text
    assert "The rest follows on" in page
    assert second.number in page


# ---- by API ---------------------------------------------------------------------------------------------------------


def test_by_api_photos_are_sent_first_and_named(world, van):
    headers, client = world.api_headers("store.wang"), world.app.test_client()
    url = f"/api/v1/orders/{van.orders[1].id}/acceptance"

    def accept(ids: list[int]):
        return client.post(url, headers=headers, json={
            "lines": [{"line_id": van.pomelo, "accepted_milli": 2000, "reason": "damaged", "photo_ids": ids}],
            "second_receiver": {"login": "aunt.zhao", "password": "four-in-Yongzhou"}, "documents_seen": True})

    assert "lines-0-photo_ids" in accept([]).json["error"]["fields"]
    for wrong in (b"", b"x", b"%PDF-"):
        assert client.post("/api/v1/acceptance-photos", headers=headers,
                           data={"photo": (io.BytesIO(wrong), "a.png")}).status_code == 422
    foreign = client.post("/api/v1/acceptance-photos", headers=world.api_headers("store.zheng"),
                          data={"photo": photo()}).json["id"]
    for unknown in (foreign, 999_999):
        assert "lines-0-photo_ids" in accept([unknown]).json["error"]["fields"]
    assert van.accepted() == 0
    own = client.post("/api/v1/acceptance-photos", headers=headers, data={"photo": photo("a\0b.png")})
    assert own.status_code == 201
    assert accept([own.json["id"]]).status_code == 201
    assert photos() == 1


def test_by_api_cold_goods_are_measured_too(world, cold_van):
    headers, client = world.api_headers("store.wang"), world.app.test_client()

    def accept(**more: object):
        return client.post(f"/api/v1/orders/{cold_van.orders[1].id}/acceptance", headers=headers, json={
            "lines": [{"line_id": cold_van.pomelo, "accepted_milli": 3000}],
            "second_receiver": {"login": "aunt.zhao", "password": "four-in-Yongzhou"}, **more})

    for more in ({}, {"chilled_tenths": 81}, {"chilled_tenths": "4.5"}):
        assert "chilled_tenths" in accept(**more).json["error"]["fields"]
    assert cold_van.accepted() == 0
    assert accept(chilled_tenths=45).status_code == 201
