"""What the catalogue, the feed and the page list of what was published."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from market import db, paging
from market.errors import NotFound
from market.paging import Page
from orders.opendata import publishing
from orders.opendata.publishing import ENTRIES
from orders.opendata.rendering import status_of
from orders.opendata.sets import BY_NAME, DataSet

FEED_PAGE, MONTHS_PER_PAGE = 100, 24


def known(name: str) -> DataSet:
    """A data set by its name. Raises NotFound."""
    if name not in BY_NAME:
        raise NotFound()
    return BY_NAME[name]


def newest() -> Sequence[Any]:
    """The newest version of every month of every set, the newest months first."""
    return db.session().execute(
        select(ENTRIES).where(ENTRIES.c.id.in_(publishing.newest_ids()))
        .order_by(ENTRIES.c.month.desc(), ENTRIES.c.data_set)).all()


def months(page: int) -> Page:
    """Months, the newest first, each with its entries by name of the set."""
    found: dict[str, dict[str, Any]] = {}
    for row in newest():
        found.setdefault(row.month, {})[row.data_set] = row
    return paging.cut(list(found.items()), page, MONTHS_PER_PAGE)


def feed(since: int, before: int | None) -> dict[str, Any]:
    """Entries after `since`, the newest first, a page of them; `next` is the address of the older ones.

    Who keeps `cursor` and asks with it as `since` the next time gets what is new and nothing twice.
    """
    session = db.session()
    wanted = ENTRIES.c.id > since
    if before is not None:
        wanted &= ENTRIES.c.id < before
    rows = session.execute(select(ENTRIES).where(wanted).order_by(ENTRIES.c.id.desc()).limit(FEED_PAGE + 1)).all()
    current = set(session.scalars(publishing.newest_ids()))
    shown = rows[:FEED_PAGE]
    more = len(rows) > FEED_PAGE
    return {
        "entries": [_entry(row, row.id in current) for row in shown],
        "cursor": session.scalar(select(func.max(ENTRIES.c.id))) or 0,
        "next": f"/open-data/feed.json?since={since}&before={shown[-1].id}" if more else None,
    }


def _entry(row: Any, is_current: bool) -> dict[str, Any]:
    """Of an older version nothing is offered, not even a hash: guesses could be tried against it."""
    return {
        "id": f"{row.data_set}/{row.month}/v{row.version}", "cursor": row.id, "data_set": row.data_set,
        "month": row.month, "version": row.version, "status": status_of(row.closing), "closing": row.closing or None,
        "updated_at": row.published_at.isoformat(timespec="seconds"), "superseded": not is_current,
        "files": files_of(row) if is_current else [],
    }


def files_of(row: Any) -> list[dict[str, Any]]:
    """The files of an entry with their hashes."""
    return [{"format": ending, "href": f"/open-data/{row.data_set}/{row.month}.{ending}",
             "sha256": getattr(row, f"{ending}_sha256"), "bytes": getattr(row, f"{ending}_bytes")}
            for ending in publishing.ENDINGS]
