"""A month is closed and opened again, over and over, by processes that are shot, while four writers post and one reads.

Every batch of a writer is dated in October and gives the same amount to every village. So whatever single moment a
reader sees, October and the month that late entries fall into together show every batch exactly once, in every
village. A second reader, the control, does without a snapshot and is led astray.

Run as `python -m tests.faults.closing_arena URL FOLDER SECONDS SEED GUARD`; prints what was seen as JSON.
GUARD 'off' is the twin: it closes without taking the sealer's lock and sealing first.
"""

import json
import os
import random
import signal
import sys
import time
from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import Any

from sqlalchemy import select

from market import audit, clock, db, faults, figures, filings, ledger, ledger_frame, sealing
from market.ledger import Transfer
from market.places import Division
from orders.periods import closing, lists
from tests import databases
from tests.faults.sealing_arena import Race as AnyRace
from tests.faults.sealing_arena import forked, repeat
from tests.world import World
from wsgi import create_app

WRITERS = 4
AMOUNT_FEN = 7
MONTH, NEXT = "2026-10", "2026-11"
DAY = clock.first_day(MONTH)
JANUARY = clock.shanghai(clock.first_day("2027-01"), 9)
POINTS = ("month_sealed", "month_filed", "month_reopened", "month_confirmed", "")
ENOUGH = {"batches": 50, "reads": 20, "acts": 4, "killed": 3, "wrong_without_a_snapshot": 1}
LONGEST = 25  # seconds, on a machine with much else to do
PAUSE = 0.04  # of a writer between two batches
ROWS_A_BLOCK = 10  # not a multiple of the villages: most blocks cut a batch in two


