"""A month of a village's income: goods, a wage, what is handed on with proof, the close, and what outsiders may read.

新田's village in October: five households bring ten kilos of cabbage each at ¥1.20, a school takes all of it; the
sixth household works for the co-operative.

    household   earns            reaches it
    XT户1       12.00  goods     at the scale, on the photo of a signed slip
    XT户2       12.00  goods     by the bank's list
    XT户3-5     12.00  goods     in cash
    XT户6      300.00  wage      in cash; a linkage with evidence lies under it
              360.00

The village officer confirms each step. In November two officials of the city close the month, an auditor takes the
village's evidence away, and anybody reads the village's page.
"""

import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import Download, FilePayload, Page
from sqlalchemy import func, select

from catalog.models import Lot
from market import audit, db, filings, ledger_frame, worker
from market.ledger import LedgerTransfer
from market.linkages import Linkage
from market.places import Division
from orders.evidence import verify
from orders.models import IncomeDeclaration
from orders.payouts.models import PayoutRun, PayoutRunLine
from tests.story.conftest import TWICE, PageAt
from tests.story.test_schools_week import Watch, watch  # noqa: F401 - a fixture
from tests.story.told import Told
from tests.trade import Trade
from tests.world import POMELO, TODAY, World

pytestmark = pytest.mark.slow
WAGE_DAY, RUN_DAY, CLOSE_DAY = TODAY + timedelta(days=6), TODAY + timedelta(days=9), date(2026, 11, 3)
GROWERS = 5
GOODS_FEN, WAGE_FEN = 1_200, 30_000
ACCOUNT = "6230901818001234567"
WIDTHS = (390, 1280)


class Desk(Told):
    """A telling in which everybody says yes when asked whether they are sure."""

    def of(self, login: str, path: str) -> Page:
        is_new = login not in self.pages
        page = super().of(login, path)
        if is_new:
            page.set_default_timeout(10_000)
            page.on("dialog", lambda dialog: dialog.accept())
        return page

    def seen(self, page: Page, name: str) -> None:
        """The page fits a phone and a desk; it stays as wide as it is told."""
        for width in sorted(WIDTHS, key=lambda width: width == self.width):
            page.set_viewport_size({"width": width, "height": 900})
            self.look(page, f"income-{name}", width)


class Month:
    """The people's screens and what was there before."""

    def __init__(self, app: Flask, page_at: PageAt, world: World, lang: str, watch: Watch) -> None:  # noqa: F811
        self.app, self.world, self.trade, self.watch, self.lang = app, world, Trade(world), watch, lang
        self.phone, self.desk = Desk(page_at, 390, lang), Desk(page_at, 1280, lang)
        self.home = world.villages["greens_home"]

    def day(self, day: date, hour: int = 10) -> None:
        """Another day: everybody logs in anew."""
        self.watch.set(day, hour)
        self.phone.pages.clear()
        self.desk.pages.clear()

    def household(self, number: int) -> int:
        return self.world.household_id(f"DEMO-XT-{number:04d}")


