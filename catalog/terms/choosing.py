"""For which door, day and window a unit looks at the shelf and fills its cart; kept in the browser's session."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from flask import session
from sqlalchemy import Row, select

from catalog.terms import reading
from catalog.terms.reach import WINDOWS, Terms, earliest, reaches
from catalog.terms.reading import Stated
from market import clock, db
from market.access import Anonymous, Visitor
from market.errors import NotFound
from market.parties import DeliveryPoint

KEPT = "delivery_choice"
OTHER_TIME = "other_time"
USUAL_WINDOW = "morning"
Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Choice:
    """A door of the unit's, a day and a window, with all its doors to choose from."""

    point_id: int
    day: date
    window: str
    points: Sequence[Columns]  # id, name


@dataclass(frozen=True)
class Reach:
    """Which suppliers come at the chosen time, and from when on the others do. All are named that stated terms."""

    choice: Choice
    stated: Stated

    @cached_property
    def later(self) -> dict[int, date | str | None]:
        """Suppliers that do not come then, with the first day on which they do.

        OTHER_TIME: they never come in that window. None: they never come.
        """
        now = clock.now()
        asked = self.choice
        return {supplier: self._first(terms) for supplier, terms in self.stated.by_supplier.items()
                if not reaches(terms, now, asked.day, asked.window)}

    def _first(self, terms: Terms | None) -> date | str | None:
        following = earliest(terms, clock.now(), max(clock.today(), self.choice.day))
        if terms is not None and following is not None and self.choice.window not in terms.windows:
            return OTHER_TIME
        return following


def keep(said: Mapping[str, Any], by: Visitor) -> None:
    """Remember a choice. Raises NotFound for a door that is not the unit's."""
    if said["delivery_point_id"] not in {row.id for row in points_of(by.organisation_id)}:
        raise NotFound()
    session[KEPT] = [said["delivery_point_id"], said["delivery_day"].isoformat(), said["delivery_window"]]


def points_of(unit_id: int | None) -> Sequence[Columns]:
    """The doors of a unit (id, name)."""
    point = db.table(DeliveryPoint).c
    return db.session().execute(
        select(point.id, point.name).where(point.unit_id == unit_id).order_by(point.id)).all()


def reach_of(visitor: Visitor | Anonymous, supplier_ids: Collection[int] | None = None,
             asked: tuple[int, date, str] | None = None) -> Reach | None:
    """What reaches the unit a visitor buys for, in three statements; None for others and for a unit without a door.

    Only these suppliers are looked at, where some are named; `asked` (door, day, window) comes before what is kept.
    """
    if visitor.organisation_kind != "unit":
        return None
    points = points_of(visitor.organisation_id)
    if not points:
        return None
    kept = _possible(asked, points) or _possible(session.get(KEPT), points)
    point_id = kept[0] if kept else points[0].id
    stated = reading.at_point(point_id, supplier_ids)
    day = kept[1] if kept else _first_day(stated)
    return Reach(Choice(point_id, day, kept[2] if kept else USUAL_WINDOW, points), stated)


def _possible(said: Any, points: Sequence[Columns]) -> tuple[int, date, str] | None:
    """A choice as long as it makes sense: the door is the unit's, the day lies ahead."""
    try:
        point_id, day, window = said
        day = day if isinstance(day, date) else date.fromisoformat(day)
    except (TypeError, ValueError):
        return None
    is_mine = point_id in {row.id for row in points}
    return (point_id, day, window) if is_mine and window in WINDOWS and day > clock.today() else None


def _first_day(stated: Stated) -> date:
    """The first day on which most of those who come here at all do; tomorrow where nobody has stated terms."""
    tomorrow = clock.days_after(clock.today(), 1)
    coming = [terms for terms in stated.by_supplier.values() if terms is not None]
    days = [clock.days_after(tomorrow, number) for number in range(7)]
    now = clock.now()
    counts = {day: sum(reaches(terms, now, day, USUAL_WINDOW) for terms in coming) for day in days}
    return max(days, key=lambda day: (counts[day], -days.index(day)))
