"""A month of money: 董会计 reads the bank's statement in, 石社长 confirms it by one tap, and everything adds up.

永州演示第一小学 received five orders of the vegetable co-operative's; on the bank's statement three transfers pay four.

    order           costs      transferred             afterwards
    eggplant        23.00      22.50                   0.50 due, late after 30 days
    cabbage         10.00  \\
                            >  23.00 together          paid, both
    radish          13.00  /
    wax gourd       23.00      23.50                   0.50 too much: given back, asked by one, confirmed by another
    beans           20.00      nothing                 20.00 due, late after 30 days

The codes on the statement are broken over lines, glued, in full-width and in letters of another alphabet.
"""

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market import audit, db, ledger, ledger_frame, worker
from orders.buying.lists import open_fen
from orders.models import BankRow, BankStatement, MoneyTask, Order, PaymentClaim, ReceiptShare, Reconciliation, Refund
from tests import bank_tables
from tests.bank_tables import line
from tests.story.conftest import TWICE, PageAt
from tests.story.test_schools_week import Watch, watch  # noqa: F401 - a fixture
from tests.story.told import Told
from tests.trade import Trade
from tests.world import GREENS, TODAY, World

pytestmark = pytest.mark.slow
COSTS = {"茄子": 2_300, "白菜": 1_000, "萝卜": 1_300, "冬瓜": 2_300, "豆角": 2_000}
PAY_DAY, LATE_DAY = TODAY + timedelta(days=20), TODAY + timedelta(days=33)
LOOK_ALIKE = str.maketrans("0SACEHKMPTX", "ОЅАСЕНКМРТХ")  # Cyrillic, as an old keyboard types them


@pytest.fixture
def orders(world: World, trade: Trade, watch: Watch) -> dict[str, Order]:  # noqa: F811
    """One order of each good, delivered and accepted, by the good's name."""
    watch.set(TODAY, 9)
    found = {}
    for name, fen in COSTS.items():
        good = trade.product(name, price_fen=fen, minimum_milli=1_000)
        trade.lot(good, 10)
        order = trade.orders(trade.place({good: 1_000}))[0]
        trade.ship(order.id)
        trade.accept(order.id)
        found[name] = order
    watch.set(PAY_DAY, 10)
    return found


def statement(orders: dict[str, Order], *more: list[str]) -> bytes:
    """The bank's file: GB18030, lines above the headings, a cell that goes over two lines."""
    number = {name: order.number for name, order in orders.items()}
    broken = number["茄子"][:9] + "\n" + number["茄子"][9:].lower()
    both = f"{number['白菜'].replace('-', '－')}，{number['萝卜'].replace('-', ' ')}"
    day = PAY_DAY.isoformat()
    return bank_tables.csv_of(
        line("22.50", f"货款{broken}", day=day, serial="1"),
        line("23.00", f"付{both}菜款", day=day, serial="2", payer="永州市国库集中支付中心"),
        line("23.50", number["冬瓜"].translate(LOOK_ALIKE), day=day, serial="3"),
        line("", "手续费", day=day, serial="4", out="2.00"), *more,
        above=("演示农商行企业网银", "账号：6222021234567890123"), encoding="gb18030")


def send(page: Page, content: bytes) -> None:
    page.set_input_files("input[name=file]", {"name": "十月流水.csv", "mimeType": "text/csv", "buffer": content})
    page.locator("form[action$='/village/bank/uploads'] button[type=submit]").click()
    page.wait_for_load_state()


def fresh() -> Session:
    """Reads what the site has written until now."""
    db.session().rollback()
    return db.session()


def sums(orders: dict[str, Order]) -> dict[str, tuple[str, int]]:
    """State of payment and what is open, by good."""
    return {name: tuple(fresh().execute(  # type: ignore[misc]
        select(Order.payment, open_fen()).where(Order.id == order.id)).one()) for name, order in orders.items()}


