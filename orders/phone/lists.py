"""What both sides see of phone orders: columns, a fixed number of statements, their own rows only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, or_, select

from catalog.models import Product
from catalog.on_sale import on_sale
from market import clock, db, paging
from market.access import Visitor
from market.errors import NotFound
from market.parties import Organisation
from market.users import User
from orders.models import Order, Purchase
from orders.phone.models import PhoneOrder, PhoneOrderLine

PER_PAGE = 30
MOST_UNITS, MOST_FOUND = 30, 8
Columns = Row[*tuple[Any, ...]]


def typed_by_us(by: Visitor, page: int) -> paging.Page:
    """What a co-operative typed, the latest first."""
    return _page(PhoneOrder.supplier_id == by.organisation_id, page)


def said_by_us(by: Visitor, page: int) -> paging.Page:
    """What was typed for a unit, the latest first."""
    return _page(PhoneOrder.unit_id == by.organisation_id, page)


def open_for(by: Visitor) -> int:
    """How many wait for the unit's word."""
    return db.session().scalar(select(func.count()).select_from(PhoneOrder).where(
        PhoneOrder.unit_id == by.organisation_id, PhoneOrder.state == "open",
        PhoneOrder.expires_at > clock.now())) or 0


def of_supplier(order_id: int, by: Visitor) -> Columns:
    """One that the visitor's co-operative typed. Raises NotFound."""
    return _one(PhoneOrder.id == order_id, PhoneOrder.supplier_id == by.organisation_id)


def of_unit(order_id: int, by: Visitor) -> Columns:
    """One that was typed for the visitor's unit. Raises NotFound."""
    return _one(PhoneOrder.id == order_id, PhoneOrder.unit_id == by.organisation_id)


def lines(order_id: int) -> Sequence[Columns]:
    """The goods with the price that was typed and today's. The caller has checked whose they are."""
    return db.session().execute(
        select(db.table(PhoneOrderLine), Product.name, Product.name_en, Product.unit, Product.unit_en,
               Product.price_fen.label("price_now_fen"), on_sale().label("on_sale"))
        .join(Product, Product.id == PhoneOrderLine.product_id)
        .join(Organisation, Organisation.id == Product.supplier_id)
        .where(PhoneOrderLine.phone_order_id == order_id).order_by(PhoneOrderLine.id)).all()


def last_point(order: Columns) -> int | None:
    """Where the co-operative delivered to the unit last."""
    return db.session().scalar(
        select(Order.delivery_point_id).where(Order.unit_id == order.unit_id, Order.supplier_id == order.supplier_id)
        .order_by(Order.id.desc()).limit(1))


# ---- for typing -----------------------------------------------------------------------------------------------------


def units(by: Visitor, query: str) -> Sequence[Columns]:
    """Units that may be meant, by id and short name alone: those that bought here before, the latest first; for a
    query, any whose name holds it or whose credit code it is."""
    active = (Organisation.kind == "unit", Organisation.status == "active")
    columns = select(Organisation.id, Organisation.short_name)
    if query:
        return db.session().execute(columns.where(*active, or_(
            Organisation.name.icontains(query, autoescape=True), Organisation.credit_code == query.upper()))
            .order_by(Organisation.short_name).limit(MOST_FOUND)).all()
    bought = (select(Order.unit_id, func.max(Order.id).label("latest"))
              .where(Order.supplier_id == by.organisation_id).group_by(Order.unit_id).subquery())
    return db.session().execute(columns.join(bought, bought.c.unit_id == Organisation.id).where(*active)
                                .order_by(bought.c.latest.desc()).limit(MOST_UNITS)).all()


def unit(unit_id: int | None) -> Columns | None:
    """The unit that was chosen, by its short name."""
    return db.session().execute(select(Organisation.id, Organisation.short_name).where(
        Organisation.id == unit_id, Organisation.kind == "unit", Organisation.status == "active")).first()


def own_goods(by: Visitor) -> Sequence[Columns]:
    """The co-operative's goods on sale, the best sold first."""
    return db.session().execute(
        select(Product.id, Product.name, Product.name_en, Product.unit, Product.unit_en, Product.price_fen,
               Product.minimum_milli, Product.step_milli)
        .join(Organisation, Organisation.id == Product.supplier_id)
        .where(on_sale(), Product.supplier_id == by.organisation_id)
        .order_by(Product.sold_milli.desc(), Product.id).limit(200)).all()


# ---- rows -----------------------------------------------------------------------------------------------------------


def _page(condition: Any, page: int) -> paging.Page:
    total = db.session().scalar(select(func.count()).select_from(PhoneOrder).where(condition)) or 0
    return paging.read(_columns().where(condition).order_by(PhoneOrder.id.desc()), total, page, PER_PAGE)


def _one(*conditions: Any) -> Columns:
    found = db.session().execute(_columns().where(*conditions)).first()
    if found is None:
        raise NotFound()
    return found


def _columns() -> Select[Any]:
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    total = (select(func.count()).where(PhoneOrderLine.phone_order_id == PhoneOrder.id).correlate(PhoneOrder)
             .scalar_subquery())
    return (
        select(db.table(PhoneOrder), unit.c.short_name.label("unit"), supplier.c.short_name.label("supplier"),
               User.name.label("typist"), Purchase.number.label("purchase_number"), total.label("goods"))
        .join(unit, unit.c.id == PhoneOrder.unit_id).join(supplier, supplier.c.id == PhoneOrder.supplier_id)
        .join(User, User.id == PhoneOrder.typed_by).outerjoin(Purchase, Purchase.id == PhoneOrder.purchase_id)
    )
