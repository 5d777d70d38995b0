"""Imports at the door: sent, checked by the worker, shown, decided, written. Nothing is half done."""

import re

import pytest
from sqlalchemy import func, select

from catalog import lots, products
from catalog.importing import goods_sheet
from catalog.importing.models import SheetImport
from catalog.lots import Contribution
from catalog.models import FOR_GOOD, Category, Product, ProductChange, ProductPrice
from catalog.papers import validity
from catalog.review import decisions, listing
from catalog.review.models import ListingReview
from market import clock, db, journal
from market.files import StoredFile
from market.outbox import OutboxMessage
from market.places import Division
from tests import tables
from tests.goods import list_goods, reference, shelves
from tests.tables import checked, confirm, csv_of, faults, goods, imported, sent, told, work, xlsx_of
from tests.web.forms import csrf_token
from tests.world import GREENS, NOON, POMELO, TODAY, World

DESK = "/village/imports"
CLERK, RIVAL = "clerk.zhang", "clerk.lv"


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def clerk(world):
    """At her desk; greens between ¥3.50 and ¥9.10 a kilo are on the shelf at once."""
    shelves()
    reference(world, 700)
    return world.logged_in(CLERK)


@pytest.fixture
def village(world: World) -> str:
    return village_code(world, "greens_home")


def village_code(world: World, key: str) -> str:
    return db.session().scalars(select(Division.code).where(Division.id == world.villages[key])).one()


def count(entity) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def tables_kept() -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).where(StoredFile.name.endswith(".csv"))) or 0


# ---- the way of a good table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [csv_of, lambda rows: csv_of(rows, encoding="gb18030"),
                                  lambda rows: csv_of(rows, encoding="utf-8"), xlsx_of],
                         ids=["csv with mark", "gb18030", "plain utf-8", "xlsx"])
def test_goods_come_in_after_the_preview_and_not_before(world, clerk, village, make):
    one = checked(clerk, "products", make(goods(village, 3)))
    assert (one.state, one.new_rows, one.rows_done, one.rows_total) == ("ready", 3, 3, 3)
    assert count(Product) == 0
    page = clerk.get(f"{DESK}/{one.id}").text
    assert "白菜丂" in page
    assert "导入 3 行" in page
    assert confirm(clerk, one.id).status_code == 303
    work()
    assert (told(one.id).state, told(one.id).new_rows) == ("done", 3)
    found = db.session().scalars(select(Product).order_by(Product.id)).all()
    assert [(p.name, p.price_fen, p.unit_en, p.by_weight, p.harvest_months, p.state) for p in found] == [
        ("白菜一", 250, "jin", True, "10,11", "listed"), ("白菜丁", 350, "jin", True, "10,11", "listed"),
        ("白菜丂", 450, "jin", True, "10,11", "listed")]
    assert {p.supplier_id for p in found} == {world.organisation_id(GREENS)}
    assert count(ProductPrice) == count(ProductChange) == 3
    assert journal.timeline("product", found[0].id)[0]["actor_name"] == "张文书"
    assert clerk.get(f"/products/{found[0].id}").status_code == 200


def test_the_same_table_sent_again_writes_nothing(clerk, village):
    content = csv_of(goods(village, 3))
    first = imported(clerk, "products", content)
    again = checked(clerk, "products", content)
    assert again.id != first.id
    assert (again.state, again.new_rows, again.changed_rows, again.unchanged_rows) == ("done", 0, 0, 3)
    assert count(Product) == count(ProductPrice) == 3
    assert "之前导入过" in clerk.get(f"{DESK}/{again.id}").text


def test_a_table_still_under_way_is_not_begun_twice(clerk, village):
    content = csv_of(goods(village))
    assert sent(clerk, "products", content) == sent(clerk, "products", content)
    work()
    assert sent(clerk, "products", content) == told(1).id
    assert count(SheetImport) == tables_kept() == 1


def test_a_second_click_joins_the_first(clerk, village):
    one = checked(clerk, "products", csv_of(goods(village)))
    for _click in range(2):
        assert confirm(clerk, one.id).location.endswith(f"/{one.id}")
    waiting = select(func.count()).where(OutboxMessage.kind == "import.write")
    assert db.session().scalar(waiting) == 1
    work()
    assert confirm(clerk, one.id).status_code == 303
    work()
    assert count(Product) == 1


