"""Payments in the invented world: orders paid first, one with more time, a claim taken back, a declared payer."""

from sqlalchemy import select

from market import clock, db
from market.access import Visitor
from orders.demo.year import Book
from orders.models import Order
from orders.paying import claims, settings, terms
from orders.paying.claims import Remittance

PAYER = "演示国库集中支付中心（虚构）"
MOST = 3


def agree(book: Book) -> None:
    """Near the last day: the showcase school has some orders that are paid first; one is claimed, one has more time."""
    school = next(iter(book.facts.units))
    unit_id = book.settled.organisations[school]
    cashier, manager = book.settled.person(school, "finance"), book.settled.person(school, "manager")
    with clock.at(clock.shanghai(book.last, 11)):
        with db.transaction():
            settings.declare(PAYER, "treasury", manager)
        order_ids = _pay_first(unit_id)
        if order_ids:
            with db.transaction():
                terms.extend(order_ids[0], cashier)
        _take_back(unit_id, cashier)


def _pay_first(unit_id: int) -> list[int]:
    """Placed orders without money, made ones that are paid first, as the buyer might have chosen."""
    last = clock.days_after(clock.today(), terms.PAY_FIRST_DAYS)
    with db.transaction() as session:
        found = session.scalars(
            select(Order).where(Order.unit_id == unit_id, Order.state == "placed", Order.payment == "unpaid")
            .order_by(Order.id.desc()).limit(MOST)).all()
        for order in found:
            order.payment_terms, order.pay_by = terms.PAY_FIRST, last
    return [order.id for order in found]


def _take_back(unit_id: int, cashier: Visitor) -> None:
    """A claim over a wrong amount is taken back and said again as it was, in the treasury's name."""
    order = db.session().scalar(
        select(Order).where(Order.unit_id == unit_id, Order.state == "accepted", Order.payment == "unpaid")
        .order_by(Order.id.desc()).limit(1))
    if order is None:
        return
    order_id, fen = order.id, order.accepted_fen - order.returned_fen + order.freight_fen
    with db.transaction():
        wrong = claims.claim({order_id: fen * 2}, Remittance(PAYER, clock.today()), cashier).id
    with db.transaction():
        claims.withdraw(wrong, cashier)
    with db.transaction():
        claims.claim({order_id: fen}, Remittance(PAYER, clock.today()), cashier)
