"""How an admitted supplier stands: sells, is suspended, has left. Each change is a row with its day and reason.

A suspended supplier's goods leave the shelves at once (catalog/on_sale.py asks the status) and are back when it is
lifted, without anybody touching the goods. Orders already placed are finished whatever happens. Leaving is final.
A day still to come is kept and applied by the worker on that day.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from catalog import products
from catalog.entry.area import area_of
from catalog.entry.models import SupplierStanding
from catalog.models import Product
from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotAllowed, NotFound
from market.four_eyes import need_outsider
from market.parties import Organisation
from market.places import Division

OFFICES = ("agriculture", "revitalisation", "city", "platform")  # who may change how a supplier stands


class HasLeft(Conflict):
    """Leaving is final."""

    code = "supplier_left"
    text = N_("%(name)s has left for good. It would have to apply again.")


class StandsSo(Conflict):
    """Nothing would change."""

    code = "stands_so"
    text = N_("%(name)s already stands so.")


def supplier_in_area(supplier_id: int, by: Visitor, lock: bool = False) -> Organisation:
    """A supplier, admitted once, of the official's area. Raises NotFound for any other."""
    query = (select(Organisation).outerjoin(Division, Division.id == Organisation.division_id)
             .where(Organisation.id == supplier_id, Organisation.kind == "supplier", Organisation.status != "applying",
                    area_of(by)))
    if lock:
        query = query.with_for_update(of=Organisation).execution_options(populate_existing=True)
    found = db.session().scalar(query)
    if found is None:
        raise NotFound()
    return found


def change(supplier_id: int, values: Mapping[str, Any], by: Visitor) -> Organisation:
    """Suspend a supplier, lift that, or let it leave, from today or a later day on.

    Raises NotFound, NotAllowed, OwnCooperative, HasLeft, StandsSo, InvalidInput.
    """
    if by.office_kind not in OFFICES:
        raise NotAllowed()
    supplier = supplier_in_area(supplier_id, by, lock=True)
    need_outsider(supplier_id, by)
    if values["from_day"] < clock.today():
        raise InvalidInput({"from_day": [N_("From today on, or from a later day.")]})
    if supplier.status == "left":
        raise HasLeft(name=supplier.name)
    if values["status"] == _status_on(supplier, values["from_day"]):
        raise StandsSo(name=supplier.name)
    stand(supplier, values["status"], values["from_day"], values["reason"], by)
    return supplier


def _status_on(supplier: Organisation, day: date) -> str:
    """How a supplier will stand on a day, as far as is known today."""
    coming = db.session().scalar(
        select(SupplierStanding.status)
        .where(SupplierStanding.supplier_id == supplier.id, SupplierStanding.applied_at.is_(None),
               SupplierStanding.from_day <= day)
        .order_by(SupplierStanding.from_day.desc(), SupplierStanding.id.desc()).limit(1))
    return coming or supplier.status


def stand(supplier: Organisation, status: str, from_day: date, reason: str, by: Visitor | None) -> None:
    """Write the row; where its day has come, it holds at once."""
    row = SupplierStanding(supplier_id=supplier.id, status=status, from_day=from_day, reason=reason,
                           decided_by=by.id if by else None, decided_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record(f"supplier.{status}", "supplier", supplier.id, by, from_day=from_day, reason=reason)
    if from_day <= clock.today():
        _apply(row, supplier)


def is_any_due() -> bool:
    """Whether a day has come that does not hold yet."""
    return db.session().scalar(select(SupplierStanding.id).where(_due()).limit(1)) is not None


def _due() -> ColumnElement[bool]:
    return and_(SupplierStanding.applied_at.is_(None), SupplierStanding.from_day <= clock.today())


def apply_due() -> int:
    """Let everything hold whose day has come; returns how many rows. Harmless when run twice."""
    due = db.session().scalars(
        select(SupplierStanding).where(_due())
        .order_by(SupplierStanding.from_day, SupplierStanding.id).with_for_update(skip_locked=True)).all()
    for row in due:
        _apply(row, db.session().get_one(Organisation, row.supplier_id, with_for_update=True))
    return len(due)


def _apply(row: SupplierStanding, supplier: Organisation) -> None:
    row.applied_at = clock.now()
    if supplier.status != "left":
        supplier.status = row.status
        outbox.enqueue("supplier.stands", {"standing_id": row.id})
    db.session().flush()
    products.note_change(list(db.session().scalars(select(Product.id).where(Product.supplier_id == supplier.id))))


def history(supplier_id: int) -> Sequence[Any]:
    """Every row of a supplier, the newest first."""
    return db.session().execute(
        select(SupplierStanding).where(SupplierStanding.supplier_id == supplier_id)
        .order_by(SupplierStanding.id.desc())).scalars().all()
