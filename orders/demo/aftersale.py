"""After the invented deliveries: stars for some, one return that waits, one complaint the county mediates."""

from sqlalchemy import select

from market import clock, db
from market.access import Visitor
from market.errors import MarketError
from orders.aftersale import cases, ratings
from orders.aftersale.cases import Matter
from orders.demo.year import Book
from orders.models import Acceptance, Order, OrderLine

WORDS = ("很新鲜", "准时送到", "", "个头均匀", "包装再结实些更好")


def speak(book: Book) -> None:
    """The showcase school rates most of its last orders and opens two cases."""
    school = next(iter(book.facts.units))
    receiver = book.settled.person(school, "receiver")
    since = clock.days_after(book.last, -20)
    orders = db.session().execute(
        select(Order.id, Order.supplier_id).join(Acceptance, Acceptance.order_id == Order.id)
        .where(Order.unit_id == book.settled.organisations[school], Order.state == "accepted",
               Order.returned_fen == 0, Order.received_fen == 0, Acceptance.business_date >= since)
        .order_by(Order.id.desc()).limit(8)).all()
    with clock.at(clock.shanghai(book.last, 11)):
        for number, order in enumerate(orders[2:]):
            with db.transaction():
                ratings.rate(order.id, 5 - number % 3, 5 - number % 2, WORDS[number % len(WORDS)], receiver)
        for order, kind in zip(orders, ("return", "complaint"), strict=False):
            line = db.session().execute(
                select(OrderLine.id, OrderLine.ordered_milli).where(OrderLine.order_id == order.id)
                .order_by(OrderLine.id)).first()
            if line is not None:
                asked = {line.id: 2_000} if kind == "return" else {}
                _open(order.id, Matter(kind, "wilted", "演示：叶子发黄", asked), receiver)


def _open(order_id: int, matter: Matter, receiver: Visitor) -> None:
    """A return of nothing, as of a small order, is not opened."""
    try:
        with db.transaction():
            cases.open_case(order_id, matter, receiver)
    except MarketError:
        return
