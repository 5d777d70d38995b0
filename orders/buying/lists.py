"""What a buying unit sees of its purchases and orders: columns, a fixed number of statements, its own rows only."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, exists, func, or_, select

from market import clock, db, paging, words
from market.access import Visitor
from market.errors import NotFound
from market.parties import DeliveryPoint, Organisation
from market.users import User
from orders import families, states
from orders.aftersale.states import LIVE, RATE_DAYS
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AfterSale,
    Order,
    OrderLine,
    Purchase,
    Rating,
    Shipment,
    ShipmentLine,
)

PER_PAGE = 30
Columns = Row[*tuple[Any, ...]]


def unit_ids(by: Visitor) -> list[int]:
    """The visitor's own unit and the units it supervises."""
    return list(db.session().scalars(families.within(by.organisation_id).order_by(Organisation.id)))


def delivery_points(unit_id: int | None) -> Sequence[Columns]:
    """The open doors of a unit (id, name, address)."""
    return db.session().execute(
        select(DeliveryPoint.id, DeliveryPoint.name, DeliveryPoint.address)
        .where(DeliveryPoint.unit_id == unit_id, DeliveryPoint.closed_at.is_(None))
        .order_by(DeliveryPoint.id)).all()


def budget_units(by: Visitor) -> Sequence[Columns]:
    """The units a purchase may count for (id, short_name), the visitor's own first."""
    return db.session().execute(
        select(Organisation.id, Organisation.short_name)
        .where(families.is_within(by.organisation_id), Organisation.status == "active")
        .order_by(case((Organisation.id == by.organisation_id, 0), else_=1), Organisation.id)).all()


# ---- orders ---------------------------------------------------------------------------------------------------------


def open_fen() -> ColumnElement[int]:
    """What an order still costs, in fen: the ordered amount before acceptance, then accepted less returned; freight."""
    return owed_fen() - (Order.received_fen - Order.refunded_fen)


def owed_fen() -> ColumnElement[int]:
    """What an order costs with its freight, in fen, whatever has been paid."""
    return case((Order.state.in_(("waiting", "placed", "shipped")), Order.placed_fen + Order.freight_fen),
                (Order.state == "cancelled", 0), else_=Order.accepted_fen - Order.returned_fen + freight_due_fen())


def freight_due_fen() -> ColumnElement[int]:
    """What of an order's freight is owed once it is accepted, in fen: all, or nothing where nothing was taken."""
    return case((Order.state == "accepted", Order.freight_fen), else_=0)


def tab_counts(units: Collection[int]) -> dict[str, int]:
    """How many orders lie under each tab, with 'all'; one that is to be rated or in dispute also lies under its own."""
    counts = dict.fromkeys(words.TABS, 0)
    beside = db.session().execute(
        select(*(func.count().filter(condition()).label(name) for name, condition in BESIDE.items()))
        .select_from(Order).where(Order.unit_id.in_(units))).one()
    counts |= dict(beside._mapping)
    for state, payment, orders in db.session().execute(
            select(Order.state, Order.payment, func.count()).where(Order.unit_id.in_(units))
            .group_by(Order.state, Order.payment)):
        counts[states.tab_of(state, payment)] += orders
        counts["all"] += orders
    return counts


def orders(units: Collection[int], tab: str, query: str, page: int) -> paging.Page:
    """Orders under a tab whose number or co-operative holds the query, newest first; two statements."""
    conditions = [Order.unit_id.in_(units), *_under(tab), *_named(query)]
    total = db.session().scalar(select(func.count()).select_from(Order).where(*conditions)) or 0
    return paging.read(_order_columns().where(*conditions).order_by(Order.id.desc()), total, page, PER_PAGE)


def _to_rate() -> ColumnElement[bool]:
    """Accepted in the last weeks and not yet rated."""
    since = clock.days_after(clock.today(), -RATE_DAYS)
    return ((Order.state == "accepted")
            & exists().where(Acceptance.order_id == Order.id, Acceptance.business_date >= since)
            & ~exists().where(Rating.order_id == Order.id))


def _in_dispute() -> ColumnElement[bool]:
    """With a case that is not closed."""
    return exists().where(AfterSale.order_id == Order.id, AfterSale.state.in_(LIVE))


# tabs beside the states: an order to be paid may also be rated or in dispute
BESIDE: Mapping[str, Callable[[], ColumnElement[bool]]] = {"to_rate": _to_rate, "after_sale": _in_dispute}


def _under(tab: str) -> list[ColumnElement[bool]]:
    if tab == "all":
        return []
    if tab in BESIDE:
        return [BESIDE[tab]()]
    lying, payments = states.conditions_of(tab)
    return [Order.state.in_(lying), Order.payment.in_(payments)]


