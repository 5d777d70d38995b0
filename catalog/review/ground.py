"""What goods are compared with, looked up once for one form or for five thousand rows of a sheet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import select

from catalog import origins
from catalog.models import Category, Product
from catalog.review import references, rules
from catalog.review.rules import Like, Reference
from market import db
from market.paging import Columns
from market.places import Division


@dataclass
class Ground:
    """The shelves, the places and the goods that a co-operative's new goods are seen against."""

    categories: Mapping[str, Columns]  # by code: id, code, parent_id
    villages: Mapping[str, Columns]  # by code: id, county_id, city_id
    own_villages: Collection[str]
    references: Sequence[Reference]
    own_goods: dict[str, list[tuple[int, Like]]] = field(default_factory=dict)  # by plain name

    def shelf(self, category: str) -> str:
        """The code of the root category."""
        row = self.categories[category]
        while row.parent_id is not None:
            row = self._by_id[row.parent_id]
        return str(row.code)

    @cached_property
    def _by_id(self) -> Mapping[int, Columns]:
        return {row.id: row for row in self.categories.values()}

    def reference(self, values: Mapping[str, Any]) -> Reference | None:
        """The price to compare these goods with."""
        village, category = self.villages[values["village"]], self.categories[values["category"]]
        return rules.best_reference(self.references, village.county_id, village.city_id,
                                    (category.id, category.parent_id), values["name"])

    def same_goods(self, values: Mapping[str, Any], but_product_id: int | None = None) -> list[Like]:
        """Goods of the same co-operative that bear the same name, but for their packing."""
        return [like for product_id, like in self.own_goods.get(rules.plain_name(values["name"]), [])
                if product_id != but_product_id]

    def add(self, name: str, unit: str, product_id: int = 0) -> None:
        """One more of the co-operative's goods."""
        self.own_goods.setdefault(rules.plain_name(name), []).append((product_id, Like(name, unit)))


def of(supplier_id: int, village_codes: Collection[str]) -> Ground:
    """Look everything up, in five statements."""
    category, village, county = db.table(Category), db.table(Division), db.table(Division).alias("county")
    product = db.table(Product)
    session = db.session()
    categories = {row.code: row for row in session.execute(
        select(category.c.id, category.c.code, category.c.parent_id))}
    villages = {row.code: row for row in session.execute(
        select(village.c.id, village.c.code, village.c.county_id, county.c.parent_id.label("city_id"))
        .select_from(village).outerjoin(county, county.c.id == village.c.county_id)
        .where(village.c.level == "village", village.c.valid_to.is_(None), village.c.code.in_(sorted(village_codes))))}
    counties = {row.county_id for row in villages.values()}
    ground = Ground(categories, villages, origins.villages_of_supplier(supplier_id).keys(),
                    references.current(counties) if counties else [])
    for row in session.execute(select(product.c.id, product.c.name, product.c.unit).where(
            product.c.supplier_id == supplier_id).order_by(product.c.id)):
        ground.add(row.name, row.unit, row.id)
    return ground
