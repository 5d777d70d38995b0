"""Asking for capacity and answering: the co-operative declares, the county's agriculture office decides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from catalog.capacity.models import CapacityPhoto, CapacityRequest, SeasonCapacity, VillageCapacity
from catalog.models import Lot, LotShare, Product
from catalog.on_sale import harvested
from market import clock, db, journal, outbox, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider
from market.places import Division
from market.working_days import working_days_after

WORKING_DAYS: Mapping[str, int] = {"declared": 3, "raise": 1}  # in which the county answers
LONGEST_SEASON_DAYS = 366
MOST_PHOTOS = 6

SoldGrams = Callable[[int, date, date], int]  # product, first and last delivery day; the orders know


@dataclass(frozen=True)
class Season:
    """A season as a co-operative names it, both days included."""

    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Asked:
    """How much, and how the figure comes about: mu × yield where goods grow on land, else in words alone."""

    grams: int
    basis: str
    area_mu_milli: int | None = None
    yield_grams_per_mu: int | None = None


class StillOpen(Conflict):
    """One question at a time."""

    code = "capacity_open"
    text = N_("The county has not yet answered what was asked before.")


class NothingOpen(Conflict):
    """Somebody else was quicker, or nothing was asked."""

    code = "capacity_not_open"
    text = N_("Nothing waits for an answer here.")


class DaysOverlap(Conflict):
    """A day of a good belongs to one season."""

    code = "seasons_overlap"
    text = N_("These days touch the season %(season)s (%(first)s to %(last)s): give the same days, or others.")


def declare(product_id: int, village_id: int, season: Season, asked: Asked, photos: Sequence[int], sold: SoldGrams,
            by: Visitor) -> CapacityRequest:
    """Declare what a village can bring of a good in a season; opens the season where it is new.

    Raises NotFound for another's product or an unknown village, InvalidInput where days overlap another season of the
    good or more is asked than area × yield, StillOpen, Conflict where something is approved already (ask for a raise).
    """
    session = db.session()
    product = session.scalar(select(Product).where(
        Product.id == product_id, Product.supplier_id == by.organisation_id).with_for_update())
    village = session.scalar(select(Division.id).where(
        Division.id == village_id, Division.level == "village", Division.valid_to.is_(None)))
    if product is None or village is None:
        raise NotFound()
    _check_asked(asked)
    row = _season(product_id, season, sold)
    capacity = session.scalar(select(VillageCapacity).where(
        VillageCapacity.season_id == row.id, VillageCapacity.village_id == village_id).with_for_update())
    if capacity is None:
        capacity = VillageCapacity(season_id=row.id, village_id=village_id, approved_grams=0, ceiling_grams=0,
                                   booked_grams=brought_grams(row, village_id))
        session.add(capacity)
        session.flush()
    if capacity.approved_grams:
        raise InvalidInput({"village": [N_("Something is already approved here: ask for a raise of it.")]})
    return _ask(capacity, "declared", asked, photos, by)


def ask_for_more(capacity_id: int, asked: Asked, photos: Sequence[int], by: Visitor) -> CapacityRequest:
    """Ask for a higher figure instead of the approved one, with photos; answered in one working day.

    Raises NotFound, StillOpen, InvalidInput for a figure that is not higher, without a photo, or above area × yield.
    """
    capacity = _own(capacity_id, by)
    if not capacity.approved_grams:
        raise InvalidInput({"grams": [N_("Nothing is approved yet: declare it first.")]})
    if asked.grams <= capacity.approved_grams:
        raise InvalidInput({"grams": [N_("A raise asks for more than is approved.")]})
    if not photos:
        raise InvalidInput({"photos": [N_("Show it: a raise needs at least one photo.")]})
    _check_asked(asked)
    return _ask(capacity, "raise", asked, photos, by)


def decide(request_id: int, granted_grams: int | None, reason: str, sold: SoldGrams, by: Visitor) -> None:
    """The county's answer: a figure up to what was asked (lower only with a reason), or None to refuse with a reason.

    Both counters are taken afresh from orders and lots, under the rows' locks. What was sold or booked before stays,
    even above a lower figure; then nothing more goes out.
    Raises NotFound, NotAllowed, SecondPersonNeeded, OwnCooperative, Conflict.
    """
    session = db.session()
    request = session.scalar(select(CapacityRequest).where(CapacityRequest.id == request_id))
    if request is None or not _lies_in_area(request.village_capacity_id, by):
        raise NotFound()
    if by.office_kind != "agriculture":
        raise NotAllowed()
    season_id = session.scalar(select(VillageCapacity.season_id).where(
        VillageCapacity.id == request.village_capacity_id))
    season = session.scalars(select(SeasonCapacity).where(SeasonCapacity.id == season_id)
                             .with_for_update().execution_options(populate_existing=True)).one()
    capacity = session.scalars(select(VillageCapacity).where(VillageCapacity.id == request.village_capacity_id)
                               .with_for_update().execution_options(populate_existing=True)).one()
    session.refresh(request)
    if request.decided_at is not None:
        raise NothingOpen()
    if request.asked_by == by.id:
        raise SecondPersonNeeded()
    need_outsider(session.scalars(select(Product.supplier_id).where(Product.id == season.product_id)).one(), by)
    _check_answer(request, capacity, granted_grams, reason)
    request.decision = "refused" if granted_grams is None else "approved"
    request.granted_grams, request.reason = granted_grams, reason
    request.decided_by, request.decided_at = by.id, clock.now()
    if granted_grams is not None:
        _grant(season, capacity, granted_grams, sold)
    session.flush()
    journal.record("capacity.decided", "capacity", capacity.id, by, decision=request.decision, reason=reason,
                   asked_grams=request.asked_grams, granted_grams=granted_grams)
    outbox.enqueue("capacity.decided", {"request_id": request.id})


def brought_grams(season: SeasonCapacity, village_id: int) -> int:
    """What the booked harvests say a village has brought in a season."""
    return db.session().scalar(
        select(db.sum_of(LotShare.grams)).join(Lot, Lot.id == LotShare.lot_id)
        .where(Lot.product_id == season.product_id, Lot.kind == "harvest", harvested(),
               LotShare.village_id == village_id, Lot.harvested_on.between(season.first_day, season.last_day))) or 0


def _check_asked(asked: Asked) -> None:
    area, per_mu = asked.area_mu_milli, asked.yield_grams_per_mu
    if (area is None) != (per_mu is None):
        raise InvalidInput({"area" if area is None else "yield_per_mu": [
            N_("Area and yield go together: give both or neither.")]})
    if area is not None and per_mu is not None and asked.grams * 1000 > area * per_mu:
        raise InvalidInput({"grams": [N_("This is more than the area times the yield.")]})


def _season(product_id: int, wanted: Season, sold: SoldGrams) -> SeasonCapacity:
    """The good's season of these very days, opened where there is none; the caller has locked the product."""
    if not wanted.first_day <= wanted.last_day <= clock.days_after(wanted.first_day, LONGEST_SEASON_DAYS - 1):
        raise InvalidInput({"last_day": [N_("A season has between one day and a year.")]})
    session = db.session()
    overlapping = session.scalars(select(SeasonCapacity).where(
        SeasonCapacity.product_id == product_id, SeasonCapacity.first_day <= wanted.last_day,
        SeasonCapacity.last_day >= wanted.first_day).order_by(SeasonCapacity.first_day)).first()
    if overlapping is None:
        row = SeasonCapacity(
            product_id=product_id, name=wanted.name, first_day=wanted.first_day, last_day=wanted.last_day,
            approved_grams=0, ceiling_grams=0, sold_grams=sold(product_id, wanted.first_day, wanted.last_day))
        session.add(row)
        session.flush()
        return row
    if (overlapping.first_day, overlapping.last_day) != (wanted.first_day, wanted.last_day):
        raise InvalidInput({"first_day": [DaysOverlap(
            season=overlapping.name, first=overlapping.first_day.isoformat(), last=overlapping.last_day.isoformat())]})
    return overlapping


