"""Reports that list single documents: read in the order of a key, whatever their number; totals come from SQL."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, or_, select, true

from market import clock, db
from market.figures import EVERYWHERE, Facets, Where
from market.i18n import gettext as _
from market.parties import Organisation
from orders.models import Order
from orders.overdue.lists import unit_lies_in
from orders.reports import frame
from orders.reports.frame import Asked

MOST = 5_000  # rows of a page; exports get all of them
BATCH = 1_000  # rows fetched and described together
Found = Sequence[Row[*tuple[Any, ...]]]


@dataclass(frozen=True)
class Listing:
    """Documents in the order of a key, whose columns together are unique; `rows_of` describes a batch of them at once.
    """

    query: Select[Any]
    key: Sequence[Any]
    rows_of: Callable[[Found], list[frame.Row]]

    def every(self) -> Iterator[frame.Row]:
        """All of them, one after another, in memory that does not grow. Keep the snapshot open until the last."""
        found = db.session().execute(self._sorted(), execution_options={"yield_per": BATCH})
        with found:
            for some in found.partitions():
                yield from self.rows_of(some)

    def first(self) -> tuple[list[frame.Row], bool]:
        """The first of them, and whether there are more."""
        found = db.session().execute(self._sorted().limit(MOST + 1)).all()
        return self.rows_of(found[:MOST]), len(found) > MOST

    def _sorted(self) -> Select[Any]:
        return self.query.order_by(*self.key)


def more_words(shown: int, more: bool) -> list[str]:
    """Said where a page holds only the first rows."""
    return [_("Shown are the first %(count)s rows; the totals are those of all rows. Export the report to get all "
              "of them.", count=shown)] if more else []


def days(asked: Asked) -> tuple[date, date]:
    """The first and the last day of the months asked for."""
    return clock.first_day(asked.first), clock.last_day(asked.last)


def lies_in(where: Where, organisation_id: Any) -> ColumnElement[bool]:
    """That an organisation is at home in an area; whoever sees all sees those without a place as well."""
    if where == EVERYWHERE:
        return true()
    condition: ColumnElement[bool] = organisation_id.in_(select(Organisation.id).where(unit_lies_in(where)))
    return condition


def of_area(where: Where) -> ColumnElement[bool]:
    """Orders whose unit or co-operative is at home in an area: an order between two counties is in both."""
    return true() if where == EVERYWHERE else or_(lies_in(where, Order.unit_id), lies_in(where, Order.supplier_id))


def of_facets(facets: Facets, columns: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """What facets ask for of the columns that a list has; others say nothing about it."""
    return [column == wanted for name, column in columns.items() if (wanted := getattr(facets, name)) is not None]
