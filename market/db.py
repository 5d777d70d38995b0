"""The database: Base, column types, and the only place that begins, commits and rolls back.

Edges open `transaction()` once per command; rows are loaded and locked inside it. SQLite writers queue on a
file lock around BEGIN IMMEDIATE (a fair queue; SQLite's own waiting starves writers), readers use plain BEGIN.
PostgreSQL runs READ COMMITTED with row locks in id order.
"""

import fcntl
import sqlite3
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Insert,
    Integer,
    MetaData,
    Table,
    Text,
    event,
    func,
    insert,
    select,
)
from sqlalchemy import cast as sqla_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session, registry
from sqlalchemy.types import TypeDecorator

SAFE_SQLITE = (3, 51, 3)  # earlier versions can corrupt a WAL file when several processes write
WRITE = "sijin_write"
ONE_MOMENT = "sijin_one_moment"
AT_ONCE = 5000  # values in one IN list
Value = TypeVar("Value")


class Moment(TypeDecorator[datetime]):
    """A moment stored as UTC without zone, read back as aware UTC: the same on both databases."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Every table derives from this one."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            int: BigInteger().with_variant(Integer, "sqlite"),
            str: Text,
            datetime: Moment,
        },
    )


def choice(name: str, *values: str) -> Enum:
    """A column that holds one of a few words, checked by the database."""
    return Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


db: SQLAlchemy = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def init_app(app: Flask, data_dir: Path) -> None:
    """Bind the database to the app and set both engines up for safe writing."""
    db.init_app(app)
    data_dir.mkdir(parents=True, exist_ok=True)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, data_dir / "write.lock")
        if sqlite3.sqlite_version_info < SAFE_SQLITE:
            app.logger.info(
                "SQLite %s is older than 3.51.3: writers are kept to one at a time", sqlite3.sqlite_version
            )
    else:
        engine.dialect.use_insertmanyvalues_wo_returning = True  # a list of rows in few statements, not one for each


def _prepare_sqlite(engine: Engine, lock_path: Path) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we begin, not the driver: it would leave a SELECT unprotected
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "recursive_triggers=ON",
        ):
            connection.execute("PRAGMA " + pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    engine.dialect.write_lock = lock_path  # type: ignore[attr-defined]  # read by _queue below


@event.listens_for(Session, "do_orm_execute")
def _read_what_is_locked(state: ORMExecuteState) -> None:
    """Who waits for a row's lock sees the row as it is then, not as it was loaded before."""
    if getattr(state.statement, "_for_update_arg", None) is not None:
        state.update_execution_options(populate_existing=True)


def session() -> Session:
    """The session of this request or command."""
    return db.session()


def dialect() -> str:
    """'sqlite' or 'postgresql'."""
    return db.engine.dialect.name


@contextmanager
def transaction() -> Iterator[Session]:
    """One command, whole or not at all. Ends an open read first; does not nest."""
    current = session()
    if current.info.get(WRITE):
        raise RuntimeError("a transaction is already open: verbs flush, only edges commit")
    current.rollback()
    with _queue(db.engine):
        current.expire_all()  # a row that somebody still holds from before may have changed: it is read again
        current.info[WRITE] = True
        try:
            current.connection(execution_options={WRITE: True})
            yield current
            current.commit()
        except BaseException:
            current.rollback()
            raise
        finally:
            current.info.pop(WRITE)


