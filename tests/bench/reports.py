"""Reports over books of national size: the product's pages beside the same questions put to the raw rows.

LINES (default 10,000,000) accepted order lines over 36 months and 774 villages on both databases, once 128,000 villages
on SQLite (LAND, default as many). Every question is asked in turn by the page, as GROUP BY of the same database without
and with its best covering index, and by DuckDB over the same rows; printed are medians.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from market import area_counts, audit, db, figures, ledger_frame, sealing
from tests import databases
from tests.bench import books
from tests.bench.books import FIRST, LAST
from tests.world import World
from wsgi import create_app

LINES = int(os.environ.get("LINES", "10000000"))
LAND = int(os.environ.get("LAND", "128000"))
FEW = 100_000
ROUNDS = max(5, int(os.environ.get("ROUNDS", "5")))
MONTH = "2026-09"
COVER = ("CREATE INDEX bench_cover ON ledger_transfer (period, village_id, event, income_kind, backward, certified, "
         "unit_type, method, amount_fen, grams)")
GROUP = "event, income_kind, backward, certified"
PLACES = ("township_id", "county_id")
Ask = Callable[[], Any]


@dataclass
class Site:
    """Books of one size on one database, and who reads them."""

    backend: str
    lines: int
    app: Flask
    reader: FlaskClient
    village: str
    rows: int
    told: duckdb.DuckDBPyConnection
    parties: books.Parties
    seconds: dict[str, float] = field(default_factory=dict)


def main(kept: dict[str, str]) -> None:
    """Build, look through and measure; one table for each database."""
    for backend in ("sqlite", "postgresql"):
        print(f"\n{backend}: reports, {books.MONTHS} months, medians of {ROUNDS} in turn")
        few, many = (_built(kept, backend, lines, 774, f"{backend}_{lines}") for lines in (FEW, LINES))
        _questions(many)
        _grown(few, many)
        for site in (few, many):
            site.told.close()  # rows by the million in memory
    land = _built(kept, "sqlite", LINES // 10, LAND, "land")
    print(f"\nsqlite: {LAND} villages, {land.lines} lines")
    for name, path in _pages(land):
        print(f"  {name:<44}{_median(lambda p=path: _opened(land, p)):>9.1f} ms")


# ---- building -------------------------------------------------------------------------------------------------------


def _built(kept: dict[str, str], backend: str, lines: int, villages: int, name: str) -> Site:
    folder = Path(kept["SIJIN_TEST_FOLDER"]) / f"books-{name}"
    folder.mkdir()
    if backend == "sqlite":
        url = databases.fresh_sqlite(Path(kept["SIJIN_TEST_FOLDER"]) / "template.db", folder / "sijin.db")
    else:
        url = databases.fresh_postgres(kept["SIJIN_TEST_POSTGRES"], f"sijin_books_{lines}")
    app = create_app(databases.settings(url, folder, RATE_LIMITS="off"))
    seconds: dict[str, float] = {}
    with app.app_context():
        app.extensions.update(sijin_checks=[], sijin_presence=ledger_frame.plain_things)
        parties = books.invite(villages, 20 if villages < 1000 else 2)
        with _timed(seconds, "told"):
            told = books.tell(lines, parties)
        with _timed(seconds, "loaded"):
            rows = books.load(told, url, folder)
        with _timed(seconds, "rolled up"):
            with db.transaction():
                area_counts.note_from_transfers()
            sealing.rebuild()
        _settle()
        with _timed(seconds, "looked through"):
            problems = audit.check(limit=3)
        if problems:
            raise AssertionError([one.message() for one in problems])
        village = db.session().execute(text("SELECT code FROM division WHERE id = :id"),
                                       {"id": parties.villages[0]}).scalar_one()
        reader = World(app).logged_in("official.jin")
        db.session().rollback()
    print(f"  {lines} lines, {rows} rows, {villages} villages: "
          + ", ".join(f"{what} in {taken:.0f} s" for what, taken in seconds.items()), flush=True)
    return Site(backend, lines, app, reader, village, rows, told, parties, seconds)


def _settle() -> None:
    """Statistics for the planner, as a database that has lived with its rows has them."""
    _run("ANALYZE")


@contextmanager
def _timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    seconds[what] = time.perf_counter() - begun


# ---- questions ------------------------------------------------------------------------------------------------------


def _questions(site: Site) -> None:
    """Every question by every way, in turn, with and without the covering index."""
    with site.app.app_context():
        plain = _in_turn(_ways(site, indexed=False))
        begun = time.perf_counter()
        _run(COVER)
        _settle()
        print(f"  covering index built in {time.perf_counter() - begun:.0f} s")
        covered = _in_turn({(name, way): ask for (name, way), ask in _ways(site, indexed=True).items()
                            if way in ("figures", "raw")})
        _run("DROP INDEX bench_cover")
    for name in dict.fromkeys(name for name, _way in plain):
        own, raw, best = plain[name, "figures"], plain[name, "raw"], covered[name, "raw"]
        page, duck = plain.get((name, "page")), plain[name, "duckdb"]
        print(f"  {name:<30} page {f'{page:7.1f}' if page else '      –'} ms  figures {own:7.1f} ms"
              f"  raw {raw:8.0f} ms = {raw / own:6.0f} x (page {raw / page if page else 0:5.0f} x)"
              f"  covered {best:7.1f} ms = {best / covered[name, 'figures']:5.1f} x"
              f" (page {best / page if page else 0:4.1f} x)  duckdb {duck:6.1f} ms", flush=True)


def _ways(site: Site, indexed: bool) -> dict[tuple[str, str], Ask]:
    """By question and way. Raw rows are read as the database likes best, or without any index."""
    ways: dict[tuple[str, str], Ask] = {}
    for name, first, page, keys, ours in (
        ("villages, one month", MONTH, f"/reports/village-income?from={MONTH}&to={MONTH}", "village_id",
         lambda: figures.village_figures(MONTH, MONTH)),
        ("villages, 36 months", FIRST, f"/reports/village-income?from={FIRST}&to={LAST}", "village_id",
         lambda: figures.village_figures(FIRST, LAST)),
        ("townships, 36 months", FIRST, None, "township_id",
         lambda: figures.facet_figures(FIRST, LAST, ("township_id",))),
        ("counties, 36 months", FIRST, None, "county_id",
         lambda: figures.facet_figures(FIRST, LAST, ("county_id",))),
        ("city, 36 months", FIRST, None, "", lambda: figures.facet_figures(FIRST, LAST, ())),
        ("四进 × method, 36 months", FIRST, f"/reports/by-place-and-method?from={FIRST}&to={LAST}",
         "unit_type, method", lambda: figures.facet_figures(FIRST, LAST, ("unit_type", "method"))),
    ):
        last = MONTH if first == MONTH else LAST
        ways[name, "figures"] = lambda ours=ours: _figures(ours)
        ways[name, "raw"] = _raw(site, keys, first, last, indexed)
        ways[name, "duckdb"] = _duck(site, keys, first, last)
        if page:
            ways[name, "page"] = lambda page=page: _opened(site, page)
    return ways


def _figures(ours: Ask) -> None:
    with db.snapshot():
        ours()


def _raw(site: Site, keys: str, first: str, last: str, indexed: bool) -> Ask:
    table = "ledger_transfer" if indexed or site.backend == "postgresql" else "ledger_transfer NOT INDEXED"
    places = keys in PLACES
    query = _grouped(table, "village_id" if places else keys, first, last)
    if places:
        query = (f"SELECT d.{keys}, {GROUP}, sum(fen), sum(weight) FROM ({query}) t "
                 f"JOIN division d ON d.id = t.village_id GROUP BY d.{keys}, {GROUP}")

    def ask() -> None:
        with db.db.engine.connect() as connection:
            if not indexed and site.backend == "postgresql":
                for kind in ("indexscan", "indexonlyscan", "bitmapscan"):
                    connection.execute(text(f"SET LOCAL enable_{kind} = off"))
            connection.execute(text(query)).all()
            connection.rollback()
    return ask


def _duck(site: Site, keys: str, first: str, last: str) -> Ask:
    query = _grouped("books", "village_id" if keys in PLACES else keys, first, last)
    return lambda: site.told.execute(query).fetchall()


def _grouped(table: str, keys: str, first: str, last: str) -> str:
    by = f"{keys}, {GROUP}" if keys else GROUP
    return (f"SELECT {by}, sum(amount_fen) AS fen, sum(grams) AS weight FROM {table} "
            f"WHERE period BETWEEN '{first}' AND '{last}' GROUP BY {by}")


def _run(statement: str) -> None:
    db.session().rollback()
    with db.transaction() as session:
        session.execute(text(statement))


# ---- pages at two sizes ---------------------------------------------------------------------------------------------


def _pages(site: Site) -> Sequence[tuple[str, str]]:
    report = f"/reports/village-income?from={MONTH}&to={MONTH}"
    long = f"/reports/village-income?from={FIRST}&to={LAST}"
    lines = f"/reports/village-income/lines?village={site.village}&from={FIRST}&to={LAST}"
    return (
        ("villages, one month", report), ("villages, 36 months", long),
        ("officials' first page", "/office"),
        ("四进 × method, 36 months", f"/reports/by-place-and-method?from={FIRST}&to={LAST}"),
        ("ledger of suppliers, 36 months", f"/reports/supplier-ledger?from={FIRST}&to={LAST}"),
        *((f"drill-down of one village, {figure}", f"{lines}&figure={figure}")
          for figure in ("purchase_fen", "orders", "households")),
        ("drill-down of 四进 × method, orders", f"/reports/by-place-and-method/lines?row=school&figure=fair-orders"
                                              f"&from={FIRST}&to={LAST}"),
        ("filtered: schools", f"{long}&unit_type=school"),
        ("filtered: certified vegetables", f"{long}&category=vegetables&certified=1"),
    )


def _grown(few: Site, many: Site) -> None:
    """Every page at both sizes, in turn."""
    print(f"  pages, server time            {few.lines:>12} {many.lines:>12} lines")
    for (name, small), (_name, large) in zip(_pages(few), _pages(many), strict=True):
        found = _in_turn({("", "few"): lambda p=small: _opened(few, p), ("", "many"): lambda p=large: _opened(many, p)})
        one, other = found["", "few"], found["", "many"]
        print(f"  {name:<40}{one:>9.1f} ms {other:>9.1f} ms = {other / one:.2f} x", flush=True)


def _opened(site: Site, path: str) -> None:
    answer = site.reader.get(path)
    if answer.status_code != 200:
        raise AssertionError(f"{path}: {answer.status}")


def _in_turn(ways: dict[Any, Ask]) -> dict[Any, float]:
    """Milliseconds, medians; one round warms up and is not counted."""
    taken: dict[Any, list[float]] = {key: [] for key in ways}
    for round_ in range(ROUNDS + 1):
        for key, ask in ways.items():
            begun = time.perf_counter()
            ask()
            if round_:
                taken[key].append((time.perf_counter() - begun) * 1000)
    return {key: statistics.median(times) for key, times in taken.items()}


def _median(ask: Ask) -> float:
    return _in_turn({"": ask})[""]
