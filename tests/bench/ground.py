"""The ground both sides of a benchmark stand on: one database with 10,000 goods in store, and processes that hammer."""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from catalog.models import Category, Lot, LotShare, Product, ProductChange, ProductPrice
from market import clock, db
from market.parties import Organisation
from market.places import Division
from tests.world import GREENS, World

PRODUCTS = 10_000
STOCK_MILLI = 1_000_000_000
NAMES = ("白菜", "萝卜", "香柚", "香芋", "生姜", "大豆", "辣椒", "脐橙", "土豆", "番茄", "黄瓜", "南瓜", "鸡蛋", "茶油",
         "香米",
         "蜜柑", "冬瓜", "豆角", "茄子", "菠菜")
PLACES = ("山溪", "柚溪", "田广", "石鼓", "黄甲", "白水", "大路", "枇杷", "清塘", "井头")


def fill(app: Flask, products: int = PRODUCTS) -> list[int]:
    """List goods of 40 co-operatives, each with a confirmed lot; returns the product ids."""
    world = World(app)
    villages = _villages()
    with db.transaction() as session:
        shelves = [Category(code=f"shelf-{n}", name_zh=f"货架{n}", name_en=f"Shelf {n}", sort=n) for n in range(20)]
        session.add_all(shelves)
        session.flush()
        coops = [Organisation(kind="supplier", name=f"演示合作社{n}", short_name=f"合作社{n}", created_at=clock.now(),
                              supplier_type="cooperative", division_id=villages[n]) for n in range(40)]
        session.add_all(coops)
        session.flush()
        shelf_ids, coop_ids = [s.id for s in shelves], [c.id for c in coops]
    now = clock.now()
    with db.transaction():
        ids = db.insert_returning_ids(Product, [
            {"supplier_id": coop_ids[n % 40], "category_id": shelf_ids[n % 20], "village_id": villages[n % 400],
             "name": f"{PLACES[n % 10]}{NAMES[n % 20]}{n}", "name_en": f"good {n}", "aliases": "", "description": "",
             "description_en": "", "supply": "stocked", "unit": "公斤", "unit_en": "kg", "grams_per_unit": 1000,
             "by_weight": True, "minimum_milli": 500, "step_milli": 500, "harvest_months": "all",
             "price_fen": 200 + n % 900, "daily_capacity_milli": 0, "certified": n % 3 == 0, "picture": "cabbage",
             "photo_id": None, "state": "listed", "sold_milli": n % 977, "created_at": now - timedelta(minutes=n)}
            for n in range(products)])
        db.insert_rows(ProductPrice, [{"product_id": i, "price_fen": 200, "valid_from": now, "set_by": None}
                                      for i in ids])
        lot_ids = db.insert_returning_ids(Lot, [
            {"code": f"B{i}", "supplier_id": coop_ids[n % 40], "product_id": i, "kind": "harvest",
             "harvested_on": now.date(), "best_before": now.date() + timedelta(days=60), "total_milli": STOCK_MILLI,
             "total_grams": STOCK_MILLI, "on_hand_milli": STOCK_MILLI, "held_milli": 0, "farm_gate_fen_per_kg": 120,
             "booked_by": None, "booked_at": now, "confirmed_by": None, "confirmed_at": now}
            for n, i in enumerate(ids)])
        db.insert_rows(LotShare, [
            {"lot_id": lot, "origin_lot_id": lot, "village_id": villages[n % 400], "own_base": True,
             "grams": STOCK_MILLI, "input_grams": STOCK_MILLI, "farm_gate_fen_per_kg": 0, "accepted_grams": 0}
            for n, lot in enumerate(lot_ids)])
        db.insert_rows(ProductChange, [{"product_id": i} for i in ids])
    if db.dialect() == "postgresql":
        with db.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    assert world.organisation_id(GREENS)
    return ids


def _villages() -> list[int]:
    return list(db.session().scalars(select(Division.id).where(Division.level == "village").order_by(Division.id)
                                     .limit(400)))


@dataclass
class Hammered:
    """What one round of hammering gave: deeds a second, and the time of each deed in seconds."""

    per_second: float
    times: list[float]

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.times) * 1000

    @property
    def p99_ms(self) -> float:
        return sorted(self.times)[max(0, int(len(self.times) * 0.99) - 1)] * 1000


def hammer(make_deed: Callable[[int], Callable[[], None]], clients: int, seconds: float) -> Hammered:
    """Let client processes do a deed again and again for some seconds; all begin together."""
    context = multiprocessing.get_context("fork")
    begin, answers = context.Barrier(clients), context.SimpleQueue()
    processes = [context.Process(target=_client, args=(make_deed, number, begin, answers, seconds), daemon=True)
                 for number in range(clients)]
    for process in processes:
        process.start()
    results = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    failed = [error for _times, _took, error in results if error]
    if failed:
        raise RuntimeError(failed[0])
    times = [t for some, _took, _error in results for t in some]
    return Hammered(sum(len(some) / took for some, took, _error in results), times)


def _client(make_deed: Callable[[int], Callable[[], None]], number: int, begin: object, answers: object,
            seconds: float) -> None:
    times: list[float] = []
    took, error = 1.0, ""
    try:
        deed = make_deed(number)
        deed()
        begin.wait()  # type: ignore[attr-defined]
        start = time.perf_counter()
        while (now := time.perf_counter()) - start < seconds:
            deed()
            times.append(time.perf_counter() - now)
        took = time.perf_counter() - start
    except Exception as problem:  # noqa: BLE001 - told to the parent, which stops the run
        error = f"{type(problem).__name__}: {problem}"
        begin.abort()  # type: ignore[attr-defined]
    answers.put((times, took, error))  # type: ignore[attr-defined]


