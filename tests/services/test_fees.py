"""The platform's fee: none by default, dated rules, frozen on the order, a share of accepted less returned."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from market import audit, clock, db, ledger, ledger_frame, logins, money
from market.errors import InvalidInput, NotFound
from market.four_eyes import OwnCooperative
from market.ledger import LedgerTransfer
from market.parties import Membership, Organisation
from orders.aftersale import crediting
from orders.approving import parting
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.income import checks
from orders.models import FeeRule, Order
from orders.paying import fees
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, POMELO, SCHOOL, TODAY, World

TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def documents_are_asked(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS)
    with clock.at(NOON):
        yield


def rule(world: World, supplier: str | None, points: int, days: int = 1) -> None:
    """Tao sets a fee that begins so many days from now."""
    with db.transaction():
        fees.rule(world.organisation_id(supplier) if supplier else None, points, clock.days_after(clock.today(), days),
                  "市里定", world.person("system.tao"))


def tomorrow() -> object:
    return clock.at(NOON + timedelta(days=1))


def shipped(trade: Trade, milli: int = 10_000, price_fen: int = 233) -> Order:
    cabbage = trade.product("白菜", price_fen=price_fen, step_milli=1, minimum_milli=1)
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: milli}))[0]
    trade.ship(order.id)
    return order


def send_back(world: World, order: Order, milli: int) -> None:
    line = Trade(world).lines(order.id)[0].id
    with db.transaction():
        returns.take_back(order.id, {line: milli}, "发黄", world.person("store.wang"), world.person("chair.shi"))


def fee_posted() -> int:
    """What the platform has earned, in fen."""
    return -ledger.balance_fen("fees")


def found() -> list[str]:
    return [problem.message() for problem in audit.check(heads_file=ledger_frame.heads_file())]


def test_without_a_rule_there_is_no_fee(world: World, trade: Trade) -> None:
    order = shipped(trade)
    trade.accept(order.id)
    send_back(world, order, 1_000)
    assert db.session().get_one(Order, order.id).fee_points == 0
    assert db.session().scalar(select(func.count()).where(LedgerTransfer.event == "fee")) == 0


def test_the_own_rule_of_a_cooperative_holds_before_the_one_for_all(world: World) -> None:
    greens, pomelo = world.organisation_id(GREENS), world.organisation_id(POMELO)
    rule(world, None, 100)
    rule(world, GREENS, 250)
    rule(world, None, 300, days=5)
    assert fees.points_of([greens, pomelo], TODAY) == {greens: 0, pomelo: 0}
    assert fees.points_of([greens, pomelo], TOMORROW) == {greens: 250, pomelo: 100}
    assert fees.points_of([greens, pomelo], TODAY + timedelta(days=5)) == {greens: 250, pomelo: 300}
    rule(world, GREENS, 0, days=6)
    assert fees.points_of([greens], TODAY + timedelta(days=6)) == {greens: 0}
    assert [row.points for row in fees.rules()] == [0, 300, 250, 100]
    assert len(fees.holding(fees.rules(), TODAY + timedelta(days=6))) == 2


@pytest.mark.parametrize(("points", "day", "field"), [
    (100, TODAY, "valid_from"), (100, TODAY - timedelta(days=1), "valid_from"), (1001, TOMORROW, "percent"),
    (-1, TOMORROW, "percent")])
def test_a_rule_begins_tomorrow_at_the_earliest_and_is_at_most_ten_percent(
        world: World, points: int, day: object, field: str) -> None:
    with pytest.raises(InvalidInput) as refused, db.transaction():
        fees.rule(None, points, day, "市里定", world.person("system.tao"))  # type: ignore[arg-type]
    assert list(refused.value.fields) == [field]
    assert fees.rules() == []


def test_a_rule_is_for_a_cooperative_only_and_not_for_ones_own(world: World) -> None:
    with pytest.raises(NotFound), db.transaction():
        fees.rule(world.organisation_id(HOSPITAL), 100, TOMORROW, "市里定", world.person("system.tao"))
    tao = world.person("system.tao")
    with db.transaction() as session:
        session.add(Membership(user_id=tao.id, organisation_id=world.organisation_id(GREENS), role="manager"))
    tao = logins.visitor_of_login("system.tao", tao.organisation_id) or tao
    with pytest.raises(OwnCooperative), db.transaction():
        fees.rule(world.organisation_id(GREENS), 0, TOMORROW, "市里定", tao)
    assert fees.rules() == []


def test_the_fee_of_the_day_of_placing_holds_whatever_is_ruled_later(world: World, trade: Trade) -> None:
    before = shipped(trade)
    rule(world, None, 300)
    with tomorrow():  # type: ignore[attr-defined]
        after = shipped(trade)
        rule(world, None, 900)
        trade.accept(before.id)
        assert fee_posted() == 0
    with clock.at(NOON + timedelta(days=3)):
        trade.accept(after.id)
    assert db.session().get_one(Order, after.id, populate_existing=True).fee_points == 300
    assert fee_posted() == money.part_of(2330, 300) == 70
    assert ledger.balance_fen(f"supplier:{world.organisation_id(GREENS)}") == -(2330 + 2330 - 70)
    assert found() == []


def test_what_follows_of_an_order_keeps_its_fee(world: World, trade: Trade) -> None:
    rule(world, None, 300)
    with tomorrow():  # type: ignore[attr-defined]
        cabbage = trade.product("白菜", price_fen=200)
        trade.lot(cabbage, 100)
        order = trade.orders(trade.place({cabbage: 10_000}))[0]
        line = trade.lines(order.id)[0].id
        with db.transaction():
            follower = parting.part(order.id, {line: 4_000}, clock.days_after(clock.today(), 4),
                                    world.person("clerk.zhang"))
    assert db.session().scalar(select(Order.fee_points).where(Order.id == follower)) == 300


def test_freight_and_refused_goods_cost_no_fee(world: World, trade: Trade) -> None:
    rule(world, None, 1000)
    with tomorrow():  # type: ignore[attr-defined]
        order = shipped(trade)
        with db.transaction() as session:
            session.get_one(Order, order.id).freight_agreed_fen = 500
            session.get_one(Order, order.id).freight_fen = 500
        trade.accept(order.id)
        assert fee_posted() == 233
        refused = shipped(trade)
        trade.accept(refused.id, [Taken(trade.lines(refused.id)[0].id, grams=0, reason="烂")])
    assert fee_posted() == 233


def test_a_change_of_the_credited_unit_changes_no_fee(world: World, trade: Trade) -> None:
    rule(world, None, 500)
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id(HOSPITAL)).parent_id = world.organisation_id(SCHOOL)
    with tomorrow():  # type: ignore[attr-defined]
        order = shipped(trade)
        trade.accept(order.id)
        with db.transaction():
            change = crediting.ask(order.id, world.organisation_id(HOSPITAL), "医院订的", None,
                                   world.person("cook.chen"))
        with db.transaction():
            crediting.approve(change.id, world.person("admin.qian"))
        rows = db.session().execute(select(LedgerTransfer.unit_id, LedgerTransfer.amount_fen).where(
            LedgerTransfer.event == "fee")).all()
        assert found() == []
    assert [tuple(row) for row in rows] == [(None, 117)]


@pytest.mark.parametrize("deed", ["changed", "missing", "invented", "points"])
def test_the_audit_names_a_fee_that_is_changed_missing_or_invented(world: World, trade: Trade, deed: str) -> None:
    rule(world, None, 300)
    with tomorrow():  # type: ignore[attr-defined]
        order = shipped(trade)
        trade.accept(order.id)
        send_back(world, order, 5_000)
        assert found() == []
        assert fee_posted() == money.part_of(2330 - 1165, 300)
        with db.transaction() as session:
            if deed == "points":
                session.execute(text('UPDATE "order" SET fee_points = 200 WHERE id = :id'), {"id": order.id})
            elif deed == "invented":
                ledger.post([ledger.Transfer("fee", "fee:999", f"supplier:{order.supplier_id}", "fees", 1, TODAY)])
            else:
                if db.dialect() == "sqlite":
                    session.execute(text("DROP TRIGGER IF EXISTS " + _trigger(deed)))
                else:
                    session.execute(text("ALTER TABLE ledger_transfer DISABLE TRIGGER ALL"))
                session.execute(text({
                    "changed": "UPDATE ledger_transfer SET amount_fen = amount_fen + 1 WHERE source LIKE 'fee:return%'",
                    "missing": "DELETE FROM ledger_transfer WHERE source LIKE 'fee:return%'"}[deed]))
        problems = found()
    named = {"changed": "fee:return", "missing": "fee:return", "invented": "fee:999", "points": "fee"}[deed]
    assert any(named in problem for problem in problems), problems


def _trigger(deed: str) -> str:
    """The trigger that keeps rows of the ledger from being changed or removed."""
    kind = "UPDATE" if deed == "changed" else "DELETE"
    names = db.session().execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
                                      " AND tbl_name = 'ledger_transfer'")).all()
    return next(name for name, sql in names if f"BEFORE {kind}" in sql.upper())


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=st.integers(1, 1000), price=st.integers(1, 9_999), grams=st.integers(1, 10_000),
       backs=st.lists(st.integers(1, 4_000), max_size=4))
def test_the_fee_is_always_the_share_of_what_is_left(world: World, trade: Trade, points: int, price: int, grams: int,
                                                     backs: list[int]) -> None:
    with db.transaction() as session:
        session.execute(db.table(FeeRule).delete())
    before = fee_posted()
    rule(world, GREENS, points)
    with tomorrow():  # type: ignore[attr-defined]
        order = shipped(trade, price_fen=price)
        trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=grams)])
        left = grams
        for back in backs:
            row = db.session().get_one(Order, order.id, populate_existing=True)
            assert fee_posted() - before == money.part_of(row.accepted_fen - row.returned_fen, points)
            if back <= left:
                send_back(world, order, back)
                left -= back
    row = db.session().get_one(Order, order.id, populate_existing=True)
    assert fee_posted() - before == fees.fee_fen(row) == money.part_of(row.accepted_fen - row.returned_fen, points)
    assert found() == []
