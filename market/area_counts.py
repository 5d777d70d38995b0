"""Counting things that do not add up: orders, goods, households and their people, co-operatives of an area's months.

village_presence says what occurred in which village's month; area_count (facet_months.AreaCount) says how many of them
were new there, and since when. The sealer keeps it exact, also when a thing turns up in an earlier month than one
that is already counted: the later month's row then names that month as the one before.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import BigInteger, Text, cast, delete, func, insert, literal, select, union_all

from market import db
from market.facet_months import EVERYWHERE_ID, AreaCount
from market.filings import ACTS
from market.households import Household
from market.ledger import LedgerTransfer
from market.ledger_frame import COUNTED
from market.places import Division
from market.village_months import VillagePresence

PRESENCE, COUNTS = db.table(VillagePresence), db.table(AreaCount)
DIVISIONS, HOUSEHOLDS = db.table(Division), db.table(Household)
TRANSFERS = db.table(LedgerTransfer)
KEYS = ("area_id", "kind", "period", "before")
Noted = tuple[int, str, str, str]  # village id, month, kind, thing


# ---- block by block -------------------------------------------------------------------------------------------------


def note(things: Iterable[Noted], closing_of: Mapping[str, int]) -> None:
    """Note things of villages' months, each once, and count those that are new; `closing_of` by month."""
    names = ("village_id", "period", "kind", "thing")
    rows = [dict(zip(names, key, strict=True)) | {"closing": closing_of[key[1]]} for key in sorted(things)]
    if rows:
        columns = [PRESENCE.c[name] for name in names]
        fresh = {tuple(row) for row in db.session().execute(
            db.insert_new(VillagePresence).returning(*columns), rows)}
        _count(fresh)


def _count(fresh: Collection[Noted]) -> None:
    known = list(_known({(kind, thing) for _village, _period, kind, thing in fresh}))
    areas = areas_of({row[0] for row in known})
    old: defaultdict[tuple[int, str, str], set[str]] = defaultdict(set)
    new: defaultdict[tuple[int, str, str], set[str]] = defaultdict(set)
    for row in known:
        village, period, kind, thing = row
        for area in areas[village]:
            (new if row in fresh else old)[area, kind, thing].add(period)
    sizes = _sizes({thing for _village, _period, kind, thing in fresh if kind == "household"})
    changes: Counter[tuple[int, str, str, str]] = Counter()
    for (area, kind, thing), periods in new.items():
        months = sorted(old[area, kind, thing])
        for period in sorted(periods - old[area, kind, thing]):
            for month, before, more in _placed(period, months):
                changes[area, kind, month, before] += more
                if kind == "household":
                    changes[area, "people", month, before] += more * sizes[thing]
    _add(changes)


def _placed(period: str, months: list[str]) -> Iterator[tuple[str, str, int]]:
    """A month placed among others of the same thing: (month, the one before, 1 more or 1 less) of what changes.

    >>> list(_placed("2026-02", ["2026-01", "2026-03"]))
    [('2026-02', '2026-01', 1), ('2026-03', '2026-01', -1), ('2026-03', '2026-02', 1)]
    """
    at = bisect_left(months, period)
    before = months[at - 1] if at else ""
    yield period, before, 1
    if at < len(months):
        yield months[at], before, -1
        yield months[at], period, 1
    insort(months, period)


def _add(changes: Mapping[tuple[int, str, str, str], int]) -> None:
    found = {key: more for key, more in changes.items() if more}
    if found:
        db.session().execute(db.insert_or_add(AreaCount, "things"), [
            {**dict(zip(KEYS, key, strict=True)), "things": found[key]} for key in sorted(found)])
    if emptied := [key for key, more in sorted(found.items()) if more < 0]:
        for area in sorted({key[0] for key in emptied}):
            months = {key[2] for key in emptied if key[0] == area}
            db.session().execute(delete(COUNTS).where(
                COUNTS.c.area_id == area, COUNTS.c.kind.in_({key[1] for key in emptied}),
                COUNTS.c.period.in_(months), COUNTS.c.things == 0))


def _known(things: Collection[tuple[str, str]]) -> Iterator[Noted]:
    """Where and when these things are noted."""
    for kind in sorted({kind for kind, _thing in things}):
        for some in db.chunks(sorted(thing for of_kind, thing in things if of_kind == kind)):
            for row in db.session().execute(
                    select(PRESENCE.c.village_id, PRESENCE.c.period, PRESENCE.c.kind, PRESENCE.c.thing)
                    .where(PRESENCE.c.kind == kind, PRESENCE.c.thing.in_(some))):
                yield tuple(row)


