"""Invented transfers of too much: one goes back, one waits for its second person, one nobody has asked for yet."""

from sqlalchemy import select

from market import clock, db
from market.access import Visitor
from orders.demo.year import Book
from orders.models import Order
from orders.paying import claims, refunds
from orders.paying.claims import Remittance

TOO_MUCH_FEN = (5_000, 1_200, 350)


def give_back(book: Book) -> None:
    """Three unpaid orders of the first co-operative are paid with a little more than they cost."""
    coop = next(iter(book.facts.coops))
    clerk, manager = book.settled.person(coop, "clerk"), book.settled.person(coop, "manager")
    orders = db.session().scalars(
        select(Order).where(Order.supplier_id == book.settled.organisations[coop], Order.state == "accepted",
                            Order.payment == "unpaid", Order.accepted_fen > 0).order_by(Order.id)
        .limit(len(TOO_MUCH_FEN))).all()
    with clock.at(clock.shanghai(book.last, 16)):
        for order, over in zip(orders, TOO_MUCH_FEN, strict=False):
            _pay(book, order, over, manager)
        for order, over in list(zip(orders, TOO_MUCH_FEN, strict=False))[:2]:
            with db.transaction():
                asked = refunds.ask(order.id, over, "演示：多转了款", clerk)
            if over == TOO_MUCH_FEN[0]:
                with db.transaction():
                    refunds.confirm(asked.id, clock.today(), manager)


def _pay(book: Book, order: Order, over: int, manager: Visitor) -> None:
    unit = next(key for key, number in book.settled.organisations.items() if number == order.unit_id)
    costs = order.accepted_fen - order.returned_fen + order.freight_due_fen
    with db.transaction():
        claim = claims.claim({order.id: costs + over}, Remittance(book.facts.units[unit].name, clock.today()),
                             book.settled.person(unit, "finance"))
    with db.transaction():
        claims.confirm(claim.id, manager)
