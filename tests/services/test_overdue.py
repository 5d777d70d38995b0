"""Due dates, reminders gathered by unit and day, and goods that nobody has accepted."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from market import clock, db, message_rows
from market.errors import NotFound
from market.journal import JournalEntry
from market.notices import Notice
from market.users import User
from orders.models import Order
from orders.overdue import counts, jobs, lists, reminding
from orders.overdue.models import OverdueReminder
from tests.late import Late
from tests.world import GREENS, HOSPITAL, NOON, POMELO, SCHOOL, TODAY, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def late(world: World) -> Late:
    with db.transaction() as session:
        for login in ("cashier.sun", "admin.qian", "cook.chen", "store.wang", "chair.shi"):
            session.execute(update(User).where(User.login == login).values(email=f"{login}@example.cn"))
    return Late(world)


def told(world: World, to: str, kind: str) -> list[dict]:
    return [row.details for row in db.session().execute(
        select(Notice.details).where(Notice.organisation_id == world.organisation_id(to),
                                     Notice.kind == f"overdue.{kind}").order_by(Notice.id))]


def mails(matter: str) -> list[str]:
    """Logins that a mail about a matter went to."""
    return sorted(db.session().scalars(
        select(User.login).join(message_rows.Message, message_rows.Message.user_id == User.id)
        .where(message_rows.Message.key.contains(f"overdue {matter} "))))


def on_day(days: int) -> None:
    """The worker's turn some days after TODAY."""
    with clock.at(NOON + timedelta(days=days)):
        jobs.follow_day()
    db.session().rollback()


# ---- what is due ----------------------------------------------------------------------------------------------------


def test_sums_are_those_of_the_orders_below_them(late, world):
    for days in (61, 31, 30, 1, 0, -7, -8):
        late.order(days)
    late.order(40, of="pomelo", kilos=5)
    found = lists.dues(Order.unit_id == world.organisation_id(SCHOOL))
    assert [one.band for one in found] == ["late_61", "late_31", "late_31", "late_1", "late_1", "today", "soon",
                                           "later"]
    total = lists.total(found)
    assert (total.orders, total.late_orders, total.days) == (8, 5, 61)
    assert total.open_fen == sum(one.open_fen for one in found) == 7 * 2_000 + 1_000
    assert total.interest_fen == sum(one.interest_fen for one in found) == 61 + 31 + 20 + 30 + 1
    by_supplier = lists.sums(found, lambda order: order.supplier_id)
    assert by_supplier[world.organisation_id(POMELO)].interest_fen == 20
    assert sum(one.open_fen for one in by_supplier.values()) == total.open_fen


def test_paid_goods_are_no_longer_due_and_part_payment_leaves_the_rest(late, world):
    order = late.order(10)
    late.trade.pay(order, 500)
    assert [one.open_fen for one in lists.dues()] == [1_500]
    late.trade.pay(order, 1_500, confirmed=False)
    assert [(one.open_fen, one.order.payment) for one in lists.dues()] == [(1_500, "claimed")]
    late.trade.pay(late.order(10), 2_000)
    assert len(lists.dues()) == 1


def test_what_is_paid_first_and_not_sent_is_never_late(late, world):
    placed = late.trade.place({late.goods["greens"]: 1_000})
    order = late.trade.orders(placed)[0].id
    late.change(order, payment_terms="pay_first", pay_by=TODAY - timedelta(days=9))
    one, = lists.dues()
    assert (one.is_late, one.days, one.interest_fen, one.band) == (False, 0, 0, "today")
    assert counts.of_trade(world.person("cashier.sun")).late == 0


# ---- reminders of payment -------------------------------------------------------------------------------------------


def test_one_notice_a_day_for_all_orders_with_their_sums(late, world):
    for days in (1, 1, -7):
        late.order(days)
    jobs.follow_day()
    news, = told(world, SCHOOL, "unit")
    assert (news["late"], news["late_yuan"], news["soon"], news["soon_yuan"]) == (2, "40.00", 1, "20.00")
    assert news["day"] == (TODAY - timedelta(days=1)).isoformat()
    assert mails("unit") == ["admin.qian", "cashier.sun"]  # not the cook, not the store keeper
    sold, = told(world, GREENS, "supplier")
    assert (sold["orders"], sold["yuan"], sold["units"]) == (2, "40.00", 1)
    assert told(world, POMELO, "supplier") == []


def test_stages_come_once_each_and_missed_ones_are_not_made_up_for(late, world):
    late.order(1)
    said = []
    for days in (*range(0, 5), 9, 20, 21, 40, 300):  # the worker stood still in between
        before = len(mails("unit"))
        on_day(days)
        on_day(days)
        if len(mails("unit")) > before:
            said.append(days)
    assert said == [0, 9, 20, 40]  # 1, 10, 21 and 41 days late
    assert len(told(world, SCHOOL, "unit")) == 1  # the newest takes the older's place


