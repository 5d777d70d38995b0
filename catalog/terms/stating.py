"""A supplier states where and when it delivers: areas added, changed and closed, days on which it stays at home."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from catalog.terms.models import DeliveryBreak, DeliveryTerms
from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.places import Division

AREA_LEVELS = ("city", "county", "township")
LONGEST_BREAK_DAYS = 366


class AreaStated(Conflict):
    """One row for each area."""

    code = "area_stated"
    text = N_("You have already stated how you deliver there: change that row.")


def add(area_code: str, said: Mapping[str, Any], by: Visitor) -> int:
    """State the terms for one more area; returns the row's id. Raises InvalidInput, AreaStated.

    `said` holds weekdays, windows, cut_off_hour, cut_off_days, minimum_fen, freight_fen and free_from_fen.
    """
    row = {"supplier_id": by.organisation_id, "area_id": _area(area_code), **_checked(said), "stated_by": by.id,
           "stated_at": clock.now(), "closed_by": None, "closed_at": None}
    taken = db.session().execute(db.insert_new(DeliveryTerms).returning(db.table(DeliveryTerms).c.id), row).scalar()
    if taken is None:
        raise AreaStated()
    journal.record("terms.stated", "delivery_terms", taken, by, area=area_code, after=_told(said))
    return int(taken)


def change(terms_id: int, said: Mapping[str, Any], by: Visitor) -> None:
    """Other terms for an area from now on; what orders were promised stays theirs. Raises NotFound, InvalidInput."""
    row = _own(terms_id, by)
    before = {name: getattr(row, name) for name in said}
    for name, value in _checked(said).items():
        setattr(row, name, value)
    db.session().flush()
    journal.record("terms.changed", "delivery_terms", row.id, by, before=_told(before), after=_told(said))


def close(terms_id: int, by: Visitor) -> None:
    """No longer deliver to an area. Raises NotFound."""
    row = _own(terms_id, by)
    row.closed_by, row.closed_at = by.id, clock.now()
    db.session().flush()
    journal.record("terms.closed", "delivery_terms", row.id, by)


def pause(first_day: date, last_day: date, reason: str, by: Visitor) -> int:
    """Deliver nowhere from one day to another, both included; returns the break's id. Raises InvalidInput."""
    if last_day < first_day or last_day < clock.today():
        raise InvalidInput({"last_day": [N_("The last day comes before the first, or is over.")]})
    if (last_day - first_day).days >= LONGEST_BREAK_DAYS:
        raise InvalidInput({"last_day": [N_("A break lasts at most a year.")]})
    row = DeliveryBreak(supplier_id=by.organisation_id, first_day=first_day, last_day=last_day, reason=reason,
                        stated_by=by.id, stated_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("terms.paused", "delivery_break", row.id, by, first_day=first_day.isoformat(),
                   last_day=last_day.isoformat(), reason=reason)
    return row.id


def resume(break_id: int, by: Visitor) -> None:
    """Take a break back: deliver as stated again. Raises NotFound."""
    row = db.session().scalar(
        select(DeliveryBreak).where(DeliveryBreak.id == break_id, DeliveryBreak.ended_at.is_(None),
                                    DeliveryBreak.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    row.ended_by, row.ended_at = by.id, clock.now()
    db.session().flush()
    journal.record("terms.resumed", "delivery_break", row.id, by)


def _area(code: str) -> int:
    found = db.session().scalar(select(Division.id).where(
        Division.code == code, Division.level.in_(AREA_LEVELS), Division.valid_to.is_(None)))
    if found is None:
        raise InvalidInput({"area": [N_("Please choose one of the list.")]})
    return found


def _own(terms_id: int, by: Visitor) -> DeliveryTerms:
    row = db.session().scalar(
        select(DeliveryTerms).where(DeliveryTerms.id == terms_id, DeliveryTerms.closed_at.is_(None),
                                    DeliveryTerms.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    return row


def _checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Free from an amount on means something only where the way costs something."""
    if said["free_from_fen"] is not None and not said["freight_fen"]:
        raise InvalidInput({"free_from_fen": [N_("Only where a delivery costs freight.")]})
    return dict(said)


def _told(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in sorted(said)}
