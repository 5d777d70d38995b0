"""What a bank's row pays for: several orders at once, statements, twice paid, closed, claimed before."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from market import clock, db
from market.errors import Conflict, InvalidInput, NotFound
from market.journal import JournalEntry
from market.outbox import OutboxMessage
from orders.banking import columns, deciding, news, suggesting, table, taking
from orders.buying import approval
from orders.buying.lists import open_fen
from orders.models import BankRow, BankStatement, ClaimPart, Order, PaymentClaim, ReceiptShare
from orders.papers import statements
from orders.paying import claims
from tests import bank_tables
from tests.bank_tables import HEADINGS, line
from tests.counting import count_statements
from tests.trade import Trade
from tests.world import NOON, SCHOOL, TODAY, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def bring(world: World) -> Callable[..., list[BankRow]]:
    """The manager's clerk at the bank: the lines of a statement come in; their rows in the order of the lines."""
    def bring(*lines: Sequence[str], by: str = "chair.shi") -> list[BankRow]:
        return rows_of(take(world, bank_tables.csv_of(*lines), by))

    return bring


def take(world: World, content: bytes, by: str = "chair.shi") -> int:
    visitor = world.person(by)
    opened = table.open_table(content)
    chosen = columns.guess(opened.headings)
    read = table.read(opened, chosen)
    with db.transaction():
        mapping = taking.remember(opened.signature, chosen, "演示农商行", visitor)
        file_id = taking.keep(content, "流水.csv", visitor, world.app.extensions["sijin"].files_dir)
        return taking.take(file_id, read, mapping, visitor)


def rows_of(statement_id: int) -> list[BankRow]:
    return list(db.session().scalars(select(BankRow).where(BankRow.statement_id == statement_id).order_by(BankRow.line)
                                     .execution_options(populate_existing=True)))


def accepted(trade: Trade, fen: int, **more: object) -> Order:
    good = trade.product(f"白菜{fen}", price_fen=fen, minimum_milli=1000)
    trade.lot(good, 10)
    order = trade.orders(trade.place({good: 1_000}, **more))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order


def parts(row: BankRow) -> dict[int, int]:
    return {part.order_id: part.amount_fen for part in db.session().scalars(
        select(ClaimPart).where(ClaimPart.claim_id == row.claim_id))}


