"""The only queue: a row written in the transaction of what it tells about, taken by the worker until it is done."""

import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, String, delete, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db
from market.db import Base

LEASE = timedelta(minutes=5)  # a worker that dies gives its row back after this
GIVE_UP_AFTER = 12

Handler = Callable[[dict[str, Any]], None]


class OutboxMessage(Base):
    """Something still to tell. `unique_key`, where given, keeps one waiting message per matter."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index("ix_outbox_message_due", "due_at", sqlite_where=text("done_at IS NULL"),
              postgresql_where=text("done_at IS NULL")),
        Index("uq_outbox_message_waiting", "unique_key", unique=True,
              sqlite_where=text("done_at IS NULL AND attempts = 0"),
              postgresql_where=text("done_at IS NULL AND attempts = 0")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(48))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    unique_key: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    done_at: Mapped[datetime | None]


def enqueue(kind: str, payload: dict[str, Any], unique_key: str | None = None) -> None:
    """Tell the world after the commit: the row goes with the caller's transaction."""
    now = clock.now()
    row = {"kind": kind, "payload": payload, "unique_key": unique_key, "created_at": now, "due_at": now,
           "attempts": 0, "last_error": ""}
    if unique_key is None:
        db.insert_rows(OutboxMessage, [row])
    else:
        db.session().execute(db.insert_new(OutboxMessage), [row])


def drain(handlers: Mapping[str, Handler], limit: int = 50) -> int:
    """Take due messages one by one and hand each to its handler; returns how many were tried.

    A handler opens its own transaction and must be harmless when run twice: a worker may die after the deed.
    """
    tried = 0
    while tried < limit:
        message = _take(list(handlers))
        if message is None:
            break
        tried += 1
        try:
            handlers[message["kind"]](message["payload"])
        except Exception:  # noqa: BLE001 - whatever a handler raises, the message stays and is tried again
            db.session().rollback()
            _postpone(message, traceback.format_exc(limit=3))
        else:
            _finish(message["id"])
    return tried


def age_seconds() -> float:
    """How long the oldest due message has waited."""
    oldest = db.session().scalar(select(func.min(OutboxMessage.due_at)).where(OutboxMessage.done_at.is_(None)))
    return max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0


def sweep(older_than: timedelta = timedelta(days=30)) -> None:
    """Forget messages that were delivered long ago."""
    with db.transaction() as session:
        session.execute(delete(OutboxMessage).where(OutboxMessage.done_at < clock.now() - older_than))


def _take(kinds: list[str]) -> dict[str, Any] | None:
    """Lease the next due message; rivals skip it."""
    due = (
        select(OutboxMessage.id)
        .where(OutboxMessage.done_at.is_(None), OutboxMessage.due_at <= clock.now(), OutboxMessage.kind.in_(kinds))
        .order_by(OutboxMessage.due_at, OutboxMessage.id).limit(1)
    )
    if db.session().scalar(due) is None:  # a look without a lock: an empty queue opens no write transaction
        return None
    with db.transaction() as session:
        found = session.scalar(due.with_for_update(skip_locked=True))
        if found is None:
            return None
        row = session.execute(
            update(OutboxMessage).where(OutboxMessage.id == found)
            .values(due_at=clock.now() + LEASE, attempts=OutboxMessage.attempts + 1)
            .returning(OutboxMessage.id, OutboxMessage.kind, OutboxMessage.payload, OutboxMessage.attempts)
        ).mappings().one()
        return dict(row)


def _finish(message_id: int) -> None:
    with db.transaction() as session:
        session.execute(update(OutboxMessage).where(OutboxMessage.id == message_id).values(done_at=clock.now()))


def _postpone(message: dict[str, Any], error: str) -> None:
    """Wait longer after each failure; after the last one the row stays, an hour at a time, for somebody to see."""
    wait = timedelta(seconds=min(3600, 2 ** min(message["attempts"], GIVE_UP_AFTER)))
    with db.transaction() as session:
        session.execute(
            update(OutboxMessage).where(OutboxMessage.id == message["id"])
            .values(due_at=clock.now() + wait, last_error=error[-2000:])
        )
