"""Writing the inspection book: by itself with each acceptance, by hand for goods bought elsewhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, func, select

from catalog.models import Lot
from catalog.papers.models import Paper
from catalog.tracing import certificates
from market import clock, db, journal, money
from market.access import Visitor
from market.errors import N_, InvalidInput, SecondPersonNeeded
from market.parties import Organisation
from market.places import Division
from orders.delivering.reasons import is_refusal
from orders.inspection.models import InspectionRecord
from orders.inspection.retention import keep_until
from orders.models import Acceptance, AcceptanceLine, AcceptancePart, Order, OrderLine, Shipment, ShipmentLine


@dataclass(frozen=True)
class Bought:
    """Goods that came from elsewhere, as the first inspector typed them; quantities in thousandths of the unit."""

    bought_on: date
    product_name: str
    unit: str
    quantity_milli: int
    supplier_name: str
    spec: str = ""
    lot_code: str = ""
    made_on: date | None = None
    best_before: date | None = None
    supplier_address: str = ""
    supplier_contact: str = ""
    certificates: str = ""
    reference: str = ""
    rejected_milli: int = 0
    reason: str = ""
    temperature_tenths: int | None = None
    farm_produce: bool = False


class TwoInspectors(SecondPersonNeeded):
    """Two people of the unit look at goods together."""

    code = "two_inspectors"
    text = N_("Two people of your unit must have looked at the goods together.")


def on_accepted(order: Order, acceptance: Acceptance, inspectors: tuple[Visitor, Visitor]) -> None:
    """A row for every lot of every good that came, taken or refused; a fixed number of statements per order."""
    rows = _came(order.id)
    supplier = _supplier(order.supplier_id)
    papers = _numbers([row.lot_id for row in rows])
    taken = _taken_milli(rows)
    now = clock.now()
    db.insert_rows(InspectionRecord, [
        _record(row, taken[row.shipment_line_id], papers.get(row.lot_id, []), acceptance.business_date) | {
            "unit_id": order.unit_id, "source": "here", "reference": order.number,
            "bought_on": acceptance.business_date,
            "supplier_id": order.supplier_id, "supplier_name": supplier.name, "supplier_address": supplier.path or "",
            "supplier_contact": supplier.phone, "voucher_id": None, "recorded_at": now, **_signed(inspectors)}
        for row in rows if taken[row.shipment_line_id] or _rejected(row, taken[row.shipment_line_id])])


def _came(order_id: int) -> Sequence[Any]:
    """The lots that were sent for each line, with what was said of the line."""
    grams = (select(db.sum_of(AcceptancePart.grams))
             .where(AcceptancePart.acceptance_line_id == AcceptanceLine.id,
                    AcceptancePart.shipment_line_id == ShipmentLine.id)
             .correlate(AcceptanceLine, ShipmentLine).scalar_subquery())
    return db.session().execute(
        select(ShipmentLine.id.label("shipment_line_id"), ShipmentLine.packed_milli, ShipmentLine.lot_id,
               Lot.code, Lot.kind, Lot.harvested_on, Lot.best_before, AcceptanceLine.id.label("acceptance_line_id"),
               AcceptanceLine.outcome, AcceptanceLine.accepted_milli, AcceptanceLine.reason,
               AcceptanceLine.temperature_tenths, OrderLine.product_name, OrderLine.unit, OrderLine.grams_per_unit,
               OrderLine.by_weight, grams.label("taken_grams"),
               certificates.number_that_holds(Lot.id).label("certificate"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Lot, Lot.id == ShipmentLine.lot_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .where(Shipment.order_id == order_id).order_by(ShipmentLine.id)).all()


def _supplier(supplier_id: int) -> Any:
    return db.session().execute(
        select(Organisation.name, Organisation.phone, Division.path)
        .outerjoin(Division, Division.id == Organisation.division_id).where(Organisation.id == supplier_id)).one()


def _numbers(lot_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """The numbers of papers of single lots that nobody refused: quarantine and the like."""
    numbers: dict[int, list[str]] = defaultdict(list)
    for row in db.session().execute(select(Paper.lot_id, Paper.number)
                                    .where(Paper.lot_id.in_(lot_ids), Paper.state != "refused", Paper.number != "")
                                    .order_by(Paper.id)):
        numbers[row.lot_id].append(row.number)
    return numbers


def _taken_milli(rows: Sequence[Any]) -> dict[int, int]:
    """What was taken of each lot in thousandths of the unit; the lots of a line add up to the line."""
    by_line: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_line[row.acceptance_line_id].append(row)
    taken: dict[int, int] = {}
    for lots in by_line.values():
        grams = [row.taken_grams or 0 for row in lots]
        parts = money.allocate(lots[0].accepted_milli, grams) if any(grams) else [0] * len(lots)
        taken |= {row.shipment_line_id: part for row, part in zip(lots, parts, strict=True)}
    return taken


def _rejected(row: Any, taken: int) -> int:
    return max(0, row.packed_milli - taken) if is_refusal(row.accepted_milli, row.reason) else 0


def _record(row: Any, taken: int, papers: Sequence[str], bought_on: date) -> dict[str, Any]:
    until, rule = keep_until(bought_on, row.best_before, farm_produce=row.kind == "harvest")
    weight = "" if row.by_weight else f"（{money.plain_decimal(row.grams_per_unit)} 公斤）"
    return {
        "acceptance_line_id": row.acceptance_line_id, "shipment_line_id": row.shipment_line_id,
        "product_name": row.product_name, "spec": row.unit + weight, "unit": row.unit, "quantity_milli": taken,
        "lot_code": row.code, "made_on": row.harvested_on, "best_before": row.best_before,
        "certificates": ", ".join([*([row.certificate] if row.certificate else []), *papers]),
        "result": row.outcome, "rejected_milli": _rejected(row, taken), "reason": row.reason,
        "temperature_tenths": row.temperature_tenths, "keep_until": until, "keep_rule": rule}


def _signed(inspectors: tuple[Visitor, Visitor]) -> dict[str, Any]:
    first, second = inspectors
    return {"first_inspector": first.id, "second_inspector": second.id, "first_name": first.name,
            "second_name": second.name}


def add(bought: Bought, voucher_id: int, inspectors: tuple[Visitor, Visitor]) -> int:
    """Goods bought elsewhere, so that one book serves the inspector; returns the row's id. Never a sale.

    Raises TwoInspectors and InvalidInput.
    """
    first, second = inspectors
    if first.id == second.id or first.organisation_id != second.organisation_id:
        raise TwoInspectors()
    check(bought)
    until, rule = keep_until(bought.bought_on, bought.best_before, farm_produce=bought.farm_produce)
    values = {name: value for name, value in vars(bought).items() if name != "farm_produce"}
    made: int = db.insert_returning_ids(InspectionRecord, [values | {
        "unit_id": first.organisation_id, "source": "elsewhere", "acceptance_line_id": None, "shipment_line_id": None,
        "supplier_id": None, "result": "accepted" if bought.quantity_milli else "rejected",
        "spec": bought.spec or bought.unit, "voucher_id": voucher_id, "keep_until": until, "keep_rule": rule,
        "recorded_at": clock.now(), **_signed(inspectors)}])[0]
    journal.record("inspection.recorded", "inspection", made, first, second=second.id, supplier=bought.supplier_name)
    return made


def check(bought: Bought) -> None:
    """Raise InvalidInput for what cannot be, at its field."""
    wrong: dict[str, list[Any]] = {}
    if bought.bought_on > clock.today():
        wrong["bought_on"] = [N_("This day has not come yet.")]
    if not bought.quantity_milli and not bought.rejected_milli:
        wrong["quantity_milli"] = [N_("Say how much was taken or refused.")]
    if bought.rejected_milli and not bought.reason:
        wrong["reason"] = [N_("Please say why it was refused.")]
    if bought.best_before and bought.made_on and bought.best_before < bought.made_on:
        wrong["best_before"] = [N_("The last day lies before the day it was made.")]
    if wrong:
        raise InvalidInput(wrong)


def purge(by: Visitor) -> int:
    """Delete the unit's rows whose days are over; returns how many. The database refuses any other row."""
    over = (InspectionRecord.unit_id == by.organisation_id, InspectionRecord.keep_until < clock.today())
    session = db.session()
    rows, last = session.execute(select(func.count(), func.max(InspectionRecord.keep_until)).where(*over)).one()
    if rows:
        session.execute(delete(InspectionRecord).where(*over).execution_options(synchronize_session=False))
        journal.record("inspection.purged", "organisation", by.organisation_id or 0, by, rows=rows, kept_until=last)
    return int(rows)
