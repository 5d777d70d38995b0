"""The inspection book over HTTP: filters, files, paper, goods bought elsewhere, tenant walls."""

import csv
import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from market import clock, db
from orders.inspection.models import InspectionRecord
from tests.counting import count_statements
from tests.trade import Trade
from tests.web.forms import send
from tests.web.test_handover import photo
from tests.world import NOON, PASSWORD, World

COLUMNS = ["Date", "Unit", "Product", "Specification", "Quantity", "Batch", "Production date", "Shelf life", "Supplier",
           "Address", "Contact", "Certificate numbers", "Inspector 1", "Inspector 2", "Result", "Rejected quantity",
           "Reason", "Keep until"]


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def taken(world: World) -> World:
    """The school has taken cabbage."""
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 50)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return world


def form(world: World, **changes: object) -> dict[str, object]:
    return {"bought_on": "2026-10-12", "product_name": "酱油", "unit": "瓶", "quantity_milli": "12",
            "supplier_name": "=永州演示调料店", "best_before": "2027-03-31", "voucher": photo("小票.png"),
            "second_id": str(world.person("aunt.zhao").id), "second_password": PASSWORD, "submit_token": "once",
            } | changes


def rows() -> int:
    return db.session().scalar(select(func.count()).select_from(InspectionRecord)) or 0


def test_goods_bought_elsewhere_stand_beside_those_ordered_here(taken):
    keeper = taken.logged_in("store.wang")
    answer = send(keeper, "/inspection/elsewhere", **form(taken))
    assert answer.status_code == 303
    page = keeper.get("/inspection").text
    for shown in ("白菜", "酱油", "王保管", "赵阿姨", "新田县演示蔬菜合作社"):
        assert shown in page
    only = keeper.get(answer.location).text
    assert "酱油" in only
    assert "白菜" not in only
    voucher = db.session().scalars(select(InspectionRecord.id).where(InspectionRecord.source == "elsewhere")).one()
    assert keeper.get(f"/inspection/{voucher}/voucher").mimetype == "image/webp"
    assert taken.logged_in("store.zheng").get(f"/inspection/{voucher}/voucher").status_code == 404
    assert send(keeper, "/inspection/elsewhere", **form(taken)).status_code == 303  # sent twice
    assert rows() == 2


@pytest.mark.parametrize(("changes", "field"), [
    ({"bought_on": "2026-10-13"}, "bought_on"), ({"bought_on": "12.10.2026"}, "bought_on"),
    ({"product_name": ""}, "product_name"), ({"quantity_milli": "0"}, "quantity_milli"),
    ({"quantity_milli": "-1"}, "quantity_milli"), ({"rejected_milli": "2"}, "reason"),
    ({"supplier_name": " "}, "supplier_name"), ({"temperature_tenths": "cold"}, "temperature_tenths"),
    ({"voucher": (b"x", "x.png")}, "voucher"), ({"second_password": "wrong"}, "second_password"),
    ({"second_id": "1"}, "second_id"), ({"best_before": "2026-01-01", "made_on": "2026-02-01"}, "best_before")])
def test_a_refusal_stands_at_its_field_and_writes_nothing(taken, changes, field):
    if "voucher" in changes:  # a file that was sent is read once
        changes = {"voucher": (io.BytesIO(changes["voucher"][0]), changes["voucher"][1])}
    answer = send(taken.logged_in("store.wang"), "/inspection/elsewhere", **form(taken, **changes))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert rows() == 1


def test_without_a_voucher_nothing_is_written(taken):
    said = {name: value for name, value in form(taken).items() if name != "voucher"}
    answer = send(taken.logged_in("store.wang"), "/inspection/elsewhere", **said)
    assert answer.status_code == 422
    assert 'id="voucher-error"' in answer.text


def test_the_files_have_exactly_the_columns_of_the_record(taken):
    keeper = taken.logged_in("store.wang")
    send(keeper, "/inspection/elsewhere", **form(taken))
    period = "from=2026-10-01&to=2026-10-31&lang=en"
    text = keeper.get(f"/inspection/book.csv?{period}").data.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == COLUMNS
    assert [line[2] for line in lines[1:3]] == ["白菜", "酱油"]
    assert lines[2][8] == "'=永州演示调料店"  # no formula
    assert lines[1][4] == "10 公斤"
    assert lines[1][-1] == "2027-05-21"
    book = load_workbook(io.BytesIO(keeper.get(f"/inspection/book.xlsx?{period}").data))
    cells = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert COLUMNS in cells
    assert "白菜" in keeper.get(f"/inspection/print?{period}").text


def test_filters_find_and_nonsense_is_left_aside(taken):
    keeper = taken.logged_in("store.wang")
    assert "白菜" in keeper.get("/inspection?product=白").text
    for query in ("product=韭", "supplier=香柚", "source=elsewhere", "from=2026-01-01&to=2026-02-01"):
        assert "<td class" not in keeper.get(f"/inspection?{query}").text.split("<tbody>")[-1] or \
            "<tbody>" not in keeper.get(f"/inspection?{query}").text
    for query in ("from=x&to=%00", "source=mine", "page=0", "page=9999", "from=2026-12-01&to=2026-01-01"):
        assert keeper.get(f"/inspection?{query}").status_code in {200, 400}


def test_another_unit_s_book_is_empty_and_other_desks_have_none(taken):
    assert "白菜" not in taken.logged_in("store.zheng").get("/inspection").text
    for login in ("clerk.zhang", "official.jin", "auditor.wei"):
        assert taken.logged_in(login).get("/inspection").status_code == 403
    for login in ("cook.chen", "cashier.sun"):
        assert taken.logged_in(login).get("/inspection/elsewhere").status_code == 403
        assert send(taken.logged_in(login), "/inspection/purge", "/account").status_code == 403


def test_the_manager_finds_the_button_once_something_is_over(taken):
    keeper, manager = taken.logged_in("store.wang"), taken.logged_in("admin.qian")
    assert "/inspection/purge" not in manager.get("/inspection").text
    old = form(taken, bought_on="2020-01-01", best_before="")
    assert send(keeper, "/inspection/elsewhere", **old).status_code == 303
    assert "/inspection/purge" in manager.get("/inspection").text
    assert send(manager, "/inspection/purge", "/inspection").status_code == 303
    assert rows() == 1


def test_the_book_costs_the_same_for_few_and_many_rows(taken):
    keeper, costs = taken.logged_in("store.wang"), []
    for more in (0, 12):
        for number in range(more):
            send(keeper, "/inspection/elsewhere", **form(taken, submit_token=f"t{number}"))
        for path in ("/inspection", "/inspection/print", "/inspection/book.csv"):
            taken.app.extensions["sijin_demo"]()
            with count_statements(taken.app) as statements:
                assert keeper.get(path).status_code == 200
            costs.append(len(statements))
    assert costs[:3] == costs[3:]
