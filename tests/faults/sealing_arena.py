"""Writers, readers and a sealer that is shot again and again, each a process, on one database.

Every batch of a writer gives the same amount to every village, so whatever single moment a report shows, all villages
show the same sum and as many orders as batches. Run as `python -m tests.faults.sealing_arena URL FOLDER SECONDS SEED`;
prints what was seen as JSON.
"""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from market import audit, db, figures, heads, ledger, ledger_frame, sealing
from market.ledger import LedgerBlock, Transfer
from market.places import Division
from tests import databases
from wsgi import create_app

VILLAGES = 6
WRITERS = 4
AMOUNT_FEN = 7
ROWS_A_BLOCK = 100  # not a multiple of VILLAGES: most blocks cut a batch in two
ENOUGH = {"batches": 50, "reads": 20, "wrong_without_a_snapshot": 1, "killed": 6}  # a race needs this much of each
LONGEST = 100  # seconds, on a machine with much else to do
DAYS = (date(2026, 10, 12), date(2026, 11, 2))
MONTHS = ("2026-10", "2026-11")

forked = multiprocessing.get_context("fork")
Read = tuple[list[int], int | None]  # the sum of every village, the number of orders


def write(number: int, villages: list[int]) -> tuple[float, float]:
    """One batch; returns when it began and when its commit was answered."""
    began = time.monotonic()
    with db.transaction():
        ledger.post([
            Transfer("accepted", f"batch:{os.getpid()}:{number}:{village}", "unit:1", "supplier:3", AMOUNT_FEN,
                     DAYS[number % 2], village_id=village, order_ref=f"{os.getpid()}-{number}")
            for village in villages
        ])
    return began, time.monotonic()


def read_at_one_moment(villages: list[int]) -> Read:
    """A report as it is."""
    with db.snapshot():
        rows = {row["village_id"]: row["accepted_fen"] for row in figures.village_figures(*MONTHS)}
        orders = figures.presence_counts(*MONTHS).get("order", 0)
    return [rows.get(village, 0) for village in villages], orders


def read_at_two_moments(villages: list[int]) -> Read:
    """The negative control: the same two statements without a snapshot around them."""
    sums = dict.fromkeys(villages, 0)
    everywhere = figures.EVERYWHERE
    for statement in (lambda: figures._rolled_up(*MONTHS, everywhere, False),
                      lambda: figures._unsealed(*MONTHS, everywhere)):
        for village, _month, values in statement():
            sums[village] += values["accepted_fen"]
        db.session().rollback()
        time.sleep(0.02)
    return list(sums.values()), None


class Race:
    """When it is over, and how much of everything has happened."""

    def __init__(self, seconds: float) -> None:
        self.began = time.monotonic()
        self.seconds = seconds
        self.over = forked.Event()
        self.done = {name: forked.Value("q", 0) for name in ENOUGH}

    def count(self, name: str) -> None:
        with self.done[name].get_lock():
            self.done[name].value += 1

    def goes_on(self) -> bool:
        """As long as asked for, and longer until enough has happened: a busy machine decides no test."""
        lasted = time.monotonic() - self.began
        enough = all(self.done[name].value >= least for name, least in ENOUGH.items())
        return lasted < self.seconds or (not enough and lasted < LONGEST)


def repeat(deed: Callable[[int], Any], race: Race, counted: str, path: Path) -> None:
    """Do it until the race is over, keep what came of it."""
    seen: list[Any] = []
    while not race.over.is_set():
        seen.append(deed(len(seen)))
        if counted != "wrong_without_a_snapshot" or len(set(seen[-1][2])) > 1:
            race.count(counted)
        time.sleep(0.005)
    db.db.session.remove()
    path.write_text(json.dumps(seen))


def timed(read: Callable[[list[int]], Read], villages: list[int]) -> Callable[[int], Any]:
    def read_once(_number: int) -> Any:
        began = time.monotonic()
        seen = read(villages)
        return began, time.monotonic(), *seen

    return read_once


def seal_for_ever(sealed: Any) -> None:
    while True:
        sealed.value += sealing.seal(limit=ROWS_A_BLOCK)


def shoot_sealers(race: Race, chance: random.Random) -> None:
    """Start a sealer, kill it somewhere in its work once it has sealed something, start the next."""
    while race.goes_on():
        sealed = forked.Value("q", 0)
        sealer = forked.Process(target=seal_for_ever, args=(sealed,))
        sealer.start()
        while not sealed.value and race.goes_on():
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.06))
        os.kill(sealer.pid or 0, signal.SIGKILL)
        sealer.join()
        if sealer.exitcode == -signal.SIGKILL:
            race.count("killed")


def wrong_reads(reads: list[Any], batches: list[tuple[float, float]]) -> list[str]:
    """Reads that no single moment can have shown."""
    begun, done = sorted(b for b, _d in batches), sorted(d for _b, d in batches)
    wrong = []
    for began, ended, sums, orders in reads:
        least, most = bisect_left(done, began), bisect_right(begun, ended)
        shown = {fen / AMOUNT_FEN for fen in sums} | ({orders} if orders is not None else set())
        if len(shown) > 1 or not least <= shown.pop() <= most:
            wrong.append(f"villages {sums}, orders {orders}, batches {least} to {most}")
    return wrong


def fight(folder: Path, seconds: float, seed: int) -> dict[str, Any]:
    villages = list(db.session().scalars(select(Division.id).where(Division.level == "village").limit(VILLAGES)))
    db.db.session.remove()
    db.db.engine.dispose()  # no connection may be shared with a child
    race = Race(seconds)
    roles: dict[str, tuple[Callable[[int], Any], str]] = {
        f"writer-{n}": (lambda number: write(number, villages), "batches") for n in range(WRITERS)
    }
    roles["reader"] = timed(read_at_one_moment, villages), "reads"
    roles["control"] = timed(read_at_two_moments, villages), "wrong_without_a_snapshot"
    children = [forked.Process(target=repeat, args=(deed, race, counted, folder / name))
                for name, (deed, counted) in roles.items()]
    for child in children:
        child.start()
    shoot_sealers(race, random.Random(seed))
    race.over.set()
    for child in children:
        child.join()
    kept = {name: json.loads((folder / name).read_text()) for name in roles}
    batches = [batch for name in kept if name.startswith("writer") for batch in kept[name]]
    blocks = db.session().scalar(select(func.count()).select_from(LedgerBlock))
    sealing.seal_all()
    sums, orders = read_at_one_moment(villages)
    return {
        "seed": seed, "batches": len(batches), "reads": len(kept["reader"]), "blocks_in_the_race": blocks,
        "enough": all(race.done[name].value >= least for name, least in ENOUGH.items()),
        "done": {name: value.value for name, value in race.done.items()},
        "wrong": wrong_reads(kept["reader"], batches)[:5],
        "problems": [problem.message() for problem in audit.check(heads_file=ledger_frame.heads_file(), limit=5)],
        "heads_kept": len(list(heads.kept(ledger_frame.heads_file()))), "at_the_end": [*sums, orders * AMOUNT_FEN],
        "blocks": db.session().scalar(select(func.count()).select_from(LedgerBlock)),
    }


if __name__ == "__main__":
    url, place, duration, chosen = sys.argv[1:]
    app = create_app(databases.settings(url, Path(place)))
    app.extensions.update(sijin_checks=(), sijin_presence=ledger_frame.plain_things)  # these batches have no documents
    with app.app_context():
        print(json.dumps(fight(Path(place), float(duration), int(chosen))))  # noqa: T201
