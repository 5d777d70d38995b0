"""Papers: what goods need, what want of one keeps from sale, and that renewing brings them back by itself."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from catalog import browse, lots, products
from catalog.models import Category, Lot, Product, ProductChange
from catalog.papers import jobs, keeping, lists, validity
from catalog.papers.models import Paper
from catalog.papers.refusals import LotPapersMissing
from catalog.products import NewGoods
from market import clock, db, notices
from market.errors import InvalidInput, NotAllowed, NotFound
from market.outbox import OutboxMessage
from market.users import User
from orders.models import Order
from tests.goods import book, list_goods, shelves, values
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, TODAY, World, keep_paper

MORE_SHELVES = (("bean", "豆类", None), ("tofu", "豆制品", "bean"), ("meat", "肉类", None), ("pork", "鲜猪肉", "meat"),
                ("cured", "腊味", "meat"), ("poultry", "禽类", None), ("duck", "鸭", "poultry"),
                ("oil", "食用油", None), ("oilseed", "油料", "oil"))
PORK = ("quarantine", "meat_quality", "asf_report", "quarantine_stamp", "inspection_stamp")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def shop(world: World) -> World:
    """All shelves that rules speak of."""
    shelves()
    with db.transaction() as session:
        ids: dict[str, int] = {}
        for sort, (code, name, parent) in enumerate(MORE_SHELVES, 10):
            row = Category(code=code, name_zh=name, name_en=code, sort=sort, parent_id=ids[parent] if parent else None)
            session.add(row)
            session.flush()
            ids[code] = row.id
    return world


def later(days: int) -> datetime:
    return NOON + timedelta(days=days)


def add(world: World, kind: str, until: date | None = None, supplier: str = POMELO, **about: int) -> int:
    with db.transaction():
        return keep_paper(world.organisation_id(supplier), kind, until, **about)


def end_licence(world: World, until: date, supplier: str = POMELO) -> int:
    """The co-operative's licence ends on a day: the one without end turns out wrong, another is added and checked."""
    with db.transaction() as session:
        for paper in session.scalars(select(Paper).where(Paper.supplier_id == world.organisation_id(supplier))):
            keeping.refuse(paper.id, "看不清", world.person("farm.luo"))
    licence = add(world, "licence", until, supplier)
    check(world, licence)
    return licence


def check(world: World, paper_id: int) -> None:
    """The agriculture office has looked at a paper, a minute later."""
    with clock.at(clock.now() + timedelta(minutes=1)), db.transaction():
        keeping.mark_checked(paper_id, world.person("farm.luo"))


def row(product_id: int) -> tuple[object, ...]:
    return tuple(db.session().execute(select(db.table(Product)).where(Product.id == product_id)).one())


def on_shelf(product_id: int) -> bool:
    return bool(browse.cards_of([product_id]))


def short(product_id: int) -> list[tuple[str, date | None]]:
    return [(lack.kind, lack.ended_on) for lack in validity.lacks([product_id]).get(product_id, [])]


def test_a_licence_ends_by_its_date_alone_and_a_new_one_brings_the_goods_back(shop: World) -> None:
    pomelo, cabbage = list_goods(shop, POMELO, category="citrus"), list_goods(shop, GREENS)
    last = TODAY + timedelta(days=3)
    end_licence(shop, last)
    with clock.at(later(3)):
        assert on_shelf(pomelo)
    with clock.at(later(4)):
        assert not on_shelf(pomelo)
        assert on_shelf(cabbage)
        assert short(pomelo) == [("licence", last)]
        before = row(pomelo)
        add(shop, "licence", TODAY + timedelta(days=400))
        assert on_shelf(pomelo)
        changed = [(old, new) for old, new in zip(before, row(pomelo), strict=True) if old != new]
        assert changed == [(last, TODAY + timedelta(days=400))]  # the reckoned day and nothing else
        assert validity.disagreeing() == []
    history = db.session().scalars(select(Paper.state).where(
        Paper.supplier_id == shop.organisation_id(POMELO)).order_by(Paper.id)).all()
    assert history == ["refused", "checked", "unchecked"]


