"""The kitchen door over HTTP: six digits, one scale for a whole van, two people, the sheet, the driver's page."""

import io
import re
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from catalog.models import Lot
from catalog.tracing import recall
from market import clock, db, ledger
from market.parties import Organisation
from market.users import User
from orders.models import Acceptance, AcceptanceLine, DeliveryRun, Order, ShipmentLine
from tests.counting import count_statements
from tests.trade import Trade
from tests.web.forms import send
from tests.world import NOON, PASSWORD, POMELO, SCHOOL, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def photo(name: str = "门口.png") -> tuple[io.BytesIO, str]:
    """A picture as a phone would send one."""
    content = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(content, "PNG")
    return io.BytesIO(content.getvalue()), name


class Van:
    """Cabbage by weight and pomelo by the box, from two co-operatives, on one van to the school."""

    def __init__(self, world: World, trade: Trade) -> None:
        self.world, self.trade = world, trade
        cabbage = trade.product("白菜", price_fen=200, minimum_milli=1000)
        pomelo = trade.product("香柚", POMELO, price_fen=6000, unit="箱", grams_per_unit=10_000, by_weight=False,
                               minimum_milli=1000, step_milli=1000)
        trade.lot(cabbage, 100)
        trade.lot(pomelo, 500)
        self.orders = trade.orders(trade.place({cabbage: 10_000, pomelo: 3000}))
        for order in self.orders:
            trade.ship(order.id)
        self.run = db.session().scalars(select(DeliveryRun)).one()
        self.url = f"/runs/{self.run.id}/acceptance"
        self.cabbage, self.pomelo = (trade.lines(order.id)[0].id for order in self.orders)

    def form(self, grams: str = "9.5", boxes: str = "3", second: str = "aunt.zhao", **changes: Any) -> dict[str, Any]:
        return {
            "lines-0-line_id": str(self.cabbage), "lines-0-grams": grams,
            "lines-1-line_id": str(self.pomelo), "lines-1-milli": boxes,
            "second_id": str(self.world.person(second).id), "second_password": PASSWORD, "submit_token": "once",
            "documents_seen": "1",
        } | changes

    def accepted(self) -> int:
        return db.session().scalar(select(func.count()).select_from(Acceptance)) or 0


@pytest.fixture
def van(world, trade) -> Van:
    return Van(world, trade)


def test_recalled_goods_are_refused_on_the_scale_and_the_rest_is_taken(world, trade, van):
    lot = db.session().execute(select(Lot.code).join(ShipmentLine, ShipmentLine.lot_id == Lot.id)
                               .where(ShipmentLine.order_line_id == van.cabbage)).scalar_one()
    with db.transaction():
        recall.recall(lot, "农残超标", world.person("chair.shi"))
    keeper = world.logged_in("store.wang")
    page = keeper.get(van.url + "?lang=en").text
    assert "it is refused, nothing to pay" in page
    assert 'name="lines-0-reason" value="recalled"' in page
    weighed = send(keeper, van.url, van.url, **van.form())  # somebody weighs it all the same
    assert weighed.status_code == 409
    assert van.accepted() == 0
    form = van.form()
    del form["lines-0-grams"]
    taken = send(keeper, van.url, van.url, **form, **{"lines-0-refused": "1", "lines-0-reason": "recalled"})
    assert taken.status_code == 303
    states = {order.id: db.session().get_one(Order, order.id, populate_existing=True).state for order in van.orders}
    assert sorted(states.values()) == ["accepted", "rejected"]


# ---- the way to the scale -------------------------------------------------------------------------------------------


def test_six_digits_lead_to_the_scale_and_wrong_ones_say_so(world, van):
    keeper = world.logged_in("store.wang")
    assert keeper.get(f"/handover?code={van.run.code}").location == van.url
    wrong = f"{(int(van.run.code) + 1) % 1_000_000:06d}"
    for code in (wrong, "12", "１２３４５６", "x" * 300, "%00"):
        answer = keeper.get("/handover", query_string={"code": code})
        assert answer.status_code == 404
        assert "code-error" in answer.text
    foreign = world.logged_in("store.zheng").get(f"/handover?code={van.run.code}")
    assert foreign.status_code == 404
    assert van.url in keeper.get("/handover").text
    for login in ("cook.chen", "cashier.sun", "clerk.zhang"):
        assert world.logged_in(login).get("/handover").status_code == 403
        assert world.logged_in(login).get(van.url).status_code == 403


def test_foreign_runs_and_orders_answer_like_unknown_ones(world, van):
    nurse = world.logged_in("store.zheng")
    for path in (van.url, f"/runs/{van.run.id}/sheet", f"/orders/{van.orders[0].id}/acceptance"):
        unknown = re.sub(r"\d+", "99999", path)
        assert same_404(nurse.get(path), nurse.get(unknown))
    for form in ({}, van.form()):
        for path in (van.url, f"/orders/{van.orders[0].id}/acceptance"):
            assert same_404(send(nurse, path, "/account", **form),
                            send(nurse, re.sub(r"\d+", "99999", path), "/account", **form))
    assert van.accepted() == 0


