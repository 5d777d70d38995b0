"""Due dates and late payment over the pages: who sees whose, sums that equal their rows, files that equal the page."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from market import clock, db, money
from market.notices import Notice
from orders.overdue import routes
from orders.overdue.models import OverdueReminder
from tests.counting import count_statements
from tests.late import Late
from tests.web.forms import send
from tests.world import HOSPITAL, NOON, SCHOOL, TODAY, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def late(world: World) -> Late:
    return Late(world)


def number(order: int) -> str:
    return db.session().scalar(select(routes.Order.number).where(routes.Order.id == order)) or ""


def rows_of(answer) -> list[list[str]]:
    """A CSV's records up to its notes."""
    records = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    return records[:records.index([])] if [] in records else records


def amounts(page: str) -> list[str]:
    return re.findall(r"¥</span>([0-9.,]+)", page)


# ---- a unit and a co-operative --------------------------------------------------------------------------------------


def test_a_unit_sees_its_own_dues_the_oldest_first(late, world):
    orders = [late.order(days) for days in (-9, 40, 2)]
    foreign = late.order(50, unit=HOSPITAL, by="cook.wu", accepted=False)
    page = world.logged_in("cashier.sun").get("/payments/due").text
    at = [page.index(number(order)) for order in (orders[1], orders[2], orders[0])]
    assert at == sorted(at)
    assert number(foreign) not in page
    assert "逾期 40 天" in page and "还有 9 天" in page and "估算" in page
    assert "/payments" in page and "多单一起付款" in page
    assert number(foreign) in world.logged_in("cook.wu").get("/payments/due").text
    for login in ("clerk.zhang", "official.jin"):
        assert world.logged_in(login).get("/payments/due").status_code == 403
    english = world.logged_in("cashier.sun").get("/payments/due?lang=en").text
    assert "days late" in english and "Interest, estimated" in english


def test_another_units_dues_are_not_found_by_its_number(late, world):
    foreign = late.order(50, unit=HOSPITAL, by="cook.wu", accepted=False)
    page = world.logged_in("cashier.sun").get(f"/payments/due?unit={world.organisation_id(HOSPITAL)}")
    assert page.status_code == 200
    assert number(foreign) not in page.text
    assert "没有应付款项" in page.text


def test_what_was_delivered_and_not_accepted_stands_on_both_sides(late, world):
    order = late.order(-20, accepted=False, delivered=TODAY - timedelta(days=9))
    for login, path in (("store.wang", "/payments/due"), ("clerk.zhang", "/village/due")):
        page = world.logged_in(login).get(path).text
        assert number(order) in page, login
        assert "付款期限已在计算" in page and "已过 2 天" in page, login
    assert f"/orders/{order}/acceptance" in world.logged_in("store.wang").get("/payments/due").text
    assert f"/orders/{order}/acceptance" not in world.logged_in("cashier.sun").get("/payments/due").text


def test_the_first_pages_say_what_is_late_and_what_waits(late, world):
    late.order(3)
    late.order(4)
    late.order(-20, accepted=False, delivered=TODAY - timedelta(days=9))
    for login, path in (("cashier.sun", "/desk"), ("chair.shi", "/village")):
        page = world.logged_in(login).get(path).text
        assert "有 2 个订单付款逾期，共 ¥40.00。" in page, login
        assert f"最早一单 {TODAY - timedelta(days=9)} 送达" in page, login
    assert "付款逾期" not in world.logged_in("cook.wu").get("/desk").text
    assert "付款逾期" not in world.logged_in("chair.he").get("/village").text


def test_a_cooperative_reminds_with_one_button_once_a_day(late, world):
    late.order(12)
    school = world.organisation_id(SCHOOL)
    chair = world.logged_in("chair.shi")
    page = chair.get("/village/due").text
    assert "烦请安排" in page and "逾期 12 天" in page
    assert send(chair, f"/village/due/{school}/reminder", "/village/due", submit_token="one").status_code == 303
    assert "今天已提醒" in chair.get("/village/due").text
    again = send(chair, f"/village/due/{school}/reminder", "/village/due", submit_token="two")
    assert again.status_code == 409
    assert "今天已提醒过该单位" in again.text
    assert db.session().scalar(select(func.count()).where(Notice.kind == "overdue.asked")) == 1
    assert "烦请安排" in world.logged_in("cashier.sun").get("/notices").text


