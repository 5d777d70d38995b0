"""Counting things that do not add up: orders, goods, households and their people, co-operatives of an area's months.

village_presence says what occurred in which village's month, and how an order was sold there; area_count
(facet_months.AreaCount) says how many of them were there, and when they are there next. The sealer keeps it exact,
also when a thing turns up in an earlier month than one that is already counted, or an order is booked over.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    String,
    Text,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    literal,
    select,
    type_coerce,
    union_all,
    update,
)

from market import db
from market.facet_months import EVERYWHERE_ID, NEVER, AreaCount
from market.filings import ACTS
from market.households import Household
from market.ledger import LedgerTransfer
from market.ledger_frame import COUNTED, Rows, things_of
from market.places import Division
from market.village_months import VillagePresence

PRESENCE, COUNTS = db.table(VillagePresence), db.table(AreaCount)
DIVISIONS, HOUSEHOLDS = db.table(Division), db.table(Household)
TRANSFERS = db.table(LedgerTransfer)
KEYS = ("area_id", "kind", "way", "period", "after")
NOTED = ("village_id", "period", "kind", "thing")
Noted = tuple[int, str, str, str]
Trade = tuple[str, int | None]  # way and co-operative of an order
KIND = type_coerce(PRESENCE.c.kind, String).label("kind")  # with kinds beside them that nothing is noted of
NO_TRADE: Trade = ("", None)
Key = tuple[int, str, str, str, str]


# ---- block by block -------------------------------------------------------------------------------------------------


def found_in(rows: Rows, months: Mapping[int, tuple[int, str]]) -> dict[Noted, Trade]:
    """The things that occur in transfers, which stand in the order of sealing; `months`: village and month by id."""
    things: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for number, kind, thing in things_of(rows):
        things[number].append((kind, thing))
    found: dict[Noted, Trade] = {}
    for row in rows:
        for kind, thing in things[row["id"]] if row["id"] in months else ():
            key = (*months[row["id"]], kind, thing)
            trade = trade_of(row) if kind == "order" else NO_TRADE
            if trade != NO_TRADE or key not in found:
                found[key] = trade
    return found


def trade_of(row: Mapping[Any, Any]) -> Trade:
    """What accepted goods say of their order; nothing where they are only booked back."""
    return NO_TRADE if row["backward"] else (f"{row['unit_type'] or ''} {row['method'] or ''}", row["supplier_id"])


def note(things: Mapping[Noted, Trade], closing_of: Mapping[str, int]) -> None:
    """Note things of villages' months, each once, and count what that changes; `closing_of` by month."""
    rows = [{**dict(zip(NOTED, key, strict=True)), "closing": closing_of[key[1]], "way": things[key][0],
             "supplier_id": things[key][1]} for key in sorted(things)]
    if not rows:
        return
    fresh: set[Noted] = {(row[0], row[1], row[2], row[3]) for row in db.session().execute(
        db.insert_new(VillagePresence).returning(*(PRESENCE.c[name] for name in NOTED)), rows)}
    new = _known({key[2:] for key in things if key in fresh or key[2] == "order"})
    old = {key: trade for key, trade in new.items() if key not in fresh}
    changed = {key: trade for key, trade in things.items() if trade != NO_TRADE and trade != new[key]}
    _say_again(changed)
    new |= changed
    moved = {key[2:] for key in (*fresh, *changed)}
    _count(*({key: trade for key, trade in some.items() if key[2:] in moved} for some in (old, new)))


def _say_again(changed: Mapping[Noted, Trade]) -> None:
    """Orders of which a later block says something else."""
    if changed:
        db.session().execute(
            update(PRESENCE).where(*(PRESENCE.c[name] == bindparam(f"of_{name}") for name in NOTED))
            .values(way=bindparam("to_way"), supplier_id=bindparam("to_supplier")),
            [{**{f"of_{name}": value for name, value in zip(NOTED, key, strict=True)}, "to_way": changed[key][0],
              "to_supplier": changed[key][1]} for key in sorted(changed)])


def _count(old: Mapping[Noted, Trade], new: Mapping[Noted, Trade]) -> None:
    """Count what is noted now of some things in place of what was noted before."""
    areas = areas_of({key[0] for key in new})
    sizes = sizes_of({thing for _village, _period, kind, thing in new if kind == "household"})
    changes: Counter[Key] = Counter()
    for sign, some in ((-1, old), (1, new)):
        for area, kind, thing, way, period, after in _steps(some, areas):
            changes[area, kind, way, period, after] += sign
            if kind == "household":
                changes[area, "people", way, period, after] += sign * sizes[thing]
    _add(changes)


