"""What the worker does for listings: tells the co-operative what the county decided, and looks for outliers."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from catalog.models import Product
from catalog.review import outliers
from catalog.review.models import ListingReview
from market import db, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler

KINDS: Kinds = {
    "listing.approved": Kind(N_("The county has approved %(name)s."), "review.outcome", "review_id"),
    "listing.returned": Kind(N_("The county has sent %(name)s back: please see what has to be mended."),
                             "review.outcome", "review_id"),
}


def listing_decided(payload: Mapping[str, Any]) -> None:
    """Decided: the co-operative hears of it."""
    with db.transaction() as session:
        row = session.execute(
            select(ListingReview.id, ListingReview.decision, Product.name, Product.supplier_id)
            .join(Product, Product.id == ListingReview.product_id)
            .where(ListingReview.id == payload["review_id"])).one()
        notices.tell(row.supplier_id, "listing." + row.decision, row.id, {"name": row.name})


HANDLERS: Mapping[str, Handler] = {"listing.decided": listing_decided}


def watch_prices() -> None:
    """Once an hour: which goods cost far more than like goods."""
    with db.transaction():
        outliers.watch()
