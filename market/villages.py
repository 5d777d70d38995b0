"""What happens to villages: one is added, renamed, merged with others, retired. A row is closed, a successor opened.

Past shipments, parts and transfers keep the old row with its name. What is about today moves on: households,
organisations, delivery points here, goods and agreements by the followers that wsgi.py hands in.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, update

from market import clock, db, journal, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.households import Household
from market.parties import DeliveryPoint, Organisation
from market.places import Division, VillageDesignation

Follower = Callable[[int, int], None]  # told the old and the new village's id, inside the transaction


class AlreadyClosed(Conflict):
    """The village has a successor or was retired."""

    code = "village_closed"
    text = N_("%(name)s is no longer a village of today.")


class StillHome(Conflict):
    """A village with households or organisations cannot simply end."""

    code = "village_in_use"
    text = N_("%(name)s still has households or organisations: merge it with another village instead.")


def add(township_id: int, name: str, code: str, day: date, reason: str, by: Visitor) -> Division:
    """A village that begins on a day, with the 12 digits of its code. Raises NotFound, InvalidInput."""
    township = db.session().scalar(
        select(Division).where(Division.id == township_id, Division.level == "township", Division.valid_to.is_(None),
                               places.lies_in(by.division_id)).with_for_update())
    if township is None:
        raise NotFound()
    _check_day(day)
    _check_code(code, township)
    village = _open(township, name, code, places.kind_of(code, "village"), day, reason)
    journal.record("village.added", "village", village.id, by, name=name, code=code, day=day, reason=reason)
    return village


def rename(village_id: int, name: str, day: date, reason: str, by: Visitor, followers: Iterable[Follower]) -> Division:
    """Another name from a day on, under the same code. Raises NotFound, AlreadyClosed, InvalidInput."""
    old = _own(village_id, by)
    if name == old.name:
        raise InvalidInput({"name": [N_("This is the village's name already.")]})
    new = _succeed([old], name, day, reason, followers)
    journal.record_many([("village.renamed", "village", row.id, {"before": old.name, "after": name, "day": day,
                                                                 "reason": reason}) for row in (old, new)], by)
    return new


def merge(village_ids: Sequence[int], name: str, day: date, reason: str, by: Visitor,
          followers: Iterable[Follower]) -> Division:
    """Several villages become one from a day on; it keeps the code of the first. Raises NotFound, AlreadyClosed."""
    if len(set(village_ids)) < 2:
        raise InvalidInput({"villages": [N_("Choose at least two villages.")]})
    old = [_own(village_id, by) for village_id in sorted(set(village_ids))]
    old.sort(key=lambda row: row.id != village_ids[0])
    new = _succeed(old, name, day, reason, followers)
    journal.record_many([("village.merged", "village", row.id, {"before": [one.name for one in old], "after": name,
                                                                "day": day, "reason": reason}) for row in (*old, new)],
                        by)
    return new


def retire(village_id: int, day: date, reason: str, by: Visitor) -> None:
    """A village without households ends on a day. Raises NotFound, AlreadyClosed, StillHome."""
    village = _own(village_id, by)
    session = db.session()
    if session.scalar(select(Household.id).where(Household.village_id == village.id).limit(1)) or session.scalar(
            select(Organisation.id).where(Organisation.division_id == village.id).limit(1)):
        raise StillHome(name=village.name)
    _close([village], day, reason)
    journal.record("village.retired", "village", village.id, by, day=day, reason=reason)


def designate(village_id: int, year: int, designated: bool, source: str, by: Visitor) -> None:
    """Say whether a village is a designated one in a year, and by which paper. Raises NotFound, AlreadyClosed."""
    village = _own(village_id, by)
    session = db.session()
    row = session.scalar(select(VillageDesignation).where(
        VillageDesignation.village_id == village.id, VillageDesignation.year == year))
    before = row.designated if row else None
    if row is None:
        row = VillageDesignation(village_id=village.id, year=year)
        session.add(row)
    row.designated, row.source = designated, source
    session.flush()
    journal.record("village.designated", "village", village.id, by, year=year, before=before, after=designated,
                   source=source)


def _own(village_id: int, by: Visitor) -> Division:
    village = db.session().scalar(
        select(Division).where(Division.id == village_id, Division.level == "village", places.lies_in(by.division_id))
        .with_for_update())
    if village is None:
        raise NotFound()
    if village.valid_to is not None:
        raise AlreadyClosed(name=village.name)
    return village


def _check_day(day: date) -> None:
    if day > clock.today():
        raise InvalidInput({"day": [N_("This day lies in the future.")]})


def _check_code(code: str, township: Division) -> None:
    if code[:9] != township.code[:9]:
        raise InvalidInput({"code": [N_("A village's code begins with the nine digits of its township.")]})
    if db.session().scalar(select(Division.id).where(Division.code == code, Division.valid_to.is_(None))):
        raise InvalidInput({"code": [N_("This code already belongs to a village.")]})


def _succeed(old: Sequence[Division], name: str, day: date, reason: str, followers: Iterable[Follower]) -> Division:
    """Close the old rows, open their successor in the township of the first, and move on what is about today."""
    _close(old, day, reason)
    township = db.session().get_one(Division, old[0].township_id)
    new = _open(township, name, old[0].code, old[0].kind, day, reason)
    session = db.session()
    for row in old:
        row.successor_id = new.id
        for column in (Household.village_id, Organisation.division_id, DeliveryPoint.division_id):
            session.execute(update(column.class_).where(column == row.id).values({column.key: new.id})
                            .execution_options(synchronize_session=False))
        for follow in followers:
            follow(row.id, new.id)
    session.flush()
    _inherit_designations([row.id for row in old], new.id)
    return new


def _close(villages: Sequence[Division], day: date, reason: str) -> None:
    _check_day(day)
    if any(village.valid_from is not None and day < village.valid_from for village in villages):
        raise InvalidInput({"day": [N_("The village began only after this day.")]})
    for village in villages:
        village.valid_to, village.reason = day, reason
    db.session().flush()  # before the successor takes the code


def _open(township: Division, name: str, code: str, kind: str, day: date, reason: str) -> Division:
    village = Division(
        code=code, level="village", parent_id=township.id, raw_name=name, name=name, kind=kind,
        map_county=township.map_county, county_id=township.county_id, township_id=township.id,
        path=f"{township.path} {name}", valid_from=day, reason=reason)
    db.session().add(village)
    db.session().flush()
    return village


def _inherit_designations(old_ids: Sequence[int], new_id: int) -> None:
    """What a village was in a year, its successor was too; of merged ones one is enough."""
    row = db.table(VillageDesignation)
    by_year: dict[int, Any] = {}
    for found in db.session().execute(
            select(row.c.year, row.c.designated, row.c.source).where(row.c.village_id.in_(old_ids))
            .order_by(row.c.year, row.c.designated, row.c.id)):
        by_year[found.year] = found  # a designated one comes last
    db.insert_rows(VillageDesignation, [
        {"village_id": new_id, "year": year, "designated": found.designated, "source": found.source}
        for year, found in by_year.items()])

