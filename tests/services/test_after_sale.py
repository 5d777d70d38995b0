"""Goods that were taken and were not as they should be; stars; an order that counted for the wrong unit."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market import audit, clock, db, journal, ledger, logins, notices
from market.access import Visitor
from market.errors import InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.parties import DeliveryPoint, Membership, Organisation
from orders.aftersale import cases, crediting, jobs, lists, ratings
from orders.aftersale.cases import Matter, NotNow, TooLate
from orders.aftersale.crediting import AlreadyAsked, CannotMove
from orders.buying import lists as orders_lists
from orders.delivering import acceptance
from orders.delivering.acceptance import Taken
from orders.models import AfterSale, CreditChange, GoodsReturn, Order, Purchase, Rating
from tests.trade import Trade
from tests.world import NOON, SCHOOL, World


def accepted(trade: Trade, kg: int = 10) -> Order:
    """The school has taken cabbage at ¥2.00 a kilo."""
    product = trade.product("白菜")
    trade.lot(product)
    order = trade.orders(trade.place({product: kg * 1000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order


def opened(trade: Trade, order: Order, kind: str = "return", milli: int = 2_000, by: str = "store.wang") -> AfterSale:
    line = trade.lines(order.id)[0]
    with db.transaction():
        return cases.open_case(order.id, Matter(kind, "wilted", "叶子黄了", {line.id: milli}), trade.world.person(by))


def agree(trade: Trade, case: AfterSale, **answer: object) -> None:
    with db.transaction():
        cases.agree(case.id, "同意", answer.get("day"), trade.world.person("chair.shi"))  # type: ignore[arg-type]


def refused(error: type[MarketError], work: Callable[[], object]) -> None:
    """The work is refused, and no row was written."""
    before = counts()
    with pytest.raises(error):
        work()
    assert counts() == before


def done(work: Callable[[], object]) -> None:
    """A verb as a door runs it."""
    with db.transaction():
        work()


def counts() -> list[int]:
    db.session().rollback()
    return [db.session().scalar(select(func.count()).select_from(table)) or 0
            for table in (AfterSale, Rating, CreditChange, GoodsReturn, Purchase)]


def test_a_return_takes_effect_when_the_co_operative_agrees(trade: Trade) -> None:
    with clock.at(NOON):
        order = accepted(trade)
        case = opened(trade, order)
        assert db.session().get_one(Order, order.id).returned_fen == 0
        agree(trade, case)
        assert db.session().get_one(Order, order.id).returned_fen == 400
        assert ledger.balance_fen(f"unit:{order.unit_id}") == 1_600
        assert case.state == "agreed" and case.return_id is not None
        assert audit.check() == []


def test_a_replacement_is_a_return_and_a_new_purchase_at_the_old_price(trade: Trade) -> None:
    with clock.at(NOON):
        order = accepted(trade)
        case = opened(trade, order, "replacement")
        agree(trade, case, day=clock.days_after(clock.today(), 1))
        new = db.session().scalars(select(Order).where(Order.purchase_id == case.replacement_id)).one()
        assert (new.placed_fen, new.state, new.unit_id) == (400, "placed", order.unit_id)
        trade.ship(new.id)
        trade.accept(new.id)
        assert ledger.balance_fen(f"unit:{order.unit_id}") == 2_000
        assert audit.check() == []


def test_what_was_refused_at_the_door_may_come_anew_without_a_return(trade: Trade) -> None:
    with clock.at(NOON):
        product = trade.product("白菜")
        trade.lot(product)
        order = trade.orders(trade.place({product: 5_000}))[0]
        trade.ship(order.id)
        trade.accept(order.id, [Taken(trade.lines(order.id)[0].id, grams=0, reason="spoiled")])
        case = opened(trade, order, "replacement", 5_000)
        agree(trade, case, day=clock.days_after(clock.today(), 1))
        assert case.return_id is None and case.replacement_id is not None
        assert db.session().get_one(Order, order.id).state == "rejected"
        assert audit.check() == []


def test_no_more_goes_back_than_was_taken_whatever_cases_are_open(trade: Trade) -> None:
    with clock.at(NOON):
        order = accepted(trade)
        opened(trade, order, milli=7_000)
        refused(InvalidInput, lambda: opened(trade, order, milli=4_000))
        opened(trade, order, milli=3_000)


def test_only_accepted_goods_of_the_own_unit_and_only_for_a_month(trade: Trade) -> None:
    with clock.at(NOON):
        product = trade.product("萝卜")
        trade.lot(product)
        placed = trade.orders(trade.place({product: 1_000}))[0]
        refused(MarketError, lambda: opened(trade, placed, milli=500))
        order = accepted(trade)
        refused(NotFound, lambda: opened(trade, order, by="store.zheng"))
    with clock.at(NOON + timedelta(days=31)):
        refused(TooLate, lambda: opened(trade, order))


def test_a_refused_case_goes_to_the_county_which_proposes_and_does_not_decide(trade: Trade) -> None:
    world = trade.world
    with clock.at(NOON):
        order = accepted(trade)
        case = opened(trade, order)
        with db.transaction():  # the co-operative lies in another county than the world's offices
            db.session().get_one(Organisation, order.supplier_id).division_id = world.villages["pomelo_home"]
        refused(NotNow, lambda: done(lambda: cases.call_county(case.id, world.person("store.wang"))))
        with db.transaction():
            cases.refuse(case.id, "发货时是好的", world.person("chair.shi"))
        with db.transaction():
            cases.call_county(case.id, world.person("store.wang"))
        refused(NotFound, lambda: done(lambda: cases.propose(case.id, "退一半", world.person("official.jin"))))
        with db.transaction():
            cases.propose(case.id, "退一半", world.person("farm.luo"))
        assert db.session().get_one(Order, order.id).returned_fen == 0
        agree(trade, case)
        assert db.session().get_one(Order, order.id).returned_fen == 400


def test_an_answer_that_is_late_lets_the_unit_call_the_county(trade: Trade) -> None:
    world = trade.world
    with clock.at(NOON):
        order = accepted(trade)
        case = opened(trade, order)
        assert case.due_on is not None and case.due_on.isoformat() == "2026-10-15"  # three working days
        with db.transaction():
            db.session().get_one(Organisation, order.supplier_id).division_id = world.villages["pomelo_home"]
    with clock.at(NOON + timedelta(days=4)):
        assert lists.waiting(world.person("chair.shi")) == {"all": 1, "late": 1}
        with db.transaction():
            cases.call_county(case.id, world.person("store.wang"))
        assert case.state == "mediation"


def test_a_settled_case_is_settled_once(trade: Trade) -> None:
    with clock.at(NOON):
        case = opened(trade, accepted(trade))
        agree(trade, case)
        refused(NotNow, lambda: agree(trade, case))
        refused(NotNow, lambda: done(lambda: cases.withdraw(case.id, trade.world.person("store.wang"))))


def test_news_of_a_case_is_told_once_to_the_other_side(trade: Trade) -> None:
    with clock.at(NOON):
        case = opened(trade, accepted(trade))
        for _turn in range(2):
            jobs.case_moved({"case_id": case.id, "what": "opened"})
        told = notices.newest(trade.world.organisation_id("greens"))
        assert [row.kind for row in told if row.kind.startswith("after_sale")] == ["after_sale.opened"]


# ---- ratings --------------------------------------------------------------------------------------------------------


def test_an_order_is_rated_once_and_only_after_acceptance(trade: Trade) -> None:
    world = trade.world
    with clock.at(NOON):
        product = trade.product("萝卜")
        trade.lot(product)
        placed = trade.orders(trade.place({product: 1_000}))[0]
        refused(MarketError, lambda: done(lambda: ratings.rate(placed.id, 5, 5, "", world.person("cook.chen"))))
        order = accepted(trade)
        assert orders_lists.tab_counts([order.unit_id])["to_rate"] == 1
        with db.transaction():
            ratings.rate(order.id, 4, 5, "新鲜", world.person("cook.chen"))
        again = world.person("store.wang")
        refused(ratings.AlreadyRated, lambda: done(lambda: ratings.rate(order.id, 1, 1, "", again)))
        refused(InvalidInput, lambda: done(lambda: ratings.rate(order.id, 6, 1, "", world.person("store.wang"))))
        assert orders_lists.tab_counts([order.unit_id])["to_rate"] == 0
        said = lists.rating(order.id)
        assert said is not None and (said.goods_stars, said.delivery_stars) == (4, 5)


# ---- the credited unit ----------------------------------------------------------------------------------------------


def branch(world: World) -> int:
    """A branch school below the school."""
    with db.transaction() as session:
        unit = Organisation(kind="unit", name="永州演示第一小学分校", short_name="分校", unit_type="school",
                            parent_id=world.organisation_id(SCHOOL), created_at=clock.now())
        session.add(unit)
        session.flush()
        session.add(DeliveryPoint(unit_id=unit.id, name="分校食堂"))
        return unit.id


def ask(world: World, order: Order, to_unit: int, by: str = "cook.chen") -> CreditChange:
    with db.transaction():
        return crediting.ask(order.id, to_unit, "分校食堂订的", None, world.person(by))


def test_an_accepted_order_moves_to_the_branch_with_its_trace(trade: Trade) -> None:
    world = trade.world
    with clock.at(NOON):
        order, unit = accepted(trade), branch(trade.world)
        first = order.unit_id
        change = ask(world, order, unit)
        refused(SecondPersonNeeded, lambda: done(lambda: crediting.approve(change.id, world.person("cook.chen"))))
        refused(NotFound, lambda: done(lambda: crediting.approve(change.id, world.person("cook.wu"))))
        with db.transaction():
            crediting.approve(change.id, world.person("admin.qian"))
        assert db.session().get_one(Order, order.id).unit_id == unit
        assert (ledger.balance_fen(f"unit:{first}"), ledger.balance_fen(f"unit:{unit}")) == (0, 2_000)
        assert ledger.balance_fen(f"supplier:{order.supplier_id}") == -2_000
        assert [e["action"] for e in journal.timeline("order", order.id)][-2:] == ["credit.asked", "credit.approved"]
        assert audit.check() == []
        refused(NotFound, lambda: ask(world, order, first))  # it is no longer the school's


def test_who_asked_hears_that_it_was_declined(trade: Trade) -> None:
    world = trade.world
    with clock.at(NOON):
        order, unit = accepted(trade), branch(trade.world)
        change = ask(world, order, unit)
        done(lambda: crediting.decline(change.id, "是本校食堂订的", world.person("admin.qian")))
        jobs.credit_moved({"change_id": change.id})
        assert db.session().get_one(Order, order.id).unit_id == world.organisation_id(SCHOOL)
        assert notices.newest(world.organisation_id(SCHOOL))[0].kind == "credit.declined"


def test_a_placed_order_simply_counts_for_the_branch(trade: Trade) -> None:
    world = trade.world
    with clock.at(NOON):
        product = trade.product("白菜")
        trade.lot(product)
        order, unit = trade.orders(trade.place({product: 1_000}))[0], branch(world)
        change = ask(world, order, unit)
        done(lambda: crediting.approve(change.id, world.person("head.li")))
        trade.ship(order.id)
        with db.transaction() as session:
            session.add_all(Membership(user_id=world.person(login).id, organisation_id=unit, role="receiver")
                            for login in ("store.wang", "aunt.zhao"))
        people = [logins.visitor_of_login(login, unit) for login in ("store.wang", "aunt.zhao")]
        with db.transaction():
            acceptance.accept(order.id, [trade.in_full(line) for line in trade.lines(order.id)], _two(people))
        assert ledger.balance_fen(f"unit:{unit}") == 200
        assert audit.check() == []


def _two(people: list[Visitor | None]) -> tuple[Visitor, Visitor]:
    first, second = people
    assert first is not None and second is not None
    return first, second


def test_no_order_moves_once_money_or_goods_have(trade: Trade) -> None:
    world = trade.world
    with clock.at(NOON):
        order, unit = accepted(trade), branch(trade.world)
        refused(InvalidInput, lambda: ask(world, order, world.organisation_id("hospital")))
        trade.pay(order.id, 500, confirmed=False)
        refused(CannotMove, lambda: ask(world, order, unit))
        other = accepted(trade)
        ask(world, other, unit)
        refused(AlreadyAsked, lambda: ask(world, other, unit))
