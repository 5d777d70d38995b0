"""Each paper of trade as a PDF: what is read becomes what is printed. Papers are Chinese, whoever prints them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from flask_babel import force_locale

from market import clock, typeset, words
from market.access import Visitor
from market.errors import N_, NotFound
from market.i18n import gettext as _
from orders.buying import lists
from orders.delivering.reasons import REASONS
from orders.papers import facts, frame_lists, invoice_lists, statement_lists
from orders.papers.facts import OrderPaper

SCHEMES: Mapping[str, str] = {"two_receivers": "双人验收", "reduced": "简化方案"}
SCHEME_NOTES: Mapping[str, str] = {
    "two_receivers": "验收方案：两名验收人员共同验收，均非下单人、审批人、付款人。"
                     "实收按过秤重量或清点件数填写，作为结算依据。",
    "reduced": "验收方案：本单位人员较少，已声明采用简化方案——下单人可为两名验收人之一，但不得审批或付款。"
               "实收按过秤重量或清点件数填写，作为结算依据。"}
EVENTS: Mapping[str, str] = {
    "accepted": "验收", "returned": "退货", "allowance": "减价", "received": "付款到账", "refunded": "退款",
    "freight": "运费",
}
ORDER_PAPERS: Mapping[str, str] = {
    "contract": N_("Purchase contract"), "delivery-note": N_("Delivery note"),
    "acceptance-sheet": N_("Acceptance sheet"), "payment-request": N_("Payment request proof"),
}


@dataclass(frozen=True)
class Sums:
    """The sums at the foot of a payment request, in fen."""

    accepted_fen: int
    returned_fen: int
    freight_fen: int
    paid_fen: int
    open_fen: int


def possible(order: Any) -> list[str]:
    """Which papers an order has by now."""
    kinds = ["contract"] if order.state not in {"waiting", "cancelled"} else []
    if order.state in {"shipped", "accepted", "rejected"}:
        kinds.append("delivery-note")
    if order.state in {"accepted", "rejected"}:
        kinds.append("acceptance-sheet")
    if order.state == "accepted" and order.accepted_fen > order.returned_fen:
        kinds.append("payment-request")
    return kinds


def of_order(kind: str, order_id: int, by: Visitor) -> bytes:
    """A paper of an order. Raises NotFound for orders not one's own and for papers there are not (yet)."""
    paper = facts.order_paper(order_id, by)
    if kind not in possible(paper.order):
        raise NotFound()
    return PRINTERS[kind](paper)


def contract(paper: OrderPaper) -> bytes:
    """采购合同: the order as it was placed."""
    scheme = paper.acceptances[0].scheme if paper.acceptances else "two_receivers"
    return _pdf("contract.typ", paper=paper, window=_window(paper.order), scheme=scheme,
                total_fen=paper.order.placed_fen + paper.freight_fen)


def delivery_note(paper: OrderPaper) -> bytes:
    """送货单: what was packed, with what was taken once that is known."""
    shipment = paper.shipments[-1] if paper.shipments else None
    accepted = paper.acceptances[-1] if paper.acceptances else None
    return _pdf(
        "delivery_note.typ", paper=paper, number=f"S-{paper.order.number}", window=_window(paper.order),
        run=shipment.run_number if shipment else "", shipped_at=shipment.shipped_at if shipment else None,
        shipper=shipment.shipper if shipment else "", note=shipment.note if shipment else "",
        first=accepted.first if accepted else "", second=accepted.second if accepted else "",
        taken={line.id: _taken(line, paper.taken[line.id]) for line in paper.lines if line.id in paper.taken},
        amounts={line_id: sum(row.amount_fen for row in rows) for line_id, rows in paper.taken.items()},
        temperatures={line_id: _temperature(rows) for line_id, rows in paper.taken.items()})


def acceptance_sheet(paper: OrderPaper) -> bytes:
    """验收单: who received by which scheme, and what of each good."""
    last = paper.acceptances[-1]
    return _pdf(
        "acceptance_sheet.typ", paper=paper, window=_window(paper.order), accepted_at=last.accepted_at,
        scheme_words=SCHEMES[last.scheme], scheme_note=SCHEME_NOTES[last.scheme], first=last.first,
        second=last.second, photos=paper.photos, remark="；".join(row.note for row in paper.acceptances if row.note),
        rows=[_accepted_row(line, paper) for line in paper.lines])


def payment_request(paper: OrderPaper) -> bytes:
    """请款证明 for one order."""
    return payment_request_for([paper], f"Q-{paper.order.number}", "")


def payment_request_for(papers: Sequence[OrderPaper], number: str, statement_number: str) -> bytes:
    """请款证明 for several orders of one co-operative."""
    orders = [paper.order for paper in papers]
    sums = Sums(sum(one.accepted_fen for one in orders), sum(one.returned_fen for one in orders),
                sum(paper.freight_fen for paper in papers), sum(one.received_fen - one.refunded_fen for one in orders),
                sum(paper.open_fen for paper in papers))
    return _pdf("payment_request.typ", papers=papers, unit=papers[0].unit, supplier=papers[0].supplier, number=number,
                statement_number=statement_number, day=clock.today(), sums=sums)


