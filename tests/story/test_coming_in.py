"""A co-operative comes in and sells: told by people at a browser, the co-operative on a phone.

周桂香 applies for 清溪合作社 of 江永县; the township sends her back once, for a blurred licence. Township, both county
offices and the platform let her in. She uploads her licence, lists taro with a pity word and is sent back for it,
lists it again; the county approves. Two members of two villages bring 60 斤 and 40 斤 to one lot, the township
confirms it, 陈师傅 orders 30 斤, two people weigh it at the kitchen door, and the QR on the lot's page opens its trace.
"""

import io
import re
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page
from sqlalchemy import select

from catalog.models import Lot, Product
from market import db
from market.parties import Organisation
from market.places import Division
from orders.models import DeliveryRun, Order
from tests.entries import code
from tests.goods import shelves
from tests.story.conftest import TWICE, PageAt
from tests.story.told import Told, press
from tests.world import PASSWORD, World

pytestmark = pytest.mark.slow
SECRET = "four-villages-sell"
MOBILE = "13800001234"


@TWICE
def test_from_the_application_to_the_trace(page_at: PageAt, world: World, tmp_path: Path, lang: str) -> None:
    shelves()
    photo = tmp_path / "执照.jpg"
    Image.new("RGB", (800, 600), "white").save(photo)
    phone, desks = Told(page_at, 390, lang), Told(page_at, 1280, lang)
    she = phone.page_at(width=390, lang=lang)
    phone.pages[MOBILE] = she

    apply(phone, she, photo)
    decide(desks, "township.yan", "returned", "执照照片看不清")
    mend(phone, she, photo)
    for official in ("township.yan", "official.hua", "farm.luo", "system.tao"):
        decide(desks, official, "passed", "实地看过，情况属实")
    come_in(phone, she)
    upload_licence(phone, she, photo)
    members = join_members(phone, she)
    list_taro(phone, she, photo)
    approve_listing(desks)
    weigh_in(phone, she, members)
    confirm_lot(desks)
    order(desks)
    pack(phone, she)
    take_in(desks, world)
    scan(phone, she)


def apply(phone: Told, she: Page, photo: Path) -> None:
    """Registers, answers a few questions a page, hands in."""
    she.goto("/")
    she.goto("/sell")
    phone.look(she, "sell")
    she.locator("main a[href='/sell/register']").first.click()
    for name, text in {"organisation": "清溪合作社", "name": "周桂香", "mobile": MOBILE, "password": SECRET}.items():
        she.fill(f"input[name={name}]", text)
    phone.look(she, "register")
    save(she)
    she.wait_for_url(re.compile("/sell/application$"))
    phone.look(she, "application-empty")
    she.goto("/sell/application/who")
    she.check("input[name=supplier_type][value=cooperative]")
    for name, text in {"name": "江永县清溪种植专业合作社", "short_name": "清溪合作社",
                       "credit_code": code("N2", 7)}.items():
        she.fill(f"input[name={name}]", text)
    phone.look(she, "application-who")
    save(she)
    she.wait_for_url(re.compile("/sell/application/village"))
    she.fill("main input[name=q]", home_township())
    she.press("main input[name=q]", "Enter")
    she.locator("input[name=village]").first.check()
    phone.look(she, "application-village")
    save(she)
    she.wait_for_url(re.compile("/sell/application/contact"))
    for name, text in {"legal_person": "周桂香", "mobile": MOBILE, "bank_name": "演示农商行",
                       "bank_account": "6200000012345678"}.items():
        she.fill(f"input[name={name}]", text)
    save(she)
    she.wait_for_url(re.compile("/sell/application/goods"))
    she.fill("input[name=name]", "香芋")
    she.select_option("select[name=category]", "leaf")
    she.fill("input[name=yearly_grams]", "20000")
    she.check("input[name='harvest_months[]'][value='10']")
    phone.look(she, "application-goods")
    save(she)
    she.goto("/sell/application/capacity")
    she.fill("textarea[name=capacity]", "三十亩地，一个冷库")
    save(she)
    she.wait_for_url(re.compile("/sell/application/linkages"))
    she.select_option("select[name=kind]", "buy_back")
    she.fill("input[name=households]", "30")
    she.fill("textarea[name=note]", "三十户每年把香芋卖给合作社，每斤高于市价两角")
    she.set_input_files("input[name=file]", photo)
    save(she)
    add_paper(she, photo)
    she.goto("/sell/application")
    phone.look(she, "application-full")
    hand_in(she)


