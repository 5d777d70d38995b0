"""Everything that is known of some orders, read in a constant number of statements however many they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from catalog.lot_models import LotPayment
from catalog.models import Lot
from catalog.tracing import certificates
from market import db
from market.files import StoredFile
from market.households import CoopMember, Household
from market.parties import DeliveryPoint, Organisation
from market.places import Division
from market.sealing import TRANSFERS
from market.users import User
from orders.approving.models import ApprovalDecision, ApprovalStep
from orders.evidence.subjects import Subject
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePart,
    AcceptancePhoto,
    AfterSale,
    AfterSalePhoto,
    BankRow,
    CardPayment,
    ClaimPart,
    DeliveryRun,
    GoodsReturn,
    Order,
    OrderLine,
    PaidAtWeighIn,
    PaymentClaim,
    Payout,
    PayoutLine,
    Purchase,
    Refund,
    ReturnLine,
    Shipment,
    ShipmentLine,
)
from orders.papers.models import FrameCallOff, FrameContract, Invoice, InvoiceRequest, InvoiceRequestOrder

Rows = Sequence[Any]
Grouped = Mapping[int, Rows]


@dataclass(frozen=True)
class Facts:
    """Rows of some orders, grouped by order id unless said otherwise; names of users, places and files by id."""

    orders: Rows
    lines: Grouped
    steps: Grouped  # by purchase
    contracts: Grouped
    shipments: Grouped
    packed: Grouped
    acceptances: Grouped
    taken: Grouped
    photos: Grouped
    returns: Grouped
    cases: Grouped
    refunds: Grouped
    invoices: Grouped
    claims: Grouped
    cards: Grouped
    transfers: Grouped  # of the subject only, by order number's id
    slips: Grouped
    payouts: Mapping[tuple[int, int, int | None], Rows]  # by supplier, village, household
    users: Mapping[int, str]
    places: Mapping[int, str]
    files: Mapping[int, Any]

    def person(self, user_id: int | None) -> str:
        return self.users.get(user_id or 0, "")


def read(numbers: Collection[str], subject: Subject) -> Facts:
    """The facts of these orders, inside the caller's snapshot."""
    db.need_one_moment()
    orders = _rows(
        select(db.table(Order), Purchase.number.label("purchase_number"), Purchase.ordered_by, Purchase.approval,
               Purchase.by_contractor, DeliveryPoint.name.label("point"), Organisation.name.label("unit_name"))
        .join(Purchase, Purchase.id == Order.purchase_id).join(Organisation, Organisation.id == Order.unit_id)
        .join(DeliveryPoint, DeliveryPoint.id == Order.delivery_point_id)
        .where(Order.number.in_(numbers)).order_by(Order.number))
    ids = [row.id for row in orders]
    found: dict[str, Rows] = {name: _rows(query) for name, query in _queries(ids).items()}
    found["steps"] = _steps([row.purchase_id for row in orders])
    id_of = {row.number: row.id for row in orders}
    found["transfers"] = _rows(
        select(TRANSFERS).where(subject.transfers(), TRANSFERS.c.order_ref.in_(numbers)).order_by(TRANSFERS.c.id))
    payouts = _payouts(orders, found["transfers"])
    grouped = {name: group(rows, lambda row: row.order_id) for name, rows in found.items()
               if name not in ("steps", "transfers")}
    return Facts(
        orders, steps=group(found["steps"], lambda row: row.purchase_id),
        transfers=group(found["transfers"], lambda row: id_of[row.order_ref]),
        payouts=group(payouts, lambda row: (row.supplier_id, row.village_id, row.household_id)),
        users=_users([orders, *found.values(), payouts]), places=_places(found["packed"], found["transfers"]),
        files=_files([*found.values(), payouts]), **grouped)


def group(rows: Iterable[Any], key: Any) -> Mapping[Any, Rows]:
    """Rows by what `key` says of each; nothing where there are none."""
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def codes(household_ids: Collection[int]) -> dict[int, str]:
    """What a household is called where no name is told: its register code, or the number a co-operative knows it by."""
    found: dict[int, str] = {}
    for some in db.chunks(sorted(household_ids)):
        query = (
            select(Household.id, Household.register_code, func.min(CoopMember.member_no).label("member_no"))
            .outerjoin(CoopMember, CoopMember.household_id == Household.id)
            .where(Household.id.in_(some)).group_by(Household.id, Household.register_code))
        found.update((row.id, row.register_code or row.member_no or f"H{row.id}")
                     for row in db.session().execute(query))
    return found


