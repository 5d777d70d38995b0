"""The officials' first page and dashboard tell what the reports tell, to the fen, sealed or not, held or not."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from market import clock, db, sealing
from market.figures import EVERYWHERE, Where
from market.parties import Organisation
from market.places import Division
from orders.anomalies.models import AnomalyCase, OrderHold
from orders.income import presence
from orders.models import Order
from orders.overdue import lists as overdue_lists
from orders.reports import (
    dashboards,
    household_income,
    income_unpaid,
    office,
    place_method,
    unit_progress,
    village_income,
)
from orders.reports.dashboards import Board
from orders.reports.drawn import Drawing
from orders.reports.frame import Asked, Filled, Report, fill
from orders.reports.office import Figure, Home
from orders.reports.readers import WHOLE, area_of
from tests.counting import count_statements
from tests.quota_people import Office
from tests.trade import Trade
from tests.world import HOSPITAL, NOON, POMELO, SCHOOL, TODAY, World

OCTOBER = "2026-10"
RECEIVERS = {SCHOOL: ("store.wang", "aunt.zhao"), HOSPITAL: ("store.zheng", "cook.wu")}


@pytest.fixture(autouse=True)
def things_are_counted(app: Flask) -> Iterator[None]:
    app.extensions["sijin_presence"] = presence.things_of
    with clock.at(NOON):
        yield


def sell(trade: Trade, day: date, kilos: int, *, supplier: str = "", unit: str = SCHOOL, paid: bool = False) -> Order:
    """Cabbage at ¥2 a kilo, ordered the day before and accepted on a day; of pomelo growers where told."""
    with clock.at(datetime(day.year, day.month, day.day, 1, tzinfo=UTC)):
        product = trade.product("白菜", **({"supplier": supplier} if supplier else {}))
        trade.lot(product)
        order = trade.orders(trade.place({product: kilos * 1_000}, unit=unit,
                                         by="cook.wu" if unit == HOSPITAL else "cook.chen"))[0]
        trade.ship(order.id)
        trade.accept(order.id, receivers=RECEIVERS[unit])
        if paid:
            trade.pay(order.id, kilos * 200)
    return order


@pytest.fixture
def traded(trade: Trade) -> Order:
    """A year of a few days, some before and some after the same day of their month; the last order is today's."""
    with db.transaction() as session:  # the hospital has one receiver; who orders is the other one
        session.get_one(Organisation, trade.world.organisation_id(HOSPITAL)).receiving_scheme = "reduced"
    sell(trade, date(2025, 10, 5), 10)
    sell(trade, date(2025, 10, 20), 70)
    sell(trade, date(2026, 9, 10), 16, paid=True)
    sell(trade, date(2026, 9, 20), 40, supplier=POMELO)
    sell(trade, date(2026, 10, 2), 20, paid=True)
    return sell(trade, TODAY, 12)


def home(where: Where = EVERYWHERE) -> Home:
    with db.snapshot():
        return office.home(where, clock.today(), office.earlier(where, clock.today()))


def board(month: str = OCTOBER, county: str | None = None) -> Board:
    with db.snapshot():
        return dashboards.read(month, area_of(WHOLE, county, None, None), WHOLE)


def report(of: Report, month: str = OCTOBER, **more: Any) -> Filled:
    return fill(of, Asked(month, month, **more), WHOLE, demo=False)


def totals(of: Report, month: str = OCTOBER, **more: Any) -> dict[str, Any]:
    return report(of, month, **more).content.totals.values


def stage(of: Home, key: str) -> Figure:
    return next(one for one in of.stages if one.key == key)


def drawing(of: Board, key: str) -> Drawing:
    return next(one for one in of.drawings if one.key == key)


def hold(order: Order, upheld: bool = False) -> None:
    with db.transaction() as session:
        case = AnomalyCase(kind="round_trip", key=order.number, grave=True, object="", value="", facts={}, evidence=[],
                           day=TODAY, rule_version=1, found_at=clock.now(), due_on=TODAY)
        session.add(case)
        session.flush()
        session.add(OrderHold(case_id=case.id, order_number=order.number, held_at=clock.now(), for_good=upheld))


def test_the_first_page_tells_the_date_beside_the_same_days_before(app: Flask, world: World, trade: Trade,
                                                                   traded: Order) -> None:
    counties = len(db.session().scalars(select(Division.id).where(Division.level == "county")).all())
    for _sealed in (False, True):
        found, month = home(), totals(village_income.REPORT)
        accepted, received = stage(found, "accepted"), stage(found, "received")
        assert (accepted.now, received.now) == (month["purchase_fen"], month["received_fen"]) == (6_400, 4_000)
        assert (accepted.today, received.today) == (2_400, 0)
        assert (accepted.last_month, accepted.last_year) == (3_200, 2_000)  # nothing of the 20th
        assert accepted.change(accepted.last_month) == 10_000
        assert received.last_year == 0 and received.change(0) is None
        assert found.months[-1]["income_fen"] == month["income_fen"]
        assert found.households == month["households"] == 2
        silent = {one.name: one.last_month for one in found.silent or []}
        assert found.silent_of == counties and len(silent) == counties - 1
        assert silent["江永县"] == "2026-09" and silent["道县"] is None and "新田县" not in silent
        sealing.seal_all()
    assert found.unpaid_fen == 168 * 120 >= totals(income_unpaid.REPORT)["unpaid_fen"] > 0  # that one: 30 days and more
    trade.pay_out(traded.supplier_id, world.villages["greens_home"], "farm_gate", 1_000)
    paid = home()
    assert (stage(paid, "reached").now, stage(paid, "reached").today) == (1_000, 1_000)
    assert totals(household_income.REPORT)["paid_fen"] == 1_000
    assert paid.unpaid_fen == found.unpaid_fen - 1_000
    with clock.at(datetime(2026, 12, 31, 4, 0, tzinfo=UTC)):
        year_end = home()
        late = overdue_lists.dues(overdue_lists.is_late(clock.today()))
        assert (year_end.late_orders, year_end.late_fen) == (len(late), sum(one.open_fen for one in late))
        assert year_end.late_orders == 4
        assert stage(year_end, "accepted").last_month is None and len(year_end.silent or []) == counties
    costs = []
    for supplier in ("", POMELO):
        sell(trade, TODAY, 5, unit=HOSPITAL, supplier=supplier)
        with count_statements(app) as statements:
            home()
        costs.append(len(statements))
    assert costs[0] == costs[1] < 30


