"""Sums of transfers about goods by whatever a report asks for: counted as the village report counts them."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, select

from market import clock, db
from market.errors import N_, InvalidInput
from market.sealing import TRANSFERS, closed_months, open_month
from market.village_months import add_to, figures_of
from orders.models import OrderLine
from orders.reports.frame import Asked

MOST_MONTHS = 12  # such sums follow the number of transfers, not of villages
LINE_ID = cast(TRANSFERS.c.line_ref, BigInteger)
WHAT = tuple(TRANSFERS.c[name] for name in ("period", "event", "backward", "income_kind", "certified"))
# of rows not sealed yet: their month is decided by the sealer's rule, from the day
UNSEALED_DAY = case((TRANSFERS.c.period.is_(None), TRANSFERS.c.business_date))


def check_months(asked: Asked) -> None:
    """At most a year at a time. Raises InvalidInput."""
    if len(clock.months_between(asked.first, asked.last)) > MOST_MONTHS:
        raise InvalidInput({"to": [N_("At most twelve months at a time.")]})


def sums(asked: Asked, keys: Mapping[str, Any], events: Collection[str],
         condition: ColumnElement[bool]) -> dict[tuple[Any, ...], dict[str, int]]:
    """By the values of some columns the FIGURES (fen, grams) of goods in the months asked for; one statement and the
    list of closed months. Columns of the order line may stand among the keys. Open db.snapshot() around it.
    """
    db.need_one_moment()
    query = _query(keys).where(
        TRANSFERS.c.event.in_(sorted(events)), TRANSFERS.c.village_id.is_not(None), condition,
        TRANSFERS.c.block_no.is_(None) | TRANSFERS.c.period.between(asked.first, asked.last))
    closed = closed_months()
    found: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in db.session().execute(query).mappings():
        month = row["period"] or open_month(clock.period_of(row["unsealed_day"]), closed)
        if asked.first <= month <= asked.last and (figures := figures_of(row)):
            add_to(found, tuple(row[name] for name in keys), figures)
    return found


def _query(keys: Mapping[str, Any]) -> Select[Any]:
    columns = [column.label(name) for name, column in keys.items()]
    return (
        select(*columns, *WHAT, UNSEALED_DAY.label("unsealed_day"),
               *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
        .select_from(TRANSFERS).outerjoin(OrderLine, OrderLine.id == LINE_ID)
        .group_by(*keys.values(), *WHAT, UNSEALED_DAY))


def net_fen(figures: Mapping[str, int]) -> int:
    """Accepted less sent back, in fen."""
    return figures["accepted_fen"] - figures["returned_fen"]


def net_grams(figures: Mapping[str, int]) -> int:
    """Accepted less sent back, in grams."""
    return figures["accepted_grams"] - figures["returned_grams"]
