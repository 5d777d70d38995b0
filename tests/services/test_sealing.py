"""Sealing: blocks, months, roll-ups, presence and the heads kept outside, whole or not at all."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from market import audit, db, figures, heads, ledger, ledger_frame, rollups, sealing
from market.errors import Conflict
from market.figures import Where
from market.filings import GENESIS
from market.ledger import LedgerBlock, Transfer
from market.places import Division
from market.sealing import TRANSFERS
from market.village_months import VillageMonth, VillagePresence
from tests.bare_ledger import by_itself
from tests.world import World

OCTOBER, NOVEMBER = date(2026, 10, 12), date(2026, 11, 3)


@pytest.fixture(autouse=True)
def bare_ledger(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    by_itself(app, monkeypatch)


def accepted(source: str, village: int, amount_fen: int = 1000, day: date = OCTOBER, **more: Any) -> Transfer:
    return Transfer("accepted", source, "unit:1", "supplier:3", amount_fen, day, village_id=village, grams=500, **more)


def attributed(source: str, village: int, amount_fen: int, household_id: int | None = None) -> Transfer:
    return Transfer("attributed", source, "due:3", f"households:{village}", amount_fen, OCTOBER, village_id=village,
                    income_kind="farm_gate", household_id=household_id)


def post(*transfers: Transfer) -> None:
    with db.transaction():
        ledger.post(transfers)


def rolled_up() -> list[dict[str, Any]]:
    query = select(db.table(VillageMonth)).order_by(VillageMonth.village_id, VillageMonth.period)
    return [dict(row) for row in db.session().execute(query).mappings()]


def read(first: str = "2026-10", last: str = "2026-11", **more: Any) -> list[dict[str, Any]]:
    with db.snapshot():
        return figures.village_figures(first, last, **more)


def test_nothing_to_seal_leaves_no_block(world: World) -> None:
    assert sealing.seal() == 0
    assert heads.newest() is None
    assert not ledger_frame.heads_file().exists()


def test_sealing_dates_rows_chains_blocks_and_adds_up(world: World) -> None:
    home, following = world.villages["pomelo_home"], world.villages["pomelo_next"]
    post(accepted("a", home, certified=True), accepted("b", following, 700), attributed("a", home, 300))
    assert sealing.seal(limit=2) == 2
    assert sealing.seal(limit=2) == 1
    assert sealing.seal() == 0
    blocks = db.session().scalars(select(LedgerBlock).order_by(LedgerBlock.number)).all()
    assert [(b.number, b.transfer_count) for b in blocks] == [(1, 2), (2, 1)]
    assert blocks[0].previous_hash == GENESIS
    assert blocks[1].previous_hash == blocks[0].hash
    rows = {row["village_id"]: row for row in rolled_up()}
    assert rows[home]["accepted_fen"] == rows[home]["certified_fen"] == 1000
    assert rows[home]["farm_gate_fen"] == 300
    assert rows[following]["accepted_fen"] == 700
    assert rows[following]["certified_fen"] == 0
    assert {row["period"] for row in rows.values()} == {"2026-10"}
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


def test_a_later_block_adds_to_the_month_it_finds(world: World) -> None:
    home = world.villages["pomelo_home"]
    for number in range(3):
        post(accepted(f"a{number}", home, 100))
        sealing.seal()
    assert [row["accepted_fen"] for row in rolled_up()] == [300]


def test_what_is_taken_back_counts_negative(world: World) -> None:
    home = world.villages["pomelo_home"]
    post(accepted("a", home, 1000, certified=True), attributed("a", home, 400))
    first = db.session().scalar(select(TRANSFERS.c.id).where(TRANSFERS.c.event == "accepted"))
    with db.transaction():
        ledger.reverse(first, "a undone", NOVEMBER)
    post(Transfer("withdrawn", "w", f"households:{home}", "due:3", 150, NOVEMBER, village_id=home,
                  income_kind="farm_gate"))
    before = read(by_period=True)
    sealing.seal_all()
    assert read(by_period=True) == before
    october, november = before
    assert (october["accepted_fen"], november["accepted_fen"]) == (1000, -1000)
    assert november["accepted_grams"] == -500
    assert november["certified_fen"] == -1000
    assert (october["farm_gate_fen"], november["farm_gate_fen"]) == (400, -150)


def test_rows_of_a_closed_month_fall_into_the_first_open_one(world: World) -> None:
    home = world.villages["pomelo_home"]
    post(accepted("early", home, 100))
    with db.transaction():
        sealing.close_month("2026-10")
    assert read("2026-10", "2026-10")[0]["accepted_fen"] == 100  # closing sealed first
    with db.transaction():
        sealing.close_month("2026-11")
    post(accepted("late", home, 7))
    assert read("2026-10", "2026-11")[0]["accepted_fen"] == 100
    assert read("2026-12", "2026-12")[0]["accepted_fen"] == 7
    sealing.seal()
    assert [(row["period"], row["accepted_fen"]) for row in rolled_up()] == [("2026-10", 100), ("2026-12", 7)]
    with pytest.raises(Conflict), db.transaction():
        sealing.close_month("2026-10")


def test_money_without_a_village_is_sealed_and_feeds_no_village(world: World) -> None:
    post(Transfer("received", "ahead", "supplier:3", "unit:1", 500, OCTOBER))
    assert read() == []
    assert sealing.seal() == 1
    assert rolled_up() == []
    assert audit.check() == []


def test_figures_of_a_county_a_township_and_a_list_of_villages(world: World) -> None:
    home, greens = world.villages["pomelo_home"], world.villages["greens_home"]
    post(accepted("a", home, 100))
    sealing.seal()
    post(accepted("b", greens, 50), accepted("c", home, 1))
    division = db.session().get_one(Division, home)
    assert [row["village_id"] for row in read()] == sorted([home, greens])
    assert figures.total_of(read())["accepted_fen"] == 151
    for where in (Where(county_id=division.county_id), Where(township_id=division.township_id)):
        assert [(row["village_id"], row["accepted_fen"]) for row in read(where=where)] == [(home, 101)]
    assert [r["accepted_fen"] for r in read(where=Where(village_ids=[greens]))] == [50]
    assert read(where=Where(village_ids=[])) == []


def test_things_are_counted_once_sealed_or_not(world: World) -> None:
    home, following = world.villages["pomelo_home"], world.villages["pomelo_next"]
    household = world.household_id("DEMO-JY-0001")
    post(accepted("a", home, order_ref="D1"), accepted("b", following, order_ref="D1"))
    sealing.seal()
    post(accepted("c", home, order_ref="D1"), accepted("d", home, order_ref="D2", day=NOVEMBER),
         attributed("c", home, 10, household), Transfer("received", "r", "supplier:3", "unit:1", 5, OCTOBER,
                                                        village_id=home, order_ref="D9"))
    for _sealed in range(2):
        with db.snapshot():
            assert figures.presence_counts("2026-10", "2026-11") == {"order": 2, "household": 1}
            assert figures.presence_counts("2026-11", "2026-11") == {"order": 1}
            assert figures.presence_by_village("2026-10", "2026-10") == {
                home: {"order": 1, "household": 1}, following: {"order": 1}}
        sealing.seal()
    assert len(db.session().execute(select(VillagePresence)).all()) == 4


def test_figures_refuse_to_be_read_at_two_moments(world: World) -> None:
    with pytest.raises(RuntimeError, match="snapshot"):
        figures.village_figures("2026-10", "2026-10")
    with pytest.raises(RuntimeError, match="snapshot"):
        figures.presence_counts("2026-10", "2026-10")


def test_neither_snapshot_nor_transaction_is_ended_by_a_snapshot_inside(world: World) -> None:
    with db.snapshot(), pytest.raises(RuntimeError, match="already open"), db.snapshot():
        pass
    with db.transaction():
        ledger.post([accepted("a", world.villages["pomelo_home"])])
        with pytest.raises(RuntimeError, match="already open"), db.snapshot():
            pass
    assert ledger.balance_fen("unit:1") == 1000


def test_a_report_takes_the_same_few_statements_whatever_its_size(world: World) -> None:
    home, following = world.villages["pomelo_home"], world.villages["pomelo_next"]
    counts = []
    for number in (1, 40):
        post(*(accepted(f"s{number}:{n}", (home, following)[n % 2], order_ref=f"D{n}") for n in range(number)))
        sealing.seal()
        post(*(accepted(f"u{number}:{n}", (home, following)[n % 2], order_ref=f"D{n}") for n in range(number)))
        counts.append((statements(lambda: read(by_period=True)), statements(count_orders)))
    assert counts == [(3, 4), (3, 4)]


def statements(report: Callable[[], object]) -> int:
    """How many questions a report asks the database."""
    asked = []
    listener = ("before_cursor_execute", lambda _c, _u, statement, *_more: asked.append(statement))
    event.listen(db.db.engine, *listener)
    report()
    event.remove(db.db.engine, *listener)
    return len([statement for statement in asked if statement.lstrip().startswith("SELECT")])


def count_orders() -> None:
    with db.snapshot():
        figures.presence_counts("2026-10", "2026-11")


@pytest.mark.parametrize("step", ["_add_block", "_mark", "add_up", "_note_presence"])
def test_a_sealer_that_dies_leaves_nothing_behind(world: World, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    post(accepted("a", world.villages["pomelo_home"], order_ref="D1"))
    room = sealing if step.startswith("_") else rollups
    whole = getattr(room, step)

    def dies(*args: Any) -> None:
        whole(*args)
        raise OSError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(room, step, dies)
        with pytest.raises(OSError, match="power cut"):
            sealing.seal()
    assert heads.newest() is None
    assert rolled_up() == []
    assert sealing.seal() == 1
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # on SQLite the write queue lets in one writer
def test_only_one_sealer_works_at_a_time(world: World) -> None:
    post(accepted("a", world.villages["pomelo_home"]))
    with db.db.engine.connect() as rival:
        rival.exec_driver_sql(f"SELECT pg_advisory_xact_lock({sealing.SEALER_LOCK})")
        assert sealing.seal() == 0
        rival.rollback()
    assert sealing.seal() == 1


def test_heads_are_kept_outside_and_mended_after_a_crash(world: World) -> None:
    path = ledger_frame.heads_file()
    for number in range(3):
        post(accepted(f"a{number}", world.villages["pomelo_home"]))
        sealing.seal()
    complete = path.read_text()
    assert [head.number for head in heads.kept(path)] == [1, 2, 3]
    lines = complete.splitlines(keepends=True)
    for left in ("", lines[0], lines[0] + lines[1][:40], lines[0] + lines[1][:-2]):
        path.write_text(left)
        assert sealing.seal() == 0
        assert list(heads.kept(path)) == heads_in(complete, path)
    path.unlink()
    sealing.seal()
    assert path.read_text() == complete


def heads_in(text: str, path: Path) -> list[heads.Head]:
    return [heads.parse(line.split()[0], path.name) for line in text.splitlines()]