def counts() -> list[int]:
    """Rows of what a statement makes."""
    return [fresh().scalar(select(func.count()).select_from(entity)) or 0
            for entity in (BankRow, PaymentClaim, ReceiptShare)]


def said(page: Page) -> str:
    return page.locator("main").inner_text()


@TWICE
def test_a_month_of_money(app: Flask, page_at: PageAt, world: World, watch: Watch,  # noqa: F811
                          orders: dict[str, Order], lang: str) -> None:
    desk, phone = Told(page_at, 1280, lang), Told(page_at, 390, lang)
    the_accountant_reads_the_statement_in(desk, world, orders)
    a_second_upload_changes_nothing(desk, orders)
    the_chairman_confirms_all_by_one_tap(phone, orders)
    both_sides_read_the_same(desk, orders)
    what_was_too_much_goes_back(desk, phone, orders)
    watch.set(LATE_DAY, 10)
    desk.pages.clear()
    phone.pages.clear()
    what_is_late_is_seen_by_all_three(desk, phone)
    the_comparison_finds_nothing(desk)
    assert sums(orders) == {"茄子": ("part", 50), "白菜": ("paid", 0), "萝卜": ("paid", 0), "冬瓜": ("paid", 0),
                            "豆角": ("unpaid", 2_000)}
    assert ledger.balance_fen(f"supplier:{world.organisation_id(GREENS)}") == -2_050
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


def the_accountant_reads_the_statement_in(desk: Told, world: World, orders: dict[str, Order]) -> None:
    """From the list of all co-operatives into this one's bank page; the columns are compared once."""
    page = desk.of("books.dong", "/agency")
    desk.look(page, "month-1-agency")
    page.locator(f"button[form=books-{world.organisation_id(GREENS)}][name=door], "
                 f"#books-{world.organisation_id(GREENS)} button").first.click()
    page.wait_for_load_state()
    page.goto("/village/bank")
    send(page, statement(orders))
    assert page.url.endswith("/columns")
    desk.look(page, "month-2-columns")
    page.fill("[name=bank_name]", "演示农商行")
    page.locator("form[action$='/columns'] button[type=submit]").click()
    page.wait_for_load_state()
    desk.look(page, "month-3-upload")
    rows = fresh().execute(select(BankRow.amount_fen, BankRow.state).order_by(BankRow.line)).all()
    assert [tuple(row) for row in rows] == [(2_250, "part"), (2_300, "matched"), (2_350, "over")]
    assert sums(orders)["白菜"] == ("claimed", 1_000)  # announced, not yet in the books


def a_second_upload_changes_nothing(desk: Told, orders: dict[str, Order]) -> None:
    """Neither the very same file nor the bank's next one with the same rows in it, which asks for no columns."""
    before = counts()
    for content in (statement(orders), statement(orders, line("", "短信费", day=PAY_DAY.isoformat(), out="1.00"))):
        page = desk.of("books.dong", "/village/bank")
        send(page, content)
        assert "/columns" not in page.url
        assert counts() == before
    assert fresh().scalar(select(func.count()).select_from(BankStatement)) == 2
    page = desk.of("books.dong", "/agency")
    desk.look(page, "month-4-agency")
    assert "69.00" in said(page)


def the_chairman_confirms_all_by_one_tap(phone: Told, orders: dict[str, Order]) -> None:
    page = phone.of("chair.shi", "/village/payments")
    phone.look(page, "month-5-list")
    assert page.locator("input[name='claims[]']:checked").count() == 3
    button = page.locator(".sum-bar button[type=submit]")
    assert "69.00" in button.inner_text()
    button.click()
    page.wait_for_load_state()
    phone.look(page, "month-6-confirmed")
    assert "69.00" in said(page)
    assert page.locator("input[name='claims[]']").count() == 0
    assert sums(orders) == {"茄子": ("part", 50), "白菜": ("paid", 0), "萝卜": ("paid", 0), "冬瓜": ("over", -50),
                            "豆角": ("unpaid", 2_000)}


