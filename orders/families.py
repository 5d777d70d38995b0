"""Which units a unit looks after: itself, and those it supervises."""

from sqlalchemy import ColumnElement, Select, select

from market.parties import Organisation


def is_within(unit_id: int | None) -> ColumnElement[bool]:
    """The condition that an organisation is this unit or one that it supervises."""
    return (Organisation.id == unit_id) | (Organisation.parent_id == unit_id)


def within(unit_id: int | None) -> Select[int]:
    """Ids of this unit and of those it supervises, for a condition."""
    return select(Organisation.id).where(is_within(unit_id))
