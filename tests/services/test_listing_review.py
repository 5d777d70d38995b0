"""How goods come in and change: at once, by the county, or not at all."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from PIL import Image, ImageDraw
from sqlalchemy import func, select

from catalog import products
from catalog.importing import goods_sheet
from catalog.importing.kinds import Plan
from catalog.models import Product, ProductPrice
from catalog.on_sale import on_sale
from catalog.review import decisions, desk, jobs, listing, monitor, outliers, pictures, references
from catalog.review.checks import Incoming, Photo, RowsRefused, Voucher
from catalog.review.listing import Outcome
from catalog.review.models import ListingReview, PriceOutlier, PriceVoucher, ReferencePrice
from market import clock, db, files, notices, outbox
from market.access import Visitor
from market.errors import InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.four_eyes import OwnCooperative
from market.parties import Membership, Organisation
from market.sheet_input import Rows
from tests import goods
from tests.counting import count_statements
from tests.world import GREENS, NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def _noon_and_shelves(world: World) -> Iterator[None]:
    with clock.at(NOON):
        goods.shelves()
        yield


def submit(world: World, supplier: str = GREENS, voucher: Voucher | None = None, **changes: Any) -> Outcome:
    with db.transaction():
        return listing.submit(Incoming(goods.values(world, supplier, **changes), voucher=voucher),
                              world.organisation_id(supplier), world.person(clerk(supplier)))


def clerk(supplier: str) -> str:
    return "clerk.zhang" if supplier == GREENS else "clerk.lv"


def product_of(product_id: int) -> Product:
    return db.session().get_one(Product, product_id, populate_existing=True)


def is_on_sale(product_id: int) -> bool:
    return db.session().scalar(select(Product.id).join(Organisation, Organisation.id == Product.supplier_id)
                               .where(Product.id == product_id, on_sale())) is not None


def reviews(product_id: int) -> list[tuple[str, str]]:
    return [(row.kind, row.decision) for row in db.session().execute(
        select(ListingReview.kind, ListingReview.decision).where(ListingReview.product_id == product_id)
        .order_by(ListingReview.id))]


def waiting_review(product_id: int) -> int:
    return db.session().scalars(select(ListingReview.id).where(
        ListingReview.product_id == product_id, ListingReview.decision == "waiting")).one()


def reprice(world: World, product_id: int, fen: int) -> Outcome:
    with db.transaction():
        return listing.change_price(products.own_product(product_id, world.organisation_id(GREENS)), fen,
                                    world.person("clerk.zhang"))


def change(world: World, product_id: int, **changes: Any) -> Outcome:
    said = goods.values(world, **changes)
    said.pop("price_fen")
    with db.transaction():
        return listing.change(products.own_product(product_id, world.organisation_id(GREENS)),
                              {**said, **({"price_fen": changes["price_fen"]} if "price_fen" in changes else {})},
                              world.person("clerk.zhang"))


def approve(world: World, product_id: int, by: str = "official.jin") -> None:
    review = waiting_review(product_id)
    with db.transaction():
        decisions.approve(review, world.person(by))


def send_back(world: World, product_id: int, reasons: tuple[str, ...] = ("price",), remark: str = "") -> None:
    review = waiting_review(product_id)
    with db.transaction():
        decisions.send_back(review, reasons, remark, world.person("official.jin"))


# ---- coming in ------------------------------------------------------------------------------------------------------


def test_goods_in_the_band_are_on_the_shelf_at_once(world: World) -> None:
    goods.reference(world, 400, "白菜")
    outcome = submit(world)
    assert (outcome.state, list(outcome.findings)) == ("listed", [])
    assert is_on_sale(outcome.product_id)
    assert reviews(outcome.product_id) == [("new", "published")]


def test_goods_outside_the_band_wait_for_the_county(world: World) -> None:
    goods.reference(world, 300, "白菜")
    outcome = submit(world, voucher=Voucher("https://shop.example.cn/cabbage"))
    assert outcome.state == "waiting" and [one.code for one in outcome.findings] == ["above_reference"]
    assert not is_on_sale(outcome.product_id)
    approve(world, outcome.product_id)
    assert is_on_sale(outcome.product_id)
    assert reviews(outcome.product_id) == [("new", "approved")]
    row = db.session().scalars(select(ListingReview)).one()
    assert row.decided_by == world.person("official.jin").id and row.submitted_by == world.person("clerk.zhang").id


@pytest.mark.parametrize(("age", "state"), [(35, "listed"), (36, "waiting")])
def test_a_reference_counts_for_five_weeks(world: World, age: int, state: str) -> None:
    goods.reference(world, 400, "白菜")
    with db.transaction() as session:
        session.scalars(select(ReferencePrice)).one().day = TODAY - timedelta(days=age)
    assert submit(world).state == state


def test_another_name_buys_no_dearer_reference_price(world: World) -> None:
    """Winter shoots cost ten times as much; Zhang's spinach is not winter shoots because he also calls it so."""
    goods.reference(world, 400)
    goods.reference(world, 4_000, "冬笋")
    spinach = submit(world, name="菠菜", aliases="冬笋", price_fen=2_000)
    assert (spinach.state, [one.code for one in spinach.findings]) == ("waiting", ["above_reference", "no_voucher"])
    assert not is_on_sale(spinach.product_id)
    against = monitor.reference_of(spinach.product_id)
    assert against is not None and against.fen_per_kg == 400
    cabbage = submit(world).product_id
    change(world, cabbage, aliases="冬笋")
    assert reviews(cabbage) == [("new", "published"), ("edit", "published")], "another name is looked at"
    assert reprice(world, cabbage, 2_000).state == "waiting" and product_of(cabbage).price_fen == 200
    watched = {one.goods.id: one.reference for one in monitor.watched(world.person("official.jin"))}
    assert watched[cabbage] is not None and watched[cabbage].fen_per_kg == 400


