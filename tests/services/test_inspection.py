"""The inspection book: written with every acceptance, never changed, deleted after its day only, no sale."""

from datetime import date

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from market import audit, clock, db, figures, sealing
from market.errors import InvalidInput, SecondPersonNeeded
from market.journal import JournalEntry
from market.ledger import LedgerTransfer
from market.parties import Organisation
from orders.buying import lists as orders_lists
from orders.delivering import acceptance
from orders.delivering.acceptance import Documents, NotTwoReceivers, Taken
from orders.inspection import recording
from orders.inspection.models import InspectionRecord
from orders.inspection.recording import Bought
from orders.models import Acceptance, AcceptanceLine, Order
from orders.overdue import counts
from tests.trade import TOMORROW, Trade
from tests.world import NOON, SCHOOL, TODAY, World, keep_paper


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def book() -> list[InspectionRecord]:
    return list(db.session().scalars(select(InspectionRecord).order_by(InspectionRecord.id)))


def elsewhere(**changes: object) -> Bought:
    said = {"bought_on": TODAY, "product_name": "酱油", "unit": "瓶", "quantity_milli": 12_000,
            "supplier_name": "永州演示调料店", "best_before": date(2027, 3, 31)}
    return Bought(**said | changes)  # type: ignore[arg-type]


def pair(world: World) -> tuple:
    return world.person("store.wang"), world.person("aunt.zhao")


# ---- written with the acceptance ------------------------------------------------------------------------------------


def test_a_row_for_each_lot_with_what_the_law_asks_for(world, trade):
    cabbage = trade.product("白菜")
    first, second = trade.lot(cabbage, 6), trade.lot(cabbage, 20)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    with db.transaction():
        keep_paper(order.supplier_id, "quarantine", lot_id=first)
    line = trade.lines(order.id)[0]
    trade.ship(order.id, {line.id: [(first, 6_000), (second, 4_000)]})
    trade.accept(order.id, [Taken(line.id, grams=9_000, reason="wilted")])
    rows = book()
    assert [(row.quantity_milli, row.rejected_milli, row.result) for row in rows] == [
        (6_000, 0, "short"), (3_000, 1_000, "short")]
    row = rows[0]
    assert (row.product_name, row.unit, row.reason, row.source) == ("白菜", "公斤", "wilted", "here")
    assert (row.first_name, row.second_name) == ("王保管", "赵阿姨")
    assert row.supplier_name == "新田县演示蔬菜合作社"
    assert "新田县" in row.supplier_address
    assert row.certificates == "DEMO-001"
    assert (row.bought_on, row.made_on, row.best_before) == (TODAY, TODAY, date(2026, 11, 21))
    assert (row.keep_until, row.keep_rule) == (date(2027, 5, 21), "shelf_life")


def test_a_shortage_is_not_a_refusal_and_what_never_came_is_not_inspected(world, trade):
    cabbage, leek = trade.product("白菜"), trade.product("韭菜")
    trade.lot(cabbage, 50)
    trade.lot(leek, 50)
    order = trade.orders(trade.place({cabbage: 10_000, leek: 5_000}))[0]
    cabbages, leeks = trade.lines(order.id)
    lot = db.session().scalar(text("SELECT min(id) FROM lot"))
    trade.ship(order.id, {cabbages.id: [(lot, 10_000)]})
    trade.accept(order.id, [Taken(cabbages.id, grams=9_500), Taken(leeks.id, grams=0, reason="not_sent")])
    assert [(row.product_name, row.quantity_milli, row.rejected_milli) for row in book()] == [("白菜", 9_500, 0)]


def test_refused_goods_stand_in_the_book_with_their_reason_and_temperature(world, trade):
    box = trade.product("豆腐", unit="盒", grams_per_unit=400, by_weight=False, minimum_milli=1_000, step_milli=1_000)
    trade.lot(box, 40)
    order = trade.orders(trade.place({box: 20_000}))[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    with db.transaction():
        acceptance.accept(order.id, [Taken(line.id, milli=0, reason="too_warm", temperature_tenths=155)], pair(world),
                          documents=Documents(False, "缺检疫证"))
    row = book()[0]
    assert (row.result, row.quantity_milli, row.rejected_milli) == ("rejected", 0, 20_000)
    assert (row.reason, row.temperature_tenths, row.spec) == ("too_warm", 155, "盒（0.4 公斤）")
    said = db.session().scalars(select(Acceptance)).one()
    assert (said.documents_seen, said.documents_note) == (False, "缺检疫证")


def test_a_refused_acceptance_leaves_no_row(world, trade):
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 50)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    with pytest.raises(NotTwoReceivers):
        trade.accept(order.id, receivers=("store.wang", "cook.chen"))
    assert book() == []


def test_the_ledger_s_check_stays_green(world, trade):
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 50)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    proof = trade.proof()
    with db.transaction():
        recording.add(elsewhere(), proof, pair(world))
    sealing.seal()
    assert audit.check() == []


# ---- elsewhere ------------------------------------------------------------------------------------------------------


def test_goods_bought_elsewhere_are_in_the_book_and_in_no_figure(world, trade):
    proof = trade.proof()
    before = sums(world)
    with db.transaction():
        recording.add(elsewhere(), proof, pair(world))
    row = book()[0]
    assert (row.source, row.acceptance_line_id, row.supplier_id) == ("elsewhere", None, None)
    assert (row.keep_until, row.keep_rule) == (date(2027, 9, 30), "shelf_life")
    assert sums(world) == before


