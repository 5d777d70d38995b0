"""What a co-operative sees of its own goods; every statement starts from its organisation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select

from catalog import browse
from catalog.models import Availability, Category, Product, ProductPrice
from market import clock, db, paging
from market.errors import NotFound
from market.files import StoredFile
from market.places import Division
from market.users import User

Columns = Row[*tuple[Any, ...]]


def goods(supplier_id: int, state: str | None, sort: str, page: int) -> paging.Page:
    """Own goods in a state (None: all), in two statements; sorted by 'name', 'price', 'sold' or newest first."""
    product, day = db.table(Product), db.table(Availability)
    counts: dict[str, int] = {row.state: row.goods for row in db.session().execute(
        select(product.c.state, func.count().label("goods")).where(product.c.supplier_id == supplier_id)
        .group_by(product.c.state))}
    total = counts.get(state, 0) if state else sum(counts.values())
    orders = {"name": product.c.name, "price": product.c.price_fen.desc(), "sold": browse.sold_grams().desc()}
    query = (
        select(product, browse.in_store().label("in_store_milli"),
               (func.coalesce(day.c.capacity_milli, product.c.daily_capacity_milli)
                - func.coalesce(day.c.held_milli, 0)).label("free_today_milli"))
        .select_from(product)
        .outerjoin(day, (day.c.product_id == product.c.id) & (day.c.day == clock.today()))
        .where(product.c.supplier_id == supplier_id)
        .order_by(orders.get(sort, product.c.id.desc()), product.c.id.desc())
    )
    if state:
        query = query.where(product.c.state == state)
    return paging.read(query, total, page, counts=counts)


def own_product(product_id: int, supplier_id: int | None) -> tuple[Columns, dict[str, Any]]:
    """A product of this co-operative, and its values as the form names them. Raises NotFound for anybody else's."""
    product, category, village = db.table(Product), db.table(Category), db.table(Division)
    photo = db.table(StoredFile)
    found = db.session().execute(
        select(product, category.c.code.label("category"), village.c.code.label("village"),
               photo.c.name.label("photo"))
        .select_from(product)
        .join(category, category.c.id == product.c.category_id)
        .join(village, village.c.id == product.c.village_id)
        .outerjoin(photo, photo.c.id == product.c.photo_id)
        .where(product.c.id == product_id, product.c.supplier_id == supplier_id)
    ).first()
    if found is None:
        raise NotFound()
    return found, dict(found._mapping)


def prices(product_id: int) -> Sequence[Columns]:
    """Every price a product has had, newest first, with who set it. The caller has checked whose product it is."""
    price, user = db.table(ProductPrice), db.table(User)
    return db.session().execute(
        select(price.c.price_fen, price.c.valid_from, user.c.name.label("set_by"))
        .select_from(price).outerjoin(user, user.c.id == price.c.set_by)
        .where(price.c.product_id == product_id).order_by(price.c.valid_from.desc(), price.c.id.desc()).limit(100)
    ).all()


@dataclass(frozen=True)
class DayYield:
    """What one day yields and how much of it is promised, in thousandths of the sales unit."""

    day: date
    capacity_milli: int
    held_milli: int


def days(product: Columns, first: date, last: date) -> list[DayYield]:
    """The days from first to last; a day nobody has written about yields the product's usual quantity."""
    row = db.table(Availability)
    known = {r.day: DayYield(r.day, r.capacity_milli, r.held_milli) for r in db.session().execute(
        select(row.c.day, row.c.capacity_milli, row.c.held_milli)
        .where(row.c.product_id == product.id, row.c.day >= first, row.c.day <= last))}
    wanted = [clock.days_after(first, n) for n in range((last - first).days + 1)]
    return [known.get(day) or DayYield(day, product.daily_capacity_milli, 0) for day in wanted]
