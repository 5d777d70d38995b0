"""A school's week: its reserved share filed, last week ordered again, one van at dawn, the papers at the month's end.

On Monday 钱主任 files the reserved share; the bureau returns it once. 陈师傅 orders last week's thirty lines again,
types what stands in the kitchen's chat, and pomelos for the whole school, to which 周副校长 and 李校长 must say yes. On
Tuesday at half past six 王保管 and 赵阿姨 take the van in on one phone: the cabbage is half a kilo short, one crate is
squashed. In November both chairs state the month, and 孙会计 prints what treasury wants to see.

    Tuesday   vegetables   8 × 10 kg × ¥2.00, cabbage 0.5 kg short    159.00   freight 15.00
              chat         25 + 15 kg × ¥2.00, 10 kg × ¥10.00         180.00   freight 15.00
              fruit        a box of pomelos ¥60, one of oranges ¥50   110.00
              for all      99 of 100 boxes of pomelos × ¥60         5,940.00
                                                                    6,389.00
    the week before        3 × (160.00 + 110.00)                      810.00   freight 45.00
    Wednesday, Thursday    2 × (160.00 + 110.00)                      540.00   freight 30.00
"""

import io
import re
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Locator, Page
from pypdf import PdfReader
from sqlalchemy import func, select

from market import clock, db, own_pin
from market.parties import Membership
from orders.approving import rules as approval_rules
from orders.approving.rules import Rule
from orders.inspection.models import InspectionRecord
from orders.models import DeliveryRun, Order, OrderLine, Purchase
from orders.quota import figures, outside
from orders.quota import rules as quota_rules
from tests import terms
from tests.quota_people import Office
from tests.services.test_quota import SHEET
from tests.story.conftest import TWICE, PageAt
from tests.story.test_again import MOST_TAPS, Taps
from tests.story.test_kitchen_door import photo
from tests.story.told import PICTURES, Told
from tests.trade import Trade
from tests.world import GREENS, POMELO, SCHOOL, TODAY, World

pytestmark = pytest.mark.slow
PIN = "739105"
VEGETABLES = ("白菜", "萝卜", "土豆", "冬瓜", "莴笋", "豆角", "茄子", "黄瓜")
TUESDAY = TODAY + timedelta(days=1)
CHAT = "土豆50斤白菜30斤，鸡旦20斤 冬瓜3筐 萝卜"
BEFORE_FEN, TUESDAY_FEN, REST_FEN = 81_000, 638_900, 54_000


