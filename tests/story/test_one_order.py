"""The main story, told by people at a browser: a cook's order, a van, a scale, a bank transfer, an official's report.

陈师傅 of 永州演示第一小学 orders cabbage and lettuce of one co-operative and pomelos of another. The lettuce is cut to
order. One van brings everything; 王保管 and 赵阿姨 weigh it on one phone: cabbage 0.5 kg short, lettuce 0.2 kg over,
pomelos at ¥54 instead of ¥60. 孙会计 pays both, both chairs find the money, 金局长 reads the month.

    cabbage  9.5 kg × ¥2.00 =  19.00   farm gate  9.5 kg × ¥1.20 = 11.40
    lettuce  6.2 kg × ¥5.00 =  31.00   farm gate  6.2 kg × ¥3.00 = 18.60
    pomelo   2 boxes × ¥54 =  108.00   farm gate  20 kg  × ¥3.20 = 64.00
    the month                 158.00                               94.00   59.5 %
"""

import re

import pytest
from playwright.sync_api import Locator, Page

from market import clock, db
from market.access import Visitor
from orders.models import DeliveryRun, Order
from tests.story.conftest import FOUR_TIMES, PageAt
from tests.story.told import Told, press
from tests.trade import Trade
from tests.web.test_handover import photo
from tests.world import GREENS, PASSWORD, POMELO, World

pytestmark = pytest.mark.slow


@FOUR_TIMES
def test_from_the_cart_to_the_report(page_at: PageAt, world: World, width: int, lang: str) -> None:
    told = Told(page_at, width, lang)
    trade = Trade(world)
    cabbage = trade.product("白菜", price_fen=200)
    lettuce = trade.product("生菜", price_fen=500, supply="daily", daily_milli=100_000)
    pomelo = trade.product("香柚", POMELO, price_fen=6000, unit="箱", grams_per_unit=10_000, by_weight=False,
                           minimum_milli=1000, step_milli=1000)
    trade.lot(cabbage, 100, farm_gate_fen=120)
    trade.lot(pomelo, 200, farm_gate_fen=320)

    the_cook_orders(told, {cabbage: "10", lettuce: "6", pomelo: "2"})
    greens, pomelos = sorted(trade_orders(), key=lambda order: order.supplier_id != world.organisation_id(GREENS))
    the_lettuce_is_cut_and_confirmed(told, lettuce)
    both_pack(told, greens, pomelos)
    two_people_weigh(told, world.person("aunt.zhao"))
    the_unit_pays_and_the_chairs_find_it(told, {greens.id: "50.00", pomelos.id: "108.00"})
    the_villages_are_paid(trade, world)
    the_official_reads_the_month(told)


def trade_orders() -> list[Order]:
    db.session().rollback()
    return db.session().query(Order).order_by(Order.id).all()


def the_cook_orders(told: Told, wishes: dict[int, str]) -> None:
    for product, quantity in wishes.items():
        page = told.of("cook.chen", f"/products/{product}")
        page.fill("input[name=quantity_milli]", quantity)
        told.look(page, f"product-{product}")
        page.click("form.order-form button[type=submit]")
    page = told.of("cook.chen", "/cart")
    assert "¥170.00" in page.locator(".sum-bar").inner_text()
    told.look(page, "cart")
    page.locator(".sum-bar button").click()
    page.wait_for_url(re.compile(r"/purchases/\d+"))
    told.look(page, "purchase")
    assert "170.00" in page.locator("main").inner_text()


def the_lettuce_is_cut_and_confirmed(told: Told, lettuce: int) -> None:
    page = told.of("clerk.zhang", f"/village/lots/new?product={lettuce}")
    page.fill("input[name=farm_gate_fen_per_kg]", "3.00")
    page.fill("input[name$='-member'] >> nth=0", "M001")
    page.fill("input[name$='-grams'] >> nth=0", "6.2")
    told.look(page, "lot-new")
    page.locator("form.form .form-actions button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/village/lots/\d+"))
    told.look(page, "lot")
    page = told.of("village.cao", "/office/lots")
    told.look(page, "lots-waiting")
    page.locator("main a[href^='/office/lots/']").first.click()
    press(page, "form[action$='/confirmation'] button")
    page.wait_for_load_state()


