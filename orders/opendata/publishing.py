"""Publishing: the worker tells a month anew where what the public may see of it has changed, and only there.

Only the newest version is offered: of two versions the difference could be one household's. What an official takes
under check, and so from the public page, leaves the files within some turns of the worker.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask_babel import force_locale
from sqlalchemy import func, select, update

from market import clock, db, filings, journal, long_work, page_words
from market.figures import MONTHS
from orders.opendata import rendering
from orders.opendata.models import OpenDataEntry
from orders.opendata.sets import SETS, DataSet, Told
from orders.reports import disclosure
from orders.reports.frame import MOST_MONTHS

PUBLISHED = "open_data.published"
ENTRIES = db.table(OpenDataEntry)
ENDINGS = ("csv", "json")
OPEN_AT_ONCE, CLOSED_AT_ONCE = 6, 3  # months looked at in one turn
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Due:
    """A month that is over: its closing now (0: open), and when all of its sets were last looked at."""

    month: str
    closing: int
    looked_at: datetime
    settled: bool  # closed, and told as closed


def folder() -> Path:
    """Where the newest files lie, under their hashes."""
    return long_work.folder("open-data")


def publish_next() -> bool:
    """Look at some months, those not told yet first; True where such are left."""
    months = list(_due())
    unsettled = sorted((one for one in months if not one.settled), key=lambda one: (one.looked_at, one.month))
    settled = sorted((one for one in months if one.settled), key=lambda one: (one.looked_at, one.month))
    for one in (*unsettled[:OPEN_AT_ONCE], *settled[:CLOSED_AT_ONCE]):
        for data_set in SETS:
            publish(data_set, one.month, one.closing)
    _sweep()
    return any(one.looked_at == NEVER for one in unsettled[OPEN_AT_ONCE:])


def publish(data_set: DataSet, month: str, closing: int) -> bool:
    """Tell a month of a data set; True where it is a new version."""
    demo = page_words.installation_is_demo()
    with force_locale("zh"):
        told = data_set.read(month, demo)
    last = newest_of(data_set.name, month)
    if last is not None and _kept(_files(data_set, month, last.version, closing, told, demo)) == (
            last.csv_sha256, last.json_sha256):
        with db.transaction() as session:
            session.execute(update(ENTRIES).where(ENTRIES.c.id == last.id).values(looked_at=clock.now()))
        return False
    version = (last.version if last is not None else 0) + 1
    files = _files(data_set, month, version, closing, told, demo)
    csv_sha256, json_sha256 = _kept(files)
    with db.transaction() as session:
        number = (session.scalar(select(func.max(ENTRIES.c.id))) or 0) + 1
        made = session.execute(db.insert_new(OpenDataEntry).returning(ENTRIES.c.id), [{
            "id": number, "data_set": data_set.name, "month": month, "version": version, "closing": closing,
            "published_at": clock.now(), "looked_at": clock.now(), "csv_sha256": csv_sha256,
            "csv_bytes": len(files["csv"]), "json_sha256": json_sha256, "json_bytes": len(files["json"])}]).scalar()
        if made is None:  # another worker was faster: the next turn looks again
            return False
        journal.record(PUBLISHED, "open_data", number, None, data_set=data_set.name, month=month, version=version)
    return True


def _files(data_set: DataSet, month: str, version: int, closing: int, told: Told, demo: bool) -> dict[str, bytes]:
    return {"csv": rendering.as_csv(data_set, told),
            "json": rendering.as_json(data_set, month, version, closing, told, demo)}


def _kept(files: Mapping[str, bytes]) -> tuple[str, str]:
    """Hashes of the CSV and the JSON, which lie in the folder by now."""
    return _keep(files["csv"], "csv"), _keep(files["json"], "json")


def newest_of(data_set: str, month: str) -> Any:
    """The newest version of a month, None before the first."""
    return db.session().execute(
        select(ENTRIES).where(ENTRIES.c.data_set == data_set, ENTRIES.c.month == month)
        .order_by(ENTRIES.c.version.desc()).limit(1)).first()


def newest_ids() -> Any:
    """A subquery of the newest versions' ids."""
    return select(func.max(ENTRIES.c.id)).group_by(ENTRIES.c.data_set, ENTRIES.c.month)


def _due() -> Iterator[Due]:
    """Months that are over, from the first with figures on."""
    first = db.session().scalar(select(func.min(MONTHS.c.period)))
    last = disclosure.newest_month()
    if first is None or first > last:
        return
    acts = filings.last_acts()
    rows = db.session().execute(select(ENTRIES).where(ENTRIES.c.id.in_(newest_ids()))).all()
    for month in clock.months_between(first, last)[-MOST_MONTHS:]:
        yield _due_of(month, acts, [row for row in rows if row.month == month])


def _due_of(month: str, acts: Mapping[str, int], told: Sequence[Any]) -> Due:
    number = acts.get(month, 0)
    closing = filings.closing_of(number) if filings.is_closed(number) else 0
    looked_at = min(row.looked_at for row in told) if len(told) == len(SETS) else NEVER
    return Due(month, closing, looked_at, bool(closing) and looked_at > NEVER and
               all(row.closing == closing for row in told))


def _keep(content: bytes, ending: str) -> str:
    """Bytes under their hash; a file that is there already is the same."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder() / f"{sha256}.{ending}"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(path)
    return sha256


def _sweep() -> None:
    """Files of older versions are no longer offered."""
    rows = db.session().execute(select(ENTRIES.c.csv_sha256, ENTRIES.c.json_sha256).where(
        ENTRIES.c.id.in_(newest_ids()))).all()
    kept = {f"{row.csv_sha256}.csv" for row in rows} | {f"{row.json_sha256}.json" for row in rows}
    now = clock.now().timestamp()
    for path in folder().iterdir():
        if path.name not in kept and now - path.stat().st_mtime > long_work.ORPHAN_SECONDS:
            path.unlink(missing_ok=True)