def test_made_food_needs_a_permit_of_the_maker_and_a_report_of_the_product(shop: World) -> None:
    tofu = list_goods(shop, POMELO, category="tofu", name="豆腐")
    assert short(tofu) == [("production_permit", None), ("factory_report", None)]
    add(shop, "production_permit")
    assert not on_shelf(tofu)
    add(shop, "factory_report", TODAY, product_id=tofu)
    assert on_shelf(tofu)
    other = list_goods(shop, POMELO, category="tofu", name="香干")
    assert short(other) == [("factory_report", None)]
    with clock.at(later(1)):
        assert short(tofu) == [("factory_report", TODAY)]
    assert not short(list_goods(shop, POMELO, category="oilseed", name="茶籽"))
    assert validity.disagreeing() == []


def test_another_category_asks_for_other_papers(shop: World) -> None:
    product_id = list_goods(shop, POMELO, category="citrus")
    with db.transaction():
        product = products.own_product(product_id, shop.organisation_id(POMELO))
        products.change_product(product, values(shop, POMELO, category="tofu"), None)
    assert not on_shelf(product_id)
    assert validity.disagreeing() == []


def test_a_wrong_reckoning_is_found(shop: World) -> None:
    product_id = list_goods(shop, GREENS)
    with db.transaction() as session:
        session.execute(db.table(Product).update().where(Product.id == product_id).values(papers_until=TODAY))
    assert validity.disagreeing() == [product_id]


def test_pork_waits_for_two_stamps_two_certificates_and_a_report(shop: World) -> None:
    pork = list_goods(shop, POMELO, category="pork", name="猪肉", supply="stocked")
    code = book(shop, pork, 40, confirmed=False)
    lot_id = db.session().scalars(select(Lot.id).where(Lot.code == code)).one()
    officer = shop.person("village.kong")
    for number, kind in enumerate(PORK):
        with pytest.raises(LotPapersMissing) as refusal, db.transaction():
            lots.confirm(lot_id, officer)
        assert [lack.kind for lack in refusal.value.lacks] == list(PORK[number:])
        assert db.session().scalar(select(Lot.confirmed_at).where(Lot.id == lot_id)) is None
        add(shop, kind, lot_id=lot_id)
    with db.transaction():
        lots.confirm(lot_id, officer)


def test_poultry_needs_its_quarantine_and_cured_meat_none(shop: World) -> None:
    add(shop, "production_permit")
    for category, kinds in (("duck", ["quarantine"]), ("cured", [])):
        goods = list_goods(shop, POMELO, category=category, name=category, supply="stocked")
        code = book(shop, goods, 40, confirmed=not kinds)
        lot_id = db.session().scalars(select(Lot.id).where(Lot.code == code)).one()
        assert [lack.kind for lack in validity.lot_lacks([lot_id]).get(lot_id, [])] == kinds


def test_a_lot_whose_paper_was_refused_afterwards_does_not_leave(shop: World) -> None:
    trade = Trade(shop)
    duck = list_goods(shop, POMELO, category="duck", name="麻鸭", supply="stocked", minimum_milli=1000)
    code = book(shop, duck, 100, confirmed=False)
    lot_id = db.session().scalars(select(Lot.id).where(Lot.code == code)).one()
    paper = add(shop, "quarantine", lot_id=lot_id)
    with db.transaction():
        lots.confirm(lot_id, shop.person("village.kong"))
    order = trade.orders(trade.place({duck: 10_000}))[0]
    with db.transaction():
        keeping.refuse(paper, "编号查不到", shop.person("farm.luo"))
    with pytest.raises(LotPapersMissing):
        trade.ship(order.id)
    db.session().rollback()
    assert db.session().scalar(select(Order.state).where(Order.id == order.id)) == "placed"
    again = add(shop, "quarantine", lot_id=lot_id)
    with pytest.raises(LotPapersMissing):
        trade.ship(order.id)
    db.session().rollback()
    check(shop, again)
    trade.ship(order.id)


