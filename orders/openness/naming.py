"""Whether village pages may name a unit among the buyers: its manager's word, off until said, taken back at once."""

from sqlalchemy import delete, select

from market import clock, db, journal
from market.access import Visitor
from market.errors import NotFound
from orders.openness.models import NamedUnit


def is_named(unit_id: int | None) -> bool:
    """Whether this unit agreed."""
    return db.session().scalar(select(NamedUnit.unit_id).where(NamedUnit.unit_id == unit_id)) is not None


def set_named(agreed: bool, by: Visitor) -> bool:
    """Agree, or take it back, for the visitor's unit; saying the same twice changes nothing. True where it changed."""
    if by.organisation_id is None:
        raise NotFound()
    session = db.session()
    if agreed:
        row = {"unit_id": by.organisation_id, "agreed_by": by.id, "agreed_at": clock.now()}
        changed = session.execute(db.insert_new(NamedUnit).values(row).returning(NamedUnit.unit_id)).first()
    else:
        changed = session.execute(
            delete(NamedUnit).where(NamedUnit.unit_id == by.organisation_id).returning(NamedUnit.unit_id)).first()
    if changed:
        journal.record("unit.named" if agreed else "unit.unnamed", "organisation", by.organisation_id, by,
                       before=not agreed, after=agreed)
    return changed is not None
