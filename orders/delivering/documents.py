"""The papers of what a van brings, by lot: one look for the whole delivery instead of a folder of paper."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from catalog.models import Category
from catalog.papers import validity
from catalog.papers.kinds import KINDS
from catalog.papers.models import Paper
from catalog.tracing import rules
from market import db


@dataclass(frozen=True)
class LotPapers:
    """A lot's certificate of conformity, further papers (name, number) and the names of those it lacks."""

    certificate: str | None
    needs_certificate: bool
    papers: list[tuple[str, str]] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.lacking and (self.certificate is not None or not self.needs_certificate)


def of_lots(boxes: Mapping[int, Iterable[Any]], lines: Iterable[Any]) -> dict[int, LotPapers]:
    """By lot id; `boxes` are packed lots by order line. A fixed number of statements."""
    categories = {line.id: line.category for line in lines}
    lots = {box.lot_id: (box, categories[line_id]) for line_id, some in boxes.items() for box in some}
    shelves = _shelves({category for _box, category in lots.values()})
    papers = _papers(lots)
    lacks = validity.lot_lacks(list(lots))
    return {lot_id: LotPapers(
        box.certificate, rules.group_of(category, shelves.get(category)) is not None, papers[lot_id],
        [KINDS[lack.kind].name for lack in lacks.get(lot_id, [])]) for lot_id, (box, category) in lots.items()}


def _shelves(categories: Iterable[str]) -> dict[str, str | None]:
    shelf = db.table(Category).alias()
    return {row.code: row.shelf for row in db.session().execute(
        select(Category.code, shelf.c.code.label("shelf")).outerjoin(shelf, shelf.c.id == Category.parent_id)
        .where(Category.code.in_(set(categories))))}


def _papers(lot_ids: Iterable[int]) -> Mapping[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in db.session().execute(select(Paper.lot_id, Paper.kind, Paper.number)
                                    .where(Paper.lot_id.in_(list(lot_ids)), Paper.state != "refused")
                                    .order_by(Paper.id)):
        found[row.lot_id].append((KINDS[row.kind].name, row.number))
    return found
