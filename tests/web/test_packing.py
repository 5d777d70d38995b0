"""The co-operative's side of an order: what is to pack, packing it, the papers, the money, the villages' income."""

import re
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select

from catalog.models import Lot
from market import clock, db, files, journal, ledger
from market.files import StoredFile
from orders.models import Order, PaymentClaim, ShipmentLine
from tests.trade import TOMORROW, Trade
from tests.web.counting import statements
from tests.web.forms import send
from tests.world import GREENS, HOSPITAL, NOON, TODAY


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade) -> int:
    return trade.product("卷心菜", price_fen=200)


def ordered(trade: Trade, goods: dict[int, int], **more) -> int:
    return trade.orders(trade.place(goods, **more))[0].id


def state_of(order_id: int) -> str:
    return db.session().get_one(Order, order_id, populate_existing=True).state


def packed_rows() -> list[tuple[int, int]]:
    lines = select(ShipmentLine.lot_id, ShipmentLine.packed_milli).order_by(ShipmentLine.id)
    return [tuple(row) for row in db.session().execute(lines)]


def proposal(page: str) -> dict[str, str]:
    """The packing form as the page proposes it."""
    found = re.findall(r'<input[^>]*name="(lines-[^"]+)"[^>]*value="([^"]*)"', page)
    return dict(found)


# ---- packing --------------------------------------------------------------------------------------------------------


def test_packing_what_is_proposed_sends_the_order_and_gives_the_driver_code_and_link(world, trade, cabbage):
    lot = trade.lot(cabbage)
    order_id = ordered(trade, {cabbage: 10_000})
    clerk = world.logged_in("clerk.zhang")
    form = proposal(clerk.get(f"/village/orders/{order_id}/shipment").text)
    assert form["lines-0-packed_milli"] == "10"
    answer = send(clerk, f"/village/orders/{order_id}/shipment", **form)
    assert answer.status_code == 303
    assert packed_rows() == [(lot, 10_000)]
    page = clerk.get(answer.location).text
    link = re.search(r'href="(http://localhost/van/[^"]+)"', page)[1]
    assert re.search(r'driver-digits">\d{6}<', page)
    assert world.app.test_client().get(link).status_code == 200
    note = clerk.get(f"/village/orders/{order_id}/note").text
    assert note.count("卷心菜") == 2  # two copies
    assert "永州市 江永县" not in note
    assert "新田县" in note


def test_short_packing_and_another_lot_than_held_are_allowed(world, trade, cabbage):
    held, other = trade.lot(cabbage, kg=10), trade.lot(cabbage, kg=50)
    order_id = ordered(trade, {cabbage: 10_000})
    line = trade.lines(order_id)[0].id
    clerk = world.logged_in("clerk.zhang")
    answer = send(clerk, f"/village/orders/{order_id}/shipment", **{
        "lines-0-line_id": str(line), "lines-0-lot_id": str(held), "lines-0-packed_milli": "",
        "lines-1-line_id": str(line), "lines-1-lot_id": str(other), "lines-1-packed_milli": "7.5"})
    assert answer.status_code == 303
    assert packed_rows() == [(other, 7500)]
    assert trade.stock_of(held) == (10_000, 0)
    assert trade.stock_of(other) == (42_500, 0)


def test_more_than_a_lot_holds_is_refused_and_what_was_typed_stays(world, trade, cabbage):
    trade.lot(cabbage, kg=20)
    order_id = ordered(trade, {cabbage: 10_000})
    clerk = world.logged_in("clerk.zhang")
    form = proposal(clerk.get(f"/village/orders/{order_id}/shipment").text)
    answer = send(clerk, f"/village/orders/{order_id}/shipment", **form | {"lines-0-packed_milli": "21"})
    assert answer.status_code == 409
    assert 'value="21"' in answer.text
    empty = send(clerk, f"/village/orders/{order_id}/shipment", **form | {"lines-0-packed_milli": "0"})
    assert empty.status_code == 422
    assert state_of(order_id) == "placed"


