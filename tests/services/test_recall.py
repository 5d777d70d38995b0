"""A lot is recalled: what is left of it stops, whoever received it is found and told once, nothing of it is taken."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from catalog import lot_write_offs, lots, stock
from catalog.lot_parts import Ingredient
from catalog.models import Lot, LotInput, LotShare, StockHold
from catalog.tracing import recall
from catalog.tracing.models import Recall, RecallLot, RecallRelease, TraceEvent
from market import clock, db, ledger, notices, outbox
from market.errors import NotFound
from market.parties import Organisation
from orders import jobs
from orders.delivering import recall as reach
from orders.delivering.acceptance import RecalledGoods, Taken
from orders.models import Acceptance, AcceptancePart, Order, Shipment, ShipmentLine
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, POMELO, SCHOOL, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def code_of(lot: int) -> str:
    return db.session().scalars(select(Lot.code).where(Lot.id == lot)).one()


def recalled(trade: Trade, lot: int, by: str = "chair.shi", reason: str = "农残超标") -> Recall:
    with db.transaction():
        return recall.recall(code_of(lot), reason, trade.world.person(by))


def sent(trade: Trade, product: int, milli: int, unit: str = SCHOOL, by: str = "cook.chen") -> int:
    order = trade.orders(trade.place({product: milli}, unit=unit, by=by))[0].id
    trade.ship(order)
    return order


def told(world: World, key: str) -> list[str]:
    return [row.kind for row in notices.newest(world.organisation_id(key))]


# ---- how far it came ------------------------------------------------------------------------------------------------


def test_every_unit_that_received_it_is_found_and_told_once(trade: Trade) -> None:
    """One harvest went to the school, to the hospital, and as pickles to a third unit."""
    world = trade.world
    leaf, pickles = trade.product("芥菜"), trade.product("酸菜")
    lot = trade.lot(leaf, 100)
    first = sent(trade, leaf, 20_000)
    second = sent(trade, leaf, 10_000, HOSPITAL, "cook.wu")
    made = trade.processed(pickles, 20_000, {lot: 30_000})
    third = sent(trade, pickles, 5_000, HOSPITAL, "cook.wu")
    with db.transaction() as session:  # the third order belongs to a unit of its own
        sister = Organisation(kind="unit", name="演示第二医院", short_name="二医院", unit_type="hospital",
                              created_at=clock.now())
        session.add(sister)
        session.flush()
        session.execute(update(Order).where(Order.id == third).values(unit_id=sister.id))
        sister_id = sister.id
    trade.accept(first)

    stopped = recalled(trade, lot)
    for _ in range(2):  # the second time stands for a worker that died after the deed
        jobs.lot_recalled({"recall_id": stopped.id})
    outbox.drain(jobs.HANDLERS)

    rows = reach.reached(stopped.id)
    assert {(row.order_id, row.unit_id, row.packed_milli) for row in rows} == {
        (first, world.organisation_id(SCHOOL), 20_000), (second, world.organisation_id(HOSPITAL), 10_000),
        (third, sister_id, 5_000)}
    assert {row.order_id: row.accepted_grams for row in rows} == {first: 20_000, second: 0, third: 0}
    assert {row.id for row in rows} == deliveries_of({lot, made})
    for key in (SCHOOL, HOSPITAL, GREENS):
        assert told(world, key).count("lot.recalled") == 1
    assert [row.kind for row in notices.newest(sister_id)].count("lot.recalled") == 1
    assert told(world, POMELO) == []
    assert set(reach.told_at(stopped.id)) == {
        world.organisation_id(SCHOOL), world.organisation_id(HOSPITAL), world.organisation_id(GREENS), sister_id}
    assert {lot, made} == set(db.session().scalars(select(RecallLot.lot_id)))


def deliveries_of(lot_ids: set[int]) -> set[int]:
    """The same from the shipments' own documents, another way: which packed lines held these lots."""
    return {line.id for line in db.session().scalars(select(ShipmentLine)) if line.lot_id in lot_ids}


