"""`make bench`: both sides of every comparison in turn, in the same run, on both databases; one table of medians.

SECONDS (default 1.5) per measurement, ROUNDS (default 5). Nothing timed here decides a test.
"""

import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from catalog.models import Category
from market import db, logins
from tests import databases, servers
from tests.bench import ground, money, placing, reports, wire
from tests.bench.ground import Hammered
from tests.world import World
from wsgi import create_app

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = float(os.environ.get("SECONDS", "1.5"))
PAGE_CLIENTS = 8


@dataclass
class Side:
    """One thing that is measured, and what every round gave."""

    name: str
    make: Callable[[int], Callable[[], None]]
    clients: int
    rounds: list[Hammered] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return statistics.median(r.per_second for r in self.rounds)

    @property
    def spread(self) -> str:
        speeds = [r.per_second for r in self.rounds]
        return f"{min(speeds):.0f}–{max(speeds):.0f}"

    @property
    def p50(self) -> float:
        return statistics.median(r.p50_ms for r in self.rounds)

    @property
    def p99(self) -> float:
        return statistics.median(r.p99_ms for r in self.rounds)


@dataclass(frozen=True)
class Site:
    """A filled database and the servers on it."""

    url: str
    folder: Path
    products: list[int]
    categories: list[tuple[int, str]]
    tokens: list[str]
    cookie: str
    point: int


def main() -> None:
    with databases.templates() as kept:
        os.environ.update(kept)
        os.environ[databases.STAND_IN] = f"http://127.0.0.1:{servers.free_port()}"
        for backend in ("sqlite", "postgresql"):
            with ExitStack() as stack:
                site = _site(backend, Path(kept["SIJIN_TEST_FOLDER"]), kept["SIJIN_TEST_POSTGRES"])
                _report(backend, *_pages(site, stack))
                _report(backend, *_orders_over_http(site, stack))
            for lines in (1, 5):
                for clients in (1, 4, 16):
                    _report(backend, *_service(site, lines, clients))
            money.report(backend, site.url, site.folder)
        reports.main(kept)


