"""Long work for one person: asked for on a page, done by the worker, offered as a file to its owner for some days.

The row is the queue: one maker at a time, and a maker that has been silent for long is dead, so that the next one
begins anew. Asking twice for the same joins what runs. Rooms derive their table from LongWork and say what is made.
"""

import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from flask import current_app
from sqlalchemy import ColumnElement, ForeignKey, String, Table, select, update
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db
from market.access import Visitor
from market.db import Base
from market.errors import NotFound

STATES = ("queued", "making", "done", "failed", "expired")
RUNNING = ("queued", "making")
UNFINISHED = "state IN ('queued', 'making')"  # of the unique index over asked_by and subject
KEPT = timedelta(days=7)
SILENT = timedelta(minutes=3)
MOST_TRIES = 3
ORPHAN_SECONDS = 3600


class Overtaken(Exception):
    """Somebody else makes this now, or its owner no longer wants it."""


class LongWork(Base):
    """What the tables have in common. A table adds `subject`, the same for the same question, its `state`, and what
    is asked; a unique index over asked_by and subject WHERE UNFINISHED makes a second asking join the first.
    """

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    asked_at: Mapped[datetime]
    subject: Mapped[str] = mapped_column(String(64))
    state: Mapped[str]
    done: Mapped[int] = mapped_column(default=0)
    whole: Mapped[int] = mapped_column(default=0)
    maker: Mapped[str | None] = mapped_column(String(32))
    told_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    file_name: Mapped[str | None] = mapped_column(String(48))
    size_bytes: Mapped[int | None]


Work = TypeVar("Work", bound=LongWork)


# ---- for whom -------------------------------------------------------------------------------------------------------


def ask(entity: type[Work], subject: str, by: Visitor, about: Mapping[str, Any]) -> tuple[int, bool]:
    """Ask for something, in the caller's transaction: its id, and whether it is new and not one that runs already."""
    row = {"organisation_id": by.organisation_id, "asked_by": by.id, "asked_at": clock.now(), "subject": subject,
           "state": "queued", "done": 0, "whole": 0, "tries": 0, **about}
    while True:
        made = db.session().execute(db.insert_new(entity).returning(_columns(entity).id), [row]).scalar()
        if made is not None:
            return int(made), True
        if (running := running_one(entity, subject, by)) is not None:
            return running, False


def running_one(entity: type[Work], subject: str, by: Visitor) -> int | None:
    """The id of the same that waits or is being made for this person."""
    table = _columns(entity)
    return db.session().scalar(select(table.id).where(
        table.asked_by == by.id, table.subject == subject, table.state.in_(RUNNING)))


def owned_by(entity: type[Work], by: Visitor) -> ColumnElement[bool]:
    """The condition that a row is this person's, acting for the same organisation."""
    table = _columns(entity)
    return cast(ColumnElement[bool], (table.asked_by == by.id) & (table.organisation_id == by.organisation_id))


def owned(entity: type[Work], number: int, by: Visitor) -> Work:
    """One that this person asked for. Raises NotFound."""
    row = db.session().scalar(select(entity).where(entity.id == number, owned_by(entity, by)))
    if row is None:
        raise NotFound()
    return row


def need_offered(row: LongWork) -> None:
    """Raises NotFound where the file is not there yet, or no longer."""
    if row.state != "done" or row.expires_at is None or row.expires_at <= clock.now():
        raise NotFound()


# ---- making ---------------------------------------------------------------------------------------------------------


def folder(name: str) -> Path:
    """Where the finished files of a room lie, and those being made."""
    path: Path = current_app.extensions["sijin"].files_dir / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def make_next(entity: type[Work], make: Callable[[Work], None]) -> bool:
    """Make the oldest that waits; True where there was one. Killed, it is made anew by whoever comes next."""
    if db.session().scalar(select(_columns(entity).id).where(_due(entity)).limit(1)) is None:
        return False  # a look without a lock: an idle worker opens no write transaction
    with db.transaction():
        row = take(entity)
    if row is None:
        return False
    try:
        make(row)
    except Overtaken:
        db.session().rollback()
    return True


def take(entity: type[Work]) -> Work | None:
    """The oldest that waits, for a new maker; None where nothing does. In the caller's transaction.

    The row is let go of the session: reloaded, it would take another maker's name for its own.
    """
    session, table = db.session(), _columns(entity)
    found = session.scalar(
        select(table.id).where(_due(entity)).order_by(table.id).limit(1).with_for_update(skip_locked=True))
    if found is None:
        return None
    session.execute(update(_table(entity)).where(table.id == found).values(
        state="making", maker=secrets.token_hex(16), told_at=clock.now(), done=0, tries=table.tries + 1))
    row = session.get_one(entity, found, populate_existing=True)
    session.expunge(row)
    return row


def change(row: LongWork, **values: Any) -> None:
    """What its maker says of it; every word is a sign of life. Raises Overtaken where it is not theirs any more."""
    table = _columns(type(row))
    changed = db.session().scalar(
        update(_table(type(row))).where(table.id == row.id, table.maker == row.maker, table.state == "making")
        .values(told_at=clock.now(), **values).returning(table.id))
    if changed is None:
        raise Overtaken()


def finished(file_name: str, size_bytes: int) -> dict[str, Any]:
    """What a finished one says of itself: its file, and until when it is offered."""
    now = clock.now()
    return {"state": "done", "finished_at": now, "expires_at": now + KEPT, "file_name": file_name,
            "size_bytes": size_bytes}


@contextmanager
def beside() -> Iterator[None]:
    """A transaction of its own beside a snapshot that stays open: its maker tells how far it is while it reads.

    A further app context has a session, and with it a connection, of its own.
    """
    with current_app.app_context(), db.transaction():
        yield


# ---- forgetting -----------------------------------------------------------------------------------------------------


def forget(entity: type[Work], where: Path) -> None:
    """Offer no more what is past its day, and remove its file; so with what makers that died left behind.

    What a maker works on is named after the row's id ('12.….part'); it stays while that runs.
    """
    table, session = _columns(entity), db.session()
    with db.transaction():
        old = session.execute(select(table.id, table.file_name).where(
            table.state == "done", table.expires_at <= clock.now())).all()
        session.execute(update(_table(entity)).where(table.id.in_([row.id for row in old]))
                        .values(state="expired", file_name=None))
    for row in old:
        (where / row.file_name).unlink(missing_ok=True)
    offered = set(session.scalars(select(table.file_name).where(table.state == "done")))
    running = {str(number) for number in session.scalars(select(table.id).where(table.state.in_(RUNNING)))}
    now = clock.now().timestamp()
    for path in where.iterdir():
        at_work = path.name.partition(".")[0] in running
        if path.name not in offered and not at_work and now - path.stat().st_mtime > ORPHAN_SECONDS:
            remove(path)


def remove(path: Path) -> None:
    """A file or a whole folder; nothing where there is none."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _due(entity: type[Work]) -> ColumnElement[bool]:
    """What waits to be made: asked for, or begun by a maker that is silent."""
    table = _columns(entity)
    return cast(ColumnElement[bool], (table.state == "queued") | (
        (table.state == "making") & (table.told_at < clock.now() - SILENT)))


def _table(entity: type[LongWork]) -> Table:
    return db.table(entity)


def _columns(entity: type[LongWork]) -> Any:
    return db.table(entity).c
