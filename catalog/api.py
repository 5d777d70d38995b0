"""Goods and lots for programs."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_login import current_user

from catalog import feed, lot_desk, lots
from catalog.api_schemas import (
    LotFilterSchema,
    LotSchema,
    LotStorySchema,
    ProductFilterSchema,
    ProductSchema,
    SubmittedSchema,
)
from catalog.lot_routes import book_lot
from catalog.lot_schemas import BookSchema
from catalog.review import listing
from catalog.review.checks import Incoming, Voucher
from catalog.review.schemas import ListingSchema
from market import api
from market.access import public, requires
from market.web import once

bp = api.blueprint("catalog_api", __name__, "Goods on sale; lots booked in and confirmed")

ID = "<int(max=999999999999):{}>"


@bp.get("/products")
@public
@bp.arguments(ProductFilterSchema, location="query")
@bp.response(200, api.page_of(ProductSchema))
@bp.doc(security=[])
def products(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Goods on sale."""
    rows = feed.products(wishes["q"], wishes["category"], wishes["supplier_id"], wishes["cursor"], wishes["limit"] + 1)
    return api.page(rows, wishes["limit"])


@bp.post("/products")
@requires("goods.manage")
@bp.arguments(ListingSchema)
@bp.response(201, SubmittedSchema)
@api.repeatable(bp)
def submit(values: Mapping[str, Any]) -> Response:
    """New goods, as the form takes them. Nothing found: on the shelf at once; else they wait for the county."""
    def work() -> Response:
        link = values["voucher_link"]
        outcome = listing.submit(Incoming(values, voucher=Voucher(link) if link else None),
                                 current_user.organisation_id, current_user)
        return api.created(SubmittedSchema, {"id": outcome.product_id, "state": outcome.state, "findings": [
            one.as_plain() for one in outcome.findings]})

    return once(work)


@bp.get("/products/" + ID.format("product_id"))
@public
@bp.response(200, ProductSchema)
@bp.doc(security=[])
def product(product_id: int) -> Any:
    """One product on sale."""
    return feed.product(product_id)


@bp.get("/lots")
@requires("lot.read")
@bp.arguments(LotFilterSchema, location="query")
@bp.response(200, api.page_of(LotSchema))
def list_lots(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """A co-operative's own lots, or those of an officer's area."""
    rows = lot_desk.lots_after(current_user, wishes["cursor"], wishes["limit"] + 1, wishes["state"] == "waiting")
    return api.page(rows, wishes["limit"])


@bp.get("/lots/" + ID.format("lot_id"))
@requires("lot.read")
@bp.response(200, LotStorySchema)
def lot(lot_id: int) -> dict[str, Any]:
    """One lot with its villages."""
    return _told(lot_id)


@bp.post("/lots")
@requires("lot.book")
@bp.arguments(BookSchema)
@bp.response(201, LotStorySchema)
@api.repeatable(bp)
def book(values: Mapping[str, Any]) -> Response:
    """Book a harvest in. It can be sold once the village has confirmed it."""
    return once(lambda: api.created(LotStorySchema, _told(book_lot(values).id)))


@bp.post("/lots/" + ID.format("lot_id") + "/confirmation")
@requires("lot.confirm")
@bp.response(201, LotStorySchema)
@api.repeatable(bp)
def confirm(lot_id: int) -> Response:
    """An officer of the village confirms origin, weight and farm-gate price."""
    def work() -> Response:
        lots.confirm(lot_id, current_user)
        return api.created(LotStorySchema, _told(lot_id))

    return once(work)


def _told(lot_id: int) -> dict[str, Any]:
    story = lot_desk.story(lot_id, current_user)
    return {**story.lot._mapping, "shares": story.shares, "details": story.details}