def paper(name: str) -> FilePayload:
    """A photo of a paper; each name has a picture of its own."""
    content = io.BytesIO()
    Image.new("RGB", (900, 600), f"#{hashlib.sha256(name.encode()).hexdigest()[:6]}").save(content, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": content.getvalue()}


def send(page: Page, selector: str) -> None:
    """Press a button that leads to another page."""
    with page.expect_navigation():
        page.locator(selector).first.click()


def fetched(page: Page, press: Callable[[], None], into: Path) -> Path:
    """The file that a press brings."""
    with page.expect_download() as coming:
        press()
    download: Download = coming.value
    path = into / download.suggested_filename
    download.save_as(path)
    return path


def said(page: Page) -> str:
    return page.locator("main").inner_text()


def booked(event: str, household_id: int | None = None) -> int:
    """What the ledger holds of an event, in fen."""
    db.session().rollback()
    row = db.table(LedgerTransfer).c
    mine = row.household_id == household_id if household_id else row.id > 0
    return int(db.session().scalar(select(db.sum_of(row.amount_fen)).where(row.event == event, mine)) or 0)


@TWICE
def test_a_village_income_month(app: Flask, page_at: PageAt, world: World, watch: Watch, tmp_path: Path,  # noqa: F811
                                lang: str) -> None:
    watch.set(TODAY, 9)
    month = Month(app, page_at, world, lang, watch)
    a_linkage_with_evidence(month)
    goods_are_weighed_in_and_one_is_paid(month)
    the_school_takes_them(month)
    month.day(WAGE_DAY)
    a_wage_is_declared(month)
    month.day(RUN_DAY)
    an_account_is_written_down(month)
    what_is_owed_is_handed_on(month, tmp_path)
    the_card_of_a_household(month)
    month.day(CLOSE_DAY)
    two_officials_close_the_month(month, tmp_path)
    an_auditor_takes_the_evidence_away(month, tmp_path)
    anybody_reads_the_villages(month, page_at)
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


def a_linkage_with_evidence(month: Month) -> None:
    """张文书 enters that the sixth household works for the co-operative; without evidence nothing is entered."""
    phone = month.phone
    page = phone.of("clerk.zhang", "/village/linkages")
    phone.seen(page, "1-linkages")
    send(page, "a[href$='/village/linkages/new']")
    phone.seen(page, "1-new")
    page.fill("[name=member]", "M006")
    page.select_option("[name=kind]", "direct_support")
    page.select_option("[name=form]", "employment")
    page.fill("[name=since]", "2026-10-01")
    page.set_input_files("[name=evidence]", paper("用工协议.jpg"))
    send(page, "form[action$='/village/linkages'] .form-actions button[type=submit]")
    phone.seen(page, "1-entered")
    assert "M006 XT户6" in said(page)
    page = phone.of("village.cao", "/office/linkages")
    phone.seen(page, "1-waits")
    assert "DEMO-XT-0006" in said(page)
    assert "XT户6" not in said(page)
    send(page, "form[action$='/confirmation'] button")
    phone.seen(page, "1-confirmed")
    db.session().rollback()
    tie = db.session().scalars(select(Linkage).where(Linkage.form == "employment")).one()
    assert tie.confirmed_at is not None
    assert tie.household_id == month.household(6)


def goods_are_weighed_in_and_one_is_paid(month: Month) -> None:
    """Five rows on the phone; the first household has its money already, on the photo of the slip."""
    phone, trade = month.phone, month.trade
    cabbage = trade.product("白菜", minimum_milli=1_000)
    page = phone.of("clerk.zhang", f"/village/weigh-in?product={cabbage}")
    page.fill("[name=farm_gate_fen_per_kg]", "0.60")
    for number in range(GROWERS):
        page.fill(f"[name=contributions-{number}-member]", f"M{number + 1:03d} XT户{number + 1}")
        page.fill(f"[name=contributions-{number}-gross]", "20")
    phone.seen(page, "2-rows")
    page.keyboard.press("Escape")
    page.locator(".sum-bar button").click()
    page.wait_for_url(re.compile(r"/village/weigh-in/\d+"))
    phone.seen(page, "2-weighed")
    send(page, "main a[href$='/payments'][href*='/village/lots/']")
    for number in range(1, GROWERS):
        page.locator(f"label.choice:has([name=lines-{number}-paid])").click()
    assert page.locator("[name$='-paid']:checked").count() == 1
    page.set_input_files("[name=proof]", paper("签收单.jpg"))
    phone.seen(page, "2-pay")
    send(page, ".form-actions button[form=payments]")
    phone.seen(page, "2-paid")
    assert "12.00" in said(page)
    lot = db.session().scalars(select(Lot.id).order_by(Lot.id.desc()).limit(1)).one()
    page = phone.of("village.cao", "/office/lots")
    phone.seen(page, "2-lots")
    send(page, f"a[href$='/office/lots/{lot}']")
    phone.seen(page, "2-lot")
    assert "12.00" in said(page)
    send(page, "form[action$='/confirmation'] button")
    phone.seen(page, "2-confirmed")
    db.session().rollback()
    assert db.session().get_one(Lot, lot, populate_existing=True).confirmed_at is not None


def the_school_takes_them(month: Month) -> None:
    """By the verbs of trade: one order of all of it; and pomelos of two households in another village."""
    trade = month.trade
    lot = db.session().scalars(select(Lot).order_by(Lot.id.desc()).limit(1)).one()
    pomelo = trade.product("香柚", POMELO, minimum_milli=1_000)
    trade.lot(pomelo, 10)
    for good, milli in ((lot.product_id, GROWERS * 10_000), (pomelo, 10_000)):
        order = trade.orders(trade.place({good: milli}))[0]
        trade.ship(order.id)
        trade.accept(order.id)
    assert booked("paid_out", None) == GOODS_FEN  # what was handed over at the scale


def a_wage_is_declared(month: Month) -> None:
    """The pay list of the sixth household; the officer looks at the proof and says yes."""
    phone, desk = month.phone, month.desk
    page = desk.of("clerk.zhang", "/village/declarations")
    desk.seen(page, "3-declared")
    send(page, "a[href$='/village/declarations/new']")
    assert page.input_value("[name=lines-0-member]").startswith("M006")  # a wage is agreed with it
    page.fill("form:first-of-type [name=month]", "2026-10")
    page.fill("[name=lines-0-amount_fen]", "300")
    page.locator("[name=proof]").first.set_input_files(paper("工资表.jpg"))
    desk.seen(page, "3-new")
    send(page, "form[action$='/village/declarations'] .form-actions button[type=submit]")
    desk.seen(page, "3-waits")
    page = phone.of("village.cao", "/office/declarations")
    phone.seen(page, "3-office")
    assert "300.00" in said(page)
    assert "XT户6" not in said(page)
    send(page, "form[action$='/confirmation'] button")
    phone.seen(page, "3-confirmed")
    db.session().rollback()
    assert db.session().scalars(select(IncomeDeclaration)).one().confirmed_at is not None
    assert booked("attributed", month.household(6)) == WAGE_FEN


def an_account_is_written_down(month: Month) -> None:
    """By one person for the second household, compared with the passbook by another; four digits are shown."""
    phone, desk = month.phone, month.desk
    path = f"/village/household-accounts/{month.household(2)}"
    page = phone.of("clerk.zhang", path)
    page.fill("[name=bank]", "演示农商行")
    page.fill("[name=number]", ACCOUNT)
    phone.seen(page, "4-account")
    send(page, f"form[action$='{path}'] .form-actions button")
    assert page.locator("form[action$='/confirmation']").count() == 0
    page = desk.of("chair.shi", path)
    desk.seen(page, "4-second")
    assert ACCOUNT not in page.content()
    send(page, "form[action$='/confirmation'] button")
    desk.seen(page, "4-current")


def what_is_owed_is_handed_on(month: Month, folder: Path) -> None:
    """One builds the run, another approves and takes the bank's list; paid with proof; the village says yes."""
    phone, desk = month.phone, month.desk
    page = desk.of("clerk.zhang", "/village/payout-runs/new")
    desk.seen(page, "5-new")
    assert "348.00" in said(page)
    assert page.locator("input[name$='-take']:checked").count() == 5
    send(page, "form[action*='/village/payout-runs'] .form-actions button")
    desk.seen(page, "5-built")
    assert page.locator("form[action$='/approval']").count() == 0  # a second person approves
    path = urlsplit(page.url).path
    page = phone.of("chair.shi", path)
    phone.seen(page, "5-to-approve")
    send(page, "form[action$='/approval'] button")
    phone.seen(page, "5-approved")
    page = desk.of("chair.shi", path)
    file = fetched(page, lambda: page.locator("form[action$='/bank-list.xlsx'] button").click(), folder)
    cells = [str(cell) for row in load_workbook(file).active.iter_rows(values_only=True) for cell in row]
    assert ACCOUNT in cells
    page = desk.of("clerk.zhang", path)
    page.set_input_files("[name=proof]", paper("回单.jpg"))
    desk.seen(page, "5-to-pay")
    send(page, "button[form=lines]:not([formaction])")
    desk.seen(page, "5-paid")
    assert page.locator("[name=proof]").count() == 0  # nothing is left to be marked
    assert booked("paid_out") == GOODS_FEN  # nothing more until the village says so
    page = phone.of("village.cao", "/office/payout-runs")
    phone.seen(page, "5-office")
    send(page, "main table a")
    phone.seen(page, "5-office-run")
    assert "348.00" in said(page)
    assert not [number for number in range(1, 7) if f"XT户{number}" in said(page)]
    send(page, "button[form=lines]:not([formaction])")
    phone.seen(page, "5-office-done")
    db.session().rollback()
    assert db.session().scalar(select(func.count()).select_from(PayoutRun)) == 1
    assert set(db.session().scalars(select(PayoutRunLine.state))) == {"confirmed"}
    assert booked("paid_out") == GROWERS * GOODS_FEN + WAGE_FEN


def the_card_of_a_household(month: Month) -> None:
    """Each of three cards holds what that household earned and was paid; the name is shown once, and who looked."""
    phone, desk = month.phone, month.desk
    for number, fen in ((1, GOODS_FEN), (2, GOODS_FEN), (6, WAGE_FEN)):
        page = phone.of("village.cao", f"/office/households/{month.household(number)}")
        phone.seen(page, f"6-card-{number}")
        ties = page.locator(".panel").first.locator("dd").last.inner_text().splitlines()
        assert len(set(ties)) == len(ties)
        gross, *_estimates, paid, unpaid = page.locator(".panel").last.locator("dd").all_inner_texts()
        assert (gross, paid, unpaid) == (f"¥{fen / 100:.2f}", f"¥{fen / 100:.2f}", "¥0.00"), number
        assert f"XT户{number}" not in page.content()
    page.locator("details.dialog summary").first.click()
    phone.seen(page, "6-purpose")
    send(page, "form[action$='/name'] button[type=submit]")
    phone.seen(page, "6-name")
    assert "XT户6" in said(page)
    page = phone.of("village.cao", f"/office/households/{month.household(6)}")
    assert "XT户6" not in page.content()
    page = desk.of("auditor.wei", "/office/households/names")
    desk.seen(page, "6-names")
    assert "曹村主任" in said(page)
    assert "DEMO-XT-0006" in said(page)
    assert "XT户6" not in said(page)


def two_officials_close_the_month(month: Month, folder: Path) -> None:
    """金局长 proposes, 梁科长 confirms; the file is what its checksum says, and holds the village's income."""
    desk, phone = month.desk, month.phone
    page = desk.of("official.jin", "/office/months/202610")
    desk.seen(page, "7-month")
    send(page, "form[action$='/closing'] button[type=submit]")
    desk.seen(page, "7-proposed")
    assert page.locator("form[action$='/confirmation']").count() == 0
    page = phone.of("official.liang", "/office/months/202610")
    phone.seen(page, "7-second")
    send(page, "form[action$='/confirmation'] button")
    phone.seen(page, "7-closed")
    page = desk.of("official.liang", "/office/months/202610")
    desk.seen(page, "7-filed")
    file = fetched(page, lambda: page.locator("a[href$='/1.csv']").click(), folder)
    filed = file.read_bytes()
    assert hashlib.sha256(filed).hexdigest() in said(page)
    db.session().rollback()
    assert filed == filings.filed("2026-10", 1).filed.encode()
    code = db.session().get_one(Division, month.home).code
    row = next(line for line in filed.decode("utf-8-sig").splitlines() if code in line)
    for fen in (GROWERS * GOODS_FEN, WAGE_FEN):
        assert re.search(rf"\b{fen}\b|\b{fen // 100}\.00\b", row), row


def an_auditor_takes_the_evidence_away(month: Month, folder: Path) -> None:
    """Asked for, made by the worker, fetched, proved by the program that lies beside it without this site."""
    desk = month.desk
    page = desk.of("auditor.wei", "/office/evidence")
    db.session().rollback()
    page.select_option("[name=village]", db.session().get_one(Division, month.home).code)
    desk.seen(page, "8-ask")
    send(page, "form[action$='/office/evidence'] .form-actions button")
    desk.seen(page, "8-asked")
    address = page.url
    worker.run_once(month.app)
    page = desk.of("auditor.wei", address)
    desk.seen(page, "8-ready")
    package = fetched(page, lambda: page.locator("form[action$='/file'] button").click(), folder)
    program = fetched(page, page.locator("a[href$='/verify.py']").first.click, folder)
    assert program.read_bytes() == Path(verify.__file__).read_bytes()
    told = [text for text in page.locator("code").all_inner_texts() if "--expect" in text]
    expected = told[0].split()[-1]
    proved = subprocess.run([sys.executable, "-I", "-S", str(program), str(package), "--expect", expected],
                            capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert proved.returncode == 0, proved.stdout + proved.stderr


def anybody_reads_the_villages(month: Month, page_at: PageAt) -> None:
    """Six households with purchases of ¥100 in one village; in the other two stand behind it, so only purchases."""
    for told in (month.phone, month.desk):
        page = page_at(width=told.width, lang=month.lang)
        for village, bought, households in (("greens_home", "100.00", True), ("pomelo_home", "20.00", False)):
            db.session().rollback()
            page.goto(f"/villages/{db.session().get_one(Division, month.world.villages[village]).code}")
            told.look(page, f"income-9-{village}")
            text = said(page)
            assert bought in text
            few = {"zh": "不足 5", "en": "fewer than 5"}[month.lang]
            assert page.locator(".stats dd", has_text=re.compile(r"^\s*6\s*$")).count() == households
            assert (few in page.locator(".stats").first.inner_text()) is not households
            for hidden in ("12.00", "300.00", "360.00", "6.00", "XT户", "JY户", "DEMO-"):
                assert hidden not in text, hidden
