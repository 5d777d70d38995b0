"""Certificates and traces: what a lot's papers say, who may read them, and that no person is in them."""

import io
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select, update

from catalog import lots
from catalog.lot_parts import Contribution, LotDetails
from catalog.models import Category, Lot, Product
from catalog.tracing import certificates, gs1, rules
from catalog.tracing.models import Certificate, CertificateSource, CertificateVoid, TraceEvent
from market import clock, db, typeset
from market.errors import InvalidInput, NotFound
from market.households import Household
from market.parties import Organisation
from orders.delivering import returns
from orders.models import AcceptancePart, Order, ReturnPart, ShipmentLine
from tests.goods import shelves
from tests.trade import Trade
from tests.web.forms import send
from tests.world import GREENS, NOON, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def trade(world: World) -> Trade:
    """The vegetable co-operative has a telephone; its goods are leafy greens, which need a certificate."""
    shelves()
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == world.organisation_id(GREENS))
                        .values(phone="0746-4710000"))
    return Trade(world)


def greens(trade: Trade, name: str = "白菜", category: str = "leaf") -> int:
    product = trade.product(name)
    with db.transaction() as session:
        shelf = session.scalars(select(Category.id).where(Category.code == category)).one()
        session.execute(update(Product).where(Product.id == product).values(category_id=shelf))
    return product


def paper_of(lot: int) -> Certificate:
    return db.session().scalars(select(Certificate).where(Certificate.lot_id == lot)
                                .order_by(Certificate.id.desc())).first()  # type: ignore[return-value]


def code_of(lot: int) -> str:
    return db.session().scalars(select(Lot.code).where(Lot.id == lot)).one()


def kinds(lot: int) -> list[str]:
    return list(db.session().scalars(select(TraceEvent.kind).where(TraceEvent.lot_id == lot).order_by(TraceEvent.id)))


def words_of(pdf: bytes) -> str:
    """What a PDF says, without spaces: reading it back puts some between Chinese and figures."""
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


# ---- certificates ---------------------------------------------------------------------------------------------------


def test_confirming_a_lot_of_greens_issues_its_certificate_with_every_field(trade: Trade, client: FlaskClient) -> None:
    lot = trade.lot(greens(trade), 100)
    paper = paper_of(lot)
    assert (paper.product_name, paper.quantity_milli, paper.grams) == ("白菜", 100_000, 100_000)
    assert paper.origin.startswith("湖南省") or "新田县" in paper.origin
    assert (paper.promiser, paper.contact) == ("新田县演示蔬菜合作社", "0746-4710000")
    assert paper.address
    assert paper.bases == "internal_control"
    assert paper.issued_by == trade.world.person("clerk.zhang").id  # who booked it in promises
    assert (paper.keep_until - paper.issued_on).days >= rules.KEPT_DAYS
    page = client.get(f"/certificates/{paper.number}?lang=zh").text
    pdf = words_of(client.get(f"/certificates/{paper.number}.pdf").data)
    for words in ("承诺达标合格证", "白菜", "100", paper.origin, paper.promiser, paper.contact, paper.address,
                  "2026-10-12", paper.number, "内部质量控制", "未使用国家禁用的农药", rules.ORDER_NUMBER, code_of(lot)):
        assert words in page
        assert words.replace(" ", "") in pdf


