"""When an order is to be paid: the school pays the vegetable co-operative first, or 30 days after its cabbage came."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from market import clock, db, outbox
from market.access import Visitor
from market.errors import Conflict, InvalidInput, MarketError, NotFound
from market.journal import JournalEntry
from market.notices import Notice
from market.outbox import OutboxMessage
from market.parties import Organisation
from orders.approving import parting
from orders.buying import approval
from orders.delivering.acceptance import Taken
from orders.models import CardPayment, MoneyTask, Order, OrderLine, PaymentClaim, PaymentSetting
from orders.papers import frames
from orders.papers.frames import Draft
from orders.paying import card_closing, claims, expiry, refunds, settings, terms, terms_jobs
from orders.paying.claims import Remittance
from tests.trade import TOMORROW, Trade
from tests.world import GREENS, NOON, SCHOOL, TODAY, World

MONTH = timedelta(days=30)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def cabbage_order(trade: Trade, kilos: int = 10, price_fen: int = 230, **how: str) -> Order:
    """Ten kilos of cabbage for ¥23.00."""
    return trade.cabbage(kilos, price_fen, **how)


def again(order: Order) -> Order:
    return db.session().get_one(Order, order.id, populate_existing=True)


def chair(world: World) -> Visitor:
    return world.person("chair.shi")


def refused(error: type[MarketError], work: Callable[[], object]) -> None:
    """The work is refused and writes no journal."""
    before = db.session().scalar(select(func.count()).select_from(JournalEntry))
    with pytest.raises(error), db.transaction():
        work()
    assert db.session().scalar(select(func.count()).select_from(JournalEntry)) == before


def acts(order: Order) -> list[str]:
    return list(db.session().scalars(select(JournalEntry.action).where(
        JournalEntry.thing_kind == "order", JournalEntry.thing_id == str(order.id)).order_by(JournalEntry.id)))


def kinds_told(order: Order) -> set[str]:
    return set(db.session().scalars(select(Notice.kind).where(Notice.thing_id == order.id)))


def later(days: int) -> AbstractContextManager[None]:
    return clock.at(NOON + timedelta(days=days))


# ---- frozen when placed ---------------------------------------------------------------------------------------------


def test_goods_come_first_unless_somebody_asks_for_money_first(trade: Trade) -> None:
    order = cabbage_order(trade)
    assert (order.payment_terms, order.payment_days, order.pay_by) == ("goods_first", 30, None)


@pytest.mark.parametrize("who", ["the co-operative", "the platform of this school", "the buyer"])
def test_either_side_may_make_it_money_first_and_it_stays_so(world: World, trade: Trade, who: str) -> None:
    with db.transaction():
        if who == "the co-operative":
            settings.choose(True, chair(world))
        elif who == "the platform of this school":
            settings.require_pay_first(world.organisation_id(SCHOOL), True, world.person("security.jiang"))
    order = cabbage_order(trade, payment_terms="pay_first" if who == "the buyer" else "goods_first")
    assert (order.payment_terms, order.pay_by) == ("pay_first", TODAY + MONTH)
    with db.transaction():
        settings.choose(False, chair(world))
    assert again(order).payment_terms == "pay_first"


def test_a_wish_is_never_less_strict_than_what_is_set_and_not_any_word(world: World, trade: Trade) -> None:
    with db.transaction():
        settings.choose(True, chair(world))
    assert cabbage_order(trade, payment_terms="goods_first").payment_terms == "pay_first"
    with pytest.raises(InvalidInput):
        cabbage_order(trade, payment_terms="never")


def test_only_the_co_operative_that_asks_is_paid_first(world: World, trade: Trade) -> None:
    with db.transaction():
        settings.choose(True, chair(world))
    cabbage, pomelo = trade.product("白菜"), trade.product("香柚", supplier="pomelo", price_fen=300)
    trade.lot(cabbage)
    trade.lot(pomelo)
    found = {order.supplier_id: order.payment_terms for order in trade.orders(
        trade.place({cabbage: 1000, pomelo: 1000}))}
    assert found == {world.organisation_id(GREENS): "pay_first", world.organisation_id("pomelo"): "goods_first"}


def test_an_order_that_waits_for_approval_gets_its_days_with_the_approval(world: World, trade: Trade) -> None:
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id(SCHOOL)).approval_limit_fen = 0
    order = cabbage_order(trade, payment_terms="pay_first")
    assert (order.state, order.pay_by) == ("waiting", None)
    purchase = order.purchase_id
    with later(3), db.transaction():
        approval.approve(purchase, None, world.person("head.li"))
    assert (again(order).state, again(order).pay_by) == ("placed", TODAY + MONTH + timedelta(days=3))


def signed(world: World, trade: Trade, days: int) -> None:
    with db.transaction():
        contract = frames.draft(Draft(world.organisation_id(GREENS), 2026, date(2026, 1, 1), date(2026, 12, 31), days,
                                      "按周报价"), world.person("admin.qian"))
    for login in ("admin.qian", "chair.shi"):
        proof = trade.proof()
        with db.transaction():
            frames.sign(contract.id, proof, world.person(login))


def test_a_frame_contract_says_the_days(world: World, trade: Trade) -> None:
    signed(world, trade, 45)
    assert cabbage_order(trade).payment_days == 45


def test_orders_called_off_by_a_later_contract_follow_it(world: World, trade: Trade) -> None:
    order = cabbage_order(trade)
    trade.ship(order.id)
    assert again(order).pay_by == TOMORROW + timedelta(days=7 + 30)
    signed(world, trade, 45)
    assert (again(order).payment_days, again(order).pay_by) == (45, TOMORROW + timedelta(days=7 + 45))


def test_the_rest_that_follows_has_the_terms_of_the_order_it_was_parted_from(world: World, trade: Trade) -> None:
    order = cabbage_order(trade, payment_terms="pay_first")
    line = trade.lines(order.id)[0]
    with db.transaction():
        rest = parting.part(order.id, {line.id: 4000}, TOMORROW + timedelta(days=2), world.person("clerk.zhang"))
    found = db.session().get_one(Order, rest)
    assert (found.payment_terms, found.pay_by, found.payment_days) == ("pay_first", TODAY + MONTH, 30)


# ---- the clock of goods first ---------------------------------------------------------------------------------------


def test_the_clock_runs_without_an_acceptance_and_from_it_where_it_comes_earlier(trade: Trade) -> None:
    order = cabbage_order(trade)
    trade.ship(order.id)
    assert again(order).pay_by == TOMORROW + timedelta(days=7 + 30)
    with later(2):
        trade.accept(order.id)
    assert again(order).pay_by == TODAY + timedelta(days=2 + 30)


def test_fresh_goods_are_due_from_the_day_they_come(trade: Trade) -> None:
    order = cabbage_order(trade)
    with db.transaction() as session:
        session.execute(update(OrderLine).values(supply="daily"))
    trade.ship(order.id)
    assert again(order).pay_by == TOMORROW + MONTH
    with later(5):
        trade.accept(order.id)
    assert again(order).pay_by == TOMORROW + MONTH  # a late acceptance moves nothing


def test_what_weighed_more_than_was_paid_first_is_due_after_acceptance(world: World, trade: Trade) -> None:
    order = cabbage_order(trade, payment_terms="pay_first")
    trade.pay(order.id, 2300)
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    with later(2):
        trade.accept(order.id, [Taken(line.id, grams=10_400)])
    found = again(order)
    assert (found.payment, found.pay_by) == ("part", TODAY + timedelta(days=2 + 30))


# ---- pay first ------------------------------------------------------------------------------------------------------


def test_what_is_paid_first_is_not_packed_before_all_of_it_has_arrived(trade: Trade) -> None:
    order = cabbage_order(trade, payment_terms="pay_first")
    for fen, confirmed in ((0, False), (2250, True), (50, False)):
        if fen:
            claim = trade.pay(order.id, fen, confirmed=confirmed)
        with pytest.raises(terms.NotYetPaid):
            trade.ship(order.id)
        assert again(order).state == "placed"
    with db.transaction():
        claims.confirm(claim, trade.chair_of(order.supplier_id))
    trade.ship(order.id)
    trade.accept(order.id)
    assert (again(order).state, again(order).payment) == ("accepted", "paid")


def test_more_time_is_given_once_and_the_co_operative_is_told(world: World, trade: Trade) -> None:
    order = cabbage_order(trade, payment_terms="pay_first")
    refused(NotFound, lambda: terms.extend(order.id, world.person("cashier.feng")))
    with db.transaction():
        assert terms.extend(order.id, world.person("cashier.sun")) == TODAY + timedelta(days=45)
    assert (again(order).pay_by, again(order).pay_extended) == (TODAY + timedelta(days=45), True)
    refused(terms.NoMoreTime, lambda: terms.extend(order.id, world.person("cashier.sun")))
    other = cabbage_order(trade)
    refused(terms.NoMoreTime, lambda: terms.extend(other.id, world.person("cashier.sun")))
    outbox.drain(terms_jobs.HANDLERS)
    assert "payment.extended" in kinds_told(order)
    assert "payment.extended" in acts(order)


def test_an_unpaid_order_is_over_after_its_last_day_and_its_goods_are_free(world: World, trade: Trade) -> None:
    order = cabbage_order(trade, payment_terms="pay_first")
    cabbage = trade.lines(order.id)[0].product_id
    with later(30):
        terms_jobs.expire()
        assert again(order).state == "placed"  # the last day itself is still a day to pay
    with later(31):
        terms_jobs.expire()
        terms_jobs.expire()
        outbox.drain(terms_jobs.HANDLERS)
    assert (again(order).state, again(order).payment) == ("cancelled", "paid")
    assert acts(order).count("order.expired") == 1
    assert kinds_told(order) >= {"order.expired", "order.expired_here"}
    trade.place({cabbage: 100_000}, day=TODAY + timedelta(days=2))  # all of the lot can be ordered again


def test_goods_first_is_never_over_for_want_of_money(trade: Trade) -> None:
    order = cabbage_order(trade)
    with later(90):
        terms_jobs.expire()
    assert again(order).state == "placed"


def test_an_order_with_a_claim_or_a_part_paid_or_a_card_page_stands_and_both_hear_of_it_once(
        world: World, trade: Trade) -> None:
    claimed, part, by_card = (cabbage_order(trade, payment_terms="pay_first") for _ in range(3))
    claim = trade.pay(claimed.id, 2300, confirmed=False)
    trade.pay(part.id, 100)
    card_page(by_card, world)
    with later(31):
        for _ in range(2):
            terms_jobs.expire()
        assert {again(one).state for one in (claimed, part, by_card)} == {"placed"}
        told = list(db.session().scalars(select(Notice.kind).where(Notice.thing_id == claimed.id)))
        assert sorted(told) == ["order.unpaid_stands", "order.unpaid_stands_here"]
        with db.transaction():
            claims.refuse(claim, "账上没有", chair(world))
        terms_jobs.expire()
    assert again(claimed).state == "cancelled"
    assert again(part).state == "placed"


def card_page(order: Order, world: World) -> None:
    with db.transaction() as session:
        session.add(CardPayment(
            order_id=order.id, unit_id=order.unit_id, supplier_id=order.supplier_id, account_id="acct_demo", attempt=1,
            key=f"order-{order.id}-1", amount_fen=2300, live=False, state="open", started_by=world.person(
                "cashier.sun").id, started_at=clock.now(), expires_at=clock.now(), next_look_at=clock.now()))


def test_money_that_arrives_for_an_order_that_is_over_is_booked_owed_back_and_a_task(
        world: World, trade: Trade) -> None:
    order = cabbage_order(trade, payment_terms="pay_first")
    claim = trade.pay(order.id, 2300, confirmed=False)
    with db.transaction():
        approval.cancel(order.id, "不要了", world.person("cook.chen"))
    with db.transaction():
        claims.confirm(claim, chair(world))
    found = again(order)
    assert (found.payment, found.received_fen, refunds.owed_fen(found)) == ("over", 2300, 2300)
    task = db.session().scalars(select(MoneyTask)).one()
    assert (task.kind, task.amount_fen, task.order_id, task.claim_id) == ("paid_late", 2300, order.id, claim)


def test_money_that_arrives_closes_the_page_on_which_more_than_is_open_could_be_paid(
        world: World, trade: Trade) -> None:
    order, other = cabbage_order(trade), cabbage_order(trade)
    card_page(order, world)
    trade.pay(other.id, 2300)
    assert pages_to_close() == []
    trade.pay(order.id, 1000)
    assert pages_to_close() == [order.id]


def pages_to_close() -> list[int]:
    """The orders whose open card page the worker is told to close."""
    payments = db.session().scalars(select(OutboxMessage.payload).where(OutboxMessage.kind == card_closing.CLOSE))
    return [db.session().get_one(CardPayment, told["payment_id"]).order_id for told in payments.all()]


# ---- claims ---------------------------------------------------------------------------------------------------------


def accepted(trade: Trade) -> Order:
    order = cabbage_order(trade)
    trade.ship(order.id)
    trade.accept(order.id)
    return order


def test_twenty_three_yuan_paid_in_part_in_two_and_too_much(trade: Trade) -> None:
    part, two, over = (accepted(trade) for _ in range(3))
    trade.pay(part.id, 2250)
    assert (again(part).payment, again(part).accepted_fen - again(part).received_fen) == ("part", 50)
    trade.pay(two.id, 1000)
    assert again(two).payment == "part"
    trade.pay(two.id, 1300)
    assert again(two).payment == "paid"
    trade.pay(over.id, 2350)
    assert (again(over).payment, refunds.owed_fen(again(over))) == ("over", 50)


def test_one_transfer_pays_several_orders_of_one_co_operative_only(world: World, trade: Trade) -> None:
    first, second = accepted(trade), cabbage_order(trade)  # one accepted, one not even packed
    pomelo = trade.product("香柚", supplier="pomelo", price_fen=300)
    trade.lot(pomelo)
    other = trade.orders(trade.place({pomelo: 1000}))[0]
    told, sun = Remittance("新田财政国库支付中心", TODAY), world.person("cashier.sun")
    refused(InvalidInput, lambda: claims.claim({first.id: 2300, other.id: 300}, told, sun))
    with db.transaction():
        row = claims.claim({first.id: 2300, second.id: 2300}, told, sun)
    assert row.amount_fen == 4600
    with db.transaction():
        claims.confirm(row.id, chair(world))
    assert {again(first).payment, again(second).payment} == {"paid"}


def test_a_slip_of_the_keys_is_no_claim(world: World, trade: Trade) -> None:
    order = accepted(trade)
    refused(claims.TooMuchClaimed, lambda: claims.claim(
        {order.id: 230_000_000}, Remittance("永州演示第一小学", TODAY), world.person("cashier.sun")))
    assert db.session().scalar(select(func.count()).select_from(PaymentClaim)) == 0


def test_a_wrong_claim_is_taken_back_as_long_as_nobody_answered(world: World, trade: Trade) -> None:
    order = accepted(trade)
    wrong = trade.pay(order.id, 3200, confirmed=False)
    refused(NotFound, lambda: claims.withdraw(wrong, world.person("cashier.feng")))
    with db.transaction():
        claims.withdraw(wrong, world.person("cashier.sun"))
    row = db.session().get_one(PaymentClaim, wrong)
    assert (row.state, row.answered_by, again(order).payment) == ("withdrawn", world.person("cashier.sun").id, "unpaid")
    refused(Conflict, lambda: claims.confirm(wrong, chair(world)))
    refused(Conflict, lambda: claims.withdraw(wrong, world.person("cashier.sun")))
    right = trade.pay(order.id, 2300)
    refused(Conflict, lambda: claims.withdraw(right, world.person("cashier.sun")))
    outbox.drain(terms_jobs.HANDLERS)
    assert "payment.withdrawn" in set(db.session().scalars(select(Notice.kind)))


def test_who_chose_a_setting_is_written_down(world: World) -> None:
    with db.transaction():
        settings.choose(True, world.person("admin.qian"))
    row = db.session().get_one(PaymentSetting, world.organisation_id(SCHOOL))
    assert (row.bank_only, row.pay_first, row.changed_by) == (True, False, world.person("admin.qian").id)
    entry = db.session().scalars(select(JournalEntry).where(
        JournalEntry.action == "payment_setting.changed")).one()
    assert entry.details == {"setting": "bank_only", "before": False, "after": True}


def test_due_lists_nothing_that_may_be_paid(trade: Trade) -> None:
    order = cabbage_order(trade, payment_terms="pay_first")
    trade.pay(order.id, 2300)
    with later(40):
        assert expiry.due() == []
        with db.transaction():
            assert not expiry.expire(order.id)
    assert again(order).state == "placed"
