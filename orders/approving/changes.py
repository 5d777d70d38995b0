"""What changes of a placed order leave behind: a row for the change, one for each line, and news for the other side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import NotFound
from market.parties import Organisation
from market.users import User
from orders.approving.models import OrderAmendment, OrderLineChange
from orders.models import Order, OrderLine, Purchase


@dataclass(frozen=True)
class Changed:
    """A line with what was ordered before (thousandths of its unit, fen) and now; 0 before: a new line."""

    line: OrderLine
    before_milli: int
    before_fen: int
    after_milli: int
    after_fen: int

    def row(self) -> dict[str, Any]:
        line = self.line
        return {"line_id": line.id, "product_id": line.product_id, "product_name": line.product_name,
                "product_name_en": line.product_name_en, "unit": line.unit, "unit_en": line.unit_en,
                "price_fen": line.price_fen, "before_milli": self.before_milli, "after_milli": self.after_milli,
                "before_fen": self.before_fen, "after_fen": self.after_fen}


def locked(order_id: int, condition: Any) -> tuple[Purchase, Order]:
    """An order that the condition allows, with its purchase: the purchase is locked first, as approving does.
    Raises NotFound."""
    session = db.session()
    purchase_id = session.scalar(select(Order.purchase_id).where(Order.id == order_id, condition))
    if purchase_id is None:
        raise NotFound()
    purchase = session.scalars(select(Purchase).where(Purchase.id == purchase_id).with_for_update()
                               .execution_options(populate_existing=True)).one()
    order = session.scalars(select(Order).where(Order.id == order_id).with_for_update()
                            .execution_options(populate_existing=True)).one()
    return purchase, order


def lines_of(order_id: int) -> dict[int, OrderLine]:
    """An order's lines by id, as they are now."""
    return {line.id: line for line in db.session().scalars(
        select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)
        .execution_options(populate_existing=True))}


def keep(purchase: Purchase, order: Order, kind: str, changed: Sequence[Changed], by: Visitor, *, before_fen: int,
         reason: str = "", round_no: int | None = None, new_order_id: int | None = None, seen: bool = True) -> int:
    """Write a change down; `seen`: the co-operative knew the order before, so it is told. Returns the change's id."""
    amendment_id = db.insert_returning_ids(OrderAmendment, [{
        "purchase_id": purchase.id, "order_id": order.id, "kind": kind, "new_order_id": new_order_id,
        "round_no": round_no, "amended_by": by.id, "amended_at": clock.now(), "reason": reason,
        "before_fen": before_fen, "after_fen": order.placed_fen}])[0]
    db.insert_rows(OrderLineChange, [{"amendment_id": amendment_id, **one.row()} for one in changed])
    journal.record("order.parted" if kind == "parted" else "order.amended", "order", order.id, by, reason=reason,
                   change=kind, amendment=amendment_id, before_fen=before_fen, total_fen=order.placed_fen,
                   lines=[[one.line.id, one.before_milli, one.after_milli] for one in changed])
    if seen:
        outbox.enqueue("order.parted" if kind == "parted" else "order.amended", {"amendment_id": amendment_id})
    return amendment_id


# ---- for pages ------------------------------------------------------------------------------------------------------


def of_purchase(purchase_id: int) -> list[tuple[Any, list[Any]]]:
    """The changes of a purchase's orders, the oldest first, each with its lines; two statements."""
    return _read(OrderAmendment.purchase_id == purchase_id)


def for_supplier(amendment_id: int, by: Visitor) -> tuple[Any, list[Any]]:
    """One change of an order of this co-operative. Raises NotFound."""
    found = _read((OrderAmendment.id == amendment_id) & (Order.supplier_id == by.organisation_id))
    if not found:
        raise NotFound()
    return found[0]


def for_order(order_id: int) -> list[tuple[Any, list[Any]]]:
    """The changes of one order. The caller has checked whose it is."""
    return _read(OrderAmendment.order_id == order_id)


def _read(condition: Any) -> list[tuple[Any, list[Any]]]:
    follows = db.table(Order).alias()
    rows = db.session().execute(
        select(db.table(OrderAmendment), Order.number, Order.state, Order.supplier_name, User.name.label("who"),
               Organisation.short_name.label("unit_name"), follows.c.number.label("new_number"),
               follows.c.delivery_day.label("new_day"))
        .join(Order, Order.id == OrderAmendment.order_id).join(User, User.id == OrderAmendment.amended_by)
        .join(Organisation, Organisation.id == Order.unit_id)
        .outerjoin(follows, follows.c.id == OrderAmendment.new_order_id)
        .where(condition).order_by(OrderAmendment.id)).all()
    lines: dict[int, list[Any]] = {row.id: [] for row in rows}
    if lines:
        for line in db.session().execute(select(db.table(OrderLineChange)).where(
                OrderLineChange.amendment_id.in_(lines)).order_by(OrderLineChange.id)):
            lines[line.amendment_id].append(line)
    return [(row, lines[row.id]) for row in rows]
