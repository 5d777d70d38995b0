"""The cart: what somebody has put together for their unit."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from catalog.capacity.models import SeasonCapacity
from catalog.models import Category, Product
from catalog.on_sale import on_sale
from market import clock, db, money
from market.access import Visitor
from market.errors import N_, InvalidInput, MarketError, NotFound
from market.parties import Organisation
from orders.models import CartLine


class NotThisQuantity(MarketError):
    """Below the minimum, or between two steps."""

    status = 422
    code = "not_this_quantity"
    text = N_("%(name)s: at least %(minimum)s, in steps of %(step)s %(unit)s.")


def put(product_id: int, milli: int, by: Visitor) -> None:
    """Set the quantity of a good in the cart (thousandths of its unit); raises NotFound, NotThisQuantity."""
    put_all([(product_id, milli)], by)


def put_all(goods: Sequence[tuple[int, int]], by: Visitor, substitutes: Collection[int] | None = None) -> None:
    """Set the quantities of several goods, given as (product id, milli); raises NotFound, NotThisQuantity.

    `substitutes` are those instead of which others of their kind may come; None leaves that as it was.
    """
    products = sellable([product_id for product_id, _milli in goods])
    for product_id, milli in goods:
        if product_id not in products:
            raise NotFound()
        check_quantity(products[product_id], milli)
    rows = [{"unit_id": _unit_of(by), "user_id": by.id, "product_id": product_id, "milli": milli,
             "substitute_ok": product_id in (substitutes or ())}
            for product_id, milli in sorted(dict(goods).items())]
    if rows:
        keep = ("substitute_ok",) if substitutes is None else ()
        db.session().execute(db.insert_or_update(CartLine, "unit_id", "user_id", "product_id", keep=keep), rows)


def remove(product_ids: Sequence[int], by: Visitor) -> None:
    """Take goods out of the cart; harmless when they are not there."""
    db.session().execute(delete(CartLine).where(*_mine(by), CartLine.product_id.in_(product_ids)))


def count(by: Visitor) -> int:
    """How many goods lie in the cart."""
    return db.session().scalar(select(func.count()).select_from(CartLine).where(*_mine(by))) or 0


def lines(by: Visitor) -> list[dict[str, Any]]:
    """The cart with today's prices, grouped by co-operative; amounts in fen. Goods no longer listed are marked."""
    query = (
        select(CartLine.product_id, CartLine.milli, CartLine.substitute_ok, Product.name, Product.name_en,
               Product.unit, Product.unit_en,
               Product.price_fen, Product.minimum_milli, Product.step_milli, Product.supply, Product.picture,
               Product.harvest_months, Product.grams_per_unit, Product.state, Organisation.id.label("supplier_id"),
               Organisation.name.label("supplier_name"))
        .join(Product, Product.id == CartLine.product_id).join(Organisation, Organisation.id == Product.supplier_id)
        .where(*_mine(by)).order_by(Organisation.id, CartLine.id)
    )
    return [{**row, "amount_fen": money.line_total(row["price_fen"], row["milli"])}
            for row in db.session().execute(query).mappings()]


def check_quantity(product: Any, milli: int) -> None:
    """Raise NotThisQuantity unless the quantity is one that the good is sold in."""
    if milli < product.minimum_milli or milli % product.step_milli:
        raise NotThisQuantity(name=product.name, unit=product.unit, step=money.plain_decimal(product.step_milli),
                              minimum=money.plain_decimal(product.minimum_milli))


def sellable(product_ids: Sequence[int], day: date | None = None) -> dict[int, Any]:
    """What checkout must know of listed goods of active co-operatives, by id, in one statement.

    season_id and the rest of it are those of the season of the good's capacity in which the delivery day falls,
    None where there is none.
    """
    return {row.id: row for row in db.session().execute(_SELLABLE, {"ids": product_ids, "day": day or clock.today()})}


_product, _category, _supplier = db.table(Product).c, db.table(Category).c, db.table(Organisation).c
_season = db.table(SeasonCapacity).c
# built once: placing an order is the busiest write of the house
_SELLABLE = (
    select(_product.id, _product.supplier_id, _product.name, _product.name_en, _product.supply, _product.unit,
           _product.unit_en, _product.grams_per_unit, _product.by_weight, _product.minimum_milli, _product.step_milli,
           _product.harvest_months, _product.price_fen, _product.daily_capacity_milli, _product.certified,
           _category.code.label("category"), _supplier.short_name.label("supplier_name"),
           _season.id.label("season_id"), _season.name.label("season"), _season.approved_grams, _season.sold_grams)
    .join(db.table(Category), _category.id == _product.category_id)
    .join(db.table(Organisation), _supplier.id == _product.supplier_id)
    .outerjoin(db.table(SeasonCapacity), (_season.product_id == _product.id) & (_season.first_day <= bindparam("day"))
               & (_season.last_day >= bindparam("day")))
    .where(on_sale(), _product.id.in_(bindparam("ids", expanding=True)))
)


def _mine(by: Visitor) -> tuple[Any, Any]:
    return CartLine.user_id == by.id, CartLine.unit_id == _unit_of(by)


def _unit_of(by: Visitor) -> int:
    if by.organisation_id is None:
        raise InvalidInput({"": [N_("Please choose the organisation you act for.")]})
    return by.organisation_id
