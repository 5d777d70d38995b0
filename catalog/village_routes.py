"""The village desk's goods: list, create, change, price, show and hide, what the coming days yield."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_babel import format_date
from flask_login import current_user

from catalog import desk, origins, products, shelves
from catalog.drawings import DRAWINGS
from catalog.models import STATES
from catalog.products import BelowPromised
from catalog.review import desk as review_desk
from catalog.review import listing, monitor, references, rules
from catalog.review.checks import Incoming
from catalog.review.decisions import REASONS
from catalog.review.labels import DECISION_LABELS
from catalog.review.listing import Outcome
from catalog.review.routes import KIND_LABELS
from catalog.review.schemas import EditSchema, ListingSchema, NewPriceSchema
from catalog.schemas import UNITS_EN, AvailabilitySchema, StateSchema
from catalog.uploads import SentGoods
from market import clock, db, money
from market.access import requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again

bp = Blueprint("village", __name__, url_prefix="/village")

MENU = (MenuEntry("supplier", N_("Goods"), "village.goods", "goods.manage", "leaf", group="stock"),)
DAYS_AHEAD = 14


@bp.get("/products")
@requires("goods.manage")
def goods() -> str:
    state = request.args.get("state") if request.args.get("state") in STATES else None
    sort = request.args.get("sort", "")
    found = desk.goods(current_user.organisation_id, state, sort, page_number())
    return render_template("catalog/desk_goods.html", found=found, state=state, sort=sort, address=_address)


@bp.get("/products/new")
@requires("goods.manage")
def new_product() -> str:
    return _form(None, {"supply": "daily", "unit": "斤", "grams_per_unit": 500, "minimum_milli": 5000,
                        "step_milli": 1000, "harvest_months": "all", "picture": "basket"})


@bp.post("/products")
@requires("goods.manage")
@shows_again(new_product)
def create_product() -> Response:
    values = parse(ListingSchema)
    sent = SentGoods(values["voucher_link"])

    def create() -> Response:
        outcome = listing.submit(Incoming(values, sent.photo(), sent.voucher()), current_user.organisation_id,
                                 current_user)
        _tell(outcome)
        return see_other("village.product", product_id=outcome.product_id)

    return once(create)


@bp.get("/products/<int(max=999999999999):product_id>")
@requires("goods.manage")
def product(product_id: int) -> str:
    return _form(*desk.own_product(product_id, current_user.organisation_id))


@bp.post("/products/<int(max=999999999999):product_id>")
@requires("goods.manage")
@shows_again(product)
def change_product(product_id: int) -> Response:
    values = parse(EditSchema)
    sent = SentGoods(values["voucher_link"])

    def change() -> Response:
        own = products.own_product(product_id, current_user.organisation_id)
        _tell(listing.change(own, values, current_user, sent.photo(), sent.voucher()))
        return see_other("village.product", product_id=product_id)

    return once(change)


@bp.get("/products/<int(max=999999999999):product_id>/prices")
@requires("goods.manage")
def prices(product_id: int) -> str:
    own, _values = desk.own_product(product_id, current_user.organisation_id)
    reference = monitor.reference_of(product_id)
    shelf = shelves.words().root(own.category)
    return render_template(
        "catalog/desk_prices.html", product=own, prices=desk.prices(product_id), reference=reference,
        band=rules.band(reference.fen_per_kg, shelf) if reference else None, in_units=money.price_of_unit,
        reviews=review_desk.history(product_id), vouchers=review_desk.vouchers(product_id), **_review_words())


@bp.post("/products/<int(max=999999999999):product_id>/prices")
@requires("goods.manage")
@shows_again(prices)
def set_price(product_id: int) -> Response:
    values = parse(NewPriceSchema)
    sent = SentGoods(values["voucher_link"])

    def price() -> Response:
        own = products.own_product(product_id, current_user.organisation_id)
        _tell(listing.change_price(own, values["price_fen"], current_user, sent.voucher()))
        return see_other("village.prices", product_id=product_id)

    return once(price)


@bp.post("/products/<int(max=999999999999):product_id>/state")
@requires("goods.manage")
def set_state(product_id: int) -> Response:
    values = parse(StateSchema)
    with db.transaction():
        own = products.own_product(product_id, current_user.organisation_id)
        if values["state"] == "listed":
            _tell(listing.show(own, current_user))
        else:
            products.set_state(own, values["state"], current_user)
    return see_other("village.product", product_id=product_id)


@bp.get("/products/<int(max=999999999999):product_id>/availability")
@requires("goods.manage")
def availability(product_id: int) -> str:
    own, _values = desk.own_product(product_id, current_user.organisation_id)
    first = clock.today()
    days = desk.days(own, first, first + timedelta(days=DAYS_AHEAD - 1))
    return render_template("catalog/desk_availability.html", product=own, days=days,
                           weekday=lambda day: format_date(day, "EEEE"))


@bp.post("/products/<int(max=999999999999):product_id>/availability")
@requires("goods.manage")
@shows_again(availability)
def set_availability(product_id: int) -> Response:
    days = [(line["day"], line["capacity_milli"]) for line in parse(AvailabilitySchema)["days"]]

    def change() -> Response:
        own = products.own_product(product_id, current_user.organisation_id)
        try:
            products.set_availability(own, days, current_user)
        except BelowPromised as refusal:
            at = [day.isoformat() for day, _milli in days].index(refusal.details["day"])
            raise InvalidInput({f"days-{at}-capacity_milli": [refusal]}) from refusal
        return see_other("village.availability", product_id=product_id)

    return once(change)


# ---- forms ----------------------------------------------------------------------------------------------------------


def _form(own: Any, values: Mapping[str, Any]) -> str:
    """The form of new or known goods; what waits for the county or was sent back stands in it as it was typed."""
    reviews = review_desk.history(own.id) if own else []
    newest = reviews[0] if reviews else None
    if newest is not None and newest.kind == "edit" and newest.decision in ("waiting", "returned"):
        values = {**values, **newest.proposed}
    return render_template(
        "catalog/desk_product.html", product=own, values=_as_typed(values),
        is_counted=own is not None and products.is_counted(own.id),
        names=shelves.words(), units=UNITS_EN, drawings=DRAWINGS,
        villages=origins.villages_of_supplier(current_user.organisation_id, values.get("village_id")),
        reviews=reviews, vouchers=review_desk.vouchers(own.id) if own else [],
        references=references.for_supplier(current_user.division_id), in_units=money.price_of_unit, **_review_words(),
    )


def _review_words() -> dict[str, Any]:
    return {"kinds": rules.FINDINGS, "labels_of_decisions": DECISION_LABELS, "kind_labels": KIND_LABELS,
            "reason_words": REASONS}


def _tell(outcome: Outcome) -> None:
    """Where the goods stand now, above the next page."""
    if outcome.state == "waiting":
        found = "; ".join(_(rules.FINDINGS[one.code].text, **one.details) for one in outcome.findings)
        flash(_("The county looks at it first: %(found)s.", found=found), "waiting")
    elif outcome.state == "listed":
        flash(_("It holds from now on."), "good")


def _as_typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Stored numbers as a person types them."""
    decimals = ("grams_per_unit", "minimum_milli", "step_milli", "daily_capacity_milli")
    shown = {name: money.plain_decimal(values[name]) if name in decimals else values[name] for name in values}
    months = values.get("harvest_months", "all")
    if "price_fen" in values:
        shown["price_fen"] = money.plain_yuan(values["price_fen"])
    return shown | {"harvest_months[]": [] if months == "all" else months.split(",")}


def _address(**changes: Any) -> str:
    kept = {name: request.args[name] for name in ("state", "sort") if request.args.get(name)}
    return url_for("village.goods", **{n: v for n, v in (kept | changes).items() if v not in (None, "")})
