"""What still waits in a month before it is closed: nothing of it stops the close, all of it is shown to both persons.

What comes after the close counts in the first open month; names of a notebook lot of a closed month no longer follow.
Other rooms hand in lines of their own (`sijin_month_items`, in wsgi.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import distinct, func, select

from catalog.models import Lot, LotContribution
from market import clock, db
from market.errors import N_
from market.filings import TRANSFERS
from orders.models import IncomeDeclaration


@dataclass(frozen=True)
class Item:
    """One line: how many things of a kind wait in the month, with their amount in fen where they have one."""

    key: str
    label: str
    count: int
    fen: int | None = None


MonthItems = Callable[[str], Sequence[Item]]  # month: its lines


def items(period: str) -> list[Item]:
    """Every line for a month; lines at 0 as well, so that one sees what was looked at."""
    rooms: Sequence[MonthItems] = current_app.extensions.get("sijin_month_items", ())
    return [_unsealed(period), _declarations(period), _lots(period), _notebooks(period),
            *(item for room in rooms for item in room(period))]


def _unsealed(period: str) -> Item:
    """Closing seals them first, so that they count in it."""
    found = db.session().scalar(select(func.count()).where(TRANSFERS.c.block_no.is_(None), *_days(
        TRANSFERS.c.business_date, period)))
    return Item("unsealed", N_("Entries not yet sealed: closing seals them first"), found or 0)


def _declarations(period: str) -> Item:
    row = db.session().execute(
        select(func.count().label("found"), db.sum_of(IncomeDeclaration.amount_fen).label("fen")).where(
            IncomeDeclaration.month == period, IncomeDeclaration.confirmed_at.is_(None),
            IncomeDeclaration.refused_at.is_(None), IncomeDeclaration.withdrawn_at.is_(None))).one()
    return Item("declarations", N_("Declared incomes of the month that no village has confirmed"), row.found, row.fen)


def _lots(period: str) -> Item:
    found = db.session().scalar(select(func.count()).select_from(Lot).where(
        Lot.confirmed_at.is_(None), Lot.expected_on.is_(None), *_days(Lot.harvested_on, period)))
    return Item("lots", N_("Lots of the month whose price nobody has confirmed"), found or 0)


def _notebooks(period: str) -> Item:
    found = db.session().scalar(
        select(func.count(distinct(LotContribution.lot_id))).join(Lot, Lot.id == LotContribution.lot_id)
        .where(LotContribution.unsplit, *_days(Lot.harvested_on, period)))
    return Item("notebooks", N_("Lots whose names have not followed from the notebook: after closing none can"),
                found or 0)


def _days(column: Any, period: str) -> tuple[Any, Any]:
    return column >= clock.first_day(period), column <= clock.last_day(period)
