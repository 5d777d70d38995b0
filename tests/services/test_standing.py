"""Standing orders: once a day, within their ceilings, approved once, and telling what did not come as planned."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from catalog.models import Product
from market import clock, db
from market.errors import Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.parties import Membership
from orders.models import Order, Purchase
from orders.standing import days, drafts, plans, prices, skips
from orders.standing.models import StandingLine, StandingRun, StandingRunLine
from orders.standing.refusals import NoGoods, NotItsDay, PlanChanged
from orders.units import handover
from tests.standing_plans import a_plan, content_of, plan, runs_of, said, set_limit, set_price, told, work
from tests.terms import state
from tests.trade import Trade
from tests.world import NOON, TODAY, World

AT_FOUR = NOON + timedelta(hours=4)  # Monday, 16:00 in Shanghai
TUESDAY = TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade: Trade) -> int:
    product = trade.product("白菜", price_fen=200)
    trade.lot(product, 1_000)
    return product


def purchases() -> list[Purchase]:
    return list(db.session().scalars(select(Purchase).order_by(Purchase.id)))


def change(world: World, plan_id: int, by: str = "cook.chen", **changes) -> bool:
    """Change the first line, or terms."""
    content = content_of(plan_id)
    of_line = {name: changes.pop(name) for name in ("ceiling_fen", "quantities") if name in changes}
    lines = (replace(content.lines[0], **of_line), *content.lines[1:])
    with db.transaction():
        return plans.change(plan_id, replace(content, lines=lines, terms=replace(content.terms, **changes)),
                            world.person(by))


def approve(world: World, plan_id: int, by: str = "head.li") -> None:
    with db.transaction():
        plans.approve(plan_id, content_of(plan_id).hash, world.person(by))


# ---- once a day -----------------------------------------------------------------------------------------------------


def test_at_the_hour_the_day_before_it_orders_once(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000})
    assert (plan(plan_id).state, plan(plan_id).next_day) == ("active", TUESDAY)
    with clock.at(AT_FOUR - timedelta(minutes=1)):
        work()
    assert purchases() == []
    with clock.at(AT_FOUR):
        work()
        work()
    (bought,) = purchases()
    assert (bought.source, bought.delivery_day, bought.total_fen, bought.approval) == (
        "standing", TUESDAY, 2_000, "not_needed")
    assert bought.ordered_by == world.person("cook.chen").id
    assert bought.submit_token == f"standing:{plan_id}:{TUESDAY}"
    assert runs_of(plan_id) == [(TUESDAY.isoformat(), "placed")]
    assert plan(plan_id).next_day == TUESDAY + timedelta(days=1)
    assert told(world) == []


def test_a_proposed_plan_orders_before_co_operatives_usually_close(world, cabbage):
    state(world)
    cook = world.person("cook.chen")
    with db.transaction():
        plan_id = drafts.draw_up("每天的菜", [(cabbage, 10_000)], cook)
        plans.start(plan_id, cook)
    with clock.at(AT_FOUR - timedelta(hours=1)):
        work()
    assert runs_of(plan_id) == [(TUESDAY.isoformat(), "placed")]


def test_weekends_come_only_where_the_plan_has_them(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000}, first_day=date(2026, 10, 16))
    with clock.at(clock.shanghai(date(2026, 10, 19), 20)):
        assert skips.upcoming(plan(plan_id), 4)[:2] == [date(2026, 10, 16), date(2026, 10, 19)]


def test_working_days_leave_holidays_out_and_keep_made_up_saturdays():
    every_day = frozenset(range(7))

    class Golden:
        first_day, last_day, skip_holidays, days_ahead, cut_off_hour = (
            date(2026, 9, 28), date(2026, 10, 11), True, 1, 16)

    assert days.coming(Golden.first_day, every_day, Golden(), 20) == [
        date(2026, 9, 28), date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 8), date(2026, 10, 9),
        date(2026, 10, 10)]


def test_days_missed_are_made_where_delivery_lies_ahead_and_told_where_not(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000}, days_ahead=2, cut_off_hour=0)
    assert plan(plan_id).next_day == TODAY + timedelta(days=3)  # Thursday; Tuesday and Wednesday were over at noon
    with clock.at(NOON + timedelta(days=4)):  # the worker was away until Friday; weekend lies ahead
        work()
    friday = TODAY + timedelta(days=4)
    assert runs_of(plan_id) == [((TODAY + timedelta(days=3)).isoformat(), "missed"), (friday.isoformat(), "missed")]
    assert purchases() == []
    assert told(world) == ["standing.missed"] * 2
    with clock.at(NOON + timedelta(days=6)):  # Sunday: Monday's is a day late, Tuesday's is due today
        work()
    assert [bought.delivery_day for bought in purchases()] == [TODAY + timedelta(days=7), TODAY + timedelta(days=8)]


def test_a_skipped_day_is_left_out_and_can_be_taken_back(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000})
    cook = world.person("cook.chen")
    with db.transaction():
        skips.skip(plan_id, TUESDAY, cook)
    with clock.at(AT_FOUR):
        work()
        assert purchases() == []
        assert plan(plan_id).next_day == TUESDAY + timedelta(days=1)
        with db.transaction():
            skips.unskip(plan_id, TUESDAY, cook)
        work()
    assert [bought.delivery_day for bought in purchases()] == [TUESDAY]
    with pytest.raises(NotItsDay), db.transaction():
        skips.skip(plan_id, TUESDAY, cook)
    with pytest.raises(NotItsDay), db.transaction():
        skips.unskip(plan_id, TUESDAY, cook)
    with pytest.raises(NotFound), db.transaction():
        skips.skip(plan_id, TUESDAY + timedelta(days=1), world.person("cook.wu"))


def test_paused_it_orders_nothing_and_goes_on_without_catching_up(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000})
    with db.transaction():
        plans.pause(plan_id, world.person("cook.chen"))
    with clock.at(AT_FOUR):
        work()
        with db.transaction():
            plans.resume(plan_id, world.person("cook.chen"))
        work()
        assert purchases() == []
        assert plan(plan_id).next_day == TUESDAY + timedelta(days=1)
        with db.transaction():
            plans.end(plan_id, world.person("cook.chen"))
        with pytest.raises(Conflict), db.transaction():
            plans.resume(plan_id, world.person("cook.chen"))


def test_a_plan_without_goods_does_not_start(world, cabbage):
    plan_id = a_plan(world, {}, start=False)
    with pytest.raises(NoGoods), db.transaction():
        plans.start(plan_id, world.person("cook.chen"))
    assert plan(plan_id).state == "draft"


def test_wrong_input_is_refused_at_its_field_and_changes_nothing(world, cabbage):
    with pytest.raises(InvalidInput) as refused:
        a_plan(world, {cabbage: 300}, last_day=TODAY, delivery_point_id=world.delivery_point_id("hospital"))
    assert set(refused.value.fields) == {"last_day", "lines-0-quantities", "delivery_point_id"}
    with pytest.raises(NotFound):
        a_plan(world, {999_999: 1_000})
    with pytest.raises(NotFound):
        a_plan(world, {cabbage: 1_000}, budget_unit_id=world.organisation_id("hospital"))
    assert db.session().scalar(select(StandingLine.id)) is None


# ---- prices and goods -----------------------------------------------------------------------------------------------


def two_goods(trade: Trade, cabbage: int) -> int:
    radish = trade.product("萝卜", price_fen=100)
    trade.lot(radish, 1_000)
    return radish


def outcomes(plan_id: int) -> list[tuple[int, str]]:
    run = select(StandingRun.id).where(StandingRun.plan_id == plan_id).order_by(StandingRun.day.desc()).limit(1)
    return [(row.product_id, row.outcome) for row in db.session().execute(
        select(StandingRunLine.product_id, StandingRunLine.outcome)
        .where(StandingRunLine.run_id == run.scalar_subquery()).order_by(StandingRunLine.id))]


def test_a_price_above_the_ceiling_stands_still_and_asks_while_others_run(world, trade, cabbage):
    radish = two_goods(trade, cabbage)
    plan_id = a_plan(world, {cabbage: 10_000, radish: 5_000})
    set_price(cabbage, 300)
    with clock.at(AT_FOUR):
        work()
    assert outcomes(plan_id) == [(cabbage, "paused"), (radish, "ordered")]
    assert [bought.total_fen for bought in purchases()] == [500]
    assert told(world) == ["standing.paused"]
    assert db.session().scalar(select(StandingLine.asked_fen).where(StandingLine.product_id == cabbage)) == 300


def test_a_raised_ceiling_orders_again(world, trade, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000})
    set_price(cabbage, 300)
    with clock.at(AT_FOUR):
        work()
        assert runs_of(plan_id) == [(TUESDAY.isoformat(), "nothing")]
        with db.transaction():
            assert not prices.raise_ceiling(plan_id, cabbage, 300, world.person("cook.chen"))
    with clock.at(AT_FOUR + timedelta(days=1)):
        work()
    assert [bought.total_fen for bought in purchases()] == [3_000]


def test_a_price_taken_once_counts_for_one_run_and_is_not_covered_by_the_approval(world, trade, cabbage):
    set_limit(world, 2_000)
    plan_id = a_plan(world, {cabbage: 10_000})
    approve(world, plan_id)
    set_price(cabbage, 300)
    with clock.at(AT_FOUR):
        work()
        with db.transaction():
            prices.take_once(plan_id, cabbage, 300, world.person("cook.chen"))
    for later in (1, 2):
        with clock.at(AT_FOUR + timedelta(days=later)):
            work()
    (bought,) = purchases()
    assert (bought.total_fen, bought.approval, bought.approved_by) == (3_000, "waiting", None)
    assert [outcome for _day, outcome in runs_of(plan_id)] == ["nothing", "placed", "nothing"]


def test_a_dropped_good_is_a_reduction(world, trade, cabbage):
    radish = two_goods(trade, cabbage)
    set_limit(world, 100)
    plan_id = a_plan(world, {cabbage: 10_000, radish: 5_000})
    approve(world, plan_id)
    with db.transaction():
        prices.drop(plan_id, cabbage, world.person("cook.chen"))
    assert (plan(plan_id).state, plan(plan_id).approved_hash) == ("active", content_of(plan_id).hash)
    with pytest.raises(NoGoods), db.transaction():
        prices.drop(plan_id, radish, world.person("cook.chen"))


def test_goods_off_the_shelf_and_out_of_stock_are_told_and_others_run(world, trade, cabbage):
    radish, gone = two_goods(trade, cabbage), trade.product("香菜", price_fen=100)
    plan_id = a_plan(world, {cabbage: 10_000, radish: 2_000_000, gone: 1_000})
    with db.transaction() as session:
        session.execute(update(Product).where(Product.id == gone).values(state="hidden"))
    with clock.at(AT_FOUR):
        work()
    assert outcomes(plan_id) == [(cabbage, "ordered"), (radish, "short"), (gone, "short")]
    assert told(world) == ["standing.short"]
    said_why = db.session().execute(select(StandingRunLine.reason_zh, StandingRunLine.reason_en)
                                    .where(StandingRunLine.product_id == radish)).one()
    assert "1000" in said_why.reason_en and said_why.reason_zh != said_why.reason_en


def test_the_yearly_maximum_ends_the_ordering(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000}, year_limit_fen=3_000)
    for later in (0, 1):
        with clock.at(AT_FOUR + timedelta(days=later)):
            work()
    assert [outcome for _day, outcome in runs_of(plan_id)] == ["placed", "failed"]
    refused = db.session().scalars(select(StandingRun.refusal_en).where(StandingRun.outcome == "failed")).one()
    assert "20.00" in refused
    assert told(world) == ["standing.failed"]


def test_who_left_the_unit_orders_nothing_until_somebody_takes_over(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000})
    with db.transaction() as session:
        session.execute(delete(Membership).where(Membership.user_id == world.person("cook.chen").id))
    with clock.at(AT_FOUR):
        work()
        assert runs_of(plan_id) == [(TUESDAY.isoformat(), "failed")]
        assert "陈师傅" in db.session().scalars(select(StandingRun.refusal_zh)).one()
        assert (purchases(), told(world)) == ([], ["standing.failed"])
        with db.transaction():
            plans.take_over(plan_id, world.person("admin.qian"))
    with clock.at(AT_FOUR + timedelta(days=1)):
        work()
    assert [bought.ordered_by for bought in purchases()] == [world.person("admin.qian").id]


def test_a_hand_over_takes_the_plans_along_and_who_approved_one_does_not_order_by_it(world, cabbage):
    set_limit(world, 2_000)
    plan_id, small = a_plan(world, {cabbage: 10_000}), a_plan(world, {cabbage: 1_000})
    approve(world, plan_id)
    chen, qian, li = (world.person(login) for login in ("cook.chen", "admin.qian", "head.li"))
    with db.transaction():
        made = handover.plan(chen.id, li.id, TODAY, "轮岗", qian)
    assert ["Standing orders", 2] in handover.own(made, qian).things
    assert [(plan(one).owner_id, plan(one).state) for one in (plan_id, small)] == [
        (li.id, "waiting"), (li.id, "active")]
    with clock.at(AT_FOUR):
        work()
    assert [(bought.ordered_by, bought.total_fen) for bought in purchases()] == [(li.id, 200)]


# ---- approved once --------------------------------------------------------------------------------------------------


def test_a_large_plan_is_approved_once_and_then_orders_by_itself(world, cabbage):
    set_limit(world, 2_000)
    plan_id = a_plan(world, {cabbage: 10_000})  # ¥25.00 at its ceilings
    assert (plan(plan_id).state, plan(plan_id).next_day) == ("waiting", None)
    with clock.at(AT_FOUR):
        work()
    assert (purchases(), told(world)) == ([], ["standing.waiting"])
    approve(world, plan_id)
    for later in (0, 1):
        with clock.at(AT_FOUR + timedelta(days=later)):
            work()
    assert [(bought.approval, bought.approved_by) for bought in purchases()] == [
        ("approved", world.person("head.li").id)] * 2
    assert set(db.session().scalars(select(Order.state))) == {"placed"}


def test_a_small_plan_needs_nobody(world, cabbage):
    set_limit(world, 2_500)
    assert plan(a_plan(world, {cabbage: 10_000})).state == "active"


def test_nobody_approves_what_they_had_a_hand_in(world, cabbage):
    set_limit(world, 2_000)
    plan_id = a_plan(world, {cabbage: 10_000})
    change(world, plan_id, by="admin.qian", name="菜")
    for login in ("cook.chen", "admin.qian"):
        with pytest.raises(SecondPersonNeeded):
            approve(world, plan_id, by=login)
    with pytest.raises(NotFound):
        approve(world, plan_id, by="cook.wu")
    with pytest.raises(PlanChanged), db.transaction():
        plans.approve(plan_id, "something else", world.person("head.li"))
    assert plan(plan_id).state == "waiting"
    approve(world, plan_id)
    with pytest.raises(SecondPersonNeeded), db.transaction():
        plans.take_over(plan_id, world.person("head.li"))


@pytest.mark.parametrize("more", [{"ceiling_fen": 251}, {"quantities": (10_500, *[10_000] * 4, 0, 0)},
                                  {"quantities": (*[10_000] * 6, 0)}, {"year_limit_fen": 1_000_001},
                                  {"last_day": TODAY + timedelta(days=61)}, {"fund_source": "union"}])
def test_an_increase_voids_the_approval(world, cabbage, more):
    set_limit(world, 2_000)
    plan_id = a_plan(world, {cabbage: 10_000})
    approve(world, plan_id)
    assert change(world, plan_id, **more)
    after = plan(plan_id)
    assert (after.state, after.approved_by, after.approved_hash, after.next_day) == ("waiting", None, None, None)
    with clock.at(AT_FOUR):
        work()
    assert purchases() == []


@pytest.mark.parametrize("less", [{"ceiling_fen": 249}, {"quantities": (*[9_500] * 4, 0, 0, 0)}, {"name": "少一点"},
                                  {"year_limit_fen": 900_000}, {"last_day": TODAY + timedelta(days=30)},
                                  {"skip_holidays": True}, {"cut_off_hour": 15}])
def test_a_reduction_keeps_it(world, cabbage, less):
    set_limit(world, 2_000)
    plan_id = a_plan(world, {cabbage: 10_000})
    approve(world, plan_id)
    assert not change(world, plan_id, **less)
    with clock.at(AT_FOUR):
        work()
    assert [bought.approval for bought in purchases()] == ["approved"]


def test_a_new_good_voids_the_approval(world, trade, cabbage):
    radish = two_goods(trade, cabbage)
    set_limit(world, 2_000)
    plan_id = a_plan(world, {cabbage: 10_000})
    approve(world, plan_id)
    with db.transaction():
        assert plans.change(plan_id, said(world, {cabbage: 10_000, radish: 1_000}), world.person("cook.chen"))


def test_rows_changed_behind_the_approval_order_nothing(world, cabbage):
    set_limit(world, 2_000)
    plan_id = a_plan(world, {cabbage: 10_000})
    approve(world, plan_id)
    with db.transaction() as session:
        session.execute(update(StandingLine).values(ceiling_fen=900))
    with clock.at(AT_FOUR):
        work()
    assert runs_of(plan_id) == [(TUESDAY.isoformat(), "failed")]
    assert purchases() == []