def home_township() -> str:
    """The township of 江永县 whose officer examines the application."""
    return db.session().scalars(
        select(Division.name).join(Organisation, Organisation.division_id == Division.id)
        .where(Organisation.office_kind == "township")).one()


def save(page: Page) -> None:
    """The main button of the form."""
    page.locator("main form .form-actions button[type=submit]").first.click()


def add_paper(she: Page, photo: Path) -> None:
    she.goto("/sell/application/papers")
    she.check("input[name=kind][value=licence]")
    she.set_input_files("input[name=file]", photo)
    save(she)
    she.wait_for_load_state()


def hand_in(she: Page) -> None:
    she.locator("form[action$='/submission'] button").click()
    she.wait_for_load_state()


def decide(desks: Told, login: str, decision: str, reason: str) -> None:
    """An officer finds the application on the desk and answers."""
    page = desks.of(login, "/office/applications")
    desks.look(page, f"applications-{login}")
    page.locator("main a[href^='/office/applications/']").first.click()
    page.check(f"input[name=decision][value={decision}]")
    page.fill("[name=reason]", reason)
    desks.look(page, f"application-{login}-{decision}")
    page.locator("form[action$='/decision'] button[type=submit]").click()
    page.wait_for_url(re.compile("/office/applications$"))


def mend(phone: Told, she: Page, photo: Path) -> None:
    """Reads why it came back; what she typed is still there."""
    she.goto("/sell/application")
    phone.look(she, "application-returned")
    assert "执照照片看不清" in she.locator("main").inner_text()
    she.goto("/sell/application/capacity")
    assert she.input_value("textarea[name=capacity]") == "三十亩地，一个冷库"
    add_paper(she, photo)
    she.goto("/sell/application")
    hand_in(she)


def come_in(phone: Told, she: Page) -> None:
    she.goto("/sell/application")
    phone.look(she, "application-admitted")
    she.goto("/village")
    phone.look(she, "village-new")
    assert she.locator(".waiting-line.is-overdue[href*='kind=licence']").count() == 1


def upload_licence(phone: Told, she: Page, photo: Path) -> None:
    she.goto("/village/papers")
    phone.look(she, "papers-missing")
    she.locator(".papers-missing a[href*='kind=licence']").click()
    she.set_input_files("input[name=file]", photo)
    for name, text in {"number": "N2431125", "issuer": "江永县市场监督管理局", "issued_on": "2026-01-05",
                       "valid_until": "2036-01-04"}.items():
        she.fill(f"input[name={name}]", text)
    phone.look(she, "paper-new")
    save(she)
    she.wait_for_url(re.compile(r"/village/papers"))
    phone.look(she, "papers")


def join_members(phone: Told, she: Page) -> list[str]:
    """Two households of two villages of her township."""
    members = [("001", "刘大山", 1), ("002", "蒋小红", 2)]
    for number, name, village in members:
        she.goto("/village/members/new")
        she.fill("input[name=member_no]", number)
        she.fill("input[name=head_name]", name)
        she.select_option("select[name=village]", index=village)
        she.fill("input[name=people]", "4")
        save(she)
        she.wait_for_load_state()
    she.goto("/village/members")
    phone.look(she, "members")
    return [name for _number, name, _village in members]


def list_taro(phone: Told, she: Page, photo: Path) -> None:
    """The first time the word is named at its field; without it the goods wait for the county."""
    she.goto("/village/products/new")
    she.fill("input[name=name]", "香芋")
    she.select_option("select[name=category]", "leaf")
    she.select_option("select[name=village]", index=1)
    she.check("input[name=supply][value=stocked]")
    for name, text in {"price_fen": "2.50", "grams_per_unit": "0.5", "minimum_milli": "5", "step_milli": "1"}.items():
        she.fill(f"input[name={name}]", text)
    she.select_option("select[name=unit]", "斤")
    she.fill("textarea[name=description]", "今年滞销，请大家帮忙")
    she.set_input_files("input[name=photo]", photo)
    save(she)
    assert "滞销" in she.locator("#description-error").inner_text()
    phone.look(she, "product-refused")
    assert db.session().scalar(select(Product.id).where(Product.name == "香芋")) is None
    she.fill("textarea[name=description]", "粉糯带香，蒸、烧都好")
    save(she)
    she.wait_for_url(re.compile(r"/village/products"))
    phone.look(she, "product-waiting")
    assert taro().state == "waiting"


def taro() -> Product:
    db.session().rollback()
    return db.session().scalars(select(Product).where(Product.name == "香芋")).one()