def both_sides_read_the_same(desk: Told, orders: dict[str, Order]) -> None:
    """The same claims with the same sums; of the same orders the same is open."""
    page = desk.of("cashier.sun", "/payments/claims")
    desk.look(page, "month-7-unit-claims")
    ours = said(page)
    page = desk.of("chair.shi", "/village/payments?state=received")
    desk.look(page, "month-7-village-claims")
    theirs = said(page)
    rows = fresh().execute(select(PaymentClaim.number, PaymentClaim.amount_fen)).all()
    assert len(rows) == 3
    for number, fen in rows:
        for text in (ours, theirs):
            assert number in text
            assert f"{fen // 100}.{fen % 100:02d}" in text
    page = desk.of("cashier.sun", "/payments")
    desk.look(page, "month-7-unit-owed")
    assert "20.50" in said(page)
    assert open_row(page, orders["茄子"]) == "¥0.50"
    for login, path in (("cashier.sun", "/orders/{}"), ("clerk.zhang", "/village/orders/{}")):
        for name, shown in (("茄子", "22.50"), ("冬瓜", "23.50")):
            page = desk.of(login, path.format(orders[name].id))
            desk.look(page, f"month-7-{login}-{orders[name].id}")
            assert shown in said(page), (login, name)


def open_row(page: Page, order: Order) -> str:
    """What the unit's list says is open of an order."""
    row = page.locator("main tbody tr", has_text=order.number).first
    return row.locator("td.num").nth(1).inner_text()


def what_was_too_much_goes_back(desk: Told, phone: Told, orders: dict[str, Order]) -> None:
    """The clerk asks, the chairman confirms that the transfer was made, the unit reads it."""
    page = desk.of("clerk.zhang", "/village/refunds")
    desk.look(page, "month-8-owed")
    page.once("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        page.locator(f"form[action$='/orders/{orders['冬瓜'].id}/refund/whole'] button").click()
    desk.look(page, "month-8-asked")
    row = fresh().scalars(select(Refund)).one()
    assert (row.amount_fen, row.state) == (50, "asked")
    page = desk.of("clerk.zhang", f"/village/refunds/{row.id}")
    assert page.locator("form[action$='/transfer']").count() == 0  # a second person confirms
    page = phone.of("chair.shi", "/village/refunds?tab=asked")
    phone.look(page, "month-8-phone")
    page.locator(f"a[href$='/village/refunds/{row.id}']").click()
    page.wait_for_load_state()
    phone.look(page, "month-8-confirm")
    page.once("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        page.locator("form[action$='/transfer'] button[type=submit]").click()
    assert sums(orders)["冬瓜"] == ("paid", 0)
    page = desk.of("cashier.sun", "/payments/refunds")
    desk.look(page, "month-8-unit")
    assert row.number in said(page)
    assert "0.50" in said(page)


def what_is_late_is_seen_by_all_three(desk: Told, phone: Told) -> None:
    """¥20.50 of two orders, 30 days after they were accepted: unit, co-operative, official."""
    for told, login, path in ((phone, "cashier.sun", "/payments/due"), (phone, "chair.shi", "/village/due"),
                              (desk, "official.jin", "/office/overdue")):
        page = told.of(login, path)
        told.look(page, f"month-9-{login}")
        assert "20.50" in said(page), login


def the_comparison_finds_nothing(desk: Told) -> None:
    """The platform's operator presses 'compare now'; the worker compares bank and ledger."""
    page = desk.of("system.tao", "/reconciliation")
    page.locator("form[action$='/reconciliation/runs'] button").click()
    page.wait_for_load_state()
    while worker.drain_outbox():
        pass
    page = desk.of("system.tao", "/reconciliation")
    desk.look(page, "month-10-compared")
    run = fresh().scalars(select(Reconciliation)).one()
    assert (run.scope, run.compared, run.differences, run.error) == ("bank", 3, 0, "")
    assert fresh().scalars(select(MoneyTask.id)).all() == []
    assert {"zh": "金额相符", "en": "Agrees"}[desk.lang] in said(page)