class Race(AnyRace):
    """Over after a time, or when enough has happened; the twin's wrong reads are counted too."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.done = {name: forked.Value("q", 0) for name in ENOUGH}

    def goes_on(self) -> bool:
        lasted = time.monotonic() - self.began
        return lasted < self.seconds or (not enough(self) and lasted < LONGEST)


def enough(race: AnyRace) -> bool:
    return all(race.done[name].value >= least for name, least in ENOUGH.items())


def write(number: int, villages: list[int]) -> tuple[float, float]:
    """One batch; returns when it began and when its commit was answered."""
    began = time.monotonic()
    with db.transaction():
        ledger.post([Transfer("accepted", f"batch:{os.getpid()}:{number}:{village}", "unit:1", "supplier:3", AMOUNT_FEN,
                              DAY, village_id=village, order_ref=f"{os.getpid()}-{number}") for village in villages])
    ended = time.monotonic()
    time.sleep(PAUSE)
    return began, ended


def read(villages: list[int]) -> tuple[float, float, list[int]]:
    """The sum of the two months in each village, each month read by itself as a page does."""
    began = time.monotonic()
    with db.snapshot():
        first, second = _of_month(MONTH), _of_month(NEXT)
    return began, time.monotonic(), [first.get(village, 0) + second.get(village, 0) for village in villages]


def _of_month(month: str) -> dict[int, int]:
    return {row["village_id"]: row["accepted_fen"] for row in figures.village_figures(month, month)}


def read_at_two_moments(villages: list[int]) -> tuple[float, float, list[int]]:
    """The control: what is sealed, then what is not, without a snapshot around them."""
    began, sums = time.monotonic(), dict.fromkeys(villages, 0)
    for statement in (lambda: figures._rolled_up(MONTH, NEXT, figures.EVERYWHERE, False),
                      lambda: figures._unsealed(MONTH, NEXT, figures.EVERYWHERE)):
        for village, _month, values in statement():
            sums[village] += values["accepted_fen"]
        db.session().rollback()
        time.sleep(0.03)
    return began, time.monotonic(), list(sums.values())


def act_for_ever(world: World, seed: int, acts: Any) -> None:
    """Propose and confirm, close and reopen in turn, until one is killed at a point or from outside."""
    chance = random.Random(seed)
    first, second = world.person("official.jin"), world.person("official.liang")
    with clock.at(JANUARY):
        while True:
            faults.arm({chance.choice(POINTS)} if chance.random() < 0.3 else set())
            _one_act(first, second)
            with acts.get_lock():
                acts.value += 1
            time.sleep(chance.uniform(0, 0.02))


def _one_act(first: Any, second: Any) -> None:
    proposal = db.session().scalar(select(closing.PROPOSALS.c.id).where(
        closing.PROPOSALS.c.period == MONTH, closing.PROPOSALS.c.outcome.is_(None)))
    if proposal is None:
        with db.transaction():
            is_closed = MONTH in sealing.closed_months()
            proposal = (closing.propose_reopen(MONTH, "again", first) if is_closed
                        else closing.propose_close(MONTH, {}, 0, first))
    with db.transaction():
        closing.confirm(proposal, second)


def seal_for_ever() -> None:
    while True:
        sealing.seal(limit=ROWS_A_BLOCK)
        time.sleep(0.003)


def shoot(race: Race, world: World, chance: random.Random) -> None:
    """Start somebody who closes and reopens and a sealer; kill each somewhere in its work, start the next."""
    while race.goes_on():
        actor = forked.Process(target=act_for_ever, args=(world, chance.randrange(2**32), race.done["acts"]))
        sealer = forked.Process(target=seal_for_ever)
        actor.start()
        sealer.start()
        actor.join(chance.uniform(0.4, 1.2))  # may have died at one of its points
        for process in (actor, sealer):
            if process.is_alive():
                os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
        if actor.exitcode == -signal.SIGKILL:
            race.count("killed")
        elif actor.exitcode:
            raise RuntimeError("who closes months has failed")


def wrong_reads(reads: list[Any], batches: list[tuple[float, float]]) -> list[str]:
    """Reads that no single moment can have shown: villages that differ, batches twice or not at all."""
    begun, done = sorted(b for b, _d in batches), sorted(d for _b, d in batches)
    wrong = []
    for began, ended, sums in reads:
        least, most = bisect_left(done, began), bisect_right(begun, ended)
        shown = {fen / AMOUNT_FEN for fen in sums}
        if len(shown) > 1 or not least <= shown.pop() <= most:
            wrong.append(f"villages {sums}, batches {least} to {most}")
    return wrong


def fight(world: World, folder: Path, seconds: float, seed: int) -> dict[str, Any]:
    villages = list(db.session().scalars(select(Division.id).where(Division.level == "village").limit(4)))
    write(0, villages)  # the ledger begins in October
    sealing.seal_all()
    db.db.session.remove()
    db.db.engine.dispose()  # no connection may be shared with a child
    race = Race(seconds)
    roles: dict[str, Any] = {f"writer-{n}": (lambda number: write(number + 1, villages), "batches")
                             for n in range(WRITERS)}
    roles["reader"] = lambda _number: read(villages), "reads"
    roles["control"] = lambda _number: read_at_two_moments(villages), "wrong_without_a_snapshot"
    children = [forked.Process(target=repeat, args=(deed, race, counted, folder / name))
                for name, (deed, counted) in roles.items()]
    for child in children:
        child.start()
    shoot(race, world, random.Random(seed))
    race.over.set()
    for child in children:
        child.join()
    kept = {name: json.loads((folder / name).read_text()) for name in roles}
    batches = [(0.0, 0.0), *(batch for name in kept if name.startswith("writer") for batch in kept[name])]
    sealing.seal_all()
    with db.snapshot():
        month = lists.month(MONTH)
        rendered = {nth: filings.render(MONTH, nth) for nth in range(1, filings.closing_of(month.number) + 1)}
    at_the_end = read(villages)[2]
    return {
        "seed": seed, "batches": len(batches), "reads": len(kept["reader"]), "enough": enough(race),
        "done": {name: value.value for name, value in race.done.items()},
        "wrong": wrong_reads(kept["reader"], batches)[:5], "acts": [act.number for act in month.acts],
        "without_persons": sum(act.confirmed_by is None for act in month.acts),
        "differ": [nth for nth, text in rendered.items() if filings.filed(MONTH, nth).filed != text],
        "problems": [problem.message() for problem in audit.check(heads_file=ledger_frame.heads_file(), limit=5)],
        "at_the_end": at_the_end,
    }


if __name__ == "__main__":
    url, place, duration, chosen, guard = sys.argv[1:]
    app = create_app(databases.settings(url, Path(place)))
    app.extensions.update(sijin_checks=(), sijin_presence=ledger_frame.plain_things)  # these batches have no documents
    if guard == "off":
        sealing._seal_before_an_act = sealing.hold_the_sealer = lambda: None
    with app.app_context():
        print(json.dumps(fight(World(app), Path(place), float(duration), int(chosen))))  # noqa: T201
