"""The doors of a unit at which goods are handed over: added, changed, closed. A closed one stays on its old orders."""

from typing import Any

from sqlalchemy import func, select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import DeliveryPoint
from market.places import Division

MOST_DOORS = 50


class DoorClosed(Conflict):
    """Closed for good; who opens again adds a door."""

    code = "door_closed"
    text = N_("This delivery point is closed. Please add a new one.")


def add(said: dict[str, Any], by: Visitor) -> int:
    """A further door; returns its id. Raises InvalidInput for an unknown place or too many doors."""
    unit_id = by.organisation_id or 0
    if (db.session().scalar(select(func.count()).where(DeliveryPoint.unit_id == unit_id,
                                                       DeliveryPoint.closed_at.is_(None))) or 0) >= MOST_DOORS:
        raise InvalidInput({"name": [N_("There are fifty delivery points already; please close one first.")]})
    door = DeliveryPoint(unit_id=unit_id, **_checked(said))
    db.session().add(door)
    db.session().flush()
    journal.record("door.added", "delivery_point", door.id, by, **said)
    return door.id


def change(door_id: int, said: dict[str, Any], by: Visitor) -> None:
    """Other facts about an open door. Raises NotFound, DoorClosed, InvalidInput."""
    door = _own_open(door_id, by)
    before = {name: getattr(door, name) for name in said}
    for name, value in _checked(said).items():
        setattr(door, name, value)
    db.session().flush()
    journal.record("door.changed", "delivery_point", door_id, by, before=before, after=said)


def close(door_id: int, by: Visitor) -> None:
    """Offered no more; goods on their way there still arrive. Raises NotFound, DoorClosed."""
    _own_open(door_id, by).closed_at = clock.now()
    db.session().flush()
    journal.record("door.closed", "delivery_point", door_id, by)


def _own_open(door_id: int, by: Visitor) -> DeliveryPoint:
    door = db.session().scalar(select(DeliveryPoint).where(
        DeliveryPoint.id == door_id, DeliveryPoint.unit_id == by.organisation_id)
        .with_for_update().execution_options(populate_existing=True))
    if door is None:
        raise NotFound()
    if door.closed_at is not None:
        raise DoorClosed()
    return door


def _checked(said: dict[str, Any]) -> dict[str, Any]:
    place = said.get("division_id")
    if place is not None and db.session().scalar(select(Division.id).where(
            Division.id == place, Division.valid_to.is_(None))) is None:
        raise InvalidInput({"division_id": [N_("Please choose one of the list.")]})
    return said