def test_a_unit_counts_its_own_deliveries_only(trade: Trade) -> None:
    """The school received it once, the hospital twice; neither learns how much went elsewhere."""
    leaf = trade.product("芥菜")
    lot = trade.lot(leaf, 100)
    sent(trade, leaf, 20_000)
    for _ in range(2):
        sent(trade, leaf, 10_000, HOSPITAL, "cook.wu")
    stopped = recalled(trade, lot)
    seen = {login: [row.deliveries for row in reach.recalls(trade.world.person(login), 1).rows]
            for login in ("cook.chen", "cook.wu", "chair.shi", "official.jin")}
    assert seen == {"cook.chen": [1], "cook.wu": [2], "chair.shi": [3], "official.jin": [3]}
    assert reach.one(stopped.id, trade.world.person("cook.chen")).deliveries == 1


def test_the_county_of_every_village_of_the_lot_hears_of_it(trade: Trade) -> None:
    """Some of the goods grew in Jiangyong, in another county than the co-operative's home."""
    world = trade.world
    lot = trade.lot(trade.product("芥菜"), 100)
    with db.transaction() as session:
        session.execute(update(LotShare).where(LotShare.lot_id == lot)
                        .values(village_id=world.villages["pomelo_home"]))
    stopped = recalled(trade, lot)
    for _ in range(2):
        jobs.lot_recalled({"recall_id": stopped.id})
    assert told(world, "agriculture") == ["lot.recalled"]
    assert told(world, "jiangyong") == []  # another office of the same county
    assert [row.id for row in reach.recalls(world.person("farm.luo"), 1).rows] == [stopped.id]


def test_the_report_centre_names_the_same_deliveries(trade: Trade, app: Flask) -> None:
    leaf = trade.product("芥菜")
    lot = trade.lot(leaf, 100)
    orders = [sent(trade, leaf, 20_000), sent(trade, leaf, 10_000)]
    recalled(trade, lot)
    official = trade.world.logged_in("official.jin")
    report = official.get("/reports/recalls.json?from=2026-10&to=2026-10").get_json()
    numbers = {db.session().get_one(Order, order).number for order in orders}
    assert {row["order"] for row in report["rows"]} == numbers
    assert report["totals"]["packed_grams"] == 30_000
    assert official.get("/reports/recalls.json?from=2026-09&to=2026-09").get_json()["rows"] == []
    assert "芥菜" in official.get("/reports/recalls?from=2026-10&to=2026-10").text
    assert official.get("/reports/recalls.xlsx?from=2026-10&to=2026-10").status_code == 200
    for closed in (app.test_client(), trade.world.logged_in("cook.chen")):
        assert closed.get("/reports/recalls").status_code == 404


# ---- what is left stops ---------------------------------------------------------------------------------------------


def test_the_rest_is_not_sold_packed_or_processed(trade: Trade) -> None:
    leaf, pickles = trade.product("芥菜"), trade.product("酸菜")
    lot = trade.lot(leaf, 100)
    order = trade.orders(trade.place({leaf: 20_000}))[0].id
    line = trade.lines(order)[0].id
    stopped = recalled(trade, lot)
    assert trade.stock_of(lot) == (100_000, 0)  # nothing of it is promised any more; it lies there to be destroyed
    assert db.session().scalar(select(StockHold.id)) is None
    released = db.session().execute(select(RecallRelease.lot_id, RecallRelease.line_id, RecallRelease.milli)).all()
    assert [tuple(row) for row in released] == [(lot, line, 20_000)]
    with pytest.raises(stock.OutOfStock):
        trade.place({leaf: 1_000})
    with pytest.raises(stock.LotRecalled):
        trade.ship(order, {line: [(lot, 20_000)]})
    with pytest.raises(stock.LotRecalled), db.transaction():
        lots.process(pickles, clock.today(), 1_000, 1_000, [Ingredient(lot, 5_000)], trade.world.person("clerk.zhang"))
    assert counted(Shipment) == counted(LotInput) == 0
    assert [row.order_id for row in reach.still_to_fill(stopped.id)] == [order]
    desk = trade.world.logged_in("clerk.zhang")
    assert "1 order was promised goods of a recalled lot" in desk.get("/village?lang=en").text

    fresh = trade.lot(leaf, 15)  # the order is filled from another lot, short
    trade.ship(order, {line: [(fresh, 15_000)]})
    assert db.session().scalars(select(ShipmentLine.lot_id)).all() == [fresh]
    assert reach.reached(stopped.id) == []
    assert "recalled lot" not in desk.get("/village?lang=en").text


