"""Reading the inspection book: filters, pages, the whole of a selection for files and paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select

from market import clock, db, paging, sheets
from market.access import Visitor
from market.errors import N_, NotFound
from market.files import StoredFile
from market.i18n import gettext as _
from market.parties import Organisation
from market.words import OUTCOMES
from orders.delivering.reasons import REASONS
from orders.inspection.models import InspectionRecord
from orders.inspection.retention import RULES

MOST_ROWS = 20_000  # of one file
DAYS_SHOWN = 31  # where no period is asked for
SOURCES: Mapping[str, str] = {"here": N_("Ordered here"), "elsewhere": N_("Bought elsewhere")}
# report 13: heading, kind of cell
HEADINGS = (
    (N_("Date"), "code"), (N_("Unit"), "text"), (N_("Product"), "text"), (N_("Specification"), "text"),
    (N_("Quantity"), "text"), (N_("Batch"), "code"), (N_("Production date"), "code"), (N_("Shelf life"), "code"),
    (N_("Supplier"), "text"), (N_("Address"), "text"), (N_("Contact"), "code"), (N_("Certificate numbers"), "code"),
    (N_("Inspector 1"), "text"), (N_("Inspector 2"), "text"), (N_("Result"), "text"),
    (N_("Rejected quantity"), "text"), (N_("Reason"), "text"), (N_("Keep until"), "code"),
)


@dataclass(frozen=True)
class Wanted:
    """Which rows: days both included, a part of the product's and of the supplier's name, a key of SOURCES or ''."""

    first: date
    last: date
    product: str = ""
    supplier: str = ""
    source: str = ""


def usual() -> tuple[date, date]:
    """The days shown where none are asked for: the last month."""
    today = clock.today()
    return clock.days_after(today, -DAYS_SHOWN), today


def rows(by: Visitor, wanted: Wanted, page: int) -> paging.Page:
    """A page of the unit's book, the newest first; two statements."""
    conditions = _conditions(by, wanted)
    total = db.session().scalar(select(func.count()).select_from(InspectionRecord).where(*conditions)) or 0
    record = db.table(InspectionRecord).c
    return paging.read(_columns().where(*conditions).order_by(record.bought_on.desc(), record.id.desc()), total, page)


def every(by: Visitor, wanted: Wanted) -> Sequence[Any]:
    """The whole selection as one writes it down: the oldest first, at most MOST_ROWS."""
    record = db.table(InspectionRecord).c
    return db.session().execute(_columns().where(*_conditions(by, wanted))
                                .order_by(record.bought_on, record.id).limit(MOST_ROWS)).all()


def _columns() -> Any:
    return (select(db.table(InspectionRecord), Organisation.name.label("unit_name"))
            .join(Organisation, Organisation.id == InspectionRecord.unit_id))


def _conditions(by: Visitor, wanted: Wanted) -> list[ColumnElement[bool]]:
    record = InspectionRecord
    conditions: list[ColumnElement[bool]] = [record.unit_id == by.organisation_id,
                                             record.bought_on.between(wanted.first, wanted.last)]
    if wanted.product:
        conditions.append(record.product_name.icontains(wanted.product, autoescape=True))
    if wanted.supplier:
        conditions.append(record.supplier_name.icontains(wanted.supplier, autoescape=True))
    if wanted.source:
        conditions.append(record.source == wanted.source)
    return conditions


def over(by: Visitor) -> int:
    """How many rows of the unit may be deleted by now."""
    return db.session().scalar(select(func.count()).select_from(InspectionRecord).where(
        InspectionRecord.unit_id == by.organisation_id, InspectionRecord.keep_until < clock.today())) or 0


def voucher(record_id: int, by: Visitor) -> StoredFile:
    """The voucher of goods bought elsewhere, for the unit itself. Raises NotFound."""
    found = db.session().scalar(
        select(StoredFile).join(InspectionRecord, InspectionRecord.voucher_id == StoredFile.id)
        .where(InspectionRecord.id == record_id, InspectionRecord.unit_id == by.organisation_id))
    if found is None:
        raise NotFound()
    return found


def as_table(found: Sequence[Any], wanted: Wanted) -> sheets.Table:
    """Report 13 for the inspector."""
    return sheets.Table([sheets.Heading(_(text), kind) for text, kind in HEADINGS], [cells(row) for row in found],
                        below=[_("Kept at least %(rule)s", rule=f"{_(rule.text)} ({rule.document})")
                               for rule in RULES.values()])


def cells(row: Any) -> list[str]:
    """One row in the columns of report 13."""
    return [row.bought_on.isoformat(), row.unit_name, row.product_name, row.spec, amount(row.quantity_milli, row.unit),
            row.lot_code, _iso(row.made_on), _iso(row.best_before), row.supplier_name, row.supplier_address,
            row.supplier_contact, row.certificates, row.first_name, row.second_name, _(OUTCOMES[row.result]),
            amount(row.rejected_milli, row.unit) if row.rejected_milli else "", reason_of(row),
            row.keep_until.isoformat()]


def amount(milli: int, unit: str) -> str:
    """A quantity with its unit, bare of thousands marks."""
    return f"{sheets.plain('grams', milli)} {unit}"


def reason_of(row: Any) -> str:
    """Why something was refused, in the reader's language where it is a word of the list."""
    return str(_(REASONS[row.reason])) if row.reason in REASONS else str(row.reason)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
