"""Invoices: the unit's title and requests, the co-operative's 数电票, matching, refusing, replacing."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from flask_login import current_user

from market import files, money, web
from market.access import can, requires
from market.errors import N_, InvalidInput, MarketError
from market.i18n import gettext as _
from market.schemas import REQUIRED
from market.web import once, page_number, parse, see_other, shows_again
from orders.papers import facts, invoice_files, invoice_lists, invoices, printing, statement_lists
from orders.papers.routes import as_file, shown
from orders.papers.routes import of_order as order_page
from orders.papers.schemas import AskSchema, InvoiceSchema, ReasonSchema, TitleSchema, TypedInvoiceSchema
from orders.papers.statement_routes import show as statement_page

bp = Blueprint("invoices", __name__)

REQUEST = "<int(max=999999999999):request_id>"
INVOICE = "<int(max=999999999999):invoice_id>"
ORDER = "<int(max=999999999999):order_id>"
STATEMENT = "<int(max=999999999999):statement_id>"
REQUEST_LABELS: Mapping[str, str] = {
    "asked": N_("To invoice"), "invoiced": N_("Invoiced"), "cancelled": N_("Request taken back"),
}
INVOICE_LABELS: Mapping[str, str] = {
    "matched": N_("Agrees"), "differs": N_("Differs"), "accepted": N_("Taken as it is"), "refused": N_("Not accepted"),
    "replaced": N_("Replaced"),
}
EXEMPT: Mapping[str, bool | None] = {"default": None, "yes": True, "no": False}


@bp.get("/documents/invoices")
@requires("trade_paper.read")
def index() -> str:
    state = request.args.get("state", "")
    state = state if state in REQUEST_LABELS else ""
    return render_template(
        "orders/papers/invoices.html", found=invoice_lists.requests(current_user, state, page_number()), state=state,
        labels=REQUEST_LABELS, invoice_labels=INVOICE_LABELS, may_title=can(current_user, "invoice.ask"),
        address=lambda page: url_for("invoices.index", state=state or None, page=page))


@bp.get("/documents/invoice-title")
@requires("invoice.ask")
def title() -> str:
    return render_template("orders/papers/title.html", title=invoice_lists.title(current_user.organisation_id))


@bp.post("/documents/invoice-title")
@requires("invoice.ask")
@shows_again(title)
def keep_title() -> Response:
    values = parse(TitleSchema)

    def work() -> Response:
        invoices.keep_title(values, current_user)
        flash(_("The invoice title is kept; requests from now on carry it."), "good")
        return see_other("invoices.index")

    return once(work)


@bp.post(f"/orders/{ORDER}/invoice-requests")
@requires("invoice.ask")
@shows_again(order_page)
def ask_for_order(order_id: int) -> Response:
    facts.order_paper(order_id, current_user)
    return _ask(invoices.ask_for_order, order_id)


@bp.post(f"/documents/statements/{STATEMENT}/invoice-requests")
@requires("invoice.ask")
@shows_again(statement_page)
def ask_for_statement(statement_id: int) -> Response:
    statement_lists.statement(statement_id, current_user)
    return _ask(invoices.ask_for_statement, statement_id)


def _ask(ask: Callable[..., Any], thing_id: int) -> Response:
    """Ask for the invoice of an order or a statement that the visitor has been found to have."""
    values = parse(AskSchema)

    def work() -> Response:
        made = ask(thing_id, values["remark"], EXEMPT[values["exempt"]], current_user)
        flash(_("The co-operative is asked for the invoice."), "good")
        return see_other("invoices.show", request_id=made.id)

    return once(work)


@bp.get(f"/documents/invoice-requests/{REQUEST}")
@requires("trade_paper.read")
def show(request_id: int) -> str:
    found = invoice_lists.request(request_id, current_user)
    return render_template(
        "orders/papers/invoice_request.html", asked=found, orders=invoice_lists.orders_of([request_id])[request_id],
        invoices=invoice_lists.invoices_of(request_id), labels=REQUEST_LABELS, invoice_labels=INVOICE_LABELS,
        difference=invoices.difference,
        may_answer=can(current_user, "invoice.ask") and found.unit_id == current_user.organisation_id,
        may_send=can(current_user, "invoice.send") and found.supplier_id == current_user.organisation_id)


@bp.get(f"/documents/invoice-requests/{REQUEST}/request.pdf")
@requires("trade_paper.read")
def pdf(request_id: int) -> Response:
    found = invoice_lists.request(request_id, current_user)
    return shown(printing.invoice_request(request_id, current_user), found.number)


@bp.post(f"/documents/invoice-requests/{REQUEST}/cancellation")
@requires("invoice.ask")
@shows_again(show)
def cancel(request_id: int) -> Response:
    def work() -> Response:
        invoices.cancel(request_id, current_user)
        flash(_("The request is taken back."), "info")
        return see_other("invoices.show", request_id=request_id)

    return once(work)


@bp.post(f"/documents/invoice-requests/{REQUEST}/invoices")
@requires("invoice.send")
@shows_again(show)
def send(request_id: int) -> Response:
    """The co-operative's 数电票 for a request."""
    invoice_lists.request(request_id, current_user)
    file, said, _red = _sent()

    def work() -> Response:
        row = invoices.send(request_id, said, _keep(file), current_user)
        _tell(row.state)
        return see_other("invoices.show", request_id=request_id)

    return once(work)