def test_goods_harvested_to_order_lead_to_booking_and_wait_for_the_village(world, trade):
    greens = trade.product("小白菜", supply="daily", daily_milli=50_000)
    order_id = ordered(trade, {greens: 5000})
    clerk = world.logged_in("clerk.zhang")
    page = clerk.get(f"/village/orders/{order_id}/shipment").text
    booking = re.search(r'href="(/village/weigh-in[^"]+)"', page)[1].replace("&amp;", "&")
    form = clerk.get(booking).text
    assert f'name="product_id" value="{greens}"' in form
    back = re.search(r'name="next" value="([^"]+)"', form)[1]
    answer = send(clerk, "/village/weigh-in", page=booking, **{
        "product_id": str(greens), "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": "0.60", "next": back,
        "contributions-0-member": "M001", "contributions-0-gross": "12"})
    assert f'href="/village/orders/{order_id}/shipment"' in clerk.get(answer.location).text
    lot = db.session().scalars(select(Lot.id)).one()
    waiting = clerk.get(f"/village/orders/{order_id}/shipment").text
    assert f'-lot_id" value="{lot}"' not in waiting
    assert re.search(r"L261012-\w{7}", waiting)
    line = trade.lines(order_id)[0].id
    form = {"lines-0-line_id": str(line), "lines-0-lot_id": str(lot), "lines-0-packed_milli": "5"}
    assert send(clerk, f"/village/orders/{order_id}/shipment", **form).status_code == 409
    send(world.logged_in("village.cao"), f"/office/lots/{lot}/confirmation", page=f"/office/lots/{lot}")
    assert send(clerk, f"/village/orders/{order_id}/shipment", **form).status_code == 303
    assert state_of(order_id) == "shipped"


def test_a_sent_form_sent_again_ships_once(world, trade, cabbage):
    trade.lot(cabbage)
    order_id = ordered(trade, {cabbage: 10_000})
    clerk = world.logged_in("clerk.zhang")
    form = proposal(clerk.get(f"/village/orders/{order_id}/shipment").text) | {"submit_token": "one"}
    assert [send(clerk, f"/village/orders/{order_id}/shipment", page="/account", **form).status_code
            for _ in range(2)] == [303, 303]
    assert len(packed_rows()) == 1
    late = send(clerk, f"/village/orders/{order_id}/shipment", page="/account", **form | {"submit_token": "two"})
    assert late.status_code == 409


def test_foreign_and_unapproved_orders_are_unknown(world, trade, cabbage):
    trade.lot(cabbage)
    order_id = ordered(trade, {cabbage: 1000})
    claim = trade.pay(order_id, 100, confirmed=False)
    stranger = world.logged_in("chair.he")
    for path in (f"/village/orders/{order_id}", f"/village/orders/{order_id}/shipment",
                 f"/village/orders/{order_id}/note", f"/village/payment-claims/{claim}",
                 f"/village/payment-claims/{claim}/voucher"):
        assert stranger.get(path).status_code == 404, path
    for path in (f"/village/orders/{order_id}/shipment", f"/village/payment-claims/{claim}/receipt"):
        assert send(stranger, path, page="/account", **{
            "lines-0-line_id": "1", "lines-0-lot_id": "1", "lines-0-packed_milli": "1"}).status_code == 404
    with db.transaction() as session:
        session.get_one(Order, order_id).state = "waiting"
    own = world.logged_in("clerk.zhang")
    assert own.get(f"/village/orders/{order_id}").status_code == 404
    assert db.session().get_one(Order, order_id).number not in own.get("/village/orders?tab=done").text


def test_the_morning_list_sums_goods_over_orders(world, trade, cabbage):
    trade.lot(cabbage)
    first, second = ordered(trade, {cabbage: 10_000}), ordered(trade, {cabbage: 2500}, by="cook.wu", unit=HOSPITAL)
    clerk = world.logged_in("clerk.zhang")
    page = clerk.get(f"/village/orders/packing-list?day={TOMORROW}").text
    assert ">12.5&nbsp;" in page
    assert "永州演示医院" in page
    trade.ship(second)
    assert ">12.5&nbsp;" not in clerk.get("/village/orders/packing-list").text  # tomorrow, unless a day is named
    assert clerk.get("/village/orders/packing-list?day=never").status_code == 200
    assert state_of(first) == "placed"
    home = clerk.get("/village").text
    assert "卷心菜" in home


