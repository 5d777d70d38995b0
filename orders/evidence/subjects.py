"""What a package is about: a village's year, or the orders of a draw; and which transfers and orders belong to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select

from market import db, heads
from market.figures import Where
from market.filings import GENESIS, TRANSFERS
from market.heads import Head
from market.places import Division
from orders.evidence.models import SampleDraw
from orders.reports.readers import Place

AT_ONCE = 2000  # rows read in one statement
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Subject:
    """`village_id` and months, or the `numbers` of a draw; everything up to the block `head`.

    `named` are the villages whose scans with names of households may be in it.
    """

    title: str
    year: int
    head: Head
    village_id: int | None = None
    draw: SampleDraw | None = None
    named: Where | None = None
    numbers: Sequence[str] = field(default=())

    @property
    def months(self) -> tuple[str, str]:
        return f"{self.year}-01", f"{self.year}-12"

    def transfers(self) -> ColumnElement[bool]:
        """The condition that a transfer belongs to it: sealed by now; of the village and year, or of an order drawn."""
        sealed = TRANSFERS.c.block_no <= self.head.number
        if self.village_id is None:
            return sealed & TRANSFERS.c.order_ref.in_(self.numbers)
        return sealed & (TRANSFERS.c.village_id == self.village_id) & TRANSFERS.c.period.between(*self.months)

    def shown(self, village_id: int | None) -> bool:
        """Whether a village's part of an order is told: all of them in a sample, else the package's own."""
        return self.village_id in (None, village_id)


def of_village(place: Place, year: int, named: Where | None) -> Subject:
    """A village's year, up to the last sealed block."""
    return Subject(place.path, year, head(), village_id=place.id, named=named)


def of_draw(draw: SampleDraw, named: Where | None) -> Subject:
    """The orders of a draw, up to the last sealed block."""
    return Subject(draw.area, draw.year, head(), draw=draw, named=named, numbers=tuple(draw.numbers))


def head() -> Head:
    """The last sealed block; before the first, block 0."""
    return heads.newest() or Head(0, GENESIS, "the database")


def order_numbers(subject: Subject) -> list[str]:
    """The orders that occur in it, by number."""
    query = select(TRANSFERS.c.order_ref).where(subject.transfers(), TRANSFERS.c.order_ref.is_not(None))
    return sorted(set(db.session().scalars(query.distinct())))


def each_transfer(subject: Subject) -> Iterator[Row]:
    """Its transfers in the order of their ids, some thousand at a time."""
    last = 0
    while True:
        rows = db.session().execute(
            select(TRANSFERS).where(subject.transfers(), TRANSFERS.c.id > last).order_by(TRANSFERS.c.id)
            .limit(AT_ONCE)).mappings().all()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        last = rows[-1]["id"]


def named_villages(subject: Subject, village_ids: Sequence[int]) -> set[int]:
    """Of these villages, those whose scans with names may be in it."""
    if subject.named is None:
        return set()
    return set(db.session().scalars(
        select(Division.id).where(Division.id.in_(village_ids), subject.named.holds(Division.id))))
