"""The cart: what somebody has put together for their unit."""

from typing import Any

from sqlalchemy import delete, func, select

from catalog.models import Category, Product
from market import db, money
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
    product = db.session().execute(_sellable().where(Product.id == product_id)).one_or_none()
    if product is None:
        raise NotFound()
    check_quantity(product, milli)
    session = db.session()
    session.execute(delete(CartLine).where(*_mine(by), CartLine.product_id == product_id))
    db.insert_rows(CartLine, [{"unit_id": by.organisation_id, "user_id": by.id, "product_id": product_id,
                               "milli": milli}])


def remove(product_id: int, by: Visitor) -> None:
    """Take a good out of the cart; harmless when it is not there."""
    db.session().execute(delete(CartLine).where(*_mine(by), CartLine.product_id == product_id))


def empty(by: Visitor) -> None:
    """Take everything out."""
    db.session().execute(delete(CartLine).where(*_mine(by)))


def count(by: Visitor) -> int:
    """How many goods lie in the cart."""
    return db.session().scalar(select(func.count()).select_from(CartLine).where(*_mine(by))) or 0


def lines(by: Visitor) -> list[dict[str, Any]]:
    """The cart with today's prices, grouped by co-operative; amounts in fen. Goods no longer listed are marked."""
    query = (
        select(CartLine.product_id, CartLine.milli, Product.name, Product.name_en, Product.unit, Product.unit_en,
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


def sellable(product_ids: list[int]) -> dict[int, Any]:
    """What checkout must know of listed goods of active co-operatives, by id, in one statement."""
    return {row.id: row for row in db.session().execute(_sellable().where(Product.id.in_(product_ids)))}


def _sellable() -> Any:
    return (
        select(Product.id, Product.supplier_id, Product.name, Product.name_en, Product.supply, Product.unit,
               Product.unit_en, Product.grams_per_unit, Product.by_weight, Product.minimum_milli, Product.step_milli,
               Product.harvest_months, Product.price_fen, Product.daily_capacity_milli, Product.certified,
               Category.code.label("category"), Organisation.short_name.label("supplier_name"))
        .join(Category, Category.id == Product.category_id)
        .join(Organisation, Organisation.id == Product.supplier_id)
        .where(Product.state == "listed", Organisation.status == "active")
    )


def _mine(by: Visitor) -> tuple[Any, Any]:
    if by.organisation_id is None:
        raise InvalidInput({"": [N_("Please choose the organisation you act for.")]})
    return CartLine.user_id == by.id, CartLine.unit_id == by.organisation_id
