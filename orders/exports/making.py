"""Making a file: first all rows are read at one moment into a file of our own, then that is written out as asked.

Once the rows are read the outcome is fixed: whoever goes on after a maker that died writes the same bytes, whatever has
happened on the site since. Killed while reading, the next one reads anew; where nothing was written down in between
it is the same moment still, else the file tells the new one. The snapshot is open while rows are read, not while they
are written: at most LONGEST.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from market import clock, db, faults, heads, sheets
from market.errors import N_, Conflict
from market.journal import JournalEntry
from market.sealing import TRANSFERS
from orders.exports.models import ExportFile
from orders.reports import frame
from orders.reports.frame import Asked, Content, Report, Row
from orders.reports.readers import Area, Reader

EVERY = 2000  # rows between two words of the maker
LONGEST = timedelta(minutes=10)
ROWS, HEAD = "rows.jsonl", "head.json"
Tell = Callable[..., None]


class TooLong(Conflict):
    """A snapshot that stays open keeps the database from tidying up."""

    code = "export_too_long"
    text = N_("Reading these rows takes longer than %(minutes)s minutes. Please ask for fewer months or a smaller "
              "place.")


@dataclass(frozen=True)
class Made:
    """A finished file."""

    path: Path
    size_bytes: int
    sha256: str
    rows: int


# ---- reading --------------------------------------------------------------------------------------------------------


def read(row: ExportFile, report: Report, asked: Asked, reader: Reader, spool: Path, demo: bool, tell: Tell) -> None:
    """All rows and what stands around them into a folder, at one moment. `tell` runs in a transaction of its own.

    Raises what the report refuses, and TooLong.
    """
    spool.mkdir(parents=True)
    with open(spool / ROWS, "w", encoding="utf-8") as target:
        found = frame.fill(replace(report, read=_reading(row, report, target, tell)), asked, reader, demo)
        filled = replace(found, made_at=row.made_at or found.made_at)
        table = frame.as_table(filled)
        keys = [column.key for column in filled.content.columns]
        if report.rows_of is None:
            _spool((dict(enumerate(cells)) for cells in table.rows), target, tell, bounded=False)
            keys = [str(at) for at in range(len(table.headings))]
        _to_disk(target)
    head = {"keys": keys, "headings": [asdict(heading) for heading in table.headings],
            "totals": list(table.totals) if table.totals else None, "above": list(table.above),
            "below": list(table.below), "made_at": filled.made_at.isoformat(), "name": filled.file_name}
    with open(spool / HEAD, "w", encoding="utf-8") as target:
        json.dump(head, target, ensure_ascii=False)
        _to_disk(target)


def _reading(row: ExportFile, report: Report, target: Any,
             tell: Tell) -> Callable[[Asked, Area, Reader], Content]:
    """The report's own reading, within whose snapshot the moment is fixed and long rows are put down."""

    def read_all(asked: Asked, area: Area, reader: Reader) -> Content:
        row.made_at, row.mark = moment(row)
        tell(done=0, whole=0, made_at=row.made_at, mark=row.mark)
        content = report.read(asked, area, reader)
        if report.rows_of is not None:
            content.rows = []
            _spool((_shown(content, one) for one in report.rows_of(asked, area, reader)), target, tell, bounded=True)
        return content

    return read_all


def moment(row: ExportFile) -> tuple[datetime, str]:
    """The moment to be told and what the site holds now: a former maker's moment where it held the same on that day."""
    session = db.session()
    mark = "/".join(str(part) for part in (
        heads.newest(), session.scalar(select(func.max(TRANSFERS.c.id))), session.scalar(
            select(func.max(JournalEntry.id)))))
    now = clock.now()
    if row.made_at is not None and row.mark == mark and clock.business_date(row.made_at) == clock.business_date(now):
        return row.made_at, mark
    return now, mark


def _shown(content: Content, row: Row) -> dict[str, Any]:
    return {column.key: row.shown(column.key) for column in content.columns}


def _spool(rows: Iterable[dict[Any, Any]], target: Any, tell: Tell, bounded: bool) -> None:
    began = time.monotonic()
    for number, values in enumerate(rows, 1):
        target.write(json.dumps(values, ensure_ascii=False) + "\n")
        if number % EVERY == 0:
            if bounded and time.monotonic() - began > LONGEST.total_seconds():
                raise TooLong(minutes=int(LONGEST.total_seconds()) // 60)
            tell(done=number)
            faults.point("export_reading")


def _to_disk(target: Any) -> None:
    target.flush()
    os.fsync(target.fileno())


# ---- writing --------------------------------------------------------------------------------------------------------


def name_of(spool: Path) -> str:
    """What the file is to be called on its reader's disk, without an ending."""
    return str(json.loads((spool / HEAD).read_text(encoding="utf-8"))["name"])


def write(spool: Path, kind: str, folder: Path, tell: Tell) -> Made:
    """The rows as the file that was asked for, in memory that does not grow with it. Raises sheets.SheetFull."""
    head = json.loads((spool / HEAD).read_text(encoding="utf-8"))
    with open(spool / ROWS, encoding="utf-8") as lines:
        whole = sum(1 for _line in lines)
    table = sheets.Table([sheets.Heading(**heading) for heading in head["headings"]], (), head["totals"],
                         head["above"], head["below"], datetime.fromisoformat(head["made_at"]))
    rows = _rows(spool, head["keys"], whole, tell)
    path = folder / f"table.{kind}"
    with open(path, "w+b") as target:
        if kind == "csv":
            sheets.stream_csv(table, target, rows)
        else:
            sheets.stream_xlsx(table, target, rows, folder)
        _to_disk(target)
        target.seek(0)
        sha256 = hashlib.file_digest(target, "sha256").hexdigest()
    return Made(path, path.stat().st_size, sha256, whole)


def _rows(spool: Path, keys: list[str], whole: int, tell: Tell) -> Iterator[list[Any]]:
    tell(done=0, whole=whole)
    with open(spool / ROWS, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            values = json.loads(line)
            yield [values.get(key) for key in keys]
            if number % EVERY == 0:
                tell(done=number)
                faults.point("export_writing")
    tell(done=whole)
