"""What may be sold today, said once: goods on the shelf, and lots they may come from."""

from datetime import date

from sqlalchemy import ColumnElement, Date, FromClause, and_, bindparam, func, or_, select

from catalog.models import Lot, Product
from market import clock, db
from market.parties import Organisation

# the business date of the moment a statement runs, so that statements may be built once
TODAY = bindparam("today", callable_=clock.today, type_=Date())


def on_sale(product: FromClause | None = None, supplier: FromClause | None = None) -> ColumnElement[bool]:
    """Goods that anybody may order: listed, of an active supplier, with papers that hold today."""
    goods = (db.table(Product) if product is None else product).c
    seller = (db.table(Organisation) if supplier is None else supplier).c
    return and_(goods.state == "listed", seller.status == "active", goods.papers_until >= TODAY)


def usable(best_before: object = TODAY) -> ColumnElement[bool]:
    """Lots that may be promised to a kitchen for a day: confirmed at the village, not recalled, not past their date.

    A lot still in the field counts from the day on which its harvest is expected, as long as that day is not past.
    """
    lot = db.table(Lot).c
    in_the_field = and_(lot.expected_on <= best_before, lot.expected_on >= TODAY, lot.closed_at.is_(None))
    return and_(lot.confirmed_at.is_not(None), lot.recalled_at.is_(None), lot.best_before >= best_before,
                or_(harvested(), in_the_field))


def harvested() -> ColumnElement[bool]:
    """Lots that are here, not only expected."""
    return db.table(Lot).c.expected_on.is_(None)


def preseason_from() -> ColumnElement[date | None]:
    """The first day for which a product may be ordered ahead of its harvest; none where nothing is expected."""
    lot, product = db.table(Lot).c, db.table(Product)
    return (
        select(func.min(lot.expected_on))
        .where(lot.product_id == product.c.id, lot.expected_on > TODAY, lot.closed_at.is_(None),
               lot.confirmed_at.is_not(None), lot.recalled_at.is_(None), lot.on_hand_milli > lot.held_milli)
        .correlate(product).scalar_subquery())
