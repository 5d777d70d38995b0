"""What a shelf shows: plain columns by Core, a fixed number of statements per page, whatever the number of goods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, or_, select

from catalog import counties
from catalog.models import Category, Lot, LotShare, Product
from catalog.on_sale import harvested, on_sale, preseason_from, usable
from catalog.shelves import Words
from market import db, money
from market.files import StoredFile
from market.parties import Organisation
from market.places import Division

PAGE_SIZE = 24
SORTS = ("sold", "new", "price", "name")
MOST_WORDS = 8  # words of a query that the database looks for


@dataclass(frozen=True)
class Filters:
    """What the visitor asked a shelf for; None is no wish. `month` is 1 to 12, `county` six digits of the map."""

    category: str | None = None
    county: str | None = None
    village: str | None = None
    month: int | None = None
    seasonal: bool = False  # leave out what is harvested all year
    available: bool = False  # only what can be ordered now
    certified: bool = False
    supply: str | None = None
    sort: str = "sold"
    words: tuple[str, ...] = ()  # only where the search engine cannot answer
    later: tuple[tuple[int, date | str | None], ...] = ()  # suppliers that do not come when asked (terms.choosing)

    @property
    def come_later(self) -> list[int]:
        """The suppliers whose goods stand behind the others'."""
        return [supplier_id for supplier_id, _day in self.later]


@dataclass(frozen=True)
class Card:
    """One product as a card or a line shows it."""

    id: int
    name: str
    name_en: str
    price_fen: int
    per_500g_fen: int
    unit: str
    unit_en: str
    grams_per_unit: int
    supply: str
    certified: bool
    drawing: str
    photo: str | None
    village_code: str
    village: str
    township: str
    county: str
    county_en: str
    supplier: str
    supplier_id: int
    in_store_milli: int  # stocked goods: what lots hold that is neither promised nor past its date
    preseason_from: date | None  # the first day for which they may be ordered ahead of the harvest


@dataclass(frozen=True)
class Shelf:
    """One page of cards; `by_category` and `by_county` count what each choice would show, its own filter left out."""

    cards: Sequence[Card]
    total: int
    page: int
    by_category: Mapping[str, int]
    by_county: Mapping[str, int]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True)
class CountyFigures:
    """How much of a county is in the shop."""

    goods: int = 0
    villages: int = 0
    suppliers: int = 0


def shelf(filters: Filters, page: int, names: Words) -> Shelf:
    """One page of goods on sale, with counts, in two statements. A page past the end is the last page."""
    by_category, by_county, total = _counts(filters, names)
    page = min(page, max(1, -(-total // PAGE_SIZE)))
    return Shelf(cards(filters, names, PAGE_SIZE, (page - 1) * PAGE_SIZE), total, page, by_category, by_county)


def cards(filters: Filters, names: Words, limit: int, offset: int = 0) -> list[Card]:
    """Some goods on sale, in one statement: first the ids by order, then their columns."""
    product = db.table(Product)
    order = (*_behind(product, filters), *_order(product, filters.sort))
    chosen = _on_sale(filters, names, product.c.id).order_by(*order).limit(limit).offset(offset).subquery()
    shown = _card_columns().join(chosen, chosen.c.id == product.c.id).order_by(*order)
    return [_card(row) for row in db.session().execute(shown)]


def cards_of(product_ids: Sequence[int]) -> list[Card]:
    """The cards of some goods on sale, in the order of the ids: what the search engine found."""
    if not product_ids:
        return []
    product = db.table(Product)
    rows = db.session().execute(_card_columns().where(
        product.c.id.in_(product_ids), on_sale()))
    found = {row.id: _card(row) for row in rows}
    return [found[product_id] for product_id in product_ids if product_id in found]


def in_store() -> ColumnElement[int]:
    """What a product's lots hold that could still be promised: confirmed, not past its date, not held."""
    lot, product = db.table(Lot), db.table(Product)
    return cast(ColumnElement[int], select(func.coalesce(func.sum(lot.c.on_hand_milli - lot.c.held_milli), 0)).where(
        lot.c.product_id == product.c.id, usable(), harvested(),
    ).correlate(product).scalar_subquery())


def shelf_counts(names: Words) -> dict[str, int]:
    """How many goods each category has on sale, all below it included, in one statement."""
    return _counts(Filters(), names)[0]


def county_figures() -> dict[str, CountyFigures]:
    """What each county has on sale, by the six digits of the map, in one statement."""
    product, village = db.table(Product), db.table(Division)
    rows = db.session().execute(
        _on_sale(Filters(), Words(), village.c.map_county, func.count().label("goods"),
                 func.count(func.distinct(product.c.village_id)).label("villages"),
                 func.count(func.distinct(product.c.supplier_id)).label("suppliers"))
        .group_by(village.c.map_county))
    return {row.map_county: CountyFigures(row.goods, row.villages, row.suppliers) for row in rows}


def search_words(query: str) -> tuple[str, ...]:
    """The words of a query as the database looks for them."""
    return tuple(word for word in query.replace("\x00", " ").split()[:MOST_WORDS])


# ---- statements -----------------------------------------------------------------------------------------------------


def _on_sale(filters: Filters, names: Words, *columns: ColumnElement[Any], facets: bool = False) -> Select[Any]:
    """Goods on sale under some filters; `facets` leaves category and county out, whose choices are counted."""
    product, supplier, village = db.table(Product), db.table(Organisation), db.table(Division)
    query = (
        select(*columns).select_from(product)
        .join(supplier, supplier.c.id == product.c.supplier_id)
        .join(village, village.c.id == product.c.village_id)
        .where(on_sale())
    )
    if filters.certified:
        query = query.where(product.c.certified.is_(True))
    if filters.supply:
        query = query.where(product.c.supply == filters.supply)
    if filters.month:
        query = query.where(in_season(filters.month))
    if filters.available:
        query = query.where(or_(product.c.supply == "daily", in_store() > 0))
    if filters.seasonal:
        query = query.where(product.c.harvest_months != "all")
    if filters.village:
        query = query.where(or_(village.c.code == filters.village, product.c.id.in_(_grown_in(filters.village))))
    for word in filters.words:
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in (
            product.c.name, product.c.name_en, product.c.aliases, supplier.c.name, village.c.path))))
    if not facets and filters.category:
        shelves = select(Category.id).where(Category.code.in_(names.with_children(filters.category)))
        query = query.where(product.c.category_id.in_(shelves))
    if not facets and filters.county:
        query = query.where(village.c.map_county == filters.county)
    return query