def _steps(noted: Mapping[Noted, Trade],
           areas: Mapping[int, tuple[int, ...]]) -> Iterator[tuple[int, str, str, str, str, str]]:
    """Area, kind, thing, way, month and the month after, for each month of each thing in each area that it counts in.

    Where villages of an area differ in the way, the last one in the order of characters stands for all.
    """
    months: defaultdict[tuple[int, str, str], dict[str, str]] = defaultdict(dict)
    for (village, period, kind, thing), (way, supplier) in noted.items():
        for area in areas[village]:
            ways = months[area, kind, thing]
            ways[period] = max(ways.get(period, ""), way)
        if supplier is not None:
            months[supplier, "sold", thing][period] = ""
    for (area, kind, thing), ways in months.items():
        ordered = sorted(ways)
        for period, after in zip(ordered, [*ordered[1:], NEVER], strict=True):
            yield area, kind, thing, ways[period], period, after


def _add(changes: Mapping[Key, int]) -> None:
    found = {key: more for key, more in changes.items() if more}
    if found:
        db.session().execute(db.insert_or_add(AreaCount, "things"), [
            {**dict(zip(KEYS, key, strict=True)), "things": found[key]} for key in sorted(found)])
    if emptied := [key for key, more in sorted(found.items()) if more < 0]:
        for area in sorted({key[0] for key in emptied}):
            kinds, months = ({key[at] for key in emptied if key[0] == area} for at in (1, 3))
            db.session().execute(delete(COUNTS).where(
                COUNTS.c.area_id == area, COUNTS.c.kind.in_(kinds), COUNTS.c.period.in_(months),
                COUNTS.c.things == 0))


def _known(things: Collection[tuple[str, str]]) -> dict[Noted, Trade]:
    """Where and when these things are noted, and what of them."""
    found: dict[Noted, Trade] = {}
    for kind in sorted({kind for kind, _thing in things}):
        for some in db.chunks(sorted(thing for of_kind, thing in things if of_kind == kind)):
            for *key, way, supplier in db.session().execute(
                    select(*(PRESENCE.c[name] for name in NOTED), PRESENCE.c.way, PRESENCE.c.supplier_id)
                    .where(PRESENCE.c.kind == kind, PRESENCE.c.thing.in_(some))):
                found[key[0], key[1], key[2], key[3]] = (way, supplier)
    return found


