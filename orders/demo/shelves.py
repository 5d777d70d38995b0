"""The demo world's goods: categories, products with their prices, the collectives' shares."""

from datetime import date
from typing import Any

from sqlalchemy import select

from catalog import products
from catalog.models import Category
from market import db
from orders.demo.fact_rows import Facts, Good
from orders.demo.settlers import Settlement
from orders.income import shares


def stock_shelves(facts: Facts, settled: Settlement, since: date) -> dict[str, int]:
    """List every good through the product verb and agree every collective's share; returns product ids by good key."""
    _write_categories(facts)
    ids = {}
    for key, good in facts.goods.items():
        chair = settled.person(good.coop_key, "manager")
        product = products.create_product(values(facts, good), settled.organisations[good.coop_key], chair,
                                          certified=good.certified)
        ids[key] = product.id
    for key, coop in facts.coops.items():
        for code in coop.village_codes:
            shares.agree_collective(settled.villages[code], coop.collective_basis_points, since,
                                    settled.person(key, "manager"), settled.visitor(settled.officers[code]))
    return ids


def _write_categories(facts: Facts) -> None:
    db.insert_rows(Category, [
        {"code": c.code, "name_zh": c.name_zh, "name_en": c.name_en, "parent_id": None, "sort": c.sort}
        for c in facts.categories.values()])
    ids = {row.code: row.id for row in db.session().execute(select(Category.code, Category.id))}
    table = db.table(Category)
    for category in facts.categories.values():
        if category.parent:
            db.session().execute(table.update().where(table.c.code == category.code)
                                 .values(parent_id=ids[category.parent]))


def values(facts: Facts, good: Good) -> dict[str, Any]:
    """A good as the form would bring it."""
    return {
        "name": good.name_zh, "name_en": good.name_en, "aliases": " ".join(good.aliases),
        "description": good.description_zh, "description_en": good.description_en, "supply": good.supply,
        "unit": good.unit, "grams_per_unit": good.grams_per_unit, "minimum_milli": good.minimum_milli,
        "step_milli": good.step_milli, "harvest_months": good.harvest_months,
        "daily_capacity_milli": daily_milli(good) if good.supply == "daily" else 0,
        "picture": good.picture or "basket", "category": good.category,
        "village": facts.coops[good.coop_key].home_village_code, "price_fen": good.price_fen,
    }


def daily_milli(good: Good) -> int:
    """What a day yields: about two tonnes, in whole steps."""
    milli = 2_000_000 * 1000 // good.grams_per_unit
    return milli - milli % good.step_milli
