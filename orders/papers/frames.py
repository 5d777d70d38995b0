"""框架合同: drafted by either side, signed when both scans are there; orders placed in its time are its call-offs."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, db, journal
from market.access import UNIT, Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Organisation
from orders import numbers
from orders.models import Order
from orders.papers.models import FrameCallOff, FrameContract
from orders.paying import terms

PRICE_RULE = N_("Weekly quotation of the co-operative, fixed in writing when ordering; not above the reference price "
                "that the county publishes for the day.")


@dataclass(frozen=True)
class Draft:
    """What the two sides agree on, apart from who they are."""

    partner_id: int
    year: int
    first_day: date
    last_day: date
    payment_days: int
    price_rule: str


class ContractHolds(Conflict):
    """One frame contract for each unit, co-operative and year."""

    code = "contract_holds"
    text = N_("There is a frame contract of these two for %(year)s already. End it first.")


def draft(said: Draft, by: Visitor) -> FrameContract:
    """Draft a contract with a partner of the other side. Raises NotFound, InvalidInput, ContractHolds."""
    if not said.first_day <= said.last_day or {said.first_day.year, said.last_day.year} != {said.year}:
        raise InvalidInput({"last_day": [N_("Both days lie in the contract's year, the first before the last.")]})
    other = "supplier" if by.organisation_kind == UNIT else "unit"
    if db.session().scalar(select(Organisation.id).where(
            Organisation.id == said.partner_id, Organisation.kind == other, Organisation.status == "active")) is None:
        raise InvalidInput({"partner_id": [N_("Please choose one of the list.")]})
    unit_id, supplier_id = ((by.organisation_id, said.partner_id) if other == "supplier"
                            else (said.partner_id, by.organisation_id))
    made = db.session().scalar(db.insert_new(FrameContract).values(
        number=numbers.new("F", clock.today()), unit_id=unit_id, supplier_id=supplier_id, year=said.year,
        first_day=said.first_day, last_day=said.last_day, payment_days=said.payment_days, price_rule=said.price_rule,
        state="drafted", drafted_by=by.id, drafted_at=clock.now(), end_reason="")
        .returning(db.table(FrameContract).c.id))
    if made is None:
        raise ContractHolds(year=said.year)
    row = db.session().get_one(FrameContract, made)
    journal.record("frame.drafted", "frame_contract", row.id, by, number=row.number)
    return row


def sign(contract_id: int, scan_id: int, by: Visitor) -> FrameContract:
    """File the scan with one's own seal; with the second one the contract holds. Raises NotFound, Conflict."""
    row = _own(contract_id, by)
    if row.state != "drafted":
        raise Conflict()
    if by.organisation_kind == UNIT:
        row.unit_scan_id = scan_id
    else:
        row.supplier_scan_id = scan_id
    if row.unit_scan_id and row.supplier_scan_id:
        row.state, row.signed_at = "signed", clock.now()
        db.session().flush()
        _call_off(Order.unit_id == row.unit_id, Order.supplier_id == row.supplier_id)
    db.session().flush()
    journal.record("frame.signed", "frame_contract", row.id, by, number=row.number, whole=row.state == "signed")
    return row


def end(contract_id: int, reason: str, by: Visitor) -> FrameContract:
    """End a contract, drafted or signed; orders placed under it stay its call-offs. Raises NotFound, Conflict."""
    row = _own(contract_id, by)
    if row.state == "ended":
        raise Conflict()
    row.state, row.ended_by, row.ended_at, row.end_reason = "ended", by.id, clock.now(), reason
    db.session().flush()
    journal.record("frame.ended", "frame_contract", row.id, by, number=row.number, reason=reason)
    return row


def call_off(purchase_id: int) -> None:
    """A purchase was placed: its orders under a signed contract become call-offs; harmless when told twice."""
    _call_off(Order.purchase_id == purchase_id)


def _call_off(*conditions: Any) -> None:
    rows = db.session().execute(
        select(Order.id.label("order_id"), FrameContract.id.label("contract_id"))
        .join(FrameContract, (FrameContract.unit_id == Order.unit_id)
              & (FrameContract.supplier_id == Order.supplier_id) & (FrameContract.state == "signed")
              & Order.business_date.between(FrameContract.first_day, FrameContract.last_day))
        .where(*conditions, Order.state != "cancelled").order_by(Order.id)).mappings().all()
    if rows:
        db.session().execute(db.insert_new(FrameCallOff), [dict(row) for row in rows])
        terms.follow_frame(Order.id.in_([row["order_id"] for row in rows]))


def _own(contract_id: int, by: Visitor) -> FrameContract:
    side = FrameContract.unit_id if by.organisation_kind == UNIT else FrameContract.supplier_id
    row = db.session().scalar(
        select(FrameContract).where(FrameContract.id == contract_id, side == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    return row
