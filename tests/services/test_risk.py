"""Signals from trade: what is found, once; who handles it; what comes back. Of income through this platform only."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from market import clock, db
from market.errors import Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.figures import EVERYWHERE
from market.households import Household
from market.journal import JournalEntry
from market.notices import Notice
from market.places import Division
from orders.collective import dated, declaring
from orders.reports.frame import Asked, fill
from orders.reports.readers import PUBLIC, WHOLE, Reader, reader_of
from orders.risk import finding, handling, jobs, lists, report, rules
from orders.risk.models import RiskCase, RiskSignal
from orders.risk.rules import Limits, Series
from tests.counting import count_statements
from tests.earnings import Earnings
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def earnings(world: World) -> Earnings:
    return Earnings(world)


@pytest.fixture
def households(world: World) -> list[int]:
    return [world.household_id(f"DEMO-XT-000{number}") for number in range(1, 6)]


def kinds() -> list[tuple[str, str, str]]:
    """(kind, 'household' or 'village', period) of all signals."""
    return sorted((row.kind, row.subject.partition(":")[0], row.period)
                  for row in db.session().scalars(select(RiskSignal)))


def cases() -> list[RiskCase]:
    return list(db.session().scalars(select(RiskCase).order_by(RiskCase.id).execution_options(populate_existing=True)))


# ---- what trade tells -----------------------------------------------------------------------------------------------


def test_a_household_whose_income_fell_by_half_is_found(earnings: Earnings, households: list[int]) -> None:
    one, other, fresh, rising, stopped = households
    for year, fens in ((2025, {one: 1_000, other: 1_000, rising: 100, stopped: 700}),
                       (2026, {one: 500, other: 501, rising: 900, fresh: 5})):
        for household, fen in fens.items():
            earnings.earn(household, date(year, 9, 10), fen)
    assert finding.follow(TODAY) == 2
    found = {row.subject: row for row in db.session().scalars(select(RiskSignal))}
    assert {subject: (row.kind, row.now_fen, row.before_fen) for subject, row in found.items()} == {
        f"household:{one}": ("fallen", 500, 1_000), f"household:{stopped}": ("stopped", 0, 700)}
    assert {(row.period, row.first_month, row.last_month) for row in found.values()} == {
        ("2026-09", "2026-09", "2026-09")}
    assert finding.follow(TODAY) == 0
    assert len(cases()) == 2 and all(case.state == "open" for case in cases())


def test_nothing_is_compared_before_twelve_months_of_trade(earnings: Earnings, households: list[int]) -> None:
    earnings.earn(households[0], date(2025, 11, 10), 1_000)
    earnings.earn(households[1], date(2026, 9, 10), 1_000)
    assert finding.follow(TODAY) == 0
    with clock.at(clock.shanghai(date(2026, 12, 2))):
        assert finding.follow(clock.today()) == 0  # nobody traded in November 2026: the months are not alike
    earnings.earn(households[1], date(2026, 11, 10), 1_000)
    assert finding.follow(date(2026, 12, 2)) == 1
    assert kinds() == [("stopped", "household", "2026-11")]


def test_income_of_the_running_month_says_that_somebody_sells_again(
        earnings: Earnings, households: list[int]) -> None:
    earnings.earn(households[0], date(2025, 9, 10), 1_000)
    earnings.earn(households[1], date(2026, 9, 10), 1_000)
    earnings.earn(households[0], date(2026, 10, 5), 1)
    finding.follow(TODAY)
    assert kinds() == [("fallen", "household", "2026-09")]


def test_what_is_unpaid_for_sixty_days_is_found_the_oldest_paid_first(
        earnings: Earnings, households: list[int]) -> None:
    one, other = households[:2]
    earnings.earn(one, TODAY - timedelta(days=61), 800, paid=False)
    earnings.earn(one, TODAY - timedelta(days=100), 300)  # what was paid counts for the oldest
    earnings.earn(one, TODAY - timedelta(days=10), 999, paid=False)
    earnings.earn(other, TODAY - timedelta(days=60), 500, paid=False)
    finding.follow(TODAY)
    (found,) = db.session().scalars(select(RiskSignal)).all()
    assert (found.kind, found.subject, found.now_fen) == ("unpaid", f"household:{one}", 800)
    assert (found.first_month, found.period) == ("2026-08", "2026-10")


def test_a_payment_of_one_cooperative_pays_no_debt_of_another(world: World, households: list[int]) -> None:
    ours, theirs = Earnings(world), Earnings(world, POMELO)
    day = TODAY - timedelta(days=90)
    ours.earn(households[0], day, 500, paid=False)
    theirs.earn(households[0], day, 700)
    finding.follow(TODAY)
    assert [(row.kind, row.now_fen) for row in db.session().scalars(select(RiskSignal))] == [("unpaid", 500)]


def test_a_collectives_unpaid_share_is_the_villages_signal(world: World, trade: Trade) -> None:
    home = world.villages["greens_home"]
    with clock.at(NOON - timedelta(days=70)):
        trade.agree_collective(GREENS, home, 1_000, date(2026, 1, 1))
        cabbage = trade.product("白菜")
        trade.lot(cabbage, 20)
        order = trade.orders(trade.place({cabbage: 10_000}))[0].id
        trade.ship(order)
        trade.accept(order)
    finding.follow(TODAY)
    assert kinds() == [("unpaid", "household", "2026-10")] * 2 + [("unpaid", "village", "2026-10")]
    village = db.session().scalars(select(RiskSignal).where(RiskSignal.subject == f"village:{home}")).one()
    assert village.now_fen == 200  # a tenth of ¥20.00; growers' money stands with the growers
    trade.pay_out(world.organisation_id(GREENS), home, "collective", 200)
    trade.pay_out(world.organisation_id(GREENS), home, "farm_gate", 1_200)
    with clock.at(NOON + timedelta(days=30)):
        assert finding.follow(clock.today()) == 0


def test_the_line_of_a_village_is_tested_only_where_other_income_is_declared(world: World, trade: Trade) -> None:
    home, next_door = world.villages["pomelo_home"], world.villages["pomelo_next"]
    for village in (home, next_door):
        trade.agree_collective(POMELO, village, 500, date(2023, 1, 1))
    Earnings(world, POMELO, "pomelo_home").earn(world.household_id("DEMO-JY-0001"), date(2026, 9, 1), 100)
    finding.follow(TODAY)
    assert kinds() == []
    for year, fen in ((2025, 4_000_000), (2026, 100)):  # the running year is not judged
        proof = trade.proof()
        with db.transaction():
            row = declaring.declare(home, declaring.Said(year, "trading", fen, "", proof),
                                    world.person("village.kong")).id
        with db.transaction():
            declaring.confirm(row, world.person("township.yan"))
    finding.follow(TODAY)
    assert kinds() == [("weak", "village", "2025")]


def test_an_area_sets_its_own_share_months_and_days(world: World, earnings: Earnings, households: list[int]) -> None:
    for year, fen in ((2025, 1_000), (2026, 600)):
        earnings.earn(households[0], date(year, 9, 10), fen)
    earnings.earn(households[1], TODAY - timedelta(days=40), 100, paid=False)
    assert finding.follow(TODAY) == 0
    for name, value in (("fallen_share", 4_000), ("unpaid_days", 30)):
        with db.transaction():
            dated.put(name, TODAY, value, "永乡振〔2026〕3号", world.person("official.jin"))
    finding.follow(TODAY)
    assert [kind for kind, subject, _period in kinds() if subject == "household"] == ["fallen", "unpaid"]


def test_thirty_six_months_of_steady_trade_make_no_signal(earnings: Earnings, households: list[int]) -> None:
    months = clock.months_between("2023-10", "2026-09")
    rows = [(household, clock.first_day(month), 1_000 + 10 * number)
            for household in households for number, month in enumerate(months)]
    with db.transaction():
        earnings.earn_all(rows)
    for month in ("2024-06", "2025-06", "2026-10"):
        with clock.at(clock.shanghai(clock.first_day(month), 3)):
            assert finding.follow(clock.today()) == 0, month
    with db.transaction():  # then one of them brings nothing for three months
        earnings.earn_all([(household, clock.first_day(month), 2_000) for household in households[1:]
                           for month in ("2026-10", "2026-11", "2026-12")])
    with clock.at(clock.shanghai(date(2027, 1, 2), 3)):
        assert finding.follow(clock.today()) == 1
    assert kinds() == [("stopped", "household", "2026-12")]


def test_seasons_are_compared_with_the_same_season() -> None:
    autumn = Series(earned={"2025-09": 900, "2025-10": 1_000, "2025-11": 800})
    opened = set(clock.months_between("2025-01", "2026-12"))
    assert rules.signals(autumn, opened, date(2026, 7, 3), Limits()) == []
    (found,) = rules.signals(autumn, opened, date(2026, 12, 3), Limits())
    assert (found.kind, found.before_fen, found.first_month, found.last_month) == (
        "stopped", 2_700, "2026-09", "2026-11")


# ---- handling -------------------------------------------------------------------------------------------------------


@pytest.fixture
def case(earnings: Earnings, households: list[int]) -> int:
    earnings.earn(households[0], TODAY - timedelta(days=90), 800, paid=False)
    finding.follow(TODAY)
    return cases()[0].id


def test_a_case_is_handled_and_closed_by_two_people(world: World, case: int) -> None:
    cao, jin = world.person("village.cao"), world.person("official.jin")
    for stranger in ("village.kong", "township.yan", "official.hua", "chair.shi"):
        for act in (lambda by: handling.assign(case, by.id, TODAY, "上门", by),
                    lambda by: handling.propose_closing(case, "好了", by), lambda by: handling.reveal(case, by)):
            with pytest.raises(NotFound), db.transaction():
                act(world.person(stranger))
    with pytest.raises(InvalidInput), db.transaction():
        handling.assign(case, cao.id, TODAY - timedelta(days=1), "上门", cao)
    with pytest.raises(InvalidInput), db.transaction():
        handling.assign(case, world.person("chair.shi").id, TODAY, "上门", cao)
    with db.transaction():
        handling.assign(case, cao.id, TODAY + timedelta(days=10), "上门核实，催合作社付款", cao)
    with pytest.raises(Conflict), db.transaction():
        handling.close(case, jin)
    with db.transaction():
        handling.propose_closing(case, "已付清", cao)
    with pytest.raises(SecondPersonNeeded), db.transaction():
        handling.close(case, cao)
    with db.transaction():
        handling.send_back(case, "没有凭证", jin)
    assert (cases()[0].state, cases()[0].outcome) == ("open", "")
    with db.transaction():
        handling.propose_closing(case, "已付清，见凭证", cao)
    with db.transaction():
        handling.close(case, jin)
    assert lists.counts(cao) == {"open": 0, "overdue": 0, "closing": 0, "closed": 1}
    with pytest.raises(MarketError), db.transaction():
        handling.close(case, jin)


def test_a_closed_case_opens_again_when_a_later_month_says_the_same(world: World, case: int) -> None:
    cao, jin = world.person("village.cao"), world.person("official.jin")
    with db.transaction():
        handling.assign(case, cao.id, TODAY, "上门", cao)
        handling.propose_closing(case, "答应本月付", cao)
    with db.transaction():
        handling.close(case, jin)
    assert finding.follow(TODAY + timedelta(days=1)) == 0  # the same month's signal was what was closed
    assert cases()[0].state == "closed"
    later = date(2026, 11, 2)
    with clock.at(clock.shanghai(later)):
        assert finding.follow(later) == 1
        assert finding.follow(later) == 0
    again = cases()[0]
    assert (again.id, again.state, again.reopened_on, again.handler_id) == (case, "open", later, cao.id)
    assert (again.outcome, again.closed_by, again.due_on) == ("", None, later + timedelta(days=30))
    acts = db.session().scalars(select(JournalEntry.action).where(
        JournalEntry.thing_kind == "risk_case").order_by(JournalEntry.id)).all()
    assert acts == ["risk.opened", "risk.assigned", "risk.closing", "risk.closed", "risk.reopened"]


def test_an_office_hears_once_of_a_day_that_has_passed(world: World, case: int) -> None:
    cao = world.person("village.cao")
    with db.transaction():
        handling.assign(case, cao.id, TODAY, "上门", cao)
    for day, told in ((TODAY, 0), (TODAY + timedelta(days=1), 1), (TODAY + timedelta(days=2), 1)):
        with clock.at(clock.shanghai(day, 3)):
            jobs.follow_night()
            found = db.session().scalars(select(Notice).where(Notice.kind == "risk.due")).all()
            assert len(found) == told
            assert lists.counts(cao)["overdue"] == told
    assert (found[0].organisation_id, found[0].details["count"]) == (cao.organisation_id, 1)


def test_a_full_name_is_shown_to_the_area_and_written_down(world: World, case: int) -> None:
    with db.transaction():
        assert handling.reveal(case, world.person("village.cao")) == "XT户1"
    row = db.session().scalars(select(JournalEntry).where(JournalEntry.action == "risk.name_shown")).one()
    assert row.actor_id == world.person("village.cao").id and "XT户1" not in str(row.details)
    assert "head_name" not in lists.case(case, world.person("village.cao"))._mapping


def test_the_report_is_for_officials_of_the_area(world: World, case: int) -> None:
    asked, over = Asked("2026-10", "2026-10"), Asked("2026-09", "2026-09")
    for reader in (PUBLIC, reader_of(world.person("chair.shi")), reader_of(world.person("village.cao"))):
        with pytest.raises(NotFound):
            fill(report.REPORT, over, reader, False)
    (row,) = fill(report.REPORT, asked, WHOLE, False).content.rows
    assert (row.values["household"], row.values["now_fen"], row.values["before_fen"]) == ("DEMO-XT-0001", 800, None)
    hua = reader_of(world.person("official.hua"))
    assert hua != Reader(True, EVERYWHERE)
    assert fill(report.REPORT, asked, hua, False).content.rows == []
    assert any("不是家庭总收入" in note or "not total income" in note
               for note in fill(report.REPORT, asked, WHOLE, False).notes)


# ---- at scale -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_ten_thousand_households_cost_as_many_statements_as_ten(app: Flask, world: World, earnings: Earnings) -> None:
    def grow(count: int) -> None:
        with db.transaction() as session:
            first = (session.scalar(select(func.max(Household.id))) or 0) + 1
            session.execute(insert(db.table(Household)), [
                {"id": number, "village_id": earnings.village, "register_code": None, "head_name": "户", "people": 3}
                for number in range(first, first + count)])
            earnings.earn_all([(number, day, fen) for number in range(first, first + count)
                               for day, fen in ((date(2025, 9, 1), 1_000), (date(2026, 9, 1), 900))])

    def cost() -> int:
        county = db.session().scalar(select(Division.county_id).where(Division.id == earnings.village)) or 0
        with count_statements(app) as statements:
            assert finding.found_in(county, TODAY) == []
        return len(statements)

    grow(10)
    few = cost()
    grow(9_990)
    many = cost()
    assert few < 20
    assert many <= few + 4  # homes of households, 5,000 in one statement
    with db.transaction() as session:  # and all of them fall at once
        session.execute(update(Household).where(Household.village_id == earnings.village).values(people=4))
    with db.transaction():
        earnings.earn_all([(number, date(2025, 9, 2), 9_000) for number in db.session().scalars(
            select(Household.id).where(Household.head_name == "户"))])
    with count_statements(app) as statements:
        assert finding.follow(TODAY) == 10_001
    assert len(statements) < 200
