"""Report 15: what was accepted, invoiced and paid by unit, co-operative and month, and what is overdue."""

from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import func, literal, select

from market import clock, db
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.parties import Organisation
from orders.models import Acceptance, AcceptanceLine, AcceptancePart, Order
from orders.overdue import rules
from orders.papers.models import Invoice, InvoiceRequest, InvoiceRequestOrder
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader

COLUMNS = (
    Column("unit", N_("Unit"), "text"),
    Column("supplier", N_("Co-operative"), "text"),
    Column("month", N_("Month"), "text"),
    Column("accepted_fen", N_("Accepted less returned"), "fen", sums=True),
    Column("invoiced_fen", N_("Invoiced"), "fen", sums=True),
    Column("paid_fen", N_("Paid"), "fen", sums=True),
    Column("open_fen", N_("Open"), "fen", sums=True),
    Column("due_on", N_("To be paid by"), "text"),
    Column("overdue_days", N_("Days overdue"), "count"),
    Column("interest_fen", N_("Interest, estimated"), "fen", sums=True),
    Column("exempt", N_("Exempt from VAT"), "text"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each unit, co-operative and month of acceptance; goods of the area. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    groups: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for order in _orders(asked, area):
        groups[order.unit, order.supplier, clock.period_of(order.accepted_on)].append(order)
    rows = [_row(key, orders, clock.today()) for key, orders in groups.items()]
    notes = [_("Due 30 days after acceptance, or as the frame contract says; interest 0.05 % a day on what is open.")]
    return Content(COLUMNS, rows, total_of(COLUMNS, rows), notes)


def _orders(asked: Asked, area: Area) -> Any:
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    accepted = (select(Acceptance.order_id, func.max(Acceptance.business_date).label("accepted_on"))
                .group_by(Acceptance.order_id).subquery())
    invoiced = (
        select(InvoiceRequestOrder.order_id, db.sum_of(InvoiceRequestOrder.amount_fen).label("fen"),
               func.count().filter(Invoice.exempt).label("exempt"))
        .join(InvoiceRequest, InvoiceRequest.id == InvoiceRequestOrder.request_id)
        .join(Invoice, Invoice.request_id == InvoiceRequest.id).where(Invoice.state.in_(("matched", "accepted")))
        .group_by(InvoiceRequestOrder.order_id).subquery())
    here = (
        select(Acceptance.order_id).join(AcceptanceLine, AcceptanceLine.acceptance_id == Acceptance.id)
        .join(AcceptancePart, AcceptancePart.acceptance_line_id == AcceptanceLine.id)
        .where(area.where.holds(AcceptancePart.village_id)))
    return db.session().execute(
        select(Order.id, Order.accepted_fen, Order.returned_fen, Order.received_fen, Order.refunded_fen,
               db.table(Order).c.get("freight_fen", literal(0)).label("freight_fen"),
               unit.c.name.label("unit"), supplier.c.name.label("supplier"), accepted.c.accepted_on,
               invoiced.c.fen.label("invoiced_fen"), invoiced.c.exempt, Order.pay_by)
        .join(accepted, accepted.c.order_id == Order.id)
        .join(unit, unit.c.id == Order.unit_id).join(supplier, supplier.c.id == Order.supplier_id)
        .outerjoin(invoiced, invoiced.c.order_id == Order.id)
        .where(accepted.c.accepted_on >= date.fromisoformat(asked.first + "-01"),
               accepted.c.accepted_on < date.fromisoformat(clock.months_before(asked.last, -1) + "-01"),
               Order.state == "accepted", Order.id.in_(here)).order_by(Order.id)).all()


def _row(key: tuple[str, str, str], orders: list[Any], today: date) -> Row:
    waiting = [order.pay_by for order in orders if open_fen(order) > 0]
    late = [(open_fen(order), rules.late_days(order.pay_by, today)) for order in orders
            if open_fen(order) > 0 and order.pay_by < today]
    exempt = sum(order.exempt or 0 for order in orders)
    return Row({
        "unit": key[0], "supplier": key[1], "month": key[2],
        "accepted_fen": sum(owed_fen(order) for order in orders),
        "invoiced_fen": sum(order.invoiced_fen or 0 for order in orders),
        "paid_fen": sum(order.received_fen - order.refunded_fen for order in orders),
        "open_fen": sum(open_fen(order) for order in orders),
        "due_on": min(waiting).isoformat() if waiting else "",
        "overdue_days": max((days for _fen, days in late), default=0),
        "interest_fen": sum(rules.interest_fen(fen, days) for fen, days in late),
        "exempt": _("yes") if exempt else "",
    }, order=" ".join((key[2], key[0], key[1])))


def owed_fen(order: Any) -> int:
    """Accepted less returned, with freight, in fen."""
    return int(order.accepted_fen - order.returned_fen + order.freight_fen)


def open_fen(order: Any) -> int:
    """What is owed less what has arrived, in fen; below zero where too much was paid."""
    return int(owed_fen(order) - order.received_fen + order.refunded_fen)


REPORT = Report("reconciliation", N_("Statements and invoices compared"),
                N_("What canteens accepted, what was invoiced and paid of it, and what is overdue."), read,
                verb="report.read", by_village=False, group="purchases")