def _queries(ids: Sequence[int]) -> dict[str, Select[Any]]:
    of_lines = OrderLine.order_id.in_(ids)
    return {
        "lines": select(db.table(OrderLine)).where(of_lines).order_by(OrderLine.id),
        "contracts": select(db.table(FrameContract), FrameCallOff.order_id)
        .join(FrameCallOff, FrameCallOff.contract_id == FrameContract.id).where(FrameCallOff.order_id.in_(ids)),
        "shipments": select(db.table(Shipment), DeliveryRun.number.label("run"))
        .join(DeliveryRun, DeliveryRun.id == Shipment.run_id).where(Shipment.order_id.in_(ids)).order_by(Shipment.id),
        "packed": select(Shipment.order_id, OrderLine.product_name, OrderLine.unit, ShipmentLine.packed_milli,
                         ShipmentLine.packed_grams, Lot.code, Lot.harvested_on, AcceptancePart.village_id,
                         AcceptancePart.grams, AcceptancePart.amount_fen, AcceptancePart.income_held,
                         ShipmentLine.id.label("box_id"),
                         certificates.number_that_holds(Lot.id).label("certificate"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Lot, Lot.id == ShipmentLine.lot_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .outerjoin(AcceptancePart, AcceptancePart.shipment_line_id == ShipmentLine.id)
        .where(Shipment.order_id.in_(ids)).order_by(ShipmentLine.id, AcceptancePart.id),
        "acceptances": select(db.table(Acceptance)).where(Acceptance.order_id.in_(ids)).order_by(Acceptance.id),
        "taken": select(db.table(AcceptanceLine), OrderLine.order_id, OrderLine.product_name, OrderLine.unit,
                        OrderLine.price_fen.label("ordered_price_fen"), OrderLine.ordered_milli)
        .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id).where(of_lines).order_by(AcceptanceLine.id),
        "photos": select(AcceptancePhoto.file_id, AcceptancePhoto.acceptance_line_id, OrderLine.order_id)
        .join(AcceptanceLine, AcceptanceLine.id == AcceptancePhoto.acceptance_line_id)
        .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id).where(of_lines).order_by(AcceptancePhoto.id),
        "returns": select(GoodsReturn.id, GoodsReturn.order_id, GoodsReturn.returned_by, GoodsReturn.agreed_by,
                          GoodsReturn.reason, GoodsReturn.business_date,
                          db.sum_of(ReturnLine.amount_fen).label("amount_fen"),
                          db.sum_of(ReturnLine.grams).label("grams"))
        .outerjoin(ReturnLine, ReturnLine.return_id == GoodsReturn.id).where(GoodsReturn.order_id.in_(ids))
        .group_by(GoodsReturn.id, GoodsReturn.order_id, GoodsReturn.returned_by, GoodsReturn.agreed_by,
                  GoodsReturn.reason, GoodsReturn.business_date).order_by(GoodsReturn.id),
        "cases": select(AfterSale.order_id, AfterSale.number, AfterSale.business_date, AfterSale.opened_by,
                        AfterSale.answered_by, AfterSalePhoto.file_id)
        .outerjoin(AfterSalePhoto, AfterSalePhoto.case_id == AfterSale.id)
        .where(AfterSale.order_id.in_(ids)).order_by(AfterSale.id, AfterSalePhoto.id),
        "refunds": select(db.table(Refund)).where(Refund.order_id.in_(ids), Refund.state == "done")
        .order_by(Refund.id),
        "invoices": select(InvoiceRequestOrder.order_id, InvoiceRequestOrder.amount_fen.label("of_order_fen"),
                           InvoiceRequest.number.label("request"), InvoiceRequest.asked_by, Invoice.number,
                           Invoice.issued_on, Invoice.state, Invoice.amount_fen, Invoice.file_id, Invoice.sent_by)
        .join(InvoiceRequest, InvoiceRequest.id == InvoiceRequestOrder.request_id)
        .outerjoin(Invoice, Invoice.request_id == InvoiceRequest.id)
        .where(InvoiceRequestOrder.order_id.in_(ids), InvoiceRequest.state != "cancelled")
        .order_by(InvoiceRequest.id, Invoice.id),
        "claims": select(ClaimPart.order_id, ClaimPart.amount_fen, PaymentClaim.number, PaymentClaim.paid_on,
                         PaymentClaim.payer_name, PaymentClaim.state, PaymentClaim.origin, PaymentClaim.claimed_by,
                         PaymentClaim.answered_by, PaymentClaim.voucher_id, BankRow.id.label("bank_row"))
        .join(PaymentClaim, PaymentClaim.id == ClaimPart.claim_id)
        .outerjoin(BankRow, BankRow.claim_id == PaymentClaim.id)
        .where(ClaimPart.order_id.in_(ids), PaymentClaim.state.in_(("claimed", "received")))
        .order_by(PaymentClaim.id),
        "cards": select(db.table(CardPayment)).where(CardPayment.order_id.in_(ids), CardPayment.state == "paid")
        .order_by(CardPayment.id),
        "slips": select(OrderLine.order_id, PaidAtWeighIn.household_id, AcceptancePart.village_id,
                        LotPayment.id, LotPayment.paid_on, LotPayment.way, LotPayment.marked_by, LotPayment.proof_id,
                        Lot.confirmed_by, Lot.code, db.sum_of(PaidAtWeighIn.amount_fen).label("amount_fen"))
        .join(AcceptancePart, AcceptancePart.id == PaidAtWeighIn.acceptance_part_id)
        .join(AcceptanceLine, AcceptanceLine.id == AcceptancePart.acceptance_line_id)
        .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)
        .join(LotPayment, LotPayment.id == PaidAtWeighIn.lot_payment_id).join(Lot, Lot.id == AcceptancePart.lot_id)
        .where(of_lines).group_by(
            OrderLine.order_id, PaidAtWeighIn.household_id, AcceptancePart.village_id, LotPayment.id,
            LotPayment.paid_on, LotPayment.way, LotPayment.marked_by, LotPayment.proof_id, Lot.confirmed_by, Lot.code)
        .order_by(OrderLine.order_id, LotPayment.id),
    }


