"""Sealing: committed transfers are chained into blocks, dated into a month and added to the roll-ups, all at once.

Hash chain, roll-up and 'what is new' are one mechanism, so no hot row is touched when an order is placed. Rows are
taken because they are unsealed, never because their id is greater than the last: ids are not in commit order.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, update

from market import area_counts, clock, db, faults, filings, heads, ledger_frame, rollups
from market.errors import Conflict
from market.filings import GENESIS
from market.ledger import LedgerBlock, LedgerTransfer, canonical_value, digest_of

SEALER_LOCK = 404_2026  # PostgreSQL advisory lock; any number no other lock of ours has

TRANSFERS = db.table(LedgerTransfer)
# of some villages: those that no block holds stand together in the index on village and month, which is empty yet
UNSEALED = TRANSFERS.c.block_no.is_(None) & TRANSFERS.c.period.is_(None)


def signed(column: Any) -> ColumnElement[int]:
    """A column of amounts beside transfers, below zero where a part is taken back."""
    return case((TRANSFERS.c.backward, -column), else_=column)


def open_month(month: str, closed: Collection[str]) -> str:
    """The month itself, or the first one after it that is not closed.

    >>> open_month("2026-11", {"2026-11", "2026-12"}), open_month("2026-10", {"2026-11"})
    ('2027-01', '2026-10')
    """
    while month in closed:
        year, number = map(int, month.split("-"))
        month = f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"
    return month


def closed_months() -> frozenset[str]:
    """The months that take no more rows: closed, and not reopened since."""
    return db.once_a_moment("closed months", lambda: frozenset(
        month for month, number in filings.last_acts().items() if filings.is_closed(number)))


def seal(limit: int = 5000, wait: bool = False) -> int:
    """Seal at most `limit` committed transfers into one block; returns how many.

    0 when there is nothing to seal, or another sealer is at work and `wait` is off.
    """
    sealed = 0
    if _anything_unsealed():  # a look without a lock: an idle sealer opens no write transaction
        with db.transaction():
            if _is_the_only_sealer(wait):
                sealed = _seal_block(limit)
    heads.keep(ledger_frame.heads_file())
    return sealed


def seal_all() -> int:
    """Seal everything committed by now, in as many blocks as it takes; waits for its turn. Returns how many rows."""
    total = 0
    while sealed := seal(wait=True):
        total += sealed
    return total


def hold_the_sealer() -> None:
    """Nobody else seals, closes or reopens until the caller's transaction ends; waits for its turn."""
    _is_the_only_sealer(wait=True)


def close_month(period: str) -> int:
    """Seal what is there, close a month and file its figures, all in the caller's transaction; returns the number of
    the closing. Rows of the month that come later fall into the first open one. Conflict when it is closed already.
    """
    _seal_before_an_act()
    number = filings.last_acts().get(period, 0)
    if filings.is_closed(number):
        raise Conflict()
    faults.point("month_sealed")
    filings.file(period, number + 1)
    faults.point("month_filed")
    return number + 1


def reopen_month(period: str) -> int:
    """Let a closed month take rows again, in the caller's transaction; returns the number of the act.

    What came late until now stays in the month it fell into. Conflict when the month is open.
    """
    _seal_before_an_act()
    number = filings.last_acts().get(period, 0)
    if not filings.is_closed(number):
        raise Conflict()
    filings.reopen(period, number + 1)
    faults.point("month_reopened")
    return number + 1


def _seal_before_an_act() -> None:
    hold_the_sealer()
    while _seal_block(5000):
        pass


def note_again(lot_ids: Collection[int]) -> set[str]:
    """Households of some lots have been named: count them in the months whose sealed income came from these lots.

    Returns the months. In the caller's transaction, which no sealer overtakes.
    """
    _is_the_only_sealer(wait=True)
    rows = [dict(row) for row in db.session().execute(
        select(TRANSFERS).where(TRANSFERS.c.lot_id.in_(lot_ids), TRANSFERS.c.event == "attributed",
                                TRANSFERS.c.block_no.is_not(None)).order_by(TRANSFERS.c.id)).mappings()]
    periods = {row["id"]: row["period"] for row in rows}
    if rows:
        _note_presence(rows, periods)
    return set(periods.values())