# ---- one invoice ----------------------------------------------------------------------------------------------------


@bp.get(f"/documents/invoices/{INVOICE}")
@requires("trade_paper.read")
def of_invoice(invoice_id: int) -> Response:
    """An invoice stands on the page of its request."""
    return see_other("invoices.show", request_id=invoice_lists.invoice(invoice_id, current_user).request_id)


def _page_of(invoice_id: int) -> str:
    return show(invoice_lists.invoice(invoice_id, current_user).request_id)


@bp.get(f"/documents/invoices/{INVOICE}/file")
@requires("trade_paper.read")
def file(invoice_id: int) -> Response:
    return as_file(invoice_lists.file_of(invoice_id, current_user))


@bp.post(f"/documents/invoices/{INVOICE}/replacement")
@requires("invoice.send")
@shows_again(_page_of)
def replace(invoice_id: int) -> Response:
    """A new invoice in the place of a wrong one."""
    request_id = invoice_lists.invoice(invoice_id, current_user).request_id
    file, said, red_number = _sent()
    if not red_number:
        raise InvalidInput({"red_number": [REQUIRED]})

    def work() -> Response:
        row = invoices.replace(invoice_id, said, _keep(file), red_number, current_user)
        _tell(row.state)
        return see_other("invoices.show", request_id=request_id)

    return once(work)


@bp.post(f"/documents/invoices/{INVOICE}/acceptance")
@requires("invoice.ask")
@shows_again(_page_of)
def accept(invoice_id: int) -> Response:
    request_id = invoice_lists.invoice(invoice_id, current_user).request_id

    def work() -> Response:
        invoices.accept(invoice_id, current_user)
        flash(_("The invoice is taken although its amount differs."), "good")
        return see_other("invoices.show", request_id=request_id)

    return once(work)


@bp.post(f"/documents/invoices/{INVOICE}/refusal")
@requires("invoice.ask")
@shows_again(_page_of)
def refuse(invoice_id: int) -> Response:
    request_id = invoice_lists.invoice(invoice_id, current_user).request_id
    reason = parse(ReasonSchema)["reason"]

    def work() -> Response:
        invoices.refuse(invoice_id, reason, current_user)
        flash(_("Refused. The co-operative is told to replace it."), "waiting")
        return see_other("invoices.show", request_id=request_id)

    return once(work)


# ---- what was sent --------------------------------------------------------------------------------------------------


def _sent() -> tuple[tuple[invoice_files.Read, str], invoices.Sent, str]:
    """The file and what it is said to be; an XML speaks for itself and may not be contradicted. Raises InvalidInput."""
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        raise InvalidInput({"file": [REQUIRED]})
    try:
        read = invoice_files.read(uploaded.read(files.MAX_BYTES + 1))
    except files.FileRefused as refusal:
        raise InvalidInput({"file": [refusal]}) from refusal
    values = parse(InvoiceSchema)
    said = {"number": read.number, "amount_fen": read.amount_fen, "issued_on": read.issued_on}
    told = {"number": read.number, "amount_fen": money.plain_yuan(read.amount_fen) if read.amount_fen else None,
            "issued_on": read.issued_on.isoformat() if read.issued_on else None}
    checked = web.load(TypedInvoiceSchema(), {name: values[name] or text or "" for name, text in told.items()})
    wrong: dict[str, list[str | MarketError]] = {
        name: [N_("The file itself says something else.")] for name, value in said.items()
        if value is not None and checked[name] != value}
    if wrong:
        raise InvalidInput(wrong)
    return (read, uploaded.filename), invoices.Sent(exempt=values["exempt"], **checked), values["red_number"]


def _keep(file: tuple[invoice_files.Read, str]) -> int:
    read, name = file
    return files.keep(read.prepared, name, "parties", current_user, current_app.extensions["sijin"].files_dir).id


def _tell(state: str) -> None:
    if state == "matched":
        flash(_("The amount agrees with what was asked for."), "good")
    else:
        flash(_("The amount differs from what was asked for; the unit decides."), "waiting")