def test_changes_are_shown_and_written_with_their_history(world, clerk, village):
    imported(clerk, "products", csv_of(goods(village, 3)))
    rows = goods(village, 3)
    rows[1] |= {"price_fen": "4.00"}
    rows[2] |= {"description": "第一行\n第二行"}
    one = checked(clerk, "products", csv_of(rows))
    assert (one.new_rows, one.changed_rows, one.unchanged_rows) == (0, 2, 1)
    assert [row["changes"] for row in one.first_rows] == [{"price_fen": "3.50"}, {"description": "霜降后采收"}]
    confirm(clerk, one.id)
    work()
    ids = {p.name: p for p in db.session().scalars(select(Product))}
    assert ids["白菜丁"].price_fen == 400
    assert ids["白菜丂"].description == "第一行\n第二行"
    acts = [[entry["action"] for entry in journal.timeline("product", ids[name].id)] for name in ("白菜丁", "白菜丂")]
    assert acts == [["product.created", "listing.published", "product.priced", "listing.published"],
                    ["product.created", "listing.published", "product.changed"]]
    assert db.session().scalars(select(ProductPrice.price_fen).where(ProductPrice.product_id == ids["白菜丁"].id)
                                .order_by(ProductPrice.id)).all() == [350, 400]


def test_what_a_short_table_does_not_name_stays(clerk, village):
    imported(clerk, "products", csv_of(goods(village)))
    short = [{name: cell for name, cell in row.items() if name not in ("description", "picture", "harvest_months[]")}
             for row in goods(village)]
    one = imported(clerk, "products", csv_of([row | {"price_fen": "3.00"} for row in short]))
    assert one.changed_rows == 1
    product = db.session().scalars(select(Product)).one()
    assert (product.price_fen, product.description, product.picture, product.harvest_months) == (
        300, "霜降后采收", "cabbage", "10,11")


def test_what_the_county_has_to_see_waits_for_it_as_on_the_form(world, clerk, village):
    rows = goods(village, 3)
    rows[2] |= {"price_fen": "9.90"}
    one = imported(clerk, "products", csv_of(rows))
    assert (one.new_rows, one.to_county) == (3, 1)
    assert "其中 1 行要先由县里审核" in clerk.get(f"{DESK}/{one.id}").text
    found = db.session().scalars(select(Product).order_by(Product.id)).all()
    assert [product.state for product in found] == ["listed", "listed", "waiting"]
    dearer = [rows[0] | {"price_fen": "9.00", "description": "更甜"}, rows[1], rows[2] | {"price_fen": "4.50"}]
    one = imported(clerk, "products", csv_of(dearer))
    assert (one.changed_rows, one.unchanged_rows, one.to_county) == (2, 1, 1)
    db.session().expire_all()
    assert [(product.state, product.price_fen, product.description) for product in found] == [
        ("listed", 250, "霜降后采收"), ("listed", 350, "霜降后采收"), ("listed", 450, "霜降后采收")]
    edit = db.session().scalars(select(ListingReview).where(ListingReview.decision == "waiting")).one()
    assert (edit.product_id, edit.kind, edit.proposed["price_fen"], edit.proposed["description"]) == (
        found[0].id, "edit", 900, "更甜")
    assert checked(clerk, "products", csv_of(dearer)).unchanged_rows == 3  # it waits already
    assert checked(clerk, "products", clerk.get(f"{DESK}/exports/products.csv").data).unchanged_rows == 3
    with db.transaction():
        decisions.approve(edit.id, world.person("official.jin"))
    db.session().expire_all()
    assert (found[0].price_fen, found[0].description) == (900, "更甜")
    assert checked(clerk, "products", csv_of(dearer)).unchanged_rows == 3
    one = imported(clerk, "products", csv_of(rows[:1]))  # cheaper again: nobody has to look
    assert (one.changed_rows, one.to_county) == (1, 0)
    assert db.session().scalars(select(ProductPrice.price_fen).where(ProductPrice.product_id == found[0].id)
                                .order_by(ProductPrice.id)).all() == [250, 900, 250]


