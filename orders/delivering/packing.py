"""What a co-operative sees of its orders: lists, one order, what lies ready to be packed. Its own rows only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select

from catalog.models import Lot
from catalog.tracing import certificates
from market import db, money, paging
from market.access import Visitor
from market.errors import NotFound
from market.parties import DeliveryPoint, Organisation
from orders import states
from orders.buying.lists import open_fen
from orders.delivering import shipments, substitutes
from orders.models import (
    AcceptanceLine,
    DeliveryRun,
    Order,
    OrderLine,
    Purchase,
    Shipment,
    ShipmentLine,
    ShipmentOrigin,
)

PER_PAGE = 30
MOST_CHOICES = 12  # lots offered for one line
Columns = Row[*tuple[Any, ...]]

# the desk's tabs, each made of the tabs that orders/states.py knows
TABS: Mapping[str, Sequence[str]] = {
    "to_ship": ("to_ship",), "to_receive": ("to_receive",), "to_pay": ("to_pay", "to_confirm"),
    "done": ("done", "to_refund", "closed"),
}


def is_seen_by(by: Visitor) -> ColumnElement[bool]:
    """Orders of this co-operative that a second person of the unit, where one is needed, has let go."""
    return and_(Order.supplier_id == by.organisation_id, Order.state != "waiting")


def orders(by: Visitor, tab: str, query: str, page: int) -> paging.Page:
    """Orders under a tab whose number or unit holds the query, in three statements: what is due first, else newest."""
    conditions = [is_seen_by(by), _under(tab)] + ([_named(query)] if query else [])
    total = db.session().scalar(_counting().where(*conditions)) or 0
    due_first = (Order.delivery_day, Order.id) if tab in ("to_ship", "to_receive") else (Order.id.desc(),)
    return paging.read(_columns().where(*conditions).order_by(*due_first), total, page, PER_PAGE, tab_counts(by))


def tab_counts(by: Visitor) -> dict[str, int]:
    """How many orders lie under each tab."""
    counts = dict.fromkeys(TABS, 0)
    for state, payment, number in db.session().execute(
            select(Order.state, Order.payment, func.count()).where(is_seen_by(by))
            .group_by(Order.state, Order.payment)):
        lies_under = states.tab_of(state, payment)
        counts[next(tab for tab, parts in TABS.items() if lies_under in parts)] += number
    return counts


def _counting() -> Select[Any]:
    return (select(func.count()).select_from(Order)
            .join(Organisation, Organisation.id == Order.unit_id))


def _under(tab: str) -> ColumnElement[bool]:
    pairs = [states.conditions_of(part) for part in TABS[tab]]
    return or_(*(and_(Order.state.in_(lying), Order.payment.in_(payments)) for lying, payments in pairs))


def _named(query: str) -> ColumnElement[bool]:
    return or_(Order.number.icontains(query, autoescape=True), Organisation.name.icontains(query, autoescape=True))


def _columns() -> Select[Any]:
    return (
        select(db.table(Order), open_fen().label("open_fen"), Organisation.name.label("unit_name"),
               Organisation.phone.label("unit_phone"), DeliveryPoint.name.label("point"), DeliveryPoint.address,
               Purchase.note)
        .join(Organisation, Organisation.id == Order.unit_id)
        .join(Purchase, Purchase.id == Order.purchase_id)
        .join(DeliveryPoint, DeliveryPoint.id == Order.delivery_point_id)
    )


# ---- one order ------------------------------------------------------------------------------------------------------


def order(order_id: int, by: Visitor) -> Columns:
    """One order with its run, if it is on the way. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _columns().add_columns(DeliveryRun.code, DeliveryRun.token, DeliveryRun.number.label("run_number"),
                               DeliveryRun.state.label("run_state"), Shipment.shipped_at,
                               Shipment.note.label("shipment_note"))
        .outerjoin(Shipment, Shipment.order_id == Order.id).outerjoin(DeliveryRun, DeliveryRun.id == Shipment.run_id)
        .where(Order.id == order_id, is_seen_by(by))).first()
    if found is None:
        raise NotFound()
    return found