def in_season(month: int) -> ColumnElement[bool]:
    """Harvested in a month, 1 to 12."""
    months = db.table(Product).c.harvest_months
    return or_(months == "all", ("," + months + ",").contains(f",{month},"))


def _grown_in(village_code: str) -> Select[Any]:
    """Products of which a lot came, at least in part, from a village."""
    return (
        select(Lot.product_id).join(LotShare, LotShare.lot_id == Lot.id)
        .join(Division, Division.id == LotShare.village_id)
        .where(Division.code == village_code, Lot.confirmed_at.is_not(None))
    )


def _counts(filters: Filters, names: Words) -> tuple[dict[str, int], dict[str, int], int]:
    """By category (each with all below it) and by county, and in all, from one statement."""
    product, village, category = db.table(Product), db.table(Division), db.table(Category)
    rows = db.session().execute(
        _on_sale(filters, names, category.c.code, village.c.map_county, func.count().label("goods"), facets=True)
        .join(category, category.c.id == product.c.category_id)
        .group_by(category.c.code, village.c.map_county)
    ).all()
    wanted = set(names.with_children(filters.category)) if filters.category else None
    by_category: dict[str, int] = {}
    by_county: dict[str, int] = {}
    total = 0
    for code, county, goods in rows:
        here, on_shelf = filters.county in (None, county), wanted is None or code in wanted
        if here:
            _add_upwards(by_category, code, goods, names)
        if on_shelf:
            by_county[county] = by_county.get(county, 0) + goods
        total += goods if here and on_shelf else 0
    return by_category, by_county, total


def _add_upwards(counts: dict[str, int], code: str | None, goods: int, names: Words) -> None:
    while code:
        counts[code] = counts.get(code, 0) + goods
        code = names.categories[code].parent if code in names.categories else None


def _behind(product: FromClause, filters: Filters) -> tuple[ColumnElement[Any], ...]:
    """What comes when the visitor wants it stands first."""
    return (case((product.c.supplier_id.in_(filters.come_later), 1), else_=0),) if filters.later else ()


def those_behind(product_ids: Sequence[int], filters: Filters) -> set[int]:
    """Which of these goods come later than the visitor wants, in one statement."""
    product = db.table(Product).c
    return set(db.session().scalars(
        select(product.id).where(product.id.in_(product_ids), product.supplier_id.in_(filters.come_later))))


def _order(product: FromClause, sort: str) -> tuple[ColumnElement[Any], ...]:
    columns = product.c
    return {
        "new": (columns.id.desc(),),
        "price": (columns.price_fen * 1.0 / columns.grams_per_unit, columns.id.desc()),
        "name": (columns.name, columns.id.desc()),
    }.get(sort, (sold_grams().desc(), columns.id.desc()))


def sold_grams() -> ColumnElement[Any]:
    """How much of a product has been sold, comparable between sales units."""
    product = db.table(Product)
    return product.c.sold_milli * product.c.grams_per_unit


def _card_columns() -> Select[Any]:
    product, supplier, village = db.table(Product), db.table(Organisation), db.table(Division)
    photo = db.table(StoredFile)
    plain = ("id", "name", "name_en", "price_fen", "unit", "unit_en", "grams_per_unit", "supply", "certified",
             "picture", "supplier_id")
    return (
        select(*(product.c[name] for name in plain), photo.c.name.label("photo"), village.c.code.label("village_code"),
               village.c.path, village.c.map_county, supplier.c.short_name.label("supplier"),
               in_store().label("in_store_milli"), preseason_from().label("preseason_from"))
        .select_from(product)
        .join(supplier, supplier.c.id == product.c.supplier_id)
        .join(village, village.c.id == product.c.village_id)
        .outerjoin(photo, and_(photo.c.id == product.c.photo_id, photo.c.visibility == "public"))
    )


def _card(row: Any) -> Card:
    facts = dict(row._mapping)
    county, township, village = place_parts(facts.pop("path"))
    return Card(**facts | {
        "drawing": facts.pop("picture"), "county_en": counties.english(facts.pop("map_county")), "county": county,
        "township": township, "village": village,
        "per_500g_fen": money.price_of_500g(row.price_fen, row.grams_per_unit),
    })


def place_parts(path: str) -> tuple[str, str, str]:
    """County, township and village of a village's path.

    >>> place_parts("永州市 江永县 上江圩镇 桐口村")
    ('江永县', '上江圩镇', '桐口村')
    """
    _city, county, township, village = [*path.split(" "), "", "", "", ""][:4]
    return county, township, village
