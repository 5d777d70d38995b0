"""Placing an order in the service layer, beside the same rows written by the raw driver in one transaction."""

import itertools
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from market import clock, db
from orders.buying import checkout
from orders.buying.checkout import Wish
from tests.databases import settings
from tests.world import World
from wsgi import create_app

TOMORROW = clock.days_after(clock.today(), 1)
MILLI = 1_000


def service(url: str, folder: Path, products: list[int], lines: int) -> Callable[[int], Callable[[], None]]:
    """A deed that places an order of so many goods of one co-operative's shelf, as the edges do."""

    def make(number: int) -> Callable[[], None]:
        app = create_app(settings(url, folder))
        app.app_context().push()
        world = World(app)
        cook, point = world.person("cook.chen"), world.delivery_point_id()
        chance, serial = random.Random(number), itertools.count()

        def deed() -> None:
            goods = [(product, MILLI) for product in pick(chance, products, lines)]
            with db.transaction():
                checkout.place(goods, Wish(point, TOMORROW, "morning"), f"{os.getpid()}-{next(serial)}", cook)
            db.db.session.remove()

        return deed

    return make


def pick(chance: random.Random, products: list[int], lines: int) -> list[int]:
    """Goods of one co-operative: every 40th of the list."""
    start = chance.randrange(40)
    return chance.sample(products[start::40], lines)


def raw(url: str, products: list[int], lines: int) -> Callable[[int], Callable[[], None]]:
    """A deed that writes the rows of such an order with the bare driver, prepared in advance, nothing checked."""

    def make(number: int) -> Callable[[], None]:
        chance, serial = random.Random(number), itertools.count()
        write = _sqlite(url) if url.startswith("sqlite") else _postgres(url)

        def deed() -> None:
            write(pick(chance, products, lines), f"{os.getpid()}-{next(serial)}")

        return deed

    return make


PURCHASE = ("INSERT INTO purchase (number, unit_id, ordered_by, submit_token, fund_source, method, delivery_point_id,"
            " delivery_day, delivery_window, note, total_fen, freight_fen, approval, content_hash, placed_at,"
            " business_date, source, by_contractor)"
            " VALUES (?, 1, 1, ?, 'canteen', 'direct_online', 1, ?, 'morning', '', ?, 0, 'not_needed', 'x', ?, ?,"
            " 'cart', false) RETURNING id")
ORDER = ('INSERT INTO "order" (number, purchase_id, unit_id, unit_type, supplier_id, supplier_name, fund_source,'
         " method, state, payment, placed_fen, accepted_fen, returned_fen, received_fen, refunded_fen,"
         " delivery_point_id, delivery_day, delivery_window, placed_at, business_date, freight_fen, freight_agreed_fen,"
         " minimum_fen, terms_area) VALUES (?, ?, 1, 'school', 4,"
         " 'coop', 'canteen', 'direct_online', 'placed', 'unpaid', ?, 0, 0, 0, 0, 1, ?, 'morning', ?, ?, 0, 0, 0, '')"
         " RETURNING id")
LINE = ("INSERT INTO order_line (order_id, product_id, product_name, product_name_en, supply, unit, unit_en,"
        " grams_per_unit, by_weight, category, certified, price_fen, ordered_milli, amount_fen, substitute_ok,"
        " substitute_name, substitute_name_en)"
        " VALUES (?, ?, 'good', '', 'stocked', '公斤', 'kg', 1000, ?, 'shelf', ?, 200, 1000, 200, false, '', '')"
        " RETURNING id")
TAKE = ("UPDATE lot SET held_milli = held_milli + 1000 WHERE product_id = ? AND on_hand_milli - held_milli >= 1000"
        " RETURNING id")
HOLD = "INSERT INTO stock_hold (line_id, lot_id, milli) VALUES (?, ?, 1000)"
MOVE = ("INSERT INTO stock_move (at, kind, lot_id, on_hand_change_milli, held_change_milli, line_id, note)"
        " VALUES (?, 'held', ?, 0, 1000, ?, '')")
JOURNAL = ("INSERT INTO journal_entry (at, actor_id, actor_name, organisation_id, action, thing_kind, thing_id,"
           " details) VALUES (?, 1, 'x', 1, 'purchase.placed', 'purchase', ?, '{}')")
TELL = ("INSERT INTO outbox_message (kind, payload, created_at, due_at, attempts, last_error)"
        " VALUES ('purchase.placed', '{}', ?, ?, 0, '')")


def _write(execute: Callable[[str, tuple[Any, ...]], Any], one: Callable[[str, tuple[Any, ...]], int],
           goods: list[int], token: str, moment: str, truth: Any) -> None:
    """One order's rows; `one` returns the id that a statement gives back."""
    day, today = TOMORROW.isoformat(), clock.today().isoformat()
    purchase = one(PURCHASE, ("P" + token, token, day, 200 * len(goods), moment, today))
    order = one(ORDER, ("O" + token, purchase, 200 * len(goods), day, moment, today))
    taken = [(one(LINE, (order, product, truth, not truth)), one(TAKE, (product,))) for product in sorted(goods)]
    for line, lot in taken:
        execute(HOLD, (line, lot))
        execute(MOVE, (moment, lot, line))
    execute(JOURNAL, (moment, str(purchase)))
    execute(JOURNAL, (moment, str(order)))
    execute(TELL, (moment, moment))


def _sqlite(url: str) -> Callable[[list[int], str], None]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute("PRAGMA " + pragma)

    def write(goods: list[int], token: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        _write(connection.execute, lambda q, v: int(connection.execute(q, v).fetchone()[0]), goods, token,
               "2026-10-12 04:00:00.000000", True)
        connection.execute("COMMIT")

    return write


def _postgres(url: str) -> Callable[[list[int], str], None]:
    connection = psycopg.connect(url.replace("+psycopg", ""))
    cursor = connection.cursor()

    def execute(query: str, values: tuple[Any, ...]) -> Any:
        return cursor.execute(query.replace("?", "%s"), values)

    def one(query: str, values: tuple[Any, ...]) -> int:
        row = execute(query, values).fetchone()
        return int(row[0])

    def write(goods: list[int], token: str) -> None:
        _write(execute, one, goods, token, "2026-10-12 04:00:00", True)
        connection.commit()

    return write
