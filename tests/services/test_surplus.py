"""Surplus returns: volumes from the lots, at least 60 percent by volume, every fen somewhere, two people."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from catalog import lots
from catalog.lot_parts import Contribution
from catalog.members import surplus, volume
from catalog.members.models import SurplusLine, SurplusReturn
from catalog.members.surplus import Meeting, Plan
from catalog.members.volume import Volume
from market import clock, db
from market.errors import Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.ledger import LedgerTransfer
from tests.world import GREENS, NOON, POMELO, TODAY, World

YEAR = (date(2026, 1, 1), TODAY)
MEETING = Meeting("社员大会〔2026〕3号", TODAY)


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def members(world, trade) -> list[int]:
    """Three members of the vegetable co-operative brought 30, 10 and 0 kg; one lot still waits, one is of last year."""
    cabbage, home = trade.product("卷心菜"), world.villages["greens_home"]
    first, second, third = trade.members(GREENS, home)[:3]
    trade.lot(cabbage, grams=[20_000, 5_000], households=[first, second], farm_gate_fen=120)
    trade.lot(cabbage, grams=[10_000, 5_000, 7_000], households=[first, second, None], farm_gate_fen=155)
    trade.lot(cabbage, grams=[99_000], households=[third], confirmed=False)
    trade.lot(cabbage, grams=[50_000], households=[third], harvested_on=date(2025, 12, 31))
    return [first, second, third]


def draw_up(world: World, fen: int = 100_001, reserve: int = 1000, points: int = 6000, by: str = "clerk.zhang",
            **more) -> int:
    with db.transaction():
        return surplus.draw_up(Plan(*YEAR, fen, reserve, points, **more), world.person(by)).id


def confirm(world: World, number: int, by: str = "chair.shi", meeting: Meeting = MEETING) -> None:
    with db.transaction():
        surplus.confirm(number, meeting, world.person(by))


def lines(number: int) -> list[tuple[int, int, int]]:
    return [(x.household_id, x.volume_fen, x.share_fen) for x in db.session().scalars(
        select(SurplusLine).where(SurplusLine.return_id == number).order_by(SurplusLine.id))]


def test_volume_is_what_members_brought_to_confirmed_lots_of_the_period(world, members):
    first, second, _third = members
    greens = world.organisation_id(GREENS)
    assert volume.volumes(greens, *YEAR) == {first: Volume(30_000, 2400 + 1550), second: Volume(10_000, 600 + 775)}
    assert volume.volumes(greens, *YEAR, [second]) == {second: Volume(10_000, 1375)}
    assert volume.volumes(world.organisation_id(POMELO), *YEAR) == {}


def test_the_parts_sum_to_the_whole_and_follow_the_amounts(world, members):
    number = draw_up(world)
    row = db.session().get_one(SurplusReturn, number)
    assert (row.reserve_fen, row.by_volume_fen, row.by_capital_fen, row.other_fen) == (10_000, 54_001, 0, 36_000)
    # 54,001 fen over 3,950 and 1,375: 40,057.1 and 13,943.9
    assert lines(number) == [(members[0], 40_057, 0), (members[1], 13_944, 0)]
    assert db.session().scalar(select(func.count()).select_from(LedgerTransfer)) == 0


def test_by_weight_the_shares_are_three_to_one_and_capital_takes_the_rest(world, members):
    with db.transaction():
        surplus.set_capital(members[1], 10_000, world.person("clerk.zhang"))
        surplus.set_capital(members[2], 5_000, world.person("clerk.zhang"))
        surplus.set_capital(members[2], 20_000, world.person("clerk.zhang"))
    number = draw_up(world, 100_000, 0, 8000, measure="grams")
    assert lines(number) == [(members[0], 60_000, 0), (members[1], 20_000, 6_667), (members[2], 0, 13_333)]


@given(fen=st.integers(1, 10**10), reserve=st.integers(0, 5000), points=st.integers(6000, 10_000),
       has_capital=st.booleans())
def test_whatever_is_divided_is_whole_and_keeps_the_law(fen, reserve, points, has_capital):
    parts = surplus.divide(fen, reserve, points, has_capital=has_capital)
    assert parts.reserve_fen + parts.by_volume_fen + parts.by_capital_fen + parts.other_fen == fen
    assert min(parts.by_volume_fen, parts.by_capital_fen, parts.other_fen) >= 0
    assert parts.by_volume_fen * 10_000 >= (fen - parts.reserve_fen) * 6000


def test_a_second_person_confirms_and_a_period_is_returned_once(world, members):
    number, again = draw_up(world), draw_up(world)
    with pytest.raises(SecondPersonNeeded):
        confirm(world, number, "clerk.zhang")
    with pytest.raises(NotFound):
        confirm(world, number, "chair.he")
    for wrong, field in ((Meeting("", TODAY), "decision_no"), (Meeting("3号", TODAY + timedelta(days=1)), "decided_on"),
                         (Meeting("3号", TODAY - timedelta(days=1)), "decided_on")):
        with pytest.raises(InvalidInput) as refused:
            confirm(world, number, meeting=wrong)
        assert set(refused.value.fields) == {field}
    row = db.session().get_one(SurplusReturn, number, populate_existing=True)
    assert (row.confirmed_by, row.decision_no, row.decided_on) == (None, "", None)
    confirm(world, number)
    row = db.session().get_one(SurplusReturn, number, populate_existing=True)
    assert row.confirmed_by is not None and (row.decision_no, row.decided_on) == ("社员大会〔2026〕3号", TODAY)
    with pytest.raises(surplus.PeriodTaken):
        confirm(world, again)
    with pytest.raises(Conflict), db.transaction():
        surplus.discard(number, world.person("chair.shi"))


def test_what_changed_since_it_was_drawn_up_is_not_confirmed(world, trade, members):
    number = draw_up(world)
    trade.lot(trade.product("豆角"), kg=5)
    with pytest.raises(surplus.FiguresChanged):
        confirm(world, number)
    with db.transaction():
        surplus.discard(number, world.person("clerk.zhang"))
    confirm(world, draw_up(world))


@pytest.mark.parametrize(("plan", "field"), [
    (Plan(*YEAR, 100, 0, 5999), "return_points"),
    (Plan(YEAR[0], TODAY + timedelta(days=1), 100, 0, 6000), "last_day"),
    (Plan(TODAY, YEAR[0], 100, 0, 6000), "last_day"),
    (Plan(date(2025, 1, 1), date(2025, 6, 1), 100, 0, 6000), "first_day")])
def test_what_cannot_be_is_said_at_its_field(world, members, plan, field):
    with pytest.raises(InvalidInput) as refused, db.transaction():
        surplus.draw_up(plan, world.person("clerk.zhang"))
    assert set(refused.value.fields) == {field}
    assert db.session().scalar(select(func.count()).select_from(SurplusReturn)) == 0


def test_goods_whose_households_are_not_named_yet_come_first(world, trade, members):
    cabbage = trade.product("白萝卜")
    with db.transaction():
        lots.book(cabbage, TODAY, 10_000, 100, [Contribution(10_000, village_id=world.villages["greens_home"],
                                                             unsplit=True)], world.person("clerk.zhang"))
    with pytest.raises(InvalidInput) as refused:
        draw_up(world)
    assert set(refused.value.fields) == {"last_day"}


def test_nobody_else_sets_a_members_capital(world, members):
    with pytest.raises(NotFound), db.transaction():
        surplus.set_capital(members[0], 1, world.person("chair.he"))
    assert surplus.capital_of(world.organisation_id(GREENS)) == {}
