"""The filed figures of closed months: rendered to the byte when a month is closed, and alike whenever rendered again.

What stands in them can no longer change: sums of sealed transfers, things counted in them, and the places as their own
division rows say (renaming, merging and moving a village opens a new row). Household sizes and today's names do not.
"""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import func, select

from market import clock, db
from market.errors import N_, NotFound
from market.ledger import LedgerBlock, LedgerPeriod, LedgerTransfer
from market.places import Division
from market.problem import Problem
from market.village_months import FIGURES, PRESENCE_KINDS, VillageMonth, VillagePresence, add_to, figures_of

GENESIS = "0" * 64
COLUMNS = ("month", "level", "code", "path", "place", *FIGURES, *(f"{kind}s" for kind in PRESENCE_KINDS))
LEVELS = ("village", "township", "county", "city")
ACTS = db.table(LedgerPeriod)
TRANSFERS = db.table(LedgerTransfer)
MONTHS = db.table(VillageMonth)
PRESENCE = db.table(VillagePresence)
SUMMED_BY = ("village_id", "event", "backward", "income_kind", "certified")

Sums = dict[int, dict[str, int]]  # by division id
Things = dict[int, dict[str, set[str]]]


# ---- acts on months -------------------------------------------------------------------------------------------------


def last_acts() -> dict[str, int]:
    """By month the number of its last act; months never closed are not there."""
    query = select(ACTS.c.period, func.max(ACTS.c.number)).group_by(ACTS.c.period)
    return {row[0]: row[1] for row in db.session().execute(query)}


def is_closed(number: int) -> bool:
    """Whether a month whose last act has this number is closed."""
    return number % 2 == 1


def closing_of(number: int) -> int:
    """Which closing of its month an act is, or follows: acts 1, 2, 3 are the first, the first, the second."""
    return (number + 1) // 2


def next_closing(number: int) -> int:
    """The closing that will be the first to count what is noted after the month's last act.

    >>> [next_closing(number) for number in (0, 1, 2, 3)]
    [1, 2, 2, 3]
    """
    return closing_of(number) + 1


def file(period: str, number: int) -> None:
    """Render a month and keep what was rendered, with the head of the chain. The caller alone seals, and has sealed."""
    content = _render(period, closing_of(number), _rolled_up(period))
    _write(period, number, content)


def reopen(period: str, number: int) -> None:
    """Keep that a month takes rows again. The caller alone seals, and has sealed."""
    _write(period, number, None)


def _write(period: str, number: int, content: str | None) -> None:
    head = db.session().execute(
        select(LedgerBlock.number, LedgerBlock.hash).order_by(LedgerBlock.number.desc()).limit(1)).first()
    db.insert_rows(LedgerPeriod, [{
        "period": period, "number": number, "at": clock.now(), "filed": content,
        "sha256": None if content is None else sha256_of(content),
        "head_number": head.number if head else 0, "head_hash": head.hash if head else GENESIS,
    }])


def sha256_of(content: str) -> str:
    """The checksum of filed figures, as `sha256sum` gives it for the downloaded file."""
    return hashlib.sha256(content.encode()).hexdigest()


# ---- rendering ------------------------------------------------------------------------------------------------------


def render(period: str, closing: int | None = None) -> str:
    """The figures of a month as its last closing, or an earlier one, filed them; read from the ledger, not the file.

    CSV in UTF-8 with LF: every village with figures, then townships, counties and the city; no time stamps. Raises
    NotFound for a closing that has not been.
    """
    db.need_one_moment()
    last = last_acts().get(period, 0)
    closing = closing or closing_of(last)
    if not 0 < closing <= closing_of(last):
        raise NotFound()
    if is_closed(last) and closing == closing_of(last):  # nothing has come into it since
        return _render(period, closing, _rolled_up(period))
    head = db.session().scalars(
        select(ACTS.c.head_number).where(ACTS.c.period == period, ACTS.c.number == 2 * closing - 1)).one()
    return _render(period, closing, _summed(period, head))


