"""The two gates: what is sold of a season's goods, and what a village brings to it, never exceed what was approved.

Each gate is one conditional UPDATE for a whole list, rows locked in id order, in the transaction of the act; the
CHECK constraints of catalog/capacity/models.py stand behind it. Where nothing is approved it counts and lets pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, TextClause, case, select, text

from catalog.capacity.models import SeasonCapacity, VillageCapacity
from catalog.models import Product
from market import db, money
from market.errors import N_, Conflict
from market.places import Division


class AboveCapacity(Conflict):
    """More is ordered for a season than the county approved for it; nothing of the order has been placed."""

    code = "above_capacity"
    text = N_("%(name)s: %(left)s kg can still be ordered in the season %(season)s; no more has been approved.")


class AboveVillageCapacity(Conflict):
    """A village brings more than the county approved for it; nothing has been booked."""

    code = "above_village_capacity"
    text = N_("%(village)s: %(left)s kg of %(name)s are left of what the county approved for the season %(season)s. "
              "Ask for a raise first.")


@dataclass(frozen=True)
class Change:
    """What becomes more or less (negative grams) of a product's season, found by its delivery day."""

    product_id: int
    day: date
    grams: int


# ---- sale -----------------------------------------------------------------------------------------------------------


def sell(grams_by_season: Mapping[int, int]) -> None:
    """Count ordered grams in their seasons; raises AboveCapacity, then nothing may stand."""
    if not grams_by_season:
        return
    result = db.session().execute(_conditional(db.dialect(), "season_capacity", "sold_grams", len(grams_by_season)),
                                  _listed(grams_by_season))
    if result.rowcount != len(grams_by_season):  # type: ignore[attr-defined]
        raise _above_capacity(grams_by_season)


def give_back(changes: Sequence[Change]) -> None:
    """Take grams of cancelled, short or refused goods off their seasons; days without a season are left alone."""
    season = db.table(SeasonCapacity)
    changes = [change for change in changes if change.grams]
    if not changes:
        return
    found = db.session().execute(
        select(season.c.id, season.c.product_id, season.c.first_day, season.c.last_day)
        .where(season.c.product_id.in_({change.product_id for change in changes}),
               season.c.first_day <= max(change.day for change in changes),
               season.c.last_day >= min(change.day for change in changes))
        .order_by(season.c.id).with_for_update()).all()
    for row in found:
        back = sum(change.grams for change in changes
                   if change.product_id == row.product_id and row.first_day <= change.day <= row.last_day)
        if back:
            db.session().execute(season.update().where(season.c.id == row.id).values(sold_grams=_less(back)))


def _less(back: int) -> ColumnElement[int]:
    """An order placed in the moment a season was opened may not be in its counter: until something is approved, when
    the counter is taken afresh, it stops at nothing."""
    season = db.table(SeasonCapacity)
    unbounded = (season.c.approved_grams == 0) & (season.c.sold_grams < back)
    return case((unbounded, 0), else_=season.c.sold_grams - back)


def _above_capacity(wanted: Mapping[int, int]) -> AboveCapacity:
    """The first season that lacks something. What this statement has counted itself is not yet taken back."""
    season, product = db.table(SeasonCapacity), db.table(Product)
    rows = db.session().execute(
        select(season.c.id, season.c.name, season.c.approved_grams, season.c.sold_grams,
               product.c.name.label("product"))
        .join(product, product.c.id == season.c.product_id).where(season.c.id.in_(wanted)).order_by(season.c.id))
    row = next(row for row in rows if row.approved_grams and row.sold_grams + wanted[row.id] > row.approved_grams)
    return AboveCapacity(name=row.product, season=row.name, left=left(row.approved_grams, row.sold_grams))


# ---- booking --------------------------------------------------------------------------------------------------------


