"""Papers of trade, for both sides: by month, all of one order, as PDF; a month's papers as one ZIP."""

from collections.abc import Callable, Iterator

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market.access import Visitor, can, requires
from market.errors import N_, NotFound
from market.file_routes import send
from market.files import StoredFile
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, asked_month, once, page_number, parse, see_other, shows_again, whole_argument
from orders.papers import bundles, facts, invoice_lists, lists, printing, statement_lists
from orders.papers.models import Invoice
from orders.papers.schemas import BundleSchema

bp = Blueprint("trade_papers", __name__)

MENU = tuple(MenuEntry(door, N_("Trade papers"), "trade_papers.index", "trade_paper.read", "contract", group=group)
             for door, group in (("unit", "look"), ("supplier", "keep"), ("office", "look")))
ORDER = "<int(max=999999999999):order_id>"
BUNDLE = "<int(max=999999999999):bundle_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Statements to answer, invoices that differ, requests to invoice, refused invoices to replace."""
    lines: tuple[tuple[str, Callable[[int | None], int], str, Callable[[int], str]], ...] = (
        ("statement.answer", statement_lists.waiting, "statements.index",
         lambda n: ngettext("%(num)s statement waits for your answer.", "%(num)s statements wait for your answer.", n)),
        ("invoice.ask", lambda own: invoice_lists.waiting(Invoice.unit_id, own, "differs"), "invoices.index",
         lambda n: ngettext("%(num)s invoice differs from what was asked for.",
                            "%(num)s invoices differ from what was asked for.", n)),
        ("invoice.send", invoice_lists.asked, "invoices.index",
         lambda n: ngettext("%(num)s invoice is to be sent.", "%(num)s invoices are to be sent.", n)),
        ("invoice.send", lambda own: invoice_lists.waiting(Invoice.supplier_id, own, "refused"), "invoices.index",
         lambda n: ngettext("%(num)s invoice is to be replaced.", "%(num)s invoices are to be replaced.", n)))
    for verb, count, endpoint, words in lines:
        found = count(visitor.organisation_id) if can(visitor, verb) else 0
        if found:
            yield Waiting(words(found), url_for(endpoint))


@bp.get("/documents")
@requires("trade_paper.read")
def index() -> str:
    month, partner = asked_month(), whole_argument("partner_id")

    def address(page: int) -> str:
        return url_for("trade_papers.index", month=month, partner_id=partner, page=page)

    return render_template(
        "orders/papers/index.html", found=lists.orders(current_user, month, partner, page_number()), month=month,
        partner=partner, partners=lists.partners(current_user), bundles=lists.bundles(current_user), address=address,
        possible=printing.possible, kinds=printing.ORDER_PAPERS)


@bp.get(f"/orders/{ORDER}/papers")
@requires("trade_paper.read")
def of_order(order_id: int) -> str:
    """Everything of one order on one page."""
    paper = facts.order_paper(order_id, current_user)
    return render_template(
        "orders/papers/order.html", paper=paper, order=paper.order, kinds=printing.ORDER_PAPERS,
        possible=printing.possible(paper.order), requests=invoice_lists.requests_of_order(order_id),
        frame=lists.frame_of(order_id), may_ask=can(current_user, "invoice.ask")
        and paper.order.unit_id == current_user.organisation_id and paper.net_fen > 0)


@bp.get(f"/orders/{ORDER}/papers/<paper>.pdf")
@requires("trade_paper.read")
def pdf(order_id: int, paper: str) -> Response:
    if paper not in printing.ORDER_PAPERS:
        raise NotFound()
    number = facts.order_paper(order_id, current_user).order.number
    return shown(printing.of_order(paper, order_id, current_user), f"{number}-{paper}")


@bp.get("/purchases/<int(max=999999999999):purchase_id>/sheet.pdf")
@requires("purchase.read")
def purchase_sheet(purchase_id: int) -> Response:
    return shown(printing.purchase_sheet(purchase_id, current_user), f"purchase-{purchase_id}")


def shown(content: bytes, name: str) -> Response:
    """Opened in the browser, from where it is printed."""
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


# ---- a month in one file --------------------------------------------------------------------------------------------


@bp.post("/documents/bundles")
@requires("trade_paper.read")
@shows_again(index)
def ask_bundle() -> Response:
    values = parse(BundleSchema)

    def work() -> Response:
        made = bundles.ask(values["month"], values["partner_id"], current_user)
        flash(_("The papers are being put together."), "info")
        return see_other("trade_papers.bundle", bundle_id=made.id)

    return once(work)


@bp.get(f"/documents/bundles/{BUNDLE}")
@requires("trade_paper.read")
def bundle(bundle_id: int) -> Response:
    """How far it is; the page comes again by itself until the file is there."""
    row = bundles.bundle(bundle_id, current_user)
    response = Response(render_template("orders/papers/bundle.html", bundle=row))
    if row.state in {"queued", "making"}:
        response.headers["Refresh"] = "3"
    return response


@bp.get(f"/documents/bundles/{BUNDLE}/papers.zip")
@requires("trade_paper.read")
def bundle_file(bundle_id: int) -> Response:
    return as_file(bundles.file_of(bundle_id, current_user))


def as_file(stored: StoredFile) -> Response:
    """A stored file to be kept, never opened inside this site."""
    response = send(stored)
    if "attachment" not in response.headers.get("Content-Disposition", ""):
        response.headers["Content-Disposition"] = response.headers.get(
            "Content-Disposition", "inline").replace("inline", "attachment", 1)
    return response
