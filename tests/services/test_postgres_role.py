"""The application's role on a real PostgreSQL: it works with it, and cannot undo history."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from market import audit, db, figures, journal, ledger, ledger_frame, sealing
from market.ledger import Transfer
from market.places import Division
from tests import databases
from tests.bare_ledger import by_itself
from tests.world import TODAY
from wsgi import create_app

SCRIPT = Path(__file__).parents[2] / "deploy" / "postgres-role.sql"
APPEND_ONLY = ("ledger_transfer", "ledger_account", "ledger_block", "ledger_period", "journal_entry", "stock_move")

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


@pytest.fixture
def site(backend: str, database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The site, logged in as the application's role."""
    owner = database_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(owner) as connection:
        for _twice in range(2):  # it is run again after every migration
            connection.execute(SCRIPT.read_text())  # type: ignore[arg-type]  # our own file
    url = make_url(database_url).set(username="sijin_app").render_as_string(hide_password=False)
    app = create_app(databases.settings(url, data_dir))
    by_itself(app, monkeypatch)
    with app.app_context():
        assert db.session().scalar(text("SELECT current_user")) == "sijin_app"
        yield app
        db.db.session.remove()
        db.db.engine.dispose()


def test_it_posts_seals_reports_and_audits(site: Flask) -> None:
    village = db.session().scalar(select(Division.id).where(Division.level == "village").limit(1))
    post("a", village)
    with db.transaction():
        journal.record("order.accepted", "order", 1, None)
    assert sealing.seal() == 1
    post("b", village)
    with db.snapshot():
        assert figures.total_of(figures.village_figures("2026-10", "2026-10"))["accepted_fen"] == 20
    with db.transaction():
        sealing.close_month("2026-10")
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


def test_it_can_undo_nothing(site: Flask) -> None:
    post("a", None)
    sealing.seal()
    forbidden = [
        *(f"DELETE FROM {table}" for table in APPEND_ONLY),
        *(f"TRUNCATE {table} CASCADE" for table in APPEND_ONLY),
        *(f"DROP TABLE {table} CASCADE" for table in APPEND_ONLY),
        *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in APPEND_ONLY),
        *(f"DROP TRIGGER {table}_grows ON {table}" for table in APPEND_ONLY),
        "UPDATE ledger_transfer SET amount_fen = 1",
        "UPDATE ledger_transfer SET digest = '0', block_no = 1, period = '2026-10'",
        "UPDATE ledger_account SET kind = 'fees'",
        "UPDATE ledger_block SET hash = '0'",
        "UPDATE ledger_period SET period = '2026-01'",
        "UPDATE journal_entry SET action = 'x'",
        "UPDATE stock_move SET held_change_milli = 0",
        "UPDATE alembic_version SET version_num = '0'",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE INDEX mine ON ledger_transfer (id)",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "SET session_replication_role = replica",
    ]
    for statement in forbidden:
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), db.transaction() as session:
            session.execute(text(statement))


def post(source: str, village: int | None) -> None:
    with db.transaction():
        ledger.post([Transfer("accepted", source, "unit:1", "supplier:3", 10, TODAY, village_id=village)])
