"""The price monitor: every good of an area with its price, what it is compared with, and what was decided about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from catalog.models import Category, Product, ProductPrice
from catalog.review import decisions, references, rules
from catalog.review.models import ListingReview, PriceOutlier
from catalog.review.rules import Reference
from market import clock, db, money
from market.access import Visitor
from market.parties import Organisation
from market.places import Division

MOST_ROWS = 20_000


@dataclass(frozen=True)
class Watched:
    """One good and what its price is compared with."""

    goods: Any  # id, name, name_en, unit, unit_en, grams_per_unit, price_fen, state, supplier, path, since
    fen_per_kg: int
    reference: Reference | None
    band: tuple[int, int] | None  # the prices per kilo that hold at once
    decision: str  # of the newest outlier or review: 'agreed', 'open', 'approved', 'published', …; '' for none

    @property
    def difference(self) -> int | None:
        """In hundredths of a percent of the reference."""
        return rules.difference(self.fen_per_kg, self.reference.fen_per_kg) if self.reference else None

    @property
    def standing(self) -> str:
        """'above' or 'below' the band, 'within' it, or 'none' where there is nothing to compare with."""
        if self.band is None:
            return "none"
        lowest, highest = self.band
        return "above" if self.fen_per_kg > highest else "below" if self.fen_per_kg < lowest else "within"


def watched(by: Visitor, show: str | None = None, query: str = "") -> list[Watched]:
    """Goods on the shelves of an area, the farthest above their reference first, in three statements."""
    found = on(clock.today(), decisions.in_area(by), query)
    if show:
        found = [one for one in found if one.standing == show]
    return sorted(found, key=lambda one: (one.difference is None, -(one.difference or 0), one.goods.id))


def on(day: date, here: ColumnElement[bool], query: str = "", most: int = MOST_ROWS) -> list[Watched]:
    """Goods on the shelves as they were priced at the end of a day, with the references of that day, by product id.

    `here`: a condition on the table of products. Three statements.
    """
    rows = db.session().execute(_goods(day, here, query).limit(most)).all()
    known = references.current({row.county_id for row in rows if row.county_id}, day) if rows else []
    roots = _roots() if rows else {}
    return [_watched(row, known, roots) for row in rows]


def _goods(day: date, here: ColumnElement[bool], query: str) -> Any:
    """Goods that had a price by then; what was priced later is left out."""
    product, supplier, village = db.table(Product), db.table(Organisation), db.table(Division)
    county, price = db.table(Division).alias("county"), db.table(ProductPrice)
    until = clock.shanghai(clock.days_after(day, 1))
    standing = (select(price.c.id).where(price.c.product_id == product.c.id, price.c.valid_from < until)
                .order_by(price.c.valid_from.desc(), price.c.id.desc()).limit(1)
                .correlate(product).scalar_subquery())
    found = (
        select(product.c.id, product.c.name, product.c.name_en, product.c.unit, product.c.unit_en,
               product.c.grams_per_unit, price.c.price_fen, product.c.category_id, product.c.state,
               supplier.c.short_name.label("supplier"), village.c.path, village.c.county_id,
               county.c.parent_id.label("city_id"), price.c.valid_from.label("since"),
               _decision(day, price.c.price_fen).label("decision"))
        .select_from(product).join(price, price.c.id == standing)
        .join(supplier, supplier.c.id == product.c.supplier_id)
        .join(village, village.c.id == product.c.village_id).outerjoin(county, county.c.id == village.c.county_id)
        .where(product.c.state == "listed", here).order_by(product.c.id)
    )
    return found.where(product.c.name.contains(query, autoescape=True)) if query else found


def _decision(day: date, price_fen: Any) -> Any:
    """What was decided last by a day: about the price as an outlier of its month, else about the listing."""
    product, review, outlier = db.table(Product), db.table(ListingReview), db.table(PriceOutlier)
    price, until = db.table(ProductPrice), clock.shanghai(clock.days_after(day, 1))
    of_outlier = (
        select(case((outlier.c.approved_at < until, "agreed"), (outlier.c.reasoned_at < until, "second"),
                    else_="open"))
        .where(outlier.c.product_id == product.c.id, outlier.c.period == clock.period_of(day),
               outlier.c.price_fen == price_fen, outlier.c.found_at < until)
        .order_by(outlier.c.id.desc()).limit(1).correlate(product, price).scalar_subquery())
    decided = case((review.c.decided_at < until, review.c.decision), else_="waiting")
    of_review = (select(decided).where(review.c.product_id == product.c.id, review.c.decision != "withdrawn",
                                       review.c.submitted_at < until)
                 .order_by(review.c.id.desc()).limit(1).correlate(product).scalar_subquery())
    return func.coalesce(of_outlier, of_review, "")


def _watched(row: Any, known: Sequence[Reference], roots: dict[int, tuple[int | None, str]]) -> Watched:
    parent_id, shelf = roots[row.category_id]
    reference = rules.best_reference(known, row.county_id, row.city_id, (row.category_id, parent_id),
                                     row.name)
    return Watched(row, money.price_of_kg(row.price_fen, row.grams_per_unit), reference,
                   rules.band(reference.fen_per_kg, shelf) if reference else None, row.decision)


def _roots() -> dict[int, tuple[int | None, str]]:
    """Each category's parent and the code of its shelf."""
    rows = {row.id: row for row in db.session().execute(select(Category.id, Category.code, Category.parent_id))}

    def root(category_id: int) -> str:
        row = rows[category_id]
        return root(row.parent_id) if row.parent_id else row.code

    return {category_id: (row.parent_id, root(category_id)) for category_id, row in rows.items()}


# ---- one product ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Past:
    """A price from a day on."""

    since: date
    price_fen: int


def price_history(product_id: int, most: int = 12) -> list[Past]:
    """The prices at which goods were on sale, newest first, at most so many, in one statement.

    What was typed before the county had approved the goods was never a price.
    """
    price, review = db.table(ProductPrice), db.table(ListingReview)
    opened = (select(func.min(review.c.decided_at)).where(
        review.c.product_id == product_id, review.c.kind == "new",
        review.c.decision.in_(("approved", "published"))).scalar_subquery())
    rows = db.session().execute(
        select(price.c.price_fen, price.c.valid_from, opened.label("opened")).where(price.c.product_id == product_id)
        .order_by(price.c.valid_from.desc(), price.c.id.desc()).limit(most)).all()
    past = []
    for row in rows:
        past.append(Past(clock.business_date(row.valid_from), row.price_fen))
        if row.opened is not None and row.valid_from <= row.opened:
            break
    return past


def reference_of(product_id: int) -> Reference | None:
    """What the price of a product is compared with, in two statements (three where there is anything to compare)."""
    product, village, county = db.table(Product), db.table(Division), db.table(Division).alias("county")
    category = db.table(Category)
    row = db.session().execute(
        select(product.c.name, product.c.category_id, category.c.parent_id, village.c.county_id,
               county.c.parent_id.label("city_id"))
        .select_from(product).join(village, village.c.id == product.c.village_id)
        .join(category, category.c.id == product.c.category_id)
        .outerjoin(county, county.c.id == village.c.county_id).where(product.c.id == product_id)).first()
    if row is None or row.county_id is None:
        return None
    return rules.best_reference(references.current({row.county_id}), row.county_id, row.city_id,
                                (row.category_id, row.parent_id), row.name)