def resize_households(more_people: Mapping[int, int]) -> None:
    """Households have got so many more people (or fewer): all figures count them so, in the caller's transaction.

    The household rows are locked first, then the sealer is held, here as in note_again.
    """
    if changed := {number: more for number, more in more_people.items() if more}:
        hold_the_sealer()
        area_counts.resize(changed)


def rebuild() -> None:
    """Write every roll-up and every count anew, from sealed transfers and what is noted of them; nobody seals then."""
    with db.transaction():
        hold_the_sealer()
        rollups.fill()
        area_counts.fill()


def block_hash(number: int, previous_hash: str, sealed_at: datetime, lines: Iterable[str]) -> str:
    """SHA-256 over the block's head and its rows in id order, each as `line_of` writes it."""
    running = hashlib.sha256(f"1 {number} {previous_hash} {canonical_value(sealed_at)}".encode())
    for line in lines:
        running.update(b"\n" + line.encode())
    return running.hexdigest()


def line_of(digest: str, period: str | None) -> str:
    """A row's line in its block: the digest of what it says, and the month it counts in."""
    return f"{digest} {period}"


def _anything_unsealed() -> bool:
    with db.snapshot() as session:
        return session.scalar(select(TRANSFERS.c.id).where(TRANSFERS.c.block_no.is_(None)).limit(1)) is not None


def _is_the_only_sealer(wait: bool) -> bool:
    """PostgreSQL: an advisory lock until the end of the transaction. On SQLite the write queue has let in just us."""
    if db.dialect() != "postgresql":
        return True
    if wait:
        db.session().execute(select(func.pg_advisory_xact_lock(SEALER_LOCK)))
        return True
    return bool(db.session().scalar(select(func.pg_try_advisory_xact_lock(SEALER_LOCK))))


def _seal_block(limit: int) -> int:
    query = select(TRANSFERS).where(TRANSFERS.c.block_no.is_(None)).order_by(TRANSFERS.c.id).limit(limit)
    rows = [dict(row) for row in db.session().execute(query).mappings()]
    if rows:
        closed = closed_months()
        periods = {row["id"]: open_month(clock.period_of(row["business_date"]), closed) for row in rows}
        number = _add_block(rows, periods)
        _mark(number, periods)
        rollups.add_up(rows, periods)
        _note_presence(rows, periods)
    return len(rows)


def _add_block(rows: ledger_frame.Rows, periods: Mapping[int, str]) -> int:
    session = db.session()
    query = select(LedgerBlock.number, LedgerBlock.hash).order_by(LedgerBlock.number.desc()).limit(1)
    last = session.execute(query).first()
    number, previous = (last.number + 1, last.hash) if last else (1, GENESIS)
    now = clock.now()
    db.insert_rows(LedgerBlock, [{
        "number": number, "previous_hash": previous, "transfer_count": len(rows), "sealed_at": now,
        "hash": block_hash(number, previous, now, (line_of(digest_of(row), periods[row["id"]]) for row in rows)),
    }])
    return number


def _mark(number: int, periods: Mapping[int, str]) -> None:
    """One statement for each month that occurs: nearly always one or two."""
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for transfer_id, period in periods.items():
        ids[period].append(transfer_id)
    for period in sorted(ids):
        db.session().execute(
            update(TRANSFERS).where(TRANSFERS.c.id.in_(ids[period])).values(block_no=number, period=period)
        )


def _note_presence(rows: ledger_frame.Rows, periods: Mapping[int, str]) -> None:
    months = {row["id"]: (row["village_id"], periods[row["id"]]) for row in rows if row["village_id"] is not None}
    acts = filings.last_acts()
    area_counts.note(
        area_counts.found_in(rows, months),
        {period: filings.next_closing(acts.get(period, 0)) for period in set(periods.values())})