def test_the_newest_reference_counts_and_another_countys_does_not(world: World) -> None:
    goods.reference(world, 400, "白菜", county="pomelo_home")
    assert [one.code for one in submit(world).findings] == ["no_reference", "no_voucher"]
    goods.reference(world, 100, "白菜")
    goods.reference(world, 400, "白菜")  # the same day again: a correction
    assert submit(world, name="白菜苗").state == "listed"


@pytest.mark.parametrize(("field", "text", "word"), [
    ("name", "救救菜农大白菜", "救救"), ("description", "今年滞销，\n请帮帮忙", "滞销"),
    ("aliases", "机关特供", "特供"), ("description_en", "Unsold cabbage", "unsold")])
def test_a_refused_word_is_named_at_its_field_and_nothing_is_written(world: World, field: str, text: str,
                                                                     word: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        submit(world, **{field: text})
    assert word in refusal.value.field_messages()[field][0]
    assert db.session().scalar(select(func.count()).select_from(Product)) == 0
    assert db.session().scalar(select(func.count()).select_from(ListingReview)) == 0


def test_the_same_goods_in_another_unit_and_a_strange_village_are_found(world: World) -> None:
    goods.reference(world, 400, "白菜")
    submit(world)
    again = submit(world, name="白菜（箱装）", unit="箱", grams_per_unit=5_000, price_fen=2_000)
    assert [one.code for one in again.findings] == ["same_goods"] and again.findings[0].details["unit"] == "斤"
    strange = goods.values(world, POMELO)["village"]
    goods.reference(world, 400, "菜心", county="pomelo_home")
    far = submit(world, name="菜心", village=strange)
    assert [one.code for one in far.findings] == ["origin"]


def test_hidden_goods_count_and_come_back_beside_like_goods_only_by_the_county(world: World) -> None:
    """Zhang hides the cabbages, lists them again, and wants the first ones back on the shelf."""
    goods.reference(world, 400, "白菜")
    first, zhang = submit(world).product_id, world.person("clerk.zhang")
    set_state(world, first, "hidden")
    second = submit(world)
    assert [one.code for one in second.findings] == ["same_goods"] and not is_on_sale(second.product_id)
    set_state(world, first, "listed")
    assert is_on_sale(first), "nothing of the kind is on the shelf"
    reprice(world, first, 900)
    set_state(world, first, "hidden")
    approve(world, second.product_id)
    outcome = set_state(world, first, "listed")
    assert outcome is not None and "same_goods" in [one.code for one in outcome.findings]
    assert product_of(first).state == "waiting" and not is_on_sale(first) and is_on_sale(second.product_id)
    assert reviews(first) == [("new", "published"), ("edit", "withdrawn"), ("new", "waiting")]
    assert product_of(first).price_fen == 900, "what waited is what the county sees"
    with pytest.raises(products.NotReviewed), db.transaction():
        listing.show(products.own_product(first, zhang.organisation_id), zhang)
    approve(world, first)
    assert is_on_sale(first)


def set_state(world: World, product_id: int, state: str) -> Outcome | None:
    by = world.person("clerk.zhang")
    with db.transaction():
        own = products.own_product(product_id, by.organisation_id)
        if state == "listed":
            return listing.show(own, by)
        products.set_state(own, state, by)
    return None


def test_another_suppliers_picture_is_found_though_it_was_scaled(world: World, app: Flask) -> None:
    goods.reference(world, 400, "菜")
    goods.reference(world, 400, "菜", county="pomelo_home")
    first = submit_photo(world, app, GREENS, "菜心", picture((800, 600)))
    assert first.state == "listed"
    second = submit_photo(world, app, POMELO, "菜苔", picture((400, 300)))
    assert [one.code for one in second.findings] == ["same_picture"]
    assert second.findings[0].details == {"name": "菜心", "supplier": "新田县演示蔬菜合作社"}
    other = submit_photo(world, app, POMELO, "菜薹", picture((800, 600), seed=5))
    assert other.state == "listed"


@pytest.mark.parametrize("again", ["form", "price", "table"])
def test_a_strangers_photo_does_not_go_live_by_saving_once_more(world: World, app: Flask, again: str) -> None:
    """Lü's pomelos have a photo. Zhang puts it on the cabbages, and saves the form a second time without it."""
    goods.reference(world, 400)
    goods.reference(world, 400, county="pomelo_home")
    submit_photo(world, app, POMELO, "菜苔", picture((800, 600)))
    cabbage = submit(world).product_id
    zhang, prepared = world.person("clerk.zhang"), files.prepare(picture((400, 300)))
    with db.transaction():
        kept = files.keep(prepared, "photo.jpg", "public", zhang, app.extensions["sijin"].files_dir)
        outcome = listing.change(products.own_product(cabbage, zhang.organisation_id), goods.values(world), zhang,
                                 Photo(kept, pictures.look_of(prepared[0])))
        taken = kept.id
    assert [one.code for one in outcome.findings] == ["same_picture"]
    if again == "form":
        change(world, cabbage)
    elif again == "price":
        reprice(world, cabbage, 190)
    else:
        import_row(zhang, {**goods.values(world, description="脆嫩"), "number": cabbage})
    assert product_of(cabbage).photo_id is None
    assert reviews(cabbage) == [("new", "published"), ("edit", "withdrawn"), ("edit", "waiting")]
    newest = listing.newest_review(cabbage)
    assert newest is not None and newest.proposed is not None and newest.proposed["photo_id"] == taken
    assert [one["code"] for one in newest.findings] == ["same_picture"]
    approve(world, cabbage)
    assert product_of(cabbage).photo_id == taken


def import_row(by: Visitor, row: dict[str, Any]) -> Plan:
    """One line of a table that has every column."""
    with db.transaction():
        plan = goods_sheet.match(Rows({2: row}, [], 1, 0, frozenset(one.field for one in goods_sheet.COLUMNS)), by)
        goods_sheet.write(plan, by)
    return plan


def picture(size: tuple[int, int], seed: int = 1) -> bytes:
    """Some shapes on a slope of grey, as a JPEG."""
    image = Image.linear_gradient("L").rotate(90 * seed).resize((400, 300)).convert("RGB")
    draw = ImageDraw.Draw(image)
    for number in range(6):
        left, top = (number * 67 * seed) % 330, (number * 41 * seed) % 230
        draw.ellipse((left, top, left + 70, top + 60), fill=(40 * number, 255 - 30 * number, 20 * seed))
    content = io.BytesIO()
    image.resize(size).save(content, "JPEG")
    return content.getvalue()


def submit_photo(world: World, app: Flask, supplier: str, name: str, content: bytes) -> Outcome:
    prepared = files.prepare(content)
    person = world.person(clerk(supplier))
    with db.transaction():
        kept = files.keep(prepared, "photo.jpg", "public", person, app.extensions["sijin"].files_dir)
        return listing.submit(
            Incoming(goods.values(world, supplier, name=name, category="leaf"),
                     Photo(kept, pictures.look_of(prepared[0]))), world.organisation_id(supplier), person)


# ---- many at once ---------------------------------------------------------------------------------------------------


def rows(world: World, count: int, first: int = 0x4E00) -> list[Incoming]:
    names = [f"白菜{chr(first + number)}" for number in range(count)]
    return [Incoming(goods.values(world, name=name, price_fen=200 if at % 2 else 900)) for at, name in enumerate(names)]


def test_many_come_in_with_as_many_statements_as_few(app: Flask, world: World) -> None:
    goods.reference(world, 400, "白菜")
    costs = []
    for count in (10, 100):
        incoming = rows(world, count, 0x4E00 + 10 * count)
        with db.transaction(), count_statements(app) as statements:
            outcomes = listing.submit_many(incoming, world.organisation_id(GREENS), None)
        assert {one.state for one in outcomes} == {"listed", "waiting"}
        costs.append(sum(not one.startswith("INSERT INTO product (") for one in statements))  # SQLite: one for each id
        with db.transaction() as session:
            session.execute(db.table(Product).update().values(state="hidden"))
    assert costs[0] == costs[1] < 20


def test_one_bad_row_keeps_all_out_and_is_named(world: World) -> None:
    incoming = rows(world, 4)
    incoming[2] = Incoming({**incoming[2].values, "name": "滞销白菜", "village": "431199999999"})
    with pytest.raises(RowsRefused) as refusal, db.transaction():
        listing.submit_many(incoming, world.organisation_id(GREENS), None)
    assert set(refusal.value.rows) == {2} and set(refusal.value.rows[2]) == {"name", "village"}
    assert db.session().scalar(select(func.count()).select_from(Product)) == 0
    told = listing.refusals([one.values for one in incoming], world.organisation_id(GREENS))
    assert set(told) == {2}


# ---- edits after approval -------------------------------------------------------------------------------------------


def test_a_price_in_the_band_or_lower_holds_at_once_a_higher_one_waits_while_the_old_sells(world: World) -> None:
    goods.reference(world, 400, "白菜")
    cabbage = submit(world).product_id
    assert reprice(world, cabbage, 260).state == "listed" and product_of(cabbage).price_fen == 260
    assert reprice(world, cabbage, 150).state == "listed" and product_of(cabbage).price_fen == 150
    outcome = reprice(world, cabbage, 300)
    assert (outcome.state, product_of(cabbage).price_fen, product_of(cabbage).state) == ("waiting", 150, "listed")
    assert is_on_sale(cabbage)
    approve(world, cabbage)
    assert product_of(cabbage).price_fen == 300
    assert reviews(cabbage) == [
        ("new", "published"), ("edit", "published"), ("edit", "published"), ("edit", "approved")]


def test_without_a_reference_only_a_lower_price_holds_at_once(world: World) -> None:
    cabbage = goods.list_goods(world)
    assert reprice(world, cabbage, 199).state == "listed"
    assert [one.code for one in reprice(world, cabbage, 201).findings] == ["price_raised", "no_voucher"]
    assert product_of(cabbage).price_fen == 199


def test_words_change_at_once_but_origin_is_looked_at(world: World) -> None:
    cabbage = goods.list_goods(world)
    assert change(world, cabbage, description="脆嫩").state == "listed"
    assert product_of(cabbage).description == "脆嫩"
    assert reviews(cabbage) == []
    home = product_of(cabbage).village_id
    elsewhere = goods.values(world, POMELO)["village"]
    assert [one.code for one in change(world, cabbage, village=elsewhere).findings] == ["origin"]
    assert product_of(cabbage).village_id == home and is_on_sale(cabbage)


def test_a_unit_and_its_price_may_be_changed_one_after_the_other(world: World) -> None:
    cabbage = goods.list_goods(world)
    first = change(world, cabbage, unit="箱", grams_per_unit=10_000)
    assert [one.code for one in first.findings] == ["kilo_price"]  # ¥2 for a box
    second = reprice(world, cabbage, 3_900)  # 3.90 a kilo: lower than the approved 4.00
    assert second.state == "listed"
    product = product_of(cabbage)
    assert (product.unit, product.grams_per_unit, product.price_fen) == ("箱", 10_000, 3_900)
    assert reviews(cabbage) == [("edit", "withdrawn"), ("edit", "published")]


def test_pity_cannot_come_in_by_an_edit(world: World) -> None:
    cabbage = goods.list_goods(world)
    with pytest.raises(InvalidInput):
        change(world, cabbage, description="卖不出去了")
    assert product_of(cabbage).description == ""


def test_an_edit_sent_back_leaves_the_goods_and_keeps_what_was_typed(world: World) -> None:
    cabbage = goods.list_goods(world)
    reprice(world, cabbage, 900)
    send_back(world, cabbage)
    assert (product_of(cabbage).price_fen, product_of(cabbage).state) == (200, "listed")
    newest = listing.newest_review(cabbage)
    assert newest is not None and newest.proposed is not None and newest.proposed["price_fen"] == 900
    with db.transaction():
        listing.withdraw(products.own_product(cabbage, world.organisation_id(GREENS)), world.person("clerk.zhang"))
    assert reviews(cabbage) == [("edit", "withdrawn")]


# ---- the county decides ---------------------------------------------------------------------------------------------


def test_sent_back_mended_and_approved(world: World) -> None:
    cabbage = submit(world, description="家里种的").product_id
    send_back(world, cabbage, ("pity", "words"), "请写品种")
    assert product_of(cabbage).state == "returned" and product_of(cabbage).description == "家里种的"
    outbox.drain(jobs.HANDLERS)
    assert [row.kind for row in notices.newest(world.organisation_id(GREENS))] == ["listing.returned"]
    goods.reference(world, 400, "白菜")
    again = change(world, cabbage, description="高山白菜，脆嫩")
    assert [one.code for one in again.findings] == ["returned_before"], "a person sent it back, a person looks again"
    assert not is_on_sale(cabbage)
    approve(world, cabbage)
    outbox.drain(jobs.HANDLERS)
    assert is_on_sale(cabbage) and reviews(cabbage) == [("new", "returned"), ("new", "approved")]
    assert [row.kind for row in notices.newest(world.organisation_id(GREENS))] == ["listing.approved",
                                                                                 "listing.returned"]
    assert change(world, cabbage, name="高山白菜").state == "listed", "approved since: no longer marked"


def test_a_supplier_cannot_put_unreviewed_goods_on_the_shelf(world: World) -> None:
    cabbage = submit(world).product_id
    for state in ("listed", "hidden"):
        with pytest.raises(products.NotReviewed), db.transaction():
            products.set_state(products.own_product(cabbage, world.organisation_id(GREENS)), state, None)
    assert product_of(cabbage).state == "waiting"


def test_another_countys_officials_find_nothing(world: World) -> None:
    cabbage = submit(world).product_id
    hua, jin = world.person("official.hua"), world.person("official.jin")
    assert desk.queue(hua, "waiting", 1).total == 0 and desk.queue(jin, "waiting", 1).total == 1
    review = waiting_review(cabbage)
    for deed in (lambda: decisions.approve(review, hua), lambda: decisions.send_back(review, ["price"], "", hua),
                 lambda: decisions.take_off(cabbage, ["price"], "", hua), lambda: desk.story(review, hua)):
        with pytest.raises(NotFound), db.transaction():
            deed()
    assert reviews(cabbage) == [("new", "waiting")]


def test_who_acts_for_the_co_operative_does_not_decide(world: World) -> None:
    cabbage = submit(world).product_id
    jin = world.person("official.jin")
    with db.transaction() as session:
        session.add(Membership(user_id=jin.id, organisation_id=world.organisation_id(GREENS), role="clerk"))
    with pytest.raises(OwnCooperative):
        approve(world, cabbage)
    with pytest.raises(OwnCooperative):
        send_back(world, cabbage)
    assert product_of(cabbage).state == "waiting"


def test_offices_that_do_not_review_are_refused(world: World) -> None:
    cabbage = submit(world).product_id
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id("city")).office_kind = "finance"
    with pytest.raises(NotAllowed):
        approve(world, cabbage)
    assert product_of(cabbage).state == "waiting"


