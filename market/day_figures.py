"""Figures of single days, for first pages: what was dated today, and what a month had by the same day.

Whole months come from the roll-ups (market/figures.py), which know no days. Only here transfers are looked at, and only
those that can matter: today's lie in blocks sealed today or in none, those of a month are found by village and month.
Open db.snapshot() around every call.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, false, func, select

from market import clock, db
from market.figures import DIVISIONS, MONTHS, SUMMED_BY, Where
from market.ledger import LedgerBlock
from market.sealing import TRANSFERS, closed_months, open_month
from market.village_months import add_to, figures_of

BLOCKS = db.table(LedgerBlock)
# not the index that begins with the event: it leads to nearly all rows
ACCEPTED = TRANSFERS.c.event + "" == "accepted"
DATED = tuple(name for name in SUMMED_BY if name != "village_id")


def of_today(where: Where) -> dict[str, int]:
    """Every column of FIGURES, in fen or grams, of what is dated today; one statement."""
    today = clock.today()
    found: dict[date, dict[str, int]] = {}
    add_to(found, today, {})
    for row in _rows(where, (TRANSFERS.c.business_date == today) & _sealed_since(today)):
        add_to(found, today, figures_of(row))
    return found[today]


def by_the_same_day(days: Collection[date], where: Where) -> dict[date, dict[str, int]]:
    """For each day the figures that its month had by then, late rows in the month that took them; its cost follows the
    transfers of these months.
    """
    wanted: ColumnElement[bool] = false()
    months = sorted({clock.period_of(day) for day in days})
    for day in days:
        wanted |= (TRANSFERS.c.period == clock.period_of(day)) & (TRANSFERS.c.business_date <= day)
    traded = TRANSFERS.c.period.in_(months) & TRANSFERS.c.village_id.in_(
        select(MONTHS.c.village_id).where(MONTHS.c.period.in_(months)))
    found: dict[date, dict[str, int]] = {}
    for day in days:
        add_to(found, day, {})
    sealed, fresh = _rows(where, wanted & traded), _rows(where, TRANSFERS.c.block_no.is_(None))
    closed = closed_months() if fresh else ()
    for row in (*sealed, *fresh):
        month = row["period"] or open_month(clock.period_of(row["business_date"]), closed)
        for day in days:
            if month == clock.period_of(day) and row["business_date"] <= day:
                add_to(found, day, figures_of(row))
    return found


def last_months(places: str, where: Where) -> dict[int, str]:
    """By county or township id (`places` names the column) the last month in which goods were accepted there."""
    db.need_one_moment()
    place = DIVISIONS.c[places].label("place")
    sealed = (select(place, func.max(MONTHS.c.period).label("period"))
              .select_from(MONTHS.join(DIVISIONS, DIVISIONS.c.id == MONTHS.c.village_id))
              .where(MONTHS.c.accepted_fen > 0, where.holds(MONTHS.c.village_id)).group_by(place))
    fresh = (select(place, func.max(TRANSFERS.c.business_date).label("day"))
             .select_from(TRANSFERS.join(DIVISIONS, DIVISIONS.c.id == TRANSFERS.c.village_id))
             .where(ACCEPTED, TRANSFERS.c.block_no.is_(None),
                    where.holds(TRANSFERS.c.village_id)).group_by(place))
    found: dict[int, str] = {row.place: row.period for row in db.session().execute(sealed)}
    for row in db.session().execute(fresh):
        found[row.place] = max(found.get(row.place, ""), clock.period_of(row.day))
    return found


def accepted_since(day: date, places: str, where: Where) -> set[int]:
    """Counties or townships (`places` names the column) with goods accepted on a day or later; one statement."""
    query = (select(DIVISIONS.c[places]).distinct()
             .select_from(TRANSFERS.join(DIVISIONS, DIVISIONS.c.id == TRANSFERS.c.village_id))
             .where(ACCEPTED, TRANSFERS.c.business_date >= day, _sealed_since(day),
                    where.holds(TRANSFERS.c.village_id)))
    return set(db.session().scalars(query))


def _sealed_since(day: date) -> ColumnElement[bool]:
    """The condition on transfers that were not yet sealed when a day began: all that can be dated later are among them.
    """
    before = (select(BLOCKS.c.number).where(BLOCKS.c.sealed_at < clock.shanghai(day))
              .order_by(BLOCKS.c.number.desc()).limit(1).scalar_subquery())
    return TRANSFERS.c.block_no.is_(None) | (TRANSFERS.c.block_no > func.coalesce(before, 0))


def _rows(where: Where, condition: ColumnElement[bool]) -> list[Mapping[Any, Any]]:
    db.need_one_moment()
    keys = [TRANSFERS.c[name] for name in (*DATED, "period")]
    query = (select(*keys, *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
             .where(TRANSFERS.c.village_id.is_not(None), where.holds(TRANSFERS.c.village_id), condition)
             .group_by(*keys))
    return list(db.session().execute(query).mappings())