def _named(query: str) -> list[ColumnElement[bool]]:
    if not query:
        return []
    return [or_(Order.number.icontains(query, autoescape=True), Order.supplier_name.icontains(query, autoescape=True))]


def _order_columns() -> Select[Any]:
    return (
        select(db.table(Order), open_fen().label("open_fen"), Purchase.number.label("purchase_number"),
               Purchase.approval, Purchase.ordered_by, Purchase.approved_by, Purchase.note,
               DeliveryPoint.name.label("point"), DeliveryPoint.address, Organisation.short_name.label("unit_name"))
        .join(Purchase, Purchase.id == Order.purchase_id)
        .join(DeliveryPoint, DeliveryPoint.id == Order.delivery_point_id)
        .join(Organisation, Organisation.id == Order.unit_id)
    )


def order(order_id: int, units: Collection[int]) -> Columns:
    """One order's facts with its run, if it is on the way. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _order_columns().add_columns(Shipment.run_id).outerjoin(Shipment, Shipment.order_id == Order.id)
        .where(Order.id == order_id, Order.unit_id.in_(units))).first()
    if found is None:
        raise NotFound()
    return found


def of_purchase(purchase_id: int) -> Sequence[Columns]:
    """A purchase's sub-orders. The caller has checked whose it is."""
    return db.session().execute(_order_columns().where(Order.purchase_id == purchase_id).order_by(Order.id)).all()


def lines(order_ids: Collection[int]) -> Sequence[Columns]:
    """Lines of orders with what was packed and taken of each, by order. The caller has checked whose they are."""
    return db.session().execute(
        select(db.table(OrderLine), _packed(ShipmentLine.packed_milli).label("packed_milli"),
               _packed(ShipmentLine.packed_grams).label("packed_grams"), AcceptanceLine.id.label("acceptance_line_id"),
               AcceptanceLine.outcome, AcceptanceLine.accepted_milli, AcceptanceLine.accepted_grams,
               AcceptanceLine.price_fen.label("accepted_price_fen"), AcceptanceLine.amount_fen.label("accepted_fen"),
               AcceptanceLine.reason, AcceptanceLine.returned_milli)
        .outerjoin(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .where(OrderLine.order_id.in_(order_ids)).order_by(OrderLine.order_id, OrderLine.id)).all()


def _packed(column: Any) -> Any:
    return (select(db.sum_of(column)).where(ShipmentLine.order_line_id == OrderLine.id).correlate(OrderLine)
            .scalar_subquery())


# ---- purchases ------------------------------------------------------------------------------------------------------


def purchase(purchase_id: int, units: Collection[int]) -> Columns:
    """One purchase's facts. Raises NotFound for anybody else's."""
    found = db.session().execute(_purchase_columns().where(Purchase.id == purchase_id, Purchase.unit_id.in_(units))
                                 ).first()
    if found is None:
        raise NotFound()
    return found


def waiting(units: Collection[int], most: int = 20) -> Sequence[Columns]:
    """Purchases that wait for a second person, the oldest first."""
    return db.session().execute(
        _purchase_columns().where(Purchase.unit_id.in_(units), Purchase.id.in_(
            select(Order.purchase_id).where(Order.unit_id.in_(units), Order.state == "waiting")))
        .order_by(Purchase.id).limit(most)).all()


def _purchase_columns() -> Select[Any]:
    orderer, approver = db.table(User).alias(), db.table(User).alias()
    return (
        select(db.table(Purchase), orderer.c.name.label("orderer"), approver.c.name.label("approver"),
               DeliveryPoint.name.label("point"), DeliveryPoint.address, Organisation.name.label("unit_full_name"),
               Organisation.short_name.label("unit_name"))
        .join(orderer, orderer.c.id == Purchase.ordered_by)
        .outerjoin(approver, approver.c.id == Purchase.approved_by)
        .join(DeliveryPoint, DeliveryPoint.id == Purchase.delivery_point_id)
        .join(Organisation, Organisation.id == Purchase.unit_id)
    )


# ---- the desk's first page ------------------------------------------------------------------------------------------


def coming(units: Collection[int], first: date, last: date, most: int = 60) -> Sequence[Columns]:
    """Orders to be delivered between two days, both included, by day, window and co-operative."""
    windows = case({window: at for at, window in enumerate(states.WINDOWS)}, value=Order.delivery_window)
    return db.session().execute(
        _order_columns().where(Order.unit_id.in_(units), Order.state.in_(("placed", "shipped")),
                               Order.delivery_day.between(first, last))
        .order_by(Order.delivery_day, windows, Order.supplier_name, Order.id).limit(most)).all()