def test_strangers_are_not_reminded(late, world):
    late.order(12)
    school, hospital = world.organisation_id(SCHOOL), world.organisation_id(HOSPITAL)
    for login, unit in (("chair.shi", hospital), ("chair.he", school), ("chair.shi", 999_999)):
        answer = send(world.logged_in(login), f"/village/due/{unit}/reminder", "/village/due", submit_token="one")
        assert answer.status_code == 404, login
    assert send(world.logged_in("cashier.sun"), f"/village/due/{school}/reminder", "/payments/due",
                submit_token="one").status_code == 403
    assert db.session().scalar(select(func.count()).select_from(OverdueReminder)) == 0


# ---- offices --------------------------------------------------------------------------------------------------------


def two_counties(late: Late) -> None:
    """The school lies in 江永, the hospital in 新田."""
    late.move(SCHOOL, "431125")
    late.move(HOSPITAL, "431128")


def test_an_office_sees_its_own_county_only(late, world):
    two_counties(late)
    mine = late.order(40)
    late.order(10, unit=HOSPITAL, by="cook.wu", accepted=False)
    school, hospital = world.organisation_id(SCHOOL), world.organisation_id(HOSPITAL)
    county = world.logged_in("official.hua")
    page = county.get("/office/overdue").text
    assert "永州演示第一小学" in page and "永州演示医院" not in page
    for path in (f"/office/overdue/{hospital}", f"/office/overdue/{hospital}.csv", "/office/overdue/999999",
                 "/office/overdue?county=431128000000", "/office/overdue.csv?county=431128000000",
                 f"/office/overdue/{school}.exe", "/office/overdue.pdf"):
        assert county.get(path).status_code == 404, path
    assert number(mine) in county.get(f"/office/overdue/{school}").text
    assert "永州演示医院" not in county.get("/office/overdue.csv").data.decode()
    for login in ("official.jin", "auditor.wei", "audit.qi"):
        page = world.logged_in(login).get("/office/overdue").text
        assert "永州演示第一小学" in page and "永州演示医院" in page, login
    only = world.logged_in("official.jin").get("/office/overdue?county=431128000000").text
    assert "永州演示第一小学" not in only and "永州演示医院" in only
    for login in ("village.kong", "cashier.sun", "chair.shi"):
        assert world.logged_in(login).get("/office/overdue").status_code == 403


def test_filters_sorting_and_sums(late, world):
    two_counties(late)
    for days in (70, 40, 5):
        late.order(days)
    late.order(20, unit=HOSPITAL, by="cook.wu", accepted=False, kilos=50)
    city = world.logged_in("official.jin")
    page = city.get("/office/overdue").text
    assert page.index("永州演示第一小学</a>") < page.index("永州演示医院</a>")  # the oldest first
    assert "¥</span>160.00" in page  # all of both
    page = city.get("/office/overdue?sort=open&order=desc").text
    assert page.index("永州演示医院</a>") < page.index("永州演示第一小学</a>")
    page = city.get("/office/overdue?band=late_61").text
    assert "永州演示医院" not in page and "¥</span>20.00" in page and "¥</span>60.00" not in page
    assert "永州演示第一小学" not in city.get("/office/overdue?unit_type=hospital").text
    assert "没有单位逾期" in city.get("/office/overdue?fund_source=union").text
    for odd in ("?sort=name&order=up", "?band=soon", "?page=9999", "?unit_type=%00x", "?county="):
        assert city.get(f"/office/overdue{odd}").status_code in {200, 400}, odd


def test_files_and_drill_down_equal_the_page(late, world):
    for days in (70, 40, 5):
        late.order(days)
    late.order(20, unit=HOSPITAL, by="cook.wu", accepted=False, kilos=50)
    city, school = world.logged_in("official.jin"), world.organisation_id(SCHOOL)
    header, *rows, total = rows_of(city.get("/office/overdue.csv"))
    assert len(rows) == 2
    at = {name.partition(" ")[0]: place for place, name in enumerate(header)}
    for place, name in enumerate(header):
        if "元" in name:
            assert sum(money.parse_fen(row[place]) for row in rows) == money.parse_fen(total[place]), name
    page = city.get("/office/overdue").text
    shown = amounts(page[page.index("<table"):])
    assert [value for row in (*rows, total) for value in row if re.fullmatch(r"[0-9]+\.[0-9]{2}", value)] == shown
    assert at
    book = load_workbook(io.BytesIO(city.get("/office/overdue.xlsx").data), read_only=True).active
    assert "永州演示医院" in {row[0] for row in book.iter_rows(values_only=True)}
    _header, *orders, sums = rows_of(city.get(f"/office/overdue/{school}.csv"))
    mine = next(row for row in rows if row[0] == "永州演示第一小学")
    assert len(orders) == int(mine[3]) == 3
    assert (sums[6], sums[7]) == (mine[4], mine[-1])
    assert sum(money.parse_fen(row[6]) for row in orders) == money.parse_fen(mine[4])
    sheet = city.get("/office/overdue.print")
    assert sheet.status_code == 200
    assert amounts(sheet.text) == shown


