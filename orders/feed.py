"""Purchases, orders and claims for programs: the caller's own rows, newest first, in pages by cursor."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, or_, select

from market import db
from market.access import Visitor
from market.errors import NotFound
from market.parties import Organisation
from orders.buying import approval, lists
from orders.delivering import lists as delivering_lists
from orders.delivering import packing
from orders.models import DeliveryRun, Order, PaymentClaim, Purchase, Shipment

Columns = Row[*tuple[Any, ...]]


def purchases(by: Visitor, cursor: int | None, limit: int) -> Sequence[Columns]:
    """Purchases of the caller's unit and of those it supervises."""
    query = select(db.table(Purchase)).where(Purchase.unit_id.in_(lists.unit_ids(by)))
    return _after(query, Purchase.id, cursor, limit)


def purchase(purchase_id: int, by: Visitor) -> dict[str, Any]:
    """One purchase with orders and lines. Raises NotFound for anybody else's."""
    found = lists.purchase(purchase_id, lists.unit_ids(by))
    orders_ = lists.of_purchase(purchase_id)
    lines = lists.lines([row.id for row in orders_])
    return {**found._mapping, "orders": [
        {**row._mapping, "lines": [line for line in lines if line.order_id == row.id]} for row in orders_]}


def _is_seen_by(by: Visitor) -> ColumnElement[bool]:
    """A unit sees its own orders and those of units it supervises, a co-operative what was let go to it."""
    return or_(approval.is_of(by), packing.is_seen_by(by))


def _orders() -> Select[Any]:
    return (select(db.table(Order), Organisation.name.label("unit_name"))
            .join(Organisation, Organisation.id == Order.unit_id))


def orders(by: Visitor, state: str | None, cursor: int | None, limit: int) -> Sequence[Columns]:
    """Orders of either side."""
    query = _orders().where(_is_seen_by(by))
    return _after(query.where(Order.state == state) if state else query, Order.id, cursor, limit)


def order(order_id: int, by: Visitor) -> dict[str, Any]:
    """One order with lines and packed lots. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _orders().add_columns(DeliveryRun.number.label("run_number"), DeliveryRun.code.label("run_code"))
        .outerjoin(Shipment, Shipment.order_id == Order.id).outerjoin(DeliveryRun, DeliveryRun.id == Shipment.run_id)
        .where(Order.id == order_id, _is_seen_by(by))).first()
    if found is None:
        raise NotFound()
    told = {**found._mapping, "lines": lists.lines([order_id]),
            "packed": [row for rows in delivering_lists.packed_lots([order_id]).values() for row in rows]}
    if by.organisation_id != found.supplier_id or found.run_code is None:
        del told["run_code"]
    return told


def claims(by: Visitor, state: str | None, cursor: int | None, limit: int) -> Sequence[Columns]:
    """Claims of either side."""
    query = select(db.table(PaymentClaim)).where(
        or_(PaymentClaim.unit_id == by.organisation_id, PaymentClaim.supplier_id == by.organisation_id))
    return _after(query.where(PaymentClaim.state == state) if state else query, PaymentClaim.id, cursor, limit)


def _after(query: Select[Any], number: Any, cursor: int | None, limit: int) -> Sequence[Columns]:
    if cursor is not None:
        query = query.where(number < cursor)
    return db.session().execute(query.order_by(number.desc()).limit(limit)).all()
