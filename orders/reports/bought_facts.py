"""What documents say beside lines of the ledger: goods, prices, places, partners, invoices, days of payment.

A fixed number of statements for a batch of lines, whatever they are about.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from catalog.entry.models import Application
from catalog.papers.models import Paper
from market import db
from market.parties import Organisation
from market.places import Division
from orders.income import presence
from orders.models import Acceptance, AcceptanceLine, Order, OrderLine, ReceiptShare
from orders.papers.models import Invoice, InvoiceRequestOrder
from orders.reports.bought import Line

CERTIFICATES = ("green", "organic", "gi")  # kinds of catalog/papers/kinds.py that certify goods
PAID = ("paid", "over")
INVOICED = ("matched", "differs", "accepted")


@dataclass(frozen=True)
class Facts:
    """By the ids that lines hold."""

    goods: Mapping[str, Any]  # by line_ref
    organisations: Mapping[int, Any]
    places: Mapping[int, str]
    growers: Mapping[tuple[int, int], Collection[int]]  # households by lot and village
    invoices: Mapping[int, Sequence[str]]  # by order id
    paid_on: Mapping[int, date]
    certificates: Mapping[int, Sequence[Any]]  # by product id
    proofs: Mapping[int, str]  # by supplier id

    def households(self, line: Line) -> int:
        """How many households of the village brought goods to the lots of a line; never who."""
        village = line.row["village_id"]
        return len({one for lot in line.lots for one in self.growers.get((lot, village), ())})

    def certificate(self, line: Line) -> str | None:
        """The number that certified goods go by on that day: the goods' own, else that of the co-operative's entry."""
        if not line.row["certified"]:
            return None
        goods = self.goods.get(line.row["line_ref"])
        numbers = [paper.number for paper in self.certificates.get(goods.product_id if goods else 0, ())
                   if paper.issued_on <= line.day and (paper.valid_until is None or line.day <= paper.valid_until)]
        return "、".join(numbers) or self.proofs.get(line.row["supplier_id"])


def read(lines: Sequence[Line]) -> Facts:
    """The facts about some lines."""
    goods = _goods({int(ref) for ref in _named(lines, "line_ref") if str(ref).isdigit()})
    orders = {row.order_id for row in goods.values()}
    certified = {row.product_id for ref, row in goods.items()
                 if any(line.row["line_ref"] == ref and line.row["certified"] for line in lines)}
    return Facts(
        goods, organisations(_named(lines, "unit_id") | _named(lines, "supplier_id")),
        places(_named(lines, "village_id")), presence.growers({lot for line in lines for lot in line.lots}),
        _invoices(orders), _paid_on({row.order_id for row in goods.values() if row.payment in PAID}),
        _certificates(certified), _proofs(_named(lines, "supplier_id")))


def _named(lines: Sequence[Line], column: str) -> set[Any]:
    return {line.row[column] for line in lines} - {None}


def _goods(line_ids: Collection[int]) -> dict[str, Any]:
    """Order lines as they were ordered and accepted."""
    query = (
        select(OrderLine.id, OrderLine.order_id, OrderLine.product_id, OrderLine.product_name,
               OrderLine.substitute_name, OrderLine.substitute_product_id, OrderLine.unit, OrderLine.grams_per_unit,
               Order.payment, Acceptance.business_date.label("accepted_on"),
               func.coalesce(AcceptanceLine.price_fen, OrderLine.price_fen).label("price_fen"))
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .outerjoin(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
    )
    return {str(row.id): row for some in db.chunks(sorted(line_ids))
            for row in db.session().execute(query.where(OrderLine.id.in_(some)))}


def organisations(ids: Collection[int]) -> dict[int, Any]:
    """Names and kinds of units and co-operatives."""
    return {row.id: row for some in db.chunks(sorted(ids)) for row in db.session().execute(
        select(Organisation.id, Organisation.name, Organisation.supplier_type).where(Organisation.id.in_(some)))}


def places(ids: Collection[int]) -> dict[int, str]:
    """Villages by their path."""
    return {row.id: row.path for some in db.chunks(sorted(ids)) for row in db.session().execute(
        select(Division.id, Division.path).where(Division.id.in_(some)))}


def _invoices(order_ids: Collection[int]) -> dict[int, list[str]]:
    """Numbers of the invoices for orders that were neither refused nor replaced."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for some in db.chunks(sorted(order_ids)):
        for row in db.session().execute(
                select(InvoiceRequestOrder.order_id, Invoice.number)
                .join(Invoice, Invoice.request_id == InvoiceRequestOrder.request_id)
                .where(InvoiceRequestOrder.order_id.in_(some), Invoice.state.in_(INVOICED))
                .order_by(Invoice.id)):
            found[row.order_id].append(row.number)
    return found


def _paid_on(order_ids: Collection[int]) -> dict[int, date]:
    """The day on which the last of the money for fully paid orders arrived."""
    return {row.order_id: row.day for some in db.chunks(sorted(order_ids)) for row in db.session().execute(
        select(ReceiptShare.order_id, func.max(ReceiptShare.business_date).label("day"))
        .where(ReceiptShare.order_id.in_(some), ReceiptShare.amount_fen > 0,
               ReceiptShare.claim_part_id.is_not(None) | ReceiptShare.card_payment_id.is_not(None))
        .group_by(ReceiptShare.order_id))}


def _certificates(product_ids: Collection[int]) -> dict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for some in db.chunks(sorted(product_ids)):
        for row in db.session().execute(
                select(Paper.product_id, Paper.number, Paper.issued_on, Paper.valid_until)
                .where(Paper.product_id.in_(some), Paper.kind.in_(CERTIFICATES), Paper.state != "refused")
                .order_by(Paper.id)):
            found[row.product_id or 0].append(row)
    return found


def _proofs(supplier_ids: Collection[int]) -> dict[int, str]:
    """The certificate by which co-operatives came in."""
    return {row.supplier_id: row.proof_no for some in db.chunks(sorted(supplier_ids)) for row in db.session().execute(
        select(Application.supplier_id, Application.proof_no)
        .where(Application.supplier_id.in_(some), Application.proof_kind == "certified",
               Application.state == "admitted", Application.proof_no != ""))}
