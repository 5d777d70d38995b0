"""Goods on the named co-operatives' shelves, through the product's own verbs."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from catalog import lots, products
from catalog.lot_parts import Contribution
from catalog.models import Category, Product
from catalog.review.models import ReferencePrice
from market import clock, db
from market.households import CoopMember, Household
from market.places import Division
from tests.world import GREENS, POMELO, World

SHELVES = (("veg", "蔬菜", "Vegetables", None), ("leaf", "叶菜", "Leafy greens", "veg"),
           ("fruit", "水果", "Fruit", None), ("citrus", "柑橘柚", "Citrus", "fruit"))


def shelves() -> None:
    """Two shelves with one category below each."""
    with db.transaction() as session:
        ids: dict[str, int] = {}
        for sort, (code, name_zh, name_en, parent) in enumerate(SHELVES):
            category = Category(code=code, name_zh=name_zh, name_en=name_en, sort=sort,
                                parent_id=ids[parent] if parent else None)
            session.add(category)
            session.flush()
            ids[code] = category.id


def values(world: World, supplier: str = GREENS, **changes: Any) -> dict[str, Any]:
    """What a co-operative would say about a leafy green sold by the 斤, as the schema loads it."""
    home = world.villages["pomelo_home" if supplier == POMELO else "greens_home"]
    village = db.session().scalars(select(Division.code).where(Division.id == home)).one()
    return {
        "name": "白菜", "name_en": "", "category": "leaf", "village": village, "aliases": "", "description": "",
        "description_en": "", "supply": "daily", "unit": "斤", "grams_per_unit": 500, "minimum_milli": 5000,
        "step_milli": 1000, "harvest_months": "all", "daily_capacity_milli": 100_000, "picture": "cabbage",
        "price_fen": 200, **changes,
    }


def reference(world: World, fen_per_kg: int, word: str = "", category: str = "veg", county: str = "greens_home",
              by: str = "official.jin") -> None:
    """A reference price of today for the county of a co-operative: goods near it are on the shelf at once."""
    village = db.session().get_one(Division, world.villages[county])
    shelf = db.session().scalars(select(Category.id).where(Category.code == category)).one()
    with db.transaction() as session:
        session.add(ReferencePrice(division_id=village.county_id, category_id=shelf, word=word, fen_per_kg=fen_per_kg,
                                   source="农贸市场周报", day=clock.today(), entered_by=world.person(by).id,
                                   entered_at=clock.now()))


def list_goods(world: World, supplier: str = GREENS, certified: bool = False, **changes: Any) -> int:
    """A product on the shelf; returns its id."""
    with db.transaction():
        said = values(world, supplier, **changes)
        return products.create_product(said, world.organisation_id(supplier), None, certified=certified).id


def fill_shelf(world: World, count: int) -> None:
    """Many goods of both co-operatives, every second one stocked."""
    with db.transaction():
        for number in range(count):
            supplier = (GREENS, POMELO)[number % 2]
            said = values(world, supplier, name=f"货品{number}", category=("leaf", "citrus")[number % 2],
                          supply=("daily", "stocked")[number // 2 % 2], price_fen=100 + number)
            products.create_product(said, world.organisation_id(supplier), None)


def book(world: World, product_id: int, units: int, households: int = 2, confirmed: bool = True) -> str:
    """A harvest brought by some households of the co-operative's home village; returns the lot's code."""
    product = db.session().get_one(Product, product_id)
    pomelo = product.supplier_id == world.organisation_id(POMELO)
    village = world.villages["pomelo_home" if pomelo else "greens_home"]
    givers = db.session().scalars(
        select(Household.id).join(CoopMember, CoopMember.household_id == Household.id)
        .where(Household.village_id == village).order_by(Household.id).limit(households)).all()
    grams = units * product.grams_per_unit // len(givers)
    with db.transaction():
        lot = lots.book(product_id, clock.today(), units * 1000, 300, [Contribution(grams, h) for h in givers],
                        world.person("clerk.lv" if pomelo else "clerk.zhang"),
                        best_before=clock.today() + timedelta(days=20))
    if confirmed:
        with db.transaction():
            lots.confirm(lot.id, world.person("village.kong" if pomelo else "village.cao"))
    return lot.code


# the smallest thing that is a PDF: one object, and a table that says where it lies
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nxref\n0 1\n0000000000 65535 f \ntrailer\n<<>>\nstartxref\n29\n%%EOF\n"
