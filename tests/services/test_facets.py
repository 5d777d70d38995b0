"""Roll-ups by facet, unit and place give what the transfers give, sealed or not, block by block or all at once."""

from itertools import combinations
from random import Random

from sqlalchemy import select

from market import audit, db, figures, rollups, sealing
from market.facet_months import FACETS, AreaCount
from market.figures import Facets, Where
from market.sealing import TRANSFERS
from tests import big_books, plain_figures
from tests.world import World

MONTHS = ("2023-10", "2026-12")


def books(world: World, app) -> None:
    """Histories of 36 months with renamed and merged villages, sealed in blocks of odd sizes, the last rows not yet."""
    app.extensions["sijin_checks"] = []
    big_books.post_all(40, 7, big_books.places_of(world, 20))
    for limit in (7, 31, 2, 90, 55):
        sealing.seal(limit=limit)


def test_every_facet_of_every_place_is_what_the_transfers_give(app, world: World) -> None:
    books(world, app)
    chance = Random(3)
    county = db.session().scalar(select(figures.DIVISIONS.c.id).where(figures.DIVISIONS.c.code == "431125000000"))
    keys = ("village_id", "township_id", "county_id", "period", *FACETS)
    asked = [*(tuple(chance.sample(keys, chance.randrange(0, 4))) for _ in range(40)), *combinations(FACETS, 2)]
    for by in asked:
        facets = Facets(unit_type=chance.choice((None, "school")), certified=chance.choice((None, True)))
        where = chance.choice((figures.EVERYWHERE, Where(county_id=county)))
        span = sorted(chance.sample(("2023-10", "2024-05", "2025-01", "2025-09", "2026-12"), 2))
        condition = where.holds(TRANSFERS.c.village_id) & facets.holds(TRANSFERS)
        with db.snapshot():
            found = {tuple(row[name] for name in by): {name: row[name] for name in figures.FIGURES}
                     for row in figures.facet_figures(*span, by, where, facets)}
            right = plain_figures.grouped(*span, by, condition)
        assert found == right, (by, facets, where, span)
    units = ("unit_id", "period", "method")
    for by in (("unit_id",), units):
        with db.snapshot():
            found = {tuple(row[name] for name in by): {name: row[name] for name in figures.FIGURES}
                     for row in figures.unit_figures(*MONTHS, by)}
            right = plain_figures.grouped(*MONTHS, by, TRANSFERS.c.unit_id.is_not(None))
        assert found == right, by


def test_all_at_once_is_what_block_by_block_gives(app, world: World) -> None:
    books(world, app)
    sealing.seal_all()
    assert audit.check(limit=5) == []
    derived = (*rollups.ROLLED_UP, AreaCount)
    before = {one: sorted(tuple(row) for row in db.session().execute(select(db.table(one)))) for one in derived}
    assert all(before.values())
    db.session().rollback()
    sealing.rebuild()
    assert {one: sorted(tuple(row) for row in db.session().execute(select(db.table(one)))) for one in derived} == before
    for one in derived[1:]:
        name = db.table(one).name
        column = "things" if one is AreaCount else "accepted_fen"
        db.session().rollback()
        with db.transaction() as session:
            session.execute(db.table(one).update().values({column: db.table(one).c[column] + 1}))
        assert any(name in str(problem.details.get("table")) for problem in audit.check(limit=5)), name
        with db.transaction() as session:
            session.execute(db.table(one).update().values({column: db.table(one).c[column] - 1}))
    assert audit.check(limit=5) == []
