"""Drawing a sample: the system draws the seed when it is asked, so nobody chooses the orders, and every draw is kept.

How: every order number of the population is ranked by SHA-256 of 'seed head-hash number'; the first ones are taken.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, InvalidInput
from market.figures import Where
from market.sealing import TRANSFERS
from orders.evidence import subjects
from orders.evidence.models import SampleDraw

MOST = 200  # orders in one sample
DRAWN = "sample.drawn"


def ranked(seed: str, head_hash: str, numbers: Collection[str]) -> list[str]:
    """All numbers in the order of a draw: the same seed, head and numbers give the same order.

    >>> ranked("seed", "head", ["D1", "D2", "D3"]) == ranked("seed", "head", ["D3", "D1", "D2"])
    True
    """
    return sorted(numbers, key=lambda number: hashlib.sha256(f"{seed} {head_hash} {number}".encode()).hexdigest())


def draw(year: int, where: Where, area: str, wanted: int, by: Visitor) -> SampleDraw:
    """Draw so many orders of an area and year, in the caller's transaction. Raises InvalidInput where there are none.

    The population is every order with accepted goods of these villages whose transfers are sealed by now.
    """
    head = subjects.head()
    numbers = population(year, where, head.number)
    if not numbers:
        raise InvalidInput({"year": [N_("No order of this area and year has been accepted and sealed yet.")]})
    seed = secrets.token_hex(16)
    values = {
        "organisation_id": by.organisation_id or 0, "drawn_by": by.id, "drawn_at": clock.now(), "year": year,
        "area_key": area_key(where), "area": area, "county_id": where.county_id, "township_id": where.township_id,
        "village_ids": None if where.village_ids is None else sorted(where.village_ids), "seed": seed,
        "head_number": head.number, "head_hash": head.hash, "population": len(numbers),
        "population_sha256": digest_of(numbers), "wanted": min(wanted, len(numbers)),
        "numbers": ranked(seed, head.hash, numbers)[:wanted]}
    row = _keep(values)
    journal.record(DRAWN, "sample_draw", row.id, by, year=year, area=area, nth=row.nth, seed=seed, head=str(head),
                   population=row.population, wanted=row.wanted)
    return row


def _keep(values: dict[str, Any]) -> SampleDraw:
    """Under the next number of its area and year, also where somebody else draws there at this moment."""
    session, made = db.session(), None
    while made is None:
        nth = session.scalar(select(func.count()).where(
            SampleDraw.area_key == values["area_key"], SampleDraw.year == values["year"])) or 0
        made = session.execute(
            db.insert_new(SampleDraw).returning(db.table(SampleDraw).c.id), [{**values, "nth": nth + 1}]).scalar()
    return session.get_one(SampleDraw, made)


def population(year: int, where: Where, head_number: int) -> list[str]:
    """Numbers of the orders with accepted goods of an area and year in the blocks up to one, sorted."""
    query = select(TRANSFERS.c.order_ref).where(
        TRANSFERS.c.event == "accepted", TRANSFERS.c.block_no <= head_number,
        TRANSFERS.c.period.between(f"{year}-01", f"{year}-12"), TRANSFERS.c.village_id.is_not(None),
        where.holds(TRANSFERS.c.village_id), TRANSFERS.c.order_ref.is_not(None)).distinct()
    return sorted(db.session().scalars(query))


def population_of(row: SampleDraw) -> list[str]:
    """What a draw was drawn from, read again: blocks never change."""
    return population(row.year, where_of(row), row.head_number)


def where_of(row: SampleDraw) -> Where:
    """The area of a draw."""
    return Where(row.county_id, row.township_id, row.village_ids)


def digest_of(numbers: Sequence[str]) -> str:
    """SHA-256 of the numbers, one a line, as sample/population.txt holds them."""
    return hashlib.sha256("".join(f"{number}\n" for number in numbers).encode()).hexdigest()


def area_key(where: Where) -> str:
    """The same for the same area.

    >>> area_key(Where(county_id=7)), area_key(Where())
    ('county:7', 'all')
    """
    parts = [f"{name}:{value}" for name, value in (("county", where.county_id), ("township", where.township_id))
             if value is not None]
    if where.village_ids is not None:
        parts.append("villages:" + ",".join(map(str, sorted(where.village_ids))))
    key = " ".join(parts) or "all"
    return key if len(key) <= 40 else hashlib.sha256(key.encode()).hexdigest()[:40]
