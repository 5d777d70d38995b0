"""The names of shelves and counties, which every page of goods needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import literal, null, select, union_all

from catalog import counties
from catalog.models import Category
from market import db
from market.places import Division


@dataclass(frozen=True)
class Words:
    """Names of shelves and counties, in the order in which they are offered."""

    categories: Mapping[str, Any] = field(default_factory=dict)  # code: name_zh, name_en, parent (a code or None)
    counties: Mapping[str, Any] = field(default_factory=dict)  # six digits: name_zh, name_en

    def with_children(self, code: str) -> list[str]:
        """A category and all below it."""
        below = [c for c, row in self.categories.items() if row.parent == code]
        return [code, *(deeper for child in below for deeper in self.with_children(child))]

    def root(self, code: str) -> str:
        """The shelf on which a category stands."""
        parent = self.categories[code].parent if code in self.categories else None
        return self.root(parent) if parent else code

    def roots(self) -> list[str]:
        """The shelves, from the first to the last."""
        return [code for code, row in self.categories.items() if row.parent is None]


@dataclass(frozen=True)
class _County:
    name_zh: str
    name_en: str


def words() -> Words:
    """Names of all categories and counties, in one statement."""
    parent = db.table(Category).alias("parent")
    category, division = db.table(Category), db.table(Division)
    categories = select(
        literal("category").label("kind"), category.c.code.label("code"), category.c.name_zh, category.c.name_en,
        parent.c.code.label("parent"), category.c.sort.label("sort"),
    ).outerjoin(parent, parent.c.id == category.c.parent_id)
    shapes = select(literal("county"), division.c.map_county, division.c.name, literal(""), null(), literal(0)).where(
        division.c.level == "county", division.c.valid_to.is_(None),
        division.c.code == division.c.map_county + "000000")
    rows = db.session().execute(union_all(categories, shapes).order_by("kind", "sort", "code")).all()
    return Words({row.code: row for row in rows if row.kind == "category"},
                 {row.code: _County(row.name_zh, counties.english(row.code)) for row in rows if row.kind == "county"})
