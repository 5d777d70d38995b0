"""The audit against documents: trade leaves it clean, and whatever is tampered with afterwards is named."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from catalog.models import Lot, LotShare
from market import audit, clock, db, ledger_frame, sealing
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.income import checks, declarations, dues, presence
from orders.models import AcceptanceLine, AcceptancePart, Order, ReceiptShare
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, World


@pytest.fixture(autouse=True)
def documents_are_asked(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


@pytest.fixture
def trade(world: World) -> Trade:
    """A whole trade: delivered short, paid ahead and over, sent back, refunded, handed on, held and cleared."""
    trade = Trade(world)
    home, coop = world.villages["greens_home"], world.organisation_id(GREENS)
    trade.agree_collective(GREENS, home, 300)
    cabbage = trade.product("白菜", price_fen=233, certified=True)
    trade.lot(cabbage, 30, farm_gate_fen=121)
    trade.lot(cabbage, 30, farm_gate_fen=121, households=[None])
    order = trade.orders(trade.place({cabbage: 20_000}))[0]
    trade.pay(order.id, 5000)
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    trade.accept(order.id, [Taken(line.id, grams=19_337)])
    with db.transaction():
        returns.take_back(order.id, {line.id: 2_500}, "发黄", world.person("store.wang"), world.person("chair.shi"))
    trade.refund(order.id, 1077)
    trade.wage(GREENS, world.household_id("DEMO-XT-0003"), 8_000)
    for kind in ("farm_gate", "wage", "collective"):
        trade.pay_out(coop, home, kind, dues.unpaid_fen(coop, home, kind))
    sauce = trade.product("剁辣椒", price_fen=2500, unit="瓶", grams_per_unit=500, by_weight=False, minimum_milli=1000,
                          step_milli=1000)
    made = trade.processed(sauce, 5_000, {trade.lot(cabbage, 7): 7_000})
    second = trade.orders(trade.place({sauce: 4_000, cabbage: 1_000}))[0]
    trade.ship(second.id)
    trade.accept(second.id, [Taken(trade.lines(second.id)[0].id, milli=4_000),
                             Taken(trade.lines(second.id)[1].id, grams=1_000, price_fen=100, reason="叶黄")])
    held = db.session().query(AcceptancePart).filter_by(income_held=True).one()
    with db.transaction():
        declarations.clear(held.id, world.person("village.cao"))
    trade.place({cabbage: 1_500})
    trade.lot(trade.product("香柚", POMELO, price_fen=300), confirmed=False)
    assert made
    return trade


def found() -> list[str]:
    return [problem.message() for problem in audit.check(heads_file=ledger_frame.heads_file())]


@pytest.mark.parametrize("sealed", [False, True])
def test_trade_leaves_nothing_to_find(trade: Trade, sealed: bool) -> None:
    if sealed:
        sealing.seal_all()
    assert found() == []


def test_presence_names_the_goods_the_growers_and_who_was_paid_a_wage(trade: Trade, world: World) -> None:
    with db.snapshot():
        rows = list(db.session().execute(sealing.TRANSFERS.select()).mappings())
        things = {(kind, thing) for _number, kind, thing in presence.things_of(rows)}
    kinds = {kind: {thing for k, thing in things if k == kind} for kind, _thing in things}
    members = trade.members(GREENS, world.villages["greens_home"])
    assert kinds["household"] == {str(h) for h in (*members[:2], world.household_id("DEMO-XT-0003"))}
    assert len(kinds["order"]) == 2 and len(kinds["product"]) == 2
    assert kinds["supplier"] == {str(world.organisation_id(GREENS))}


def change(entity: Any, where: Any, **values: Any) -> int:
    """Change one document behind the product's back; returns its id."""
    table = db.table(entity)
    with db.transaction() as session:
        row = session.execute(table.select().where(where).order_by(table.c.id).limit(1)).one()
        session.execute(table.update().where(table.c.id == row.id).values(
            {name: getattr(row, name) + more for name, more in values.items()}))
    return int(row.id)


PART, LINE = db.table(AcceptancePart), db.table(AcceptanceLine)


@pytest.mark.parametrize(("entity", "where", "values", "words"), [
    (AcceptancePart, PART.c.grams > 0, {"grams": 1}, "grams is"),
    (AcceptancePart, PART.c.amount_fen > 0, {"amount_fen": -1}, "amount_fen is"),
    (AcceptancePart, PART.c.farm_gate_fen > 0, {"farm_gate_fen": 1}, "farm-gate income is"),
    (AcceptancePart, PART.c.received_fen > 0, {"received_fen": 1}, "received_fen is kept as"),
    (AcceptanceLine, LINE.c.amount_fen > 0, {"amount_fen": 1}, "price times quantity is"),
    (Order, db.table(Order).c.accepted_fen > 0, {"accepted_fen": 1}, "accepted_fen is kept as"),
    (Order, db.table(Order).c.placed_fen > 0, {"placed_fen": 1}, "placed_fen is kept as"),
    (ReceiptShare, db.table(ReceiptShare).c.amount_fen > 1, {"amount_fen": 1}, "amount_fen is"),
    (Lot, db.table(Lot).c.on_hand_milli > 0, {"on_hand_milli": 1}, "on_hand_milli is kept as"),
    (Lot, db.table(Lot).c.held_milli > 0, {"held_milli": -1}, "held_milli is kept as"),
    (LotShare, db.table(LotShare).c.accepted_grams > 0, {"accepted_grams": 1}, "accepted_grams is kept as"),
], ids=lambda value: value.__name__ if isinstance(value, type) else None)
def test_a_changed_document_is_named(trade: Trade, entity: Any, where: Any, values: dict[str, int], words: str) -> None:
    sealing.seal_all()
    change(entity, where, **values)
    assert any(words in problem for problem in found()), found()


def test_a_document_taken_away_leaves_a_transfer_nobody_stands_behind(trade: Trade) -> None:
    with db.transaction() as session:
        session.execute(text("DELETE FROM payout_share WHERE id = (SELECT min(id) FROM payout_share)"))
    problems = found()
    assert len(problems) == 2 and "Payout line" in problems[0]
    assert "no document stands behind it" in problems[1] and "paid_out" in problems[1]


def test_a_document_without_its_transfer_is_missing_it(trade: Trade, world: World) -> None:
    proof = trade.proof()
    trade.tie(GREENS, world.household_id("DEMO-XT-0001"), "land_rights")
    with db.transaction():
        row = declarations.declare(declarations.Declared(world.household_id("DEMO-XT-0001"), "land", "2026-10", 700,
                                                         proof), world.person("chair.shi"))
    assert found() == []
    with db.transaction() as session:
        session.execute(text("UPDATE income_declaration SET confirmed_at = declared_at, business_date = '2026-10-12' "
                             "WHERE id = :id"), {"id": row.id})
    assert found() == [f"Missing: attributed, declaration:{row.id}, 700 fen was not posted, or was removed."]