def both_pack(told: Told, greens: Order, pomelos: Order) -> None:
    page = told.of("clerk.zhang", f"/village/orders/{greens.id}/shipment")
    lettuce = page.locator("fieldset", has_text=re.compile("生菜"))
    lettuce.locator("input[name$='-packed_milli']").first.fill("6.2")
    told.look(page, "packing")
    page.locator("form.form .form-actions button[type=submit]").click()
    page.wait_for_url(re.compile(r"/village/orders/\d+$"))
    page = told.of("clerk.lv", f"/village/orders/{pomelos.id}/shipment")
    page.locator("form.form .form-actions button[type=submit]").click()
    page.wait_for_url(re.compile(r"/village/orders/\d+$"))
    told.look(page, "shipped")


def two_people_weigh(told: Told, second: Visitor) -> None:
    driver = told.page_at(width=told.width, lang=told.lang)
    token, code = run_of_today()
    driver.goto(f"/van/{token}")
    told.look(driver, "van")
    assert code in driver.locator("main").inner_text().replace(" ", "")
    page = told.of("store.wang", "/handover")
    page.fill("input[name=code]", code)
    page.press("input[name=code]", "Enter")
    page.wait_for_url(re.compile(r"/runs/\d+/acceptance"))
    line(page, "白菜").locator("summary").click()
    line(page, "白菜").locator("input[data-amount]").fill("9.5")
    assert line(page, "生菜").locator("input[data-amount]").input_value() == "6.2"  # as on the note
    pomelo = line(page, "香柚")
    pomelo.locator("summary").click()
    pomelo.locator("input[name$='-price_fen']").fill("54")
    pomelo.locator("select[name$='-reason']").select_option(index=1)
    pomelo.locator("input[type=file]").set_input_files(
        {"name": "crate.png", "mimeType": "image/png", "buffer": photo()[0].read()})
    page.locator(f"label.choice:has(input[name=second_id][value='{second.id}'])").click()
    page.fill("input[name=second_password]", PASSWORD)
    page.locator("label.choice:has(input[name=documents_seen])").click()
    told.look(page, "acceptance")
    page.locator(".sum-bar button[type=submit]").click()
    page.wait_for_url(re.compile(r"/runs/\d+/sheet"))
    told.look(page, "sheet")
    assert "158.00" in page.locator("body").inner_text()


def run_of_today() -> tuple[str, str]:

    db.session().rollback()
    run = db.session().query(DeliveryRun).one()
    return run.token, run.code


def line(page: Page, goods: str) -> Locator:
    return page.locator("article.scale-line", has_text=goods)


def the_unit_pays_and_the_chairs_find_it(told: Told, amounts: dict[int, str]) -> None:
    for order_id, amount in amounts.items():
        page = told.of("cashier.sun", f"/orders/{order_id}/payment-claims")
        assert page.input_value("input[name=amount_fen]") == amount
        told.look(page, "claim")
        page.locator("form[action$='/payment-claims'] button[type=submit]").click()
        page.wait_for_load_state()
    for chair in ("chair.shi", "chair.he"):
        page = told.of(chair, "/village/payments")
        told.look(page, "payments")
        page.locator("main a[href*='/village/payment-claims/']").first.click()
        press(page, "form[action$='/receipt'] button")
        page.wait_for_load_state()
    assert {order.payment for order in trade_orders()} == {"paid"}


def the_villages_are_paid(trade: Trade, world: World) -> None:
    trade.pay_out(world.organisation_id(GREENS), world.villages["greens_home"], "farm_gate", 3000)
    trade.pay_out(world.organisation_id(POMELO), world.villages["pomelo_home"], "farm_gate", 6400)


def the_official_reads_the_month(told: Told) -> None:
    month = clock.period_of(clock.today())
    page = told.of("official.jin", f"/reports/village-income?from={month}&to={month}")
    told.look(page, "report")
    totals = page.locator("tfoot tr").inner_text()
    for figure in ("158.00", "94.00", "59.5%"):
        assert figure in totals, (figure, totals)
    rows = page.locator("tbody tr").all_inner_texts()
    assert any("50.00" in row and "30.00" in row and "60.0%" in row for row in rows), rows
    assert any("108.00" in row and "64.00" in row for row in rows), rows