def test_recalled_goods_are_destroyed_by_two_people(trade: Trade) -> None:
    lot = trade.lot(trade.product("芥菜"), 10)
    recalled(trade, lot)
    with db.transaction():
        row = lot_write_offs.propose(lot, 10_000, "other", "召回后销毁", trade.world.person("clerk.zhang"))
    with db.transaction():
        lot_write_offs.confirm(row.id, trade.world.person("chair.shi"))
    assert trade.stock_of(lot) == (0, 0)
    last = db.session().scalars(
        select(TraceEvent).where(TraceEvent.lot_id == lot).order_by(TraceEvent.id.desc()).limit(1)).first()
    assert last is not None
    assert (last.kind, last.milli, last.grams) == ("written_off", 10_000, 10_000)


def counted(table: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(table)) or 0


def test_only_who_may_recalls_and_only_once(trade: Trade) -> None:
    lot = trade.lot(trade.product("芥菜"))
    for login in ("chair.he", "official.hua", "admin.qian"):  # another co-operative, another office, a unit
        with pytest.raises(NotFound):
            recalled(trade, lot, login)
    assert counted(Recall) == 0
    recalled(trade, lot, "official.jin")
    with pytest.raises(recall.AlreadyRecalled):
        recalled(trade, lot)
    assert counted(Recall) == 1
    assert db.session().scalars(select(TraceEvent.kind).where(TraceEvent.kind == "recalled")).all() == ["recalled"]


def test_what_was_stopped_before_keeps_its_own_recall(trade: Trade) -> None:
    leaf, pickles = trade.product("芥菜"), trade.product("酸菜")
    lot = trade.lot(leaf, 100)
    made = trade.processed(pickles, 20_000, {lot: 30_000})
    order = sent(trade, pickles, 5_000)
    first = recalled(trade, made)
    second = recalled(trade, lot)
    for one in (first, second):
        jobs.lot_recalled({"recall_id": one.id})
    assert [row.order_id for row in reach.reached(first.id)] == [order]
    assert reach.reached(second.id) == []
    assert told(trade.world, SCHOOL).count("lot.recalled") == 1


# ---- at the door ----------------------------------------------------------------------------------------------------


def test_recalled_goods_on_the_way_can_only_be_refused(trade: Trade) -> None:
    leaf = trade.product("芥菜")
    lot = trade.lot(leaf, 100)
    order = sent(trade, leaf, 20_000)
    line = trade.lines(order)[0].id
    recalled(trade, lot)
    with pytest.raises(RecalledGoods):
        trade.accept(order)
    assert counted(Acceptance) == 0
    trade.accept(order, [Taken(line, grams=0, reason="recalled")])
    assert db.session().get_one(Order, order, populate_existing=True).state == "rejected"
    assert ledger.balance_fen(f"supplier:{trade.world.organisation_id(GREENS)}") == 0
    assert counted(AcceptancePart) == 0


