"""History only grows: raw SQL that would change it is refused by the database itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from market import db, journal, ledger, sealing
from market.ledger import Transfer
from market.sealing import TRANSFERS
from tests.attacker import attack
from tests.world import TODAY, World

FIXED = ("ledger_account", "ledger_block", "ledger_period", "journal_entry", "stock_move")
STOCK_MOVE = "INSERT INTO stock_move (id, at, kind, lot_id, on_hand_change_milli, held_change_milli, note) " \
             "VALUES (1, '2026-10-12', 'booked', 1, 1, 0, '')"
# another value of the right type for every column
OTHER = {
    "id": "99", "digest": "'0'", "event": "'returned'", "source": "'other'", "backward": "NOT backward",
    "debit": "'supplier:3'", "credit": "'fees'", "amount_fen": "2", "business_date": "'2026-01-01'",
    "posted_at": "'2026-01-01 00:00:00'", "village_id": "1", "supplier_id": "1", "unit_id": "1", "unit_type": "'x'",
    "method": "'x'", "fund_source": "'x'", "category": "'x'", "certified": "NOT certified", "grams": "7",
    "income_kind": "'wage'", "linkage_id": "1", "household_id": "1", "lot_id": "1", "order_ref": "'x'",
    "line_ref": "'x'", "reverses_id": "1", "block_no": "NULL", "period": "'2026-11'",
}


@contextmanager
def writing() -> Iterator[Connection]:
    with db.transaction() as session:
        yield session.connection()


def refused(statement: str) -> None:
    with pytest.raises(DBAPIError, match="only grows"), writing() as connection:
        connection.execute(text(statement))


@pytest.fixture
def history(world: World) -> World:
    """One sealed and one unsealed transfer, and a row in every table that only grows."""
    post("sealed")
    sealing.seal()
    with db.transaction():
        sealing.close_month("2026-09")
        journal.record("order.accepted", "order", 1, None)
    post("unsealed")
    attack(STOCK_MOVE, guards_off=False)
    return world


def post(source: str) -> None:
    with db.transaction():
        ledger.post([Transfer("accepted", source, "unit:1", "supplier:3", 1, TODAY)])


@pytest.mark.parametrize("which", ["sealed", "unsealed"])
def test_no_column_of_a_transfer_can_be_changed(history: World, which: str) -> None:
    assert set(OTHER) == {column.name for column in TRANSFERS.c}
    for column, value in OTHER.items():
        refused(f"UPDATE ledger_transfer SET {column} = {value} WHERE source = '{which}'")


def test_a_transfer_is_sealed_once_and_says_the_same_afterwards(history: World) -> None:
    refused("UPDATE ledger_transfer SET block_no = 1, period = '2026-10', amount_fen = 5 WHERE source = 'unsealed'")
    with writing() as connection:
        connection.execute(text("UPDATE ledger_transfer SET block_no = 1, period = '2026-10' WHERE source='unsealed'"))
    refused("UPDATE ledger_transfer SET block_no = 1, period = '2026-11' WHERE source = 'unsealed'")
    refused("UPDATE ledger_transfer SET block_no = NULL, period = NULL WHERE source = 'unsealed'")
    refused("UPDATE ledger_transfer SET block_no = 1, period = '2026-10' WHERE source = 'unsealed'")


@pytest.mark.parametrize("table", ["ledger_transfer", *FIXED])
def test_nothing_is_deleted(history: World, table: str) -> None:
    refused(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", FIXED)
def test_nothing_written_once_is_changed(history: World, table: str) -> None:
    first = {"ledger_account": "name", "ledger_block": "number", "ledger_period": "period"}.get(table, "id")
    refused(f"UPDATE {table} SET {first} = {first}")


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["ledger_transfer", *FIXED])
def test_nothing_is_emptied(history: World, table: str) -> None:
    refused(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_an_upsert_changes_nothing(history: World) -> None:
    refused("INSERT INTO ledger_account (name, kind) VALUES ('unit:1', 'fees') "
            "ON CONFLICT (name) DO UPDATE SET kind = 'fees'")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("key", ["id", "source"])
def test_insert_or_replace_is_refused(history: World, key: str) -> None:
    columns = [column.name for column in TRANSFERS.c]
    values = ["amount_fen + 1" if name == "amount_fen" else "id + 100" if (name, key) == ("id", "source") else
              "source || 'x'" if (name, key) == ("source", "id") else name for name in columns]
    refused(f"INSERT OR REPLACE INTO ledger_transfer ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} FROM ledger_transfer WHERE source = 'sealed'")
    refused("INSERT OR REPLACE INTO ledger_account (name, kind) VALUES ('unit:1', 'fees')")
    refused("REPLACE INTO ledger_block SELECT number, previous_hash, 'x', transfer_count, sealed_at FROM ledger_block")
    refused("UPDATE OR REPLACE ledger_transfer SET source = 'sealed' WHERE source = 'unsealed'")