def sums(world: World) -> tuple:
    counts = orders_lists.tab_counts([world.organisation_id(SCHOOL)])
    rows = db.session().scalar(select(func.count()).select_from(LedgerTransfer))
    with db.snapshot():
        return counts, rows, figures.total_of(figures.village_figures("2026-10", "2026-10"))


@pytest.mark.parametrize(("changes", "field"), [
    ({"bought_on": TOMORROW}, "bought_on"), ({"quantity_milli": 0}, "quantity_milli"),
    ({"rejected_milli": 1_000}, "reason"), ({"made_on": date(2027, 4, 1)}, "best_before")])
def test_what_cannot_be_is_said_at_its_field(world, trade, changes, field):
    proof = trade.proof()
    with pytest.raises(InvalidInput) as refusal, db.transaction():
        recording.add(elsewhere(**changes), proof, pair(world))
    assert field in refusal.value.fields
    assert book() == []


def test_one_person_alone_writes_nothing(world, trade):
    proof, keeper = trade.proof(), world.person("store.wang")
    for second in (keeper, world.person("store.zheng")):
        with pytest.raises(SecondPersonNeeded), db.transaction():
            recording.add(elsewhere(), proof, (keeper, second))
    assert book() == []


# ---- never changed, deleted after its day only ----------------------------------------------------------------------


def refused(statement: str) -> None:
    with pytest.raises(DBAPIError, match="only grows"), db.transaction() as session:
        session.execute(text(statement))


@pytest.fixture
def rows(world: World, trade: Trade) -> World:
    """One row that has to stay for years, and one whose days are over."""
    proof = trade.proof()
    with db.transaction():
        recording.add(elsewhere(bought_on=clock.today().replace(year=2026), best_before=date(2098, 1, 1)), proof,
                      pair(world))
        recording.add(elsewhere(bought_on=date(2020, 1, 31), best_before=None), proof, pair(world))
    return world


def test_the_database_refuses_changes_and_early_deletion(rows):
    for column, value in {"quantity_milli": "1", "keep_until": "'2020-01-01'", "supplier_name": "'x'",
                          "result": "'rejected'", "first_inspector": "second_inspector"}.items():
        refused(f"UPDATE inspection_record SET {column} = {value}")
    refused("DELETE FROM inspection_record")
    refused("DELETE FROM inspection_record WHERE keep_until > '2090-01-01'")
    if db.dialect() == "postgresql":
        refused("TRUNCATE inspection_record")
    else:
        refused("INSERT OR REPLACE INTO inspection_record SELECT * FROM inspection_record WHERE keep_until > '2090'")
    assert len(book()) == 2


def test_the_manager_deletes_what_is_over_and_the_journal_says_so(rows):
    world = rows
    with db.transaction():
        assert recording.purge(world.person("cook.wu")) == 0  # another unit's
        assert recording.purge(world.person("admin.qian")) == 1
    assert [row.keep_until.year for row in book()] == [2098]
    entry = db.session().scalars(select(JournalEntry).where(JournalEntry.action == "inspection.purged")).one()
    assert (entry.actor_name, entry.details) == ("钱主任", {"rows": 1, "kept_until": "2022-01-31"})


# ---- nothing accepts by itself --------------------------------------------------------------------------------------


def waits(by):
    """Orders delivered and not accepted, and those of them past their day."""
    found = counts.of_trade(by)
    return found.delivered, found.not_accepted


def test_an_order_that_lies_for_a_year_is_still_not_accepted(app, world, trade):
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 50)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    assert waits(world.person("store.wang")) == (0, 0)
    with clock.at(NOON.replace(day=13)):
        assert waits(world.person("store.wang")) == (1, 0)
    with clock.at(NOON.replace(day=21)):
        assert waits(world.person("store.wang")) == (1, 1)
        assert waits(world.person("clerk.zhang")) == (1, 1)
        assert waits(world.person("clerk.lv")) == (0, 0)
    with clock.at(NOON.replace(year=2027)):
        for job in app.extensions["sijin_jobs"]:
            job.work()
        db.session().rollback()
        assert db.session().get_one(Order, order.id, populate_existing=True).state == "shipped"
        assert db.session().scalar(select(func.count()).select_from(AcceptanceLine)) == 0


def test_fresh_goods_are_late_the_day_after(world, trade):
    lettuce = trade.product("生菜", supply="daily", daily_milli=100_000)
    order = trade.orders(trade.place({lettuce: 5_000}))[0]
    lot = trade.lot(lettuce, 10)
    trade.ship(order.id, {trade.lines(order.id)[0].id: [(lot, 5_000)]})
    with clock.at(NOON.replace(day=13)):
        assert waits(world.person("cook.chen")) == (1, 0)
    with clock.at(NOON.replace(day=14)):
        assert waits(world.person("cook.chen")) == (1, 1)


def test_in_a_reduced_scheme_the_book_names_the_requester(world, trade):
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == world.organisation_id(SCHOOL))
                        .values(receiving_scheme="reduced"))
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 50)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id, receivers=("store.wang", "cook.chen"))
    assert book()[0].second_name == "陈师傅"
