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
from market.files import StoredFile
from market.parties import DeliveryPoint, Membership, Organisation
from market.places import Division
from market.users import User
from orders.approving import people
from orders.buying import lists as orders_lists
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePart,
    AcceptancePhoto,
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
               Acceptance.note, Acceptance.documents_seen, Acceptance.documents_note,
               first.c.name.label("first"), second.c.name.label("second"))
        .join(Shipment, Shipment.order_id == Order.id)
        .join(Organisation, Organisation.id == Order.supplier_id)
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(Acceptance, Acceptance.order_id == Order.id)
        .outerjoin(first, first.c.id == Acceptance.first_receiver)
        .outerjoin(second, second.c.id == Acceptance.second_receiver)
        .where(Shipment.run_id == run_id).order_by(Order.id)).all()


def lines_of(order_id: int, unit_id: int | None) -> Mapping[int, Columns]:
    """The lines of an order of this unit by id; none of anybody else's."""
    own = db.session().scalar(select(Order.id).where(Order.id == order_id, Order.unit_id == unit_id))
    return {line.id: line for line in orders_lists.lines([own])} if own else {}


# ---- lots -----------------------------------------------------------------------------------------------------------


def packed_lots(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    """The lots packed, by order line, with their villages' paths of that day."""
    rows = db.session().execute(
        select(ShipmentLine.id, ShipmentLine.order_line_id, ShipmentLine.packed_milli, ShipmentLine.packed_grams,
               ShipmentLine.lot_id, Lot.code, Lot.harvested_on, Lot.best_before, Lot.recalled_at,
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


def door_facts(order_ids: Collection[int]) -> Mapping[int, Columns]:
    """Temperature (tenths of a degree) and number of photos by order line, for what was taken or refused."""
    photos = (select(func.count()).where(AcceptancePhoto.acceptance_line_id == AcceptanceLine.id)
              .correlate(AcceptanceLine).scalar_subquery())
    rows = db.session().execute(
        select(AcceptanceLine.order_line_id, AcceptanceLine.temperature_tenths, photos.label("photos"))
        .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id).where(OrderLine.order_id.in_(order_ids)))
    return {row.order_line_id: row for row in rows}


def rest_of(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    """What of the same purchase and co-operative follows with a sub-order of its own (number, day), by order."""
    order, rest = db.table(Order), db.table(Order).alias()
    rows = db.session().execute(
        select(order.c.id.label("order_id"), rest.c.number, rest.c.delivery_day)
        .join(rest, (rest.c.purchase_id == order.c.purchase_id) & (rest.c.supplier_id == order.c.supplier_id)
              & (rest.c.id != order.c.id))
        .where(order.c.id.in_(order_ids), rest.c.id.not_in(order_ids),
               rest.c.state.in_(("waiting", "placed", "shipped")))
        .order_by(rest.c.delivery_day, rest.c.id))
    return _grouped(rows, "order_id")


def photo(photo_id: int, by: Visitor) -> StoredFile:
    """A photo taken at the door, for the unit and for the co-operative alone. Raises NotFound."""
    found = db.session().scalar(
        select(StoredFile).join(AcceptancePhoto, AcceptancePhoto.file_id == StoredFile.id)
        .join(AcceptanceLine, AcceptanceLine.id == AcceptancePhoto.acceptance_line_id)
        .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id).join(Order, Order.id == OrderLine.order_id)
        .where(AcceptancePhoto.id == photo_id,
               or_(Order.unit_id == by.organisation_id, Order.supplier_id == by.organisation_id)))
    if found is None:
        raise NotFound()
    return found


def usable_photos(file_ids: Collection[int], by: Visitor) -> set[int]:
    """Which of these files are photos that the visitor has sent for this unit."""
    return set(db.session().scalars(select(StoredFile.id).where(
        StoredFile.id.in_(file_ids), StoredFile.organisation_id == by.organisation_id,
        StoredFile.uploaded_by == by.id, StoredFile.visibility == "parties",
        StoredFile.content_type.startswith("image/"))))


def tolerance_of(unit_id: int | None) -> int:
    """How much more than ordered a unit takes, in hundredths of a percent."""
    return db.session().scalar(select(Organisation.over_tolerance_points).where(Organisation.id == unit_id)) or 0


def photos(order_ids: Collection[int]) -> Mapping[int, list[Columns]]:
    """The photos taken at the door (id), by order line."""
    rows = db.session().execute(
        select(AcceptancePhoto.id, AcceptanceLine.order_line_id)
        .join(AcceptanceLine, AcceptanceLine.id == AcceptancePhoto.acceptance_line_id)
        .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)
        .where(OrderLine.order_id.in_(order_ids)).order_by(AcceptancePhoto.id))
    return _grouped(rows, "order_line_id")


# ---- people ---------------------------------------------------------------------------------------------------------


def second_receivers(by: Visitor) -> Sequence[Columns]:
    """Who may receive beside this person (id, name, has_pin): receivers; in a reduced scheme who orders too."""
    return db.session().execute(
        select(User.id, User.name, User.pin_hash.is_not(None).label("has_pin")).distinct()
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