def areas_of(village_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """By village: the areas in which it counts. A village's own division row never changes its county."""
    found: dict[int, tuple[int, ...]] = {}
    for some in db.chunks(sorted(village_ids)):
        for row in db.session().execute(select(DIVISIONS.c.id, DIVISIONS.c.township_id, DIVISIONS.c.county_id)
                                        .where(DIVISIONS.c.id.in_(some))):
            found[row.id] = (*(area for area in row if area is not None), EVERYWHERE_ID)
    return found


def sizes_of(households: Collection[str]) -> dict[str, int]:
    """How many people live in households, by their ids as they are noted; 0 for those unknown."""
    sizes: dict[str, int] = dict.fromkeys(households, 0)
    for some in db.chunks(sorted(map(int, households))):
        sizes.update((str(row.id), row.people) for row in db.session().execute(
            select(HOUSEHOLDS.c.id, HOUSEHOLDS.c.people).where(HOUSEHOLDS.c.id.in_(some))))
    return sizes


def resize(more_people: Mapping[int, int]) -> None:
    """Households have so many more people than before: count them so in every month. The caller alone seals."""
    known = _known({("household", str(number)) for number in more_people})
    changes: Counter[Key] = Counter()
    for area, _kind, thing, way, period, after in _steps(known, areas_of({key[0] for key in known})):
        changes[area, "people", way, period, after] += more_people[int(thing)]
    _add(changes)


# ---- all at once ----------------------------------------------------------------------------------------------------


def fill() -> None:
    """Write every count anew from what is noted, in the caller's transaction, in which nobody else seals."""
    db.session().execute(delete(COUNTS))
    for query in _queries():
        db.session().execute(insert(COUNTS).from_select([*KEYS, "things"], query))


def recounted() -> Any:
    """What the presence gives for AreaCount as a whole."""
    return union_all(*_queries())


def _queries() -> Iterator[Any]:
    for level in ("village", "township", "county", "everywhere"):
        yield from (_level_counts(level), _level_people(level))
    sold = select(PRESENCE.c.supplier_id.label("area_id"), literal("sold").label("kind"), literal("").label("way"),
                  PRESENCE.c.thing, PRESENCE.c.period).distinct().where(PRESENCE.c.supplier_id.is_not(None))
    yield _counted(_months(sold))


def note_from_transfers() -> None:
    """Note what sealed transfers themselves name (ledger_frame.plain_things), by SQL, as sealing them would have.

    For ledgers written without documents: goods and the growers of lots stand in other tables. A thing is counted first
    by the closing that followed the block which brought it.
    """
    for event, counted in COUNTED.items():
        for kind, column in counted:
            thing = cast(TRANSFERS.c[column], Text)
            first = (
                select(TRANSFERS.c.village_id, TRANSFERS.c.period, thing.label("thing"),
                       func.min(TRANSFERS.c.block_no).label("block_no"))
                .where(TRANSFERS.c.block_no.is_not(None), TRANSFERS.c.village_id.is_not(None),
                       TRANSFERS.c.event == event, TRANSFERS.c[column].is_not(None))
                .group_by(TRANSFERS.c.village_id, TRANSFERS.c.period, thing).subquery())
            closings = select(func.count()).where(
                ACTS.c.period == first.c.period, ACTS.c.number % 2 == 1,
                ACTS.c.head_number < first.c.block_no).scalar_subquery()
            db.session().execute(insert(PRESENCE).from_select(
                ["village_id", "period", "kind", "thing", "closing"],
                select(first.c.village_id, first.c.period, literal(kind), first.c.thing, closings + 1)))
    _note_trade()


def _note_trade() -> None:
    """Say of every order what the last goods say that a village's month accepted of it."""
    month = (TRANSFERS.c.village_id, TRANSFERS.c.period, TRANSFERS.c.order_ref)
    way = func.coalesce(TRANSFERS.c.unit_type, "") + " " + func.coalesce(TRANSFERS.c.method, "")
    place = func.row_number().over(partition_by=month,
                                   order_by=(TRANSFERS.c.block_no.desc(), TRANSFERS.c.id.desc())).label("place")
    last = (
        select(*month, way.label("way"), TRANSFERS.c.supplier_id, place)
        .where(TRANSFERS.c.block_no.is_not(None), TRANSFERS.c.village_id.is_not(None), TRANSFERS.c.event == "accepted",
               TRANSFERS.c.backward == false(), TRANSFERS.c.order_ref.is_not(None)).subquery())
    db.session().execute(
        update(PRESENCE).values(way=last.c.way, supplier_id=last.c.supplier_id)
        .where(PRESENCE.c.village_id == last.c.village_id, PRESENCE.c.period == last.c.period,
               PRESENCE.c.kind == "order", PRESENCE.c.thing == last.c.order_ref, last.c.place == 1))


def _level_counts(level: str) -> Any:
    """What the presence gives for every area of a level, people left out: the columns of AreaCount."""
    return _counted(_months(_seen(level)))


def _level_people(level: str) -> Any:
    """The same for people."""
    months = _months(_seen(level, PRESENCE.c.kind == "household"))
    return (
        select(months.c.area_id, literal("people").label("kind"), months.c.way, months.c.period, months.c.after,
               db.sum_of(HOUSEHOLDS.c.people).label("things"))
        .join(HOUSEHOLDS, HOUSEHOLDS.c.id == cast(months.c.thing, BigInteger))
        .group_by(months.c.area_id, months.c.way, months.c.period, months.c.after))


def _counted(months: Any) -> Any:
    keys = [months.c[name] for name in KEYS]
    return select(*keys, func.count().label("things")).group_by(*keys)


def _seen(level: str, *conditions: Any) -> Any:
    """What the areas of a level saw in which month, each once."""
    thing = (KIND, PRESENCE.c.thing, PRESENCE.c.period)
    if level == "village":
        return select(PRESENCE.c.village_id.label("area_id"), PRESENCE.c.way, *thing).where(*conditions)
    way = func.max(PRESENCE.c.way).label("way")
    if level == "everywhere":
        return select(literal(EVERYWHERE_ID).label("area_id"), way, *thing).where(*conditions).group_by(*thing)
    area = DIVISIONS.c[f"{level}_id"]
    return (select(area.label("area_id"), way, *thing).where(area.is_not(None), *conditions).group_by(area, *thing)
            .join(DIVISIONS, DIVISIONS.c.id == PRESENCE.c.village_id))


def _months(seen: Any) -> Any:
    """Every month of every thing, with the month after."""
    once = seen.subquery()
    after = func.lead(once.c.period, 1, NEVER).over(
        partition_by=(once.c.area_id, once.c.kind, once.c.thing), order_by=once.c.period)
    return select(once.c.area_id, once.c.kind, once.c.way, once.c.thing, once.c.period,
                  after.label("after")).subquery()