@contextmanager
def snapshot() -> Iterator[Session]:
    """A read in which every statement sees the same moment. Ends an open read first; does not nest."""
    current = session()
    if {ONE_MOMENT, WRITE} & current.info.keys():
        raise RuntimeError("a snapshot or transaction is already open: a second one would end it")
    current.rollback()
    if dialect() == "postgresql":
        current.connection(
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
    current.info[ONE_MOMENT] = {}
    try:
        yield current
    finally:
        current.info.pop(ONE_MOMENT)
        current.rollback()


def need_one_moment() -> None:
    """Called by reads of several statements that must agree: a RuntimeError outside snapshot() and transaction()."""
    if not {ONE_MOMENT, WRITE} & session().info.keys():
        raise RuntimeError("these figures are read in several statements: open db.snapshot() around them")


def once_a_moment(what: Hashable, read: Callable[[], Value]) -> Value:
    """What `read` gives, read once within a snapshot, where it cannot change; elsewhere read each time."""
    known = session().info.get(ONE_MOMENT)
    if known is None:
        return read()
    if what not in known:
        known[what] = read()
    return cast(Value, known[what])


@contextmanager
def _queue(engine: Engine) -> Iterator[None]:
    """SQLite's writers stand in line; PostgreSQL needs no line."""
    path = getattr(engine.dialect, "write_lock", None)
    if path is None:
        yield
        return
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield  # closing the file leaves the line


def table(entity: type[Base]) -> Table:
    """The Core table of an entity, for statements that read columns and write lists."""
    return cast(Table, entity.__table__)


def columns_of(row: Base) -> dict[str, Any]:
    """The column values of one loaded row."""
    return {column.key: getattr(row, column.key) for column in table(type(row)).c}


def sum_of(column: Any) -> Any:
    """The sum of an integer column, 0 for no rows, as an integer on both databases."""
    return sqla_cast(func.coalesce(func.sum(column), 0), BigInteger)


def chunks(values: Sequence[Value], size: int = AT_ONCE) -> Iterator[Sequence[Value]]:
    """A long list in pieces that one statement can take, in its order.

    >>> [list(some) for some in chunks([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    return (values[start:start + size] for start in range(0, len(values), size))


def insert_rows(entity: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a list of rows in one statement; an empty list writes nothing."""
    if rows:
        session().execute(_insert(entity), rows)


def insert_returning_ids(entity: type[Base], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write a list of rows in few statements and return their ids in the same order."""
    if not rows:
        return []
    if dialect() == "postgresql":
        return list(session().scalars(_insert_returning(entity), rows))
    target = table(entity)  # SQLite would answer row by row; its one writer knows which ids come next
    first = (session().scalar(select(func.max(target.c.id))) or 0) + 1
    insert_rows(entity, [{"id": number, **row} for number, row in enumerate(rows, first)])
    return list(range(first, first + len(rows)))


@cache
def _insert(entity: type[Base]) -> Insert:
    """Built once: making a statement costs more than running it."""
    return insert(table(entity))


@cache
def _insert_returning(entity: type[Base]) -> Any:
    target = table(entity)
    return insert(target).returning(target.c.id, sort_by_parameter_order=True)


def insert_or_add(entity: type[Base], *names: str) -> Any:
    """INSERT that adds its values of these columns to the row which is already there under the primary key."""
    return _insert_or_add(entity, names, dialect())


@cache
def _insert_or_add(entity: type[Base], names: tuple[str, ...], dialect_name: str) -> Any:
    target = table(entity)
    statement: Any = (postgresql.insert if dialect_name == "postgresql" else sqlite.insert)(target)
    return statement.on_conflict_do_update(
        index_elements=[column.name for column in target.primary_key],
        set_={name: target.c[name] + statement.excluded[name] for name in names})


def insert_new(entity: type[Base]) -> Any:
    """INSERT that leaves a row alone which is already there under a unique key."""
    return _insert_new(entity, dialect())


def insert_or_update(entity: type[Base], *keys: str, keep: tuple[str, ...] = ()) -> Any:
    """INSERT that gives a row which is already there under these unique columns the new values of the others.

    Columns to `keep` stay there as they are.
    """
    return _insert_or_update(entity, keys, keep, dialect())


@cache
def _insert_or_update(entity: type[Base], keys: tuple[str, ...], keep: tuple[str, ...], dialect_name: str) -> Any:
    statement: Any = (postgresql.insert if dialect_name == "postgresql" else sqlite.insert)(table(entity))
    others = {c.key: statement.excluded[c.key] for c in table(entity).c if c.key not in {*keys, *keep, "id"}}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


@cache
def _insert_new(entity: type[Base], dialect_name: str) -> Any:
    dialect_insert = postgresql.insert if dialect_name == "postgresql" else sqlite.insert
    return dialect_insert(table(entity)).on_conflict_do_nothing()


def was_undone(error: DBAPIError) -> bool:
    """A deadlock or a serialisation failure: nothing of the transaction counted, so one more try is safe."""
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}


def was_lost(error: DBAPIError) -> bool:
    """The connection broke: if it was at COMMIT, nobody knows whether the transaction counted."""
    return error.connection_invalidated


@event.listens_for(Session, "before_flush")
def _flush_only_in_transaction(current: Session, _context: Any, _instances: Any) -> None:
    if not current.info.get(WRITE) and (current.new or current.dirty or current.deleted):
        raise RuntimeError("a write outside db.transaction()")


@event.listens_for(Session, "do_orm_execute")
def _execute_only_in_transaction(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and not state.session.info.get(WRITE):
        raise RuntimeError("a write outside db.transaction()")
