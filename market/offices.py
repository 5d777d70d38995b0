"""Which offices answer for a place: of the village, its township, its county, its city."""

from collections.abc import Sequence

from sqlalchemy import or_, select

from market import db
from market.parties import Membership, Organisation
from market.places import Division


def over(division_id: int, *kinds: str) -> Sequence[int]:
    """Ids of the active offices of some kinds (all where none is named) that stand over a place, the nearest first."""
    place = db.session().execute(
        select(Division.id, Division.township_id, Division.county_id, Division.parent_id)
        .where(Division.id == division_id)).one()
    county = select(Division.parent_id).where(Division.id == place.county_id).scalar_subquery()
    query = select(Organisation.id).join(Division, Division.id == Organisation.division_id).where(
        Organisation.kind == "office", Organisation.status == "active",
        or_(Division.id.in_({place.id, place.township_id, place.county_id} - {None}), Division.id == county))
    if kinds:
        query = query.where(Organisation.office_kind.in_(kinds))
    return db.session().scalars(query.order_by(Division.code.desc(), Organisation.id)).all()


def has_officer(organisation_id: int, role: str) -> bool:
    """Whether somebody holds a role in an office."""
    return db.session().scalar(select(Membership.id).where(
        Membership.organisation_id == organisation_id, Membership.role == role).limit(1)) is not None
