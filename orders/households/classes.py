"""The class of a household in a year: set where nothing changes, else proposed by one person, confirmed by another."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased

from market import clock, db, journal, paging, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.households import CLASSES, Household, HouseholdClass
from market.places import Division
from market.users import User
from orders.households.models import HouseholdClassChange
from orders.income.areas import in_area

CHANGES = db.table(HouseholdClassChange)
MOST = 500  # changes confirmed at once


class ChangeWaits(Conflict):
    """Another change of the same household and year has not been decided yet."""

    code = "change_waits"
    text = N_("A change of this household's class in %(year)s waits for a second person already.")


@dataclass(frozen=True)
class Said:
    """A class of a household in a year, and the paper it rests on."""

    household_id: int
    year: int
    household_class: str
    source: str


def say(said: Said, by: Visitor) -> str:
    """Say it; returns the state: 'set' or, where it changes what was known, 'waiting'. Raises NotFound, ChangeWaits."""
    row = db.session().execute(select(Household.village_id, Household.register_code).where(
        Household.id == said.household_id).with_for_update(of=db.table(Household))).first()
    if row is None or row.register_code is None or not in_area(row.village_id, by):
        raise NotFound()
    if said.household_class not in CLASSES:
        raise InvalidInput({"household_class": [N_("Please choose one of the list.")]})
    before = newest([said.household_id], said.year)
    if db.session().scalar(select(CHANGES.c.id).where(
            CHANGES.c.household_id == said.household_id, CHANGES.c.year == said.year,
            CHANGES.c.state == "waiting")) is not None:
        raise ChangeWaits(year=said.year)
    return write([said], before, by)[0]


def newest(households: Collection[int], year: int) -> dict[int, str]:
    """The newest class of each household up to a year."""
    table = db.table(HouseholdClass)
    return {row.household_id: row.household_class for row in db.session().execute(
        select(table.c.household_id, table.c.household_class)
        .where(table.c.household_id.in_(households), table.c.year <= year).order_by(table.c.year))}


def write(all_said: Sequence[Said], before: Mapping[int, str], by: Visitor) -> list[str]:
    """Keep what is said and set what changes nothing; the state of each. The caller has checked the area."""
    states = ["set" if before.get(one.household_id) in (None, one.household_class) else "waiting" for one in all_said]
    now = clock.now()
    ids = db.insert_returning_ids(HouseholdClassChange, [
        {"household_id": one.household_id, "year": one.year, "before": before.get(one.household_id),
         "after": one.household_class, "source": one.source, "state": state, "proposed_by": by.id, "proposed_at": now,
         "decided_by": None, "decided_at": None, "refusal": ""}
        for one, state in zip(all_said, states, strict=True)])
    _put([one for one, state in zip(all_said, states, strict=True) if state == "set"])
    journal.record_many(
        [(f"household_class.{'set' if state == 'set' else 'proposed'}", "household", one.household_id,
          {"year": one.year, "before": before.get(one.household_id), "after": one.household_class,
           "source": one.source, "change": change})
         for one, state, change in zip(all_said, states, ids, strict=True)], by)
    return states


def _put(all_said: Sequence[Said]) -> None:
    if all_said:
        db.session().execute(db.insert_or_update(HouseholdClass, "household_id", "year"), [
            {"household_id": one.household_id, "year": one.year, "household_class": one.household_class}
            for one in all_said])


def confirm(change_ids: Collection[int], by: Visitor) -> None:
    """A second person of the area says yes to all of these or none. Raises NotFound, InvalidInput, Conflict."""
    ids = sorted(set(change_ids))
    if not 0 < len(ids) <= MOST:
        raise InvalidInput({"changes[]": [N_("Tick at least one change, at most 500 at once.")]})
    rows = _waiting(ids, by)
    own: dict[str, list[str | MarketError]] = {
        f"change-{row.id}": [SecondPersonNeeded()] for row in rows if row.proposed_by == by.id}
    if own:
        raise InvalidInput(own)
    _decide(ids, "confirmed", "", by)
    _put([Said(row.household_id, row.year, row.after, row.source) for row in rows])
    journal.record_many(
        [("household_class.confirmed", "household", row.household_id,
          {"year": row.year, "before": row.before, "after": row.after, "change": row.id}) for row in rows], by)


def refuse(change_id: int, why: str, by: Visitor) -> None:
    """A second person says no, and why. Raises NotFound, SecondPersonNeeded, Conflict."""
    row = _waiting([change_id], by)[0]
    if row.proposed_by == by.id:
        raise SecondPersonNeeded()
    _decide([change_id], "refused", why, by)
    journal.record("household_class.refused", "household", row.household_id, by, year=row.year, after=row.after,
                   why=why, change=row.id)


def need_in_area(change_id: int, by: Visitor) -> None:
    """Raises NotFound for a change elsewhere, as for one that is not there."""
    _waiting([change_id], by)


def _waiting(ids: Sequence[int], by: Visitor) -> Sequence[Any]:
    rows = db.session().execute(
        select(CHANGES, Household.village_id).join(Household, Household.id == CHANGES.c.household_id)
        .where(CHANGES.c.id.in_(ids), _of_area(by)).order_by(CHANGES.c.id)).all()
    if len(rows) != len(ids):
        raise NotFound()
    return rows


def _decide(ids: Sequence[int], state: str, why: str, by: Visitor) -> None:
    """All of them or none: whoever comes second finds them decided. Raises Conflict."""
    decided = db.session().scalars(
        update(CHANGES).where(CHANGES.c.id.in_(ids), CHANGES.c.state == "waiting")
        .values(state=state, decided_by=by.id, decided_at=clock.now(), refusal=why).returning(CHANGES.c.id)).all()
    if len(decided) != len(ids):
        raise Conflict()


def _of_area(by: Visitor) -> Any:
    return Household.village_id.in_(select(Division.id).where(places.lies_in(by.division_id)))


# ---- to look at -----------------------------------------------------------------------------------------------------


def changes(by: Visitor, state: str, page: int) -> paging.Page:
    """Changes of the area in a state, the newest first."""
    mine = (_of_area(by), CHANGES.c.state == state)
    total = db.session().scalar(
        select(func.count()).select_from(CHANGES).join(Household, Household.id == CHANGES.c.household_id)
        .where(*mine)) or 0
    return paging.read(_history().where(*mine).order_by(CHANGES.c.id.desc()), total, page)


def history(household_id: int) -> Sequence[Any]:
    """All that was said of one household, the newest first."""
    return db.session().execute(
        _history().where(CHANGES.c.household_id == household_id).order_by(CHANGES.c.id.desc())).all()


def by_year(household_id: int) -> Sequence[Any]:
    """Its class in every year it is known of, the newest first."""
    return db.session().execute(
        select(HouseholdClass.year, HouseholdClass.household_class)
        .where(HouseholdClass.household_id == household_id).order_by(HouseholdClass.year.desc())).all()


def waiting_for(by: Visitor) -> int:
    """How many changes of the area wait for this person: those that somebody else proposed."""
    return db.session().scalar(
        select(func.count()).select_from(CHANGES).join(Household, Household.id == CHANGES.c.household_id)
        .where(_of_area(by), CHANGES.c.state == "waiting", CHANGES.c.proposed_by != by.id)) or 0


def _history() -> Any:
    decider = aliased(User)
    return (select(CHANGES, Household.register_code, Division.path, User.name.label("proposer"),
                   decider.name.label("decider"))
            .join(Household, Household.id == CHANGES.c.household_id)
            .join(Division, Division.id == Household.village_id).join(User, User.id == CHANGES.c.proposed_by)
            .outerjoin(decider, decider.id == CHANGES.c.decided_by))
