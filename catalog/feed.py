"""Goods on sale for programs: plain columns, newest first, in pages by cursor."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, or_, select

from catalog import browse
from catalog.models import Category, Product
from catalog.on_sale import on_sale
from market import db
from market.errors import NotFound
from market.parties import Organisation
from market.places import Division

Columns = Row[*tuple[Any, ...]]


def products(query: str, category: str | None, supplier_id: int | None, cursor: int | None,
             limit: int) -> Sequence[Columns]:
    """Listed goods that hold every word of a query, on a shelf and of a co-operative where these are named."""
    product, category_row = db.table(Product), db.table(Category)
    chosen = _products()
    for word in browse.search_words(query):
        chosen = chosen.where(or_(*(column.icontains(word, autoescape=True) for column in (
            product.c.name, product.c.name_en, product.c.aliases))))
    if category:
        parent = db.table(Category).alias()
        chosen = chosen.outerjoin(parent, parent.c.id == category_row.c.parent_id).where(
            or_(category_row.c.code == category, parent.c.code == category))
    if supplier_id is not None:
        chosen = chosen.where(product.c.supplier_id == supplier_id)
    if cursor is not None:
        chosen = chosen.where(product.c.id < cursor)
    return db.session().execute(chosen.order_by(product.c.id.desc()).limit(limit)).all()


def product(product_id: int) -> Columns:
    """One product on sale. Raises NotFound, hidden goods included."""
    found = db.session().execute(_products().where(db.table(Product).c.id == product_id)).first()
    if found is None:
        raise NotFound()
    return found


def _products() -> Select[Any]:
    product, supplier = db.table(Product), db.table(Organisation)
    category, village = db.table(Category), db.table(Division)
    return (
        select(product, supplier.c.name.label("supplier"), category.c.code.label("category"),
               village.c.code.label("village_code"), village.c.path.label("village_path"),
               browse.in_store().label("in_store_milli"))
        .select_from(product).join(supplier, supplier.c.id == product.c.supplier_id)
        .join(category, category.c.id == product.c.category_id)
        .join(village, village.c.id == product.c.village_id)
        .where(on_sale())
    )