def test_a_decision_is_made_once_and_sending_back_needs_a_reason(world: World) -> None:
    cabbage = submit(world).product_id
    review = waiting_review(cabbage)
    for reasons in ((), ("no-such",)):
        with pytest.raises(InvalidInput), db.transaction():
            decisions.send_back(review, reasons, "", world.person("official.jin"))
    approve(world, cabbage)
    with pytest.raises(decisions.AlreadyDecided), db.transaction():
        decisions.approve(review, world.person("official.jin"))
    with pytest.raises(decisions.AlreadyDecided), db.transaction():
        decisions.send_back(review, ("price",), "", world.person("official.jin"))
    assert reviews(cabbage) == [("new", "approved")]


def test_a_newer_submission_takes_the_place_of_the_waiting_one(world: World) -> None:
    cabbage = submit(world).product_id
    first = waiting_review(cabbage)
    change(world, cabbage, description="脆嫩", price_fen=210)
    assert reviews(cabbage) == [("new", "withdrawn"), ("new", "waiting")]
    with pytest.raises(decisions.AlreadyDecided), db.transaction():
        decisions.approve(first, world.person("official.jin"))
    approve(world, cabbage)
    assert product_of(cabbage).price_fen == 210
    assert [one.price_fen for one in monitor.price_history(cabbage)] == [210], "¥2.00 was never a price"


