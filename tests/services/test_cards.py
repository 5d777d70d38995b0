"""The school pays by card: one attempt, one page, one booking, whatever is lost, doubled or late on the way."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import clock, db, journal, ledger, outbox, worker
from market.access import Visitor
from market.errors import NotFound, SecondPersonNeeded
from market.notices import Notice
from orders.buying import approval
from orders.models import CardPayment, ConnectedAccount, MoneyTask, Order, PaymentSetting, ProviderEvent, ReceiptShare
from orders.paying import card_accounts, card_closing, card_events, card_following, card_late, card_offers, cards
from orders.paying import gateway as provider
from orders.paying.gateway import Gateway, OutcomeUnknown
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, NOON, SCHOOL, World


@pytest.fixture(autouse=True)
def noon(stand_in: StandIn) -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def gateway(app: Flask) -> Gateway:
    found: Gateway = app.extensions["sijin_gateway"]
    return found


@pytest.fixture
def account(world: World, stand_in: StandIn) -> str:
    return stand_in.account(GREENS)


@pytest.fixture
def cashier(world: World) -> Visitor:
    return world.person("cashier.sun")


@pytest.fixture
def order_id(world: World, trade: Trade) -> int:
    """Cabbage for ¥20.00, placed."""
    return trade.cabbage().id


def begun(order_id: int, by: Visitor, gateway: Gateway) -> CardPayment:
    """An attempt whose page is open."""
    with db.transaction():
        payment_id = cards.start(order_id, by, gateway).id
    assert cards.open_page(payment_id, gateway) == "open"
    return payment(payment_id)


def payment(payment_id: int) -> CardPayment:
    return db.session().get_one(CardPayment, payment_id, populate_existing=True)


def order(order_id: int) -> Order:
    return db.session().get_one(Order, order_id, populate_existing=True)


def counted(table: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(table)) or 0


def tasks() -> list[tuple[str, str, int | None]]:
    return [(task.kind, task.state, task.amount_fen)
            for task in db.session().scalars(select(MoneyTask).order_by(MoneyTask.id))]


# ---- the straight way -----------------------------------------------------------------------------------------------


def test_a_page_is_paid_and_booked_once(order_id: int, cashier: Visitor, gateway: Gateway, account: str,
                                        stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    assert (row.key, row.amount_fen, row.account_id) == (f"order-{order(order_id).number}-1", 2000, account)
    assert cards.book(row.id, gateway) == "open"
    back = stand_in.pay(row.session_url, "wechat_pay")
    assert back == f"{gateway.site_url}/orders/{order_id}/card-payments/{row.id}"
    assert [cards.book(row.id, gateway) for _ in range(3)] == ["paid"] * 3
    row = payment(row.id)
    assert (row.state, row.way, row.business_date) == ("paid", "wechat_pay", clock.today())
    assert row.charge_id == stand_in.charges(account)[0]["id"]
    assert (order(order_id).payment, order(order_id).received_fen) == ("paid", 2000)
    assert db.session().execute(select(ReceiptShare.card_payment_id, ReceiptShare.amount_fen)).all() == [(row.id, 2000)]
    assert ledger.balance_fen(f"unit:{row.unit_id}") == -2000
    assert tasks() == []


def test_both_sides_hear_of_it_once(app: Flask, world: World, order_id: int, cashier: Visitor, gateway: Gateway,
                                    account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    cards.book(row.id, gateway)
    outbox.drain(app.extensions["sijin_handlers"])
    told = set(db.session().execute(select(Notice.organisation_id, Notice.kind).where(Notice.kind.startswith("card."))))
    assert told == {(world.organisation_id(GREENS), "card.paid"), (world.organisation_id(SCHOOL), "card.paid_here")}


def test_the_attempt_under_way_is_reused(order_id: int, cashier: Visitor, gateway: Gateway, account: str) -> None:
    first = begun(order_id, cashier, gateway)
    again = begun(order_id, cashier, gateway)
    assert (again.id, again.session_url) == (first.id, first.session_url)
    assert counted(CardPayment) == 1


def test_a_page_for_another_amount_is_closed_and_a_new_one_opened(
        trade: Trade, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    first = begun(order_id, cashier, gateway)
    trade.pay(order_id, 500)
    with pytest.raises(cards.EarlierAttempt), db.transaction():
        cards.start(order_id, cashier, gateway)
    cards.close_changed(order_id, cashier, gateway)
    second = begun(order_id, cashier, gateway)
    assert (payment(first.id).state, second.attempt, second.amount_fen) == ("expired", 2, 1500)
    assert stand_in.pay(first.session_url) == ""
    stand_in.pay(second.session_url)
    assert cards.book(second.id, gateway) == "paid"
    assert (order(order_id).payment, order(order_id).received_fen) == ("paid", 2000)


def test_what_was_paid_before_the_page_could_be_closed_is_booked(
        trade: Trade, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    trade.pay(order_id, 500)
    assert cards.close(row.id, gateway) == "paid"
    assert (order(order_id).payment, order(order_id).received_fen) == ("over", 2500)


def test_ten_and_thirteen_pay_twenty_three(
        trade: Trade, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    cabbage = trade.product("白菜", price_fen=230)
    trade.lot(cabbage)
    dear = trade.orders(trade.place({cabbage: 10_000}))[0].id
    trade.pay(dear, 1000)
    row = begun(dear, cashier, gateway)
    stand_in.pay(row.session_url)
    cards.book(row.id, gateway)
    assert (row.amount_fen, order(dear).payment, order(dear).received_fen) == (1300, "paid", 2300)


def test_money_paid_ahead_lies_on_the_goods_once_they_are_accepted(
        trade: Trade, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    cards.book(row.id, gateway)
    trade.ship(order_id)
    trade.accept(order_id)
    assert (order(order_id).payment, order(order_id).accepted_fen) == ("paid", 2000)
    assert db.session().scalar(select(func.sum(ReceiptShare.amount_fen)).where(
        ReceiptShare.acceptance_part_id.is_not(None))) == 2000


# ---- who may, and when it is offered --------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["cook.chen", "cashier.feng"])
def test_neither_who_ordered_nor_another_unit_pays(
        world: World, order_id: int, gateway: Gateway, account: str, login: str) -> None:
    with pytest.raises((SecondPersonNeeded, NotFound)), db.transaction():
        cards.start(order_id, world.person(login), gateway)
    assert counted(CardPayment) == 0


def test_no_account_no_cards(order_id: int, cashier: Visitor, gateway: Gateway) -> None:
    with pytest.raises(card_offers.NoCardAccount), db.transaction():
        cards.start(order_id, cashier, gateway)


@pytest.mark.parametrize("facts", [{"live": True}, {"charges_enabled": False}, {"disconnected_at": NOON}])
def test_an_account_that_takes_no_money_here_is_none(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, facts: dict[str, Any]) -> None:
    with db.transaction() as session:
        session.execute(db.table(ConnectedAccount).update().values(**facts))
    with pytest.raises(card_offers.NoCardAccount), db.transaction():
        cards.start(order_id, cashier, gateway)
    assert counted(CardPayment) == 0


def test_a_unit_that_pays_by_bank_only_is_offered_no_card(
        world: World, order_id: int, cashier: Visitor, gateway: Gateway, account: str) -> None:
    with db.transaction() as session:
        session.add(PaymentSetting(organisation_id=world.organisation_id(SCHOOL), bank_only=True,
                                   changed_by=cashier.id, changed_at=clock.now()))
    with pytest.raises(card_offers.BankOnly), db.transaction():
        cards.start(order_id, cashier, gateway)


def test_a_cancelled_or_paid_order_costs_nothing(
        world: World, trade: Trade, order_id: int, cashier: Visitor, gateway: Gateway, account: str) -> None:
    trade.pay(order_id, 2000)
    with pytest.raises(card_offers.NothingOpen), db.transaction():
        cards.start(order_id, cashier, gateway)
    with db.transaction():
        approval.cancel(order_id, "", world.person("cook.chen"))
    with pytest.raises(card_offers.NothingOpen), db.transaction():
        cards.start(order_id, cashier, gateway)


# ---- what is not known ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["charge_then_hang", "charge_then_cut", "500", "429"])
def test_no_answer_is_being_checked_and_the_same_key_finds_the_same_page(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn,
        monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(provider, "SECONDS", 0.3)
    monkeypatch.setattr(gateway, "_made", None)
    stand_in.misbehave(account, kind, times=3, on="open")
    for _tab in range(3):
        with db.transaction():
            payment_id = cards.start(order_id, cashier, gateway).id
        with pytest.raises(OutcomeUnknown):
            cards.open_page(payment_id, gateway)
        assert payment(payment_id).state == "asked"
    monkeypatch.setattr(gateway, "_made", None)
    with clock.at(NOON + timedelta(seconds=16)):
        card_following.follow(gateway)
    row = payment(payment_id)
    assert (row.state, counted(CardPayment)) == ("open", 1)
    stand_in.pay(row.session_url)
    with clock.at(NOON + timedelta(seconds=60)):
        card_following.follow(gateway)
    assert order(order_id).payment == "paid"
    assert len(stand_in.charges(account)) == 1


def test_a_refusal_is_told_and_one_may_begin_again(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    stand_in.misbehave(account, "decline", on="open")
    with db.transaction():
        payment_id = cards.start(order_id, cashier, gateway).id
    assert cards.open_page(payment_id, gateway) == "refused"
    assert payment(payment_id).reason
    assert cards.book(payment_id, gateway) == "refused"
    assert begun(order_id, cashier, gateway).attempt == 2


def test_an_unpaid_page_ends_and_a_paid_one_never_goes_back(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    first = begun(order_id, cashier, gateway)
    with clock.at(NOON + timedelta(minutes=36)):
        assert cards.book(first.id, gateway) == "expired"
        second = begun(order_id, cashier, gateway)
        stand_in.pay(second.session_url)
        cards.book(second.id, gateway)
    with clock.at(NOON + timedelta(hours=3)):
        assert cards.book(second.id, gateway) == "paid"
    assert order(order_id).received_fen == 2000


def test_after_a_day_a_lost_attempt_is_looked_for_among_the_charges(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    with db.transaction() as session:  # as if we had died before the page was stored, and been away for two days
        session.execute(db.table(CardPayment).update().values(state="asked", session_id=None, session_url=""))
    with clock.at(NOON + timedelta(days=2)):
        assert cards.book(row.id, gateway) == "paid"
    assert order(order_id).payment == "paid"


def test_after_a_day_without_a_charge_nothing_was_paid(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    with db.transaction():
        payment_id = cards.start(order_id, cashier, gateway).id
    with clock.at(NOON + timedelta(days=2)):
        assert cards.book(payment_id, gateway) == "expired"
    assert order(order_id).payment == "unpaid"


def test_who_never_comes_back_has_paid_within_a_minute_though_no_bell_rings(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    for second in range(0, 600, 15):
        with clock.at(NOON + timedelta(seconds=second)):
            card_following.follow(gateway)
    with clock.at(NOON + timedelta(seconds=601)):
        stand_in.pay(row.session_url)
    for second in range(602, 662, 15):
        with clock.at(NOON + timedelta(seconds=second)):
            card_following.follow(gateway)
    assert payment(row.id).state == "paid"
    assert payment(row.id).looks < 25


def test_a_provider_that_does_not_answer_ends_the_turn(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.misbehave(account, "500", times=9)
    with clock.at(NOON + timedelta(seconds=20)):
        assert card_following.follow(gateway) is False
    assert payment(row.id).state == "open"
    stand_in.behave()


# ---- what is not as it was asked for --------------------------------------------------------------------------------


@pytest.mark.parametrize(("facts", "kind"), [
    ({"amount": 1999, "amount_captured": 1999}, "amount_differs"), ({"currency": "usd"}, "charge_differs"),
    ({"livemode": True}, "charge_differs"), ({"metadata": {}}, "charge_differs"),
    ({"metadata": {"payment": "1", "order": "S000000-0000000"}}, "charge_differs")])
def test_another_amount_currency_mode_or_order_is_not_booked_but_looked_at(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn, facts: dict[str, Any],
        kind: str) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    stand_in.change(stand_in.charges(account)[0]["id"], **facts)
    assert [cards.book(row.id, gateway) for _ in range(2)] == ["different"] * 2
    assert (order(order_id).payment, order(order_id).received_fen, counted(ReceiptShare)) == ("unpaid", 0, 0)
    assert [(found, state) for found, state, _fen in tasks()] == [(kind, "open")]


def test_once_it_is_right_it_is_booked_and_the_task_healed(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    charge = stand_in.charges(account)[0]["id"]
    stand_in.change_amount(charge, 1)
    cards.book(row.id, gateway)
    stand_in.change_amount(charge, 2000)
    assert cards.book(row.id, gateway) == "paid"
    assert tasks() == [("amount_differs", "healed", 1)]
    assert order(order_id).received_fen == 2000


# ---- too late -------------------------------------------------------------------------------------------------------


def end_unpaid(order_id: int) -> None:
    """As the term ends an order that was to be paid first."""
    with db.transaction():
        row = db.session().get_one(Order, order_id)
        row.state = "cancelled"
        db.session().flush()
        approval._free(approval._line_ids(Order.id == order_id))
        journal.record("order.expired", "order", order_id, None, reason="not paid in time")


def test_paid_late_and_the_goods_are_there_the_order_is_placed_again(
        trade: Trade, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    end_unpaid(order_id)
    stand_in.pay(row.session_url)
    assert cards.book(row.id, gateway) == "paid"
    assert (order(order_id).state, order(order_id).payment, tasks()) == ("placed", "paid", [])
    trade.ship(order_id)  # its goods are held again
    trade.accept(order_id)
    assert order(order_id).payment == "paid"


def test_paid_late_and_the_goods_are_sold_the_money_is_to_go_back(
        trade: Trade, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    end_unpaid(order_id)
    product_id = trade.lines(order_id)[0].product_id
    trade.place({product_id: 95_000})
    stand_in.pay(row.session_url)
    assert cards.book(row.id, gateway) == "paid"
    assert (order(order_id).state, order(order_id).payment) == ("cancelled", "over")
    assert tasks() == [("paid_late", "open", 2000)]


def test_paid_after_the_delivery_day_or_after_somebody_cancelled_is_to_go_back(
        world: World, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    with db.transaction():
        approval.cancel(order_id, "", world.person("cook.chen"))
    stand_in.pay(row.session_url)
    assert cards.book(row.id, gateway) == "paid"
    assert (order(order_id).state, order(order_id).payment) == ("cancelled", "over")
    assert tasks() == [("paid_late", "open", 2000)]
    with db.transaction():
        journal.record("order.expired", "order", order_id, None)
    with clock.at(NOON + timedelta(days=1)), db.transaction():
        assert card_late.bring_back(db.session().get_one(Order, order_id)) is False


def test_a_cancelled_order_has_its_page_closed(
        app: Flask, world: World, order_id: int, cashier: Visitor, gateway: Gateway, account: str,
        stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    with db.transaction():
        approval.cancel(order_id, "", world.person("cook.chen"))
    worker.run_once(app)
    assert payment(row.id).state == "expired"
    assert stand_in.pay(row.session_url) == ""
    worker.run_once(app)
    with db.transaction():
        card_closing.close_pages(order_id)
    assert outbox.drain(app.extensions["sijin_handlers"]) == 0


# ---- bells ----------------------------------------------------------------------------------------------------------


def ring(app: Flask, stand_in: StandIn, deliveries: list[Any]) -> None:
    gateway = app.extensions["sijin_gateway"]
    for one in deliveries:
        with db.transaction():
            card_events.keep(gateway.heard(one.body, one.signature))


@pytest.mark.parametrize("every", [24, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])


@pytest.mark.slow
def test_all_orders_of_six_bells_with_one_doubled_end_alike(
        app: Flask, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn,
        every: int) -> None:
    """A card that was declined, then paid, and an old bell that says 'expired': all 720 orders (a quick look takes
    every 24th), each with another bell doubled, and every other time before the page was stored."""
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url, "card", "4000000000000002")
    stand_in.pay(row.session_url)
    bells = {one.kind: one for one in stand_in.events}
    completed = bells["checkout.session.completed"].body.decode()
    expired = stand_in.signed(
        completed.replace('"type": "checkout.session.completed"', '"type": "checkout.session.expired"')
        .replace('"id": "evt_', '"id": "evt_old_'))
    six = [bells[kind] for kind in ("charge.failed", "payment_intent.payment_failed", "charge.succeeded",
                                    "payment_intent.succeeded", "checkout.session.completed")] + [expired]
    ends = set()
    for number, row_of_bells in enumerate(list(permutations(six))[::every]):
        unpaid_again(row.id, row.session_id if number % 2 else None)
        ends.add(after(app, row.id, [*row_of_bells, row_of_bells[number % 6]]))
    assert ends == {("paid", "paid", 2000, 1, 0)}


def unpaid_again(payment_id: int, session_id: str | None) -> None:
    """As before the first bell, for the next try; what was posted stays posted."""
    with db.transaction() as session:
        session.execute(db.table(CardPayment).update().where(CardPayment.id == payment_id).values(
            state="open" if session_id else "asked", session_id=session_id, intent_id=None, charge_id=None, way=None,
            business_date=None, settled_at=None, next_look_at=NOON + timedelta(seconds=15)))
        session.execute(db.table(Order).update().values(received_fen=0, payment="unpaid"))
        session.execute(db.table(ProviderEvent).delete())


def after(app: Flask, payment_id: int, bells: list[Any]) -> tuple[Any, ...]:
    """The end state after these bells in this order, each followed up before the next."""
    gateway, connection = app.extensions["sijin_gateway"], db.session()
    seen: set[str] = set()
    shares = counted(ReceiptShare)
    for one in bells:
        bell = gateway.heard(one.body, one.signature)
        with db.transaction():
            kept = card_events.keep(bell)
        assert kept == (bell.event_id not in seen)
        seen.add(bell.event_id)
        for event_id in connection.scalars(select(ProviderEvent.id).where(ProviderEvent.handled_at.is_(None))).all():
            card_events.follow_up(event_id, gateway)
        card_following.follow(gateway)
    row = payment(payment_id)
    held = order(row.order_id)
    return row.state, held.payment, held.received_fen, counted(ReceiptShare) - shares, counted(MoneyTask)


def test_a_bell_before_the_page_is_stored_finds_the_attempt_by_its_mark(
        app: Flask, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    with db.transaction() as session:  # the process died after the call
        session.execute(db.table(CardPayment).update().values(state="asked", session_id=None, session_url=""))
    ring(app, stand_in, stand_in.events_of(account, "charge.succeeded"))
    worker.run_once(app)
    assert payment(row.id).state == "paid"


def test_a_dispute_and_a_refund_made_at_the_provider_are_tasks(
        app: Flask, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    charge = stand_in.charges(account)[0]["id"]
    stand_in.refund_in_dashboard(charge, 300)
    stand_in.dispute(charge)
    for _ in range(2):
        ring(app, stand_in, stand_in.events)
        worker.run_once(app)
    assert sorted(tasks()) == [("dispute", "open", 2000), ("provider_refund", "open", 300)]
    assert {row[0] for row in db.session().execute(select(MoneyTask.card_payment_id))} == {row.id}


def test_our_own_refund_is_handed_on(
        app: Flask, order_id: int, cashier: Visitor, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    row = begun(order_id, cashier, gateway)
    stand_in.pay(row.session_url)
    cards.book(row.id, gateway)
    gateway.refund(account, payment(row.id).intent_id or "", 500, 9)
    ring(app, stand_in, stand_in.events_of(account, "refund.created"))
    outbox.drain({card_events.RANG: app.extensions["sijin_handlers"][card_events.RANG]})
    handed = db.session().execute(select(outbox.OutboxMessage.payload).where(
        outbox.OutboxMessage.kind == card_events.REFUND)).scalars().all()
    assert [one["object_id"] for one in handed] == [stand_in.refunds(account)[0]["id"]]
    assert tasks() == []


def test_what_is_none_of_ours_changes_nothing(
        app: Flask, order_id: int, gateway: Gateway, account: str, stand_in: StandIn) -> None:
    stand_in.foreign_charge(account, 700)
    ring(app, stand_in, stand_in.events)
    worker.run_once(app)
    assert set(db.session().scalars(select(ProviderEvent.outcome))) == {"none of ours"}
    assert order(order_id).payment == "unpaid"


# ---- the co-operative's account -------------------------------------------------------------------------------------


def test_an_account_is_connected_finished_there_checked_and_disconnected(
        world: World, gateway: Gateway, stand_in: StandIn) -> None:
    chair = world.person("chair.shi")
    card_accounts.connect(chair, gateway)
    made = db.session().scalars(select(ConnectedAccount)).one()
    assert (made.charges_enabled, made.live) == (False, False)
    assert card_accounts.onboarding_url(chair, gateway).startswith("http")
    assert card_accounts.check(chair, gateway) is False
    stand_in.provider.books.keep(stand_in.provider.accounts.get(made.account_id) | {"charges_enabled": True})
    assert card_accounts.check(chair, gateway) is True
    with db.transaction():
        card_accounts.disconnect(chair)
    assert card_accounts.check_account(made.account_id, gateway) == "takes money"
    assert card_offers.account_of(chair.organisation_id or 0, gateway) is None
    with pytest.raises(card_accounts.NotConnected), db.transaction():
        card_accounts.disconnect(chair)
    card_accounts.connect(chair, gateway)  # the same one again
    assert card_offers.account_of(chair.organisation_id or 0, gateway).account_id == made.account_id


def test_an_account_that_was_cut_off_there_is_lost_here(world: World, account: str) -> None:
    assert card_accounts.lost(account) == "account lost"
    assert card_accounts.lost("acct_nobody") == "none of ours"
    assert tasks() == [("account_lost", "open", None)]
    assert db.session().scalars(select(ConnectedAccount.charges_enabled)).one() is False


def test_the_provider_is_never_asked_inside_a_transaction(
        order_id: int, cashier: Visitor, gateway: Gateway, account: str) -> None:
    with db.transaction():
        payment_id = cards.start(order_id, cashier, gateway).id
        with pytest.raises(RuntimeError, match="outside"):
            cards.open_page(payment_id, gateway)
    assert payment(payment_id).state == "asked"