def test_only_the_countys_agriculture_office_decides(shop: World) -> None:
    paper = add(shop, "production_permit")
    for login, refusal in (("official.hua", NotAllowed), ("official.jin", NotAllowed)):
        with pytest.raises(refusal), db.transaction():
            keeping.mark_checked(paper, shop.person(login))
    foreign = add(shop, "production_permit", supplier=GREENS)
    with pytest.raises(NotFound), db.transaction():
        keeping.refuse(foreign, "不是本县", shop.person("farm.luo"))
    with db.transaction():
        keeping.mark_checked(paper, shop.person("farm.luo"))
    with pytest.raises(keeping.AlreadyChecked), db.transaction():
        keeping.mark_checked(paper, shop.person("farm.luo"))
    with db.transaction():
        keeping.refuse(paper, "后来发现是伪造的", shop.person("farm.luo"))
    with pytest.raises(keeping.AlreadyRefused), db.transaction():
        keeping.refuse(paper, "再次", shop.person("farm.luo"))


def test_a_refused_licence_empties_the_shelf_and_the_supplier_hears_why(shop: World) -> None:
    pomelo = list_goods(shop, POMELO, category="citrus")
    licence = db.session().scalars(select(Paper.id).where(Paper.supplier_id == shop.organisation_id(POMELO))).one()
    with db.transaction():
        keeping.refuse(licence, "照片看不清", shop.person("farm.luo"))
    assert not on_shelf(pomelo)
    assert [one.lack.kind for one in lists.missing(shop.organisation_id(POMELO))] == ["licence"]
    jobs.paper_refused({"paper_id": licence})
    jobs.paper_refused({"paper_id": licence})  # a worker that died begins again
    news = notices.newest(shop.organisation_id(POMELO))
    assert [(n.kind, n.details["reason"]) for n in news] == [("paper.refused", "照片看不清")]


def test_a_refused_licence_is_not_back_by_adding_it_again_until_the_office_has_checked_one(shop: World) -> None:
    pomelo, cabbage = list_goods(shop, POMELO, category="citrus"), list_goods(shop, GREENS)
    luo = shop.person("farm.luo")
    first = db.session().scalars(select(Paper.id).where(Paper.supplier_id == shop.organisation_id(POMELO))).one()
    with db.transaction():
        keeping.refuse(first, "是伪造的", luo)
    again = add(shop, "licence")
    add(shop, "licence", TODAY + timedelta(days=900))
    assert not validity.counts(again)
    assert (on_shelf(pomelo), on_shelf(cabbage)) == (False, True)
    assert short(pomelo) == [("licence", None)]
    with clock.at(NOON + timedelta(hours=1)), db.transaction():
        keeping.mark_checked(again, luo)
    assert on_shelf(pomelo)
    with clock.at(NOON + timedelta(hours=2)):
        with db.transaction():
            keeping.refuse(again, "后来发现也是伪造的", luo)
        add(shop, "licence")
        assert not on_shelf(pomelo)
    assert validity.disagreeing() == []


@pytest.mark.parametrize(("said", "field"), [
    ({"kind": "licence", "issued_on": TODAY + timedelta(days=1)}, "issued_on"),
    ({"kind": "licence", "valid_until": TODAY - timedelta(days=1)}, "valid_until"),
    ({"kind": "licence", "number": ""}, "number"),
    ({"kind": "factory_report"}, "product_id"),
    ({"kind": "quarantine"}, "lot_id"),
])
def test_what_cannot_be_is_refused_at_its_field(shop: World, said: dict[str, object], field: str) -> None:
    before = db.session().scalars(select(Paper.id)).all()
    typed = {"number": "1", "issuer": "局", "issued_on": TODAY, "valid_until": None, **said}
    with pytest.raises(InvalidInput) as refusal, db.transaction():
        keeping.add(typed, 1, shop.organisation_id(POMELO), None)
    assert list(refusal.value.fields) == [field]
    assert db.session().scalars(select(Paper.id)).all() == before