def test_goods_on_the_shelf_are_taken_off_with_reasons(world: World) -> None:
    cabbage = goods.list_goods(world)
    reprice(world, cabbage, 900)
    with db.transaction():
        decisions.take_off(cabbage, ["picture"], "", world.person("official.jin"))
    assert product_of(cabbage).state == "returned" and not is_on_sale(cabbage)
    assert reviews(cabbage) == [("edit", "withdrawn"), ("taken_off", "returned")]


# ---- reference prices and outliers ----------------------------------------------------------------------------------


def test_officials_enter_references_for_their_own_place(world: World) -> None:
    said = {"category": "fruit", "word": "香柚", "fen_per_kg": 800, "source": "周报", "day": TODAY}
    with db.transaction():
        references.enter(said, world.person("official.hua"))
    with pytest.raises(InvalidInput), db.transaction():
        references.enter({**said, "day": TODAY + timedelta(days=1)}, world.person("official.hua"))
    with pytest.raises(NotAllowed), db.transaction():
        references.enter(said, world.person("township.yan"))
    assert references.entered(world.person("official.hua"), None, "", 1).total == 1
    assert references.entered(world.person("official.jin"), "fruit", "柚", 1).total == 1
    assert submit(world, POMELO, name="江永香柚", category="citrus", price_fen=400).state == "listed"


