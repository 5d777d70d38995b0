"""The co-operative's bank statements over HTTP: from the bank's table to the manager's yes and the order's sum."""

import re

import pytest
from sqlalchemy import func, select

from market import clock, db
from market.files import StoredFile
from market.paging import PER_PAGE
from orders.buying.lists import open_fen
from orders.models import BankMapping, BankRow, BankStatement, Order, PaymentClaim, ReceiptShare
from tests import hostile_sheets
from tests.bank_tables import COLUMNS, DESK, confirm, csv_of, line, send, upload, xlsx_of
from tests.counting import count_statements
from tests.trade import Trade
from tests.web.forms import csrf_token
from tests.web.forms import send as post
from tests.world import NOON, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def accountant(world: World):
    """The agency's accountant, acting for the vegetable co-operative."""
    client = world.logged_in("books.dong")
    answer = post(client, "/account/organisation", "/account", organisation_id=world.organisation_id("greens"))
    assert answer.status_code == 303, answer.text
    return client


def order_of(trade: Trade, fen: int) -> Order:
    """An accepted order of the school for so much, at the vegetable co-operative."""
    good = trade.product(f"白菜{fen}", price_fen=fen, minimum_milli=1000)
    trade.lot(good, 10)
    order = trade.orders(trade.place({good: 1_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order


def count(entity: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def states() -> list[str]:
    return list(db.session().scalars(select(BankRow.state).order_by(BankRow.paid_on, BankRow.line)))


def money_of(order_id: int) -> tuple[str, int]:
    """The payment state and what is still due, in fen; below zero: to return."""
    db.session().rollback()
    return tuple(db.session().execute(select(Order.payment, open_fen()).where(Order.id == order_id)).one())


def yes_to_all(world: World) -> None:
    """The manager confirms what was found, claim by claim."""
    chair = world.logged_in("chair.shi")
    for claim_id in db.session().scalars(select(PaymentClaim.id).where(PaymentClaim.state == "claimed")).all():
        address = f"/village/payment-claims/{claim_id}"
        assert post(chair, f"{address}/receipt", address).status_code == 303


@pytest.mark.parametrize(("amounts", "found", "payment", "due"), [
    (["22.50"], ["part"], "part", 50), (["10.00", "13.00"], ["part", "matched"], "paid", 0),
    (["23.50"], ["over"], "over", -50), (["23.00"], ["matched"], "paid", 0),
])
def test_an_order_of_23_yuan(world, trade, accountant, amounts, found, payment, due):
    order = order_of(trade, 2300)
    content = csv_of(*(line(amount, f"货款{order.number}") for amount in amounts))
    upload(accountant, content)
    assert states() == found
    assert money_of(order.id) == ("claimed", 2300)  # found, not booked
    assert count(ReceiptShare) == 0
    yes_to_all(world)
    assert money_of(order.id) == (payment, due)
    shares = count(ReceiptShare)
    upload(accountant, content)
    upload(accountant, csv_of(*(line(amount, f"货款{order.number}") for amount in amounts), above=["账号：1"]))
    assert (count(BankRow), count(PaymentClaim), count(BankStatement)) == (len(amounts), len(amounts), 2)
    assert (money_of(order.id), count(ReceiptShare)) == ((payment, due), shares)


def test_columns_are_asked_for_once_and_the_next_file_goes_through(world, trade, accountant):
    order = order_of(trade, 2300)
    first = csv_of(line("10.00", order.number), line("", out="5.00"), above=["账号：43001,期间：2026-10"])
    answer = send(accountant, first)
    assert answer.location.endswith("/columns")
    page = accountant.get(answer.location).text
    assert re.search(r'<option value="贷方发生额" selected', page)
    assert count(BankRow) == 0
    shown = confirm(accountant, answer.location)
    assert shown.status_code == 303
    assert (count(BankMapping), states()) == (1, ["part"])
    told = accountant.get(shown.location).text
    assert "少付" in told
    assert db.session().scalars(select(BankStatement.out_rows)).one() == 1
    second = send(accountant, csv_of(line("13.00", order.number, day="2026-10-11")))
    assert "/uploads/" in second.location
    assert count(BankRow) == 2


def test_wrong_columns_are_refused_at_their_field(world, trade, accountant):
    order = order_of(trade, 2300)
    address = send(accountant, csv_of(line("10.00", order.number))).location
    for changes, field in (({"day": ""}, "day"), ({"income": ""}, "income"), ({"serial": "没有的"}, "serial"),
                           ({"serial": "摘要"}, "serial"), ({"amount": "余额"}, "amount")):
        answer = confirm(accountant, address, **(COLUMNS | changes))
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
    answer = confirm(accountant, address, **(COLUMNS | {"income": "对方户名"}))
    assert answer.status_code == 422
    assert (count(BankMapping), count(BankRow), count(BankStatement)) == (0, 0, 0)


@pytest.mark.parametrize("make", [
    lambda *rows: csv_of(*rows, encoding="gb18030", delimiter=";", above=["账号：43001 户名：演示,期间,", ""]),
    lambda *rows: csv_of(*rows, encoding="utf-8", delimiter="\t"),
    lambda *rows: xlsx_of(*rows, above=["账号：43001"]),
], ids=["gb18030;", "utf-8-tab", "xlsx"])
def test_every_kind_of_table_says_the_same(world, trade, accountant, make):
    order = order_of(trade, 123450)
    rows = [line("￥1,234.50", f"货款\n{order.number[:9]} {order.number[9:]}", day="2026-10-11 12:30:05"),
            line("", "电费", out="5.00"), ["合计", "5.00", "1,234.50", *[""] * 5]]
    upload(accountant, make(*rows))
    row = db.session().scalars(select(BankRow)).one()
    assert (row.state, row.amount_fen, row.payer_account) == ("matched", 123450, "6222021234567890123")
    first = row.checksum
    upload(accountant, csv_of(*rows))
    assert [one.checksum for one in db.session().scalars(select(BankRow))] == [first]


def test_a_row_nobody_could_place_is_assigned_taken_back_and_put_aside(world, trade, accountant):
    order = order_of(trade, 2300)
    upload(accountant, csv_of(line("23.00", "十月伙食", payer="县国库集中支付中心"), line("12.08", "结息", payer="")))
    assert states() == ["unknown", "unknown"]
    page = accountant.get(DESK).text
    assert order.number in page  # exactly this amount is open
    row_id, interest = db.session().scalars(select(BankRow.id).order_by(BankRow.line)).all()
    address = f"{DESK}/rows/{row_id}"
    for fields in ({}, {f"order-{order.id}": "22.99"}, {f"order-{order.id}": "x"}):
        assert post(accountant, f"{address}/assignment", address, **fields).status_code == 422
    assert post(accountant, f"{address}/assignment", address, **{"order-999999999": "23.00"}).status_code == 404
    assert count(PaymentClaim) == 0
    assert post(accountant, f"{address}/assignment", address, **{f"order-{order.id}": "23.00"}).status_code == 303
    assert money_of(order.id) == ("claimed", 2300)
    assert post(accountant, f"{address}/aside", address, reason="利息").status_code == 409
    assert post(accountant, f"{address}/return", address).status_code == 303
    assert (money_of(order.id), states()) == (("unpaid", 2300), ["unknown", "unknown"])
    assert post(accountant, f"{DESK}/rows/{interest}/aside", address, reason="利息").status_code == 303
    assert "利息" in accountant.get(f"{DESK}?state=ignored").text
    assert post(accountant, f"{DESK}/rows/{interest}/return", address).status_code == 303
    assert post(accountant, f"{address}/assignment", address, **{f"order-{order.id}": "23.00"}).status_code == 303
    yes_to_all(world)
    assert post(accountant, f"{address}/return", address).status_code == 409
    assert money_of(order.id) == ("paid", 0)


def test_the_unit_s_own_claim_is_found_and_its_link_can_be_said_by_hand(world, trade, accountant):
    order, other = order_of(trade, 2300), order_of(trade, 2400)
    trade.pay(order.id, 2300, confirmed=False)
    said = trade.pay(other.id, 2400, confirmed=False)
    upload(accountant, csv_of(line("23.00", order.number), line("24.00", "伙食费", payer="县国库")))
    assert states() == ["matched", "unknown"]
    assert count(PaymentClaim) == 2
    row_id = db.session().scalars(select(BankRow.id).where(BankRow.state == "unknown")).one()
    address = f"{DESK}/rows/{row_id}"
    assert "这一笔就是" in accountant.get(address).text
    assert post(accountant, f"{address}/claim", address, claim_id=said).status_code == 303
    assert states() == ["matched", "matched"]
    yes_to_all(world)
    assert [money_of(one.id) for one in (order, other)] == [("paid", 0), ("paid", 0)]


@pytest.mark.parametrize("name", sorted(hostile_sheets.REFUSED))
def test_hostile_files_are_refused_and_leave_nothing(world, accountant, backend, name):
    if backend == "postgresql":
        return  # nothing reaches the database
    answer = send(accountant, hostile_sheets.REFUSED[name](), name)
    assert answer.status_code in (413, 422)
    assert (count(BankStatement), count(BankRow)) == (0, 0)
    assert db.session().scalars(select(StoredFile).where(StoredFile.content_type.contains("bank"))).all() == []


@pytest.mark.parametrize("content", [b"", b"\xd0\xcf\x11\xe0old", b"\xff\xfe\x00", "只有一行".encode(), b"a,b\n1,2\n",
                                     csv_of(line("1.00", day="03.11.26")), csv_of(line("一百")), csv_of()])
def test_files_that_are_no_statement_are_refused_at_the_field(world, trade, accountant, content):
    upload(accountant, csv_of(line("1.00")))  # the columns are known
    before = count(BankRow)
    answer = send(accountant, content)
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text
    assert count(BankRow) == before


def test_a_formula_is_not_taken_for_money(world, accountant):
    upload(accountant, csv_of(line("1.00")))
    for content in (xlsx_of(line("=1+1")), csv_of(line("=1+1")), csv_of(line('="23.00"&"0"'))):
        answer = send(accountant, content)
        assert answer.status_code == 422
        assert 'id="file-error"' in answer.text
    asked = send(accountant, hostile_sheets.HARMLESS["formulas.xlsx"]()).location  # other headings: a person is asked
    assert "cmd|" not in accountant.get(asked).text
    assert count(BankRow) == 1


def test_only_the_co_operative_sees_it_and_foreign_rows_are_unknown(world, trade, accountant):
    order = order_of(trade, 2300)
    shown = upload(accountant, csv_of(line("23.00", order.number)))
    row_id, file_id = db.session().scalar(select(BankRow.id)), db.session().scalar(select(BankStatement.file_id))
    for login in ("cook.chen", "cashier.sun", "official.jin", "auditor.wei"):
        assert world.logged_in(login).get(DESK).status_code == 403
    chair = world.logged_in("chair.he")  # of the other co-operative
    for path in (f"rows/{row_id}", f"uploads/{shown}", f"files/{file_id}/columns"):
        assert chair.get(f"{DESK}/{path}").status_code == 404
        assert world.logged_in("chair.shi").get(f"{DESK}/{path}").status_code == 200
    token = csrf_token(chair, DESK)
    for act in ("assignment", "claim", "aside", "return"):
        answer = chair.post(f"{DESK}/rows/{row_id}/{act}", data={"csrf_token": token, "reason": "x"})
        assert answer.status_code == 404
    assert states() == ["matched"]
    upload(chair, csv_of(line("23.00", order.number)))
    assert states() == ["matched", "unknown"]  # another's number is none of ours


def test_who_sent_the_statement_does_not_confirm_what_it_brought(world, trade):
    order = order_of(trade, 2300)
    chair = world.logged_in("chair.shi")
    upload(chair, csv_of(line("23.00", order.number)))
    claim_id = db.session().scalar(select(PaymentClaim.id))
    address = f"/village/payment-claims/{claim_id}"
    assert post(chair, f"{address}/receipt", address).status_code == 409
    assert money_of(order.id) == ("claimed", 2300)
    assert "另一位" in chair.get(f"{DESK}/rows/{db.session().scalar(select(BankRow.id))}").text


def test_lists_export_search_and_pages_cost_the_same_for_few_and_many(world, trade, accountant):
    order = order_of(trade, 2300)
    costs = []
    for size in (3, PER_PAGE + 5):
        upload(accountant, csv_of(*(line(f"{n + 1}.00", f"伙食费{n}", serial=f"{size}-{n}") for n in range(size)),
                                  line("1.00", order.number, serial=f"{size}")))
        costs.append([])
        for path in (DESK, f"{DESK}?state=all", f"{DESK}?state=part", f"{DESK}/uploads", f"{DESK}/rows.csv?state=all",
                     f"{DESK}?q=伙食费2"):
            accountant.get(path)
            world.app.extensions["sijin_demo"]()
            with count_statements(world.app) as statements:
                assert accountant.get(path).status_code == 200
            costs[-1].append(len(statements))
    assert costs[0] == costs[1]
    table = accountant.get(f"{DESK}/rows.csv?state=all").data
    assert table.startswith(b"\xef\xbb\xbf")
    assert '"6222021234567890123"' in table.decode("utf-8-sig")
    assert accountant.get(f"{DESK}/rows.xlsx").data.startswith(b"PK")
    assert "伙食费2" in accountant.get(f"{DESK}?state=all&q=伙食费2").text
    example = accountant.get(f"{DESK}/bank-statement-example.csv").data
    upload(accountant, example)
    assert count(BankStatement) == 3