def test_goods_not_accepted_stand_with_the_office_once_their_day_is_over(late, world):
    two_counties(late)
    over = late.order(-20, accepted=False, delivered=TODAY - timedelta(days=9))
    still = late.order(-20, accepted=False, delivered=TODAY - timedelta(days=3))
    for login, sees in (("official.hua", True), ("official.jin", True), ("farm.luo", True)):
        page = world.logged_in(login).get("/office/overdue/not-accepted").text
        assert (number(over) in page) is sees, login
        assert number(still) not in page, login
    records = rows_of(world.logged_in("official.hua").get("/office/overdue/not-accepted.csv"))
    assert [row[0] for row in records[1:]] == [number(over)]
    assert number(over) in world.logged_in("official.hua").get("/office/overdue/not-accepted.print").text
    late.move(SCHOOL, "431128")
    assert number(over) not in world.logged_in("official.hua").get("/office/overdue/not-accepted").text
    assert "仍未验收" not in world.logged_in("official.hua").get("/office").text
    assert "有 1 单已送达，过了验收期限仍未验收。" in world.logged_in("official.jin").get("/office").text


def test_the_report_says_the_same_and_leads_to_the_orders(late, world):
    for days in (70, 40):
        late.order(days)
    late.order(20, unit=HOSPITAL, by="cook.wu", accepted=False)
    city = world.logged_in("official.jin")
    page = city.get("/reports/late-payments?from=2026-10&to=2026-10").text
    assert f"/office/overdue/{world.organisation_id(SCHOOL)}" in page and "估算" in page
    told = city.get("/reports/late-payments.json?from=2026-10&to=2026-10").get_json()
    assert (told["totals"]["open_fen"], told["totals"]["orders"]) == (6_000, 3)
    assert told["totals"]["interest_fen"] == 70 + 40 + 20
    assert [row["overdue_days"] for row in told["rows"]] == [70, 20]
    before = city.get("/reports/late-payments.json?from=2026-08&to=2026-08").get_json()
    assert before["totals"]["open_fen"] == 2_000  # what was to be paid up to the end of August
    assert world.app.test_client().get("/reports/late-payments").status_code == 404
    written = world.app.test_cli_runner().invoke(args=[
        "report", "late-payments", "--period", "2026-10", "--output", str(world.app.extensions["sijin"].data_dir
                                                                           / "late.csv")])
    assert written.exit_code == 0, written.output


# ---- what it costs --------------------------------------------------------------------------------------------------


def test_lists_cost_as_many_statements_for_a_hundred_orders_as_for_ten(late, world):
    two_counties(late)
    school = world.organisation_id(SCHOOL)
    pages = [("cashier.sun", "/payments/due"), ("cashier.sun", "/desk"), ("chair.shi", "/village/due"),
             ("chair.shi", "/village"), ("official.jin", "/office/overdue"), ("official.jin", "/office"),
             ("official.jin", "/office/overdue.csv"), ("official.jin", f"/office/overdue/{school}"),
             ("official.jin", "/office/overdue/not-accepted"),
             ("official.jin", "/reports/late-payments?from=2026-10&to=2026-10")]
    costs, made = [], 0
    for size in (10, 100):
        for at in range(made, size):
            late.order(at % 90, accepted=bool(at % 2), delivered=TODAY - timedelta(days=9), kilos=1)
        made = size
        found = {}
        for login, path in pages:
            client = world.logged_in(login)
            assert client.get(path).status_code == 200
            world.app.extensions["sijin_demo"]()
            with count_statements(world.app) as statements:
                client.get(path)
            found[path] = len(statements)
        costs.append(found)
    assert costs[0] == costs[1]
    assert costs[0]["/desk"] <= 32
    assert max(cost for path, cost in costs[0].items() if "due" in path) <= 14
