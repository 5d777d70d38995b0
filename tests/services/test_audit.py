"""The audit finds what somebody with the database in his hands has done, and names it."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from market import audit, db, heads, ledger, ledger_frame, rollups, sealing
from market.audit_documents import _Numbers
from market.heads import Head
from market.ledger import CANONICAL, Transfer, digest_of
from market.problem import Problem
from market.sealing import TRANSFERS
from tests.attacker import DERIVED, attack, drop_constraint
from tests.bare_ledger import by_itself
from tests.world import TODAY, World

# another value of the right type for every column a digest covers
OTHER = {
    "id": "id + 1000", "event": "'allowance'", "source": "'else'", "backward": "NOT backward", "debit": "'unit:9'",
    "credit": "'supplier:9'", "amount_fen": "amount_fen + 1", "business_date": "'2026-10-13'",
    "posted_at": "'2026-10-13 00:00:00'", "village_id": "village_id + 1", "supplier_id": "1", "unit_id": "1",
    "unit_type": "'x'", "method": "'x'", "fund_source": "'x'", "category": "'x'", "certified": "NOT certified",
    "grams": "grams + 1", "income_kind": "'wage'", "linkage_id": "1", "household_id": "1", "lot_id": "1",
    "order_ref": "'x'", "line_ref": "'x'", "reverses_id": "5",
}


class Books:
    """Six transfers in two sealed blocks and two more unsealed, with the documents behind them."""

    def __init__(self, village: int) -> None:
        self.documents = [
            Transfer("accepted", f"part:{n}", "unit:1", "supplier:3", 100 + n, TODAY + timedelta(days=n // 4),
                     village_id=village, grams=500, order_ref=f"D{n}")
            for n in range(1, 9)
        ]
        for begin, end in ((0, 3), (3, 6), (6, 8)):
            with db.transaction():
                ledger.post(self.documents[begin:end])
            if end < 8:
                sealing.seal()
        self.ids = {
            row.source: row.id for row in db.session().execute(select(TRANSFERS.c.source, TRANSFERS.c.id))
        }

    @property
    def sealed(self) -> int:
        return self.ids["part:2"]

    @property
    def unsealed(self) -> int:
        return self.ids["part:8"]


@pytest.fixture
def books(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> Books:
    by_itself(app, monkeypatch)
    made = Books(world.villages["pomelo_home"])
    monkeypatch.setitem(app.extensions, "sijin_checks", [lambda: iter(made.documents)])
    assert found() == []
    return made


@pytest.fixture
def no_documents(app: Flask, books: Books) -> None:
    """Only what the ledger knows by itself."""
    app.extensions["sijin_checks"] = []


def found(*outside: Head) -> list[str]:
    problems = [problem.message() for problem in audit.check(outside, ledger_frame.heads_file())]
    db.session().rollback()
    return problems


def names(problems: list[str], pattern: str) -> bool:
    return any(re.search(pattern, problem) for problem in problems)


# ---- changed rows ---------------------------------------------------------------------------------------------------


def test_every_column_a_digest_covers_is_tried() -> None:
    assert set(OTHER) == set(CANONICAL)


@pytest.mark.parametrize("which", ["sealed", "unsealed"])
def test_a_changed_value_names_its_row_whatever_the_column(books: Books, no_documents: None, which: str) -> None:
    number = getattr(books, which)
    attack(f"CREATE TABLE saved AS SELECT * FROM ledger_transfer WHERE id = {number}")
    for column in CANONICAL:
        attack(f"UPDATE ledger_transfer SET {column} = {OTHER[column]} WHERE id = {number}")
        shown = number + 1000 if column == "id" else number
        problems = found()
        assert names(problems, rf"^Transfer {shown} \(.*was changed"), column
        assert names(problems, "^Block 1 was changed") == (which == "sealed"), column
        attack(f"UPDATE ledger_transfer SET {column} = (SELECT {column} FROM saved) WHERE id = {shown}")
    assert found() == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # PostgreSQL's types refuse them
def test_nonsense_is_named_and_stops_nothing(books: Books) -> None:
    for column in ("event", "business_date", "posted_at", "income_kind", "amount_fen", "reverses_id"):
        attack(f"UPDATE ledger_transfer SET {column} = 'gift' WHERE id = {books.sealed}")
        assert names(found(), rf"^Transfer {books.sealed} \(.*was changed"), column
    attack("UPDATE ledger_block SET sealed_at = 'gift' WHERE number = 2")
    assert names(found(), "^Block 2 was changed")


@pytest.mark.parametrize("which", ["sealed", "unsealed"])
def test_a_changed_row_with_a_right_digest_is_named_by_its_document(books: Books, which: str) -> None:
    number = getattr(books, which)
    rewrite(number, amount_fen=5, village_id=None)
    problems = found()
    assert names(problems, rf"^Transfer {number} .*amount_fen is 5, its document says 10")
    assert names(problems, rf"^Transfer {number} .*village_id is None")
    assert not names(problems, "was changed: it does not match its own digest")
    assert names(problems, "^Block 1 was changed") == (which == "sealed")


def rewrite(number: int, **values: Any) -> None:
    """Change a row and give it the digest of what it says now."""
    row = db.session().execute(select(TRANSFERS).where(TRANSFERS.c.id == number)).mappings().one()
    sets = {**values, "digest": digest_of({**row, **values})}
    attack(f"UPDATE ledger_transfer SET {', '.join(f'{k} = {quoted(v)}' for k, v in sets.items())} WHERE id = {number}")


def quoted(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else f"'{value}'"


# ---- missing, invented, exchanged -----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["sealed", "unsealed"])
def test_a_deleted_row_is_named_by_its_document(books: Books, which: str) -> None:
    attack(f"DELETE FROM ledger_transfer WHERE id = {getattr(books, which)}")
    problems = found()
    assert names(problems, r"^Missing: accepted, part:" + ("2" if which == "sealed" else "8"))
    assert names(problems, "^Block 1 holds 2 transfers; 3 were sealed") == (which == "sealed")


def test_a_deleted_sealed_row_shows_in_its_block_without_documents(books: Books, no_documents: None) -> None:
    attack(f"DELETE FROM ledger_transfer WHERE id = {books.sealed}")
    assert names(found(), "^Block 1 holds 2 transfers; 3 were sealed")
    assert names(found(), r"accepted_fen shows 621, its transfers give 519")


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("right_digest", [True, False])
def test_an_invented_row_is_named(books: Books, sealed: bool, right_digest: bool) -> None:
    columns = [column.name for column in TRANSFERS.c]
    other = {"id": "500", "source": "'gift:1'", **({} if sealed else {"block_no": "NULL", "period": "NULL"})}
    attack(f"INSERT INTO ledger_transfer ({', '.join(columns)}) SELECT "
           f"{', '.join(other.get(name, name) for name in columns)} FROM ledger_transfer WHERE id = {books.sealed}")
    if right_digest:
        rewrite(500)
    problems = found()
    assert names(problems, r"^Transfer 500 \(accepted, gift:1, 102 fen\): no document stands behind it")
    assert names(problems, r"^Transfer 500 .*own digest") != right_digest
    assert names(problems, "^Block 1 holds 4 transfers; 3 were sealed") == sealed


def test_two_exchanged_ids_name_both_rows(books: Books, no_documents: None) -> None:
    for pair in (("part:1", "part:2"), ("part:2", "part:5"), ("part:2", "part:8"), ("part:7", "part:8")):
        one, other = (books.ids[source] for source in pair)
        exchange_ids(one, other)
        problems = found()
        for number in (one, other):
            assert names(problems, rf"^Transfer {number} \(.*was changed"), pair
        exchange_ids(one, other)


def exchange_ids(one: int, other: int) -> None:
    for old, new in ((one, 900), (other, one), (900, other)):
        attack(f"UPDATE ledger_transfer SET id = {new} WHERE id = {old}")


def test_rows_exchanged_between_blocks_show_in_both(books: Books, no_documents: None) -> None:
    one, other = books.ids["part:1"], books.ids["part:5"]
    attack(f"UPDATE ledger_transfer SET block_no = 3 - block_no WHERE id IN ({one}, {other})")
    assert names(found(), "^Block 1 was changed")
    assert names(found(), "^Block 2 was changed")


def test_a_row_moved_into_another_month_shows_in_block_and_figures(books: Books, no_documents: None) -> None:
    attack(f"UPDATE ledger_transfer SET period = '2026-11' WHERE id = {books.sealed}")
    assert names(found(), "^Block 1 was changed")
    assert names(found(), r"2026-11: accepted_fen shows 0, its transfers give 102")


def test_a_row_taken_out_of_its_block_shows(books: Books, no_documents: None) -> None:
    attack(f"UPDATE ledger_transfer SET block_no = NULL, period = NULL WHERE id = {books.sealed}")
    assert names(found(), "^Block 1 holds 2 transfers; 3 were sealed")


def test_a_row_in_a_block_that_does_not_exist_is_named(books: Books, no_documents: None) -> None:
    attack(f"UPDATE ledger_transfer SET block_no = 7, period = '2026-10' WHERE id = {books.unsealed}")
    assert names(found(), rf"^Transfer {books.unsealed} says that it lies in block 7")


def test_the_same_source_twice_is_named(books: Books, no_documents: None) -> None:
    if db.dialect() == "postgresql":
        drop_constraint("ledger_transfer", "uq_ledger_transfer_event_source")
    else:
        without_unique_keys()
    rewrite(books.unsealed, source="part:2")
    assert names(found(), r"^accepted, part:2 was posted 2 times")


def without_unique_keys() -> None:
    """SQLite keeps a unique key in the table itself: copy the rows into a table without."""
    columns = ", ".join(column.name for column in TRANSFERS.c)
    attack("ALTER TABLE ledger_transfer RENAME TO old_transfer",
           f"CREATE TABLE ledger_transfer AS SELECT {columns} FROM old_transfer")


@pytest.mark.parametrize(("sides", "kind", "finding"), [
    ("debit = 'fees'", "NULL", "may not be booked from fees to supplier:3"),
    ("backward = NOT backward", "NULL", "may not be booked"),
    ("debit = debit", "'wage'", "may not carry the kind of income"),
])
def test_a_movement_against_the_rules_is_named(books: Books, sides: str, kind: str, finding: str) -> None:
    attack(f"UPDATE ledger_transfer SET {sides}, income_kind = {kind} WHERE id = {books.unsealed}")
    assert names(found(), rf"^Transfer {books.unsealed}: 'accepted' {finding}")


def test_an_account_of_another_kind_is_named(books: Books) -> None:
    attack("UPDATE ledger_account SET kind = 'fees' WHERE name = 'unit:1'")
    assert names(found(), "^Account unit:1 is kept as 'fees'")


def test_a_reversal_that_is_no_opposite_is_named(books: Books, no_documents: None) -> None:
    with db.transaction():
        ledger.reverse(books.sealed, "undone", date(2026, 11, 1))
    assert found() == []
    undoing = db.session().scalar(select(TRANSFERS.c.id).where(TRANSFERS.c.source == "undone"))
    rewrite(undoing, amount_fen=1)
    assert names(found(), rf"^Transfer {undoing} says that it undoes transfer {books.sealed}, but")


# ---- blocks and heads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["hash = 'f00'", "previous_hash = 'f00'", "transfer_count = 9",
                                    "sealed_at = '2026-01-01 00:00:00'", "number = 9"])
def test_a_changed_block_is_named(books: Books, no_documents: None, change: str) -> None:
    attack(f"UPDATE ledger_block SET {change} WHERE number = 1")
    assert names(found(), r"^Block (1|9) ")


def test_a_cut_tail_shows_against_the_kept_heads(books: Books, no_documents: None) -> None:
    with db.snapshot():
        outside = heads.newest()
    assert outside is not None
    attack("DELETE FROM ledger_transfer WHERE block_no = 2", "DELETE FROM ledger_block WHERE number = 2")
    rebuild_figures()
    assert found() == ["Block 2 is gone: ledger-heads keeps its head."]
    ledger_frame.heads_file().unlink()
    assert found() == []  # the database alone cannot know
    assert found(outside._replace(kept_in="the June report")) == ["Block 2 is gone: the June report keeps its head."]


def test_a_full_rewrite_with_fresh_hashes_shows_against_the_kept_heads(books: Books, no_documents: None) -> None:
    with db.snapshot():
        outside = heads.newest()
    assert outside is not None
    attack(f"DELETE FROM ledger_transfer WHERE id = {books.sealed}",
           "UPDATE ledger_transfer SET block_no = NULL, period = NULL",
           *DERIVED, "DELETE FROM ledger_block")
    ledger_frame.heads_file().rename(ledger_frame.heads_file().with_name("kept"))
    assert sealing.seal(limit=3) == 3
    assert sealing.seal(limit=3) == 3
    ledger_frame.heads_file().with_name("kept").rename(ledger_frame.heads_file())
    assert names(found(), "^Block 1 is not the one that was sealed: ledger-heads keeps another head")
    ledger_frame.heads_file().unlink()
    assert found() == []
    assert names(found(outside), "^Block 2 is not the one that was sealed")


def rebuild_figures() -> None:
    """The attacker mends the roll-ups, too."""
    attack(*DERIVED)
    with db.transaction() as session:
        rows = [dict(row) for row in session.execute(
            select(TRANSFERS).where(TRANSFERS.c.block_no.is_not(None))).mappings()]
        periods = {row["id"]: row["period"] for row in rows}
        rollups.add_up(rows, periods)
        sealing._note_presence(rows, periods)


# ---- what is derived, and what documents say ------------------------------------------------------------------------


@pytest.mark.parametrize(("statement", "finding"), [
    ("UPDATE village_month SET received_fen = 1", r"received_fen shows 1, its transfers give 0"),
    ("DELETE FROM village_month", r"accepted_fen shows 0, its transfers give 621"),
    ("UPDATE village_presence SET thing = 'D77' WHERE thing = 'D2'", r"order D77 is counted, no transfer names it"),
    ("DELETE FROM village_presence WHERE thing = 'D2'", r"order D2 is not counted"),
    ("UPDATE village_presence SET way = 'school fair' WHERE thing = 'D2'",
     r"order D2 is counted as school fair –, its transfers say – –"),
])
def test_changed_figures_are_named(books: Books, statement: str, finding: str) -> None:
    attack(statement)
    assert names(found(), finding)


def test_documents_say_what_is_missing_doubled_and_wrong(app: Flask, books: Books) -> None:
    first = books.documents[0]
    lost = Transfer("received", "receipt:1", "supplier:3", "unit:1", 70, TODAY)
    app.extensions["sijin_checks"] = [lambda: iter(books.documents), lambda: [first, lost, Problem("Order D1: odd.")]]
    problems = found()
    assert problems == [
        "Order D1: odd.",
        f"Transfer {books.ids['part:1']} (accepted, part:1): two documents claim it.",
        "Missing: received, receipt:1, 70 fen was not posted, or was removed.",
    ]


def test_findings_are_limited(books: Books) -> None:
    attack("UPDATE ledger_transfer SET amount_fen = amount_fen + 1")
    assert len(audit.check(limit=3)) == 3


def test_numbers_however_far_apart() -> None:
    numbers = _Numbers()
    for number in (1, 4095, 4096, 10**15):
        numbers.add(number)
    assert all(n in numbers for n in (1, 4095, 4096, 10**15))
    assert not any(n in numbers for n in (0, 2, 4097, 10**15 + 1))


# ---- the commands ---------------------------------------------------------------------------------------------------


def test_the_commands(app: Flask, books: Books) -> None:
    run = app.test_cli_runner().invoke
    sealed = run(args=["ledger", "seal"])
    assert sealed.output.startswith("2 transfers sealed.\nHead 3:")
    head = run(args=["ledger", "head"]).output.removeprefix("Head ").strip()
    clean = run(args=["ledger", "check", "--head", head])
    assert (clean.exit_code, "agrees" in clean.output) == (0, True)
    rewritten = run(args=["ledger", "check", "--head", "3:" + "0" * 64])
    assert rewritten.exit_code == 1
    assert "Block 3 is not the one that was sealed" in rewritten.output
    assert run(args=["ledger", "check", "--head", "nonsense"]).exit_code == 2
    attack("UPDATE ledger_transfer SET amount_fen = amount_fen + 1, grams = 1")
    changed = run(args=["ledger", "check"])
    assert changed.exit_code == 1
    assert re.search(r"Transfer \d+ \(accepted, part:1\) was changed", changed.output)
    assert "… and " in changed.output