def test_of_two_lots_in_a_box_only_the_safe_one_is_taken_and_earns(trade: Trade) -> None:
    leaf = trade.product("芥菜")
    bad, good = trade.lot(leaf, 8), trade.lot(leaf, 12)
    order = sent(trade, leaf, 20_000)
    line = trade.lines(order)[0].id
    recalled(trade, bad)
    with pytest.raises(RecalledGoods):
        trade.accept(order, [Taken(line, grams=12_001)])
    trade.accept(order, [Taken(line, grams=11_500)])
    parts = db.session().execute(select(AcceptancePart.lot_id, func.sum(AcceptancePart.grams))
                                 .group_by(AcceptancePart.lot_id)).all()
    assert [tuple(row) for row in parts] == [(good, 11_500)]
    events = {row.lot_id: row.kind for row in db.session().execute(
        select(TraceEvent.lot_id, TraceEvent.kind).where(TraceEvent.kind.in_(("accepted", "refused"))))}
    assert events == {bad: "refused", good: "accepted"}


# ---- pages ----------------------------------------------------------------------------------------------------------


def test_a_recall_through_the_pages(trade: Trade) -> None:
    world = trade.world
    leaf = trade.product("芥菜")
    lot = trade.lot(leaf, 100)
    shipped, promised = sent(trade, leaf, 20_000), trade.orders(trade.place({leaf: 5_000}))[0].id
    code = code_of(lot)
    chair, clerk, cook = world.logged_in("chair.shi"), world.logged_in("clerk.zhang"), world.logged_in("cook.chen")
    page = chair.get(f"/recalls?lot={code}&lang=en").text
    assert "This cannot be undone" in page
    assert "Recall this lot" not in clerk.get(f"/recalls?lot={code}&lang=en").text
    token = page.split('name="csrf_token" value="', 1)[1].partition('"')[0]
    assert chair.post("/village/recalls", data={"csrf_token": token, "code": code}).status_code == 422
    assert counted(Recall) == 0
    done = chair.post("/village/recalls", data={"csrf_token": token, "code": code, "reason": "农残超标"})
    assert done.status_code == 303
    outbox.drain(jobs.HANDLERS)
    told_page = chair.get(done.location + "?lang=zh").text
    number = {order: db.session().get_one(Order, order).number for order in (shipped, promised)}
    for words in (code, "永州演示第一小学", number[shipped], number[promised], "王＊ 139****0002", "农残超标"):
        assert words in told_page
    assert "王保管" not in told_page
    assert number[shipped].encode() in chair.get(done.location + ".csv").data
    assert chair.get(done.location + ".xlsx").status_code == 200
    assert chair.get(done.location + ".exe").status_code == 404
    own = cook.get(done.location).text
    assert number[shipped] in own
    assert number[promised] not in own
    assert code in cook.get(f"/orders/{shipped}").text
    assert "被召回" in cook.get(f"/orders/{shipped}?lang=zh").text
    for login in ("cook.wu", "chair.he"):
        assert world.logged_in(login).get(done.location).status_code == 404
    assert "改用其他批次" in clerk.get(f"/village/orders/{promised}/shipment?lang=zh").text
    assert "被召回" in world.app.test_client().get(f"/trace/{code}?lang=zh").text
    assert "被召回" in world.logged_in("store.wang").get(f"/orders/{shipped}/acceptance?lang=zh").text


def test_an_official_recalls_in_the_own_area_only(trade: Trade) -> None:
    lot = trade.lot(trade.product("芥菜"), 10)
    city = trade.world.logged_in("official.jin")
    page = city.get(f"/recalls?lot={code_of(lot)}").text
    token = page.split('name="csrf_token" value="', 1)[1].partition('"')[0]
    other = trade.world.logged_in("official.hua")
    assert code_of(lot) not in other.get(f"/recalls?lot={code_of(lot)}").text.replace(f'lot={code_of(lot)}', "")
    sent_token = other.get("/recalls").text.split('name="csrf_token" value="', 1)[1].partition('"')[0]
    assert other.post("/office/recalls", data={"csrf_token": sent_token, "code": code_of(lot), "reason": "?"}
                      ).status_code == 404
    assert city.post("/office/recalls", data={"csrf_token": token, "code": code_of(lot), "reason": "抽检不合格"}
                     ).status_code == 303
    assert counted(Recall) == 1
