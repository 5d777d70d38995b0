"""A co-operative whose members' meeting has decided about its surplus, and a case of the school that was settled."""

from datetime import date, timedelta

from sqlalchemy import select

from catalog.members import surplus
from catalog.members.surplus import Meeting, Plan
from market import clock, db
from market.errors import MarketError
from orders.aftersale import cases
from orders.aftersale.cases import Matter
from orders.demo.year import Book
from orders.models import Acceptance, AfterSale, Order, OrderLine

SURPLUS_FEN = 3_268_000
DECISION_NO = "演示：社员大会〔%s〕1号"
BACK_MILLI = 1_000


def decide(book: Book, today: date) -> None:
    """The first co-operative beside the pomelo growers, for which everything can be drawn up."""
    waiting = book.facts.goods["pomelo"].coop_key
    for key in book.facts.coops:
        if key != waiting and _decided(book, key, today):
            return


def _decided(book: Book, key: str, today: date) -> bool:
    """False where names of growers are still to follow, or nobody brought goods."""
    clerk, manager = book.settled.person(key, "clerk"), book.settled.person(key, "manager")
    members = book.settled.households[key, book.facts.coops[key].village_codes[0]][:4]
    plan = Plan(today - timedelta(days=364), today, SURPLUS_FEN, 1_000, 7_000)
    try:
        with clock.at(clock.shanghai(today, 6, 45)), db.transaction():
            for number, household in enumerate(members):
                surplus.set_capital(household, 80_000 + number * 30_000, clerk)
            drawn = surplus.draw_up(plan, clerk).id
    except MarketError:
        return False
    with clock.at(clock.shanghai(today, 6, 50)), db.transaction():
        surplus.confirm(drawn, Meeting(DECISION_NO % today.year, today), manager)
    return True


def settle_a_case(book: Book) -> None:
    """The showcase school sends a kilo back, and the co-operative agrees on the same day."""
    school = next(iter(book.facts.units))
    receiver = book.settled.person(school, "receiver")
    order = db.session().execute(
        select(Order.id, Order.supplier_id, OrderLine.id.label("line_id"))
        .join(Acceptance, Acceptance.order_id == Order.id).join(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.unit_id == book.settled.organisations[school], Order.state == "accepted",
               Order.received_fen == 0, Order.id.not_in(select(AfterSale.order_id)), OrderLine.by_weight,
               OrderLine.ordered_milli >= BACK_MILLI * 2,
               Acceptance.business_date >= clock.days_after(book.last, -20))
        .order_by(Order.id.desc(), OrderLine.id).limit(1)).first()
    if order is None:
        return
    keys = {number: key for key, number in book.settled.organisations.items()}
    with clock.at(clock.shanghai(book.last, 11)), db.transaction():
        case = cases.open_case(order.id, Matter("return", "damaged", "演示：压坏了一些", {order.line_id: BACK_MILLI}),
                               receiver)
    with clock.at(clock.shanghai(book.last, 15)), db.transaction():
        cases.agree(case.id, "演示：同意退货", None, book.settled.person(keys[order.supplier_id], "manager"))
