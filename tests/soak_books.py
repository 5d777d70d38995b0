"""What of `make soak` fills the ledger: histories by the hundred thousand, added up twice, then tampered with."""

import time
from pathlib import Path
from random import Random

from market import audit, db, figures, ledger_frame, sealing
from tests import big_books, databases, tampering
from tests.world import World
from wsgi import create_app

MOST_SECONDS = 60  # for a million rows


def run(kind: str, url: str, data_dir: Path, histories: int, seed: int) -> list[str]:
    """Book, seal, compare and tamper; prints what each step took, returns what went wrong."""
    data_dir.mkdir()
    app = create_app(databases.settings(url, data_dir))
    with app.app_context():
        places = big_books.places_of(World(app))
        app.extensions.update(sijin_checks=[], sijin_presence=ledger_frame.plain_things)
        begun = time.monotonic()
        rows = big_books.post_all(histories, seed, places)
        sealing.seal_all()
        print(f"{kind:<12}{rows} rows posted and sealed in {time.monotonic() - begun:.0f} s", flush=True)
        problems = _compared(histories, seed, places)
        begun = time.monotonic()
        problems += [one.message() for one in audit.check(heads_file=ledger_frame.heads_file(), limit=5)]
        per_million = (time.monotonic() - begun) * 1_000_000 / rows
        print(f"{kind:<12}chain, heads and figures looked through: {per_million:.0f} s for a million rows", flush=True)
        app.extensions["sijin_checks"] = [lambda: big_books.all_transfers(histories, seed, places)]
        for what in tampering.missed(Random(seed), _teller(kind, rows)):
            problems.append(f"not found: {what}")
        if per_million > MOST_SECONDS:
            problems.append(f"a look took {per_million:.0f} s for a million rows")
        db.session().rollback()
        db.db.engine.dispose()
    return problems


def _compared(histories: int, seed: int, places: big_books.Places) -> list[str]:
    """Every village's month against plain arithmetic; townships and counties against the city."""
    right = big_books.worked_out(histories, seed, places)
    with db.snapshot():
        wrong = big_books.differences(right, figures.village_figures("2023-01", "2027-12", by_period=True))
        sums = {name: figures.total_of(figures.village_figures("2023-01", "2027-12", where))
                for name, where in big_books.areas().items()}
    for level in ("township", "county"):
        for column in figures.FIGURES:
            if sum(found[column] for name, found in sums.items() if name.startswith(level)) != sums["city"][column]:
                wrong.append(f"{level}: {column} is not the city's")
    return wrong[:5]


def _teller(kind: str, rows: int) -> tampering.Teller:
    def tell(what: str, seconds: float, findings: list[str]) -> None:
        print(f"{kind:<12}{what}: {len(findings)} findings, {seconds * 1_000_000 / rows:.0f} s for a million rows with "
              f"every document made again", flush=True)
    return tell
