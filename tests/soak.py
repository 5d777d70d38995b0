"""`make soak`: buyers trade over the wire while web and worker processes are shot; then everything is counted, one
order after another has its money walked through random histories, and very many histories are booked over 36 months,
added up a second time, tampered with and looked through. LibreOffice, where it is installed, adds up the reports.

Prints a seed and one table; exits 1 when something was lost, doubled, half done or oversold, or when books differ.
SOAK_MINUTES (default 10, without the walks), SOAK_SEED, SOAK_DATABASE ('sqlite' or 'postgresql', default both), and
MONEY_WALKS (default 2000 on each database; 0 for none), BOOKED_HISTORIES (default 100000; 0 for none).
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path

from sqlalchemy import func, select

from catalog.models import Lot, StockHold
from market import audit, clock, db, ledger_frame, sealing, serving
from market.notices import Notice
from orders.models import Order, Purchase
from tests import databases, servers, soak_books, soak_sheets
from tests.servers import Server
from tests.trade import Trade
from tests.world import World
from wsgi import create_app

BUYERS = 8
BOXES = 100_000
SECONDS_BETWEEN_SHOTS = 3.0
ORDER = "/api/v1/purchases"
MONEY_WALKS = "tests/faults/test_money_walks.py"


@dataclass
class History:
    """What the buyers saw, by the key of each order."""

    ok: dict[str, str] = field(default_factory=dict)  # key: number of the purchase
    refused: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    tries: int = 0
    cut: int = 0  # tries whose answer never came
    shots: int = 0


def main() -> int:
    seed = int(os.environ.get("SOAK_SEED") or time.time_ns() % 1_000_000)
    seconds = float(os.environ.get("SOAK_MINUTES") or 10) * 60
    walks = int(os.environ.get("MONEY_WALKS") or 2_000)
    histories = int(os.environ.get("BOOKED_HISTORIES") or 100_000)
    kinds = [os.environ["SOAK_DATABASE"]] if os.environ.get("SOAK_DATABASE") else ["sqlite", "postgresql"]
    print(f"seed {seed}")
    print(f"{'database':<12}{'ordered':>9}{'refused':>9}{'tries':>9}{'cut':>7}{'shots':>7}  problems")
    failed = False
    with databases.templates("postgresql" in kinds) as known, tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            url = (databases.fresh_postgres(known["SIJIN_TEST_POSTGRES"], "soak") if kind == "postgresql" else
                   databases.fresh_sqlite(Path(known["SIJIN_TEST_FOLDER"], "template.db"), Path(folder, "sijin.db")))
            data_dir = Path(folder, kind)
            data_dir.mkdir()
            history, problems = soak(url, data_dir, seconds / len(kinds), random.Random(seed))
            failed = failed or bool(problems)
            print(f"{kind:<12}{len(history.ok):>9}{len(history.refused):>9}{history.tries:>9}{history.cut:>7}"
                  f"{history.shots:>7}  {'; '.join(problems) or 'none'}")
        for kind in kinds if histories else []:
            url = (databases.fresh_postgres(known["SIJIN_TEST_POSTGRES"], "books") if kind == "postgresql" else
                   databases.fresh_sqlite(Path(known["SIJIN_TEST_FOLDER"], "template.db"), Path(folder, "books.db")))
            problems = soak_books.run(kind, url, Path(folder, f"books-{kind}"), histories, seed)
            failed = failed or bool(problems)
            print(f"{kind:<12}{f'{histories} histories booked':<41}  {'; '.join(problems) or 'none'}", flush=True)
        sheets_url = databases.fresh_sqlite(Path(known["SIJIN_TEST_FOLDER"], "template.db"), Path(folder, "sheets.db"))
        problem = soak_sheets.run(sheets_url, Path(folder, "sheets"))
        failed = failed or problem not in ("", soak_sheets.NOT_HERE)
        print(f"{'LibreOffice':<12}{'sums of every report made again':<41}  {problem or 'none'}", flush=True)
    for kind in kinds if walks else []:
        started = time.monotonic()
        problem = walk_the_money(kind, walks)
        failed = failed or bool(problem)
        print(f"{kind:<12}{f'{walks} walks of money in {time.monotonic() - started:.0f} s':<41}  {problem or 'none'}",
              flush=True)
    return int(failed)


def walk_the_money(kind: str, walks: int) -> str:
    """What did not agree in so many random histories; the falsifying one goes to stderr."""
    chosen = ["--sqlite-only"] if kind == "sqlite" else ["-k", kind]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, MONEY_WALKS], cwd=serving.ROOT,
        env={**os.environ, "MONEY_WALKS": str(walks)}, capture_output=True, text=True, check=False)
    if told.returncode == 0:
        return ""
    print(told.stdout, told.stderr, file=sys.stderr)
    return f"the walks ended with {told.returncode}"


def soak(url: str, data_dir: Path, seconds: float, chance: random.Random) -> tuple[History, list[str]]:
    """Trade and shoot for so many seconds, then count."""
    history = History()
    app = create_app(databases.settings(url, data_dir))
    with app.app_context():
        world = World(app)
        trade = Trade(world)
        box = trade.product("白菜", unit="箱", grams_per_unit=10_000, by_weight=False, minimum_milli=1_000,
                            step_milli=1_000)
        trade.lot(box, kg=10 * BOXES)
        headers = world.api_headers("cook.chen")
        wanted = {"delivery_point_id": world.delivery_point_id(), "fund_source": "canteen",
                  "delivery_day": (clock.today() + timedelta(days=1)).isoformat(), "delivery_window": "morning",
                  "lines": [{"product_id": box, "ordered_milli": 1_000}]}
        db.session().rollback()
        db.db.engine.dispose()
        trade_and_shoot(url, data_dir, seconds, chance, history, headers, wanted)
        return history, counted(history)


def trade_and_shoot(url: str, data_dir: Path, seconds: float, chance: random.Random, history: History,
                    headers: dict[str, str], wanted: dict[str, object]) -> None:
    port = servers.free_port()
    variables = servers.environment(url, data_dir, HOST="127.0.0.1", PORT=str(port), WEB_WORKERS="4", RATE_LIMITS="off")
    product = subprocess.Popen([sys.executable, "-m", "flask", "--app", "wsgi", "serve"], cwd=serving.ROOT,
                               env=variables, stdout=subprocess.DEVNULL)
    server = Server(port)
    stopping = threading.Event()
    try:
        servers.wait_until_alive(server, product)
        buyers = [threading.Thread(target=buy, args=(server, number, stopping, history, headers, wanted))
                  for number in range(BUYERS)]
        for buyer in buyers:
            buyer.start()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(chance.uniform(0, 2 * SECONDS_BETWEEN_SHOTS))
            history.shots += shoot(product.pid, chance)
        stopping.set()
        for buyer in buyers:
            buyer.join()
        wait_for_quiet(server)
    finally:
        stopping.set()
        servers.end(product)


def buy(server: Server, number: int, stopping: threading.Event, history: History, headers: dict[str, str],
        wanted: dict[str, object]) -> None:
    """One order after another; an order whose answer never came is sent again with its key until one does."""
    turn = 0
    while not stopping.is_set():
        turn += 1
        key = f"soak-{number}-{turn}"
        answer = None
        while answer is None:
            history.tries += 1
            try:
                answer = server.ask("POST", ORDER, wanted, {**headers, "Idempotency-Key": key})
            except (OSError, HTTPException):
                history.cut += 1
                time.sleep(0.05)
        if answer.status == 201:
            history.ok[key] = answer.json["number"]
        elif answer.status < 500:
            history.refused.add(key)
        else:
            history.wrong.append(f"{key}: {answer.status}")


def shoot(parent: int, chance: random.Random) -> int:
    """Kill a web process or the worker; the ones that watch them stay."""
    ours = descendants(parent)
    watching = {of for of in ours.values() if of != parent}  # gunicorn's master has children of its own
    victims = sorted(pid for pid in ours if pid not in watching)
    if not victims:
        return 0
    os.kill(chance.choice(victims), signal.SIGKILL)
    return 1


def descendants(pid: int) -> dict[int, int]:
    """Living children and grandchildren with their parents."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it has just ended
        if state != "Z":
            parents[int(path.parent.name)] = int(parent)
    children = {child for child, parent in parents.items() if parent == pid}
    return {child: parent for child, parent in parents.items() if parent == pid or parent in children}