class Watch:
    """The clock of the whole site, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def set(self, day: date, hour: int, minute: int = 0) -> None:
        moment = clock.shanghai(day, hour, minute)
        self.monkeypatch.setattr(clock, "_set_to", ContextVar("of the story", default=moment))


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    yield Watch(monkeypatch)


class School:
    """The kitchen, its co-operatives, and what was there before Monday."""

    def __init__(self, world: World, watch: Watch) -> None:
        self.world, self.trade, self.office = world, Trade(world), Office(world)
        watch.set(TODAY - timedelta(days=10), 9)
        self.people()
        terms.move_point(world, self.office.city)
        terms.state(world, freight_fen=1500, free_from_fen=20_000)
        self.goods = {name: self.trade.product(name, by_weight=True) for name in VEGETABLES}
        self.eggs = self.trade.product("鸡蛋", price_fen=1000)
        box = {"unit": "箱", "grams_per_unit": 10_000, "by_weight": False, "minimum_milli": 1000, "step_milli": 1000}
        self.fruit = {name: self.trade.product(name, POMELO, price_fen=fen, **box)
                      for name, fen in (("香柚", 6000), ("脐橙", 5000))}
        for product in (*self.goods.values(), self.eggs):
            self.trade.lot(product, 1000)
        for product in self.fruit.values():
            self.trade.lot(product, 5000)
        self.last_week(watch)

    def people(self) -> None:
        """A deputy who approves above ¥3,000, the head above ¥5,000; a bureau over the school; rules of its share."""
        office, world = self.office, self.world
        office.join("永州演示第一小学", "deputy.zhou", "周副校长", "approver")
        self.bureau = office.join("永州演示教育局", "bureau.tang", "唐科长", "manager", unit_type="agency")
        office.supervise(self.bureau)
        with db.transaction() as session:
            head = world.person("head.li")
            session.add(Membership(user_id=head.id, organisation_id=head.organisation_id, role="leader"))
            approval_rules.replace([Rule("any", 300_000, "approver"), Rule("any", 500_000, "leader")],
                                   world.person("admin.qian"))
            own_pin.put(world.person("aunt.zhao"), PIN)
        office.rule()
        office.rule(duty="832", counts="832", min_points=1000)
        rows, _errors = outside.read_orders(SHEET.format(unit="永州演示第一小学").encode(), quota_rules.unit(self.id))
        with db.transaction():
            outside.keep_orders(rows, "832.csv", world.person("cashier.sun"))

    @property
    def id(self) -> int:
        return self.world.organisation_id(SCHOOL)

    def last_week(self, watch: Watch) -> None:
        """Ten goods on each of three days, ordered the Friday before, delivered and accepted."""
        wanted = {**dict.fromkeys(self.goods.values(), 10_000), **dict.fromkeys(self.fruit.values(), 1_000)}
        days = [TODAY - timedelta(days=days) for days in (6, 5, 4)]
        placed = [self.trade.place(wanted, day=day, window="dawn") for day in days]
        for day, purchase in zip(days, placed, strict=True):
            watch.set(day, 5)
            self.deliver([order.id for order in self.trade.orders(purchase)])

    def deliver(self, order_ids: list[int]) -> None:
        for order_id in order_ids:
            self.trade.ship(order_id)
            self.trade.accept(order_id)

    def bars(self) -> tuple[int, int]:
        """What counts for the local rule and for 832 by now, in fen."""
        db.session().rollback()
        found = figures.progress([self.id], 2026)[self.id]
        return found.local.amount_fen, found.outside.amount_fen


@TWICE
def test_a_schools_week(page_at: PageAt, world: World, watch: Watch, tmp_path: Path, lang: str) -> None:
    school = School(world, watch)
    desk, door = Told(page_at, 1280, lang), Told(page_at, 390, lang)

    watch.set(TODAY, 10)
    the_share_is_filed(desk)
    last_week_is_ordered_again(desk)
    the_chat_is_typed(desk)
    purchase = the_pomelos_are_ordered(desk, school)
    deputy_and_head_say_yes(desk, purchase)
    bars = school.bars()
    both_pack(desk)

    watch.set(TUESDAY, 6, 30)
    desk.pages.clear()
    two_take_the_van_in(door, world, tmp_path)
    assert school.bars() == (bars[0] + TUESDAY_FEN, bars[1]) == (BEFORE_FEN + TUESDAY_FEN, 120_000)
    the_bars_are_seen(desk)
    the_inspector_reads_the_book(desk)

    for days in (1, 2):
        watch.set(TUESDAY + timedelta(days=days), 6, 30)
        school.deliver(orders_of(TUESDAY + timedelta(days=days)))
    watch.set(date(2026, 11, 2), 9)
    desk.pages.clear()
    the_month_is_stated(desk, "chair.shi", GREENS, ("1,139.00", "1,244.00"), "壹仟贰佰肆拾肆元整")
    the_month_is_stated(desk, "chair.he", POMELO, ("6,600.00",), "陆仟陆佰元整")
    assert school.bars() == (BEFORE_FEN + TUESDAY_FEN + REST_FEN, 120_000)


def follow(page: Page, selector: str) -> None:
    """Press a link or button that leads to another page, say yes where it asks, and wait for that page."""
    page.on("dialog", say_yes)
    with page.expect_navigation():
        page.locator(selector).first.click()
    page.remove_listener("dialog", say_yes)


def say_yes(dialog: Dialog) -> None:
    dialog.accept()


# ---- Monday ---------------------------------------------------------------------------------------------------------


FILED = {"canteen_base": "1000000", "canteen_ratio": "19", "contact": "钱主任", "phone": "13900001234",
         "remark": "两个校区一个食堂"}


def the_share_is_filed(desk: Told) -> None:
    """A share below the rule is refused with all that was typed; the bureau returns a wrong base; finance approves."""
    page = desk.of("admin.qian", "/quota")
    desk.look(page, "1-quota-empty")
    follow(page, "main a[href^='/quota/filing']")
    for name, text in FILED.items():
        page.fill(f"[name={name}]", text)
    submit_filing(page)
    desk.look(page, "1-filing-refused")
    assert {name: page.input_value(f"[name={name}]") for name in FILED} == FILED
    page.fill("[name=canteen_ratio]", "20")
    submit_filing(page)
    assert re.search(r"/quota/filings/\d+$", page.url)
    desk.look(page, "1-filing-submitted")
    answer_filing(desk, "bureau.tang", "return", "基数少了分校的食堂")
    page = desk.of("admin.qian", "/desk")
    desk.look(page, "1-desk-returned")
    follow(page, ".waiting-line[href='/quota']")
    follow(page, "main a[href^='/quota/filing?']")
    desk.look(page, "1-filing-returned")
    assert "基数少了分校的食堂" in page.locator("main").inner_text()
    kept = {**FILED, "canteen_base": "1000000.00", "canteen_ratio": "20.00"}
    assert {name: page.input_value(f"[name={name}]") for name in FILED} == kept
    page.fill("[name=canteen_base]", "1200000")
    submit_filing(page)
    answer_filing(desk, "bureau.tang", "approve")
    answer_filing(desk, "budget.ma", "approve")
    page = desk.of("admin.qian", "/quota")
    desk.look(page, "1-quota-approved")
    assert "240,000.00" in page.locator("main").inner_text()


def submit_filing(page: Page) -> None:
    follow(page, "main form button[name=submit][value='1']")


def answer_filing(desk: Told, login: str, decision: str, reason: str = "") -> None:
    """From the line on their own desk to the filing, and back to the list."""
    page = desk.of(login, "/desk" if login == "bureau.tang" else "/office")
    follow(page, ".waiting-line[href*='quota']")
    desk.look(page, f"1-filings-{login}-{decision}")
    follow(page, "main a[href*='/quota/filings/']")
    page.check(f"input[name=decision][value={decision}]")
    page.fill("[name=reason]", reason)
    desk.look(page, f"1-filing-{login}-{decision}")
    follow(page, "form[action$='/review'] button, form[action$='/decision'] button")


def last_week_is_ordered_again(desk: Told) -> None:
    page = desk.of("cook.chen", "/desk")
    desk.look(page, "2-desk")
    taps = Taps(page)
    taps.on("a[href='/order-again']")
    desk.look(page, "2-again")
    assert page.locator(".cart-line").count() == 30
    assert "855.00" in page.locator(".sum-bar").inner_text()  # with the freight of three days
    taps.on("button[formaction$='/order-draft/purchases']")
    page.wait_for_url(re.compile(r"/desk"))
    desk.look(page, "2-desk-after")
    assert taps.count <= MOST_TAPS
    assert "855.00" in page.locator("main").inner_text()
    db.session().rollback()
    assert db.session().scalar(select(func.count()).select_from(OrderLine)) == 60


def the_chat_is_typed(desk: Told) -> None:
    """Nobody knows 鸡旦, no gourd is sold by the basket, and how many radishes?"""
    page = desk.of("cook.chen", "/quick-order")
    page.fill("#text", CHAT)
    page.locator("button[formaction$='/quick-order']").first.click()
    page.wait_for_selector(".unknown-words")
    desk.look(page, "3-chat-read")
    assert page.input_value("#text") == CHAT
    assert page.locator(".unknown-words li strong").all_inner_texts() == ["鸡旦20斤"]
    wrong = page.locator(".cart-line.is-wrong").all_inner_texts()
    assert len(wrong) == 2 and "冬瓜3筐" in wrong[0] and "萝卜" in wrong[1], wrong
    page.fill("input[name='renames-0-name']", "鸡蛋")
    page.locator(".unknown-words button").first.click()
    page.wait_for_selector("input[name$='-remember']")
    desk.look(page, "3-chat-mended")
    assert page.input_value("#text") == CHAT
    follow(page, "button[formaction$='/order-draft/purchases']")
    desk.look(page, "3-chat-ordered")
    assert "195.00" in page.locator(".grand-total").inner_text()  # goods 180.00, freight 15.00


def the_pomelos_are_ordered(desk: Told, school: School) -> int:
    """Above ¥5,000; returns the purchase, which waits."""
    page = desk.of("cook.chen", f"/products/{school.fruit['香柚']}")
    page.fill("input[name=quantity_milli]", "100")
    follow(page, "form.order-form button[type=submit]")
    page.check("main input[name=delivery_window][value=dawn]")
    desk.look(page, "4-cart")
    follow(page, ".sum-bar button")
    desk.look(page, "4-purchase-waits")
    return int(page.url.rsplit("/", 1)[1])


def deputy_and_head_say_yes(desk: Told, purchase: int) -> None:
    """Who ordered is offered no button, and pressing it all the same changes nothing."""
    approval = f"form[action='/purchases/{purchase}/approval']"
    page = desk.of("cook.chen", f"/purchases/{purchase}")
    assert page.locator(approval).count() == 0
    token = page.locator("input[name=csrf_token]").first.input_value()
    answer = page.request.post(f"/purchases/{purchase}/approval", form={"csrf_token": token, "decision": "approve"})
    assert answer.status == 403 and approval_of(purchase) == "waiting"
    for login in ("deputy.zhou", "head.li"):
        page = desk.of(login, "/desk")
        desk.look(page, f"4-desk-{login}")
        follow(page, f"main a[href='/purchases/{purchase}']")
        desk.look(page, f"4-purchase-{login}")
        follow(page, f"{approval}:has(input[value=approve]) button")
        desk.look(page, f"4-said-yes-{login}")
        assert approval_of(purchase) == ("waiting" if login == "deputy.zhou" else "approved")


def approval_of(purchase: int) -> str:
    db.session().rollback()
    return db.session().scalars(select(Purchase.approval).where(Purchase.id == purchase)).one()


def orders_of(day: date) -> list[int]:
    db.session().rollback()
    return list(db.session().scalars(select(Order.id).where(Order.delivery_day == day).order_by(Order.id)))


def both_pack(desk: Told) -> None:
    """Each co-operative packs what is on its own list for tomorrow."""
    for login in ("clerk.zhang", "clerk.lv"):
        for at in range(2):
            page = desk.of(login, "/village/orders")
            desk.look(page, f"5-to-pack-{login}-{at}")
            follow(page, "main a[href^='/village/orders/']")
            follow(page, "main a[href$='/shipment']")
            desk.look(page, f"5-packing-{login}-{at}")
            follow(page, "form.form .form-actions button[type=submit]")
    db.session().rollback()
    assert db.session().scalars(select(DeliveryRun.day).where(DeliveryRun.state == "open")).all() == [TUESDAY]


# ---- Tuesday --------------------------------------------------------------------------------------------------------


def two_take_the_van_in(door: Told, world: World, folder: Path) -> None:
    page = door.of("store.wang", "/handover")
    door.look(page, "5-handover")
    follow(page, "a.task")
    assert page.locator("article.scale-line").count() == 14
    cabbage = line(page, "白菜").first
    cabbage.locator("summary").click()
    cabbage.locator("input[data-amount]").fill("9.5")
    crates = line(page, "香柚").last
    crates.locator("summary").click()
    crates.locator("input[data-amount]").fill("99")
    crates.locator("select[name$='-reason']").select_option("damaged")
    crates.locator("input[type=file]").set_input_files(photo(folder))
    page.locator(f"label.choice:has(input[name=second_id][value='{world.person('aunt.zhao').id}'])").click()
    page.fill("input[name=second_password]", PIN)
    page.locator("label.choice:has(input[name=documents_seen])").click()
    door.look(page, "5-van")
    follow(page, ".sum-bar button[type=submit]")
    assert page.url.endswith("/sheet")
    door.look(page, "5-sheet")
    assert "6,389.00" in page.locator("body").inner_text()


def line(page: Page, goods: str) -> Locator:
    return page.locator("article.scale-line", has_text=goods)


def the_bars_are_seen(desk: Told) -> None:
    page = desk.of("head.li", "/quota")
    desk.look(page, "7-quota")
    local, other = page.locator("main section.panel").all_inner_texts()[:2]
    assert "7,199.00" in local and "240,000.00" in local, local
    assert "1,200.00" in other and "7,199" not in other, other


def the_inspector_reads_the_book(desk: Told) -> None:
    page = desk.of("store.wang", f"/inspection?from={TUESDAY}&to={TUESDAY}")
    desk.look(page, "6-inspection")
    follow(page, "main a[href*='/inspection/print']")
    desk.look(page, "6-inspection-print")
    rows = page.locator("tbody tr").all_inner_texts()
    assert len(rows) == 14
    assert any("香柚" in row and "99" in row for row in rows), rows
    paper = words(page.pdf(prefer_css_page_size=True), "6-inspection")
    assert all(text in paper for text in ("99箱", "1箱", "9.5公斤", "王保管", "赵阿姨", "2027-05-11")), paper
    db.session().rollback()
    rejected = db.session().execute(select(InspectionRecord.product_name, InspectionRecord.rejected_milli)
                                    .where(InspectionRecord.rejected_milli > 0)).all()
    assert [tuple(row) for row in rejected] == [("香柚", 1000)]


# ---- November -------------------------------------------------------------------------------------------------------


def the_month_is_stated(desk: Told, chair: str, supplier: str, sums: tuple[str, ...], capitals: str) -> None:
    """The chair issues it, 孙会计 agrees, and prints what treasury wants to see: goods, goods with freight."""
    page = desk.of(chair, "/documents/statements")
    desk.look(page, f"6-statements-{supplier}")
    follow(page, "form[method=post][action='/documents/statements'] button")
    page = desk.of("cashier.sun", "/desk")
    follow(page, ".waiting-line[href='/documents/statements']")
    follow(page, "main tbody a")
    follow(page, "form[action$='/confirmation'] button")
    desk.look(page, f"6-statement-{supplier}")
    for text in sums:
        assert text in page.locator("main").inner_text()
    for link in ("statement.pdf", "payment-request.pdf"):
        text = printed(page, page.locator(f"main a[href$='/{link}']").get_attribute("href"), f"{supplier}-{link}")
        for amount in (*sums, capitals):
            assert amount in text, (link, amount, text)


def printed(page: Page, address: Any, name: str) -> str:
    """The words of a paper as it is sent to be printed."""
    answer = page.request.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    return words(answer.body(), name)


def words(pdf: bytes, name: str) -> str:
    """All words of a PDF without blanks; the file is kept where somebody wants to look."""
    if PICTURES:
        (Path(PICTURES) / name).with_suffix(".pdf").write_bytes(pdf)
    return "".join("".join(sheet.extract_text().split()) for sheet in PdfReader(io.BytesIO(pdf)).pages)