def test_a_certificate_is_typeset_once_for_who_has_it_and_not_without_end(
        trade: Trade, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = trade.lot(greens(trade))
    address = f"/certificates/{paper_of(lot).number}.pdf"
    first = client.get(address)
    with monkeypatch.context() as patched:
        patched.setattr(typeset, "pdf", lambda *a, **v: pytest.fail("typeset again"))
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with db.transaction():
        certificates.void(lot, "产地写错", trade.world.person("clerk.zhang"))
    voided = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert voided.status_code == 200
    assert voided.headers["ETag"] != first.headers["ETag"]
    monkeypatch.setattr(typeset, "pdf", lambda *a, **v: b"%PDF-")
    assert [client.get(address).status_code for _ in range(58)] == [200] * 57 + [429]


def test_a_sample_that_passed_is_a_basis_and_stands_in_the_trace(trade: Trade, client: FlaskClient) -> None:
    product = greens(trade)
    household = trade.members(GREENS, trade.world.villages["greens_home"])[0]
    with db.transaction():
        lot = lots.book(product, clock.today(), None, 120, [Contribution(5_000, household)],
                        trade.world.person("clerk.zhang"), details=LotDetails(test="passed", test_note="速测"))
    with db.transaction():
        lots.confirm(lot.id, trade.world.person("village.cao"))
    assert paper_of(lot.id).bases == "internal_control,self_check"
    assert "Sample test passed" in client.get(f"/trace/{lot.code}?lang=en").text


def test_goods_that_need_none_get_none_and_may_have_one(trade: Trade) -> None:
    lot = trade.lot(trade.product("茶油"))
    assert paper_of(lot) is None
    with db.transaction():
        certificates.issue(lot, ["self_check"], trade.world.person("clerk.zhang"))
    assert paper_of(lot).bases == "self_check"


def test_a_wrong_certificate_is_voided_and_the_goods_wait_for_a_new_one(trade: Trade, client: FlaskClient) -> None:
    product = greens(trade)
    lot = trade.lot(product)
    first = paper_of(lot)
    clerk = trade.world.person("clerk.zhang")
    order = trade.orders(trade.place({product: 10_000}))[0].id
    with pytest.raises(certificates.CertificateHolds), db.transaction():
        certificates.issue(lot, ["self_check"], clerk)
    with db.transaction():
        certificates.void(lot, "电话写错了", clerk)
    with pytest.raises(certificates.NoCertificate):
        trade.ship(order)
    assert db.session().scalar(select(ShipmentLine.id)) is None
    with db.transaction():
        second = certificates.issue(lot, ["self_check", "commissioned_test"], clerk)
    trade.ship(order)
    assert (second.issue, second.replaces_id, second.bases) == (2, first.id, "self_check,commissioned_test")
    page = client.get(f"/certificates/{first.number}?lang=en").text
    assert "This certificate no longer holds." in page
    assert second.number in page
    assert "电话写错了" not in page
    assert "nolongerholds" in words_of(client.get(f"/certificates/{first.number}.pdf?lang=en").data)
    assert db.session().scalars(select(CertificateVoid.reason)).all() == ["电话写错了"]


def test_mixing_issues_anew_and_names_the_earlier_ones(trade: Trade, client: FlaskClient) -> None:
    leaf, mixed = greens(trade), greens(trade, "净菜拼盘")
    first, second = trade.lot(leaf), trade.lot(leaf)
    made = trade.processed(mixed, 20_000, {first: 12_000, second: 12_000})
    paper = paper_of(made)
    sources = db.session().scalars(select(CertificateSource.source_id)
                                   .where(CertificateSource.certificate_id == paper.id)).all()
    assert set(sources) == {paper_of(first).id, paper_of(second).id}
    page = client.get(f"/certificates/{paper.number}").text
    assert paper_of(first).number in page
    assert kinds(made) == ["made", "confirmed", "certified"]
    assert kinds(first) == ["booked", "confirmed", "certified", "used"]


def test_only_the_own_co_operative_issues_and_voids(trade: Trade) -> None:
    lot = trade.lot(greens(trade))
    stranger = trade.world.person("chair.he")
    for deed in (lambda: certificates.void(lot, "?", stranger),
                 lambda: certificates.issue(lot, ["self_check"], stranger)):
        with pytest.raises(NotFound), db.transaction():
            deed()
    with pytest.raises(InvalidInput), db.transaction():
        certificates.issue(lot, ["hearsay"], trade.world.person("clerk.zhang"))
    assert len(db.session().scalars(select(Certificate.id)).all()) == 1


def test_the_clerk_voids_and_issues_on_the_lots_page(trade: Trade) -> None:
    lot = trade.lot(greens(trade))
    clerk = trade.world.logged_in("clerk.zhang")
    page = f"/village/lots/{lot}/certificate"
    assert paper_of(lot).number in clerk.get(page).text
    assert send(clerk, page + "/void", page, reason="").status_code == 422
    assert send(clerk, page + "/void", page, reason="重量写错").status_code == 303
    assert send(clerk, page, page).status_code == 422
    assert send(clerk, page, page, **{"bases[]": ["self_check"]}).status_code == 303
    assert paper_of(lot).issue == 2
    assert "重量写错" in clerk.get(page).text


def test_what_was_promised_stays_when_names_change(trade: Trade) -> None:
    product = greens(trade)
    lot = trade.lot(product)
    with db.transaction() as session:
        session.execute(update(Product).where(Product.id == product).values(name="大白菜"))
        session.execute(update(Organisation).where(Organisation.id == trade.world.organisation_id(GREENS))
                        .values(name="改名合作社", phone="0746-0000000"))
    assert (paper_of(lot).product_name, paper_of(lot).promiser, paper_of(lot).contact) == (
        "白菜", "新田县演示蔬菜合作社", "0746-4710000")


def test_the_product_page_the_note_and_the_van_show_the_certificate(trade: Trade, client: FlaskClient) -> None:
    product = greens(trade)
    lot = trade.lot(product)
    number = paper_of(lot).number
    assert number in client.get(f"/products/{product}").text
    order = trade.orders(trade.place({product: 10_000}))[0].id
    trade.ship(order)
    clerk = trade.world.logged_in("clerk.zhang")
    assert number in clerk.get(f"/village/orders/{order}/note").text
    page = clerk.get(f"/village/orders/{order}").text
    van = page.split("/van/", 1)[1].partition('"')[0]
    assert f"/certificates/{number}" in client.get(f"/van/{van}").text


# ---- paper ----------------------------------------------------------------------------------------------------------


def test_what_users_wrote_is_never_read_as_typst(trade: Trade, client: FlaskClient) -> None:
    evil = '白菜"); #panic("x") #import "/etc/passwd" $x^2$ *b* _i_ @r `c` \\ <l> [y] // z'
    lot = trade.lot(greens(trade, evil))
    pdf = client.get(f"/certificates/{paper_of(lot).number}.pdf")
    assert pdf.status_code == 200
    assert '#panic("x") #import "/etc/passwd" $x^2$ *b* _i_ @r `c` \\ <l> [y] // z'.replace(" ", "") in words_of(
        pdf.data)


def test_rare_characters_are_never_dropped_and_paper_is_the_same_each_time(trade: Trade, client: FlaskClient) -> None:
    lot = trade.lot(greens(trade, "𫶧菜"))
    address = f"/certificates/{paper_of(lot).number}.pdf"
    first = client.get(address).data
    assert "〓(U+2BDA7)菜" in words_of(first)
    assert first == client.get(address).data
    assert typeset.drawable("永州") == "永州"


def test_labels_carry_the_lot_and_its_gs1_link(trade: Trade) -> None:
    product = greens(trade)
    lot = trade.lot(product)
    pdf = words_of(trade.world.logged_in("clerk.zhang").get(f"/village/lots/{lot}/labels.pdf?copies=9").data)
    assert pdf.count(f"(10){code_of(lot)}") == 9
    assert f"(01){gs1.number_of(product)}" in pdf
    assert trade.world.logged_in("clerk.lv").get(f"/village/lots/{lot}/labels.pdf").status_code == 404


# ---- traces ---------------------------------------------------------------------------------------------------------


def test_the_link_on_the_label_leads_to_the_trace(trade: Trade, client: FlaskClient) -> None:
    product, other = greens(trade), greens(trade, "菠菜")
    code = code_of(trade.lot(product))
    answer = client.get(f"/01/{gs1.number_of(product)}/10/{code}")
    assert (answer.status_code, answer.location) == (302, f"/trace/{code}")
    wrong = gs1.number_of(product)[:-1] + str((int(gs1.number_of(product)[-1]) + 1) % 10)
    for gtin in (gs1.number_of(other), wrong, "1" * 14, "x"):
        assert client.get(f"/01/{gtin}/10/{code}").status_code == 404


def test_check_digits_are_gs1s() -> None:
    assert gs1.is_right("00614141123452")  # an example number that GS1 publishes
    assert not gs1.is_right("00614141123453")
    assert [gs1.number_of(n)[:2] for n in (1, 99_999_999_999)] == ["02", "02"]
    assert gs1.product_of(gs1.number_of(4711)) == 4711


def test_each_deed_is_told_once_and_each_shipment_line_has_its_event(trade: Trade) -> None:
    product = greens(trade)
    lot, more = trade.lot(product, 6), trade.lot(product, 6)
    order = trade.orders(trade.place({product: 10_000}))[0].id
    trade.ship(order)
    trade.accept(order)
    line = trade.lines(order)[0].id
    with db.transaction():
        returns.take_back(order, {line: 7_000}, "有坏的", trade.world.person("store.wang"),
                          trade.world.person("clerk.zhang"))
    assert kinds(lot) == ["booked", "confirmed", "certified", "shipped", "accepted", "returned"]
    assert kinds(more) == ["booked", "confirmed", "certified", "shipped", "accepted", "returned"]
    shipped = {(row.id, row.lot_id, row.packed_grams) for row in db.session().execute(
        select(ShipmentLine.id, ShipmentLine.lot_id, ShipmentLine.packed_grams))}
    told = {(int(row.source.removeprefix("shipment_line:")), row.lot_id, row.grams) for row in db.session().execute(
        select(TraceEvent.source, TraceEvent.lot_id, TraceEvent.grams).where(TraceEvent.kind == "shipped"))}
    assert told == shipped
    assert grams("accepted") == sum(db.session().scalars(select(AcceptancePart.grams)))
    assert grams("returned") == sum(db.session().scalars(select(ReturnPart.grams))) == 7_000


def grams(kind: str) -> int:
    return sum(db.session().scalars(select(TraceEvent.grams).where(TraceEvent.kind == kind)))


def test_a_trace_tells_the_way_and_nobodys_name(trade: Trade, client: FlaskClient) -> None:
    world = trade.world
    product = greens(trade)
    lot = trade.lot(product)
    with db.transaction() as session:
        session.execute(update(Household).values(head_name="金丝雀"))
        session.execute(update(Organisation).where(Organisation.kind == "unit").values(phone="0746-8880000"))
    order = trade.orders(trade.place({product: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    page = client.get(f"/trace/{code_of(lot)}?lang=zh").text
    data = client.get(f"/trace/{code_of(lot)}/events.json").text
    paper = client.get(f"/certificates/{paper_of(lot).number}").text
    assert "学校" in page
    assert "fewer than 5" in client.get(f"/trace/{code_of(lot)}?lang=en").text
    assert paper_of(lot).number in page
    number = db.session().get_one(Order, order.id).number
    canaries = ("金丝雀", "永州演示第一小学", "0746-8880000", "1390000", number, *(
        world.person(login).name for login in ("clerk.zhang", "chair.shi", "village.cao", "store.wang", "aunt.zhao")))
    for text in (page, data, paper):
        assert [name for name in canaries if name in text] == []


def test_events_as_data_come_with_a_mark(trade: Trade, client: FlaskClient) -> None:
    lot = trade.lot(greens(trade))
    address = f"/trace/{code_of(lot)}/events.json"
    answer = client.get(address)
    events = answer.get_json()["epcisBody"]["eventList"]
    assert [event["bizStep"] for event in events] == ["commissioning", "inspecting", "inspecting"]
    assert events[0]["quantityList"][0]["quantity"] == 100_000
    assert "/01/02" in events[0]["quantityList"][0]["epcClass"]
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    product = db.session().scalars(select(Lot.product_id).where(Lot.id == lot)).one()
    trade.ship(trade.orders(trade.place({product: 10_000}))[0].id)
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200
    assert client.get("/trace/L000000-0000000/events.json").status_code == 404


def test_an_unconfirmed_lot_has_neither_trace_nor_events(trade: Trade, client: FlaskClient) -> None:
    lot = trade.lot(greens(trade), confirmed=False)
    assert paper_of(lot) is None
    for address in (f"/trace/{code_of(lot)}", f"/trace/{code_of(lot)}/events.json"):
        assert client.get(address).status_code == 404