def same_404(one, other) -> bool:
    plain = [re.sub(r'(href="[^"]*"|value="[^"]*")', "", answer.text) for answer in (one, other)]
    return one.status_code == other.status_code == 404 and plain[0] == plain[1]


# ---- accepting ------------------------------------------------------------------------------------------------------


def test_a_whole_van_is_accepted_on_one_screen_and_the_sheet_adds_up(world, van):
    keeper = world.logged_in("store.wang")
    page = keeper.get(van.url)
    for shown in ("白菜", "香柚", "新田县演示蔬菜合作社", "江永县演示香柚合作社", "赵阿姨"):
        assert shown in page.text
    assert "陈师傅" not in page.text  # who ordered cannot be the second receiver
    answer = send(keeper, van.url, van.url, **van.form())
    assert answer.status_code == 303
    lines = {line.order_line_id: line for line in db.session().scalars(select(AcceptanceLine))}
    assert (lines[van.cabbage].outcome, lines[van.cabbage].amount_fen) == ("short", 1900)
    assert (lines[van.pomelo].outcome, lines[van.pomelo].amount_fen) == ("accepted", 18_000)
    for order, fen in zip(van.orders, (1900, 18_000), strict=True):
        assert ledger.balance_fen(f"supplier:{order.supplier_id}") == -fen  # earned, not yet received
    sheet = keeper.get(answer.location).text
    for shown in ("19.00", "180.00", "199.00", "王保管", "赵阿姨", "9.5", "双人验收"):
        assert shown in sheet
    assert db.session().get_one(DeliveryRun, van.run.id, populate_existing=True).state == "handed_over"
    assert "已全部验收" in keeper.get(van.url).text


def test_the_same_sheet_sent_twice_is_booked_once(world, van):
    keeper = world.logged_in("store.wang")
    answers = [send(keeper, van.url, van.url, **van.form()) for _ in range(2)]
    assert [a.status_code for a in answers] == [303, 303]
    again = send(keeper, van.url, van.url, **van.form(submit_token="another"))
    assert again.status_code == 409
    assert van.accepted() == 2


def test_one_order_of_the_van_can_be_accepted_alone(world, van):
    keeper, url = world.logged_in("store.wang"), f"/orders/{van.orders[0].id}/acceptance"
    assert "香柚" not in keeper.get(url).text
    form = {name: value for name, value in van.form().items() if not name.startswith("lines-1")}
    assert send(keeper, url, url, **form).status_code == 303
    assert van.accepted() == 1
    assert "白菜" not in keeper.get(van.url).text
    late = send(keeper, van.url, van.url, **van.form(submit_token="late"))
    assert late.status_code == 409
    assert van.accepted() == 1


def test_a_line_of_another_order_does_not_slip_in(world, van):
    keeper, url = world.logged_in("store.wang"), f"/orders/{van.orders[0].id}/acceptance"
    assert send(keeper, url, url, **van.form()).status_code == 404
    assert van.accepted() == 0


@pytest.mark.parametrize("text", ["１２", "1e3", "-1", "0x10", "1_000", "1" + "0" * 20, "NaN", "", "9,5", "10.6",
                                  "1.2345"])
def test_a_weight_that_cannot_be_is_said_at_its_field(world, van, text):
    keeper = world.logged_in("store.wang")
    answer = send(keeper, van.url, van.url, **van.form(grams=text))
    assert answer.status_code == 422
    assert 'id="lines-0-grams-error"' in answer.text
    assert f'name="lines-0-grams" value="{text}"' in answer.text
    assert 'name="lines-1-milli" value="3"' in answer.text
    assert PASSWORD not in answer.text
    assert van.accepted() == 0


def test_refusing_and_reducing_need_a_reason_and_a_price_only_falls(world, van):
    keeper = world.logged_in("store.wang")
    for changes, field in (({"lines-0-refused": "1"}, "lines-0-reason"), ({"lines-0-grams": "0"}, "lines-0-reason"),
                           ({"lines-1-price_fen": "45"}, "lines-1-reason"),
                           ({"lines-1-price_fen": "60.01"}, "lines-1-price_fen"),
                           ({"lines-1-price_fen": "x"}, "lines-1-price_fen"),
                           ({"lines-0-refused": "1", "lines-0-reason": "just so"}, "lines-0-reason")):
        answer = send(keeper, van.url, van.url, **van.form(**changes))
        assert answer.status_code == 422, changes
        assert f'id="{field}-error"' in answer.text, changes
    assert van.accepted() == 0
    good = van.form("", **{"lines-0-refused": "1", "lines-0-reason": "spoiled", "lines-1-price_fen": "45",
                           "lines-1-reason": "damaged", "lines-0-photo": photo(), "lines-1-photo": photo()})
    answer = send(keeper, van.url, van.url, **good)
    assert answer.status_code == 303
    assert "腐烂或发霉" in keeper.get(answer.location).text
    states = db.session().scalars(select(Order.state).order_by(Order.id)).all()
    assert states == ["rejected", "accepted"]
    assert db.session().scalars(select(Order.accepted_fen).order_by(Order.id)).all() == [0, 13_500]