def _ask(capacity: VillageCapacity, kind: str, asked: Asked, photos: Sequence[int], by: Visitor) -> CapacityRequest:
    session = db.session()
    if session.scalar(select(CapacityRequest.id).where(
            CapacityRequest.village_capacity_id == capacity.id, CapacityRequest.decided_at.is_(None))):
        raise StillOpen()
    row = CapacityRequest(
        village_capacity_id=capacity.id, kind=kind, asked_grams=asked.grams, basis=asked.basis,
        area_mu_milli=asked.area_mu_milli, yield_grams_per_mu=asked.yield_grams_per_mu, asked_by=by.id,
        asked_at=clock.now(), due_on=working_days_after(clock.today(), WORKING_DAYS[kind]), reason="")
    session.add(row)
    session.flush()
    db.insert_rows(CapacityPhoto, [{"request_id": row.id, "file_id": file_id} for file_id in photos[:MOST_PHOTOS]])
    journal.record("capacity." + kind, "capacity", capacity.id, by, asked_grams=asked.grams, basis=asked.basis)
    outbox.enqueue("capacity.asked", {"request_id": row.id})
    return row


def _own(capacity_id: int, by: Visitor) -> VillageCapacity:
    found = db.session().scalar(
        select(VillageCapacity).join(SeasonCapacity, SeasonCapacity.id == VillageCapacity.season_id)
        .join(Product, Product.id == SeasonCapacity.product_id)
        .where(VillageCapacity.id == capacity_id, Product.supplier_id == by.organisation_id)
        .with_for_update(of=VillageCapacity))
    if found is None:
        raise NotFound()
    return found


def _lies_in_area(capacity_id: int, by: Visitor) -> bool:
    return db.session().scalar(
        select(VillageCapacity.id).join(Division, Division.id == VillageCapacity.village_id)
        .where(VillageCapacity.id == capacity_id, places.lies_in(by.division_id))) is not None


def _check_answer(request: CapacityRequest, capacity: VillageCapacity, granted: int | None, reason: str) -> None:
    problems: dict[str, list[Any]] = {}
    if granted is not None and not max(1, capacity.approved_grams) <= granted <= request.asked_grams:
        problems["grams"] = [N_("Between what is approved now and what was asked for.")]
    if not reason and (granted is None or granted < request.asked_grams):
        problems["reason"] = [N_("Please say why: the co-operative will read it.")]
    if problems:
        raise InvalidInput(problems)


def _grant(season: SeasonCapacity, capacity: VillageCapacity, granted: int, sold: SoldGrams) -> None:
    sold_now = sold(season.product_id, season.first_day, season.last_day)
    brought_now = brought_grams(season, capacity.village_id)
    season.approved_grams += granted - capacity.approved_grams
    season.sold_grams, season.ceiling_grams = sold_now, max(season.approved_grams, sold_now)
    capacity.approved_grams, capacity.booked_grams = granted, brought_now
    capacity.ceiling_grams = max(granted, brought_now)
