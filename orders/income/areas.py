"""Which villages a person in an office answers for."""

from sqlalchemy import select

from market import db, places
from market.access import Visitor
from market.places import Division


def in_area(village_id: int, by: Visitor) -> bool:
    """Whether a village is this officer's, or lies in their township, county or city."""
    if by.organisation_kind != "office" or by.division_id is None:
        return False
    return db.session().scalar(
        select(Division.id).where(Division.id == village_id, places.lies_in(by.division_id))) is not None
