"""How many orders there are by way or co-operative, and how many people: from area_count and the few unsealed rows.

An order counts once in some months: in the last of them in which goods of it were accepted, under what was said then.
The cost follows the number of areas and months. Open `db.snapshot()` around every call.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, select, true

from market import area_counts, clock, db
from market.area_counts import NO_TRADE, NOTED, Noted, Trade
from market.facet_months import EVERYWHERE_ID
from market.figures import COUNTS, DIVISIONS, EVERYWHERE, MONTHS, PRESENCE, Where, fresh_things, whole_area
from market.ledger import CANONICAL
from market.sealing import TRANSFERS, UNSEALED, closed_months, open_month

Both = tuple[dict[Noted, Trade], dict[Noted, Trade]]


def orders_by_way(first: str, last: str, where: Where = EVERYWHERE) -> dict[tuple[str, str], int]:
    """Orders with goods accepted in a whole area, by kind of unit and method, '' where an order has none."""
    db.need_one_moment()
    ways = _counted(COUNTS.c.way, first, last, (COUNTS.c.area_id == whole_area(where)) & (COUNTS.c.kind == "order"))
    _exchange(ways, *(_way_of_orders(noted).values() for noted in _with_unsealed(first, last, where)))
    return {_parts_of(way): count for way, count in ways.items() if way and count}


def villages_by_way(first: str, last: str, where: Where = EVERYWHERE) -> dict[tuple[str, str], set[int]]:
    """Villages with orders that count there, by kind of unit and method; a look at each village for each way."""
    db.need_one_moment()
    months = COUNTS.c.period.between(first, last)
    ways = select(COUNTS.c.way).distinct().where(
        COUNTS.c.area_id == EVERYWHERE_ID, COUNTS.c.kind == "order", months).subquery()
    villages = select(MONTHS.c.village_id).distinct().where(
        MONTHS.c.period.between(first, last), where.holds(MONTHS.c.village_id)).subquery()
    one = COUNTS.alias()  # found by its key: a plan that reads them all would follow the months
    there = select(one.c.things).where(
        one.c.area_id == villages.c.village_id, one.c.kind == "order", one.c.way == ways.c.way,
        one.c.period.between(first, last), one.c.after > last).limit(1).scalar_subquery()
    found = {tuple(row) for row in db.session().execute(
        select(villages.c.village_id, ways.c.way).select_from(villages.join(ways, true()))
        .where(there.is_not(None)))}
    changed: Counter[tuple[int, str]] = Counter()
    old, new = _with_unsealed(first, last, where)
    for some in db.chunks(sorted({key[0] for key in new})):
        for row in db.session().execute(
                select(COUNTS.c.area_id, COUNTS.c.way, db.sum_of(COUNTS.c.things))
                .where(COUNTS.c.area_id.in_(some), COUNTS.c.kind == "order", months, COUNTS.c.after > last)
                .group_by(COUNTS.c.area_id, COUNTS.c.way)):
            changed[row[0], row[1]] = row[2]
    _exchange(changed, *(_by_village(noted) for noted in (old, new)))
    found = (found | {pair for pair, count in changed.items() if count}) - {
        pair for pair, count in changed.items() if not count}
    reached: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for village, way in found:
        if way:
            reached[_parts_of(way)].add(village)
    return dict(reached)


def first_orders(first: str, last: str, where: Where, ways: Iterable[tuple[str, str]], most: int) -> list[str]:
    """The first orders by number that may count under one of these ways, at least so many where there are as many.

    Some of them may not: whoever asks looks at their transfers.
    """
    found = set(db.session().scalars(
        select(PRESENCE.c.thing).distinct().where(
            PRESENCE.c.kind == "order", PRESENCE.c.way.in_([" ".join(way) for way in ways]),
            PRESENCE.c.period.between(first, last), where.holds(PRESENCE.c.village_id))
        .order_by(PRESENCE.c.thing).limit(most)))
    end = max(found) if len(found) == most else None
    return sorted(found | {key[3] for key in _with_unsealed(first, last, where)[1] if end is None or key[3] <= end})


def orders_by_supplier(first: str, last: str, suppliers: Select[Any]) -> dict[int, int]:
    """Orders with goods accepted, wherever they grew, by co-operative."""
    db.need_one_moment()
    counts = _counted(COUNTS.c.area_id, first, last, COUNTS.c.area_id.in_(suppliers) & (COUNTS.c.kind == "sold"))
    _exchange(counts, *(
        [supplier for supplier, _order in {(trade[1], key[3]) for key, trade in noted.items()} if supplier is not None]
        for noted in _with_unsealed(first, last, EVERYWHERE)))
    return {supplier: count for supplier, count in counts.items() if count}


def people_by_village(first: str, last: str, where: Where = EVERYWHERE) -> dict[int, int]:
    """How many people live in the households that income was for, each household once in its village, by village."""
    db.need_one_moment()
    villages = select(DIVISIONS.c.id).where(DIVISIONS.c.level == "village")
    people = _counted(COUNTS.c.area_id, first, last, COUNTS.c.area_id.in_(villages) & where.holds(COUNTS.c.area_id)
                      & (COUNTS.c.kind == "people"))
    fresh = fresh_things(first, last, where, "household")
    sizes = area_counts.sizes_of({household for _village, household in fresh})
    for village, household in fresh:
        people[village] += sizes[household]
    return dict(people)


def _counted(key: Any, first: str, last: str, condition: Any) -> "Counter[Any]":
    query = select(key, db.sum_of(COUNTS.c.things)).where(
        condition, COUNTS.c.period.between(first, last), COUNTS.c.after > last).group_by(key)
    return Counter({row[0]: row[1] for row in db.session().execute(query)})


def _exchange(counts: "Counter[Any]", old: Iterable[Any], new: Iterable[Any]) -> None:
    counts.subtract(old)
    counts.update(new)


def _parts_of(way: str) -> tuple[str, str]:
    unit_type, _space, method = way.partition(" ")
    return unit_type, method


def _by_village(noted: Mapping[Noted, Trade]) -> list[tuple[int, str]]:
    """Village and way of every order of each village by itself."""
    villages: defaultdict[int, dict[Noted, Trade]] = defaultdict(dict)
    for key, trade in noted.items():
        villages[key[0]][key] = trade
    return [(village, way) for village, of_village in villages.items() for way in _way_of_orders(of_village).values()]


def _way_of_orders(noted: Mapping[Noted, Trade]) -> dict[str, str]:
    """By order: its way in its last month; where villages differ, the last way in the order of characters."""
    months: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for (_village, period, _kind, order), (way, _supplier) in noted.items():
        ways = months[order]
        ways[period] = max(ways.get(period, ""), way)
    return {order: ways[max(ways)] for order, ways in months.items()}


def _with_unsealed(first: str, last: str, where: Where) -> Both:
    """Orders that unsealed rows of these months speak of: as they are noted, and as they will be."""
    query = select(*(TRANSFERS.c[name] for name in CANONICAL)).where(
        UNSEALED, TRANSFERS.c.village_id.is_not(None), TRANSFERS.c.order_ref.is_not(None),
        where.holds(TRANSFERS.c.village_id)).order_by(TRANSFERS.c.id)
    closed = closed_months()
    rows = [dict(row) for row in db.session().execute(query).mappings()]
    months = {row["id"]: (row["village_id"], month) for row in rows
              if first <= (month := open_month(clock.period_of(row["business_date"]), closed)) <= last}
    fresh = {key: trade for key, trade in area_counts.found_in(rows, months).items() if key[2] == "order"}
    known: dict[Noted, Trade] = {}
    for some in db.chunks(sorted({key[3] for key in fresh})):
        found = db.session().execute(
            select(*(PRESENCE.c[name] for name in NOTED), PRESENCE.c.way, PRESENCE.c.supplier_id)
            .where(PRESENCE.c.kind == "order", PRESENCE.c.thing.in_(some), PRESENCE.c.period.between(first, last),
                   where.holds(PRESENCE.c.village_id)))
        known |= {(row[0], row[1], row[2], row[3]): (row[4], row[5]) for row in found}
    said = {key: trade for key, trade in fresh.items() if trade != NO_TRADE or key not in known}
    return known, known | said