def approve_listing(desks: Told) -> None:
    page = desks.of("official.hua", "/office/listings")
    desks.look(page, "listings")
    page.locator("main a[href^='/office/listings/']").first.click()
    page.wait_for_url(re.compile(r"/office/listings/\d+"))
    desks.look(page, "listing")
    page.locator("form[action$='/approval'] button").click()
    page.wait_for_load_state()
    assert taro().state == "listed"


def weigh_in(phone: Told, she: Page, members: list[str]) -> None:
    """Two baskets on the scale: 62 less 2 斤 and 41.5 less 1.5 斤."""
    she.goto(f"/village/weigh-in?product={taro().id}")
    she.fill("input[name=farm_gate_fen_per_kg]", "1.50")
    for row, (member, gross, tare) in enumerate(zip(members, ("62", "41.5"), ("2", "1.5"), strict=True)):
        she.fill(f"input[name=contributions-{row}-member]", member)
        she.fill(f"input[name=contributions-{row}-gross]", gross)
        she.fill(f"input[name=contributions-{row}-tare]", tare)
    phone.look(she, "weigh-in")
    she.locator(".sum-bar button[type=submit]").click()
    she.wait_for_url(re.compile(r"/village/weigh-in/\d+"))
    phone.look(she, "weighed-in")


def confirm_lot(desks: Told) -> None:
    page = desks.of("township.yan", "/office/lots")
    page.locator("main a[href^='/office/lots/']").first.click()
    page.wait_for_url(re.compile(r"/office/lots/\d+"))
    desks.look(page, "lot-to-confirm")
    press(page, "form[action$='/confirmation'] button")
    page.wait_for_load_state()
    db.session().rollback()
    lot = db.session().scalars(select(Lot)).one()
    assert (lot.total_grams, lot.confirmed_at is not None) == (50_000, True)


def order(desks: Told) -> None:
    page = desks.of("cook.chen", f"/products/{taro().id}")
    desks.look(page, "product-in-the-shop")
    page.fill("input[name=quantity_milli]", "30")
    page.click("form.order-form button[type=submit]")
    page = desks.of("cook.chen", "/cart")
    page.locator(".sum-bar button").click()
    page.wait_for_url(re.compile(r"/purchases/\d+"))


def pack(phone: Told, she: Page) -> None:
    db.session().rollback()
    placed = db.session().scalars(select(Order)).one()
    she.goto("/village")
    phone.look(she, "village-to-pack")
    she.goto(f"/village/orders/{placed.id}/shipment")
    phone.look(she, "packing-taro")
    save(she)
    she.wait_for_url(re.compile(r"/village/orders/\d+$"))


def take_in(desks: Told, world: World) -> None:
    """陈师傅's goods are weighed by two others."""
    db.session().rollback()
    run = db.session().scalars(select(DeliveryRun)).one()
    page = desks.of("store.wang", "/handover")
    page.fill("input[name=code]", run.code)
    page.press("input[name=code]", "Enter")
    page.wait_for_url(re.compile(r"/runs/\d+/acceptance"))
    page.locator("article.scale-line summary").click()
    page.locator("article.scale-line input[data-amount]").fill("15")
    page.locator(f"label.choice:has(input[name=second_id][value='{world.person('aunt.zhao').id}'])").click()
    page.fill("input[name=second_password]", PASSWORD)
    page.locator("label.choice:has(input[name=documents_seen])").click()
    page.locator(".sum-bar button[type=submit]").click()
    page.wait_for_url(re.compile(r"/runs/\d+/sheet"))
    desks.look(page, "sheet-with-lot")


def scan(phone: Told, she: Page) -> None:
    """Anybody's phone reads the code on the lot's page and sees the way from two villages to a school."""
    db.session().rollback()
    lot = db.session().scalars(select(Lot)).one()
    she.goto(f"/village/lots/{lot.id}")
    address = read_code(she)
    passer_by = phone.page_at(width=390, lang=phone.lang)
    passer_by.goto(address)
    phone.look(passer_by, "trace")
    said = passer_by.locator("main").inner_text()
    assert lot.code in said
    for weight in ("30", "20"):  # kilograms of either village
        assert re.search(rf" {weight}\s", said), said
    for private in ("刘大山", "蒋小红", "周桂香", MOBILE):
        assert private not in said


def read_code(page: Page) -> str:
    """What a phone's camera makes of the QR on a page."""
    picture = Image.open(io.BytesIO(page.locator(".qr-code svg").first.screenshot()))
    found = zxingcpp.read_barcodes(picture.resize((picture.width * 2, picture.height * 2)))
    assert len(found) == 1
    return str(found[0].text)