def stand_out(world: World) -> tuple[int, int]:
    """Four cabbages, one of them far dearer; returns its product and outlier ids."""
    ids = [goods.list_goods(world, name=f"白菜{n}", price_fen=fen) for n, fen in enumerate((200, 210, 220, 331))]
    with db.transaction():
        assert outliers.watch() == 1
    with db.transaction():
        assert outliers.watch() == 1  # found again, noted once
    row = db.session().scalars(select(PriceOutlier)).one()
    assert (row.product_id, row.median_fen_per_kg, row.fen_per_kg) == (ids[3], 440, 662)
    return ids[3], row.id


def test_an_outlier_needs_a_reason_and_a_second_person(world: World) -> None:
    _product, outlier = stand_out(world)
    jin, other = world.person("official.jin"), second_official(world)
    with pytest.raises(outliers.NotExplained), db.transaction():
        outliers.agree(outlier, other)
    with db.transaction():
        outliers.explain(outlier, "有机认证", jin)
    with pytest.raises(SecondPersonNeeded), db.transaction():
        outliers.agree(outlier, jin)
    assert outliers.in_month(jin, "2026-10", "second", 1).total == 1
    assert outliers.waiting(jin) == (0, 0) and outliers.waiting(other) == (1, 0)
    with db.transaction():
        outliers.agree(outlier, other)
    found = outliers.in_month(jin, "2026-10", None, 1)
    assert [(row.state, row.reasoned_name, row.approved_name) for row in found.rows] == [("agreed", "金局长", "华科长")]
    with pytest.raises(decisions.AlreadyDecided), db.transaction():
        outliers.explain(outlier, "别的理由", jin)


