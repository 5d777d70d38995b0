"""Invoices: a unit asks with its title, the co-operative sends the 数电票, amounts are matched, wrong ones replaced."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, db, journal, money, outbox, working_days
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Organisation
from orders import numbers
from orders.models import Order
from orders.papers.models import (
    Invoice,
    InvoiceRequest,
    InvoiceRequestOrder,
    InvoiceTitle,
    Statement,
    StatementLine,
)

ASKED, SENT, ANSWERED = "invoice.asked", "invoice.sent", "invoice.answered"
REPLACE_DAYS = 7  # working days after it came
OWN_GOODS = {"cooperative", "family_farm"}  # sell what they or their members grew: exempt by default (K, unchecked)


@dataclass(frozen=True)
class Sent:
    """An invoice as the co-operative says it is."""

    number: str
    amount_fen: int
    issued_on: date
    exempt: bool


class NoTitle(Conflict):
    """Without a title nobody can write an invoice."""

    code = "no_title"
    text = N_("Please fill in your unit's invoice title first.")


class NothingToInvoice(Conflict):
    """All that was accepted has been asked for already."""

    code = "nothing_to_invoice"
    text = N_("Nothing is left to be invoiced here.")


class NumberUsed(Conflict):
    """An invoice counts once, whoever it was sent for."""

    code = "invoice_number_used"
    text = N_("Invoice %(number)s has been used already.")


def keep_title(said: Mapping[str, Any], by: Visitor) -> None:
    """Write down the unit's invoice title; requests made before keep the old one."""
    row = {"unit_id": by.organisation_id, "changed_by": by.id, "changed_at": clock.now(), **said}
    db.session().execute(db.insert_or_update(InvoiceTitle, "unit_id"), [row])
    journal.record("invoice.title_changed", "organisation", by.organisation_id or 0, by, name=said["name"])


def ask_for_order(order_id: int, remark: str, exempt: bool | None, by: Visitor) -> InvoiceRequest:
    """Ask for an invoice over what is left of one order. Raises NotFound, NoTitle, NothingToInvoice."""
    return _ask(_lock([order_id], by), None, remark, exempt, by)


def ask_for_statement(statement_id: int, remark: str, exempt: bool | None, by: Visitor) -> InvoiceRequest:
    """Ask for one invoice over all orders of a statement, without those that count for another unit since.

    Raises NotFound, NoTitle, NothingToInvoice.
    """
    session = db.session()
    found = session.scalar(select(Statement.id).where(
        Statement.id == statement_id, Statement.unit_id == by.organisation_id))
    order_ids = list(session.scalars(
        select(StatementLine.order_id).distinct().join(Order, Order.id == StatementLine.order_id)
        .where(StatementLine.statement_id == statement_id, StatementLine.event == "accepted",
               Order.unit_id == by.organisation_id)))
    if found is None:
        raise NotFound()
    if not order_ids:
        raise NothingToInvoice()
    return _ask(_lock([one for one in order_ids if one], by), statement_id, remark, exempt, by)


def exempt_by_default(supplier_id: int) -> bool:
    """Whether a supplier sells its own or its members' goods (财税〔2008〕81号; not checked against its text)."""
    kind = db.session().scalar(select(Organisation.supplier_type).where(Organisation.id == supplier_id))
    return kind in OWN_GOODS


def _lock(order_ids: list[int], by: Visitor) -> list[Order]:
    """The unit's orders, locked in id order, so that two requests for one order take turns."""
    orders = list(db.session().scalars(
        select(Order).where(Order.id.in_(order_ids), Order.unit_id == by.organisation_id).order_by(Order.id)
        .with_for_update()))
    if len(orders) != len(order_ids):
        raise NotFound()
    return orders


def _ask(orders: list[Order], statement_id: int | None, remark: str, exempt: bool | None,
         by: Visitor) -> InvoiceRequest:
    title = db.session().get(InvoiceTitle, by.organisation_id)
    if title is None:
        raise NoTitle()
    asked = _asked_fen([order.id for order in orders])
    left = {order.id: order.accepted_fen + _freight(order) - order.returned_fen - asked.get(order.id, 0)
            for order in orders}
    left = {order_id: fen for order_id, fen in left.items() if fen > 0}
    if not left:
        raise NothingToInvoice()
    supplier_id = orders[0].supplier_id
    row = InvoiceRequest(
        number=numbers.new("P", clock.today()), unit_id=title.unit_id, supplier_id=supplier_id,
        statement_id=statement_id, amount_fen=sum(left.values()), name=title.name, tax_number=title.tax_number,
        exempt=exempt_by_default(supplier_id) if exempt is None else exempt, address=title.address,
        phone=title.phone, bank_name=title.bank_name, bank_account=title.bank_account, remark=remark, state="asked",
        asked_by=by.id, asked_at=clock.now())
    db.session().add(row)
    db.session().flush()
    db.insert_rows(InvoiceRequestOrder, [{"request_id": row.id, "order_id": order_id, "amount_fen": fen}
                                         for order_id, fen in left.items()])
    journal.record(ASKED, "invoice_request", row.id, by, number=row.number, amount_fen=row.amount_fen)
    outbox.enqueue(ASKED, {"request_id": row.id})
    return row


def _freight(order: Order) -> int:
    """Freight that is owed with accepted goods, in fen."""
    return int(order.freight_fen) if order.state == "accepted" else 0


