"""Adding sealed transfers to the roll-ups: row by row as blocks are sealed, or all of them at once by SQL alone.

Both give exactly the same rows. A roll-up is never a truth: `fill` can always write it anew from the transfers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    and_,
    case,
    delete,
    false,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
)

from market import db
from market.db import Base
from market.facet_months import (
    ALL,
    COUNTY_TELLS,
    EVERYWHERE_ID,
    FACETS,
    NONE,
    UNIT_TELLS,
    CountyMonthFacet,
    SupplierMonth,
    UnitMonth,
    VillageMonthFacet,
    facets_of,
    told_only,
)
from market.ledger import LedgerTransfer
from market.places import Division
from market.village_months import FEEDS, FIGURES, VillageMonth, add_to, figures_of

TRANSFERS = db.table(LedgerTransfer)
DIVISIONS = db.table(Division)
VILLAGES, COUNTIES, UNITS = db.table(VillageMonthFacet), db.table(CountyMonthFacet), db.table(UnitMonth)
ROLLED_UP = (VillageMonth, VillageMonthFacet, CountyMonthFacet, UnitMonth, SupplierMonth)
Sums = dict[tuple[Any, ...], dict[str, int]]


# ---- block by block -------------------------------------------------------------------------------------------------


def add_up(rows: Sequence[Mapping[Any, Any]], periods: Mapping[int, str]) -> None:
    """Add rows to the months they count in, keys sorted, one statement for each table whatever their number."""
    villages: Sums = {}
    units: Sums = {}
    suppliers: Sums = {}
    for row in rows:
        figures = figures_of(row)
        if row["village_id"] is None or not figures:
            continue
        key = (periods[row["id"]], *facets_of(row))
        add_to(villages, (row["village_id"], *key), figures)
        if row["unit_id"] is not None:
            add_to(units, (row["unit_id"], *key), figures)
        if row["supplier_id"] is not None:
            add_to(suppliers, (row["supplier_id"], key[0]), figures)
    months: Sums = {}
    for key, figures in villages.items():
        add_to(months, key[:2], figures)
    _add(VillageMonth, months)
    _add(VillageMonthFacet, villages)
    _add(CountyMonthFacet, _told(_by_county(villages), COUNTY_TELLS))
    _add(UnitMonth, _told(units, UNIT_TELLS))
    _add(SupplierMonth, suppliers)


def _by_county(villages: Sums) -> Sums:
    counties: dict[int, int | None] = {}
    for some in db.chunks(sorted({key[0] for key in villages})):
        counties.update((row.id, row.county_id) for row in db.session().execute(
            select(DIVISIONS.c.id, DIVISIONS.c.county_id).where(DIVISIONS.c.id.in_(some))))
    sums: Sums = {}
    for (village, *key), figures in villages.items():
        for area in (counties[village], EVERYWHERE_ID):
            if area is not None:
                add_to(sums, (area, *key), figures)
    return sums


def _told(whole: Sums, tells: Iterable[str]) -> Sums:
    sums: Sums = {}
    for (area, period, *facets), figures in whole.items():
        for told in tells:
            add_to(sums, (told, area, period, *told_only(tuple(facets), told)), figures)
    return sums


def keys_of(entity: type[Base]) -> list[str]:
    """The key columns of a roll-up, in order."""
    return [column.name for column in db.table(entity).primary_key]


def _add(entity: type[Base], sums: Sums) -> None:
    if sums:
        names = keys_of(entity)
        db.session().execute(db.insert_or_add(entity, *FIGURES), [
            {**dict(zip(names, key, strict=True)), **sums[key]} for key in sorted(sums)])


# ---- all at once ----------------------------------------------------------------------------------------------------


def fill() -> None:
    """Write every roll-up anew from the sealed transfers, in the caller's transaction, in which nobody else seals."""
    for old in ROLLED_UP:
        db.session().execute(delete(db.table(old)))
    fillings: Sequence[tuple[type[Base], Any]] = (
        (VillageMonthFacet, village_facets()), (VillageMonth, village_months()),
        *((CountyMonthFacet, query) for query in county_facets()), *((UnitMonth, query) for query in all_units()),
        (SupplierMonth, supplier_months()))
    for entity, query in fillings:
        db.session().execute(insert(db.table(entity)).from_select([*keys_of(entity), *FIGURES], query))


