"""Who may confirm a lot: an officer whose area holds every village in it.

Goods of several villages of one township are confirmed there. Where no township holds them all, an official of the
county's agriculture or revitalisation office does, or of the city.
"""

from sqlalchemy import ColumnElement, false, func, select, true

from catalog.models import Lot, LotShare
from market import db, places
from market.access import Visitor
from market.errors import N_, Conflict, NotAllowed
from market.places import Division

NEAR = frozenset({"village_officer", "township_officer"})
OFFICES = ("agriculture", "revitalisation", "city")


class VillageOutside(Conflict):
    """Who confirms a lot answers for all of it."""

    code = "village_outside"
    text = N_("%(village)s lies outside your area. Who confirms a lot answers for all its villages.")


class NearerOffice(NotAllowed):
    """The county steps in only where no township can."""

    code = "nearer_office"
    text = N_("All villages of this lot lie in one township: it is confirmed there.")


def check(lot_id: int, by: Visitor) -> None:
    """Raises VillageOutside, NearerOffice, NotAllowed unless this visitor may confirm the lot."""
    outside = db.session().scalar(
        select(Division.path).join(LotShare, LotShare.village_id == Division.id)
        .where(LotShare.lot_id == lot_id, _strange_to(by)).order_by(Division.code).limit(1))
    if outside is not None:
        raise VillageOutside(village=outside)
    if not may(lot_id, by):
        raise NearerOffice() if by.office_kind in OFFICES else NotAllowed()


def may(lot_id: int, by: Visitor) -> bool:
    """Whether this visitor may confirm the lot."""
    return db.session().scalar(select(Lot.id).where(Lot.id == lot_id, confirmable(by))) is not None


def confirmable(by: Visitor) -> ColumnElement[bool]:
    """The condition that a Lot has no village outside the visitor's area, nor a nearer office for all of them."""
    return Lot.id.not_in(select(LotShare.lot_id).where(_strange_to(by))) & _no_nearer_office(by)


def _strange_to(by: Visitor) -> ColumnElement[bool]:
    return LotShare.village_id.not_in(select(Division.id).where(places.lies_in(by.division_id)))


def _no_nearer_office(by: Visitor) -> ColumnElement[bool]:
    if by.roles & NEAR:
        return true()
    if by.office_kind not in OFFICES:
        return false()
    return Lot.id.in_(select(LotShare.lot_id).join(Division, Division.id == LotShare.village_id)
                      .group_by(LotShare.lot_id).having(func.count(func.distinct(Division.township_id)) > 1))
