"""The village desk's goods: list, create, change, price, show and hide, what the coming days yield."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import format_date
from flask_login import current_user

from catalog import desk, origins, products, shelves
from catalog.drawings import DRAWINGS
from catalog.products import BelowPromised
from catalog.schemas import (
    UNITS_EN,
    AvailabilitySchema,
    NewProductSchema,
    PriceSchema,
    ProductSchema,
    StateSchema,
)
from market import clock, db, files, money
from market.access import requires
from market.errors import N_, InvalidInput
from market.files import StoredFile
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again

bp = Blueprint("village", __name__, url_prefix="/village")

MENU = (MenuEntry("supplier", N_("Goods"), "village.goods", "goods.manage", "leaf"),)
DAYS_AHEAD = 14

Prepared = tuple[bytes, str, str]


@bp.get("/products")
@requires("goods.manage")
def goods() -> str:
    state = request.args.get("state") if request.args.get("state") in ("listed", "hidden") else None
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
    values, photo = parse(NewProductSchema), _photo()

    def create() -> Response:
        product = products.create_product(values, current_user.organisation_id, current_user, photo=_keep(photo))
        return see_other("village.product", product_id=product.id)

    return once(create)


@bp.get("/products/<int(max=999999999999):product_id>")
@requires("goods.manage")
def product(product_id: int) -> str:
    return _form(*desk.own_product(product_id, current_user.organisation_id))


@bp.post("/products/<int(max=999999999999):product_id>")
@requires("goods.manage")
@shows_again(product)
def change_product(product_id: int) -> Response:
    values, photo = parse(ProductSchema), _photo()

    def change() -> Response:
        own = products.own_product(product_id, current_user.organisation_id)
        products.change_product(own, values, current_user, _keep(photo))
        return see_other("village.product", product_id=product_id)

    return once(change)


@bp.get("/products/<int(max=999999999999):product_id>/prices")
@requires("goods.manage")
def prices(product_id: int) -> str:
    own, _values = desk.own_product(product_id, current_user.organisation_id)
    return render_template("catalog/desk_prices.html", product=own, prices=desk.prices(product_id))


@bp.post("/products/<int(max=999999999999):product_id>/prices")
@requires("goods.manage")
@shows_again(prices)
def set_price(product_id: int) -> Response:
    values = parse(PriceSchema)

    def price() -> Response:
        own = products.own_product(product_id, current_user.organisation_id)
        products.set_price(own, values["price_fen"], current_user)
        return see_other("village.prices", product_id=product_id)

    return once(price)


@bp.post("/products/<int(max=999999999999):product_id>/state")
@requires("goods.manage")
def set_state(product_id: int) -> Response:
    values = parse(StateSchema)
    with db.transaction():
        own = products.own_product(product_id, current_user.organisation_id)
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
    """The form of new or known goods."""
    return render_template(
        "catalog/desk_product.html", product=own, values=_as_typed(values),
        is_counted=own is not None and products.is_counted(own.id),
        names=shelves.words(), units=UNITS_EN, drawings=DRAWINGS,
        villages=origins.villages_of_supplier(current_user.organisation_id, values.get("village_id")),
    )


def _as_typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Stored numbers as a person types them."""
    decimals = ("grams_per_unit", "minimum_milli", "step_milli", "daily_capacity_milli")
    shown = {name: money.plain_decimal(values[name]) if name in decimals else values[name] for name in values}
    months = values.get("harvest_months", "all")
    return shown | {"harvest_months[]": [] if months == "all" else months.split(",")}


def _photo() -> Prepared | None:
    """The photo that was sent, checked and re-encoded before any transaction begins; only pictures."""
    sent = request.files.get("photo")
    if sent is None or not sent.filename:
        return None
    try:
        prepared = files.prepare(sent.read(files.MAX_BYTES + 1))
        if not prepared[1].startswith("image/"):
            raise files.FileRefused()
    except files.FileRefused as refusal:
        raise InvalidInput({"photo": [refusal]}) from refusal
    return prepared


def _keep(photo: Prepared | None) -> StoredFile | None:
    if photo is None:
        return None
    name = request.files["photo"].filename or ""
    return files.keep(photo, name, "public", current_user, current_app.extensions["sijin"].files_dir)


def _address(**changes: Any) -> str:
    kept = {name: request.args[name] for name in ("state", "sort") if request.args.get(name)}
    return url_for("village.goods", **{n: v for n, v in (kept | changes).items() if v not in (None, "")})
