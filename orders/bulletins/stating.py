"""Figures told by hand: what a county is to sell in a year, by the city; a county's own figure of a time, by itself."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, InvalidInput, NotAllowed
from market.places import Division
from orders.bulletins import drafting
from orders.bulletins.models import CountyDeclared, CountyTarget
from orders.bulletins.objecting import county_of
from orders.bulletins.spans import Span, need_over


def set_target(county: str, year: int, amount_fen: int, document: str, by: Visitor) -> None:
    """A county's target of a year, with the document that says so; the newest counts. Raises NotAllowed, InvalidInput.
    """
    if not drafting.may_keep(by):
        raise NotAllowed()
    county_id = db.session().scalar(select(Division.id).where(
        Division.code == county, Division.level == "county", Division.valid_to.is_(None)))
    if county_id is None:
        raise InvalidInput({"county": [N_("Please choose one of the list.")]})
    db.session().add(CountyTarget(county_id=county_id, year=year, amount_fen=amount_fen, document=document,
                                  entered_by=by.id, entered_at=clock.now()))
    journal.record("county_target.set", "division", county_id, by, year=year, amount_fen=amount_fen, document=document)


def declare(span: Span, amount_fen: int, reason: str, file_id: int | None, by: Visitor) -> None:
    """A county's own figure of a week or month that is over; the newest counts. Raises NotAllowed, NotOver."""
    county_id = county_of(by)
    if county_id is None:
        raise NotAllowed()
    need_over(span)
    db.session().add(CountyDeclared(
        county_id=county_id, kind=span.kind, first_day=span.first_day, amount_fen=amount_fen, reason=reason,
        file_id=file_id, organisation_id=by.organisation_id or 0, declared_by=by.id, declared_at=clock.now()))
    journal.record("county_declared.told", "division", county_id, by, period=span.name, amount_fen=amount_fen,
                   reason=reason)


def counties() -> Sequence[Any]:
    """Counties of today: id, code and name."""
    return db.session().execute(
        select(Division.id, Division.code, Division.name)
        .where(Division.level == "county", Division.valid_to.is_(None)).order_by(Division.code)).all()