def test_the_table_and_the_form_come_to_the_same_reviews(world, clerk, village):
    """One co-operative by the form, the same edits by the table: the same findings, decisions and states."""
    edits = [{"price_fen": "9.00"}, {"name": "白菜（新）"}, {"description": "更甜"}, {"price_fen": "2.60"},
             {"unit": "箱", "grams_per_unit": "0.6"}, {"category": "蔬菜"}]
    rows = goods(village, len(edits), price_fen="2.50")
    imported(clerk, "products", csv_of(rows))
    ids = db.session().scalars(select(Product.id).order_by(Product.id)).all()
    form = []
    for number, (product_id, edit) in enumerate(zip(ids, edits, strict=True)):
        offers = goods_sheet.KIND.offers(world.person(CLERK))
        values = goods_sheet.KIND.read(csv_of([rows[number] | edit]), offers).loaded[2]
        try:
            with db.transaction():
                own = products.own_product(product_id, world.organisation_id(GREENS))
                listing.change(own, values, world.person(CLERK))
                form.append(reviewed(product_id))
                raise RuntimeError("only to see")
        except RuntimeError:
            db.session().expire_all()
    imported(clerk, "products", csv_of([row | edit | {"number": str(product_id)}
                                        for row, edit, product_id in zip(rows, edits, ids, strict=True)]))
    assert [reviewed(product_id) for product_id in ids] == form


def reviewed(product_id: int):
    """What a product says now, and its submissions."""
    product = db.session().execute(select(db.table(Product)).where(Product.id == product_id)).one()
    rows = db.session().execute(
        select(ListingReview.kind, ListingReview.decision, ListingReview.findings, ListingReview.proposed)
        .where(ListingReview.product_id == product_id).order_by(ListingReview.id)).all()
    return product, [tuple(row) for row in rows]


def test_nobody_sells_pity_by_the_table(clerk, village):
    rows = goods(village, 2)
    rows[1] |= {"description": "滞销，救救果农"}
    one = checked(clerk, "products", csv_of(rows))
    assert faults(one.id) == [(3, "说明")]
    assert "救救" in clerk.get(f"{DESK}/{one.id}").text


def test_a_table_is_let_go(clerk, village):
    one = checked(clerk, "products", csv_of(goods(village)))
    page = f"{DESK}/{one.id}"
    assert clerk.post(f"{page}/cancellation", data={"csrf_token": csrf_token(clerk, page)}).status_code == 303
    assert confirm_again(clerk, one.id) == 409
    work()
    assert (told(one.id).state, count(Product)) == ("cancelled", 0)


def confirm_again(client, import_id: int) -> int:
    return client.post(f"{DESK}/{import_id}/confirmation",
                       data={"csrf_token": csrf_token(client, DESK)}).status_code


def test_the_desk_tells_that_a_table_waits(clerk, village):
    checked(clerk, "products", csv_of(goods(village)))
    assert "等您决定" in clerk.get("/village").text
    listing = clerk.get(DESK).text
    assert "白菜.csv" in listing
    assert "已检查" in listing


# ---- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [csv_of, xlsx_of], ids=["csv", "xlsx"])
def test_seven_planted_errors_are_named_and_nothing_is_written(clerk, village, make):
    rows = goods(village, 5000)
    rows[10] |= {"price_fen": "二元"}
    rows[499] |= {"name": ""}
    rows[1234] |= {"category": "没有的货架"}
    rows[2500] |= {"village": "431125999999"}
    rows[3333] |= {"number": "424242"}
    rows[4000] |= {"minimum_milli": "2.5"}
    rows[4999] |= {"name": "白菜丁", "price_fen": "3.5"}
    one = checked(clerk, "products", make(rows))
    assert (one.state, one.faults) == ("faulty", 7)
    assert faults(one.id) == [(12, "单价（元）"), (501, "品名"), (1236, "货架"), (2502, "产地村"), (3335, "编号"),
                              (4002, "起订量"), (5001, "品名")]
    assert count(Product) == 0
    page = clerk.get(f"{DESK}/{one.id}").text
    assert "您没有这个编号的农产品" in page
    assert "第 3 行" in page
    told_all = tables.cells_of(clerk.get(f"{DESK}/{one.id}/faults.xlsx").data)
    assert [row[:2] for row in told_all[1:]] == [[line, heading] for line, heading in faults(one.id)]
    assert clerk.get(f"{DESK}/{one.id}/faults.csv").text.count("\n") == 8
    assert confirm_again(clerk, one.id) == 409