def village_facets() -> Any:
    """What the sealed transfers give for VillageMonthFacet."""
    return _of_transfers((TRANSFERS.c.village_id,), TRANSFERS.c.village_id.is_not(None))


def unit_facets() -> Any:
    """What the sealed transfers give for the rows of UnitMonth that tell every facet."""
    return _of_transfers((literal(ALL).label("told"), TRANSFERS.c.unit_id),
                         TRANSFERS.c.village_id.is_not(None) & TRANSFERS.c.unit_id.is_not(None))


def all_units() -> Iterable[Any]:
    """What the sealed transfers give for UnitMonth, and what follows from that."""
    yield unit_facets()
    yield _retold(UNITS, NONE)


def supplier_months() -> Any:
    """What the sealed transfers give for SupplierMonth."""
    return _of_transfers((TRANSFERS.c.supplier_id,),
                         TRANSFERS.c.village_id.is_not(None) & TRANSFERS.c.supplier_id.is_not(None), facets=False)


def village_months() -> Any:
    """What VillageMonthFacet gives for VillageMonth."""
    return _summed(VILLAGES, VILLAGES.c.village_id, VILLAGES.c.period)


def county_facets() -> Iterable[Any]:
    """What VillageMonthFacet gives for CountyMonthFacet, first what tells every facet, then what follows from it."""
    facets = [VILLAGES.c[name] for name in ("period", *FACETS)]
    yield _summed(VILLAGES, literal(ALL).label("told"), DIVISIONS.c.county_id, *facets).join(
        DIVISIONS, DIVISIONS.c.id == VILLAGES.c.village_id).where(DIVISIONS.c.county_id.is_not(None))
    yield _summed(VILLAGES, literal(ALL).label("told"), literal(EVERYWHERE_ID).label("county_id"), *facets)
    yield from (_retold(COUNTIES, told) for told in FACETS)


def _retold(table: Any, told: str) -> Any:
    """The rows of a table that tell every facet, as those that tell less."""
    area = table.c.county_id if table is COUNTIES else table.c.unit_id
    facets = [table.c[name] if name == told else (false() if name == "certified" else literal("")).label(name)
              for name in FACETS]
    return _summed(table, literal(told).label("told"), area, table.c.period, *facets).where(table.c.told == ALL)


def _summed(table: Any, *keys: Any) -> Any:
    """Figures of a roll-up by some of its columns, and by constants."""
    return select(*keys, *(db.sum_of(table.c[name]).label(name) for name in FIGURES)).select_from(table).group_by(
        *(key for key in keys if isinstance(key, Column)))


def _of_transfers(first: Sequence[Any], condition: ColumnElement[bool], facets: bool = True) -> Any:
    told = {name: TRANSFERS.c.certified if name == "certified"
            else func.coalesce(TRANSFERS.c[name], literal_column("''")) for name in FACETS} if facets else {}
    keys = (*(column for column in first if column.name != "told"), TRANSFERS.c.period, *told.values())
    return select(*first, TRANSFERS.c.period, *(key.label(name) for name, key in told.items()),
                  *(_figure(name).label(name) for name in FIGURES)).where(
        TRANSFERS.c.block_no.is_not(None), condition, _feeds()).group_by(*keys)


def _feeds() -> ColumnElement[bool]:
    """Transfers that feed any figure at all."""
    return or_(*(_fed_by(event, kind) for event, kind in FEEDS))


def _fed_by(event: str, kind: str | None) -> ColumnElement[bool]:
    return and_(TRANSFERS.c.event == event, TRANSFERS.c.income_kind.is_(None) if kind is None
                else TRANSFERS.c.income_kind == kind)


def _figure(name: str) -> Any:
    """A figure as a sum over transfers."""
    parts = []
    for (event, kind), feeds in FEEDS.items():
        for column, measure, factor, certified_only in feeds:
            if column == name:
                amount = TRANSFERS.c[measure] * factor
                condition = _fed_by(event, kind)
                parts.append((condition & TRANSFERS.c.certified if certified_only else condition, case(
                    (TRANSFERS.c.backward, -amount), else_=amount)))
    return db.sum_of(case(*parts, else_=0))