def test_a_second_worker_and_a_second_turn_tell_nothing_twice(late, world):
    late.order(15)
    jobs.follow_day()
    rows = db.session().scalar(select(func.count()).select_from(OverdueReminder))
    with db.transaction():
        reminding.follow(TODAY)
    assert db.session().scalar(select(func.count()).select_from(OverdueReminder)) == rows
    assert mails("unit") == ["admin.qian", "cashier.sun"]


def test_nobody_is_reminded_after_payment(late, world):
    order = late.order(6)
    jobs.follow_day()
    late.trade.pay(order, 2_000)
    for days in (1, 9, 24):
        on_day(days)
    assert mails("unit") == ["admin.qian", "cashier.sun"]
    assert db.session().scalar(select(func.count()).where(OverdueReminder.matter == "unit")) == 1


def test_the_finance_office_over_the_unit_hears_once_a_week_of_thirty_days(late, world):
    late.move(SCHOOL, "431125")
    mine, others = late.office("finance", "431125"), late.office("finance", "431128")
    late.order(29)
    on_day(0)
    assert mails("finance") == []
    on_day(1)
    on_day(2)
    assert mails("finance") == ["finance.431125"]
    on_day(7)
    assert mails("finance") == ["finance.431125"] * 2
    assert db.session().scalars(select(Notice.organisation_id).where(Notice.kind == "overdue.finance")).all() == [mine]
    assert others != mine


# ---- delivered, not accepted ----------------------------------------------------------------------------------------


def test_receivers_then_the_seller_then_the_county_hear_of_goods_nobody_accepted(late, world):
    late.move(SCHOOL, "431125")
    late.order(None, accepted=False, delivered=TODAY)
    heard = []
    for days in range(0, 18):
        before = {kind: len(mails(kind)) for kind in ("accept", "accept_supplier", "accept_office")}
        on_day(days)
        heard += [(days, kind) for kind, count in before.items() if len(mails(kind)) > count]
    assert [days for days, kind in heard if kind == "accept"] == [8, 11, 14, 17]
    assert {row.matter for row in db.session().execute(select(OverdueReminder.matter))} == {
        "accept", "accept_supplier", "accept_office"}
    assert len(told(world, GREENS, "accept_supplier")) == 1
    assert told(world, "jiangyong", "accept_office")[0]["orders"] == 1


def test_what_left_late_is_looked_at_from_then_on(late, world):
    order = late.order(None, accepted=False)
    late.change(order, delivery_day=TODAY - timedelta(days=30))
    waiting, = lists.not_accepted()
    assert (waiting.order.came_on, waiting.due_on, waiting.clock_runs) == (TODAY, TODAY + timedelta(days=7), False)
    assert lists.not_accepted(late_only=True) == []
    assert counts.of_trade(world.person("store.wang")).not_accepted == 0
    with clock.at(NOON + timedelta(days=8)):
        assert [one.days for one in lists.not_accepted(late_only=True)] == [1]


def test_once_accepted_nobody_is_reminded_and_the_clock_was_running(late, world):
    order = late.order(-20, accepted=False, delivered=TODAY - timedelta(days=9))
    waiting, = lists.not_accepted()
    assert (waiting.days, waiting.clock_runs, waiting.due_on) == (2, True, TODAY - timedelta(days=2))
    assert counts.of_trade(world.person("store.wang")).not_accepted == 1
    late.trade.accept(order)
    jobs.follow_day()
    assert mails("accept") == []
    assert lists.not_accepted() == []


# ---- a co-operative asks --------------------------------------------------------------------------------------------


def test_a_cooperative_reminds_once_a_day_and_it_is_written_down(late, world):
    late.order(3)
    school, chair = world.organisation_id(SCHOOL), world.person("chair.shi")
    with db.transaction():
        reminding.ask(school, chair)
    with pytest.raises(reminding.AlreadyReminded), db.transaction():
        reminding.ask(school, world.person("clerk.zhang"))
    news, = told(world, SCHOOL, "asked")
    assert (news["orders"], news["yuan"]) == (1, "20.00")
    assert mails("asked") == ["admin.qian", "cashier.sun"]
    entry = db.session().scalars(select(JournalEntry).where(JournalEntry.action == "payment.reminded")).one()
    assert (entry.actor_name, entry.details) == ("石社长", {"orders": 1, "yuan": "20.00"})
    with clock.at(NOON + timedelta(days=1)), db.transaction():
        reminding.ask(school, chair)


def test_nobody_reminds_a_unit_that_owes_nothing_or_is_a_stranger(late, world):
    late.order(-3)
    with pytest.raises(reminding.NothingLate), db.transaction():
        reminding.ask(world.organisation_id(SCHOOL), world.person("chair.shi"))
    for unit, login in ((HOSPITAL, "chair.shi"), (SCHOOL, "chair.he")):
        with pytest.raises(NotFound), db.transaction():
            reminding.ask(world.organisation_id(unit), world.person(login))
    assert db.session().scalar(select(func.count()).select_from(OverdueReminder)) == 0
