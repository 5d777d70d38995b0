"""Books of national size, invented: sealed ledger rows by the million, made by DuckDB and loaded in bulk.

One row is one accepted order line; returns, income by household, receipts and payouts come beside them. No orders lie
behind the rows, so a look through the books covers chain, heads and figures, not documents.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from catalog.models import Category
from market import clock, db
from market.filings import GENESIS
from market.households import Household
from market.ledger import CANONICAL, LedgerBlock, LedgerTransfer, digest_of
from market.parties import Organisation
from market.places import Division
from market.sealing import block_hash, line_of

FIRST, LAST, MONTHS = "2023-11", "2026-10", 36
LINES_PER_ORDER, HOMES = 5, 4  # lines of an order; villages of a co-operative
CATEGORIES = ("vegetables", "fruit", "meat", "eggs", "grain", "oil", "tea", "beans")
UNITS, TYPES = 500, ("agency", "school", "hospital", "enterprise")
BLOCK = 5000
SEALED_AT = datetime(2026, 11, 1, tzinfo=UTC)
COLUMNS = ("id", "digest", *CANONICAL[1:], "block_no", "period")
TABLE = "ledger_transfer"


@dataclass(frozen=True)
class Parties:
    """Ids of the invented: villages, co-operatives (HOMES villages each), units, households."""

    villages: list[int]
    suppliers: list[int]
    units: list[int]
    households: list[int]  # as many for each village, in the order of the villages


# ---- who takes part -------------------------------------------------------------------------------------------------


def invite(villages: int, households: int) -> Parties:
    """Take villages of the city, or invent a land of them where it has too few, and invent who trades there."""
    with db.transaction() as session:
        known = session.scalars(select(Division.id).where(
            Division.level == "village", Division.valid_to.is_(None)).order_by(Division.code).limit(villages)).all()
        homes = list(known) if len(known) == villages else _land(villages)
        db.insert_rows(Category, [{"code": code, "name_zh": code, "name_en": code, "sort": at}
                                  for at, code in enumerate(CATEGORIES)])
        now = clock.now()
        plain = {"created_at": now, "division_id": None, "supplier_type": None, "unit_type": None, "contact_name": "",
                 "phone": "", "about": "", "bank_name": "", "bank_account": "", "receiving_scheme": "two_receivers",
                 "over_tolerance_points": 500, "status": "active"}
        suppliers = db.insert_returning_ids(Organisation, [
            plain | {"kind": "supplier", "name": f"演示合作社{n}", "short_name": f"合作社{n}",
                     "supplier_type": "cooperative", "division_id": homes[n * HOMES]}
            for n in range((villages + HOMES - 1) // HOMES)])
        units = db.insert_returning_ids(Organisation, [
            plain | {"kind": "unit", "name": f"演示单位{n}", "short_name": f"单位{n}", "unit_type": TYPES[n % 4],
                     "division_id": homes[n % villages]} for n in range(UNITS)])
        people = db.insert_returning_ids(Household, [
            {"village_id": village, "register_code": None, "head_name": "某", "people": 1 + n % 6}
            for village in homes for n in range(households)])
    return Parties(homes, suppliers, units, people)


def _land(villages: int) -> list[int]:
    """Counties of 100 villages in ten townships each."""
    session = db.session()
    city = session.execute(select(Division.id, Division.path).where(Division.level == "city")).one()
    number = (session.scalar(select(func.max(Division.id))) or 0) + 1
    rows: list[dict[str, Any]] = []
    homes: list[int] = []

    def add(level: str, parent: int, county: int | None, township: int | None, code: str, path: str) -> int:
        own = number + len(rows)
        rows.append({"id": own, "code": code, "level": level, "parent_id": parent, "raw_name": code, "name": code,
                     "kind": "village" if level == "village" else "area", "map_county": None, "path": path,
                     "county_id": own if level == "county" else county, "reason": "",
                     "township_id": own if level == "township" else township})
        return own

    for n in range((villages + 99) // 100):
        county = add("county", city.id, None, None, f"9{n:05d}000000", f"{city.path} 县{n}")
        for t in range(1, 11):
            township = add("township", county, county, None, f"9{n:05d}{t:03d}000", f"{city.path} 县{n} 乡{t}")
            homes += [add("village", township, county, township, f"9{n:05d}{t:03d}{v:03d}",
                          f"{city.path} 县{n} 乡{t} 村{v}") for v in range(1, 11)]
    db.insert_rows(Division, rows)
    return homes[:villages]


# ---- the rows -------------------------------------------------------------------------------------------------------


def tell(lines: int, parties: Parties) -> duckdb.DuckDBPyConnection:
    """All rows of the books in a table `books` of DuckDB, with digest, block and month; ids follow the days."""
    books = duckdb.connect()
    for name, ids in (("villages", parties.villages), ("suppliers", parties.suppliers), ("units", parties.units),
                      ("households", parties.households)):
        books.execute(f"CREATE TABLE {name} AS SELECT unnest(?) id, unnest(range(?)) n", [ids, len(ids)])
    sizes = {"lines": lines, "orders": max(lines // LINES_PER_ORDER, 1), "villages": len(parties.villages),
             "suppliers": len(parties.suppliers), "units": len(parties.units),
             "homes": len(parties.households) // len(parties.villages)}
    books.execute(_TOLD.format(**sizes, categories=[*CATEGORIES], per_order=LINES_PER_ORDER, of_supplier=HOMES,
                               months=MONTHS, first=FIRST))
    books.execute(_INCOME.format(**sizes))
    books.execute(_WRITTEN.format(canonical=_canonical(), block=BLOCK))
    for done in ("told", "moved"):
        books.execute(f"DROP TABLE {done}")
    return books


# one row for each accepted line; the popularity of co-operatives is skewed
_TOLD = """
CREATE TABLE told AS
WITH line AS (
    SELECT i, i // {per_order} o, hash(i) h, hash(i // {per_order} + 7000000000) ho FROM range({lines}) t(i)
), placed AS (
    SELECT i, o, h, o * {months} // {orders} AS month_no, ho % 28 AS of_month, (ho // 28) % {units} AS unit,
        least(floor({suppliers} * pow(((ho // 100000) % 10007) / 10007.0, 1.5)), {suppliers} - 1)::BIGINT AS supplier,
        (ho // 1000000) % 10 AS luck, 1000 + (h // 1000) % 60000 AS grams, 200 + (h // 7) % 900 AS price FROM line
)
SELECT i, o, h, (DATE '{first}-01' + to_months(month_no::INTEGER) + to_days(of_month::INTEGER))::DATE AS day,
    unit, supplier, (supplier * {of_supplier} + h % {of_supplier}) % {villages} AS village,
    ['agency', 'school', 'hospital', 'enterprise'][(1 + unit % 4)::BIGINT] AS unit_type,
    CASE WHEN luck < 7 THEN 'direct_online' WHEN luck = 7 THEN 'assisted' WHEN luck = 8 THEN 'fair'
         ELSE 'pledge_purchase' END AS method,
    CASE WHEN luck < 8 THEN 'canteen' WHEN luck = 8 THEN 'union' ELSE 'staff' END AS fund_source,
    {categories}[(1 + (h // 13) % 8)::BIGINT] AS category,
    h % 3 = 0 AS certified, grams, price * grams // 1000 + 1 AS fen
FROM placed
"""

# what follows from the lines: event, sides, measures and facets alike
_INCOME = """
CREATE TABLE moved AS
SELECT 'accepted' AS event, 'line:' || i AS source, 'unit:' || u.id AS debit, 'supplier:' || s.id AS credit, fen, grams,
    day, v.id AS village_id, s.id AS supplier_id, u.id AS unit_id, unit_type, method, fund_source, category, certified,
    NULL::VARCHAR AS income_kind, NULL::BIGINT AS household_id, 'N' || o AS order_ref, i::VARCHAR AS line_ref
FROM told JOIN villages v ON v.n = village JOIN suppliers s ON s.n = supplier JOIN units u ON u.n = unit
UNION ALL
SELECT 'returned', 'back:' || i, 'supplier:' || s.id, 'unit:' || u.id, fen // 2, grams // 2, day + 3, v.id, s.id, u.id,
    unit_type, method, fund_source, category, certified, NULL, NULL, 'N' || o, i::VARCHAR
FROM told JOIN villages v ON v.n = village JOIN suppliers s ON s.n = supplier JOIN units u ON u.n = unit
WHERE h % 100 = 0 AND fen > 1 AND (day + 3)::DATE < DATE '2026-11-01'
UNION ALL
SELECT 'attributed', 'gate:' || s.id || ':' || p.id || ':' || p.month, 'due:' || s.id, 'households:' || v.id, p.fen, 0,
    p.day, v.id, s.id, NULL, NULL, 'direct_online', NULL, 'vegetables', FALSE, 'farm_gate', p.id, NULL, NULL
FROM (
    SELECT village, supplier, h.id, max(day) AS day, strftime(day, '%Y-%m') AS month, sum(fen * 65 // 100) + 1 AS fen
    FROM told JOIN households h ON h.n = village * {homes} + (told.h // 31) % {homes}
    GROUP BY village, supplier, h.id, strftime(day, '%Y-%m')
) p JOIN villages v ON v.n = p.village JOIN suppliers s ON s.n = p.supplier
UNION ALL
SELECT 'received', 'paid:' || v.id || ':' || s.id || ':' || u.id || ':' || m.month, 'supplier:' || s.id,
    'unit:' || u.id, m.fen, 0, m.day, v.id, s.id, u.id, m.unit_type, 'direct_online', 'canteen', 'vegetables', FALSE,
    NULL, NULL, NULL, NULL
FROM (
    SELECT village, supplier, min(unit) AS unit, unit_type, max(day) AS day, strftime(day, '%Y-%m') AS month,
        sum(fen * 9 // 10) + 1 AS fen
    FROM told GROUP BY village, supplier, unit_type, strftime(day, '%Y-%m')
) m JOIN villages v ON v.n = m.village JOIN suppliers s ON s.n = m.supplier JOIN units u ON u.n = m.unit
UNION ALL
SELECT 'paid_out', 'out:' || v.id || ':' || s.id || ':' || m.month, 'households:' || v.id, 'due:' || s.id, m.fen, 0,
    m.day, v.id, s.id, NULL, NULL, NULL, NULL, NULL, FALSE, 'farm_gate', NULL, NULL, NULL
FROM (
    SELECT village, supplier, max(day) AS day, strftime(day, '%Y-%m') AS month, sum(fen * 6 // 10) + 1 AS fen
    FROM told GROUP BY village, supplier, strftime(day, '%Y-%m')
) m JOIN villages v ON v.n = m.village JOIN suppliers s ON s.n = m.supplier
"""

_WRITTEN = """
CREATE TABLE books AS
WITH numbered AS (
    SELECT row_number() OVER (ORDER BY day, source) AS id, * FROM moved
), rows AS (
    SELECT id, event, source, FALSE AS backward, debit, credit, fen::BIGINT AS amount_fen, day::DATE AS business_date,
        day::DATE + INTERVAL 4 HOUR AS posted_at, village_id, supplier_id, unit_id, unit_type, method, fund_source,
        category, certified, grams::BIGINT AS grams, income_kind, NULL::BIGINT AS linkage_id, household_id,
        NULL::BIGINT AS lot_id, order_ref, line_ref, NULL::BIGINT AS reverses_id FROM numbered
)
SELECT *, sha256({canonical}) AS digest, (id - 1) // {block} + 1 AS block_no, strftime(business_date, '%Y-%m') AS period
FROM rows ORDER BY id
"""
_NUMBERS = {"id", "amount_fen", "village_id", "supplier_id", "unit_id", "grams", "linkage_id", "household_id", "lot_id",
            "reverses_id"}


def _canonical() -> str:
    """market.ledger.canonical() as SQL; the rows here hold nothing that JSON would escape."""
    def part(name: str) -> str:
        if name in ("backward", "certified"):
            return f"{name}::INTEGER"
        if name in _NUMBERS:
            return f"coalesce({name}::VARCHAR, 'null')"
        if name == "posted_at":
            return """'"' || strftime(posted_at, '%Y-%m-%dT%H:%M:%S') || '+00:00"'"""
        return f"""coalesce('"' || {name} || '"', 'null')"""

    return """'["1",' || """ + " || ',' || ".join(part(name) for name in CANONICAL) + " || ']'"


# ---- into the ledger ------------------------------------------------------------------------------------------------


def load(books: duckdb.DuckDBPyConnection, url: str, folder: Path) -> int:
    """Put the rows and the chain of their blocks into an empty ledger; returns how many rows."""
    _same_digest(books)
    accounts = [(name, name.partition(":")[0]) for (name,) in books.execute(
        "SELECT DISTINCT debit FROM books UNION SELECT DISTINCT credit FROM books").fetchall()]
    blocks = list(_blocks(books))
    db.session().rollback()
    db.db.engine.dispose()
    if url.startswith("sqlite"):
        _into_sqlite(books, str(make_url(url).database), accounts, blocks)
    else:
        _into_postgres(books, url, accounts, blocks, folder / "books.csv")
    return int(books.execute("SELECT count(*) FROM books").fetchall()[0][0])


def _same_digest(books: duckdb.DuckDBPyConnection) -> None:
    """The first and last rows, digested by the product itself."""
    for order in ("id", "id DESC"):
        found = books.execute(f"SELECT {', '.join(CANONICAL)}, digest FROM books ORDER BY {order} LIMIT 500")
        for values in found.fetchall():
            row = dict(zip((*CANONICAL, "digest"), values, strict=True))
            row["posted_at"] = row["posted_at"].replace(tzinfo=UTC)
            if digest_of(row) != row["digest"]:
                raise AssertionError(f"row {row['id']} is digested in another way than by the ledger")


def _blocks(books: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    previous, number = GENESIS, 0
    found = books.execute("SELECT digest, period FROM books ORDER BY id")
    while rows := found.fetchmany(BLOCK):
        number += 1
        own = block_hash(number, previous, SEALED_AT, (line_of(*row) for row in rows))
        yield number, previous, own, len(rows), SEALED_AT.replace(tzinfo=None)
        previous = own


_BLOCK_COLUMNS = ("number", "previous_hash", "hash", "transfer_count", "sealed_at")


def _into_sqlite(books: duckdb.DuckDBPyConnection, file: str, accounts: list[Any], blocks: list[Any]) -> None:
    """Indexes come after the rows; the guards stay where they are."""
    base = sqlite3.connect(file, isolation_level=None)
    base.execute("PRAGMA synchronous = OFF")
    indexes = base.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = ? AND type = 'index' AND sql NOT NULL",
                           (TABLE,)).fetchall()
    base.execute("BEGIN IMMEDIATE")
    for name, _sql in indexes:
        base.execute(f"DROP INDEX {name}")
    base.executemany("INSERT INTO ledger_account VALUES (?, ?)", accounts)
    base.executemany(f"INSERT INTO ledger_block ({', '.join(_BLOCK_COLUMNS)}) VALUES (?, ?, ?, ?, ?)",
                     [(*row[:4], row[4].strftime("%Y-%m-%d %H:%M:%S.000000")) for row in blocks])
    told = ["strftime(posted_at, '%Y-%m-%d %H:%M:%S.000000')" if name == "posted_at" else f"{name}::VARCHAR"
            if name == "business_date" else name for name in COLUMNS]
    found = books.execute(f"SELECT {', '.join(told)} FROM books ORDER BY id")
    insert = f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    while rows := found.fetchmany(100_000):
        base.executemany(insert, rows)
    for _name, sql in indexes:
        base.execute(sql)
    base.execute("COMMIT")
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()


def _into_postgres(books: duckdb.DuckDBPyConnection, url: str, accounts: list[Any], blocks: list[Any],
                   file: Path) -> None:
    """By COPY; foreign keys and indexes are checked and built by the database when all rows are there."""
    books.execute(f"COPY (SELECT {', '.join(COLUMNS)} FROM books ORDER BY id) TO '{file}' (HEADER FALSE)")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=False) as base, base.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica; SET LOCAL maintenance_work_mem = '1GB'")
        cursor.execute("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass "
                       "AND contype = 'u'", (TABLE,))
        unique = cursor.fetchall()
        for name, _definition in unique:
            cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {name}")
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE 'pk_%%'",
                       (TABLE,))
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.executemany("INSERT INTO ledger_account VALUES (%s, %s)", accounts)
        cursor.executemany(f"INSERT INTO ledger_block ({', '.join(_BLOCK_COLUMNS)}) VALUES (%s, %s, %s, %s, %s)",
                           blocks)
        with cursor.copy(f"COPY {TABLE} ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv)") as sink, \
                file.open("rb") as source:
            while part := source.read(1 << 20):
                sink.write(part)
        for name, definition in unique:
            cursor.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {name} {definition}")
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute(f"SELECT setval('ledger_transfer_number', (SELECT max(id) FROM {TABLE}))")
    file.unlink()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as base:
        base.execute("VACUUM ANALYZE")


assert set(COLUMNS) == {column.name for column in db.table(LedgerTransfer).c}
assert set(_BLOCK_COLUMNS) == {column.name for column in db.table(LedgerBlock).c}
