"""What the worker does for papers: news of statements and invoices for the other side; a month's papers as one ZIP."""

from collections.abc import Mapping
from typing import Any

from flask import current_app
from sqlalchemy import select

from market import access, db, logins, money, notices
from market.errors import N_, MarketError
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from market.users import User
from orders.papers import bundles, invoices, statements
from orders.papers.models import Invoice, InvoiceRequest, PaperBundle, Statement

STATE_NEWS = {"confirmed": "statement.confirmed", "objected": "statement.objected"}
KINDS: Kinds = {
    statements.ISSUED: Kind(N_("%(supplier)s has issued the statement of %(month)s: ¥%(yuan)s are open."),
                            "statements.show", "statement_id"),
    "statement.confirmed": Kind(N_("%(unit)s has confirmed the statement of %(month)s."),
                                "statements.show", "statement_id"),
    "statement.objected": Kind(N_("%(unit)s objects to the statement of %(month)s: %(reason)s"),
                               "statements.show", "statement_id"),
    invoices.ASKED: Kind(N_("%(unit)s asks for an invoice over ¥%(yuan)s: request %(number)s."),
                         "invoices.show", "request_id"),
    invoices.SENT: Kind(N_("%(supplier)s has sent invoice %(number)s over ¥%(yuan)s."), "invoices.of_invoice",
                        "invoice_id"),
    "invoice.refused": Kind(N_("%(unit)s has refused invoice %(number)s: %(reason)s"), "invoices.of_invoice",
                            "invoice_id"),
}
PIECES = 20  # papers between two tellings of how far it is


def statement_told(payload: Mapping[str, Any]) -> None:
    """Issued: the unit hears of it; answered: the co-operative does."""
    with db.transaction() as session:
        unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
        row = session.execute(
            select(db.table(Statement), unit.c.name.label("unit"), supplier.c.name.label("supplier"))
            .join(unit, unit.c.id == Statement.unit_id).join(supplier, supplier.c.id == Statement.supplier_id)
            .where(Statement.id == payload["statement_id"])).one()
        said = {"unit": row.unit, "supplier": row.supplier, "month": row.month, "reason": row.reason,
                "yuan": money.yuan(row.closing_fen)}
        if row.state == "issued":
            notices.tell(row.unit_id, statements.ISSUED, row.id, said)
        else:
            notices.tell(row.supplier_id, STATE_NEWS[row.state], row.id, said)


def invoice_asked(payload: Mapping[str, Any]) -> None:
    """The co-operative hears that an invoice is wanted."""
    with db.transaction() as session:
        row = session.execute(
            select(InvoiceRequest.id, InvoiceRequest.number, InvoiceRequest.supplier_id, InvoiceRequest.amount_fen,
                   InvoiceRequest.name).where(InvoiceRequest.id == payload["request_id"])).one()
        notices.tell(row.supplier_id, invoices.ASKED, row.id,
                     {"unit": row.name, "yuan": money.yuan(row.amount_fen), "number": row.number})


def invoice_told(payload: Mapping[str, Any]) -> None:
    """Sent: the unit hears of it; refused: the co-operative does."""
    with db.transaction() as session:
        row = session.execute(
            select(Invoice.id, Invoice.number, Invoice.state, Invoice.reason, Invoice.amount_fen, Invoice.unit_id,
                   Invoice.supplier_id, InvoiceRequest.name.label("unit"), Organisation.name.label("supplier"))
            .join(InvoiceRequest, InvoiceRequest.id == Invoice.request_id)
            .join(Organisation, Organisation.id == Invoice.supplier_id)
            .where(Invoice.id == payload["invoice_id"])).one()
        said = {"unit": row.unit, "supplier": row.supplier, "number": row.number, "reason": row.reason,
                "yuan": money.yuan(row.amount_fen)}
        if row.state == "refused":
            notices.tell(row.supplier_id, "invoice.refused", row.id, said)
        elif row.state in {"matched", "differs"}:
            notices.tell(row.unit_id, invoices.SENT, row.id, said)


def make_bundle(payload: Mapping[str, Any]) -> None:
    """Print a month's papers one by one outside any transaction, then keep the ZIP; begun anew after a crash."""
    bundle_id = payload["bundle_id"]
    with db.transaction() as session:
        row = bundles.take(bundle_id)
        if row is None:
            return
        login = session.scalars(select(User.login).where(User.id == row.asked_by)).one()
    by = logins.visitor_of_login(login, row.organisation_id)
    if by is None or not access.can(by, "trade_paper.read"):  # gone meanwhile
        _fail(bundle_id)
        return
    try:
        _print(row, by)
    except MarketError:
        _fail(bundle_id)


def _print(row: PaperBundle, by: Any) -> None:
    sheets = bundles.sheets(row, by)
    made: list[tuple[str, bytes]] = []
    for number, sheet in enumerate(sheets):
        if number % PIECES == 0:
            with db.transaction():
                bundles.tell_progress(row.id, number, len(sheets))
        made.append((sheet.name, sheet.make()))
    content = bundles.zipped(made)
    with db.transaction():
        bundles.tell_progress(row.id, len(sheets), len(sheets))
        bundles.finish(row.id, content, by, current_app.extensions["sijin"].files_dir)


def _fail(bundle_id: int) -> None:
    db.session().rollback()
    with db.transaction():
        bundles.fail(bundle_id)


HANDLERS: Mapping[str, Handler] = {
    statements.ISSUED: statement_told, statements.ANSWERED: statement_told, invoices.ASKED: invoice_asked,
    invoices.SENT: invoice_told, invoices.ANSWERED: invoice_told, bundles.MAKE: make_bundle,
}
