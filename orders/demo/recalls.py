"""One recall in the invented year: a lot that the showcase school has received, so that these pages show something."""

from sqlalchemy import select

from catalog.models import Lot
from catalog.tracing import recall
from market import clock, db
from orders.delivering import recall as reach
from orders.demo.year import Book
from orders.models import Order, Shipment, ShipmentLine

REASON = "县里抽检：农药残留超标（演示）"


def recall_one(book: Book) -> None:
    """The newest lot that reached a kitchen of the showcase school on time, recalled by its co-operative's chair."""
    school = book.settled.organisations[next(iter(book.facts.units))]
    found = db.session().execute(
        select(Lot.code, Lot.supplier_id).join(ShipmentLine, ShipmentLine.lot_id == Lot.id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Order, Order.id == Shipment.order_id)
        .where(Order.unit_id == school, Order.state == "accepted").order_by(Order.id.desc(), Lot.id).limit(1)).first()
    if found is None:
        return
    key = next(key for key, number in book.settled.organisations.items() if number == found.supplier_id)
    with clock.at(clock.shanghai(book.last, 16)), db.transaction():
        made = recall.recall(found.code, REASON, book.settled.person(key, "manager"))
        reach.tell(made.id, [])