def test_every_good_must_be_spoken_of(world, van):
    keeper = world.logged_in("store.wang")
    nothing = {name: value for name, value in van.form().items() if not name.startswith("lines-")}
    assert send(keeper, van.url, van.url, **nothing).status_code == 422
    assert send(keeper, van.url, van.url, **nothing, lines="x").status_code == 422
    assert van.accepted() == 0


# ---- two people -----------------------------------------------------------------------------------------------------


def test_the_second_receiver_proves_it_with_their_own_password(world, van):
    keeper = world.logged_in("store.wang")
    answer = send(keeper, van.url, van.url, **van.form(second_password="not the password"))
    assert answer.status_code == 422
    assert 'id="second_password-error"' in answer.text
    assert 'name="lines-0-grams" value="9.5"' in answer.text
    assert "短少" in answer.text
    assert van.accepted() == 0
    assert failures("aunt.zhao") == 1
    assert send(keeper, van.url, van.url, **van.form()).status_code == 303
    assert failures("aunt.zhao") == 0


def test_five_wrong_passwords_lock_the_second_receiver_out(world, van):
    keeper = world.logged_in("store.wang")
    for _ in range(5):
        assert send(keeper, van.url, van.url, **van.form(second_password="not the password")).status_code == 422
    assert send(keeper, van.url, van.url, **van.form()).status_code == 422
    assert van.accepted() == 0


def failures(login: str) -> int:
    return db.session().scalars(select(User.failed_count).where(User.login == login)).one()


@pytest.mark.parametrize("second", ["store.wang", "cook.chen", "head.li", "store.zheng", "clerk.zhang"])
def test_only_another_receiver_of_the_unit_can_be_the_second(world, van, second):
    answer = send(world.logged_in("store.wang"), van.url, van.url, **van.form(second=second))
    assert answer.status_code == 422
    assert 'id="second_id-error"' in answer.text
    assert van.accepted() == 0


def test_in_a_reduced_scheme_who_ordered_may_be_the_second(world, van):
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == world.organisation_id(SCHOOL))
                        .values(receiving_scheme="reduced"))
    keeper = world.logged_in("store.wang")
    assert "陈师傅" in keeper.get(van.url).text
    answer = send(keeper, van.url, van.url, **van.form(second="cook.chen"))
    assert answer.status_code == 303
    assert "简化方案" in keeper.get(answer.location).text


# ---- the driver -----------------------------------------------------------------------------------------------------


def test_the_driver_sees_digits_goods_and_lots_but_no_prices_and_no_people(world, van):
    answer = world.app.test_client().get(f"/van/{van.run.token}")
    assert answer.status_code == 200
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert "no-store" in answer.headers["Cache-Control"]
    for shown in (van.run.code[:3], van.run.code[3:], "白菜", "香柚", "永州演示第一小学", "<svg"):
        assert shown in answer.text
    for hidden in ("¥", "60.00", "王保管", "陈师傅", "吕文书"):
        assert hidden not in answer.text
    lots = db.session().scalars(select(Lot.code).join(ShipmentLine, ShipmentLine.lot_id == Lot.id)).all()
    assert lots
    assert all(f'href="/trace/{code}"' in answer.text for code in lots)  # to origin and certificate, without paper
    assert "公斤" in answer.text
    assert same_404(world.app.test_client().get("/van/" + "x" * 43), world.app.test_client().get("/van/short"))


def test_a_link_ends_a_week_after_the_delivery(world, van):
    with clock.at(NOON.replace(day=30)):
        assert world.app.test_client().get(f"/van/{van.run.token}").status_code == 404


def test_the_scale_costs_the_same_for_one_order_and_for_many(world, trade, van):
    keeper = world.logged_in("store.wang")
    costs = []
    for more in (0, 8):
        for _ in range(more):
            product = trade.product("萝卜", price_fen=100)
            trade.lot(product, 20)
            order = trade.orders(trade.place({product: 1000}))[0]
            trade.ship(order.id)
        costs.append([])
        for path in (van.url, "/handover", f"/runs/{van.run.id}/sheet", f"/van/{van.run.token}"):
            world.app.extensions["sijin_demo"]()  # asked for once in a while, not per page
            with count_statements(world.app) as statements:
                assert keeper.get(path).status_code == 200
            costs[-1].append(len(statements))
    assert costs[0] == costs[1]
