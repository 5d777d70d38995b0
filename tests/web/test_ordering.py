"""The pages of ordering over HTTP: last week again, lists, a text, one draft page; nothing changes before a press."""

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from catalog.models import Product
from catalog.terms.models import DeliveryTerms
from market import clock, db
from orders.buying import cart
from orders.models import CartLine, Purchase
from orders.ordering import weekly
from orders.ordering.models import UnitAlias, WeeklyList, WeeklyListLine
from orders.ordering.weekly import Entry
from tests import terms
from tests.counting import count_statements
from tests.trade import TOMORROW, Trade
from tests.web.forms import csrf_token, send
from tests.world import HOSPITAL, NOON, TODAY, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def cook(world: World):
    return world.logged_in("cook.chen")


def greens(trade: Trade) -> tuple[int, int]:
    return (trade.product("白菜", supply="daily", daily_milli=1_000_000),
            trade.product("土豆", price_fen=300, supply="daily", daily_milli=1_000_000))


def count(entity) -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def fields(page: TestResponse) -> dict[str, str]:
    """The draft's form as a browser would send it: inputs, chosen options, the text."""
    form = page.text.split('<form class="form cart draft"')[1].split("</form>")[0]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and (" checked" in tag or not re.search(r'type="(radio|checkbox)"', tag)):
            sent[name[1]] = value[1] if value else ""
    for name, options in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        sent[name] = chosen[1] if chosen else ""
    text = re.search(r'<textarea class="input" id="text"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    return sent | ({"text": text[1]} if text else {})


def ordered_last_week(trade: Trade, cabbage: int, potato: int) -> None:
    with clock.at(NOON - timedelta(days=11)):
        trade.place({cabbage: 10_000, potato: 5_000}, day=TODAY - timedelta(days=6))
        trade.place({cabbage: 20_000}, day=TODAY - timedelta(days=4))


def test_last_week_is_ordered_again_with_one_press(world, trade, cook):
    cabbage, potato = greens(trade)
    ordered_last_week(trade, cabbage, potato)
    with db.transaction() as session:
        session.execute(update(Product).where(Product.id == cabbage).values(price_fen=250))
    page = cook.get("/order-again")
    assert page.status_code == 200
    assert "75.00" in page.text and "90.00" in page.text  # at last week's prices, and now
    assert count(Purchase) == 2
    answer = cook.post("/order-draft/purchases", data=fields(page))
    assert (answer.status_code, answer.location) == (303, "/desk")
    again = cook.post("/order-draft/purchases", data=fields(page))
    assert again.headers["Idempotent-Replay"] == "true"
    db.session().rollback()
    placed = db.session().scalars(select(Purchase).order_by(Purchase.id.desc()).limit(2)).all()
    assert count(Purchase) == 4
    assert {(one.delivery_day, one.total_fen) for one in placed} == {
        (TOMORROW, 4_000), (TODAY + timedelta(days=3), 5_000)}
    assert all(one.delivery_window == "morning" for one in placed)


def test_quantities_can_be_changed_and_goods_left_out(trade, cook):
    cabbage, potato = greens(trade)
    trade.place({cabbage: 10_000, potato: 5_000})
    page = cook.get(f"/purchases/{newest()}/again")
    sent = fields(page) | {"lines-0-quantity_milli": "12", "lines-1-quantity_milli": ""}
    refused = cook.post("/order-draft/purchases?lang=en", data=sent)
    assert refused.status_code == 409
    assert "The total is now ¥24.00" in refused.text
    assert count(Purchase) == 1
    answer = cook.post("/order-draft/purchases", data=fields(refused))
    assert answer.location == f"/purchases/{newest()}"
    assert db.session().scalars(select(Purchase.total_fen).order_by(Purchase.id.desc())).first() == 2_400


def newest() -> int:
    db.session().rollback()
    return db.session().scalar(select(func.max(Purchase.id))) or 0


def test_what_cannot_be_ordered_says_so_at_its_line_and_nothing_is_placed(trade, cook):
    cabbage, potato = greens(trade)
    trade.place({cabbage: 10_000, potato: 5_000})
    page = cook.get(f"/purchases/{newest()}/again")
    for field, bad in (("lines-0-quantity_milli", "0.3"), ("lines-0-quantity_milli", "viel"),
                       ("parts-0-delivery_day", TODAY.isoformat()), ("parts-0-delivery_point_id", "99"),
                       ("parts-0-fund_source", "mine"), ("lines-1-part", "7"), ("lines-1-product_id", "-1")):
        refused = cook.post("/order-draft/purchases", data=fields(page) | {field: bad})
        assert refused.status_code == 422, field
        assert f'href="#{field}"' in refused.text, field
    for left in ({}, {"submit_token": ""}, {"lines-0-product_id": "x", "parts-0-delivery_day": "x"}):
        answer = cook.post("/order-draft/purchases", data={"csrf_token": fields(page)["csrf_token"], **left})
        assert answer.status_code == 422
    assert count(Purchase) == 1


def test_a_text_is_shown_as_lines_and_every_unknown_piece_by_its_name(trade, cook):
    greens(trade)
    text = "白菜10公斤土豆５公斤，龙虾5只\n海参2盒 60-70斤粉"
    page = send(cook, "/quick-order", text=text)
    assert page.status_code == 200
    assert text in page.text.replace("\r", "")
    for piece in ("龙虾5只", "海参2盒", "60-70斤粉"):
        assert f"<strong>{piece}</strong>" in page.text
    assert fields(page)["lines-1-quantity_milli"] == "5"
    assert count(CartLine) == count(Purchase) == 0
    answer = cook.post("/order-draft/cart", data=fields(page))
    assert answer.location == "/cart"
    db.session().rollback()
    assert [line["milli"] for line in cart.lines(trade.world.person("cook.chen"))] == [10_000, 5_000]


def test_a_refused_draft_keeps_the_text(trade, cook):
    greens(trade)
    page = send(cook, "/quick-order", text="白菜10公斤 龙虾5只")
    refused = cook.post("/order-draft/purchases", data=fields(page) | {"lines-0-quantity_milli": "0.3"})
    assert refused.status_code == 422
    assert "白菜10公斤 龙虾5只</textarea>" in refused.text
    assert "<strong>龙虾5只</strong>" in refused.text


def test_the_buyer_chooses_among_offers_and_says_what_a_word_means(world, trade, cook):
    cheap = trade.product("白菜", price_fen=100, supply="daily", daily_milli=1_000_000)
    dear = trade.product("白菜", price_fen=500, unit="斤", grams_per_unit=500, supply="daily", daily_milli=1_000_000)
    page = send(cook, "/quick-order", text="白菜10公斤 大白菘5公斤")
    sent = fields(page)
    assert (sent["lines-0-product_id"], sent[f"lines-0-q{cheap}"], sent[f"lines-0-q{dear}"]) == (str(cheap), "10", "20")
    named = cook.post("/quick-order", data=sent | {"renames-0-name": f"#{cheap}"})
    chosen = fields(named) | {"lines-0-product_id": str(dear)}
    assert cook.post("/order-draft/purchases", data=chosen).status_code == 409  # the total is another one
    answer = cook.post("/order-draft/cart", data=chosen)
    assert answer.status_code == 303
    db.session().rollback()
    assert {line["product_id"]: line["milli"] for line in cart.lines(world.person("cook.chen"))} == {
        dear: 20_000, cheap: 5_000}
    learned = db.session().scalars(select(UnitAlias)).all()
    assert [(row.word, row.product_id) for row in learned] == [("大白菘", cheap)]


def test_a_table_is_read_like_a_text(trade, cook):
    cabbage, _potato = greens(trade)
    page = cook.post("/quick-order", data={
        "csrf_token": csrf_token(cook, "/quick-order"),
        "file": (io.BytesIO("品名,数量,单位\n白菜,10,公斤\n怪味豆,5,包\n".encode("gb18030")), "周单.csv")})
    assert fields(page)["lines-0-product_id"] == str(cabbage)
    assert "怪味豆" in page.text
    refused = cook.post("/quick-order", data={
        "csrf_token": csrf_token(cook, "/quick-order"), "file": (io.BytesIO(b"\xd0\xcf\x11\xe0old"), "alt.xls")})
    assert refused.status_code == 422
    for text in ("白" * 20_001, "白菜1斤\n" * 201):
        assert send(cook, "/quick-order", text=text).status_code == 422
    assert count(CartLine) == 0


def test_a_list_is_kept_edited_taken_away_and_brought_back(world, trade, cook):
    cabbage, potato = greens(trade)
    page = send(cook, "/quick-order", text="白菜10公斤")
    answer = cook.post("/order-draft/lists", data=fields(page) | {"name": "周一菜单"})
    list_page = cook.get(answer.location)
    assert "周一菜单" in list_page.text
    changed = send(cook, answer.location, name="周二菜单", text="土豆5公斤",
                   **{"lines-0-product_id": cabbage, "lines-0-quantity_milli": "12", "lines-0-weekday": "2"})
    assert changed.status_code == 303
    db.session().rollback()
    list_id = int(answer.location.rsplit("/", 1)[1])
    assert weekly.entries(list_id) == [Entry(potato, 5_000, 0), Entry(cabbage, 12_000, 2)]
    refused = send(cook, answer.location, name="周二菜单", text="龙虾1只",
                   **{"lines-0-product_id": cabbage, "lines-0-quantity_milli": "12", "lines-0-weekday": "9"})
    assert refused.status_code == 422
    order = cook.get(f"{answer.location}/order")
    assert sorted(value for name, value in fields(order).items() if name.endswith("quantity_milli")) == ["12", "5"]
    removed = send(cook, f"{answer.location}/removal", answer.location)
    assert "周二菜单" not in cook.get("/weekly-lists").text
    assert f"{answer.location}/return" in cook.get(removed.location).text
    back = send(cook, f"{answer.location}/return", removed.location)
    assert back.location == answer.location
    assert "周二菜单" in cook.get("/weekly-lists").text


def test_the_cart_is_kept_as_a_list(world, trade, cook):
    cabbage, _potato = greens(trade)
    send(cook, "/cart/lines", "/cart", product_id=cabbage, quantity_milli="7")
    assert send(cook, "/weekly-lists", name="周五").status_code == 303
    assert send(cook, "/weekly-lists", name="周五").status_code == 422
    kept = db.session().scalars(select(WeeklyList.id)).one()
    unknown = {"lines-0-product_id": "999999999", "lines-0-quantity_milli": "1", "lines-0-weekday": "0"}
    refused = send(cook, f"/weekly-lists/{kept}", name="周五", **unknown)
    assert refused.status_code == 422 and "这种商品已下架" in refused.text
    draft = {"parts-0-delivery_point_id": str(world.delivery_point_id()), "parts-0-delivery_day": "2026-10-13",
             "parts-0-delivery_window": "dawn", "parts-0-fund_source": "canteen", "lines-0-part": "0"}
    assert send(cook, "/order-draft/lists", "/quick-order", name="周六", **draft, **unknown).status_code == 422
    assert len(weekly.entries(kept)) == 1
    assert send(cook, "/weekly-lists", name="").status_code == 422
    assert (count(WeeklyList), count(WeeklyListLine)) == (1, 1)


def test_walls_and_doors(world, trade, cook):
    cabbage, _potato = greens(trade)
    with db.transaction():
        foreign = weekly.make("医院", [Entry(cabbage, 1_000)], world.person("cook.wu"))
    trade.place({cabbage: 1_000}, by="cook.wu", unit=HOSPITAL)
    for path in (f"/weekly-lists/{foreign}", f"/weekly-lists/{foreign}/order", f"/purchases/{newest()}/again",
                 "/weekly-lists/999", "/purchases/999/again"):
        assert cook.get(path).status_code == 404, path
    assert send(cook, f"/weekly-lists/{foreign}", "/weekly-lists?removed=1", name="我的").status_code == 404
    assert send(cook, f"/weekly-lists/{foreign}/removal", "/weekly-lists?removed=1").status_code == 404
    hidden = trade.product("秘密", price_fen=12_345, supply="daily", daily_milli=1_000)
    with db.transaction() as session:
        session.execute(update(Product).where(Product.id == hidden).values(state="hidden"))
    told = send(cook, "/order-draft", "/quick-order", **{"lines-0-product_id": hidden, "lines-0-quantity_milli": "1"})
    assert told.status_code == 200
    assert "秘密" not in told.text
    for login in ("head.li", "store.wang", "clerk.zhang"):
        assert world.logged_in(login).get("/quick-order").status_code == 403


def test_pages_open_with_nothing_to_show(world, cook):
    for path in ("/order-again", "/order-again?week=next", "/order-again?week=x", "/quick-order", "/weekly-lists",
                 "/weekly-lists?removed=x", "/desk"):
        for lang in ("zh", "en"):
            assert cook.get(f"{path}{'&' if '?' in path else '?'}lang={lang}").status_code == 200, path
    assert send(cook, "/order-draft", "/quick-order").status_code == 200


def test_a_program_reads_a_text_and_orders_nothing(world, trade):
    cabbage, _potato = greens(trade)
    headers = world.api_headers("cook.chen")
    client = world.app.test_client()
    answer = client.post("/api/v1/quick-order?lang=en", headers=headers,
                         json={"text": "白菜10公斤 龙虾5只 白菜0.3公斤"})
    assert answer.status_code == 200
    assert answer.json["lines"][0]["candidates"][0] | {"supplier": ""} == {
        "product_id": cabbage, "name": "白菜", "supplier": "", "unit": "公斤", "price_fen": 200,
        "ordered_milli": 10_000, "ordered_before": False, "problem": None}
    assert "nearest is 0.5" in answer.json["lines"][1]["candidates"][0]["problem"]
    assert answer.json["not_understood"][0]["text"] == "龙虾5只"
    assert count(CartLine) == count(Purchase) == 0
    for bad in ({}, {"text": 5}, {"text": "白" * 20_001}, {"text": None}):
        assert client.post("/api/v1/quick-order", headers=headers, json=bad).status_code == 422
    half = client.post("/api/v1/quick-order", headers=headers, data='{"text": "\\ud800"}',
                       content_type="application/json")
    assert half.status_code == 422
    assert client.post("/api/v1/quick-order", headers=headers, json={"text": "\0白菜\0 5"}).status_code == 200


def test_drafts_cost_the_same_for_ten_lines_and_for_sixty(world, trade, cook):
    costs = []
    for size in (10, 60):
        products = [trade.product(f"菜{size}-{n}号", supply="daily", daily_milli=100_000) for n in range(size)]
        trade.place(dict.fromkeys(products, 1_000))
        text = "\n".join(f"菜{size}-{n}号 5" for n in range(size))
        world.app.extensions["sijin_demo"]()
        costs.append([])
        with count_statements(world.app) as statements:
            assert cook.get(f"/purchases/{newest()}/again").status_code == 200
        costs[-1].append(len(statements))
        token = csrf_token(cook, "/quick-order")
        with count_statements(world.app) as statements:
            page = cook.post("/quick-order", data={"csrf_token": token, "text": text})
            assert page.text.count('class="cart-line') == size
        costs[-1].append(len(statements))
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 20


def test_the_freight_of_every_delivery_is_shown_and_confirmed(world, trade, cook):
    """Two deliveries of last week, ¥3.00 freight each; terms that changed in the meantime are looked at first."""
    cabbage, potato = greens(trade)
    ordered_last_week(trade, cabbage, potato)
    terms_id = terms.state(world, freight_fen=300)
    page = cook.get("/order-again")
    sent = fields(page)
    assert sent["expected_total_fen"] == str(2_000 + 1_500 + 300 + 4_000 + 300)
    before = count(Purchase)
    with db.transaction() as session:
        session.get_one(DeliveryTerms, terms_id).freight_fen = 400
    refused = send(cook, "/order-draft/purchases", "/order-again", **sent)
    assert refused.status_code == 409 and count(Purchase) == before
    answer = send(cook, "/order-draft/purchases", "/order-again", **sent | {"expected_total_fen": "8300"})
    assert answer.status_code == 303 and count(Purchase) == before + 2
    assert db.session().scalar(select(func.sum(Purchase.freight_fen))) == 800


def test_what_a_cooperative_does_not_deliver_is_said_with_its_name(world, trade, cook):
    cabbage, potato = greens(trade)
    ordered_last_week(trade, cabbage, potato)
    terms.state(world, minimum_fen=100_000)
    before = count(Purchase)
    refused = send(cook, "/order-draft/purchases", "/order-again", **fields(cook.get("/order-again")))
    assert refused.status_code == 422 and count(Purchase) == before
    assert "supplier-" not in refused.text.split("<ul>")[1].split("</ul>")[0].replace('href="#supplier-', "")
