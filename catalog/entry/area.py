"""Whose applications and suppliers an official sees: those of the office's place; the platform's people see all."""

from typing import Any

from sqlalchemy import select, true

from catalog.entry.models import Application
from market import db, places
from market.access import Visitor
from market.errors import NotFound
from market.places import Division


def area_of(by: Visitor) -> Any:
    """The condition that a Division is the official's to see."""
    return true() if by.office_kind == "platform" else places.lies_in(by.division_id)


def handed_in() -> Any:
    """The condition that an application has been with the offices: a draft is nobody's but the applicant's."""
    return Application.submitted_at.is_not(None)


def application_in_area(application_id: int, by: Visitor, lock: bool = False) -> Application:
    """An application of the official's area. Raises NotFound for any other, drafts included."""
    query = (select(Application).join(Division, Division.id == Application.village_id)
             .where(Application.id == application_id, handed_in(), area_of(by))
             .execution_options(populate_existing=True))
    found = db.session().scalar(query.with_for_update(of=Application) if lock else query)
    if found is None:
        raise NotFound()
    return found