def lines(order_id: int) -> Sequence[Columns]:
    """An order's lines with what was taken of each. The caller has checked whose it is."""
    return db.session().execute(
        select(db.table(OrderLine), AcceptanceLine.outcome, AcceptanceLine.accepted_milli,
               AcceptanceLine.accepted_grams, AcceptanceLine.amount_fen.label("accepted_fen"), AcceptanceLine.reason,
               AcceptanceLine.returned_milli)
        .outerjoin(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .where(OrderLine.order_id == order_id).order_by(OrderLine.id)).all()


def packed(order_id: int) -> Mapping[int, list[Columns]]:
    """The lots packed with their villages' paths of that day, by order line; one row per lot and village."""
    rows: dict[int, list[Columns]] = defaultdict(list)
    for row in db.session().execute(
            select(ShipmentLine.order_line_id, ShipmentLine.packed_milli, ShipmentLine.packed_grams, Lot.id, Lot.code,
                   Lot.harvested_on, Lot.best_before, Lot.recalled_at, ShipmentOrigin.village_path,
                   ShipmentOrigin.grams, certificates.number_that_holds(Lot.id).label("certificate"))
            .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Lot, Lot.id == ShipmentLine.lot_id)
            .join(ShipmentOrigin, ShipmentOrigin.shipment_line_id == ShipmentLine.id)
            .where(Shipment.order_id == order_id).order_by(ShipmentLine.id, ShipmentOrigin.id)):
        rows[row.order_line_id].append(row)
    return rows


# ---- packing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """A lot that may be packed for a line: what this order may take of it at most, what is proposed, in milli."""

    line_id: int
    lot_id: int
    code: str
    harvested_on: date
    best_before: date
    most_milli: int
    proposed_milli: int
    instead: Any = None  # id, name and name_en of the good, where it is not the one ordered


def choices(order_id: int, by: Visitor) -> Mapping[int, list[Choice]]:
    """What may be packed for each line, held lots first, then first expired first; four statements.

    Where the buyer allows another good of the kind, its lots come after those of the good itself.
    """
    ordered = lines(order_id)
    wanted = {line.id: line.product_id for line in ordered}
    instead = substitutes.allowed(ordered, by.organisation_id or 0)
    held: dict[int, dict[int, int]] = defaultdict(dict)
    for row in shipments.suggestion(order_id):
        held[row["line_id"]][row["lot_id"]] = held[row["line_id"]].get(row["lot_id"], 0) + row["milli"]
    lots = shipments.packable_lots(by.organisation_id or 0, sorted(
        {*wanted.values(), *(product_id for goods in instead.values() for product_id in goods)}))
    found: dict[int, list[Choice]] = {}
    for line_id, product_id in wanted.items():
        mine = held[line_id]
        offered = [
            Choice(line_id, lot["id"], lot["code"], lot["harvested_on"], lot["best_before"],
                   lot["on_hand_milli"] - lot["held_milli"] + mine.get(lot["id"], 0), mine.get(lot["id"], 0),
                   instead.get(line_id, {}).get(lot["product_id"]))
            for good in (product_id, *instead.get(line_id, ())) for lot in lots.get(good, [])
        ]
        usable = [one for one in offered if one.most_milli > 0]
        usable.sort(key=lambda one: (not one.proposed_milli, one.instead is not None))
        found[line_id] = usable[:MOST_CHOICES]
    return found


def unconfirmed(order_id: int, by: Visitor) -> Mapping[int, list[str]]:
    """Codes of booked lots of an order's goods that still wait for the village, by product."""
    rows: dict[int, list[str]] = defaultdict(list)
    for row in db.session().execute(
            select(Lot.product_id, Lot.code).where(
                Lot.supplier_id == by.organisation_id, Lot.confirmed_at.is_(None),
                Lot.product_id.in_(select(OrderLine.product_id).where(OrderLine.order_id == order_id)))
            .order_by(Lot.id.desc()).limit(50)):
        rows[row.product_id].append(row.code)
    return rows


