"""Whose applications and suppliers an official sees: those of the office's place; the platform's people see all."""

from typing import Any

from sqlalchemy import select, true

from catalog.entry.models import EDITABLE, Application
from market import db, places
from market.access import Visitor
from market.errors import NotFound
from market.places import Division


def area_of(by: Visitor) -> Any:
    """The condition that a Division is the official's to see."""
    return true() if by.office_kind == "platform" else places.lies_in(by.division_id)


def handed_in() -> Any:
    """The condition that an application is with the offices or decided: while it is being written, first or once more,
    it is nobody's but the applicant's."""
    return Application.state.not_in(EDITABLE)


def application_in_area(application_id: int, by: Visitor) -> Application:
    """An application of the official's area, to read. Raises NotFound for any other, and while it is being written."""
    return _found(_applications(application_id, by).where(handed_in()))


def application_to_decide(application_id: int, by: Visitor, lock: bool = False) -> Application:
    """An application that the offices of the area have had; whether it still waits, its step tells."""
    query = _applications(application_id, by).where(Application.submitted_at.is_not(None))
    return _found(query.with_for_update(of=Application) if lock else query)


def _applications(application_id: int, by: Visitor) -> Any:
    return (select(Application).join(Division, Division.id == Application.village_id)
            .where(Application.id == application_id, area_of(by)).execution_options(populate_existing=True))


def _found(query: Any) -> Application:
    found: Application | None = db.session().scalar(query)
    if found is None:
        raise NotFound()
    return found
