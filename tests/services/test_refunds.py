"""Money back: whole, in part, by line and quantity; asked by one, confirmed by another; never above what came in."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from catalog import stock
from catalog.models import Lot, StockMove
from catalog.tracing import recall
from market import audit, clock, db, ledger, logins
from market.errors import Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.four_eyes import ManagerNeeded
from orders.approving import amending
from orders.buying import approval
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.models import GoodsReturn, MoneyTask, Order, Refund, RefundLine
from orders.paying import refund_sums, refunds
from tests.trade import Trade
from tests.world import GREENS, NOON, TODAY

LINES = 3


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def state(order_id: int) -> Order:
    return db.session().get_one(Order, order_id, populate_existing=True)


def refund_rows() -> list[Refund]:
    return list(db.session().scalars(select(Refund).order_by(Refund.id).execution_options(populate_existing=True)))


def delivered(trade: Trade) -> int:
    order = trade.cabbage().id
    trade.ship(order)
    trade.accept(order)
    return order


def ask(trade: Trade, order_id: int, fen: int, by: str = "clerk.zhang", **more: Any) -> int:
    with db.transaction():
        return refunds.ask(order_id, fen, "多付", trade.world.person(by), **more).id


def confirm(trade: Trade, refund_id: int, by: str = "chair.shi") -> None:
    with db.transaction():
        refunds.confirm(refund_id, TODAY, trade.world.person(by))


def everything_agrees() -> None:
    """What documents should have posted is posted, and their figures add up."""
    assert audit.check() == []


def test_what_was_paid_too_much_goes_back_whole(trade: Trade) -> None:
    order = delivered(trade)
    trade.pay(order, 2_350)
    assert state(order).payment == "over"
    assert refunds.owed_fen(state(order)) == 350
    asked = ask(trade, order, 350)
    assert refunds.owed_fen(state(order)) == 0, "it is on its way"
    assert state(order).refunded_fen == 0, "nothing has moved yet"
    confirm(trade, asked)
    assert (state(order).payment, state(order).refunded_fen) == ("paid", 350)
    assert ledger.balance_fen(f"unit:{state(order).unit_id}") == 0
    everything_agrees()


def test_never_more_than_was_paid_too_much(trade: Trade) -> None:
    order = delivered(trade)
    trade.pay(order, 2_350)
    ask(trade, order, 300)
    with pytest.raises(refunds.NotOwed) as refusal:
        ask(trade, order, 51)
    assert refusal.value.details == {"most": "0.50"}
    with pytest.raises(InvalidInput):
        ask(trade, order, 0)
    assert [row.amount_fen for row in refund_rows()] == [300]


def test_a_second_person_confirms_and_one_of_the_two_is_a_manager(trade: Trade) -> None:
    order = delivered(trade)
    trade.pay(order, 2_350)
    asked = ask(trade, order, 100)
    with pytest.raises(SecondPersonNeeded):
        confirm(trade, asked, "clerk.zhang")
    books = logins.visitor_of_login("books.dong", trade.world.organisation_id(GREENS))  # an agency's, no manager
    assert books is not None
    with pytest.raises(ManagerNeeded), db.transaction():
        refunds.confirm(asked, TODAY, books)
    with pytest.raises(NotFound):
        confirm(trade, asked, "chair.he")
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("asked", 0)
    confirm(trade, asked, "chair.shi")
    by_the_chair = ask(trade, order, 50, "chair.shi")
    confirm(trade, by_the_chair, "clerk.zhang")
    assert state(order).refunded_fen == 150
    with pytest.raises(Conflict):
        confirm(trade, by_the_chair, "clerk.zhang")
    everything_agrees()


def test_a_transfer_of_tomorrow_changes_nothing(trade: Trade) -> None:
    order = delivered(trade)
    trade.pay(order, 2_350)
    asked = ask(trade, order, 350)
    with pytest.raises(InvalidInput), db.transaction():
        refunds.confirm(asked, clock.days_after(TODAY, 1), trade.world.person("chair.shi"))
    assert (refund_rows()[0].state, state(order).refunded_fen) == ("asked", 0)


def test_what_is_not_given_is_owed_again(trade: Trade) -> None:
    order = delivered(trade)
    trade.pay(order, 2_350)
    asked = ask(trade, order, 350)
    with db.transaction():
        refunds.refuse(asked, "已抵下月货款", trade.world.person("chair.shi"))
    assert (refund_rows()[0].state, refund_rows()[0].answer) == ("refused", "已抵下月货款")
    assert refunds.owed_fen(state(order)) == 350
    with pytest.raises(Conflict):
        confirm(trade, asked)
    everything_agrees()


def test_an_order_paid_ahead_and_cancelled_is_owed_back(trade: Trade) -> None:
    order = trade.cabbage().id
    trade.pay(order, 2_000)
    assert refunds.owed_fen(state(order)) == 0
    with db.transaction():
        approval.cancel(order, "停餐", trade.world.person("cook.chen"))
    assert (state(order).payment, refunds.owed_fen(state(order))) == ("over", 2_000)
    with db.transaction():
        asked = refunds.ask_whole(order, "停餐", trade.world.person("clerk.zhang"))
    confirm(trade, asked[0].id)
    assert (state(order).payment, state(order).refunded_fen) == ("paid", 2_000)
    everything_agrees()


def test_what_an_order_costs_less_before_it_is_sent_is_owed_back(trade: Trade) -> None:
    order = trade.cabbage().id
    trade.pay(order, 2_000)
    line = trade.lines(order)[0].id
    with db.transaction():
        amending.amend(order, {line: 8_000}, [], "少两人", trade.world.person("cook.chen"))
    assert (state(order).state, state(order).payment, refunds.owed_fen(state(order))) == ("placed", "over", 400)
    confirm(trade, ask(trade, order, 400))
    trade.ship(order)
    trade.accept(order)
    assert (state(order).payment, state(order).refunded_fen) == ("paid", 400)
    everything_agrees()


def three_lines(trade: Trade) -> tuple[int, list[int]]:
    """Three goods at ¥3.33, 1.005 kg of each taken: ¥3.35 a line, ¥10.05 together, paid."""
    goods = [trade.product(name, price_fen=333, minimum_milli=5, step_milli=5) for name in ("白菜", "萝卜", "芹菜")]
    for one in goods:
        trade.lot(one, 100)
    order = trade.orders(trade.place(dict.fromkeys(goods, 1_005)))[0].id
    trade.ship(order)
    trade.accept(order)
    trade.pay(order, 1_005)
    assert state(order).payment == "paid"
    return order, [line.id for line in trade.lines(order)]


def send_back(trade: Trade, order: int, back: dict[int, int]) -> int:
    with db.transaction():
        return returns.take_back(order, back, "quality", trade.world.person("cook.chen"),
                                 trade.world.person("chair.shi")).id


def test_by_line_and_quantity_the_last_part_takes_the_last_fen(trade: Trade) -> None:
    order, lines = three_lines(trade)
    clerk = trade.world.person("clerk.zhang")
    send_back(trade, order, dict.fromkeys(lines, 1_005))
    for wanted in ({lines[0]: 500}, {lines[0]: 505, lines[1]: 335}, {lines[1]: 670, lines[2]: 1_005}):
        with db.transaction():
            asked = refunds.ask_by_lines(order, wanted, "退货", clerk).id
        confirm(trade, asked)
    assert [row.amount_fen for row in refund_rows()] == [167, 168 + 112, 223 + 335]
    assert sum(row.amount_fen for row in refund_rows()) == 1_005
    by_line = db.session().execute(select(RefundLine.order_line_id, func.sum(RefundLine.amount_fen))
                                   .group_by(RefundLine.order_line_id).order_by(RefundLine.order_line_id)).all()
    assert [tuple(row) for row in by_line] == [(line, 335) for line in lines]
    assert (state(order).payment, refund_sums.lines(state(order))) == ("paid", [])
    everything_agrees()


def test_a_line_gives_no_more_than_went_back_of_it(trade: Trade) -> None:
    order, lines = three_lines(trade)
    clerk = trade.world.person("clerk.zhang")
    send_back(trade, order, {lines[0]: 500})
    with pytest.raises(InvalidInput) as refusal, db.transaction():
        refunds.ask_by_lines(order, {lines[0]: 505}, "退货", clerk)
    assert set(refusal.value.fields) == {f"line-{lines[0]}"}
    with pytest.raises(NotFound), db.transaction():
        refunds.ask_by_lines(order, {lines[1]: 5}, "退货", clerk)
    with pytest.raises(InvalidInput), db.transaction():
        refunds.ask_by_lines(order, {}, "退货", clerk)
    assert refund_rows() == []
    assert db.session().scalars(select(RefundLine.id)).all() == []


def test_lines_of_a_cancelled_order_go_back_up_to_what_was_paid(trade: Trade) -> None:
    order = trade.cabbage().id
    trade.pay(order, 500)
    line = trade.lines(order)[0].id
    with db.transaction():
        approval.cancel(order, "停餐", trade.world.person("cook.chen"))
    with pytest.raises(refunds.NotOwed), db.transaction():
        refunds.ask_by_lines(order, {line: 10_000}, "停餐", trade.world.person("clerk.zhang"))
    with db.transaction():
        asked = refunds.ask_by_lines(order, {line: 2_500}, "停餐", trade.world.person("clerk.zhang")).id
    confirm(trade, asked)
    assert state(order).refunded_fen == 500
    everything_agrees()


def test_a_transfer_that_was_made_is_booked_though_the_order_has_come_to_cost_more(trade: Trade) -> None:
    """The money has left the account: the books say so, and the unit owes it."""
    order = trade.cabbage().id
    trade.pay(order, 2_000)
    line = trade.lines(order)[0].id
    with db.transaction():
        amending.amend(order, {line: 9_000}, [], "少一人", trade.world.person("cook.chen"))
    asked = ask(trade, order, 200)
    trade.ship(order)
    trade.accept(order, [Taken(line, grams=9_400)])
    assert state(order).accepted_fen == 1_880
    confirm(trade, asked)
    assert (state(order).payment, state(order).received_fen - state(order).refunded_fen) == ("part", 1_800)
    trade.pay(order, 80)
    assert state(order).payment == "paid"
    assert ledger.balance_fen(f"unit:{state(order).unit_id}") == 0
    everything_agrees()
    assert db.session().scalars(select(MoneyTask.id)).all() == []


# ---- with or without restock ----------------------------------------------------------------------------------------


def test_sound_goods_go_back_into_their_lots_and_are_sold_again(trade: Trade) -> None:
    cabbage = trade.product("白菜", price_fen=200)
    first, second = trade.lot(cabbage, 6), trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0].id
    trade.ship(order)
    trade.accept(order)
    assert [trade.stock_of(lot) for lot in (first, second)] == [(0, 0), (96_000, 0)]
    line = trade.lines(order)[0].id
    with db.transaction():
        returns.take_back(order, {line: 5_000}, "quality", trade.world.person("cook.chen"),
                          trade.world.person("chair.shi"), restock=True)
    assert [trade.stock_of(lot) for lot in (first, second)] == [(3_000, 0), (98_000, 0)]
    moved = db.session().execute(select(StockMove.lot_id, StockMove.on_hand_change_milli, StockMove.line_id)
                                 .where(StockMove.kind == "returned").order_by(StockMove.id)).all()
    assert [tuple(row) for row in moved] == [(first, 3_000, line), (second, 2_000, line)]
    again = trade.orders(trade.place({cabbage: 101_000}))[0].id
    trade.ship(again)
    trade.accept(again)
    everything_agrees()


def test_goods_that_are_gone_stay_gone(trade: Trade) -> None:
    order = delivered(trade)
    lot = db.session().scalars(select(Lot.id)).one()
    send_back(trade, order, {trade.lines(order)[0].id: 5_000})
    assert trade.stock_of(lot) == (90_000, 0)
    assert db.session().scalars(select(GoodsReturn.restocked)).all() == [False]
    everything_agrees()


def test_goods_whose_households_were_paid_are_not_sold_again(trade: Trade) -> None:
    """They keep what they were paid; sold again, the same cabbage would earn for them a second time."""
    order = delivered(trade)
    lot = db.session().scalars(select(Lot.id)).one()
    line, supplier = trade.lines(order)[0].id, state(order).supplier_id
    trade.pay_out(supplier, trade.world.villages["greens_home"], "farm_gate", 1_200)
    with pytest.raises(returns.PaidOut), db.transaction():
        returns.take_back(order, {line: 5_000}, "quality", trade.world.person("cook.chen"),
                          trade.world.person("chair.shi"), restock=True)
    assert (trade.stock_of(lot), state(order).returned_fen) == ((90_000, 0), 0)
    assert db.session().scalars(select(GoodsReturn.id)).all() == []


def test_goods_of_a_recalled_lot_come_back_but_not_into_stock(trade: Trade) -> None:
    order = delivered(trade)
    lot = db.session().scalars(select(Lot)).one()
    line = trade.lines(order)[0].id
    cook, chair = trade.world.person("cook.chen"), trade.world.person("chair.shi")
    with db.transaction():
        recall.recall(lot.code, "农残超标", chair)
    with pytest.raises(stock.NotSellable), db.transaction():
        returns.take_back(order, {line: 5_000}, "quality", cook, chair, restock=True)
    assert (trade.stock_of(lot.id), state(order).returned_fen) == ((90_000, 0), 0)
    send_back(trade, order, {line: 5_000})
    assert state(order).returned_fen == 1_000
    everything_agrees()
