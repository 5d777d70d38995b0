"""Random histories over 36 months with renamed and merged villages: closed months render alike, sums agree.

CLOSING_HISTORIES asks for more of them.
"""

import os
import random
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from market import audit, clock, db, filings, ledger, sealing, villages
from market.ledger import Transfer
from market.places import Division
from market.village_months import FIGURES
from tests.bare_ledger import by_itself
from tests.world import World

HISTORIES = int(os.environ.get("CLOSING_HISTORIES", "1"))


@pytest.mark.parametrize("seed", range(1, HISTORIES + 1))
def test_closed_months_stay_as_they_were_filed(
        world: World, app: Flask, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    by_itself(app, monkeypatch)
    chance, officer, total = random.Random(seed), world.person("official.jin"), 0
    places = list(db.session().scalars(select(Division.id).where(Division.level == "village").limit(12)))
    months = clock.months_between("2023-01", "2025-12")
    with clock.at(datetime(2026, 1, 5, 4, 0, tzinfo=UTC)):
        for number, month in enumerate(months):
            amounts = [chance.randint(1, 10**6) for _ in range(20)]
            total += sum(amounts)
            with db.transaction():
                ledger.post([Transfer("accepted", f"{month}:{nth}", "unit:1", "supplier:3", fen,
                                      clock.first_day(months[max(0, number - chance.choice((0, 0, 1, 5)))]),
                                      village_id=chance.choice(places), order_ref=f"D{chance.randint(1, 9)}")
                             for nth, fen in enumerate(amounts)])
            with db.transaction():
                sealing.close_month(month)
            if number % 4 == 3:
                with db.transaction():
                    old = places.pop(0)
                    places.append(villages.rename(old, f"新村{number}", clock.today(), "更名", officer, ()).id)
            if number % 9 == 8:
                with db.transaction():
                    pair = [places.pop(0), places.pop(0)]
                    places.append(villages.merge(pair, f"合村{number}", clock.today(), "合并", officer, ()).id)
            if number % 7 == 6:
                again = chance.choice(months[:number])
                with db.transaction():
                    sealing.reopen_month(again)
                with db.transaction():
                    sealing.close_month(again)
    accepted = 0
    for month in months:
        kept = filings.filed(month, 1).filed
        with db.snapshot():
            assert filings.render(month, 1) == kept
        rows = filings.rows_of(kept)
        by_level = {level: [sum(int(row[name]) for (of, _place), row in rows.items() if of == level)
                            for name in FIGURES] for level in filings.LEVELS}
        assert len({tuple(sums) for sums in by_level.values()}) == 1, month
        accepted += by_level["city"][0]
    assert accepted == total
    assert audit.check() == []
