"""The audit of money: pages, claims, rows of the bank and refunds leave it clean; whatever is changed behind them is
named.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from market import clock, db, ledger
from orders.delivering import returns
from orders.income import checks, posting, presence
from orders.models import (
    BankRow,
    BankStatement,
    CardPayment,
    ClaimPart,
    Order,
    PaymentClaim,
    ReceiptShare,
    Refund,
    RefundLine,
    RefundShare,
)
from orders.paying import card_refunds, cards, claims, refunds
from tests import bank_tables
from tests.bank_tables import line
from tests.services.test_banking import take
from tests.services.test_cards import begun
from tests.services.test_checks import found
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, World


@pytest.fixture(autouse=True)
def documents_are_asked(app: Flask, stand_in: StandIn) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


@pytest.fixture
def trade(app: Flask, world: World, stand_in: StandIn) -> Trade:
    """Three orders: one paid by card, sent back in part and refunded by line; one paid in part by bank, as the bank's
    statement shows; one claimed and over paid, with a row that nobody knows.
    """
    trade, gateway = Trade(world), app.extensions["sijin_gateway"]
    stand_in.account(GREENS)
    cabbage = trade.product("白菜", price_fen=233)
    trade.lot(cabbage, 60)
    first, second, third = (trade.orders(trade.place({cabbage: milli}))[0].id for milli in (10_000, 5_000, 2_000))
    page = begun(first, world.person("cashier.sun"), gateway)
    stand_in.pay(page.session_url)
    cards.book(page.id, gateway)
    for order_id in (first, second):
        trade.ship(order_id)
        trade.accept(order_id)
    line_id = trade.lines(first)[0].id
    with db.transaction():
        returns.take_back(first, {line_id: 1_500}, "发黄", world.person("store.wang"), world.person("chair.shi"))
    with db.transaction():
        refund = refunds.ask_by_lines(first, {line_id: 1_500}, "退货", world.person("clerk.zhang"), page.id).id
    with db.transaction():
        card_refunds.send(refund, world.person("chair.shi"))
    card_refunds.carry_on(refund, gateway)
    number = db.session().get_one(Order, second).number
    take(world, bank_tables.csv_of(line("10.00", number), line("6.66", "伙食费", payer="县国库")), "clerk.zhang")
    with db.transaction():
        claims.confirm(db.session().scalars(select(PaymentClaim.id)).one(), world.person("chair.shi"))
    trade.pay(third, 700, confirmed=False)
    return trade


def changed(entity: Any, where: Any, **values: Any) -> None:
    """Change one document behind the product's back; a callable makes the new value of the old."""
    table = db.table(entity)
    with db.transaction() as session:
        row = session.execute(table.select().where(where).order_by(table.c.id).limit(1)).one()
        session.execute(table.update().where(table.c.id == row.id).values(
            {name: value(getattr(row, name)) if callable(value) else value for name, value in values.items()}))


def gone(entity: Any, where: Any) -> None:
    table = db.table(entity)
    with db.transaction() as session:
        first = session.execute(select(table.c.id).where(where).order_by(table.c.id).limit(1)).scalar_one()
        session.execute(delete(table).where(table.c.id == first))


def test_payments_of_every_kind_leave_nothing_to_find(trade: Trade) -> None:
    assert found() == []
    assert [row.state for row in db.session().scalars(select(Refund))] == ["done"]


def more(value: int) -> int:
    return value + 1


PAYMENT, SHARE, PART, CLAIM, ROW, UPLOAD, REFUND, BACK, LINE, ORDER = (db.table(entity).c for entity in (
    CardPayment, ReceiptShare, ClaimPart, PaymentClaim, BankRow, BankStatement, Refund, RefundShare, RefundLine, Order))


