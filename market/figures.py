"""Figures of villages for reports: the roll-up and the few transfers not sealed yet, read at one moment.

The cost follows the number of villages, not of orders. Open `db.snapshot()` around every call: between two moments a
block moves from the unsealed rows into the roll-up, and figures would be lost or doubled.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from market import clock, db, ledger_frame
from market.ledger import CANONICAL
from market.places import Division
from market.sealing import TRANSFERS, closed_months, open_month
from market.village_months import FIGURES, VillageMonth, VillagePresence, add_to, figures_of

MONTHS = db.table(VillageMonth)
PRESENCE = db.table(VillagePresence)
SUMMED_BY = ("village_id", "business_date", "event", "backward", "income_kind", "certified")


@dataclass(frozen=True)
class Where:
    """Which villages: all of them, or those of a county, a township, or listed by id."""

    county_id: int | None = None
    township_id: int | None = None
    village_ids: Collection[int] | None = None

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


def facet_figures(first: str, last: str, by: Collection[str], where: Where = EVERYWHERE,
                  facets: Facets = ALL) -> list[dict[str, Any]]:
    """Sums of every column of FIGURES for what stands in `by`: any of village_id, period and the names of Facets.

    Each row holds its keys and the figures, in fen or grams, ordered by the keys.
    """
    return _narrowed(first, last, by, where.holds(TRANSFERS.c.village_id) & facets.holds(TRANSFERS))


def unit_figures(first: str, last: str, by: Collection[str] = ("unit_id",), unit_ids: Collection[int] | None = None,
                 facets: Facets = ALL) -> list[dict[str, Any]]:
    """The same by buying unit: `by` may hold unit_id, period and the names of Facets; all units without `unit_ids`."""
    condition = TRANSFERS.c.unit_id.is_not(None) & facets.holds(TRANSFERS)
    return _narrowed(first, last, by, condition & TRANSFERS.c.unit_id.in_(unit_ids) if unit_ids is not None
                     else condition)


def _narrowed(first: str, last: str, by: Collection[str], condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    db.need_one_moment()
    names = list(dict.fromkeys((*(name for name in by if name != "period"), "period", *SUMMED_BY)))
    keys = [TRANSFERS.c[name] for name in names]
    query = (
        select(*keys, *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
        .where(TRANSFERS.c.village_id.is_not(None), condition,
               TRANSFERS.c.block_no.is_(None) | TRANSFERS.c.period.between(first, last)).group_by(*keys)
    )
    closed = closed_months()
    sums: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in db.session().execute(query).mappings():
        month = row["period"] or open_month(clock.period_of(row["business_date"]), closed)
        if first <= month <= last and (found := figures_of(row)):
            add_to(sums, tuple(month if name == "period" else row[name] for name in by), found)
    return [dict(zip(by, key, strict=True)) | sums[key] for key in sorted(sums, key=repr)]


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
    keys = [TRANSFERS.c[name] for name in SUMMED_BY]
    query = (
        select(*keys, *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
        .where(TRANSFERS.c.block_no.is_(None), TRANSFERS.c.village_id.is_not(None), where.holds(TRANSFERS.c.village_id))
        .group_by(*keys)
    )
    rows = db.session().execute(query).mappings().all()
    closed = closed_months()
    dated = [(open_month(clock.period_of(row["business_date"]), closed), row) for row in rows]
    return [(row["village_id"], month, figures) for month, row in dated
            if first <= month <= last and (figures := figures_of(row))]


def _count_things(first: str, last: str, where: Where, by: tuple[str, ...]) -> dict[tuple[Any, ...], int]:
    """Different things, counted by kind or by village and kind: the sealed ones by SQL, then those only unsealed."""
    db.need_one_moment()
    in_range = PRESENCE.c.period.between(first, last) & where.holds(PRESENCE.c.village_id)
    noted = select(*(PRESENCE.c[name] for name in (*by, "thing"))).where(in_range).distinct()
    things = noted.subquery()
    keys = [things.c[name] for name in by]
    sealed = db.session().execute(select(*keys, func.count()).group_by(*keys))
    counts = Counter({tuple(row[:-1]): row[-1] for row in sealed})
    fresh = _unsealed_things(first, last, where, by)
    names = sorted({key[-1] for key in fresh})
    for some in db.chunks(names):
        known = db.session().execute(noted.where(PRESENCE.c.thing.in_(some)))
        fresh -= {tuple(row) for row in known}
    counts.update(key[:-1] for key in fresh)
    return dict(counts)


def _unsealed_things(first: str, last: str, where: Where, by: tuple[str, ...]) -> set[tuple[Any, ...]]:
    query = select(*(TRANSFERS.c[name] for name in CANONICAL)).where(
        TRANSFERS.c.block_no.is_(None), TRANSFERS.c.village_id.is_not(None), where.holds(TRANSFERS.c.village_id))
    closed = closed_months()
    rows = {
        row["id"]: row for row in db.session().execute(query).mappings()
        if first <= open_month(clock.period_of(row["business_date"]), closed) <= last
    }
    return {
        (*((rows[number]["village_id"],) if "village_id" in by else ()), kind, thing)
        for number, kind, thing in ledger_frame.things_of(list(rows.values()))
    }
