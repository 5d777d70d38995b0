"""Migrations: from nothing to now, in step with the models, and back to nothing, on both databases."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, select, text

from catalog.models import Product
from market import clock, db
from tests import databases
from tests.trade import Trade
from tests.world import NOON, World
from wsgi import create_app


@pytest.fixture
def empty(backend: str, worker_id: str, tmp_path: Path) -> Iterator[Flask]:
    """A site on a database in which nothing is yet."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    if backend == "postgresql":
        server, name = os.environ["SIJIN_TEST_POSTGRES"], f"sijin_empty_{worker_id}"
        databases.run_on(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
        url = databases.on_database(server, name)
    app = create_app(databases.settings(url, tmp_path))
    with app.app_context():
        yield app
        db.db.session.remove()
        db.db.engine.dispose()


def test_up_in_step_and_down_again(empty: Flask) -> None:
    upgrade()
    assert {"ledger_transfer", "village_month", "village_presence"} <= set(inspect(db.db.engine).get_table_names())
    check()
    with db.transaction() as session:
        session.execute(text("ALTER TABLE village_month DROP COLUMN land_fen"))
    with pytest.raises(SystemExit):  # what a model without its migration would meet
        check()
    downgrade(revision="base")
    assert left_over() == {"alembic_version"}
    upgrade()


def test_a_database_in_use_is_migrated_with_its_rows(world: World) -> None:
    """A table that others point at is made anew on SQLite; its rows and theirs stay."""
    trade = Trade(world)
    with clock.at(NOON):
        product = trade.product("白菜")
        lot = trade.lot(product)
        trade.ship(trade.orders(trade.place({product: 1_000}))[0].id)
    db.session().rollback()
    downgrade(revision="0007")
    upgrade()
    assert trade.stock_of(lot) == (99_000, 0)
    assert db.session().scalars(select(Product.name)).all() == ["白菜"]
    if db.dialect() == "sqlite":
        assert db.session().execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert db.session().execute(text("PRAGMA foreign_key_check")).all() == []


def left_over() -> set[str]:
    """Whatever the database still holds: tables, sequences, functions, triggers."""
    query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_autoindex%'"
    if db.dialect() == "postgresql":
        query = ("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') "
                 "UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    with db.db.engine.connect() as connection:
        return {row[0] for row in connection.exec_driver_sql(query)}