@dataclass(frozen=True)
class ToPack:
    """A good to be packed for one day: over all orders, and for each."""

    name: str
    name_en: str
    unit: str
    unit_en: str
    total_milli: int
    grams: int
    parts: Sequence[Columns]  # order number, unit name, ordered_milli


def to_pack(by: Visitor, day: date) -> list[ToPack]:
    """The morning list: all goods of placed orders for one day of delivery, summed by product; one statement."""
    windows = case({window: at for at, window in enumerate(states.WINDOWS)}, value=Order.delivery_window)
    groups: dict[tuple[int, str], list[Columns]] = defaultdict(list)
    for row in db.session().execute(
            select(OrderLine.product_id, OrderLine.product_name, OrderLine.product_name_en, OrderLine.unit,
                   OrderLine.unit_en, OrderLine.grams_per_unit, OrderLine.ordered_milli, Order.id, Order.number,
                   Order.delivery_window, Organisation.short_name.label("unit_name"))
            .join(Order, Order.id == OrderLine.order_id).join(Organisation, Organisation.id == Order.unit_id)
            .where(Order.supplier_id == by.organisation_id, Order.state == "placed", Order.delivery_day == day)
            .order_by(OrderLine.product_name, OrderLine.product_id, windows, Order.id)):
        groups[row.product_id, row.unit].append(row)
    return [
        ToPack(rows[0].product_name, rows[0].product_name_en, rows[0].unit, rows[0].unit_en,
               sum(row.ordered_milli for row in rows),
               sum(money.grams_of(row.ordered_milli, row.grams_per_unit) for row in rows), rows)
        for rows in groups.values()
    ]


@dataclass(frozen=True)
class ToLeave:
    """What one unit waits for up to a day: grams, the first delivery's day and window."""

    unit_name: str
    grams: int
    delivery_day: date
    delivery_window: str


def to_leave(by: Visitor, last: date) -> list[ToLeave]:
    """Units whose orders leave by a day, those due first before others, overdue ones among them; one statement."""
    windows = case({window: at for at, window in enumerate(states.WINDOWS)}, value=Order.delivery_window)
    found: dict[int, ToLeave] = {}
    for row in db.session().execute(
            select(Order.unit_id, Organisation.short_name, Order.delivery_day, Order.delivery_window,
                   OrderLine.ordered_milli, OrderLine.grams_per_unit)
            .join(Order, Order.id == OrderLine.order_id).join(Organisation, Organisation.id == Order.unit_id)
            .where(Order.supplier_id == by.organisation_id, Order.state == "placed", Order.delivery_day <= last)
            .order_by(Order.delivery_day, windows, Order.id)):
        before = found.get(row.unit_id, ToLeave(row.short_name, 0, row.delivery_day, row.delivery_window))
        grams = before.grams + money.grams_of(row.ordered_milli, row.grams_per_unit)
        found[row.unit_id] = replace(before, grams=grams)
    return list(found.values())


def next_days(by: Visitor, first: date, most: int = 7) -> Sequence[Columns]:
    """Days from `first` on with orders to pack: day, number of orders, what they cost (fen)."""
    return db.session().execute(
        select(Order.delivery_day, func.count().label("orders"), db.sum_of(Order.placed_fen).label("placed_fen"))
        .where(Order.supplier_id == by.organisation_id, Order.state == "placed", Order.delivery_day >= first)
        .group_by(Order.delivery_day).order_by(Order.delivery_day).limit(most)).all()


def overdue(by: Visitor, today: date) -> int:
    """How many placed orders should have left before today."""
    return db.session().scalar(select(func.count()).select_from(Order).where(
        Order.supplier_id == by.organisation_id, Order.state == "placed", Order.delivery_day < today)) or 0

