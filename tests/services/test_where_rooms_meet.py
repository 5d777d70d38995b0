"""Where the rooms of demand meet: freight and approval, raising and receiving, plans, replacements, invoices."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from market import audit, clock, db, ledger, logins
from market.errors import InvalidInput, MarketError, SecondPersonNeeded
from market.parties import Membership, Organisation
from orders.aftersale import cases, crediting
from orders.aftersale.cases import Matter
from orders.approving import amending, deciding, parting, people, rules
from orders.approving.deciding import Paper
from orders.approving.models import ApprovalStep
from orders.approving.rules import Rule
from orders.buying import approval, checkout, freight
from orders.buying.checkout import Wish
from orders.delivering import acceptance, returns
from orders.delivering.acceptance import Taken
from orders.models import Order, OrderLine, Purchase
from orders.papers import invoices, statements
from orders.paying import claims, refunds
from orders.phone import calls
from orders.standing import plans, runs
from orders.standing.models import StandingLine
from tests import terms
from tests.standing_plans import a_plan, content_of, plan, runs_of, work
from tests.standing_plans import said as said_of
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, POMELO, SCHOOL, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def trade(world: World) -> Trade:
    return Trade(world)


@pytest.fixture
def cabbage(trade: Trade) -> int:
    product = trade.product("白菜", price_fen=200)
    trade.lot(product, kg=5_000)
    return product


def limit(world: World, fen: int) -> None:
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id(SCHOOL)).approval_limit_fen = fen


def also(world: World, login: str, role: str, key: str = SCHOOL) -> None:
    with db.transaction() as session:
        session.add(Membership(user_id=world.person(login).id, organisation_id=world.organisation_id(key), role=role))


def amend(world: World, order_id: int, milli: int, by: str = "cook.chen") -> None:
    line = Trade(world).lines(order_id)[0].id
    with db.transaction():
        amending.amend(order_id, {line: milli}, [], "多来几个人", world.person(by))


def approve(world: World, placed, by: str = "head.li") -> bool:
    with db.transaction():
        return approval.approve(placed.id, None, world.person(by))


def state_of(placed) -> str:
    return db.session().get_one(Purchase, placed.id, populate_existing=True).approval


# ---- freight --------------------------------------------------------------------------------------------------------


def test_a_raised_purchase_is_compared_with_its_freight_too(world, trade, cabbage):
    terms.state(world, freight_fen=300)
    limit(world, 1_000)
    placed = trade.place({cabbage: 3_000})  # 600 and 300
    amend(world, trade.orders(placed)[0].id, 4_000)  # 800 and 300
    assert state_of(placed) == "waiting"


def test_what_was_raised_from_one_lot_is_packed_as_proposed(world, trade, cabbage):
    order = trade.orders(trade.place({cabbage: 3_000}))[0]
    amend(world, order.id, 4_000)
    trade.ship(order.id)
    assert db.session().get_one(Order, order.id).state == "shipped"


def test_what_follows_later_has_no_freight_where_it_was_lowered_to_nothing(world, trade, cabbage):
    terms.state(world, freight_fen=300)
    order = trade.orders(trade.place({cabbage: 4_000}))[0]
    with db.transaction():
        freight.lower(order.id, 0, world.person("chair.shi"))
    with db.transaction():
        parting.part(order.id, {trade.lines(order.id)[0].id: 2_000}, order.delivery_day + timedelta(days=1),
                     world.person("clerk.zhang"))
    assert audit.check() == []


def test_a_standing_order_pays_freight(world, trade, cabbage):
    terms.state(world, freight_fen=300, cut_off_hour=20)
    plan_id = a_plan(world, {cabbage: 3_000})
    with clock.at(clock.shanghai(clock.today(), 16)):
        work()
    assert runs_of(plan_id) == [("2026-10-13", "placed")]
    assert db.session().scalars(select(Purchase.freight_fen)).all() == [300]


# ---- raising --------------------------------------------------------------------------------------------------------


def test_who_raised_an_order_that_needed_no_yes_does_not_receive_it(world, trade, cabbage):
    also(world, "admin.qian", "receiver")
    placed = trade.place({cabbage: 3_000})
    order = trade.orders(placed)[0]
    amend(world, order.id, 4_000, by="admin.qian")
    assert world.person("admin.qian").id in people.askers([placed.id])
    trade.ship(order.id)
    with pytest.raises(acceptance.NotTwoReceivers):
        trade.accept(order.id, receivers=("admin.qian", "aunt.zhao"))
    assert db.session().get_one(Order, order.id, populate_existing=True).state == "shipped"


def test_raising_old_small_orders_is_no_way_around_the_seven_days(world, trade, cabbage):
    limit(world, 10_000)
    with clock.at(NOON):
        day = clock.days_after(clock.today(), 30)
        first, second = (trade.place({cabbage: 1_000}, day=day) for _ in range(2))
    with clock.at(NOON + timedelta(days=10)):
        amend(world, trade.orders(first)[0].id, 45_000)
        assert state_of(first) == "not_needed"
        amend(world, trade.orders(second)[0].id, 45_000)
        assert state_of(second) == "waiting"


def test_who_paid_or_received_a_part_does_not_approve_the_rest_anew(world, trade, cabbage):
    limit(world, 1_000)
    also(world, "cashier.sun", "approver")
    also(world, "aunt.zhao", "approver")
    pomelo = trade.product("香柚", POMELO, price_fen=200)
    trade.lot(pomelo)
    placed = trade.place({cabbage: 4_000, pomelo: 4_000})
    approve(world, placed)
    greens, pomelos = trade.orders(placed)
    trade.ship(pomelos.id)
    trade.accept(pomelos.id)
    trade.pay(pomelos.id, 800)
    amend(world, greens.id, 5_000)
    for login in ("cashier.sun", "aunt.zhao"):
        with pytest.raises(SecondPersonNeeded):
            approve(world, placed, login)
    assert state_of(placed) == "waiting"
    approve(world, placed)


def test_who_approved_the_plan_does_not_receive_what_grew_later(world, trade, cabbage):
    limit(world, 1_000)
    also(world, "head.li", "receiver")
    also(world, "admin.qian", "approver")
    plan_id = a_plan(world, {cabbage: 10_000})
    with db.transaction():
        plans.approve(plan_id, content_of(plan_id).hash, world.person("head.li"))
    with clock.at(clock.shanghai(clock.today(), 15)):
        with db.transaction():
            runs.make(plan_id, clock.days_after(clock.today(), 1))
        placed = db.session().scalars(select(Purchase)).one()
        order = db.session().scalars(select(Order)).one()
        assert (placed.approval, placed.approved_by) == ("approved", world.person("head.li").id)
        amend(world, order.id, 12_000)
        approve(world, placed, "admin.qian")
    trade.ship(order.id)
    with pytest.raises(acceptance.NotTwoReceivers):
        trade.accept(order.id, receivers=("head.li", "aunt.zhao"))


# ---- approvals on paper ---------------------------------------------------------------------------------------------


def paper(world: World, trade: Trade, placed, day, name: str = "李校长", by: str = "cashier.sun") -> None:
    scan = trade.proof()
    step = db.session().scalars(select(ApprovalStep).where(ApprovalStep.purchase_id == placed.id)
                                .order_by(ApprovalStep.round_no.desc())).first()
    with db.transaction():
        approval.file_paper(placed.id, step.step_no, Paper(name, day, scan), world.person(by))


def test_a_paper_signed_before_the_increase_says_nothing_about_it(world, trade, cabbage):
    limit(world, 1_000)
    placed = trade.place({cabbage: 6_000}, day=clock.days_after(clock.today(), 9))
    signed = clock.today()
    paper(world, trade, placed, signed)
    with clock.at(NOON + timedelta(days=2)):
        amend(world, trade.orders(placed)[0].id, 60_000)
        with pytest.raises(InvalidInput):
            paper(world, trade, placed, signed)
        assert state_of(placed) == "waiting"
        paper(world, trade, placed, clock.today())
        assert state_of(placed) == "approved"


def under_the_hospital(world: World) -> None:
    """The hospital supervises the school, and its cook may order for it."""
    with db.transaction() as session:
        school = session.get_one(Organisation, world.organisation_id(SCHOOL))
        school.parent_id = world.organisation_id(HOSPITAL)


def for_the_school(world: World, cabbage: int, milli: int, token: str = "parent"):
    wish = Wish(world.delivery_point_id(HOSPITAL), clock.days_after(clock.today(), 1), "morning",
                budget_unit_id=world.organisation_id(SCHOOL))
    with db.transaction():
        return checkout.place([(cabbage, milli)], wish, token, world.person("cook.wu"))


def test_the_name_of_who_ordered_from_above_does_not_stand_on_the_paper(world, trade, cabbage):
    under_the_hospital(world)
    limit(world, 1_000)
    placed = for_the_school(world, cabbage, 6_000)
    with pytest.raises(InvalidInput):
        paper(world, trade, placed, clock.today(), name="吴师傅")
    assert state_of(placed) == "waiting"


# ---- replacements ---------------------------------------------------------------------------------------------------


def replaced(world: World, trade: Trade, order: Order, milli: int):
    with db.transaction():
        case = cases.open_case(order.id, Matter("replacement", "spoiled", "坏了", {trade.lines(order.id)[0].id: milli}),
                               world.person("store.wang"))
    with db.transaction():
        cases.agree(case.id, "同意", clock.days_after(clock.today(), 1), world.person("chair.shi"))
    return db.session().scalars(select(Order).where(Order.purchase_id == case.replacement_id)).one()


def test_what_was_refused_comes_anew_once(world, trade, cabbage):
    order = trade.orders(trade.place({cabbage: 5_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=0, reason="spoiled")])
    replaced(world, trade, order, 3_000)
    with pytest.raises(InvalidInput):
        replaced(world, trade, order, 3_000)
    db.session().rollback()
    replaced(world, trade, order, 2_000)
    assert len(db.session().scalars(select(Purchase.id)).all()) == 3


def test_what_was_ordered_from_above_can_be_replaced(world, trade, cabbage):
    under_the_hospital(world)
    order = trade.orders(for_the_school(world, cabbage, 5_000))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    new = replaced(world, trade, order, 2_000)
    assert (new.unit_id, new.placed_fen) == (order.unit_id, 400)


def test_a_replacement_is_not_received_by_who_approved_the_first(world, trade, cabbage):
    with db.transaction():
        rules.replace([Rule("any", 0, "approver"), Rule("any", 0, "leader")], world.person("admin.qian"))
    also(world, "head.li", "receiver")
    also(world, "admin.qian", "leader")
    placed = trade.place({cabbage: 5_000})
    approve(world, placed)
    approve(world, placed, "admin.qian")
    order = trade.orders(placed)[0]
    trade.ship(order.id)
    trade.accept(order.id)
    new = replaced(world, trade, order, 2_000)
    assert state_of(db.session().get_one(Purchase, new.purchase_id)) == "approved"
    trade.ship(new.id)
    with pytest.raises(acceptance.NotTwoReceivers):
        trade.accept(new.id, receivers=("head.li", "aunt.zhao"))


def test_the_no_of_a_later_round_is_no_yes_to_a_replacement(world, trade, cabbage):
    limit(world, 1_000)
    pomelo = trade.product("香柚", POMELO, price_fen=200)
    trade.lot(pomelo)
    placed = trade.place({cabbage: 6_000, pomelo: 1_000})
    approve(world, placed)
    greens, pomelos = trade.orders(placed)
    trade.ship(greens.id)
    trade.accept(greens.id)
    amend(world, pomelos.id, 2_000)
    with db.transaction():
        approval.decline(placed.id, "不要", world.person("head.li"))
    new = replaced(world, trade, greens, 5_500)
    assert new.state == "waiting"


# ---- plans ----------------------------------------------------------------------------------------------------------


def test_a_plan_of_many_days_is_decided_by_whom_its_week_needs(world, trade, cabbage):
    with db.transaction():
        rules.replace([Rule("any", 1_000, "approver"), Rule("any", 5_000, "leader")], world.person("admin.qian"))
    plan_id = a_plan(world, {cabbage: 8_000})  # 2,000 at its ceiling, five days
    with pytest.raises(plans.NotTheirAmount), db.transaction():
        plans.approve(plan_id, content_of(plan_id).hash, world.person("head.li"))
    assert plan(plan_id).state == "waiting"
    small = a_plan(world, {cabbage: 3_000})  # needs nobody beforehand: its runs are looked at one by one
    assert plan(small).state == "active"


def test_a_standing_order_lets_substitutes_come_where_it_says_so(world, trade, cabbage):
    plan_id = a_plan(world, {cabbage: 3_000})
    with db.transaction() as session:
        session.execute(update(StandingLine).where(StandingLine.plan_id == plan_id).values(substitutes=True))
    with clock.at(clock.shanghai(clock.today(), 16)):
        work()
    assert db.session().scalars(select(OrderLine.substitute_ok)).all() == [True]


def test_where_rules_speak_of_other_money_the_plain_limit_holds(world, trade, cabbage):
    limit(world, 1_000)
    with db.transaction():
        rules.replace([Rule("union", 0, "leader")], world.person("admin.qian"))
    assert trade.place({cabbage: 6_000}).approval == "waiting"
    assert rules.roles_for(world.organisation_id(SCHOOL), "canteen", 1_200) == ("approver",)
    assert rules.roles_for(world.organisation_id(SCHOOL), "union", 1_200) == ("leader",)


def test_several_purchases_of_one_moment_are_summed(world, trade, cabbage):
    limit(world, 1_000)
    wish = Wish(world.delivery_point_id(), clock.days_after(clock.today(), 1), "morning")
    with db.transaction():
        answers = [checkout.place([(cabbage, 2_000)], wish, f"one:{n}", world.person("cook.chen")).approval
                   for n in range(3)]
    assert answers == ["not_needed", "not_needed", "waiting"]


# ---- who may change an order ----------------------------------------------------------------------------------------


def test_a_unit_that_may_not_order_raises_nothing(world, trade, cabbage):
    order = trade.orders(trade.place({cabbage: 3_000}))[0]
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id(SCHOOL)).status = "suspended"
    with pytest.raises(MarketError):
        amend(world, order.id, 4_000)
    db.session().rollback()
    amend(world, order.id, 2_000)
    assert db.session().get_one(Order, order.id, populate_existing=True).placed_fen == 400


# ---- the credited unit, invoices, balances --------------------------------------------------------------------------


def to_the_hospital(world: World, order: Order) -> None:
    under_the_hospital(world)
    with db.transaction():
        change = crediting.ask(order.id, world.organisation_id(HOSPITAL), "记错了", None, world.person("cashier.sun"))
    with db.transaction():
        crediting.approve(change.id, world.person("admin.qian"))


def titled(world: World, login: str) -> None:
    with db.transaction():
        invoices.keep_title({"name": "永州演示", "tax_number": "91430000000000000X", "address": "", "phone": "",
                             "bank_name": "", "bank_account": ""}, world.person(login))


def test_an_order_with_an_invoice_stays_where_it_counts(world, trade, cabbage):
    order = trade.orders(trade.place({cabbage: 3_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    titled(world, "cashier.sun")
    with db.transaction():
        request = invoices.ask_for_order(order.id, "", None, world.person("cashier.sun"))
    with pytest.raises(crediting.CannotMove):
        to_the_hospital(world, order)
    db.session().rollback()
    with db.transaction():
        invoices.cancel(request.id, world.person("cashier.sun"))
    to_the_hospital(world, order)
    assert db.session().get_one(Order, order.id, populate_existing=True).unit_id == world.organisation_id(HOSPITAL)


def test_a_statement_is_invoiced_without_what_counts_elsewhere_since(world, trade, cabbage):
    moved, stays = (trade.orders(trade.place({cabbage: 3_000}))[0] for _ in range(2))
    for order in (moved, stays):
        trade.ship(order.id)
        trade.accept(order.id)
    titled(world, "cashier.sun")
    with clock.at(NOON + timedelta(days=25)):
        with db.transaction():
            made = statements.issue(world.organisation_id(SCHOOL), "2026-10", world.person("chair.shi"))
        to_the_hospital(world, moved)
        with db.transaction():
            request = invoices.ask_for_statement(made.id, "", None, world.person("cashier.sun"))
        assert request.amount_fen == 600


def test_with_everything_that_can_happen_the_balances_end_at_nothing(world, trade, cabbage):
    """Freight, a part that follows, goods too little, another unit, money too much, goods back, money back."""
    terms.state(world, freight_fen=300)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    line = trade.lines(order.id)[0].id
    with db.transaction():
        rest = parting.part(order.id, {line: 6_000}, order.delivery_day + timedelta(days=1),
                            world.person("clerk.zhang"))
    for order_id, grams in ((order.id, 5_500), (rest, 4_000)):
        trade.ship(order_id)
        trade.accept(order_id, [Taken(trade.lines(order_id)[0].id, grams=grams)])
    to_the_hospital(world, order)
    assert audit.check() == []
    greens, school, hospital = (world.organisation_id(key) for key in (GREENS, SCHOOL, HOSPITAL))
    with db.transaction():
        claim = claims.claim({order.id: 1_500}, claims.Remittance("医院", clock.today()), world.person("cashier.feng"))
    with db.transaction():
        claims.confirm(claim.id, world.person("chair.shi"))
    trade.pay(rest, 800)
    with db.transaction():
        returns.take_back(order.id, {line: 2_500}, "坏了", world.person("store.zheng"), world.person("chair.shi"))
    owed = refunds.owed_fen(db.session().get_one(Order, order.id, populate_existing=True))
    assert owed == 1_500 - (1_100 - 500 + 300)
    trade.refund(order.id, owed)
    assert audit.check() == []
    accounts = (f"unit:{school}", f"unit:{hospital}", f"supplier:{greens}")
    assert [ledger.balance_fen(name) for name in accounts] == [0, 0, 0]


# ---- who had a hand in it before it was a purchase ------------------------------------------------------------------


def test_who_typed_a_phone_order_neither_approves_nor_receives_it(world, trade, cabbage):
    limit(world, 1_000)
    for role in ("approver", "receiver"):
        also(world, "clerk.zhang", role)
    clerk = world.person("clerk.zhang")
    at_school = logins.visitor_of_login("clerk.zhang", world.organisation_id(SCHOOL))
    said = calls.Said(world.organisation_id(SCHOOL), clock.days_after(clock.today(), 1), "morning", [(cabbage, 6_000)])
    with db.transaction():
        typed = calls.type_in(said, calls.Link("n" * 64, "h" * 64), clerk)
    with db.transaction():
        purchase_id = calls.confirm(typed, world.delivery_point_id(), "canteen", 1_200, world.person("cook.chen"))
    with pytest.raises(SecondPersonNeeded), db.transaction():
        approval.approve(purchase_id, None, at_school)
    assert clerk.id in people.askers([purchase_id])


def test_who_changed_a_plan_neither_approves_nor_receives_its_runs(world, trade, cabbage):
    limit(world, 1_000)
    also(world, "admin.qian", "approver")
    plan_id = a_plan(world, {cabbage: 3_000})
    with db.transaction():
        plans.change(plan_id, said_of(world, {cabbage: 3_500}), world.person("admin.qian"))
    for ahead in range(2):
        with clock.at(clock.shanghai(clock.days_after(NOON.date(), ahead), 16)):
            work()
    first, second = db.session().scalars(select(Purchase).order_by(Purchase.id)).all()
    assert (first.approval, second.approval) == ("not_needed", "waiting")
    with pytest.raises(SecondPersonNeeded):
        approve(world, second, "admin.qian")
    approve(world, second)


def test_a_purchase_that_was_taken_back_waits_for_nobody(world, trade, cabbage):
    limit(world, 1_000)
    placed = trade.place({cabbage: 6_000})
    assert deciding.waiting_for(world.person("head.li")) == 1
    with db.transaction():
        approval.cancel(trade.orders(placed)[0].id, "不要了", world.person("cook.chen"))
    assert deciding.waiting_for(world.person("head.li")) == 0