def _site(backend: str, folder: Path, postgres: str) -> Site:
    """A fresh database with 10,000 goods, on durable settings."""
    home = folder / f"bench-{backend}"
    home.mkdir()
    if backend == "sqlite":
        url = databases.fresh_sqlite(folder / "template.db", home / "sijin.db")
    else:
        url = databases.fresh_postgres(postgres, "sijin_bench")
        databases.run_on(postgres, "ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
    app = create_app(databases.settings(url, home))
    with app.app_context():
        products = ground.fill(app)
        world = World(app)
        with db.transaction():
            cook = world.person("cook.chen")
            tokens = [logins.issue_api_token(cook.id, cook.organisation_id) for _ in range(16)]
        categories = [(row.id, row.code) for row in db.session().execute(select(Category.id, Category.code))]
        client = world.logged_in("cook.chen")
        cookie = client.get_cookie("sijin")
        point = world.delivery_point_id()
        if app.cli.get_command(None, "search") is not None:  # type: ignore[arg-type]
            app.test_cli_runner().invoke(args=["search", "rebuild"])
        db.db.engine.dispose()
    assert cookie is not None
    return Site(url, home, products, categories, tokens, f"sijin={cookie.value}", point)


def _pages(site: Site, stack: ExitStack) -> tuple[str, list[Side], list[tuple[int, int, str]]]:
    port = stack.enter_context(_server(site, "tests.bench.floor:product()"))
    bare = stack.enter_context(_server(site, "tests.bench.floor:bare()"))
    shelf = f"/goods?category={site.categories[3][1]}"
    varied = [f"/goods?category={code}&page={page}" for _id, code in site.categories for page in range(1, 20)]
    me = {"Cookie": site.cookie}
    chosen = site.products[::97]
    sides = [
        Side("static string, same app", wire.get(port, ["/bench/static"], {}), PAGE_CLIENTS),
        Side("bare page of the same cards", wire.get(bare, [f"/goods?category={i}" for i, _ in site.categories[3:4]],
                                                     {}), PAGE_CLIENTS),
        Side("shelf, anonymous", wire.get(port, [shelf], {}), PAGE_CLIENTS),
        Side("shelf, anonymous, 380 different", wire.get(port, varied, {}), PAGE_CLIENTS),
        Side("shelf, logged in", wire.get(port, [shelf], me), PAGE_CLIENTS),
        Side("product page, anonymous", wire.get(port, [f"/products/{i}" for i in chosen], {}), PAGE_CLIENTS),
        Side("product page, logged in", wire.get(port, [f"/products/{i}" for i in chosen], me), PAGE_CLIENTS),
        Side("search, anonymous", wire.get(port, [f"/search?q={q}" for q in _QUERIES], {}), PAGE_CLIENTS),
    ]
    pairs = [(2, 0, "aim ≥ 0.5"), (3, 1, ""), (4, 1, "aim ≥ 0.5"), (5, 0, ""), (6, 1, ""), (7, 0, ""), (7, 1, "")]
    return "pages, 8 clients, 2 sync workers", sides, pairs


_QUERIES = ["%E9%A6%99%E6%9F%9A", "xiangyu", "%E7%99%BD%E8%8F%9C", "tudou", "%E8%BE%A3%E6%A4%92"]


def _orders_over_http(site: Site, stack: ExitStack) -> tuple[str, list[Side], list[tuple[int, int, str]]]:
    port = stack.enter_context(_server(site, "wsgi:app"))
    sides = [Side(f"order of {lines} over HTTP, {clients} clients",
                  wire.order(port, site.tokens, site.point, site.products, lines), clients)
             for clients in (1, 4, 16) for lines in (1, 5)]
    return "orders over HTTP, 2 sync workers", sides, [(0, 1, "1 : 5 lines, aim ≤ 1.5"), (2, 3, "1 : 5 lines"),
                                                       (4, 5, "1 : 5 lines")]


def _service(site: Site, lines: int, clients: int) -> tuple[str, list[Side], list[tuple[int, int, str]]]:
    aim = "aim ≥ 0.35" if site.url.startswith("postgresql") else "aim ≥ 0.18"
    sides = [Side("service layer", placing.service(site.url, site.folder, site.products, lines), clients),
             Side("raw driver", placing.raw(site.url, site.products, lines), clients)]
    return f"placing {lines} lines, {clients} clients", sides, [(0, 1, aim)]


@contextmanager
def _server(site: Site, target: str) -> Iterator[int]:
    with servers.running(site.url, site.folder, target, workers=2, quiet=True, WORKER_CLASS="sync", RATE_LIMITS="off",
                         PROMETHEUS_MULTIPROC_DIR=str(site.folder / f"metrics-{abs(hash(target))}")) as server:
        yield server.port


def _report(backend: str, title: str, sides: list[Side], pairs: list[tuple[int, int, str]]) -> None:
    """Interleave the sides round by round, then print them and their ratios."""
    for _round in range(ROUNDS):
        for side in sides:
            side.rounds.append(ground.hammer(side.make, side.clients, SECONDS))
    print(f"\n{backend}: {title} ({ROUNDS} rounds of {SECONDS} s, in turn)")
    for side in sides:
        print(f"  {side.name:<42}{side.per_second:>9.0f}/s  [{side.spread}]  p50 {side.p50:.1f} ms"
              f"  p99 {side.p99:.1f} ms  p99/p50 {side.p99 / side.p50:.1f}")
    for one, other, aim in pairs:
        ratio = sides[one].per_second / sides[other].per_second
        print(f"  ratio {sides[one].name} : {sides[other].name} = {ratio:.2f}  {aim}", flush=True)


if __name__ == "__main__":
    main()
