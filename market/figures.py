"""Figures of villages for reports: the roll-up and the few transfers not sealed yet, read at one moment.

The cost follows the number of villages, not of orders. Open `db.snapshot()` around every call: between two moments a
block moves from the unsealed rows into the roll-up, and figures would be lost or doubled.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, true

from market import clock, db, ledger_frame
from market.facet_months import ALL as EVERY_FACET
from market.facet_months import (
    EVERYWHERE_ID,
    FACETS,
    AreaCount,
    CountyMonthFacet,
    SupplierMonth,
    UnitMonth,
    VillageMonthFacet,
)
from market.facet_months import NONE as NO_FACET
from market.ledger import CANONICAL
from market.places import Division
from market.sealing import TRANSFERS, UNSEALED, closed_months, open_month
from market.village_months import FIGURES, PRESENCE_KINDS, VillageMonth, VillagePresence, add_to, figures_of

MONTHS = db.table(VillageMonth)
PRESENCE = db.table(VillagePresence)
VILLAGES, COUNTIES, UNITS = db.table(VillageMonthFacet), db.table(CountyMonthFacet), db.table(UnitMonth)
SUPPLIERS = db.table(SupplierMonth)
COUNTS, DIVISIONS = db.table(AreaCount), db.table(Division)
PLACES = ("village_id", "township_id", "county_id")
SUMMED_BY = ("village_id", "business_date", "event", "backward", "income_kind", "certified")


@dataclass(frozen=True)
class Where:
    """Which villages: all of them, or those of a county, a township, or listed by id."""

    county_id: int | None = None
    township_id: int | None = None
    village_ids: Collection[int] | None = None

    @property
    def key(self) -> tuple[int | None, int | None, frozenset[int] | None]:
        """The same for the same villages asked for."""
        return self.county_id, self.township_id, None if self.village_ids is None else frozenset(self.village_ids)

    def holds(self, village_id: Any) -> ColumnElement[bool]:
        """The condition on a column of village ids."""
        condition: ColumnElement[bool] = true()
        if self.village_ids is not None:
            condition &= village_id.in_(self.village_ids)
        for column, wanted in ((Division.county_id, self.county_id), (Division.township_id, self.township_id)):
            if wanted is not None:
                condition &= village_id.in_(select(Division.id).where(column == wanted))
        return condition


EVERYWHERE = Where()


@dataclass(frozen=True)
class Facets:
    """What figures are narrowed to beside the place; None takes all of it."""

    unit_type: str | None = None
    method: str | None = None
    fund_source: str | None = None
    category: str | None = None
    certified: bool | None = None

    def holds(self, table: Any) -> ColumnElement[bool]:
        """The condition on a table that has columns of these names."""
        condition: ColumnElement[bool] = true()
        for one in fields(self):
            if (wanted := getattr(self, one.name)) is not None:
                condition &= table.c[one.name] == wanted
        return condition


    def names(self) -> set[str]:
        """The facets that are narrowed to one."""
        return {one.name for one in fields(self) if getattr(self, one.name) is not None}


ALL = Facets()


def village_figures(first: str, last: str, where: Where = EVERYWHERE, by_period: bool = False) -> list[dict[str, Any]]:
    """One row for each village with figures in the months from first to last, both included, ordered by village id.

    Each row holds `village_id` and every column of FIGURES in fen or grams; with `by_period` one row for each village
    and month, with `period`. Three statements, whatever the size.
    """
    db.need_one_moment()
    sums: dict[tuple[int, str], dict[str, int]] = {}
    for village, period, figures in (*_rolled_up(first, last, where, by_period), *_unsealed(first, last, where)):
        add_to(sums, (village, period if by_period else ""), figures)
    return [
        {"village_id": village, **({"period": period} if by_period else {}), **sums[village, period]}
        for village, period in sorted(sums)
    ]


def village_tallies(first: str, last: str, formulas: Mapping[str, Mapping[str, int]],
                    where: Where = EVERYWHERE) -> dict[int, dict[str, int]]:
    """By village the sum (fen or grams) of each formula over FIGURES, and as '<name>_months' in how many of the months
    from first to last it is above zero. One statement for what is sealed, two more where anything is not.
    """
    db.need_one_moment()
    terms: dict[str, Any] = {name: sum(sign * MONTHS.c[figure] for figure, sign in formula.items())
                             for name, formula in formulas.items()}
    query = select(
        MONTHS.c.village_id, *(db.sum_of(term).label(name) for name, term in terms.items()),
        *(db.sum_of(case((term > 0, 1), else_=0)).label(f"{name}_months") for name, term in terms.items()),
    ).where(MONTHS.c.period.between(first, last), where.holds(MONTHS.c.village_id)).group_by(MONTHS.c.village_id)
    tallies = {row.village_id: dict(row._mapping) for row in db.session().execute(query)}
    fresh = {village for village, _month, _figures in _unsealed(first, last, where)}
    if fresh:
        tallies |= tallied(village_figures(first, last, replace(where, village_ids=fresh), by_period=True), formulas)
    return tallies


def tallied(rows: Iterable[Mapping[str, Any]],
            formulas: Mapping[str, Mapping[str, int]]) -> dict[int, dict[str, int]]:
    """The same out of rows of village_figures by period."""
    tallies: dict[int, dict[str, int]] = {}
    for row in rows:
        tally = tallies.setdefault(row["village_id"], {name: 0 for key in formulas for name in (key, f"{key}_months")})
        for name, formula in formulas.items():
            amount = sum(sign * int(row[figure]) for figure, sign in formula.items())
            tally[name] += amount
            tally[f"{name}_months"] += amount > 0
    return tallies


def facet_figures(first: str, last: str, by: Collection[str], where: Where = EVERYWHERE,
                  facets: Facets = ALL) -> list[dict[str, Any]]:
    """Sums of every column of FIGURES for what stands in `by`: any of PLACES, period and the names of Facets.

    Each row holds its keys and the figures, in fen or grams, ordered by the keys; '' stands for a facet that a transfer
    does not have. The smallest roll-up that tells what is asked is read.
    """
    asked = {*by, *facets.names()} & {*FACETS}
    counties = "village_id" not in by and "township_id" not in by and where.township_id is None \
        and where.village_ids is None
    if not asked:
        table, own, joined = MONTHS, MONTHS.c.village_id, True
        condition = where.holds(own)
    elif counties:
        table, own, joined = COUNTIES, COUNTIES.c.county_id, False
        condition = COUNTIES.c.told == (next(iter(asked)) if len(asked) == 1 else EVERY_FACET)
        condition &= (own == where.county_id if where.county_id is not None
                      else own != EVERYWHERE_ID if "county_id" in by else own == EVERYWHERE_ID)
    else:
        table, own, joined = VILLAGES, VILLAGES.c.village_id, True
        condition = where.holds(own)
    condition &= facets.holds(table) if asked else true()
    place = {name: DIVISIONS.c[name] if joined else own for name in ("township_id", "county_id")} | {"village_id": own}
    keys = [place[name].label(name) if name in place else table.c[name] for name in by]
    query = select(*keys, *_sums(table)).where(table.c.period.between(first, last), condition).group_by(*keys)
    if joined and {"township_id", "county_id"} & {*by}:
        query = query.select_from(table.join(DIVISIONS, DIVISIONS.c.id == own))
    return _with_unsealed(query, first, last, by, where.holds(TRANSFERS.c.village_id) & facets.holds(TRANSFERS))


def unit_figures(first: str, last: str, by: Collection[str] = ("unit_id",), unit_ids: Collection[int] | None = None,
                 facets: Facets = ALL) -> list[dict[str, Any]]:
    """The same by buying unit: `by` may hold unit_id, period and the names of Facets; all units without `unit_ids`."""
    asked = {*by, *facets.names()} & {*FACETS}
    condition = (UNITS.c.told == (EVERY_FACET if asked else NO_FACET)) & (facets.holds(UNITS) if asked else true())
    unsealed = TRANSFERS.c.unit_id.is_not(None) & facets.holds(TRANSFERS)
    if unit_ids is not None:
        condition &= UNITS.c.unit_id.in_(unit_ids)
        unsealed &= TRANSFERS.c.unit_id.in_(unit_ids)
    keys = [UNITS.c[name] for name in by]
    query = select(*keys, *_sums(UNITS)).where(UNITS.c.period.between(first, last), condition).group_by(*keys)
    return _with_unsealed(query, first, last, by, unsealed)


def supplier_figures(first: str, last: str, suppliers: Select[Any]) -> list[dict[str, Any]]:
    """The same by co-operative, for those whose ids a query gives, wherever their goods grew."""
    query = select(SUPPLIERS.c.supplier_id, *_sums(SUPPLIERS)).where(
        SUPPLIERS.c.period.between(first, last), SUPPLIERS.c.supplier_id.in_(suppliers)).group_by(
        SUPPLIERS.c.supplier_id)
    return _with_unsealed(query, first, last, ("supplier_id",), TRANSFERS.c.supplier_id.in_(suppliers))


def _sums(table: Any) -> list[Any]:
    return [db.sum_of(table.c[name]).label(name) for name in FIGURES]


def _with_unsealed(query: Any, first: str, last: str, by: Collection[str],
                   condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Rows of a roll-up, with the unsealed transfers that belong to them."""
    db.need_one_moment()
    sums = {tuple(row[name] for name in by): {name: row[name] for name in FIGURES}
            for row in db.session().execute(query).mappings()}
    sums = {key: row for key, row in sums.items() if by or any(row.values())}
    names = list(dict.fromkeys((*(name for name in by if name in TRANSFERS.c and name != "period"), *SUMMED_BY)))
    columns = [TRANSFERS.c[name] for name in names]
    fresh = db.session().execute(
        select(*columns, *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
        .where(UNSEALED, TRANSFERS.c.village_id.is_not(None), condition).group_by(*columns)
    ).mappings().all()
    closed = closed_months()
    places = _places_of({row["village_id"] for row in fresh}) if {"township_id", "county_id"} & {*by} else {}
    for row in fresh:
        month = open_month(clock.period_of(row["business_date"]), closed)
        if first <= month <= last and (found := figures_of(row)):
            told = {**row, **places.get(row["village_id"], {}), "period": month}
            add_to(sums, tuple("" if told[name] is None and name in FACETS else told[name] for name in by), found)
    ordered = sorted(sums, key=lambda key: [(value is not None, value) for value in key])
    return [dict(zip(by, key, strict=True)) | sums[key] for key in ordered]


def _places_of(village_ids: Collection[int]) -> dict[int, dict[str, int | None]]:
    return {row.id: {"township_id": row.township_id, "county_id": row.county_id}
            for some in db.chunks(sorted(village_ids)) for row in db.session().execute(
                select(DIVISIONS.c.id, DIVISIONS.c.township_id, DIVISIONS.c.county_id).where(DIVISIONS.c.id.in_(some)))}


def total_of(rows: Collection[dict[str, Any]]) -> dict[str, int]:
    """The sum of every figure over rows of `village_figures`."""
    return {name: sum(row[name] for row in rows) for name in FIGURES}


def presence_counts(first: str, last: str, where: Where = EVERYWHERE) -> dict[str, int]:
    """How many different things of each kind occurred in these villages and months: {'order': 12, 'household': 40}."""
    return {key[-1]: count for key, count in _count_things(first, last, where, ("kind",)).items()}


def presence_by_village(first: str, last: str, where: Where = EVERYWHERE) -> dict[int, dict[str, int]]:
    """The same for each village; these do not add up, since an order may lie in several villages."""
    counts: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for (village, kind), count in _count_things(first, last, where, ("village_id", "kind")).items():
        counts[village][kind] = count
    return dict(counts)


def fresh_things(first: str, last: str, where: Where, kind: str) -> set[tuple[int, str]]:
    """Village and thing of a kind that no sealed transfer of these months names, only unsealed ones."""
    db.need_one_moment()
    fresh = {(village, thing) for village, of_kind, thing
             in _unsealed_things(first, last, where, ("village_id", "kind")) if of_kind == kind}
    names = sorted({thing for _village, thing in fresh})
    for some in db.chunks(names):
        known = select(PRESENCE.c.village_id, PRESENCE.c.thing).where(
            PRESENCE.c.kind == kind, PRESENCE.c.period.between(first, last),
            PRESENCE.c.thing.in_(some))
        fresh -= {tuple(row) for row in db.session().execute(known)}
    return fresh


def _rolled_up(first: str, last: str, where: Where, by_period: bool) -> list[tuple[int, str, dict[str, int]]]:
    keys = (MONTHS.c.village_id, *((MONTHS.c.period,) if by_period else ()))
    query = (
        select(*keys, *(db.sum_of(MONTHS.c[name]).label(name) for name in FIGURES))
        .where(MONTHS.c.period.between(first, last), where.holds(MONTHS.c.village_id)).group_by(*keys)
    )
    return [
        (row["village_id"], row["period"] if by_period else "", {name: row[name] for name in FIGURES})
        for row in db.session().execute(query).mappings()
    ]


def _unsealed(first: str, last: str, where: Where) -> list[tuple[int, str, dict[str, int]]]:
    """Unsealed rows, summed by what decides where they count; months by the rule the sealer will use."""
    closed = closed_months()
    dated = [(open_month(clock.period_of(row["business_date"]), closed), row)
             for row in db.once_a_moment(("unsealed", where.key), lambda: _unsealed_sums(where))]
    return [(row["village_id"], month, figures) for month, row in dated
            if first <= month <= last and (figures := figures_of(row))]


def _unsealed_sums(where: Where) -> Sequence[Mapping[Any, Any]]:
    keys = [TRANSFERS.c[name] for name in SUMMED_BY]
    return db.session().execute(
        select(*keys, *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
        .where(UNSEALED, TRANSFERS.c.village_id.is_not(None), where.holds(TRANSFERS.c.village_id))
        .group_by(*keys)).mappings().all()


def _count_things(first: str, last: str, where: Where, by: tuple[str, ...]) -> dict[tuple[Any, ...], int]:
    """Different things, counted by kind or by village and kind: the sealed ones as counted, then those only unsealed.

    Of several villages named one by one the things are told apart, since one may occur in more than one of them.
    """
    db.need_one_moment()
    in_range = PRESENCE.c.period.between(first, last) & where.holds(PRESENCE.c.village_id)
    noted = select(*(PRESENCE.c[name] for name in (*by, "thing"))).where(in_range).distinct()
    if "village_id" in by:
        villages = select(DIVISIONS.c.id).where(DIVISIONS.c.level == "village")
        sealed = _counted(first, last, COUNTS.c.area_id.in_(villages) & where.holds(COUNTS.c.area_id), by)
    elif (area := whole_area(where)) is not None:
        sealed = _counted(first, last, COUNTS.c.area_id == area, by)
    else:
        things = noted.subquery()
        sealed = select(things.c.kind, func.count()).group_by(things.c.kind)
    counts = Counter({tuple(row[:-1]): row[-1] for row in db.session().execute(sealed)})
    fresh = _unsealed_things(first, last, where, by)
    names = sorted({key[-1] for key in fresh})
    for some in db.chunks(names):
        known = db.session().execute(noted.where(PRESENCE.c.thing.in_(some)))
        fresh -= {tuple(row) for row in known}
    counts.update(key[:-1] for key in fresh)
    return dict(counts)


def _counted(first: str, last: str, condition: ColumnElement[bool], by: tuple[str, ...]) -> Any:
    keys = [COUNTS.c.area_id if name == "village_id" else COUNTS.c[name] for name in by]
    return (
        select(*keys, db.sum_of(COUNTS.c.things))
        .where(COUNTS.c.period.between(first, last), COUNTS.c.after > last, COUNTS.c.kind.in_(PRESENCE_KINDS),
               condition).group_by(*keys)
    )


def whole_area(where: Where) -> int | None:
    """The area whose things are counted as one, if that is what is asked for."""
    if where.village_ids is not None:
        return next(iter(where.village_ids)) if len(where.village_ids) == 1 else None
    if where.township_id is not None:
        return where.township_id if where.county_id is None else None
    return EVERYWHERE_ID if where.county_id is None else where.county_id


def _unsealed_things(first: str, last: str, where: Where, by: tuple[str, ...]) -> set[tuple[Any, ...]]:
    query = select(*(TRANSFERS.c[name] for name in CANONICAL)).where(
        UNSEALED, TRANSFERS.c.village_id.is_not(None), where.holds(TRANSFERS.c.village_id))
    closed = closed_months()
    rows = {
        row["id"]: row for row in db.session().execute(query).mappings()
        if first <= open_month(clock.period_of(row["business_date"]), closed) <= last
    }
    return {
        (*((rows[number]["village_id"],) if "village_id" in by else ()), kind, thing)
        for number, kind, thing in ledger_frame.things_of(list(rows.values()))
    }
