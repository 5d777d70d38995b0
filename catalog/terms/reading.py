"""Which terms hold at a door: all suppliers at once, two statements, whatever their number."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, literal, select

from catalog.terms.models import DeliveryBreak, DeliveryTerms
from catalog.terms.reach import EVERYWHERE, Terms
from market import clock, db
from market.parties import DeliveryPoint, Organisation
from market.places import Division


@dataclass(frozen=True)
class Stated:
    """Terms at one door by supplier, None for who does not come; who is not in it has stated nothing."""

    by_supplier: Mapping[int, Terms | None]

    def of(self, supplier_id: int) -> Terms | None:
        """A supplier's terms; who has stated nothing comes everywhere."""
        return self.by_supplier.get(supplier_id, EVERYWHERE)


def at_point(point_id: int, supplier_ids: Collection[int] | None = None) -> Stated:
    """The terms of these suppliers (of all, if none are named) at a delivery point.

    A point without a place of its own lies where its unit does. Breaks that are over are left out.
    """
    named = supplier_ids is not None
    asked = {"point": point_id, **({"suppliers": sorted(set(supplier_ids or ()))} if named else {})}
    found: dict[int, Terms | None] = {}
    nearest: dict[int, int] = {}
    for row in db.session().execute(_terms(named), asked):
        found.setdefault(row.supplier_id, None)
        if row.steps is not None and row.steps < nearest.get(row.supplier_id, 99):
            found[row.supplier_id], nearest[row.supplier_id] = of_row(row), row.steps
    breaks: dict[int, list[tuple[date, date]]] = defaultdict(list)
    for row in db.session().execute(_breaks(named), {**asked, "today": clock.today()}):
        breaks[row.supplier_id].append((row.first_day, row.last_day))
    for supplier_id, days in breaks.items():
        terms = found.get(supplier_id, EVERYWHERE)
        found[supplier_id] = replace(terms, breaks=tuple(days)) if terms else None
    return Stated(found)


def of_row(row: Any) -> Terms:
    """The terms that a row states; its breaks are not among them."""
    return Terms(frozenset(map(int, row.weekdays.split(","))), frozenset(row.windows.split(",")), row.cut_off_hour,
                 row.cut_off_days, row.minimum_fen, row.freight_fen, row.free_from_fen, (), row.id, row.area)


@cache
def _terms(named: bool) -> Select[Any]:
    """Open terms with how many steps their area lies above the point; none where it does not hold it."""
    terms, area, division = db.table(DeliveryTerms), db.table(Division).alias("area"), db.table(Division)
    point, unit = db.table(DeliveryPoint).c, db.table(Organisation).c
    above = (
        select(func.coalesce(point.division_id, unit.division_id).label("id"), literal(0).label("steps"))
        .join_from(db.table(DeliveryPoint), db.table(Organisation), unit.id == point.unit_id)
        .where(point.id == bindparam("point")).cte("above", recursive=True))
    above = above.union_all(
        select(division.c.parent_id, above.c.steps + 1).join_from(above, division, division.c.id == above.c.id)
        .where(division.c.parent_id.is_not(None)))
    query = (
        select(terms, area.c.path.label("area"), above.c.steps).select_from(terms)
        .join(area, area.c.id == terms.c.area_id).outerjoin(above, above.c.id == terms.c.area_id)
        .where(terms.c.closed_at.is_(None)).order_by(terms.c.id))
    return query.where(terms.c.supplier_id.in_(bindparam("suppliers", expanding=True))) if named else query


@cache
def _breaks(named: bool) -> Select[Any]:
    row = db.table(DeliveryBreak).c
    query = (select(row.supplier_id, row.first_day, row.last_day)
             .where(row.ended_at.is_(None), row.last_day >= bindparam("today")).order_by(row.first_day, row.id))
    return query.where(row.supplier_id.in_(bindparam("suppliers", expanding=True))) if named else query
