"""The audit of what is derived from sealed transfers: the figures of villages and what is counted in them."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import func, select, union_all

from market import area_counts, db, rollups
from market.area_counts import NO_TRADE, Trade
from market.audit_rows import BATCH, Row, raw, side_by_side, transfers
from market.errors import N_
from market.facet_months import AreaCount, CountyMonthFacet, SupplierMonth, UnitMonth, VillageMonthFacet
from market.problem import Problem
from market.sealing import TRANSFERS
from market.village_months import FIGURES, VillageMonth, VillagePresence, add_to, figures_of

SEALED = TRANSFERS.c.block_no.is_not(None) & TRANSFERS.c.village_id.is_not(None)
PERIOD = func.coalesce(TRANSFERS.c.period, "")
Key = tuple[int, str]  # village id, month
Things = dict[tuple[str, str], Trade]  # by kind and thing


def problems() -> Iterator[Problem]:
    """Where roll-up or presence differ from what the sealed transfers give."""
    nothing = dict.fromkeys(FIGURES, 0)
    for (village, period), shown, right in side_by_side(_rolled_up(), _recomputed()):
        for name in FIGURES:
            if (shown or nothing)[name] != (right or nothing)[name]:
                yield Problem(
                    N_("Village %(village)s, %(period)s: %(column)s shows %(shown)s, its transfers give %(right)s."),
                    village=village, period=period, column=name, shown=(shown or nothing)[name],
                    right=(right or nothing)[name],
                )
    for (village, period), shown_things, right_things in side_by_side(_noted(), _found()):
        yield from _differing(village, period, shown_things or {}, right_things or {})
    yield from _derived()


def _differing(village: int, period: str, shown: Things, right: Things) -> Iterator[Problem]:
    for kind, thing in sorted(shown.keys() - right.keys()):
        yield Problem(N_("Village %(village)s, %(period)s: %(kind)s %(thing)s is counted, no transfer names it."),
                      village=village, period=period, kind=kind, thing=thing)
    for kind, thing in sorted(right.keys() - shown.keys()):
        yield Problem(N_("Village %(village)s, %(period)s: %(kind)s %(thing)s is not counted."),
                      village=village, period=period, kind=kind, thing=thing)
    for kind, thing in sorted(right.keys() & shown.keys()):
        if shown[kind, thing] != right[kind, thing]:
            yield Problem(N_("Village %(village)s, %(period)s: %(kind)s %(thing)s is counted as %(shown)s, its "
                             "transfers say %(right)s."), village=village, period=period, kind=kind, thing=thing,
                          shown=_words(shown[kind, thing]), right=_words(right[kind, thing]))


def _words(trade: Trade) -> str:
    return f"{trade[0].strip() or '–'} {trade[1] or '–'}"


def _derived() -> Iterator[Problem]:
    """Where roll-ups by facet or unit, or counts, differ from what transfers and presence give."""
    recomputed: Sequence[tuple[type[db.Base], Any]] = (
        (VillageMonthFacet, rollups.village_facets()), (CountyMonthFacet, union_all(*rollups.county_facets())),
        (UnitMonth, union_all(*rollups.all_units())), (SupplierMonth, rollups.supplier_months()),
        (AreaCount, area_counts.recounted()),
    )
    for entity, given in recomputed:
        table = db.table(entity)
        keys, shown = len(rollups.keys_of(entity)), select(*table.c)
        right = select(given.subquery())
        for one, other, text in (
            (shown, right, N_("Roll-up %(table)s, %(key)s: shows %(figures)s, which its transfers do not give.")),
            (right, shown, N_("Roll-up %(table)s, %(key)s: does not show %(figures)s, which its transfers give.")),
        ):
            for row in db.session().execute(one.except_(other)):
                yield Problem(text, table=table.name, key=" ".join(str(value) for value in row[:keys]),
                              figures=" ".join(str(value) for value in row[keys:]))


def _rolled_up() -> Iterator[tuple[Key, Row]]:
    table = db.table(VillageMonth)
    query = select(table).order_by(table.c.village_id, table.c.period).execution_options(yield_per=BATCH)
    for row in db.session().execute(query).mappings():
        yield (row["village_id"], row["period"]), row


def _recomputed() -> Iterator[tuple[Key, dict[str, int]]]:
    keys = [raw(name) for name in ("event", "backward", "income_kind", "certified")]
    sums = [db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")]
    village_month = (TRANSFERS.c.village_id, PERIOD.label("period"))
    query = (
        select(*village_month, *keys, *sums).where(SEALED)
        .group_by(TRANSFERS.c.village_id, PERIOD, *(TRANSFERS.c[key.name] for key in keys))
        .order_by(TRANSFERS.c.village_id, PERIOD).execution_options(yield_per=BATCH)
    )
    for key, rows in groupby(db.session().execute(query).mappings(), key=itemgetter("village_id", "period")):
        figures: dict[Any, dict[str, int]] = {}
        for row in rows:
            add_to(figures, key, figures_of(row))
        yield key, figures[key]


def _noted() -> Iterator[tuple[Key, Things]]:
    table = db.table(VillagePresence)
    query = select(table).order_by(table.c.village_id, table.c.period).execution_options(yield_per=BATCH)
    rows = db.session().execute(query).mappings()
    for key, group in groupby(rows, key=itemgetter("village_id", "period")):
        yield key, {(row["kind"], row["thing"]): (row["way"], row["supplier_id"]) for row in group}


def _found() -> Iterator[tuple[Key, Things]]:
    for key, group in groupby(_found_things(), key=itemgetter(0)):
        things: Things = {}
        for _key, thing, trade in group:
            if trade != NO_TRADE or thing not in things:
                things[thing] = trade
        yield key, things


def _found_things() -> Iterator[tuple[Key, tuple[str, str], Trade]]:
    """Asked for in batches, in the order of villages, months and sealing."""
    rows = transfers(SEALED, TRANSFERS.c.village_id, PERIOD, TRANSFERS.c.block_no, TRANSFERS.c.id)
    while batch := list(islice(rows, BATCH)):
        months = {row["id"]: (row["village_id"], row["period"] or "") for row in batch}
        for (village, period, kind, thing), trade in area_counts.found_in(batch, months).items():
            yield (village, period), (kind, thing), trade