def test_tabs_and_search(world, trade, cabbage):
    trade.lot(cabbage)
    ids = [ordered(trade, {cabbage: 1000}) for _ in range(4)]
    for order_id in ids[1:]:
        trade.ship(order_id)
    for order_id in ids[2:]:
        trade.accept(order_id)
    trade.pay(ids[3], 200)
    numbers = [db.session().get_one(Order, order_id).number for order_id in ids]
    clerk = world.logged_in("clerk.zhang")
    for tab, number in zip(("to_ship", "to_receive", "to_pay", "done"), numbers, strict=True):
        page = clerk.get(f"/village/orders?tab={tab}").text
        assert [one in page for one in numbers] == [one == number for one in numbers], tab
        assert clerk.get(f"/village/orders?tab={tab}&q={number[-4:]}").text.count(number) == 1
        assert number not in clerk.get(f"/village/orders?tab={tab}&q=医院").text
        assert number not in clerk.get(f"/village/orders?tab={tab}&q=%25").text


# ---- money ----------------------------------------------------------------------------------------------------------


def test_the_manager_confirms_money_and_the_clerk_cannot(world, trade, cabbage):
    trade.lot(cabbage)
    order_id = ordered(trade, {cabbage: 10_000})
    trade.ship(order_id)
    trade.accept(order_id)
    claim = trade.pay(order_id, 2000, confirmed=False)
    clerk, chair = world.logged_in("clerk.zhang"), world.logged_in("chair.shi")
    path = f"/village/payment-claims/{claim}"
    assert send(clerk, f"{path}/receipt", page="/account").status_code == 403
    assert send(clerk, f"{path}/refusal", page="/account", reason="x").status_code == 403
    assert "20.00" in chair.get("/village/payments").text
    assert send(chair, f"{path}/receipt", page=path).status_code == 303
    assert ledger.balance_fen(f"supplier:{world.organisation_id(GREENS)}") == 0
    assert send(chair, f"{path}/receipt", page="/account").status_code == 409
    statement = chair.get("/village/payments/statement").text
    assert statement.count("20.00") >= 2


def test_money_that_is_not_there_is_refused_with_a_reason(world, trade, cabbage):
    trade.lot(cabbage)
    order_id = ordered(trade, {cabbage: 10_000})
    claim = trade.pay(order_id, 2000, confirmed=False)
    chair = world.logged_in("chair.shi")
    path = f"/village/payment-claims/{claim}"
    assert send(chair, f"{path}/refusal", page=path, reason=" ").status_code == 422
    assert send(chair, f"{path}/refusal", page=path, reason="账上没有").status_code == 303
    row = db.session().get_one(PaymentClaim, claim, populate_existing=True)
    assert (row.state, row.reason) == ("refused", "账上没有")
    assert "账上没有" in chair.get(path).text
    assert journal.timeline("order", order_id)[-1]["action"] == "payment.not_found"


def test_the_receiver_of_money_reads_the_bank_slip_and_nobody_else(world, trade, cabbage):
    trade.lot(cabbage)
    claim = trade.pay(ordered(trade, {cabbage: 10_000}), 2000, confirmed=False)
    folder = world.app.extensions["sijin"].files_dir
    chair = world.logged_in("chair.shi")
    assert chair.get(f"/village/payment-claims/{claim}/voucher").status_code == 404
    picture = BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    with db.transaction() as session:
        kept = files.keep(files.prepare(picture.getvalue()), "slip.png", "parties", world.person("cashier.sun"), folder)
        session.get_one(PaymentClaim, claim).voucher_id = kept.id
    assert chair.get(f"/village/payment-claims/{claim}/voucher").status_code == 200
    name = db.session().scalar(select(StoredFile.name).where(StoredFile.id == kept.id))
    assert chair.get(f"/files/{name}").status_code == 404  # only by way of the claim


