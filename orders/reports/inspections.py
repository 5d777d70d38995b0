"""Report 13, purchase inspection record (进货查验): what came into the kitchens of an area, line by line.

The rows are those of the units' own books; contacts are masked.
"""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from market import db
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.parties import Organisation
from orders.inspection import book
from orders.inspection.models import InspectionRecord
from orders.quota import words
from orders.reports import listing
from orders.reports.frame import Asked, Column, Content, Report, Row
from orders.reports.listing import Found, Listing
from orders.reports.readers import Area, Reader, number_of

KEYS = ("date", "unit", "product", "spec", "quantity", "batch", "made_on", "best_before", "supplier", "address",
        "contact", "certificates", "first", "second", "result", "rejected", "reason", "keep_until")
COLUMNS = tuple(Column(key, heading, kind) for key, (heading, kind) in zip(KEYS, book.HEADINGS, strict=True))
RECORD = db.table(InspectionRecord).c


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """The first rows. Not for the public."""
    rows, more = _listing(asked, area, reader).first()
    return Content(COLUMNS, rows, Row({}), [
        *listing.more_words(len(rows), more),
        _("One row for each lot of each good, as the two inspectors of the unit signed it; goods bought elsewhere are "
          "among them. Quantities are in the unit they were bought in and are not added up."),
        _("Contacts are masked; the unit's own book holds them whole."),
    ])


def rows_of(asked: Asked, area: Area, reader: Reader) -> Iterator[Row]:
    """Every row in the same order. Not for the public."""
    return _listing(asked, area, reader).every()


def _listing(asked: Asked, area: Area, reader: Reader) -> Listing:
    if not reader.sees_all:
        raise NotFound()
    query = (
        select(db.table(InspectionRecord), Organisation.name.label("unit_name"))
        .join(Organisation, Organisation.id == RECORD.unit_id)
        .where(RECORD.bought_on.between(*listing.days(asked)), listing.lies_in(area.where, RECORD.unit_id),
               *listing.of_facets(asked.facets, {"unit_type": Organisation.unit_type})))
    unit_id = number_of(asked.unit)
    if unit_id is not None:
        query = query.where(RECORD.unit_id == unit_id)
    return Listing(query, (RECORD.bought_on, RECORD.id), _rows)


def _rows(found: Found) -> list[Row]:
    return [_row(line) for line in found]


def _row(line: Any) -> Row:
    values = dict(zip(KEYS, book.cells(line), strict=True))
    values["contact"] = masked(values["contact"])
    return Row({key: value or None for key, value in values.items()}, place=str(line.id),
               order=f"{values['date']} {line.id:012d}")


def masked(contact: str) -> str:
    """A contact for others: of every number only its ends.

    >>> masked("李师傅 13900001234"), masked("0746-1234567"), masked("")
    ('李师傅 139****1234', '074****4567', '')
    """
    return re.sub(r"\+?\d[\d -]{3,}\d", lambda found: words.masked(found[0]), contact)


REPORT = Report("purchase-inspections", N_("Purchase inspection records"),
                N_("What came into the kitchens: batch, days, supplier, papers, two inspectors, result."), read,
                verb="report.read", by_village=False, filters=("unit_type", "unit"), rows_of=rows_of, group="goods")
