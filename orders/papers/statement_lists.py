"""What is read of statements: columns, a fixed number of statements, the visitor's own only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, case, func, select

from market import clock, db, paging
from market.access import Visitor
from market.errors import NotFound
from market.ledger import LedgerTransfer
from market.parties import Organisation
from market.users import User
from orders.models import Acceptance, Order
from orders.papers import walls
from orders.papers.models import InvoiceRequest, InvoiceRequestOrder, Statement, StatementLine

Columns = Row[*tuple[Any, ...]]
MINUS = ("returned", "allowance")
MONEY = ("received", "refunded")


@dataclass(frozen=True)
class Sums:
    """A month by kind, in fen: each above zero as one speaks of it."""

    more_fen: int
    less_fen: int
    accepted_fen: int
    returned_fen: int
    freight_fen: int
    paid_fen: int


def sums(lines: Sequence[Any]) -> Sums:
    """Lines added up by kind."""
    def of(*events: str) -> int:
        return sum(line.amount_fen for line in lines if line.event in events)

    return Sums(sum(line.amount_fen for line in lines if line.amount_fen > 0),
                -sum(line.amount_fen for line in lines if line.amount_fen < 0),
                of("accepted"), -of(*MINUS), of("freight"), -of(*MONEY))


def statement(statement_id: int, by: Visitor) -> Columns:
    """One statement's facts. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _columns().where(Statement.id == statement_id, walls.seen_by(by, Statement.unit_id, Statement.supplier_id))
    ).first()
    if found is None:
        raise NotFound()
    return found


def statements(by: Visitor, page: int, month: str = "", state: str = "") -> paging.Page:
    """Statements of the visitor's side, the newest month first; two statements."""
    conditions = [walls.seen_by(by, Statement.unit_id, Statement.supplier_id)]
    conditions += [Statement.month == month] if month else []
    conditions += [Statement.state == state] if state else []
    total = db.session().scalar(select(func.count()).select_from(Statement).where(*conditions)) or 0
    return paging.read(_columns().where(*conditions).order_by(Statement.month.desc(), Statement.id.desc()), total, page)


def waiting(unit_id: int | None) -> int:
    """How many statements a unit has still to answer."""
    return db.session().scalar(select(func.count()).select_from(Statement).where(
        Statement.unit_id == unit_id, Statement.state == "issued")) or 0


def lines(statement_id: int) -> Sequence[Columns]:
    """A statement's lines in the order of their days. The caller has checked whose it is."""
    return db.session().execute(
        select(db.table(StatementLine), Order.number.label("order_number"))
        .outerjoin(Order, Order.id == StatementLine.order_id).where(StatementLine.statement_id == statement_id)
        .order_by(StatementLine.business_date, StatementLine.id)).all()


def accepted_orders(statement_id: int) -> list[int]:
    """The orders whose goods were accepted in a statement's month."""
    return list(db.session().scalars(
        select(StatementLine.order_id).distinct().where(
            StatementLine.statement_id == statement_id, StatementLine.event == "accepted")
        .order_by(StatementLine.order_id)))


def payable(statement: Any) -> list[int]:
    """The orders between the two that were accepted up to the statement's end and are open, the oldest first."""
    _first, last = month_days(statement.month)
    return list(db.session().scalars(
        select(Order.id).join(Acceptance, Acceptance.order_id == Order.id)
        .where(Order.unit_id == statement.unit_id, Order.supplier_id == statement.supplier_id,
               Order.state == "accepted", Order.payment.in_(("unpaid", "part", "claimed")),
               Acceptance.business_date <= last)
        .order_by(Acceptance.business_date, Order.id)))


def invoiced_fen(statement_id: int) -> int:
    """What of the statement's orders has been asked to be invoiced and was not taken back."""
    return int(db.session().scalar(
        select(db.sum_of(InvoiceRequestOrder.amount_fen))
        .join(InvoiceRequest, InvoiceRequest.id == InvoiceRequestOrder.request_id)
        .where(InvoiceRequest.state == "invoiced", InvoiceRequestOrder.order_id.in_(
            select(StatementLine.order_id).where(StatementLine.statement_id == statement_id)))) or 0)


def between(unit_id: int, supplier_id: int, first: date, last: date) -> Sequence[Columns]:
    """What the ledger holds between a unit and a co-operative from a day to a day, by day, order and event.

    Above zero the unit owes more. Parts that cancel out within a day (money moved from goods to goods) are left out.
    """
    table = db.table(LedgerTransfer)
    unit, supplier = f"unit:{unit_id}", f"supplier:{supplier_id}"
    amount = db.sum_of(_signed(table, unit))
    return db.session().execute(
        select(table.c.event, table.c.business_date, Order.id.label("order_id"), amount.label("amount_fen"))
        .outerjoin(Order, Order.number == table.c.order_ref)
        .where(table.c.debit.in_((unit, supplier)), table.c.credit.in_((unit, supplier)),
               table.c.business_date.between(first, last))
        .group_by(table.c.event, table.c.business_date, Order.id)
        .having(amount != 0).order_by(table.c.business_date, Order.id, table.c.event)).all()


def owed_before(unit_id: int, supplier_id: int, day: date) -> int:
    """What a unit owed a co-operative at the beginning of a day, in fen, by the ledger."""
    table = db.table(LedgerTransfer)
    unit, supplier = f"unit:{unit_id}", f"supplier:{supplier_id}"
    return int(db.session().scalar(
        select(db.sum_of(_signed(table, unit)))
        .where(table.c.debit.in_((unit, supplier)), table.c.credit.in_((unit, supplier)),
               table.c.business_date < day)) or 0)


def _signed(table: Any, unit: str) -> Any:
    return case((table.c.debit == unit, table.c.amount_fen), else_=-table.c.amount_fen)


def to_issue(by: Visitor, month: str) -> Sequence[Columns]:
    """Units with which a co-operative had movements in a month and that have no statement yet; one statement."""
    table = db.table(LedgerTransfer)
    first, last = month_days(month)
    stated = select(Statement.unit_id).where(Statement.supplier_id == by.organisation_id, Statement.month == month)
    return db.session().execute(
        select(Organisation.id, Organisation.name, func.count(func.distinct(table.c.order_ref)).label("orders"))
        .join(table, table.c.unit_id == Organisation.id)
        .where(table.c.supplier_id == by.organisation_id, table.c.business_date.between(first, last),
               table.c.event.in_(("accepted", "returned", "allowance", "received", "refunded", "freight")),
               Organisation.id.not_in(stated))
        .group_by(Organisation.id, Organisation.name).order_by(Organisation.name)).all()


def month_days(month: str) -> tuple[date, date]:
    """The first and the last day of a month."""
    first = date.fromisoformat(month + "-01")
    return first, clock.days_after(date.fromisoformat(clock.months_before(month, -1) + "-01"), -1)


def _columns() -> Select[Any]:
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    issuer, answerer = db.table(User).alias(), db.table(User).alias()
    return (
        select(db.table(Statement), unit.c.name.label("unit_name"), supplier.c.name.label("supplier_name"),
               issuer.c.name.label("issuer"), answerer.c.name.label("answerer"))
        .join(unit, unit.c.id == Statement.unit_id).join(supplier, supplier.c.id == Statement.supplier_id)
        .join(issuer, issuer.c.id == Statement.issued_by).outerjoin(answerer, answerer.c.id == Statement.answered_by))
