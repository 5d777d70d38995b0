"""Trade volume: what members' households brought to confirmed harvests of a period, in grams and at farm-gate prices.

The value of a member's part of a lot is its farm-gate price times the weight, rounded for each lot; the period is that
of the harvest day. It says what was brought, not what canteens later accepted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from catalog.models import Lot, LotContribution
from catalog.on_sale import harvested
from market import db, money


@dataclass(frozen=True)
class Volume:
    """Grams, and fen at farm-gate prices."""

    grams: int = 0
    amount_fen: int = 0


def volumes(supplier_id: int | None, first: date, last: date,
            households: Collection[int] | None = None) -> dict[int, Volume]:
    """By household (all, or some), in one statement; who brought nothing is not there."""
    given, lot = db.table(LotContribution), db.table(Lot)
    query = (
        select(given.c.household_id, lot.c.id, lot.c.farm_gate_fen_per_kg, db.sum_of(given.c.grams).label("grams"))
        .join_from(given, lot, lot.c.id == given.c.lot_id)
        .where(lot.c.supplier_id == supplier_id, lot.c.kind == "harvest", harvested(), lot.c.confirmed_at.is_not(None),
               lot.c.harvested_on.between(first, last), given.c.household_id.is_not(None))
        .group_by(given.c.household_id, lot.c.id, lot.c.farm_gate_fen_per_kg)
    )
    if households is not None:
        query = query.where(given.c.household_id.in_(households))
    found: dict[int, Volume] = {}
    for row in db.session().execute(query):
        before = found.get(row.household_id, Volume())
        found[row.household_id] = Volume(
            before.grams + row.grams, before.amount_fen + money.line_total(row.farm_gate_fen_per_kg, row.grams))
    return found


def unnamed_grams(supplier_id: int | None, first: date, last: date) -> int:
    """What households brought in a period whose names still stand on a notebook's photo only."""
    given, lot = db.table(LotContribution), db.table(Lot)
    return db.session().scalar(
        select(db.sum_of(given.c.grams)).join_from(given, lot, lot.c.id == given.c.lot_id)
        .where(lot.c.supplier_id == supplier_id, lot.c.kind == "harvest", harvested(), given.c.unsplit,
               lot.c.harvested_on.between(first, last))) or 0
