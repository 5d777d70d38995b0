"""What a supplier sees of its own terms: columns, a fixed number of statements, its own rows only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from catalog.terms.models import DeliveryBreak, DeliveryTerms
from catalog.terms.stating import AREA_LEVELS
from market import clock, db
from market.access import Visitor
from market.errors import NotFound
from market.places import Division

Columns = Row[*tuple[Any, ...]]


def areas(by: Visitor) -> Sequence[Columns]:
    """The areas a supplier delivers to, each with its path, as the map goes; one statement."""
    return db.session().execute(_rows().where(
        DeliveryTerms.supplier_id == by.organisation_id, DeliveryTerms.closed_at.is_(None))
        .order_by(Division.code)).all()


def area(terms_id: int, by: Visitor) -> Columns:
    """One area's row. Raises NotFound for anybody else's and for closed ones."""
    found = db.session().execute(_rows().where(
        DeliveryTerms.id == terms_id, DeliveryTerms.supplier_id == by.organisation_id,
        DeliveryTerms.closed_at.is_(None))).first()
    if found is None:
        raise NotFound()
    return found


def _rows() -> Any:
    return (select(db.table(DeliveryTerms), Division.path.label("area"), Division.level)
            .join(Division, Division.id == DeliveryTerms.area_id))


def breaks(by: Visitor) -> Sequence[Columns]:
    """Breaks that are not over and not taken back, the next first; one statement."""
    return db.session().execute(
        select(db.table(DeliveryBreak)).where(
            DeliveryBreak.supplier_id == by.organisation_id, DeliveryBreak.ended_at.is_(None),
            DeliveryBreak.last_day >= clock.today()).order_by(DeliveryBreak.first_day, DeliveryBreak.id)).all()


def areas_to_choose() -> Sequence[Columns]:
    """Cities, counties and townships (code, path, level), each county before its townships; one statement."""
    return db.session().execute(
        select(Division.code, Division.path, Division.level)
        .where(Division.level.in_(AREA_LEVELS), Division.valid_to.is_(None)).order_by(Division.code)).all()
