"""The list of a month's papers: orders of the visitor's side with what belongs to each; few statements."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from market import db, paging
from market.access import UNIT, Visitor
from market.parties import Organisation
from orders.models import Order
from orders.papers import walls
from orders.papers.models import FrameCallOff, FrameContract, Invoice, InvoiceRequest, InvoiceRequestOrder, PaperBundle
from orders.papers.statement_lists import month_days

Columns = Row[*tuple[Any, ...]]


def orders(by: Visitor, month: str, partner_id: int | None, page: int) -> paging.Page:
    """Orders delivered (or to be) in a month, the newest first; two statements."""
    first, last = month_days(month)
    conditions = [walls.seen_by(by, Order.unit_id, Order.supplier_id), Order.delivery_day.between(first, last)]
    conditions += [(Order.unit_id == partner_id) | (Order.supplier_id == partner_id)] if partner_id else []
    total = db.session().scalar(select(func.count()).select_from(Order).where(*conditions)) or 0
    unit = db.table(Organisation).alias()
    invoices = (
        select(func.min(Invoice.number)).join(InvoiceRequest, InvoiceRequest.id == Invoice.request_id)
        .join(InvoiceRequestOrder, InvoiceRequestOrder.request_id == InvoiceRequest.id)
        .where(InvoiceRequestOrder.order_id == Order.id, Invoice.state.not_in(("replaced", "refused")))
        .correlate(Order).scalar_subquery())
    return paging.read(
        select(db.table(Order), unit.c.name.label("unit_name"), invoices.label("invoice_number"))
        .join(unit, unit.c.id == Order.unit_id).where(*conditions)
        .order_by(Order.delivery_day.desc(), Order.id.desc()), total, page)


def partners(by: Visitor) -> Sequence[Columns]:
    """The other sides of the visitor's orders (id, name)."""
    other = Order.supplier_id if by.organisation_kind == UNIT else Order.unit_id
    return db.session().execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(
            select(other).where(walls.seen_by(by, Order.unit_id, Order.supplier_id))))
        .order_by(Organisation.name)).all()


def frame_of(order_id: int) -> Columns | None:
    """The frame contract an order was called off under (id, number). The caller has checked whose it is."""
    return db.session().execute(
        select(FrameContract.id, FrameContract.number).join(FrameCallOff, FrameCallOff.contract_id == FrameContract.id)
        .where(FrameCallOff.order_id == order_id)).first()


def bundles(by: Visitor, most: int = 5) -> Sequence[Columns]:
    """The last ZIPs that the visitor's organisation asked for."""
    return db.session().execute(
        select(db.table(PaperBundle)).where(PaperBundle.organisation_id == by.organisation_id)
        .order_by(PaperBundle.id.desc()).limit(most)).all()
