"""The heads of sealed blocks, kept in a file outside the database: against it a cut or rewritten ledger shows."""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from market import db
from market.ledger import LedgerBlock

HEAD = re.compile(r"([1-9][0-9]*):([0-9a-f]{64})")
LINE = re.compile(HEAD.pattern + r" [0-9]+ \S+Z")  # number:hash count time; a torn line does not end in Z


class Head(NamedTuple):
    """A block's number and hash, and where that was kept."""

    number: int
    hash: str
    kept_in: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


def parse(text: str, kept_in: str) -> Head:
    """A head written as NUMBER:HASH; ValueError for anything else."""
    found = HEAD.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    return Head(int(found[1]), found[2], kept_in)


def newest() -> Head | None:
    """The head of the last sealed block, None before the first."""
    query = select(LedgerBlock.number, LedgerBlock.hash).order_by(LedgerBlock.number.desc()).limit(1)
    row = db.session().execute(query).first()
    return Head(row.number, row.hash, "the database") if row else None


def kept(path: Path) -> Iterator[Head]:
    """The heads in a file, oldest first; a line torn by a crash is followed by a whole one and skipped."""
    if not path.exists():
        return
    with open(path, encoding="ascii", errors="replace") as lines:
        for line in lines:
            if found := LINE.fullmatch(line.rstrip("\n")):
                yield Head(int(found[1]), found[2], path.name)


def keep(path: Path) -> None:
    """Append every head that the file does not have yet, durably; also those a crash left out."""
    with db.snapshot() as session:
        newest_number = session.scalar(select(LedgerBlock.number).order_by(LedgerBlock.number.desc()).limit(1)) or 0
    if newest_number <= _last_number(path):
        return
    with open(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(_missing_lines(path))
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _missing_lines(path: Path) -> bytes:
    columns = (LedgerBlock.number, LedgerBlock.hash, LedgerBlock.transfer_count, LedgerBlock.sealed_at)
    query = select(*columns).where(LedgerBlock.number > _last_number(path)).order_by(LedgerBlock.number)
    with db.snapshot() as session:
        lines = [
            f"{row.number}:{row.hash} {row.transfer_count} {row.sealed_at:%Y-%m-%dT%H:%M:%SZ}\n"
            for row in session.execute(query)
        ]
    return ("" if _ends_a_line(path) else "\n").encode() + "".join(lines).encode()


def _last_number(path: Path) -> int:
    whole = [found for line in _tail(path).splitlines() if (found := LINE.fullmatch(line))]
    return int(whole[-1][1]) if whole else 0


def _ends_a_line(path: Path) -> bool:
    return _tail(path)[-1:] in {"", "\n"}


def _tail(path: Path) -> str:
    """The end of the file, long enough for many lines: it grows for years and is looked at every second."""
    if not path.exists():
        return ""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        return file.read().decode("ascii", "replace")


def _sync_folder(folder: Path) -> None:
    """A new file's name is durable once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