def wait_for_quiet(server: Server) -> None:
    """Until the worker has told everything it can; a message in a dead worker's hands comes back after its lease."""
    deadline = time.monotonic() + 60
    while server.ask("GET", "/readyz").status != 200 and time.monotonic() < deadline:
        time.sleep(0.5)


def counted(history: History) -> list[str]:
    """What does not agree between the buyers' histories and the database."""
    sealing.seal_all()
    with db.snapshot() as session:
        numbers = list(session.scalars(select(Purchase.number)))
        orders = session.scalar(select(func.count()).select_from(Order)) or 0
        held = session.scalar(select(func.sum(StockHold.milli))) or 0
        lot = session.execute(select(Lot.on_hand_milli, Lot.held_milli)).one()
        told = session.scalar(select(func.count()).select_from(Notice)) or 0
    problems = list(history.wrong)
    if sorted(numbers) != sorted(history.ok.values()):
        problems.append(f"{len(history.ok)} purchases were promised, {len(numbers)} are there")
    if not len(numbers) == orders == held // 1_000 == lot.held_milli // 1_000:
        problems.append(f"{len(numbers)} purchases, {orders} orders, {held} and {lot.held_milli} milli held")
    if told > orders:
        problems.append(f"{told} notices about {orders} orders")
    if lot.held_milli > lot.on_hand_milli:
        problems.append("more is held than there is")
    return problems + [problem.message() for problem in audit.check([], ledger_frame.heads_file())]


if __name__ == "__main__":
    sys.exit(main())