@pytest.mark.parametrize(("entity", "where", "values", "words"), [
    (CardPayment, PAYMENT.state == "paid", {"amount_fen": more}, "2331 fen; 2330 fen came in"),
    (CardPayment, PAYMENT.state == "paid", {"state": "expired", "business_date": None}, "is expired over 2330 fen"),
    (ReceiptShare, SHARE.card_payment_id.is_not(None), {"amount_fen": more}, "2331 fen came in"),
    (ReceiptShare, SHARE.card_payment_id.is_not(None), {"card_payment_id": None}, "without a claim or a card payment"),
    (ClaimPart, PART.id > 0, {"amount_fen": more}, "amount_fen is kept as 1000, its parts add up to 1001"),
    (PaymentClaim, CLAIM.state == "claimed", {"amount_fen": more}, "amount_fen is kept as 701"),
    (PaymentClaim, CLAIM.state == "claimed", {"state": "received"}, "is received over 700 fen; 0 fen came in"),
    (PaymentClaim, CLAIM.state == "claimed", {"state": "withdrawn"}, "is kept as claimed; by its sums it is unpaid"),
    (PaymentClaim, CLAIM.state == "received", {"state": "refused"}, "is refused over 1000 fen"),
    (BankRow, ROW.state == "part", {"state": "unknown"}, "of a bank statement is unknown"),
    (BankRow, ROW.state == "part", {"amount_fen": more}, "is part over 1001 fen"),
    (BankRow, ROW.state == "part", {"claim_id": None}, "no row of a statement belongs to it"),
    (BankRow, ROW.state == "unknown", {"state": "matched"}, "is matched over 666 fen; its claim —"),
    (BankStatement, UPLOAD.id > 0, {"new_rows": more}, "says that it brought 3 rows; 2 are there"),
    (Refund, REFUND.state == "done", {"amount_fen": more}, "its lines add up to"),
    (Refund, REFUND.state == "done", {"state": "sending", "business_date": None}, "is sending; 350 fen went back"),
    (RefundShare, BACK.id > 0, {"amount_fen": more}, "its parts add up to 351"),
    (RefundLine, LINE.id > 0, {"amount_fen": more}, "its lines add up to 351"),
    (Order, ORDER.payment == "claimed", {"payment": "paid"}, "is kept as paid; by its sums it is claimed"),
    (Order, ORDER.received_fen > 0, {"received_fen": more}, "received_fen is kept as"),
    (Order, ORDER.refunded_fen > 0, {"refunded_fen": more}, "refunded_fen is kept as"),
])
def test_a_changed_payment_is_named(trade: Trade, entity: Any, where: Any, values: dict[str, Any], words: str) -> None:
    changed(entity, where, **values)
    assert any(words in problem for problem in found()), found()


@pytest.mark.parametrize(("entity", "where", "words"), [
    (ReceiptShare, SHARE.card_payment_id.is_not(None), "0 fen came in"),
    (ReceiptShare, SHARE.claim_part_id.is_not(None), "is received over 1000 fen; 0 fen came in"),
    (RefundShare, BACK.id > 0, "its parts add up to 0"),
    (BankRow, ROW.state == "unknown", "says that it brought 2 rows; 1 are there"),
    (RefundLine, LINE.id > 0, None),
])
def test_a_payment_taken_away_is_missed(trade: Trade, entity: Any, where: Any, words: str | None) -> None:
    gone(entity, where)
    assert words is None or any(words in problem for problem in found()), found()


def test_an_invented_refund_is_named(trade: Trade, world: World) -> None:
    row = db.session().execute(select(db.table(Refund))).one()
    with db.transaction() as session:
        session.add(Refund(**{**row._mapping, "id": None, "number": "R261012-INVENTD", "provider_id": None}))
    assert {"went back" in one or "refunded_fen" in one or "add up to" in one for one in found()} == {True}


def test_invented_money_that_is_posted_and_summed_is_named_all_the_same(trade: Trade) -> None:
    """Everything that keeps a sum of it is changed as well; only nobody has paid it."""
    with db.transaction() as session:
        order = session.scalars(select(Order).where(Order.payment == "claimed")).one()
        ids = db.insert_returning_ids(ReceiptShare, [{
            "order_id": order.id, "claim_part_id": None, "card_payment_id": None, "acceptance_part_id": None,
            "amount_fen": 466, "business_date": clock.today()}])
        order.received_fen += 466
        order.payment = "paid"
        ledger.post(posting.received(posting.facts_of(order, None), ids[0], 466, clock.today()))
        number = order.number
    assert found() == [f"Order {number}: 466 fen came in without a claim or a card payment."]


def test_a_claim_for_somebody_elses_order_is_named(trade: Trade, world: World) -> None:
    pomelo = trade.product("香柚", POMELO)
    trade.lot(pomelo)
    theirs = trade.orders(trade.place({pomelo: 1_000}))[0].id
    changed(ClaimPart, PART.amount_fen == 700, order_id=theirs)
    assert any("pays for order" in problem for problem in found()), found()


def test_days_of_claims_lie_behind_the_clock(trade: Trade) -> None:
    with clock.at(NOON + timedelta(days=40)):
        assert found() == []