def areas_of(village_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """By village: the areas in which it counts. A village's own division row never changes its county."""
    found: dict[int, tuple[int, ...]] = {}
    for some in db.chunks(sorted(village_ids)):
        for row in db.session().execute(select(DIVISIONS.c.id, DIVISIONS.c.township_id, DIVISIONS.c.county_id)
                                        .where(DIVISIONS.c.id.in_(some))):
            found[row.id] = (*(area for area in row if area is not None), EVERYWHERE_ID)
    return found


def _sizes(households: Collection[str]) -> dict[str, int]:
    sizes: dict[str, int] = dict.fromkeys(households, 0)
    for some in db.chunks(sorted(map(int, households))):
        sizes.update((str(row.id), row.people) for row in db.session().execute(
            select(HOUSEHOLDS.c.id, HOUSEHOLDS.c.people).where(HOUSEHOLDS.c.id.in_(some))))
    return sizes


def resize(more_people: Mapping[int, int]) -> None:
    """Households have so many more people than before: count them so in every month. The caller alone seals."""
    things = {("household", str(number)) for number in more_people}
    known = list(_known(things))
    areas = areas_of({row[0] for row in known})
    months: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for village, period, _kind, thing in known:
        for area in areas[village]:
            months[area, thing].add(period)
    changes: Counter[tuple[int, str, str, str]] = Counter()
    for (area, thing), periods in months.items():
        ordered = sorted(periods)
        for period, before in zip(ordered, ["", *ordered], strict=False):
            changes[area, "people", period, before] += more_people[int(thing)]
    _add(changes)


# ---- all at once ----------------------------------------------------------------------------------------------------


def fill() -> None:
    """Write every count anew from what is noted, in the caller's transaction, in which nobody else seals."""
    db.session().execute(delete(COUNTS))
    for level in LEVELS:
        for query in (level_counts(level), level_people(level)):
            db.session().execute(insert(COUNTS).from_select([*KEYS, "things"], query))


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


LEVELS = ("village", "township", "county", "everywhere")


def level_counts(level: str) -> Any:
    """What the presence gives for every area of a level, people left out: the columns of AreaCount."""
    months = _months(level)
    return select(*(months.c[name] for name in KEYS), func.count().label("things")).group_by(
        *(months.c[name] for name in KEYS))


def level_people(level: str) -> Any:
    """The same for people."""
    months = _months(level, PRESENCE.c.kind == "household")
    return (
        select(months.c.area_id, literal("people").label("kind"), months.c.period, months.c.before,
               db.sum_of(HOUSEHOLDS.c.people).label("things"))
        .join(HOUSEHOLDS, HOUSEHOLDS.c.id == cast(months.c.thing, BigInteger))
        .group_by(months.c.area_id, months.c.period, months.c.before))


def _months(level: str, *conditions: Any) -> Any:
    """Every month of every thing in the areas of a level, with the month before."""
    if level == "village":
        seen = select(PRESENCE.c.village_id.label("area_id"), PRESENCE.c.kind, PRESENCE.c.thing, PRESENCE.c.period)
    elif level == "everywhere":
        seen = select(literal(EVERYWHERE_ID).label("area_id"), PRESENCE.c.kind, PRESENCE.c.thing,
                      PRESENCE.c.period).distinct()
    else:
        area = DIVISIONS.c[f"{level}_id"]
        seen = (select(area.label("area_id"), PRESENCE.c.kind, PRESENCE.c.thing, PRESENCE.c.period).distinct()
                .join(DIVISIONS, DIVISIONS.c.id == PRESENCE.c.village_id).where(area.is_not(None)))
    once = seen.where(*conditions).subquery()
    before = func.lag(once.c.period, 1, "").over(
        partition_by=(once.c.area_id, once.c.kind, once.c.thing), order_by=once.c.period)
    return select(once.c.area_id, once.c.kind, once.c.thing, once.c.period, before.label("before")).subquery()


def recounted() -> Any:
    """What the presence gives for AreaCount as a whole."""
    return union_all(*(query for level in LEVELS for query in (level_counts(level), level_people(level))))
