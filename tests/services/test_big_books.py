"""A few hundred of the histories of `make soak`: sums agree at every level, and whoever changes the books is found."""

from collections.abc import Iterator
from random import Random

import pytest
from flask import Flask

from market import audit, db, figures, ledger_frame, sealing
from tests import big_books, tampering
from tests.bare_ledger import by_itself
from tests.world import World

HISTORIES, SEED = 300, 1


@pytest.fixture
def places(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[big_books.Places]:
    by_itself(app, monkeypatch)
    known = big_books.places_of(world)
    monkeypatch.setitem(app.extensions, "sijin_checks", [lambda: big_books.all_transfers(HISTORIES, SEED, known)])
    big_books.post_all(HISTORIES, SEED, known)
    sealing.seal_all()
    yield known


def test_every_level_adds_up_to_the_second_working_out(places: big_books.Places) -> None:
    right = big_books.worked_out(HISTORIES, SEED, places)
    assert len({village for village, _month in right}) > 40  # former villages beside their successors
    with db.snapshot():
        found = figures.village_figures("2023-01", "2027-12", by_period=True)
        assert big_books.differences(right, found) == []
        of_area = {name: figures.total_of(figures.village_figures("2023-01", "2027-12", where))
                   for name, where in big_books.areas().items()}
    for level in ("township", "county", "city"):
        for column in figures.FIGURES:
            assert sum(sums[column] for name, sums in of_area.items() if name.startswith(level)) == sum(
                amounts.get(column, 0) for amounts in right.values()), (level, column)
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


def test_whoever_changes_the_books_is_found(places: big_books.Places) -> None:
    assert tampering.missed(Random(SEED)) == []