def _steps(purchase_ids: Sequence[int]) -> Rows:
    return _rows(
        select(ApprovalStep.purchase_id, ApprovalStep.round_no, ApprovalStep.step_no, ApprovalStep.role,
               ApprovalDecision.decided_by, ApprovalDecision.decision, ApprovalDecision.at, ApprovalDecision.way,
               ApprovalDecision.signed_by, ApprovalDecision.file_id, ApprovalDecision.content_hash)
        .outerjoin(ApprovalDecision, ApprovalDecision.step_id == ApprovalStep.id)
        .where(ApprovalStep.purchase_id.in_(purchase_ids))
        .order_by(ApprovalStep.purchase_id, ApprovalStep.round_no, ApprovalStep.step_no))


def _payouts(orders: Rows, transfers: Rows) -> Rows:
    """What was handed on of farm-gate and collective income in the villages and by the co-operatives of these orders.

    From the first of these orders on: a payout pays many orders at once and names none.
    """
    villages = {row.village_id for row in transfers if row.event == "attributed"}
    if not villages:
        return []
    return _rows(
        select(Payout.number, Payout.supplier_id, Payout.village_id, Payout.income_kind, Payout.paid_on,
               Payout.proof_id, Payout.made_by, Payout.confirmed_by, PayoutLine.household_id, PayoutLine.amount_fen)
        .join(PayoutLine, PayoutLine.payout_id == Payout.id)
        .where(Payout.supplier_id.in_({row.supplier_id for row in orders}), Payout.village_id.in_(villages),
               Payout.income_kind.in_(("farm_gate", "collective")),
               Payout.paid_on >= min(row.business_date for row in transfers))
        .order_by(Payout.paid_on, Payout.id))


def _users(tables: Iterable[Rows]) -> dict[int, str]:
    names = ("ordered_by", "decided_by", "shipped_by", "first_receiver", "second_receiver", "returned_by", "agreed_by",
             "made_by", "confirmed_by", "claimed_by", "answered_by", "sent_by", "asked_by", "opened_by", "marked_by",
             "drafted_by", "started_by")
    ids = _ids(tables, names)
    return {row.id: row.name for row in db.session().execute(select(User.id, User.name).where(User.id.in_(ids)))}


def _files(tables: Iterable[Rows]) -> dict[int, Any]:
    ids = _ids(tables, ("file_id", "voucher_id", "proof_id", "unit_scan_id", "supplier_scan_id"))
    return {row.id: row for row in db.session().execute(select(db.table(StoredFile)).where(StoredFile.id.in_(ids)))}


def _places(*tables: Rows) -> dict[int, str]:
    ids = _ids(tables, ("village_id",))
    return {row.id: row.name for row in db.session().execute(
        select(Division.id, Division.name).where(Division.id.in_(ids)))}


def _ids(tables: Iterable[Rows], names: Iterable[str]) -> set[int]:
    """The ids in columns of these names; all rows of a table have the same ones."""
    found: set[int] = set()
    for rows in tables:
        for name in (set(names) & set(rows[0]._fields) if rows else ()):
            found.update(value for row in rows if (value := getattr(row, name)) is not None)
    return found


def _rows(query: Any) -> Rows:
    rows: Rows = db.session().execute(query).all()
    return rows
