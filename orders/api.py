"""Purchases, orders, deliveries and payments for programs: the same verbs as the pages."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, request
from flask_login import current_user

from market import api, logins, uploads
from market.access import Visitor, requires
from market.errors import N_, InvalidInput, MarketError
from market.web import once, sent_token
from orders import feed
from orders.api_schemas import (
    AcceptanceSchema,
    ClaimFilterSchema,
    ClaimOfSeveralSchema,
    ClaimSchema,
    DecisionSchema,
    NewClaimSchema,
    NewPurchaseSchema,
    OrderFilterSchema,
    OrderSchema,
    PhotoSchema,
    PurchaseSummarySchema,
    WholeOrderSchema,
    WholePurchaseSchema,
)
from orders.approving import parting
from orders.buying import approval, checkout
from orders.buying.checkout import Wish
from orders.delivering import acceptance, exceptions, lists, receiving, shipments
from orders.delivering.acceptance import Taken
from orders.delivering.packing_schemas import ShipmentSchema
from orders.delivering.village_routes import packed_of, stays_of
from orders.paying import claims, terms
from orders.paying.claims import Remittance

bp = api.blueprint("orders_api", __name__, "Purchases, sub-orders, deliveries, acceptance, payments")

ID = "<int(max=999999999999):{}>"
PURCHASE, ORDER, CLAIM = ID.format("purchase_id"), ID.format("order_id"), ID.format("claim_id")


# ---- purchases ------------------------------------------------------------------------------------------------------


@bp.get("/purchases")
@requires("purchase.read")
@bp.arguments(api.PageSchema, location="query")
@bp.response(200, api.page_of(PurchaseSummarySchema))
def purchases(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The unit's purchases."""
    return api.page(feed.purchases(current_user, wishes["cursor"], wishes["limit"] + 1), wishes["limit"])


@bp.get(f"/purchases/{PURCHASE}")
@requires("purchase.read")
@bp.response(200, WholePurchaseSchema)
def purchase(purchase_id: int) -> dict[str, Any]:
    """One purchase with its sub-orders."""
    return feed.purchase(purchase_id, current_user)


@bp.post("/purchases")
@requires("purchase.place")
@bp.arguments(NewPurchaseSchema)
@bp.response(201, WholePurchaseSchema)
@api.repeatable(bp)
def place(values: Mapping[str, Any]) -> Response:
    """Order goods of one or several co-operatives, all or nothing."""
    goods = [(line["product_id"], line["ordered_milli"]) for line in values["lines"]]
    wish = Wish(**{name: value for name, value in values.items() if name != "lines"})
    substitutes = {line["product_id"] for line in values["lines"] if line["substitute_ok"]}
    token = sent_token() or secrets.token_urlsafe(16)

    def work() -> Response:
        placed = checkout.place(goods, wish, token, current_user, substitutes=substitutes)
        return api.created(WholePurchaseSchema, feed.purchase(placed.id, current_user))

    return once(work)


@bp.post(f"/purchases/{PURCHASE}/approval")
@requires("purchase.approve")
@bp.arguments(DecisionSchema)
@bp.response(201, WholePurchaseSchema)
@api.repeatable(bp)
def approve(values: Mapping[str, Any], purchase_id: int) -> Response:
    """A second person lets a waiting purchase go, or declines it."""
    def work() -> Response:
        if values["decision"] == "approve":
            approval.approve(purchase_id, values["content_hash"], current_user)
        else:
            approval.decline(purchase_id, values["reason"], current_user)
        return api.created(WholePurchaseSchema, feed.purchase(purchase_id, current_user))

    return once(work)


# ---- orders ---------------------------------------------------------------------------------------------------------


