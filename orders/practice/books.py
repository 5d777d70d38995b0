"""What the practice provider remembers: one SQLite file of things as JSON, or one in memory for tests."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from market import clock
from orders.practice.refusing import invalid, missing

Thing = dict[str, Any]
PLATFORM = "acct_practice_platform"  # whose key is used where no account is named
GIVEN = "acct_practice_"  # accounts of this beginning are there, as in the demo world
TABLES = """
CREATE TABLE IF NOT EXISTS thing (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, account TEXT NOT NULL,
    created INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ix_thing ON thing (account, kind, created, seq);
CREATE TABLE IF NOT EXISTS answer (
    account TEXT NOT NULL, key TEXT NOT NULL, asked TEXT NOT NULL, status INTEGER, body TEXT,
    PRIMARY KEY (account, key));
CREATE TABLE IF NOT EXISTS bell (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, body TEXT NOT NULL, due REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ix_bell ON bell (state, due);
"""


_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
_PART = ("SAVEPOINT part_", "RELEASE part_", "ROLLBACK TO part_")


class Books:
    """One connection, one writer: every deed happens whole and alone."""

    def __init__(self, path: Path | None = None) -> None:
        self.moment: datetime | None = None  # set by tests that live on another day
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + TABLES)
        self._connection.execute("DELETE FROM answer WHERE status IS NULL")  # calls that died with the last process

    def now(self) -> int:
        """This moment in seconds."""
        return int((self.moment or clock.now()).timestamp())

    @contextmanager
    def deed(self) -> Iterator[sqlite3.Connection]:
        """Everything inside happens, or nothing; a deed within a deed is part of it."""
        with self._lock:
            begin, keep, undo = _WHOLE if not self._depth else tuple(f"{words}{self._depth}" for words in _PART)
            self._connection.execute(begin)
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                self._connection.execute(undo)
                raise
            else:
                self._connection.execute(keep)
            finally:
                self._depth -= 1

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Read."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def clear(self) -> None:
        """Forget everything."""
        with self.deed() as connection:
            for table in ("thing", "answer", "bell"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed words

    # ---- things -----------------------------------------------------------------------------------------------------

    def add(self, account: str, thing: Thing) -> Thing:
        """Keep a new thing."""
        with self.deed() as connection:
            connection.execute("INSERT INTO thing (id, kind, account, created, body) VALUES (?, ?, ?, ?, ?)",
                               (thing["id"], thing["object"], account, thing["created"], json.dumps(thing)))
        return thing

    def keep(self, thing: Thing) -> Thing:
        """Keep a thing as it stands now."""
        with self.deed() as connection:
            connection.execute("UPDATE thing SET body = ?, created = ? WHERE id = ?",
                               (json.dumps(thing), thing["created"], thing["id"]))
        return thing

    def get(self, account: str, kind: str, thing_id: str) -> Thing:
        """A thing of an account. Refuses what is another's like what is not there."""
        found = self.rows("SELECT body FROM thing WHERE id = ? AND kind = ? AND account = ?", thing_id, kind, account)
        if not found:
            raise missing(kind.replace("checkout.", ""), thing_id)
        return dict(json.loads(found[0]["body"]))

    def owner(self, thing_id: str) -> str:
        """The account that a thing belongs to."""
        found = self.rows("SELECT account FROM thing WHERE id = ?", thing_id)
        if not found:
            raise missing("object", thing_id)
        return str(found[0]["account"])

    def all(self, account: str, kind: str) -> list[Thing]:
        """Everything of a kind in an account, oldest first."""
        return [json.loads(row["body"]) for row in
                self.rows("SELECT body FROM thing WHERE account = ? AND kind = ? ORDER BY seq", account, kind)]

    def page(self, account: str, kind: str, asked: dict[str, Any]) -> tuple[list[Thing], bool]:
        """Newest first: at most `limit` (1 to 100, else 10), within `created`, after `starting_after`; any more?."""
        limit = asked.get("limit", 10)
        if not 1 <= limit <= 100:
            raise invalid("Invalid limit: must be between 1 and 100", "parameter_invalid_integer", "limit")
        created = asked.get("created", {})
        created = {"gte": created, "lte": created} if isinstance(created, int) else created
        where, values = ["account = ?", "kind = ?"], [account, kind]
        for word, sign in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")):
            if word in created:
                where.append(f"created {sign} ?")
                values.append(created[word])
        if "starting_after" in asked:
            last = self.get(account, kind, asked["starting_after"])
            seq = self.rows("SELECT seq FROM thing WHERE id = ?", last["id"])[0]["seq"]
            where.append("(created < ? OR (created = ? AND seq < ?))")
            values += [last["created"], last["created"], seq]
        found = self.rows(f"SELECT body FROM thing WHERE {' AND '.join(where)} "  # noqa: S608 - fixed words
                          "ORDER BY created DESC, seq DESC LIMIT ?", *values, limit + 1)
        return [json.loads(row["body"]) for row in found[:limit]], len(found) > limit


def new_id(prefix: str) -> str:
    """An id as the provider makes them."""
    return f"{prefix}_{secrets.token_hex(12)}"
