"""Steps by amount and fund source, over seven days of one co-operative and category; limits, and what stands out."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from market import clock, db
from market.errors import SecondPersonNeeded
from market.figures import EVERYWHERE
from market.parties import Membership, Organisation
from market.places import Division
from market.users import User
from orders.anomalies import looks
from orders.anomalies.found import Found
from orders.approving import amending, deciding, people, rules, tenders
from orders.approving.models import ApprovalStep
from orders.approving.rules import Rule
from orders.buying import approval, checkout
from orders.buying.checkout import Wish
from orders.delivering import acceptance
from orders.models import Order, Purchase
from tests.counting import count_statements
from tests.trade import Trade
from tests.world import NOON, POMELO, SCHOOL, World

SCHOOL_RULES = [Rule("any", 100_000, "approver"), Rule("any", 500_000, "leader")]


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade: Trade) -> int:
    product = trade.product("白菜", price_fen=1000)
    trade.lot(product, kg=20_000)
    return product


def rule(world: World, *wanted: Rule) -> None:
    with db.transaction():
        rules.replace(wanted or SCHOOL_RULES, world.person("admin.qian"))


def also(world: World, login: str, role: str) -> None:
    with db.transaction() as session:
        session.add(Membership(user_id=world.person(login).id, organisation_id=world.organisation_id(SCHOOL),
                               role=role))


def steps(placed) -> list[tuple[str, int]]:
    return [tuple(row) for row in db.session().execute(
        select(ApprovalStep.role, ApprovalStep.compared_fen).where(ApprovalStep.purchase_id == placed.id)
        .order_by(ApprovalStep.round_no, ApprovalStep.step_no))]


def approve(world: World, placed, login: str) -> bool:
    with db.transaction():
        return approval.approve(placed.id, None, world.person(login))


@pytest.mark.parametrize(("kg", "roles"), [(100, []), (101, ["approver"]), (500, ["approver"]),
                                           (501, ["approver", "leader"])])
def test_the_amount_says_how_many_yeses_are_needed(world, trade, cabbage, kg, roles):
    rule(world)
    placed = trade.place({cabbage: kg * 1000})
    assert [role for role, _fen in steps(placed)] == roles
    assert placed.approval == ("waiting" if roles else "not_needed")


def test_rules_of_one_fund_replace_those_of_any(world, trade, cabbage):
    rule(world, *SCHOOL_RULES, Rule("union", 0, "leader"))

    def place(fund: str):
        wish = Wish(world.delivery_point_id(), clock.days_after(clock.today(), 1), "morning", fund)
        with db.transaction():
            return checkout.place([(cabbage, 1_000)], wish, f"t-{fund}", world.person("cook.chen"))

    assert [role for role, _fen in steps(place("union"))] == ["leader"]
    assert steps(place("canteen")) == []


def test_splitting_over_days_does_not_help(world, trade, cabbage):
    """Two purchases of 3,000 of one category from one co-operative within seven days need the leader."""
    rule(world)
    pomelo = trade.product("香柚", POMELO, price_fen=1000)
    trade.lot(pomelo, kg=9_000)
    assert steps(trade.place({cabbage: 300_000})) == [("approver", 300_000)]
    with clock.at(NOON + timedelta(days=6)):
        assert steps(trade.place({pomelo: 300_000})) == [("approver", 300_000)]  # another co-operative
        assert steps(trade.place({cabbage: 300_000})) == [("approver", 600_000), ("leader", 600_000)]
    with clock.at(NOON + timedelta(days=14)):
        assert steps(trade.place({cabbage: 300_000})) == [("approver", 300_000)]


def test_what_was_cancelled_does_not_count(world, trade, cabbage):
    rule(world)
    first = trade.place({cabbage: 300_000})
    with db.transaction():
        approval.cancel(trade.orders(first)[0].id, "不要了", world.person("cook.chen"))
    assert steps(trade.place({cabbage: 300_000})) == [("approver", 300_000)]


def test_the_old_limit_alone_means_one_approver_above_it(world, trade, cabbage):
    with db.transaction() as session:
        session.get_one(Organisation, world.organisation_id(SCHOOL)).approval_limit_fen = 500_000
    assert steps(trade.place({cabbage: 300_000})) == []
    assert steps(trade.place({cabbage: 300_000})) == [("approver", 600_000)]


def test_a_change_of_rules_counts_for_new_purchases_only(world, trade, cabbage):
    rule(world)
    placed = trade.place({cabbage: 600_000})
    with db.transaction():
        rules.replace([], world.person("admin.qian"))
    approve(world, placed, "head.li")
    assert db.session().get_one(Purchase, placed.id).approval == "waiting"
    other = trade.product("韭菜", POMELO, price_fen=1000)
    trade.lot(other, kg=900)
    assert trade.place({other: 600_000}).approval == "not_needed"


def test_one_person_decides_one_step_and_the_requester_none(world, trade, cabbage):
    rule(world)
    also(world, "head.li", "leader")
    also(world, "cook.chen", "approver")
    also(world, "aunt.zhao", "leader")
    placed = trade.place({cabbage: 600_000})
    with pytest.raises(SecondPersonNeeded):
        approve(world, placed, "cook.chen")
    with pytest.raises(deciding.NotYourStep):
        approve(world, placed, "aunt.zhao")  # the leader's turn comes second
    assert deciding.waiting_for(world.person("head.li")) == 1
    assert deciding.waiting_for(world.person("aunt.zhao")) == deciding.waiting_for(world.person("cook.chen")) == 0
    assert approve(world, placed, "head.li") is False
    with pytest.raises(deciding.OneStepEach):
        approve(world, placed, "head.li")
    assert deciding.waiting_for(world.person("head.li")) == 0
    assert deciding.waiting_for(world.person("aunt.zhao")) == 1
    assert db.session().get_one(Purchase, placed.id, populate_existing=True).approval == "waiting"
    assert approve(world, placed, "aunt.zhao") is True
    assert people.deciders([placed.id]) == {world.person("head.li").id, world.person("aunt.zhao").id}
    order = trade.orders(placed)[0]
    trade.ship(order.id)
    for receivers in (("store.wang", "aunt.zhao"), ("head.li", "store.wang")):
        with pytest.raises(acceptance.NotTwoReceivers):
            trade.accept(order.id, receivers=receivers)
    assert db.session().get_one(Order, order.id, populate_existing=True).state == "shipped"


def test_who_raised_a_purchase_does_not_approve_it(world, trade, cabbage):
    rule(world)
    also(world, "admin.qian", "approver")
    placed = trade.place({cabbage: 90_000})
    order = trade.orders(placed)[0]
    with db.transaction():
        amending.amend(order.id, {trade.lines(order.id)[0].id: 200_000}, [], "开运动会", world.person("admin.qian"))
    with pytest.raises(SecondPersonNeeded):
        approve(world, placed, "admin.qian")
    approve(world, placed, "head.li")


def test_checkout_asks_as_often_for_a_hundred_lines_as_for_one(app, world, trade):
    rule(world)
    goods = [trade.product(f"菜{n}", price_fen=100, supply="daily", daily_milli=100_000) for n in range(100)]
    counts = []
    for some in (goods[:1], goods):
        with count_statements(app) as statements:
            trade.place(dict.fromkeys(some, 1_000))
        counts.append(len(statements))
    assert counts[0] == counts[1]


# ---- tender limits --------------------------------------------------------------------------------------------------


def test_near_a_tender_limit_there_is_a_warning_never_a_block(world, trade, cabbage):
    school = world.organisation_id(SCHOOL)
    hunan = db.session().scalars(select(Division.id).where(Division.level == "province")).one()
    city = db.session().scalars(select(Division.id).where(Division.level == "city")).one()
    limit = {"division_id": hunan, "year": 2025, "category": "", "limit_fen": 1_000_000, "document": "示例"}
    with db.transaction():
        tenders.put(limit, world.person("official.jin"))
    trade.place({cabbage: 700_000})
    assert tenders.warnings(school, {"vegetables": 99_999}) == []
    near = tenders.warnings(school, {"vegetables": 100_000})
    assert [(one.total_fen, one.is_above) for one in near] == [(800_000, False)]
    trade.place({cabbage: 301_000})
    assert [one.is_above for one in tenders.warnings(school, {"vegetables": 0})] == [True]
    assert [one.kind for one in found("tender")] == ["tender"]
    with db.transaction():  # the nearest area counts
        tenders.put({**limit, "division_id": city, "limit_fen": 9_000_000}, world.person("official.jin"))
    assert tenders.warnings(school, {"vegetables": 0}) == found("tender") == []


# ---- what stands out ------------------------------------------------------------------------------------------------


def found(kind: str) -> list[Found]:
    return [one for one in looks.found("2026-10", "2026-10", EVERYWHERE) if one.kind == kind]


def test_two_purchases_just_under_a_limit_stand_out(world, trade, cabbage):
    trade.place({cabbage: 90_000})
    trade.place({cabbage: 90_000})
    rule(world)
    assert [one.object for one in found("splitting")] == ["永州演示第一小学 · 新田县演示蔬菜合作社"]
    trade.place({cabbage: 5_000})
    assert len(found("splitting")) == 1


def test_one_person_with_two_logins_stands_out_by_name_or_mail(world, trade, cabbage):
    rule(world, Rule("any", 0, "approver"))
    placed = trade.place({cabbage: 1_000})
    with clock.at(NOON + timedelta(minutes=5)):
        approve(world, placed, "head.li")
    assert found("two_logins") == found("hasty") == []
    for column, cook, head in (("name", "陈师傅", "陈师傅"), ("email", "chen.shi@demo.cn", "Chenshi+ok@demo.cn")):
        with db.transaction() as session:
            session.execute(update(User).where(User.login == "cook.chen").values(**{column: cook}))
            session.execute(update(User).where(User.login == "head.li").values(
                **({"name": "李校长"} | {column: head})))
        assert len(found("two_logins")) == 1, column


def test_an_approval_without_a_look_stands_out(world, trade, cabbage):
    rule(world, Rule("any", 0, "approver"))
    placed = trade.place({cabbage: 1_000})
    with clock.at(NOON + timedelta(seconds=9)):
        approve(world, placed, "head.li")
    assert len(found("hasty")) == 1


def test_money_that_came_back_and_one_sided_buying_stand_out(world, trade, cabbage):
    for number in range(5):
        order = trade.orders(trade.place({cabbage: 1_000}))[0]
        trade.ship(order.id)
        trade.pay(order.id, 1_500 if number == 0 else 1_000)
        trade.accept(order.id)
        if number == 0:
            trade.refund(order.id, 500)
    assert found("round_trip") == []  # a third only
    assert [one.object.split(" · ")[0] for one in found("one_supplier")] == ["永州演示第一小学"]
    order = trade.orders(trade.place({cabbage: 1_000}))[0]
    trade.pay(order.id, 1_000)
    with db.transaction():
        approval.cancel(order.id, "不要了", world.person("cook.chen"))
    trade.refund(order.id, 1_000)
    assert [one.object.endswith(order.number) for one in found("round_trip")] == [True]