def bring(product_id: int, harvested_on: date, grams_by_village: Mapping[int, int]) -> None:
    """Count a harvest at its villages, where its day lies in a season; raises AboveVillageCapacity."""
    season = db.table(SeasonCapacity)
    season_id = db.session().scalar(select(season.c.id).where(
        season.c.product_id == product_id, season.c.first_day <= harvested_on, season.c.last_day >= harvested_on))
    if season_id is None or not grams_by_village:
        return
    rows = _village_rows(season_id, sorted(grams_by_village))
    wanted = {rows[village]: grams for village, grams in grams_by_village.items()}
    result = db.session().execute(_conditional(db.dialect(), "village_capacity", "booked_grams", len(wanted)),
                                  _listed(wanted))
    if result.rowcount != len(wanted):  # type: ignore[attr-defined]
        raise _above_village_capacity(wanted)


def _village_rows(season_id: int, villages: Sequence[int]) -> dict[int, int]:
    """Ids by village; a village that nobody has declared gets a row, on which the county sees it."""
    table = db.table(VillageCapacity)
    query = select(table.c.village_id, table.c.id).where(
        table.c.season_id == season_id, table.c.village_id.in_(villages))
    rows = {row.village_id: row.id for row in db.session().execute(query)}
    if len(rows) < len(villages):
        db.session().execute(db.insert_new(VillageCapacity), [
            {"season_id": season_id, "village_id": village, "approved_grams": 0, "ceiling_grams": 0, "booked_grams": 0}
            for village in villages if village not in rows])
        rows = {row.village_id: row.id for row in db.session().execute(query)}
    return rows


def _above_village_capacity(wanted: Mapping[int, int]) -> AboveVillageCapacity:
    table, season, product, village = (db.table(e) for e in (VillageCapacity, SeasonCapacity, Product, Division))
    rows = db.session().execute(
        select(table.c.id, table.c.approved_grams, table.c.booked_grams, season.c.name,
               product.c.name.label("product"), village.c.name.label("village"))
        .join_from(table, season, season.c.id == table.c.season_id).join(product, product.c.id == season.c.product_id)
        .join(village, village.c.id == table.c.village_id).where(table.c.id.in_(wanted)).order_by(table.c.id))
    row = next(row for row in rows if row.approved_grams and row.booked_grams + wanted[row.id] > row.approved_grams)
    return AboveVillageCapacity(village=row.village, name=row.product, season=row.name,
                                left=left(row.approved_grams, row.booked_grams))


# ---- both -----------------------------------------------------------------------------------------------------------


def left(approved: int, used: int) -> str:
    """What is left of an approved figure, as kilograms in words."""
    return money.plain_decimal(max(0, approved - used))


def _listed(grams_by_row: Mapping[int, int]) -> dict[str, Any]:
    parameters: dict[str, int] = {}
    for number, (row_id, grams) in enumerate(sorted(grams_by_row.items())):
        parameters[f"i{number}"], parameters[f"q{number}"] = row_id, grams
    return parameters


@cache
def _conditional(dialect: str, table: str, column: str, count: int) -> TextClause:
    """UPDATE the counters of `count` rows where it is enough, as one statement. Names come from this file only."""
    rows = ", ".join(f"(CAST(:i{n} AS BIGINT), CAST(:q{n} AS BIGINT))" for n in range(count))
    locked = f"JOIN {table} ON {table}.id = listed.id ORDER BY listed.id FOR UPDATE OF {table}"
    in_order = locked if dialect == "postgresql" else ""  # SQLite has one writer at a time
    return text(
        f"UPDATE {table} SET {column} = {table}.{column} + wanted.q "  # noqa: S608 - no outside text
        f"FROM (WITH listed (id, q) AS (VALUES {rows}) SELECT listed.id, listed.q FROM listed {in_order}) AS wanted "
        f"WHERE {table}.id = wanted.id "
        f"AND ({table}.approved_grams = 0 OR {table}.{column} + wanted.q <= {table}.approved_grams)"
    )