def test_somebody_elses_goods_and_lots_get_no_paper(shop: World) -> None:
    cabbage = list_goods(shop, GREENS)
    with pytest.raises(NotFound):
        add(shop, "factory_report", supplier=POMELO, product_id=cabbage)
    db.session().rollback()
    assert db.session().scalar(select(Paper.id).where(Paper.kind == "factory_report")) is None


# ---- the day --------------------------------------------------------------------------------------------------------


def told(world: World) -> list[str]:
    return [n.kind for n in reversed(notices.newest(world.organisation_id(POMELO)))]


def test_reminders_come_at_90_30_and_7_days_once_each(shop: World) -> None:
    end_licence(shop, TODAY + timedelta(days=91))
    for day in range(0, 92):
        with clock.at(later(day)):
            jobs.follow_day()
            jobs.follow_day()
        expected = (day >= 1) + (day >= 61) + (day >= 84)
        assert told(shop) == ["paper.ends_90", "paper.ends_30", "paper.ends_7"][:expected], day


def test_no_reminder_where_a_newer_paper_follows(shop: World) -> None:
    end_licence(shop, TODAY + timedelta(days=20))
    add(shop, "licence", TODAY + timedelta(days=300))
    jobs.follow_day()
    assert told(shop) == []


def test_a_worker_that_slept_tells_the_nearest_stage_only(shop: World) -> None:
    end_licence(shop, TODAY + timedelta(days=100))
    jobs.follow_day()
    with clock.at(later(96)):
        jobs.follow_day()
    assert told(shop) == ["paper.ends_7"]


def test_the_search_index_hears_of_what_lapsed_also_after_days_without_a_worker(shop: World) -> None:
    pomelo = list_goods(shop, POMELO, category="citrus")
    end_licence(shop, TODAY + timedelta(days=2))
    jobs.follow_day()
    changes = select(ProductChange.id).where(ProductChange.product_id == pomelo)
    before = len(db.session().scalars(changes).all())
    with clock.at(later(6)):
        jobs.follow_day()
        assert len(db.session().scalars(changes).all()) == before + 1
    with clock.at(later(7)):
        jobs.follow_day()
        assert len(db.session().scalars(changes).all()) == before + 1


def test_a_reminder_is_also_a_mail_in_both_languages(shop: World) -> None:
    with db.transaction() as session:
        session.execute(update(User).where(User.login == "chair.he").values(email="he@example.cn"))
    end_licence(shop, TODAY + timedelta(days=5))
    jobs.follow_day()
    mails = db.session().scalars(select(OutboxMessage).where(OutboxMessage.kind == "mail.send")).all()
    assert len(mails) == 1  # the clerk has given no address
    assert mails[0].payload["user_id"] == shop.person("chair.he").id
    assert "营业执照" in mails[0].payload["text"]
    assert "business licence" in mails[0].payload["text"]


def test_goods_listed_by_the_hundred_are_reckoned_too(shop: World) -> None:
    category = {row.code: row.id for row in db.session().execute(select(Category.code, Category.id))}
    goods = [NewGoods(values(shop, POMELO, category=code), category[code], shop.villages["pomelo_home"], "listed")
             for code in ("citrus", "tofu", "oilseed")]
    with db.transaction():
        ids = products.create_many(goods, shop.organisation_id(POMELO), None)
    assert [bool(short(product_id)) for product_id in ids] == [False, True, False]
    assert validity.disagreeing() == []
