"""How Alembic reaches our database: through the app's own engine, in batch mode, the same files on both databases."""

import warnings
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.exc import SAWarning

from market import db
from market.db import Base, Moment

# SQLite cannot tell of the index on lower(email); nothing here makes that table anew
warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index", SAWarning)


def render_item(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Migrations stand on their own: our moment is a plain DateTime there."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, Moment) else False


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    return not (kind == "table" and name == "alembic_version")


def foreign_keys(connection: Connection, on: bool) -> None:
    """SQLite changes a table by making it anew, which its own foreign keys would forbid once other rows point at it.

    The pragma is heard between transactions only. Before it is on again, every reference is looked at.
    """
    if connection.dialect.name != "sqlite":
        return
    driver: Any = connection.connection.driver_connection
    broken = driver.execute("PRAGMA foreign_key_check").fetchall() if on else []
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
    if broken:
        raise RuntimeError(f"rows that point nowhere after migrating: {broken[:5]}")


def run() -> None:
    with db.db.engine.connect() as connection:
        foreign_keys(connection, on=False)
        context.configure(
            connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=render_item,
            include_name=include_name, compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        foreign_keys(connection, on=True)


run()