def second_official(world: World) -> Any:
    """Another official of the city."""
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id("jiangyong")).division_id = session.get_one(
            Organisation, world.organisation_id("city")).division_id
    return world.person("official.hua")


def test_an_outlier_is_late_after_five_working_days_and_closed_to_other_counties(world: World) -> None:
    product, outlier = stand_out(world)
    jin, hua = world.person("official.jin"), world.person("official.hua")
    assert outliers.waiting(jin) == (1, 0) and outliers.waiting(hua) == (0, 0)
    with clock.at(NOON + timedelta(days=8)):
        assert outliers.waiting(jin) == (1, 1)
    for deed in (lambda: outliers.explain(outlier, "x", hua), lambda: outliers.agree(outlier, hua),
                 lambda: outliers.send_back(outlier, "", hua)):
        with pytest.raises(NotFound), db.transaction():
            deed()
    with db.transaction():
        outliers.send_back(outlier, "请调低", jin)
    assert product_of(product).state == "returned" and outliers.waiting(jin) == (0, 0)


def test_the_monitor_compares_each_good_and_says_what_was_decided(world: World) -> None:
    goods.reference(world, 400, "白菜")
    goods.list_goods(world, price_fen=300)
    goods.list_goods(world, name="菜心")
    found = {one.goods.name: (one.standing, one.difference, one.decision)
             for one in monitor.watched(world.person("official.jin"))}
    assert found == {"白菜": ("above", 5_000, ""), "菜心": ("none", None, "")}
    assert monitor.watched(world.person("official.hua")) == []
    assert db.session().scalar(select(func.count()).select_from(PriceVoucher)) == 0
    assert db.session().scalar(select(func.count()).select_from(ProductPrice)) == 2
