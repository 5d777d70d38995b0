"""A village's own page: what anybody may know of the last twelve months that are over."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog import origins
from catalog.models import Category
from market import clock, db, figures, heads
from market.figures import Where
from market.parties import Organisation
from market.sealing import TRANSFERS, signed
from orders.anomalies import holds
from orders.openness import shares
from orders.openness.models import NamedUnit
from orders.openness.shares import Told
from orders.reports import disclosure


@dataclass(frozen=True)
class Line:
    """A co-operative's goods of one category from the village."""

    supplier: str
    category_zh: str
    category_en: str
    told: Told


@dataclass(frozen=True)
class Figures:
    """Amounts in fen, weights in grams. `households` None: fewer than 5. `months`: purchase amount of each month."""

    first: str
    last: str
    months: Sequence[tuple[str, int]]
    accepted_grams: int
    households: int | None
    lines: Sequence[Line]
    buyers: Sequence[str]
    unnamed: int
    head: str
    under_check_fen: int  # accepted less sent back of orders that an official looks into: in none of the other figures

    @property
    def purchase_fen(self) -> int:
        return sum(fen for _month, fen in self.months)


def read(village_ids: Collection[int]) -> Figures:
    """The figures of a village together with those it came from. A constant number of statements."""
    first, last = shares.window()
    where = Where(village_ids=village_ids)
    with db.snapshot():
        held = holds.held_figures(first, last, where)
        whole = figures.village_figures(first, last, where, by_period=True)
        year = holds.without(whole, held)
        buyers = _buyers(first, last, village_ids)
        head = heads.newest()
        return Figures(
            first, last, _months(first, last, year),
            sum(row["accepted_grams"] - row["returned_grams"] for row in year),
            _households(first, last, where, whole), _lines(first, last, village_ids),
            [row.name for row in buyers if row.agreed_at is not None],
            sum(row.agreed_at is None for row in buyers), str(head) if head else "",
            sum(one.bought() for one in held.values()))


def _months(first: str, last: str, year: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    sums = dict.fromkeys(clock.months_between(first, last), 0)
    for row in year:
        sums[row["period"]] += row["accepted_fen"] - row["returned_fen"]
    return list(sums.items())


def _households(first: str, last: str, where: Where, year: Sequence[dict[str, Any]]) -> int | None:
    """How many households anything was earned for, each once; None where fewer than 5 stand behind."""
    by_village = figures.presence_by_village(first, last, where)
    sums = {village: figures.total_of([row for row in year if row["village_id"] == village])
            for village in {row["village_id"] for row in year}}
    behind = disclosure.standing(first, last, sums, by_village)
    taken_back = sum(of_kind.get("household", 0) - behind[village] for village, of_kind in by_village.items())
    households = figures.presence_counts(first, last, where).get("household", 0)
    return households if households - taken_back >= origins.FEWEST_HOUSEHOLDS else None


def _lines(first: str, last: str, village_ids: Collection[int]) -> list[Line]:
    """What was bought from the village, by co-operative and category, each with its share over all its villages."""
    found = db.session().execute(
        select(TRANSFERS.c.supplier_id, TRANSFERS.c.category, Organisation.name, Category.name_zh, Category.name_en)
        .join(Organisation, Organisation.id == TRANSFERS.c.supplier_id)
        .outerjoin(Category, Category.code == TRANSFERS.c.category)
        .where(_accepted(first, last, village_ids), TRANSFERS.c.category.is_not(None))
        .group_by(TRANSFERS.c.supplier_id, TRANSFERS.c.category, Organisation.name, Category.name_zh, Category.name_en)
        .having(db.sum_of(signed(TRANSFERS.c.amount_fen)) > 0).order_by(Organisation.name, TRANSFERS.c.category)).all()
    told = shares.told((row.supplier_id, row.category) for row in found)
    return [Line(row.name, row.name_zh or row.category, row.name_en or row.category,
                 told[row.supplier_id, row.category]) for row in found]


def _buyers(first: str, last: str, village_ids: Collection[int]) -> Sequence[Any]:
    """Units that took goods of the village, and when each agreed to be named."""
    return db.session().execute(
        select(Organisation.name, NamedUnit.agreed_at)
        .select_from(TRANSFERS).join(Organisation, Organisation.id == TRANSFERS.c.unit_id)
        .outerjoin(NamedUnit, NamedUnit.unit_id == Organisation.id)
        .where(_accepted(first, last, village_ids))
        .group_by(Organisation.id, Organisation.name, NamedUnit.agreed_at)
        .having(db.sum_of(signed(TRANSFERS.c.amount_fen)) > 0).order_by(Organisation.name)).all()


def _accepted(first: str, last: str, village_ids: Collection[int]) -> Any:
    return ((TRANSFERS.c.event == "accepted") & TRANSFERS.c.village_id.in_(village_ids)
            & TRANSFERS.c.period.between(first, last))