def test_a_foreign_row_is_refused_like_an_unknown_one(world, clerk, village):
    theirs = list_goods(world, POMELO, name="香柚")
    rows = goods(village, 2)
    rows[0] |= {"number": str(theirs)}
    rows[1] |= {"number": "999999"}
    one = checked(clerk, "products", csv_of(rows))
    assert faults(one.id) == [(2, "编号"), (3, "编号")]
    page = clerk.get(f"{DESK}/{one.id}").text
    assert page.count("您没有这个编号的农产品") == 2
    assert "香柚" not in page
    assert db.session().get_one(Product, theirs).name == "香柚"


def test_another_cooperative_never_sees_an_import(world, clerk, village):
    one = checked(clerk, "products", csv_of(goods(village)))
    rival = world.logged_in(RIVAL)
    assert rival.get(f"{DESK}/{one.id}").status_code == 404
    assert rival.get(f"{DESK}/{one.id}/faults.csv").status_code == 404
    token = csrf_token(rival, DESK)
    for act in ("confirmation", "cancellation"):
        assert rival.post(f"{DESK}/{one.id}/{act}", data={"csrf_token": token}).status_code == 404
    assert told(one.id).state == "ready"
    assert "白菜.csv" not in rival.get(DESK).text


def test_goods_counted_in_lots_keep_their_unit(world, clerk, village):
    product = list_goods(world, GREENS, supply="stocked", name="白菜一")
    member = world.household_id("DEMO-XT-0001")
    with db.transaction():
        lots.book(product, clock.today(), None, 120, [Contribution(10_000, member)], world.person(CLERK))
    row = goods(village, number=str(product))[0] | {"supply": "现货", "unit": "箱", "grams_per_unit": "5"}
    one = checked(clerk, "products", csv_of([row]))
    assert faults(one.id) == [(2, "销售单位"), (2, "每单位重量（公斤）")] or faults(one.id) == [
        (2, "销售单位"), (2, "每单位重量（公斤）"), (2, "销售单位")]
    assert db.session().get_one(Product, product).unit == "斤"


def test_two_goods_of_one_name_want_the_number(world, clerk, village):
    ids = [list_goods(world, GREENS, name="白菜一") for _ in range(2)]
    one = checked(clerk, "products", csv_of(goods(village)))
    assert faults(one.id) == [(2, "编号")]
    one = checked(clerk, "products", csv_of(goods(village, number=str(ids[1]))))
    assert (one.state, one.changed_rows) == ("ready", 1)


def test_the_world_may_change_between_preview_and_writing(world, clerk, village):
    product = list_goods(world, GREENS, supply="stocked", name="白菜一")
    row = goods(village, number=str(product))[0] | {"supply": "现货", "unit": "箱", "grams_per_unit": "5"}
    new = goods(village, 3)[2]
    one = checked(clerk, "products", csv_of([row, new]))
    assert one.state == "ready"
    with db.transaction():
        lots.book(product, clock.today(), None, 120, [Contribution(10_000, world.household_id("DEMO-XT-0001"))],
                  world.person(CLERK))
    confirm(clerk, one.id)
    work()
    assert told(one.id).state == "faulty"
    assert {line for line, _heading in faults(one.id)} == {2}
    assert (count(Product), db.session().get_one(Product, product).unit) == (1, "斤")
    assert "检查之后" in clerk.get(f"{DESK}/{one.id}").text


def test_who_may_no_longer_manage_goods_writes_none(world, clerk, village):
    one = checked(clerk, "products", csv_of(goods(village)))
    confirm(clerk, one.id)
    with db.transaction() as session:
        session.execute(db.Base.metadata.tables["membership"].delete().where(
            db.Base.metadata.tables["membership"].c.user_id == world.person(CLERK).id))
    work()
    assert (told(one.id).state, count(Product)) == ("refused", 0)