def test_what_is_held_is_told_as_the_report_tells_it(traded: Order) -> None:
    hold(traded)
    found, month = home(), totals(village_income.REPORT)
    assert stage(found, "accepted").now == month["purchase_fen"] == 6_400
    assert found.under_check_fen == month["under_check_fen"] == board().held_fen == 2_400
    assert month["purchase_fen"] - found.under_check_fen == month["clear_purchase_fen"]
    with db.transaction() as session:
        session.query(OrderHold).update({OrderHold.for_good: True})
    assert (home().under_check_fen, home().left_out_fen) == (0, totals(village_income.REPORT)["left_out_fen"]) == (
        0, 2_400)


def test_an_office_sees_its_own_area(world: World, traded: Order) -> None:
    places = {name: db.session().scalars(select(Division.id).where(Division.name == name, Division.level == "county",
                                                                   Division.valid_to.is_(None))).one()
              for name in ("江永县", "新田县")}
    greens, pomelo = (home(Where(county_id=places[name])) for name in ("新田县", "江永县"))
    assert stage(greens, "accepted").now == 6_400 and stage(pomelo, "accepted").now == 0
    assert greens.silent == [] and [one.last_month for one in pomelo.silent or []] == ["2026-09"]
    village = home(Where(village_ids=(world.villages["greens_home"],)))
    assert stage(village, "accepted").now == 6_400 and village.silent is None
    township = db.session().get_one(Division, world.villages["greens_home"]).township_id
    with db.snapshot():
        area = area_of(WHOLE, None, db.session().get_one(Division, township).code, None)
        keys = [one.key for one in dashboards.read(OCTOBER, area, WHOLE).drawings]
    assert keys == ["methods", "villages", "goods", "quota", "share"]


def test_every_table_of_the_dashboard_adds_up_to_its_report(world: World, trade: Trade, traded: Order) -> None:
    sell(trade, TODAY, 7, unit=HOSPITAL)
    sell(trade, TODAY, 9, supplier=POMELO, unit=HOSPITAL)
    office_ = Office(world)
    office_.rule()
    office_.approve(office_.file(world.person("admin.qian")))
    sealing.seal_all()
    sell(trade, TODAY, 3)
    for county in (None, "431128000000"):
        found = board(county=county)
        whole = totals(village_income.REPORT, county=county)
        assert (found.bought_fen, found.received_fen, found.income_fen) == (
            whole["purchase_fen"], whole["received_fen"], whole["income_fen"])
        by_method = report(place_method.REPORT, county=county).content
        cells = {row.place: [row.values[f"{method}-fen"] for method in (*place_method.METHODS, "all")]
                 for row in by_method.rows}
        drawn = drawing(found, "methods")
        assert [[cell.value for cell in line.cells] for line in drawn.lines] == list(cells.values())
        assert drawn.total and drawn.total.cells[-1].value == by_method.totals.values["all-fen"]
        for key in ("places", "villages", "goods"):
            one = drawing(found, key)
            sums = [sum(line.cells[at].value or 0 for line in one.lines) for at in range(len(one.headings))]
            assert one.total and [cell.value for cell in one.total.cells] == sums, key
            assert sums[0] == whole["purchase_fen"], key
        quota, units = drawing(found, "quota"), totals(unit_progress.REPORT, county=county)
        assert quota.total
        assert [cell.value for cell in quota.total.cells][1:] == [
            units["quota"], units["local"], units["completion"], units["gap"]]
    share = drawing(board(), "share")
    assert share.lines[-1].cells[2].value == 6_000 and share.lines[0].name == "2025-11"
    assert share.lines[0].cells[2].value is None
    assert board("2024-01").bought_fen == 0
    assert all(one.is_empty for one in board("2024-01").drawings)


def test_the_dashboard_asks_as_often_for_many_as_for_few(app: Flask, trade: Trade, traded: Order) -> None:
    costs = []
    for _round in range(2):
        with count_statements(app) as statements:
            board()
        costs.append(len(statements))
        for unit in (SCHOOL, HOSPITAL):
            sell(trade, TODAY, 4, supplier=POMELO, unit=unit)
        with db.transaction() as session:
            session.add(Organisation(kind="unit", name=f"学校{_round}", short_name="校", unit_type="school",
                                     created_at=clock.now()))
    assert costs[0] == costs[1] < 45


def test_a_short_month_has_fewer_same_days() -> None:
    assert office.same_days(date(2026, 3, 31)) == (date(2026, 2, 28), date(2025, 3, 31))
    assert office.same_days(date(2024, 2, 29)) == (date(2024, 1, 29), date(2023, 2, 28))