def _render(period: str, closing: int, figures: Sums) -> str:
    things = _things(period, closing)
    above = _places_above(figures.keys() | things.keys())
    sums: dict[tuple[str, int], dict[str, int]] = {}
    counted: defaultdict[tuple[str, int], defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for village, places in above.items():
        for level, place in places.items():
            key = (level, place.id)
            add_to(sums, key, figures.get(village, {}))
            for kind, of_kind in things.get(village, {}).items():
                counted[key][kind] |= of_kind
    named = {place.id: place for places in above.values() for place in places.values()}
    return _as_csv([
        (period, level, named[place].code, named[place].path, place,
         *(sums[level, place][name] for name in FIGURES),
         *(len(counted[level, place][kind]) for kind in PRESENCE_KINDS))
        for level, place in sorted(sums, key=lambda key: (LEVELS.index(key[0]), named[key[1]].code, key[1]))])


def _as_csv(rows: Iterable[Iterable[Any]]) -> str:
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(rows)
    return written.getvalue()


def _rolled_up(period: str) -> Sums:
    """What the roll-up says: the audit compares it with the transfers."""
    rows = db.session().execute(select(MONTHS).where(MONTHS.c.period == period)).mappings()
    return {row["village_id"]: {name: row[name] for name in FIGURES} for row in rows}


def _summed(period: str, head: int) -> Sums:
    """What the transfers say that were sealed by then, up to a block: for a month that has grown since."""
    keys = [TRANSFERS.c[name] for name in SUMMED_BY]
    query = (
        select(*keys, *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
        .where(TRANSFERS.c.period == period, TRANSFERS.c.block_no <= head, TRANSFERS.c.village_id.is_not(None))
        .group_by(*keys))
    sums: Sums = {}
    for row in db.session().execute(query).mappings():
        if figures := figures_of(row):
            add_to(sums, row["village_id"], figures)
    return sums


def _things(period: str, closing: int) -> Things:
    found: defaultdict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    query = select(PRESENCE.c.village_id, PRESENCE.c.kind, PRESENCE.c.thing).where(
        PRESENCE.c.period == period, PRESENCE.c.closing <= closing)
    for village, kind, thing in db.session().execute(query):
        found[village][kind].add(thing)
    return dict(found)


def _places_above(villages: Iterable[int]) -> dict[int, dict[str, Any]]:
    """By village: the village, its township, county and city, each as its division row says."""
    rows = _divisions(villages)
    upper = _divisions({row.township_id for row in rows.values()} | {row.county_id for row in rows.values()})
    cities = _divisions({row.parent_id for row in upper.values()})
    found: dict[int, dict[str, Any]] = {}
    for village, row in rows.items():
        county = upper.get(row.county_id)
        places = (row, upper.get(row.township_id), county, cities.get(county.parent_id) if county else None)
        found[village] = {level: place for level, place in zip(LEVELS, places, strict=True) if place is not None}
    return found


def _divisions(ids: Iterable[int | None]) -> dict[Any, Any]:
    ordered = sorted(number for number in set(ids) if number is not None)
    found: dict[Any, Any] = {}
    for some in db.chunks(ordered):
        found |= {row.id: row for row in db.session().execute(
            select(Division.id, Division.code, Division.path, Division.parent_id, Division.township_id,
                   Division.county_id).where(Division.id.in_(some)))}
    return found


# ---- what was filed -------------------------------------------------------------------------------------------------


def filed(period: str, closing: int) -> Any:
    """One closing with the figures it filed. Raises NotFound."""
    row = db.session().execute(
        select(ACTS).where(ACTS.c.period == period, ACTS.c.number == 2 * closing - 1)).first()
    if row is None:
        raise NotFound()
    return row


def rows_of(content: str) -> dict[tuple[str, str], dict[str, str]]:
    """Filed figures by (level, place)."""
    return {(row["level"], row["place"]): row for row in csv.DictReader(io.StringIO(content))}


def changes(before: str, after: str) -> Iterator[tuple[Mapping[str, str], str, int, int]]:
    """What a later filing says otherwise than an earlier one: the place's row, column, figure before and after."""
    earlier, later = rows_of(before), rows_of(after)
    for key in sorted(earlier.keys() | later.keys(), key=lambda key: (LEVELS.index(key[0]), int(key[1]))):
        old, new = earlier.get(key), later.get(key)
        for column in COLUMNS[5:]:
            first, second = (int(row[column]) if row else 0 for row in (old, new))
            if first != second:
                yield new or old or {}, column, first, second


def problems() -> Iterator[Problem]:
    """Filed figures that were changed, or that the ledger no longer gives; heads and acts that do not follow."""
    heads = select(LedgerBlock.number, LedgerBlock.hash).where(
        LedgerBlock.number.in_(select(ACTS.c.head_number))).subquery()
    acts = db.session().execute(
        select(ACTS.c.period, ACTS.c.number, ACTS.c.head_number, ACTS.c.head_hash, heads.c.hash)
        .outerjoin(heads, heads.c.number == ACTS.c.head_number).order_by(ACTS.c.period, ACTS.c.number)).all()
    expected: dict[str, int] = {}
    for act in acts:
        expected[act.period] = expected.get(act.period, 0) + 1
        if act.number != expected[act.period]:
            yield Problem(N_("Month %(month)s: an act before number %(number)s is missing."), month=act.period,
                          number=act.number)
            expected[act.period] = act.number
        if (act.hash or GENESIS) != act.head_hash:
            yield Problem(N_("Month %(month)s, act %(number)s names block %(block)s with another hash than it has."),
                          month=act.period, number=act.number, block=act.head_number)
        if is_closed(act.number):
            yield from _filing_problems(act.period, closing_of(act.number))


def _filing_problems(period: str, closing: int) -> Iterator[Problem]:
    kept = filed(period, closing)
    if sha256_of(kept.filed) != kept.sha256:
        yield Problem(N_("Month %(month)s, closing %(closing)s: the filed figures do not give their checksum."),
                      month=period, closing=closing)
    if render(period, closing) != kept.filed:
        yield Problem(N_("Month %(month)s, closing %(closing)s: rendered again, the figures differ from those filed."),
                      month=period, closing=closing)