def statement(statement_id: int, by: Visitor) -> bytes:
    """对账单 with its lines as they were frozen."""
    found = statement_lists.statement(statement_id, by)
    lines = statement_lists.lines(statement_id)
    sides = facts.parties([found.unit_id, found.supplier_id])
    invoiced = statement_lists.invoiced_fen(statement_id)
    sums = statement_lists.sums(lines)
    answer = {"issued": "待核对", "confirmed": "核对无误", "objected": f"有异议：{found.reason}"}[found.state]
    return _pdf("statement.typ", statement=found, lines=lines, unit=sides[found.unit_id], events=EVENTS,
                supplier=sides[found.supplier_id], sums=sums, invoiced_fen=invoiced, answer=answer,
                not_invoiced_fen=sums.accepted_fen + sums.freight_fen - sums.returned_fen - invoiced)


def statement_request(statement_id: int, by: Visitor) -> bytes:
    """请款证明 for the orders of a statement. Raises NotFound where nothing was accepted in its month."""
    found = statement_lists.statement(statement_id, by)
    order_ids = statement_lists.accepted_orders(statement_id)
    if not order_ids:
        raise NotFound()
    return payment_request_for(facts.order_papers(order_ids, by), f"Q-{found.number}", found.number)


def frame_contract(contract_id: int, by: Visitor) -> bytes:
    """框架合同 with its call-offs as an annex."""
    found = frame_lists.contract(contract_id, by)
    sides = facts.parties([found.unit_id, found.supplier_id])
    return _pdf("frame_contract.typ", contract=found, unit=sides[found.unit_id], supplier=sides[found.supplier_id],
                orders=frame_lists.call_offs(contract_id), states=words.ORDER_STATES)


def invoice_request(request_id: int, by: Visitor) -> bytes:
    """开票申请 with the title as it was."""
    found = invoice_lists.request(request_id, by)
    return _pdf("invoice_request.typ", asked=found, orders=invoice_lists.orders_of([request_id])[request_id],
                supplier=facts.parties([found.supplier_id])[found.supplier_id])


def purchase_sheet(purchase_id: int, by: Visitor) -> bytes:
    """采购单 of a unit. Raises NotFound for anybody else's."""
    purchase = lists.purchase(purchase_id, lists.unit_ids(by) if by.organisation_kind == "unit" else [])
    orders = lists.of_purchase(purchase_id)
    goods = facts.grouped(lists.lines([order.id for order in orders]), "order_id")
    with force_locale("zh"):
        fund = _(words.FUND_SOURCES[purchase.fund_source])
    approval = {"not_needed": "本金额无须审批", "waiting": "待审批", "declined": "未批准",
                "approved": f"已批准（{purchase.approver or ''}）"}[purchase.approval]
    return _pdf("purchase_sheet.typ", purchase=purchase, orders=orders, goods=goods, fund=fund, approval=approval,
                window=_window(purchase), freight_fen=purchase.freight_fen)


PRINTERS = {"contract": contract, "delivery-note": delivery_note, "acceptance-sheet": acceptance_sheet,
            "payment-request": payment_request}


# ---- words of the papers --------------------------------------------------------------------------------------------


def _pdf(template: str, **values: Any) -> bytes:
    with force_locale("zh"):
        return typeset.pdf(template, **values)


def _window(order: Any) -> str:
    with force_locale("zh"):
        return str(_(words.WINDOWS[order.delivery_window])).replace("–", "～")


def _accepted_row(line: Any, paper: OrderPaper) -> SimpleNamespace:
    """One good of the acceptance sheet; several partial acceptances are added up."""
    boxes, rows = paper.packed.get(line.id, []), paper.taken.get(line.id, [])
    with force_locale("zh"):
        reasons = "；".join(str(_(REASONS.get(row.reason, row.reason))) for row in rows if row.reason)
        outcome = "、".join(dict.fromkeys(str(_(words.OUTCOMES[row.outcome])) for row in rows))
    sent = sum(box.packed_milli for box in boxes)
    return SimpleNamespace(
        name=line.product_name, lots="、".join(dict.fromkeys(box.code for box in boxes)),
        ordered=_quantity(line, line.ordered_milli), sent=_quantity(line, sent), taken=_taken(line, rows),
        outcome=outcome, price_fen=min((row.price_fen for row in rows), default=line.price_fen),
        amount_fen=sum(row.amount_fen for row in rows), temperature=_temperature(rows), reason=reasons)


def _taken(line: Any, rows: Sequence[Any]) -> str:
    return _quantity(line, sum(row.accepted_milli for row in rows))


def _quantity(line: Any, milli: int) -> str:
    return f"{typeset.FILTERS['quantity'](milli)} {line.unit}"


def _temperature(rows: Sequence[Any]) -> str:
    """The last temperature noted, in whole and tenths of a degree; empty where none was taken."""
    known = [row.temperature_tenths for row in rows if row.temperature_tenths is not None]
    return f"{known[-1] / 10:.1f}" if known else ""
