"""Keeps this host's search index in step with the products, by following the change log.

Change numbers are given before commit, so a smaller number may appear after a larger one: numbers that were skipped
are kept in the index's mark and looked for again for an hour. Following the same change twice is harmless.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select

from catalog import browse, search, shelves
from catalog.models import Category, Product, ProductChange
from catalog.on_sale import on_sale
from market import clock, db, money
from market.parties import Organisation
from market.places import Division

BATCH = 2_000  # changes in one commit of the index
PATIENCE_SECONDS = 3_600  # no transaction is open longer
MOST_MISSING = 1_000
EVERY_MONTH = frozenset(range(1, 13))


@dataclass(frozen=True)
class Place:
    """How far an index has followed: the last number seen, and smaller ones not seen yet with the time first missed."""

    last: int = 0
    missing: dict[int, int] = field(default_factory=dict)

    def as_key(self) -> str:
        return json.dumps({"last": self.last, "missing": {str(n): since for n, since in self.missing.items()}})

    @classmethod
    def from_key(cls, key: str) -> "Place":
        """Raises SearchUnavailable for a mark that is none of ours."""
        try:
            kept = json.loads(key)
            return cls(int(kept["last"]), {int(n): int(since) for n, since in kept["missing"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise search.SearchUnavailable("unknown place in the change log") from error

    def after(self, seen: Iterable[int], now: int) -> "Place":
        """The place once these numbers have been followed; `now` is in seconds since 1970."""
        numbers = set(seen)
        last = max(numbers, default=self.last)
        last = max(last, self.last)
        missing = {n: since for n, since in self.missing.items() if n not in numbers and now - since < PATIENCE_SECONDS}
        missing |= {n: now for n in range(self.last + 1, last) if n not in numbers}
        return Place(last, dict(sorted(missing.items())[-MOST_MISSING:]))


def follow(folder: Path) -> int:
    """Bring the index up to date in one batch; returns how many products changed. Rebuilds an unusable index."""
    try:
        try:
            return _apply_changes(folder)
        except search.SearchUnavailable:
            return rebuild(folder)
    except search.SearchBusy:
        return 0  # another process of this host is at it


def _apply_changes(folder: Path) -> int:
    place = Place.from_key(search.current_key(folder))
    with db.snapshot():
        if place.last > _last_number():
            raise search.SearchUnavailable("the change log is older than the index")
        changes = _changes_after(place)
        ids = {change.product_id for change in changes}
        documents = list(_documents(ids)) if ids else []
    if ids:
        following = place.after((change.id for change in changes), _seconds())
        search.apply(folder, documents, ids - {document.id for document in documents}, following.as_key())
    return len(ids)


def rebuild(folder: Path) -> int:
    """Build the index afresh from the database; returns how many products it holds."""
    with db.snapshot():
        last = _last_number()
        recent = set(db.session().scalars(select(ProductChange.id).where(ProductChange.id > last - MOST_MISSING)))
        documents = list(_documents(None))
    place = Place(max(0, last - MOST_MISSING)).after(recent, _seconds()) if recent else Place(last)
    search.rebuild(folder, documents, place.as_key())
    return len(documents)


def waiting(folder: Path) -> int:
    """How many changes this host's index has still to follow, for readiness; at most one batch."""
    with db.snapshot():
        return len(_changes_after(Place.from_key(search.current_key(folder))))


def _seconds() -> int:
    return int(clock.now().timestamp())


def _last_number() -> int:
    return db.session().scalar(select(func.max(ProductChange.id))) or 0


def _changes_after(place: Place) -> list[Any]:
    return list(db.session().execute(
        select(ProductChange.id, ProductChange.product_id)
        .where(or_(ProductChange.id > place.last, ProductChange.id.in_(place.missing)))
        .order_by(ProductChange.id).limit(BATCH)
    ))


def _documents(product_ids: set[int] | None) -> Iterator[search.Document]:
    """Products on sale as search knows them; all of them for None."""
    product, supplier, village, category = (db.table(t) for t in (Product, Organisation, Division, Category))
    query = (
        select(product, village.c.path, village.c.map_county, supplier.c.name.label("supplier"),
               supplier.c.short_name, category.c.code.label("category"), category.c.name_zh.label("category_zh"),
               category.c.name_en.label("category_en"), browse.sold_grams().label("sold_grams"))
        .select_from(product)
        .join(supplier, supplier.c.id == product.c.supplier_id)
        .join(village, village.c.id == product.c.village_id)
        .join(category, category.c.id == product.c.category_id)
        .where(on_sale())
    )
    if product_ids is not None:
        query = query.where(product.c.id.in_(product_ids))
    names = shelves.words()
    for row in db.session().execute(query):
        yield _document(row, names)


def _document(row: Any, names: shelves.Words) -> search.Document:
    root = names.root(row.category)
    shelves = f"{row.category_zh} {row.category_en} {names.categories[root].name_zh} {names.categories[root].name_en}"
    return search.Document(
        id=row.id,
        name=row.name,
        text=" ".join((row.aliases.replace("|", " "), row.name_en, shelves, row.description, row.description_en)),
        village_names=row.path,
        county_code=row.map_county or "",
        category=root,
        supplier=f"{row.supplier} {row.short_name}",
        certified=row.certified,
        months=EVERY_MONTH if row.harvest_months == "all" else frozenset(map(int, row.harvest_months.split(","))),
        price_fen=money.price_of_500g(row.price_fen, row.grams_per_unit),
        sold=row.sold_grams,
    )