def test_what_is_owed_to_villages_follows_the_ledger(world, trade, cabbage):
    village = world.villages["greens_home"]
    trade.agree_collective(GREENS, village, 500)
    trade.lot(cabbage)
    order_id = ordered(trade, {cabbage: 10_000})
    trade.ship(order_id)
    trade.accept(order_id)
    trade.pay_out(world.organisation_id(GREENS), village, "farm_gate", 500)
    trade.wage(GREENS, world.household_id("DEMO-XT-0001"), 30_000)
    chair = world.logged_in("chair.shi")
    page = chair.get("/village/income").text
    for figure in ("12.00", "5.00", "7.00", "1.00", "300.00", "308.00"):  # earned, paid, unpaid, collective, wage, sum
        assert f"</span>{figure}<" in page, figure
    assert "5.00" in chair.get("/village/income?tab=payouts").text
    assert "M001" in chair.get("/village/declarations").text
    assert "0.00" not in world.logged_in("chair.he").get("/village/income").text


# ---- lists ----------------------------------------------------------------------------------------------------------


def test_pages_cost_the_same_for_few_and_many_rows(world, trade, cabbage):
    trade.lot(cabbage, kg=1000)
    chair = world.logged_in("chair.shi")
    pages = ["/village", "/village/orders", "/village/orders?tab=to_pay", "/village/orders?tab=done",
             "/village/orders/packing-list", "/village/payments", "/village/payments/statement", "/village/income",
             "/village/income?tab=payouts", "/village/declarations"]

    def trade_once(times: int) -> int:
        for _ in range(times):
            ordered(trade, {cabbage: 1000})
            order_id = ordered(trade, {cabbage: 1000})
            trade.ship(order_id)
            trade.accept(order_id)
            trade.pay(order_id, 100, confirmed=False)
            trade.wage(GREENS, world.household_id("DEMO-XT-0001"), 100)
        return order_id

    first = trade_once(1)
    details = [f"/village/orders/{first}", f"/village/orders/{first}/note"]
    few = [statements(chair, path) for path in pages + details]
    trade_once(10)
    assert [statements(chair, path) for path in pages + details] == few


def test_an_order_of_many_lines_costs_the_same_to_pack(world, trade):
    goods = [trade.product(f"菜{number}") for number in range(10)]
    for good in goods:
        trade.lot(good)
    one, ten = ordered(trade, {goods[0]: 1000}), ordered(trade, dict.fromkeys(goods, 1000))
    clerk = world.logged_in("clerk.zhang")
    assert statements(clerk, f"/village/orders/{one}/shipment") == statements(clerk, f"/village/orders/{ten}/shipment")


@pytest.mark.parametrize("login", ["cook.chen", "official.hua", "village.cao"])
def test_the_village_desk_is_the_co_operatives_own(world, login):
    client = world.logged_in(login)
    for path in ("/village", "/village/orders", "/village/payments", "/village/income", "/village/payments/statement"):
        assert client.get(path).status_code == 403
    assert world.logged_in("clerk.zhang").get("/village").status_code == 200


def test_pages_are_complete_in_english(world, trade, cabbage):
    trade.lot(cabbage)
    order_id = ordered(trade, {cabbage: 1000})
    trade.pay(order_id, 100, confirmed=False)
    chair = world.logged_in("chair.shi")
    names = ("卷心菜|公斤|永州演示第一小学|食堂后门|石社长|孙会计|陈师傅|新田县演示蔬菜合作社|四进|演示数据|"
             "永州市 新田县[^<]*|、")
    for path in ("/village", "/village/orders", f"/village/orders/{order_id}", f"/village/orders/{order_id}/shipment",
                 "/village/orders/packing-list", "/village/payments", "/village/payment-claims/1", "/village/income",
                 "/village/payments/statement", "/village/income?tab=payouts", "/village/declarations"):
        page = chair.get(path + ("&" if "?" in path else "?") + "lang=en").text
        plain = re.sub(r'<nav class="languages".*?</nav>', "", page, flags=re.DOTALL)
        assert not re.search(r"[\u4e00-\u9fff]+", re.sub(names, "", plain)), path
    assert TODAY.isoformat() in chair.get("/village").text
