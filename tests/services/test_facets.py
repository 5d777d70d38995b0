"""Roll-ups by facet, unit and place give what the transfers give, sealed or not, block by block or all at once."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from operator import attrgetter
from random import Random
from typing import Any

from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select

from market import audit, db, figures, ledger, rollups, sealing, thing_counts
from market.facet_months import FACETS, AreaCount
from market.figures import Facets, Where
from market.ledger import Transfer
from market.parties import Organisation
from market.sealing import TRANSFERS
from market.village_months import VillagePresence
from tests import big_books, plain_figures
from tests.big_books import UNIT_TYPES
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
    with db.snapshot():
        found = {(row["supplier_id"],): {name: row[name] for name in figures.FIGURES}
                 for row in figures.supplier_figures(*MONTHS, select(Organisation.id))}
        right = plain_figures.grouped(*MONTHS, ("supplier_id",), TRANSFERS.c.supplier_id.is_not(None))
    assert found == right
    units = ("unit_id", "period", "method")
    for by in (("unit_id",), units):
        with db.snapshot():
            found = {tuple(row[name] for name in by): {name: row[name] for name in figures.FIGURES}
                     for row in figures.unit_figures(*MONTHS, by)}
            right = plain_figures.grouped(*MONTHS, by, TRANSFERS.c.unit_id.is_not(None))
        assert found == right, by


def moved(app) -> None:
    """Every third order is booked over to others, some of it weeks later, some of it in one of its villages only."""
    query = select(TRANSFERS).where(TRANSFERS.c.event == "accepted").order_by(TRANSFERS.c.id)
    rows = db.session().execute(query).mappings().all()
    db.session().rollback()
    names = Transfer.__dataclass_fields__
    for at, row in enumerate(rows):
        number = int(row["order_ref"][1:])
        if number % 3 or (number % 2 and at % 2):
            continue
        whole = Transfer(**{name: row[name] for name in names})
        day = whole.business_date + timedelta(days=number % 5 * 12)
        with db.transaction():
            ledger.post([replace(whole.exchanged(f"back:{at}"), business_date=day),
                         replace(whole, source=f"forth:{at}", unit_type=UNIT_TYPES[number % 4],
                                 method=("fair", None)[number % 2], business_date=day)])


def test_orders_count_once_where_they_were_last_accepted(app, world: World) -> None:
    books(world, app)
    moved(app)
    home = db.session().scalars(select(TRANSFERS.c.village_id).where(TRANSFERS.c.order_ref == "B6")).first()
    place = db.session().execute(select(figures.DIVISIONS).where(figures.DIVISIONS.c.id == home)).one()
    areas = (figures.EVERYWHERE, Where(county_id=place.county_id), Where(township_id=place.township_id),
             Where(village_ids=(home,)))
    spans = ("2023-10", "2024-05", "2025-01", "2025-09", "2026-12")
    suppliers, unsealed = select(Organisation.id), select(func.count()).where(TRANSFERS.c.block_no.is_(None))
    for left in (10_000, 70, 31, 30):
        sealing.seal(limit=max(1, db.session().scalar(unsealed) - left))
        for span in combinations(spans, 2):
            with db.snapshot():
                for where in areas:
                    right = plain_figures.orders_by_way(*span, where.holds(TRANSFERS.c.village_id))
                    assert thing_counts.orders_by_way(*span, where) == right, (left, where, span)
                    assert figures.presence_counts(*span, where).get("order", 0) == right.total()
                    assert thing_counts.villages_by_way(*span, where) == plain_figures.villages_by_way(
                        *span, where.holds(TRANSFERS.c.village_id))
                assert thing_counts.orders_by_supplier(*span, suppliers) == plain_figures.orders_by_supplier(*span)
    with db.snapshot():
        assert len(thing_counts.orders_by_way(*MONTHS)) > 6
    sealing.seal_all()
    assert audit.check(limit=5) == []


def whole(entities: Iterable[type[db.Base]]) -> dict[type[db.Base], list[Any]]:
    """Every row of some tables; the connection is free afterwards."""
    rows = {one: sorted(tuple(row[c.name] for c in sorted(db.table(one).c, key=attrgetter("name")))
                        for row in db.session().execute(select(db.table(one))).mappings()) for one in entities}
    db.session().rollback()
    return rows


def test_all_at_once_is_what_block_by_block_gives(app, world: World) -> None:
    books(world, app)
    moved(app)
    sealing.seal_all()
    assert audit.check(limit=5) == []
    derived = (*rollups.ROLLED_UP, AreaCount)
    before = whole((*derived, VillagePresence))
    assert all(before.values())
    sealing.rebuild()
    assert whole(before) == before
    downgrade(revision="0041")
    upgrade()
    assert whole(before) == before
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