@pytest.mark.parametrize(("content", "name", "word"), [
    (b"", "leer.csv", "请选择文件"), (b"\xd0\xcf\x11\xe0old", "old.xls", "xls"), (b"a\0b", "x.csv", "无法读取此表格"),
    (b"x" * (8 * 1024 * 1024 + 1), "big.csv", "5000"),
])
def test_the_door_refuses_what_is_no_table(clerk, content, name, word):
    answer = tables.send(clerk, "products", content, name)
    assert answer.status_code == 422
    assert word in answer.text
    assert count(SheetImport) == tables_kept() == 0


def test_a_kind_of_another_desk_is_unknown_here(clerk):
    answer = tables.send(clerk, "designations", b"x")
    assert answer.status_code == 422
    assert clerk.get(f"{DESK}/templates/designations.xlsx").status_code == 404
    assert clerk.get(f"{DESK}/exports/designations.csv").status_code == 404


def test_a_table_without_its_headings_is_refused_whole(clerk):
    one = checked(clerk, "products", "品名,价格\n白菜,2".encode())
    assert one.state == "refused"
    page = clerk.get(f"{DESK}/{one.id}").text
    assert "货架/Shelf、产地村/Village" in page
    assert "品名/" not in page


# ---- files that go out ----------------------------------------------------------------------------------------------


def test_the_templates_example_is_never_imported(clerk, village):
    template = clerk.get(f"{DESK}/templates/products.xlsx").data
    head, example = tables.cells_of(template)[:2]
    assert head[:3] == ["编号", "品名", "货架"]
    assert example[0] == "示例"
    allowed = [cell for row in tables.cells_of(template, 1) for cell in row if cell]
    assert {"叶菜", village, "当日采收", "斤"} <= set(allowed)
    one = checked(clerk, "products", template)
    assert (one.state, one.rows_total, one.left_out_rows, count(Product)) == ("done", 1, 1, 0)
    english = clerk.get(f"{DESK}/templates/products.xlsx?lang=en").data
    assert tables.cells_of(english)[1][0] == "Example"


TRICKY = [
    "=1+1", "+86 香柚", "-一级-", "@家", "'=引号", "''", "a,b;c", '他说"好"', "431125100201", "𪣻𠙶家湾", "_x0041_",
    "007", "1e5", "2026-10-12", "true", "示例", "100%",
]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_goes_out_comes_back_unchanged(world, clerk, village, ending):
    rows = goods(village, len(TRICKY))
    for row, name in zip(rows, TRICKY, strict=True):
        row |= {"name": name, "aliases": name, "description": f"{name}\n{name},\n\n=2"}
    imported(clerk, "products", xlsx_of(rows))
    list_goods(world, GREENS, name="全角，标点：旧数据", description="ＡＢＣ\r\n１２", supply="stocked", unit="箱",
               grams_per_unit=5500, price_fen=5801, harvest_months="all")
    known = db.session().execute(select(Product.id, Product.name, Product.aliases, Product.description)).all()
    out = clerk.get(f"{DESK}/exports/products.{ending}")
    assert re.search(rf'filename="products-2026-10-12\.{ending}"', out.headers["Content-Disposition"])
    again = checked(clerk, "products", out.data)
    assert (again.state, again.unchanged_rows, again.changed_rows) == ("done", len(TRICKY) + 1, 0), (
        faults(again.id), again.first_rows, again.refusal)
    db.session().rollback()
    assert db.session().execute(select(Product.id, Product.name, Product.aliases, Product.description)).all() == known
    english = clerk.get(f"{DESK}/exports/products.{ending}?lang=en").data
    assert checked(clerk, "products", english).unchanged_rows == len(TRICKY) + 1


def test_goods_moved_to_a_shelf_that_asks_for_more_papers_wait_for_them(world, clerk, village):
    rows = goods(village, 1)
    imported(clerk, "products", csv_of(rows))
    assert db.session().scalars(select(Product.papers_until)).one() == FOR_GOOD
    with db.transaction() as session:
        session.add(Category(code="tofu", name_zh="豆制品", name_en="Tofu", sort=9))
    reference(world, 500, category="tofu")
    imported(clerk, "products", csv_of([rows[0] | {"category": "tofu"}]))
    moved = db.session().scalars(select(Product)).one()
    assert moved.state == "listed"
    assert moved.papers_until < TODAY
    assert validity.disagreeing() == []
