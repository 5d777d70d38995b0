"""Somebody with the database in his hands: no trigger, foreign key or check stops him. Only the audit can tell."""

import sqlite3

from sqlalchemy import text

from market import db


def attack(*statements: str, guards_off: bool = True) -> None:
    """Run raw SQL past every rule of the database; with `guards_off=False` only past foreign keys."""
    db.session().rollback()
    if db.dialect() == "postgresql":
        with db.db.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement))
        return
    path = db.db.engine.url.database
    assert path is not None
    connection = sqlite3.connect(path, isolation_level=None)
    if guards_off:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def drop_constraint(table: str, name: str) -> None:
    """PostgreSQL only: SQLite's checks are already ignored, its unique indexes cannot be dropped alone."""
    with db.db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))


# what an attacker who rewrites transfers has to empty, too
DERIVED = tuple(f"DELETE FROM {table}" for table in (
    "village_month", "village_month_facet", "county_month_facet", "unit_month", "supplier_month", "area_count",
    "village_presence"))