def count(entity: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def confirm(world: World, *rows: BankRow, by: str = "chair.shi") -> None:
    """A second person than who brought the statement says that the money is there."""
    for row in rows:
        with db.transaction() as session:
            session.get_one(PaymentClaim, row.claim_id).claimed_by = world.person("books.dong").id
        with db.transaction():
            claims.confirm(row.claim_id or 0, world.person(by))


def due(*orders: Order) -> list[tuple[str, int]]:
    db.session().rollback()
    return [tuple(db.session().execute(select(Order.payment, open_fen()).where(Order.id == order.id)).one())
            for order in orders]


def test_one_transfer_for_two_orders_pays_both(world, trade, bring):
    one, two = accepted(trade, 1000), accepted(trade, 1300)
    row = bring(line("23.00", f"{two.number}，{one.number}"))[0]
    assert (row.state, parts(row)) == ("matched", {one.id: 1000, two.id: 1300})
    assert count(ReceiptShare) == 0
    confirm(world, row)
    assert due(one, two) == [("paid", 0), ("paid", 0)]


@pytest.mark.parametrize(("yuan", "state", "first", "second"), [
    ("15.00", "part", 1000, 500), ("9.00", "part", 900, 0), ("24.50", "over", 1000, 1450)])
def test_less_fills_the_oldest_first_and_more_lies_on_the_last(world, trade, bring, yuan, state, first, second):
    one, two = accepted(trade, 1000), accepted(trade, 1300)
    row = bring(line(yuan, f"{two.number} {one.number}"))[0]
    assert row.state == state
    assert parts(row) == {key: fen for key, fen in ((one.id, first), (two.id, second)) if fen}


def test_a_statement_s_number_pays_its_open_orders_oldest_first(world, trade, bring):
    with clock.at(NOON - timedelta(days=30)):
        one, two = accepted(trade, 1000), accepted(trade, 1300)
    trade.pay(one.id, 400)
    with db.transaction():
        number = statements.issue(world.organisation_id(SCHOOL), "2026-09", world.person("chair.shi")).number
    first = bring(line("16.00", f"九月货款 {number.lower()}"))[0]
    assert (first.state, parts(first)) == ("part", {one.id: 600, two.id: 1000})
    rest = bring(line("3.00", number.replace("-", "－")))[0]
    assert (rest.state, parts(rest)) == ("matched", {two.id: 300})
    assert {db.session().get_one(PaymentClaim, row.claim_id).statement_id for row in (first, rest)} != {None}
    confirm(world, first, rest)
    assert due(one, two) == [("paid", 0), ("paid", 0)]
    more = bring(line("1.00", number))[0]
    assert (more.state, parts(more)) == ("over", {two.id: 100})


def test_the_same_payment_again_is_asked_about_and_not_claimed(world, trade, bring):
    order = accepted(trade, 2300)
    rows = bring(line("23.00", order.number, day="2026-10-10"), line("23.00", order.number, day="2026-10-11"))
    assert [row.state for row in rows] == ["matched", "duplicate"]
    assert bring(line("23.00", order.number, payer="县国库"))[0].state == "over"  # another payer: money too much
    confirm(world, rows[0])
    assert bring(line("23.00", order.number, day="2026-10-12"))[0].state == "duplicate"
    assert count(ReceiptShare) == 1


def test_twice_the_same_on_one_statement_counts_twice_and_on_two_statements_once(world, trade, bring):
    order = accepted(trade, 2300)
    twin = line("10.00", order.number)
    assert [row.state for row in bring(twin, twin)] == ["part", "part"]
    assert bring(twin, twin, line("3.00", order.number))[0].state == "matched"
    assert (count(BankRow), count(PaymentClaim), count(BankStatement)) == (3, 3, 2)
    assert bring(twin, twin, twin)[0].amount_fen == 1000  # the third is new


def test_the_very_same_file_is_the_first_one(world, trade):
    order = accepted(trade, 2300)
    content = bank_tables.csv_of(line("23.00", order.number))
    first = take(world, content)
    assert take(world, content) == first
    assert (count(BankRow), count(PaymentClaim), count(BankStatement)) == (1, 1, 1)


def test_an_order_that_is_closed_or_waits_or_of_several_units_waits_for_a_person(world, trade, bring):
    good = trade.product("白菜", price_fen=200, supply="daily", daily_milli=90_000)
    order = trade.orders(trade.place({good: 10_000}))[0]
    with db.transaction():
        approval.cancel(order.id, "停课", world.person("cook.chen"))
    elsewhere = trade.orders(trade.place({good: 10_000}, by="cook.wu", unit="hospital"))[0]
    own = accepted(trade, 1000)
    found = bring(line("20.00", order.number), line("30.00", f"{elsewhere.number} {own.number}"))
    assert [row.state for row in found] == ["closed", "unknown"]
    assert [row.claim_id for row in found] == [None, None]
    assert count(PaymentClaim) == 0


def test_a_number_of_another_co_operative_is_unknown(world, trade, bring):
    order = accepted(trade, 2300)
    assert bring(line("23.00", order.number), by="chair.he")[0].state == "unknown"
    assert due(order) == [("unpaid", 2300)]


def test_a_claim_of_the_unit_is_taken_by_the_row_it_is_about(world, trade, bring):
    order, other = accepted(trade, 2300), accepted(trade, 4000)
    same_orders = trade.pay(order.id, 2300, confirmed=False)
    by_name = trade.pay(other.id, 1500, confirmed=False)
    found = bring(line("23.00", order.number, payer="县国库"), line("15.00", "伙食费"))
    assert [(row.state, row.claim_id) for row in found] == [("matched", same_orders), ("matched", by_name)]
    assert count(PaymentClaim) == 2
    with db.transaction():
        claims.confirm(same_orders, world.person("chair.shi"))
    assert due(order, other) == [("paid", 0), ("claimed", 4000)]


@pytest.mark.parametrize(("days", "state"), [(7, "matched"), (8, "unknown"), (31, "unknown")])
def test_last_month_s_money_without_a_number_is_not_taken_for_this_month_s(world, trade, bring, days, state):
    claim = trade.pay(accepted(trade, 2300).id, 2300, confirmed=False)
    row = bring(line("23.00", "伙食费", day=(TODAY - timedelta(days=days)).isoformat()))[0]
    assert (row.state, row.claim_id) == (state, claim if state == "matched" else None)
    suggested = suggesting.Nearby([row], world.person("chair.shi")).of(row)
    assert state == "matched" or claim in [one.claim_id for one in suggested]  # a person may still say so


def test_the_unit_said_more_than_came(world, trade, bring):
    order = accepted(trade, 2300)
    trade.pay(order.id, 2300, confirmed=False)
    row = bring(line("22.50", order.number))[0]
    assert (row.state, parts(row)) == ("part", {order.id: 2250})
    confirm(world, row)
    assert due(order) == [("claimed", 50)]


def test_money_booked_by_hand_before_is_not_claimed_again(world, trade, bring):
    order, slow = accepted(trade, 2300), accepted(trade, 4600)
    booked = trade.pay(order.id, 2300)
    trade.pay(slow.id, 2300)
    with clock.at(NOON + timedelta(days=10)):
        late = (TODAY + timedelta(days=9)).isoformat()
        found = bring(line("23.00", order.number), line("23.00", slow.number, day=late))
    assert (found[0].state, found[0].claim_id) == ("matched", booked)
    assert found[1].state == "matched"  # nine days later: the second half, not the first once more
    assert parts(found[1]) == {slow.id: 2300}
    assert count(PaymentClaim) == 3


def test_a_person_says_what_it_is_and_takes_it_back(world, trade, bring):
    by = world.person("books.dong")
    order, cheap = accepted(trade, 2300), accepted(trade, 700)
    row = bring(line("23.00", "伙食费", payer="县国库"))[0]
    with clock.at(NOON):
        chair = world.person("chair.shi")
        for amounts, refusal in (({order.id: 2200}, InvalidInput), ({order.id: 2300, 10**9: 1}, NotFound)):
            with pytest.raises(refusal), db.transaction():
                deciding.assign(row.id, amounts, chair)
        with pytest.raises(NotFound), db.transaction():
            deciding.assign(row.id, {order.id: 2300}, by)  # acts for the other co-operative
        with db.transaction():
            deciding.assign(row.id, {order.id: 1600, cheap.id: 700}, chair)
        assert (row.state, parts(row)) == ("part", {order.id: 1600, cheap.id: 700})
        assert due(order, cheap) == [("claimed", 2300), ("claimed", 700)]
        with db.transaction():
            deciding.take_back(row.id, chair)
        assert due(order, cheap) == [("unpaid", 2300), ("unpaid", 700)]
        with db.transaction():
            deciding.assign(row.id, {order.id: 1000, cheap.id: 1300}, chair)
        row = db.session().get_one(BankRow, row.id)
        assert row.state == "over"
        confirm(world, row)
        with pytest.raises(deciding.AlreadyBooked), db.transaction():
            deciding.take_back(row.id, chair)
    assert due(order, cheap) == [("part", 1300), ("over", -600)]
    acts = db.session().scalars(select(JournalEntry.action).where(JournalEntry.thing_kind == "bank_row")
                                .order_by(JournalEntry.id)).all()
    assert acts == ["bank.assigned", "bank.taken_back", "bank.assigned"]


def test_a_claim_is_linked_once_and_only_to_its_amount(world, trade, bring):
    order = accepted(trade, 2300)
    claim_id = trade.pay(order.id, 2000, confirmed=False)
    one, two, other = bring(*(line(yuan, "伙食费", payer=f"甲{yuan}", serial=f"{n}")
                              for n, yuan in enumerate(("20.00", "20.00", "21.00"))))
    chair = world.person("chair.shi")
    with pytest.raises(InvalidInput), db.transaction():
        deciding.link(other.id, claim_id, chair)
    with db.transaction():
        deciding.link(one.id, claim_id, chair)
    with pytest.raises(Conflict), db.transaction():
        deciding.link(two.id, claim_id, chair)
    with db.transaction():
        deciding.take_back(one.id, chair)
    assert db.session().get_one(PaymentClaim, claim_id).state == "claimed"  # the unit's word stays


def test_what_is_suggested(world, trade, bring):
    order, one, two = accepted(trade, 2300), accepted(trade, 1100), accepted(trade, 1900)
    near = order.number[:-1]
    found = bring(line("23.00", "伙食费"), line("30.00", "伙食费"), line("9.99", near), line("0.01", "结息", payer=""))
    assert {row.state for row in found} == {"unknown"}
    nearby = suggesting.Nearby(found, world.person("chair.shi"))
    told = [[(one.why, set(one.amounts)) for one in nearby.of(row)] for row in found]
    assert told[0][0] == ("unit", {order.id})
    assert told[1][0] == ("unit", {one.id, two.id})
    assert told[2][0] == ("code", {order.id})
    assert told[3] == []


def test_what_waits_is_looked_at_again_but_for_what_a_person_decided(world, trade, bring):
    order = accepted(trade, 2300)
    unknown, wrong = bring(line("10.00", "伙食费 S261012-"), line("13.00", order.number))
    chair = world.person("chair.shi")
    with db.transaction():
        deciding.take_back(wrong.id, chair)
    with db.transaction() as session:
        session.get_one(BankRow, unknown.id).remark = order.number
    with db.transaction():
        assert taking.look_again(chair) == 1
    db.session().rollback()
    assert [row.state for row in rows_of(unknown.statement_id)] == ["part", "unknown"]


def test_the_co_operative_is_told_once(world, trade, bring):
    order = accepted(trade, 2300)
    row = bring(line("23.00", order.number), line("5.00", "电费退款", payer="电力"))[0]
    message = db.session().scalars(select(OutboxMessage).where(OutboxMessage.kind == taking.FOUND)).one()
    for _ in range(2):
        news.found(message.payload)
    assert message.payload == {"statement_id": row.statement_id}
    page = world.logged_in("chair.shi").get("/notices")
    assert "共 ¥23.00" in page.text
    assert page.text.count("银行流水中找到 1 笔") >= 1


def test_many_rows_cost_as_many_statements_as_few(world, trade):
    orders = [accepted(trade, 100 + n) for n in range(4)]
    costs = []
    for size in (10, 20, 180):  # the first one moves the orders' payment states
        lines = [line(f"{n + 1}.{size % 100:02d}", orders[n % 4].number if n < 4 else "伙食费", serial=f"{size}-{n}")
                 for n in range(size)]
        content = bank_tables.csv_of(*lines)
        with count_statements(world.app) as made:
            take(world, content)
        costs.append(len(made))
    assert costs[1] == costs[2]


def test_what_cannot_be_is_not_read():
    for cells in (line("1.00", day="2026-10-13"), line("1.00", day="1999-01-01"), line("1.005"), line("1", out="1"),
                  line("9" * 12), line("1,23.00")):
        opened = table.open_table(bank_tables.csv_of(cells))
        with pytest.raises(table.LinesNotRead):
            table.read(opened, columns.guess(opened.headings))


def test_columns_of_banks_are_guessed():
    banks = {
        "a": (["交易时间", "收入金额", "支出金额", "账户余额", "对方账号", "对方户名", "交易用途"],
              ["2026-10-03 12:00:01", "1,000.00", "", "", "1", "甲", "货款"], 100_000),
        "b": (["交易日期[ Transaction Date ]", "交易金额[ Trade Amount ]", "付款人名称[ Payer's Name ]", "用途[ Use ]"],
              ["20261003", "-5.00", "甲", "x"], None),
        "c": (["记账日期", "借贷标志", "发生额(元)", "对方单位", "摘要", "附言"],
              ["2026/10/3", "贷", "￥5", "甲", "货款", "S1"], 500),
        "d": (["[交易时间]", "[借/贷]", "[借方发生额]", "[贷方发生额]", "[对方单位名称]", "[摘要]"],
              ["2026-10-03", "贷", "", "8.5", "甲", ""], 850),
        "e": (["日期", "收支", "金额", "交易对方", "备注"], ["2026年10月3日", "支出", "5.00", "甲", ""], None),
    }
    with clock.at(NOON):
        for headings, cells, fen in banks.values():
            content = bank_tables.csv_of(cells, headings=headings, above=["账号：1,x", "期间：2026-10"])
            opened = table.open_table(content)
            read = table.read(opened, columns.guess(opened.headings))
            assert [one.amount_fen for one in read.movements] == ([fen] if fen else [])
            assert all(one.paid_on == date(2026, 10, 3) and one.payer_name == "甲" for one in read.movements)
            assert read.out == (0 if fen else 1)


def test_the_headings_are_told_apart():
    assert columns.signature(HEADINGS) != columns.signature(HEADINGS[:-1])
    with pytest.raises(columns.HeadingsNotFound):
        table.open_table("只有一行\n".encode())
