"""Invented transfers of too much: one goes back, one waits for its second person, one nobody has asked for yet."""

from collections.abc import Sequence

from sqlalchemy import func, select

from market import clock, db
from market.access import Visitor
from orders.demo.year import Book
from orders.models import Order
from orders.paying import claims, refunds
from orders.paying.claims import Remittance

TOO_MUCH_FEN = (5_000, 1_200, 350)


def give_back(book: Book) -> None:
    """Units transfer too much for the newest orders of the co-operative that has sold most often."""
    orders = _newest_of_the_busiest()
    if not orders:
        return
    clerk, manager = _person(book, orders[0], "clerk"), _person(book, orders[0], "manager")
    with clock.at(clock.shanghai(book.last, 16)):
        for order, over in zip(orders, TOO_MUCH_FEN, strict=False):
            _pay(book, order, over, manager)
        for order, over in list(zip(orders, TOO_MUCH_FEN, strict=False))[:2]:
            with db.transaction():
                asked = refunds.ask(order.id, over, "演示：多转了款", clerk).id
            if over == TOO_MUCH_FEN[0]:
                with db.transaction():
                    refunds.confirm(asked, clock.today(), manager)


def _newest_of_the_busiest() -> Sequence[Order]:
    session = db.session()
    accepted = (Order.state == "accepted", Order.payment.in_(("unpaid", "paid")), Order.accepted_fen > 0)
    busiest = session.scalar(select(Order.supplier_id).where(*accepted).group_by(Order.supplier_id)
                             .order_by(func.count().desc(), Order.supplier_id).limit(1))
    return session.scalars(select(Order).where(*accepted, Order.supplier_id == busiest).order_by(Order.id.desc())
                           .limit(len(TOO_MUCH_FEN))).all()


def _person(book: Book, order: Order, role: str) -> Visitor:
    """Of the co-operative, or for finance of the unit."""
    organisation = order.unit_id if role == "finance" else order.supplier_id
    key = next(key for key, number in book.settled.organisations.items() if number == organisation)
    return book.settled.person(key, role)


def _pay(book: Book, order: Order, over: int, manager: Visitor) -> None:
    costs = order.accepted_fen - order.returned_fen + order.freight_due_fen - order.received_fen
    payer = _person(book, order, "finance")
    with db.transaction():
        claim = claims.claim({order.id: costs + over}, Remittance(payer.organisation_name, clock.today()), payer)
    with db.transaction():
        claims.confirm(claim.id, manager)
