"""What may be sold today, said once: goods on the shelf, and lots they may come from."""

from sqlalchemy import ColumnElement, Date, FromClause, and_, bindparam

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
    """Lots that may still go to a kitchen: confirmed at the village, not recalled, not past their date on a day."""
    lot = db.table(Lot).c
    return and_(lot.confirmed_at.is_not(None), lot.recalled_at.is_(None), lot.best_before >= best_before)