@bp.get("/orders")
@requires("order.read")
@bp.arguments(OrderFilterSchema, location="query")
@bp.response(200, api.page_of(OrderSchema))
def orders(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Sub-orders of the unit, or of the co-operative."""
    return api.page(feed.orders(current_user, wishes["state"], wishes["cursor"], wishes["limit"] + 1), wishes["limit"])


@bp.get(f"/orders/{ORDER}")
@requires("order.read")
@bp.response(200, WholeOrderSchema)
def order(order_id: int) -> dict[str, Any]:
    """One sub-order with lines and packed lots."""
    return feed.order(order_id, current_user)


@bp.post(f"/orders/{ORDER}/shipment")
@requires("order.ship")
@bp.arguments(ShipmentSchema)
@bp.response(201, WholeOrderSchema)
@api.repeatable(bp)
def ship(values: Mapping[str, Any], order_id: int) -> Response:
    """Send an order on its way with the lots really packed, short or whole."""
    def work() -> Response:
        if values["rest_on"] is not None:
            parting.part(order_id, stays_of(values), values["rest_on"], current_user)
        shipments.ship(order_id, packed_of(values), current_user, values["note"])
        return api.created(WholeOrderSchema, feed.order(order_id, current_user))

    return once(work)


@bp.post(f"/orders/{ORDER}/acceptance")
@requires("delivery.accept")
@bp.arguments(AcceptanceSchema)
@bp.response(201, WholeOrderSchema)
@api.repeatable(bp)
def accept(values: Mapping[str, Any], order_id: int) -> Response:
    """Two receivers take the goods; from now on the unit owes and the villages have earned."""
    taken = _judged(order_id, values)
    second = _second_receiver(values["second_receiver"])

    def work() -> Response:
        acceptance.accept(order_id, taken, (current_user, second), values["note"], exceptions.documents(values))
        return api.created(WholeOrderSchema, feed.order(order_id, current_user))

    return once(work)


@bp.post("/acceptance-photos")
@requires("delivery.accept")
@bp.response(201, PhotoSchema)
@api.repeatable(bp)
def send_photo() -> Response:
    """A photo of goods, sent as `multipart/form-data` in the field `photo`; an acceptance names it by its id."""
    sent = uploads.needed("photo", pictures_only=True)

    def work() -> Response:
        return api.created(PhotoSchema, replace(sent, name="photo").keep())

    return once(work)


def _judged(order_id: int, values: Mapping[str, Any]) -> list[Taken]:
    """What is taken, with temperatures; raises InvalidInput for photos and temperatures that are missing."""
    told = values["lines"]
    photos = lists.usable_photos({photo for line in told for photo in line["photo_ids"]}, current_user)
    lines = lists.lines_of(order_id, current_user.organisation_id)
    taken = [Taken(line["line_id"], line["accepted_grams"], line["accepted_milli"], line["price_fen"], line["reason"],
                   photo_ids=tuple(dict.fromkeys(line["photo_ids"]))) for line in told]
    known = [one for one in taken if one.line_id in lines]
    kinds = exceptions.cold_kinds({order_id: known}, lines)
    wrong: dict[str, list[str | MarketError]] = {
        f"lines-{number}-photo_ids": [N_("Please choose one of the list.")]
        for number, line in enumerate(told) if not set(line["photo_ids"]) <= photos}
    wrong |= {f"lines-{number}-photo_ids": [refusal] for number, refusal in receiving.lines_without_photo(
        taken, lines, lists.tolerance_of(current_user.organisation_id)).items()}
    wrong |= exceptions.wrong_with(values, kinds)
    if wrong:
        raise InvalidInput(wrong)
    return [replace(one, temperature_tenths=exceptions.measured(values, kinds.get(one.line_id))) for one in taken]


def _second_receiver(proof: Mapping[str, str]) -> Visitor:
    """Who proves to be the second receiver; a refusal stands at this API's fields."""
    named = logins.visitor_of_login(proof["login"].lower())
    given = "pin" if proof.get("pin") else "password"
    at = {"second_id": "second_receiver-login", "second_password": f"second_receiver-{given}"}
    try:
        return receiving.second_receiver(named.id if named else 0, proof[given], current_user,
                                         request.remote_addr or "")
    except InvalidInput as refusal:
        raise InvalidInput({at[name]: messages for name, messages in refusal.fields.items()}) from refusal


# ---- payments -------------------------------------------------------------------------------------------------------


@bp.get("/payment-claims")
@requires("order.read")
@bp.arguments(ClaimFilterSchema, location="query")
@bp.response(200, api.page_of(ClaimSchema))
def list_claims(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Transfers that the unit announced, or that were announced to the co-operative."""
    return api.page(feed.claims(current_user, wishes["state"], wishes["cursor"], wishes["limit"] + 1), wishes["limit"])


@bp.post(f"/orders/{ORDER}/payment-claims")
@requires("payment.claim")
@bp.arguments(NewClaimSchema)
@bp.response(201, ClaimSchema)
@api.repeatable(bp)
def claim(values: Mapping[str, Any], order_id: int) -> Response:
    """The unit says that it has transferred money for an order."""
    def work() -> Response:
        made = claims.claim({order_id: values["amount_fen"]}, Remittance(values["payer_name"], values["paid_on"]),
                            current_user)
        return api.created(ClaimSchema, made)

    return once(work)


@bp.post("/payment-claims")
@requires("payment.claim")
@bp.arguments(ClaimOfSeveralSchema)
@bp.response(201, ClaimSchema)
@api.repeatable(bp)
def claim_several(values: Mapping[str, Any]) -> Response:
    """The unit says that it has transferred money for several orders of one co-operative."""
    amounts = {part["order_id"]: part["amount_fen"] for part in values["orders"]}
    if len(amounts) != len(values["orders"]):
        raise InvalidInput({"orders": [N_("An order is listed twice.")]})

    def work() -> Response:
        made = claims.claim(amounts, Remittance(values["payer_name"], values["paid_on"]), current_user)
        return api.created(ClaimSchema, made)

    return once(work)


@bp.post(f"/payment-claims/{CLAIM}/withdrawal")
@requires("payment.claim")
@bp.response(201, ClaimSchema)
@api.repeatable(bp)
def withdraw(claim_id: int) -> Response:
    """The unit takes back what it claimed by mistake."""
    return once(lambda: api.created(ClaimSchema, claims.withdraw(claim_id, current_user)))


@bp.post(f"/orders/{ORDER}/extension")
@requires("payment.extend")
@bp.response(201, WholeOrderSchema)
@api.repeatable(bp)
def extend(order_id: int) -> Response:
    """15 more days to pay an order that is paid first, once."""
    def work() -> Response:
        terms.extend(order_id, current_user)
        return api.created(WholeOrderSchema, feed.order(order_id, current_user))

    return once(work)


@bp.post(f"/payment-claims/{CLAIM}/receipt")
@requires("payment.receive")
@bp.response(201, ClaimSchema)
@api.repeatable(bp)
def receive(claim_id: int) -> Response:
    """The co-operative has found the money on its account."""
    return once(lambda: api.created(ClaimSchema, claims.confirm(claim_id, current_user)))
