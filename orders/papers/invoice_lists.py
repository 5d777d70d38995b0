"""What is read of invoice titles, requests and invoices: columns, a fixed number of statements, one's own only."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select

from market import db, paging
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.users import User
from orders.models import Order
from orders.papers import walls
from orders.papers.facts import grouped
from orders.papers.models import Invoice, InvoiceRequest, InvoiceRequestOrder, InvoiceTitle, Statement

Columns = Row[*tuple[Any, ...]]


def title(unit_id: int | None) -> Columns | None:
    """A unit's invoice title, or what is known of the unit where it has none yet (then tax_number may be empty)."""
    return db.session().execute(
        select(InvoiceTitle.unit_id, func.coalesce(InvoiceTitle.name, Organisation.name).label("name"),
               func.coalesce(InvoiceTitle.tax_number, Organisation.credit_code, "").label("tax_number"),
               func.coalesce(InvoiceTitle.address, "").label("address"),
               func.coalesce(InvoiceTitle.phone, Organisation.phone).label("phone"),
               func.coalesce(InvoiceTitle.bank_name, Organisation.bank_name).label("bank_name"),
               func.coalesce(InvoiceTitle.bank_account, Organisation.bank_account).label("bank_account"))
        .select_from(Organisation).outerjoin(InvoiceTitle, InvoiceTitle.unit_id == Organisation.id)
        .where(Organisation.id == unit_id)).first()


def requests(by: Visitor, state: str, page: int) -> paging.Page:
    """Requests of the visitor's side with the invoice that counts, the newest first; two statements."""
    conditions = [walls.seen_by(by, InvoiceRequest.unit_id, InvoiceRequest.supplier_id)]
    conditions += [InvoiceRequest.state == state] if state else []
    total = db.session().scalar(select(func.count()).select_from(InvoiceRequest).where(*conditions)) or 0
    return paging.read(
        _columns().add_columns(Invoice.number.label("invoice_number"), Invoice.state.label("invoice_state"),
                               Invoice.amount_fen.label("invoice_fen"), Invoice.replace_by)
        .outerjoin(Invoice, (Invoice.request_id == InvoiceRequest.id) & (Invoice.state != "replaced"))
        .where(*conditions).order_by(InvoiceRequest.id.desc()), total, page)


def request(request_id: int, by: Visitor) -> Columns:
    """One request's facts. Raises NotFound for anybody else's."""
    found = db.session().execute(_columns().where(
        InvoiceRequest.id == request_id, walls.seen_by(by, InvoiceRequest.unit_id, InvoiceRequest.supplier_id))).first()
    if found is None:
        raise NotFound()
    return found


def orders_of(request_ids: Collection[int]) -> Mapping[int, Sequence[Columns]]:
    """Orders of requests with each one's part. The caller has checked whose they are."""
    return grouped(db.session().execute(
        select(InvoiceRequestOrder.request_id, Order.id, Order.number, InvoiceRequestOrder.amount_fen)
        .join(Order, Order.id == InvoiceRequestOrder.order_id)
        .where(InvoiceRequestOrder.request_id.in_(request_ids)).order_by(Order.id)), "request_id")


def invoices_of(request_id: int) -> Sequence[Columns]:
    """All invoices of a request, also replaced ones, the newest first. The caller has checked whose it is."""
    sender = db.table(User).alias()
    return db.session().execute(
        select(db.table(Invoice), sender.c.name.label("sender"), StoredFile.original_name.label("file_name"))
        .join(sender, sender.c.id == Invoice.sent_by).join(StoredFile, StoredFile.id == Invoice.file_id)
        .where(Invoice.request_id == request_id).order_by(Invoice.id.desc())).all()


def invoice(invoice_id: int, by: Visitor) -> Columns:
    """One invoice's facts. Raises NotFound for anybody else's."""
    found = db.session().execute(select(db.table(Invoice)).where(
        Invoice.id == invoice_id, walls.seen_by(by, Invoice.unit_id, Invoice.supplier_id))).first()
    if found is None:
        raise NotFound()
    return found


def file_of(invoice_id: int, by: Visitor) -> StoredFile:
    """An invoice's file, which both sides may read. Raises NotFound."""
    return db.session().get_one(StoredFile, invoice(invoice_id, by).file_id)


def requests_of_order(order_id: int) -> Sequence[Columns]:
    """Requests for an order with the invoice that counts. The caller has checked whose it is."""
    return db.session().execute(
        select(InvoiceRequest.id, InvoiceRequest.number, InvoiceRequest.state, InvoiceRequest.amount_fen,
               Invoice.number.label("invoice_number"), Invoice.state.label("invoice_state"))
        .join(InvoiceRequestOrder, InvoiceRequestOrder.request_id == InvoiceRequest.id)
        .outerjoin(Invoice, (Invoice.request_id == InvoiceRequest.id) & (Invoice.state != "replaced"))
        .where(InvoiceRequestOrder.order_id == order_id).order_by(InvoiceRequest.id.desc())).all()


def waiting(column: Any, organisation_id: int | None, state: str) -> int:
    """How many invoices of a side lie in a state."""
    return db.session().scalar(select(func.count()).select_from(Invoice).where(
        column == organisation_id, Invoice.state == state)) or 0


def asked(supplier_id: int | None) -> int:
    """How many requests a co-operative has still to answer."""
    return db.session().scalar(select(func.count()).select_from(InvoiceRequest).where(
        InvoiceRequest.supplier_id == supplier_id, InvoiceRequest.state == "asked")) or 0


def _columns() -> Select[Any]:
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    return (
        select(db.table(InvoiceRequest), unit.c.name.label("unit_name"), supplier.c.name.label("supplier_name"),
               User.name.label("asker"), Statement.number.label("statement_number"))
        .join(unit, unit.c.id == InvoiceRequest.unit_id).join(supplier, supplier.c.id == InvoiceRequest.supplier_id)
        .join(User, User.id == InvoiceRequest.asked_by)
        .outerjoin(Statement, Statement.id == InvoiceRequest.statement_id))
