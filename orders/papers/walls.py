"""Whose papers a visitor may read: those of the two parties; auditors read all. Everything else does not exist."""

from typing import Any

from sqlalchemy import ColumnElement, false, true

from market.access import SUPPLIER, UNIT, Visitor
from orders.buying import lists

READ_ALL = {"auditor", "operator_audit"}


def seen_by(by: Visitor, unit_id: Any, supplier_id: Any) -> ColumnElement[bool]:
    """The condition that a row between these two parties is this visitor's to read."""
    if by.organisation_kind == UNIT:
        return ColumnElement.in_(unit_id, lists.unit_ids(by))
    if by.organisation_kind == SUPPLIER:
        own: ColumnElement[bool] = supplier_id == by.organisation_id
        return own
    return true() if by.roles & READ_ALL else false()