def _asked_fen(order_ids: list[int]) -> dict[int, int]:
    rows = db.session().execute(
        select(InvoiceRequestOrder.order_id, db.sum_of(InvoiceRequestOrder.amount_fen).label("fen"))
        .join(InvoiceRequest, InvoiceRequest.id == InvoiceRequestOrder.request_id)
        .where(InvoiceRequestOrder.order_id.in_(order_ids), InvoiceRequest.state != "cancelled")
        .group_by(InvoiceRequestOrder.order_id))
    return {row.order_id: row.fen for row in rows}


def cancel(request_id: int, by: Visitor) -> InvoiceRequest:
    """The unit takes its request back while nothing was sent. Raises NotFound, Conflict."""
    row = _request(request_id, InvoiceRequest.unit_id == by.organisation_id)
    if row.state != "asked":
        raise Conflict()
    row.state = "cancelled"
    db.session().flush()
    journal.record("invoice.cancelled", "invoice_request", row.id, by, number=row.number)
    return row


def send(request_id: int, said: Sent, file_id: int, by: Visitor) -> Invoice:
    """The co-operative sends the invoice it was asked for. Raises NotFound, Conflict, NumberUsed, InvalidInput."""
    request = _request(request_id, InvoiceRequest.supplier_id == by.organisation_id)
    if request.state != "asked":
        raise Conflict()
    return _keep(request, said, file_id, None, by)


def replace(invoice_id: int, said: Sent, file_id: int, red_number: str, by: Visitor) -> Invoice:
    """A wrong invoice is cancelled by a red one and a new one takes its place; both stay on file.

    Raises NotFound, Conflict, NumberUsed, InvalidInput.
    """
    old = db.session().scalar(select(Invoice).where(
        Invoice.id == invoice_id, Invoice.supplier_id == by.organisation_id).with_for_update())
    if old is None:
        raise NotFound()
    if old.state == "replaced":
        raise Conflict()
    _check_unused(red_number, "red_number")
    if red_number == said.number:
        raise InvalidInput({"red_number": [NumberUsed(number=red_number)]})
    old.state, old.red_number = "replaced", red_number
    db.session().flush()
    return _keep(_request(old.request_id, InvoiceRequest.supplier_id == by.organisation_id), said, file_id, old.id, by)


def _keep(request: InvoiceRequest, said: Sent, file_id: int, replaces_id: int | None, by: Visitor) -> Invoice:
    if said.issued_on > clock.today():
        raise InvalidInput({"issued_on": [N_("The day of the invoice lies in the future.")]})
    _check_unused(said.number, "number")
    today = clock.today()
    made = db.session().scalar(db.insert_new(Invoice).values(
        **asdict(said), request_id=request.id, unit_id=request.unit_id, supplier_id=request.supplier_id,
        file_id=file_id, state="matched" if said.amount_fen == request.amount_fen else "differs",
        replaces_id=replaces_id, sent_by=by.id, sent_at=clock.now(), reason="",
        replace_by=working_days.working_days_after(today, REPLACE_DAYS)).returning(db.table(Invoice).c.id))
    if made is None:
        raise InvalidInput({"number": [NumberUsed(number=said.number)]})
    request.state = "invoiced"
    row = db.session().get_one(Invoice, made)
    db.session().flush()
    journal.record(SENT, "invoice_request", request.id, by, number=said.number, amount_fen=said.amount_fen)
    outbox.enqueue(SENT, {"invoice_id": row.id})
    return row


def _check_unused(number: str, field: str) -> None:
    taken = db.session().scalar(select(Invoice.id).where((Invoice.number == number) | (Invoice.red_number == number)))
    if taken is not None:
        raise InvalidInput({field: [NumberUsed(number=number)]})


def accept(invoice_id: int, by: Visitor) -> Invoice:
    """The unit takes an invoice although its amount differs. Raises NotFound, Conflict."""
    return _answer(invoice_id, {"differs"}, "accepted", "", by)


def refuse(invoice_id: int, reason: str, by: Visitor) -> Invoice:
    """The unit says what is wrong; the co-operative replaces it. Raises NotFound, Conflict."""
    return _answer(invoice_id, {"matched", "differs", "accepted"}, "refused", reason, by)


def _answer(invoice_id: int, before: set[str], state: str, reason: str, by: Visitor) -> Invoice:
    row = db.session().scalar(select(Invoice).where(
        Invoice.id == invoice_id, Invoice.unit_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    if row.state not in before:
        raise Conflict()
    row.state, row.reason, row.answered_by, row.answered_at = state, reason, by.id, clock.now()
    db.session().flush()
    journal.record(f"invoice.{state}", "invoice_request", row.request_id, by, number=row.number, reason=reason)
    outbox.enqueue(ANSWERED, {"invoice_id": row.id})
    return row


def difference(invoice_fen: int, asked_fen: int) -> str:
    """By how much an invoice differs from what was asked for, in yuan with its sign; empty where it does not."""
    sign = "+" if invoice_fen > asked_fen else ""
    return "" if invoice_fen == asked_fen else f"{sign}{money.yuan(invoice_fen - asked_fen)}"


def _request(request_id: int, mine: Any) -> InvoiceRequest:
    row = db.session().scalar(select(InvoiceRequest).where(InvoiceRequest.id == request_id, mine).with_for_update())
    if row is None:
        raise NotFound()
    return row
