"""What the kitchen door sees: runs on the way, their goods and lots, the sheet of what was taken, the driver's page."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, or_, select

from catalog.models import Lot
from catalog.tracing import certificates
from market import clock, db
from market.access import Visitor
from market.errors import NotFound
from market.parties import DeliveryPoint, Membership, Organisation
from market.places import Division
from market.users import User
from orders.approving import people
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePart,
    DeliveryRun,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    ShipmentOrigin,
)

LINK_DAYS = 7  # a driver's link is good until a week after the day of delivery
Columns = Row[*tuple[Any, ...]]


# ---- runs -----------------------------------------------------------------------------------------------------------


def open_runs(unit_id: int | None, most: int = 30) -> Sequence[Columns]:
    """Runs on their way to a unit with what they bring (orders, suppliers), the next one first."""
    return db.session().execute(
        _run_columns().add_columns(func.count(Order.id).label("orders"),
                                   func.count(func.distinct(Order.supplier_id)).label("suppliers"))
        .join(Shipment, Shipment.run_id == DeliveryRun.id)
        .join(Order, (Order.id == Shipment.order_id) & (Order.state == "shipped"))
        .where(DeliveryRun.unit_id == unit_id, DeliveryRun.state == "open")
        .group_by(*db.table(DeliveryRun).c, DeliveryPoint.name, DeliveryPoint.address, Organisation.id)
        .order_by(DeliveryRun.day, DeliveryRun.id).limit(most)).all()


def run(run_id: int, unit_id: int | None) -> Columns:
    """A run to this unit. Raises NotFound for anybody else's."""
    return _one(_run_columns().where(DeliveryRun.id == run_id, DeliveryRun.unit_id == unit_id))


def run_of_token(token: str) -> Columns:
    """The run behind a driver's link. Raises NotFound, also when the link is older than a week."""
    return _one(_run_columns().where(DeliveryRun.token == token,
                                     DeliveryRun.day >= clock.days_after(clock.today(), -LINK_DAYS)))


def run_of_order(order_id: int, unit_id: int | None) -> Columns:
    """The run a unit's order came with. Raises NotFound for anybody else's, and for one not yet sent."""
    return _one(_run_columns().join(Shipment, Shipment.run_id == DeliveryRun.id)
                .join(Order, Order.id == Shipment.order_id)
                .where(Order.id == order_id, Order.unit_id == unit_id))


def _run_columns() -> Select[Any]:
    return (
        select(db.table(DeliveryRun), DeliveryPoint.name.label("point"), DeliveryPoint.address,
               Organisation.name.label("unit_name"), Organisation.phone.label("unit_phone"),
               Organisation.receiving_scheme, Organisation.over_tolerance_points)
        .join(DeliveryPoint, DeliveryPoint.id == DeliveryRun.delivery_point_id)
        .join(Organisation, Organisation.id == DeliveryRun.unit_id)
    )


def _one(query: Select[Any]) -> Columns:
    found = db.session().execute(query).first()
    if found is None:
        raise NotFound()
    return found


def orders_of_run(run_id: int) -> Sequence[Columns]:
    """The sub-orders on a van, with what a receiving record must say of the supplier and who received."""
    first, second = db.table(User).alias(), db.table(User).alias()
    return db.session().execute(
        select(Order.id, Order.number, Order.state, Order.supplier_id, Order.accepted_fen, Order.unit_id,
               Organisation.name.label("supplier_name"), Organisation.phone.label("supplier_phone"),
               Organisation.credit_code.label("supplier_code"), Division.path.label("supplier_place"),
               Shipment.shipped_at, Shipment.note.label("shipment_note"), Acceptance.accepted_at, Acceptance.scheme,
               Acceptance.note, first.c.name.label("first"), second.c.name.label("second"))
        .join(Shipment, Shipment.order_id == Order.id)
        .join(Organisation, Organisation.id == Order.supplier_id)
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(Acceptance, Acceptance.order_id == Order.id)
        .outerjoin(first, first.c.id == Acceptance.first_receiver)
        .outerjoin(second, second.c.id == Acceptance.second_receiver)
        .where(Shipment.run_id == run_id).order_by(Order.id)).all()


# ---- lots -----------------------------------------------------------------------------------------------------------


def packed_lots(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    """The lots packed, by order line, with their villages' paths of that day."""
    rows = db.session().execute(
        select(ShipmentLine.id, ShipmentLine.order_line_id, ShipmentLine.packed_milli, ShipmentLine.packed_grams,
               Lot.code, Lot.harvested_on, Lot.best_before, Lot.recalled_at,
               certificates.number_that_holds(Lot.id).label("certificate"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id).join(Lot, Lot.id == ShipmentLine.lot_id)
        .where(Shipment.order_id.in_(order_ids)).order_by(ShipmentLine.id))
    return _grouped(rows, "order_line_id")


def accepted_parts(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    """What was taken of each lot and village, by order line; village paths as they were when it was packed."""
    rows = db.session().execute(
        select(AcceptanceLine.order_line_id, Lot.code, Lot.harvested_on, Lot.best_before, ShipmentOrigin.village_path,
               AcceptancePart.grams, AcceptancePart.amount_fen)
        .join(AcceptanceLine, AcceptanceLine.id == AcceptancePart.acceptance_line_id)
        .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)
        .join(Lot, Lot.id == AcceptancePart.lot_id)
        .join(ShipmentOrigin, (ShipmentOrigin.shipment_line_id == AcceptancePart.shipment_line_id)
              & (ShipmentOrigin.lot_share_id == AcceptancePart.lot_share_id))
        .where(OrderLine.order_id.in_(order_ids), AcceptancePart.grams > 0).order_by(AcceptancePart.id))
    return _grouped(rows, "order_line_id")


def _grouped(rows: Any, name: str) -> Mapping[int, list[Columns]]:
    groups: dict[int, list[Columns]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, name)].append(row)
    return groups


# ---- people ---------------------------------------------------------------------------------------------------------


def second_receivers(by: Visitor) -> Sequence[Columns]:
    """Who may receive beside this person (id, name): receivers; where the scheme is reduced, who orders too."""
    return db.session().execute(
        select(User.id, User.name).distinct()
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.organisation_id == by.organisation_id, User.id != by.id,
               or_(Membership.role == "receiver",
                   (Organisation.receiving_scheme == "reduced") & Membership.role.in_(("requester", "manager"))))
        .order_by(User.name, User.id)).all()


def barred(order_ids: Collection[int], scheme: str) -> set[int]:
    """Who must not receive these orders: who approved them, and unless the scheme is reduced who ordered them."""
    bought = db.session().scalars(select(Order.purchase_id).where(Order.id.in_(order_ids)).distinct()).all()
    return people.deciders(bought) | (set() if scheme == "reduced" else people.askers(bought))
