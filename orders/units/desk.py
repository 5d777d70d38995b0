"""What a unit's people see of its tree, people and doors: columns, a fixed number of statements, its own rows only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, func, select

from market import clock, db, paging, passwords, places
from market.access import Visitor
from market.errors import NotFound
from market.parties import DeliveryPoint, Membership, Organisation
from market.places import Division
from market.users import User
from orders import families
from orders.units import admission
from orders.units.models import ContractorTerm, UnitApplication, UnitHandover, UnitLeaver

Columns = Row[*tuple[Any, ...]]
MOST_LEAVERS = 50
CONFLICTS = (frozenset({"requester", "approver"}), frozenset({"requester", "leader"}),
             frozenset({"approver", "receiver"}), frozenset({"approver", "finance"}),
             frozenset({"receiver", "finance"}))


@dataclass(frozen=True)
class People:
    """A page of people with their roles, and contractors' terms by person."""

    page: paging.Page
    roles: Mapping[int, frozenset[str]]
    terms: Mapping[int, Columns]

    def conflict(self, user_id: int) -> frozenset[str]:
        """Roles of one person of which four eyes want two people: whoever orders does not approve, and so on."""
        held = self.roles.get(user_id, frozenset())
        return next((pair for pair in CONFLICTS if pair <= held), frozenset())


def unit(by: Visitor) -> Columns:
    """The visitor's own unit with the one above it and how it stands with its admission."""
    return _unit(Organisation.id == by.organisation_id)


def sub_unit(unit_id: int, by: Visitor) -> Columns:
    """A unit below the visitor's own, or one that says so and waits to be let in. Raises NotFound for any other."""
    return _unit(Organisation.id == unit_id, _below(by))


def _below(by: Visitor) -> Any:
    own_code = select(_above.c.credit_code).where(_above.c.id == by.organisation_id).scalar_subquery()
    claims = (UnitApplication.supervising_code == own_code) & (UnitApplication.state == "waiting")
    return ((Organisation.parent_id == by.organisation_id) | claims) & (Organisation.id != by.organisation_id)


_above = db.table(Organisation).alias("above")


def _unit(*conditions: Any) -> Columns:
    found = db.session().execute(
        select(Organisation.id, Organisation.name, Organisation.short_name, Organisation.credit_code,
               Organisation.unit_type, Organisation.contact_name, Organisation.phone, Organisation.status,
               Organisation.parent_id, _above.c.name.label("parent_name"), Division.path.label("place"),
               UnitApplication.id.label("application_id"), UnitApplication.state.label("application"),
               UnitApplication.credit_code.label("said_code"), UnitApplication.supervising_code,
               UnitApplication.reason, UnitApplication.sent_at)
        .outerjoin(_above, _above.c.id == Organisation.parent_id)
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(UnitApplication, UnitApplication.unit_id == Organisation.id)
        .where(Organisation.kind == "unit", *conditions)).first()
    if found is None:
        raise NotFound()
    return found


def sub_units(by: Visitor, page: int) -> paging.Page:
    """Units below the visitor's own with how many people and managers each has; two statements."""
    people = func.count(func.distinct(Membership.user_id))
    managers = func.count(func.distinct(case((Membership.role == "manager", Membership.user_id))))
    total = db.session().scalar(select(func.count(Organisation.id)).outerjoin(
        UnitApplication, UnitApplication.unit_id == Organisation.id)
        .where(Organisation.kind == "unit", _below(by))) or 0
    query = (
        select(Organisation.id, Organisation.name, Organisation.unit_type, Organisation.status, Organisation.phone,
               Organisation.contact_name, people.label("people"), managers.label("managers"))
        .outerjoin(UnitApplication, UnitApplication.unit_id == Organisation.id)
        .outerjoin(Membership, Membership.organisation_id == Organisation.id)
        .where(Organisation.kind == "unit", _below(by))
        .group_by(Organisation.id).order_by(Organisation.name, Organisation.id))
    return paging.read(query, total, page)


def people(unit_id: int, page: int) -> People:
    """Whoever acts for a unit, by name; four statements."""
    here = select(Membership.user_id).where(Membership.organisation_id == unit_id)
    total = db.session().scalar(select(func.count(User.id)).where(User.id.in_(here))) or 0
    found = paging.read(_persons().where(User.id.in_(here)).order_by(User.name, User.id), total, page)
    ids = [row.id for row in found.rows]
    return People(found, _roles(unit_id, ids), _terms(unit_id, ids))


def person(user_id: int, by: Visitor) -> tuple[Columns, People]:
    """One person of the visitor's own unit. Raises NotFound for anybody else."""
    unit_id = by.organisation_id or 0
    roles = _roles(unit_id, [user_id])
    found = db.session().execute(_persons().where(User.id == user_id)).first() if roles else None
    if found is None:
        raise NotFound()
    return found, People(paging.Page([found], 1, 1), roles, _terms(unit_id, [user_id]))


def _persons() -> Any:
    return select(User.id, User.name, User.login, User.mobile, User.email,
                  (User.password_hash == passwords.NONE_YET).label("is_new"))


def _roles(unit_id: int, ids: Sequence[int]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for row in db.session().execute(select(Membership.user_id, Membership.role).where(
            Membership.organisation_id == unit_id, Membership.user_id.in_(ids))):
        found.setdefault(row.user_id, set()).add(row.role)
    return {user_id: frozenset(roles) for user_id, roles in found.items()}


def _terms(unit_id: int, ids: Sequence[int]) -> dict[int, Columns]:
    return {row.user_id: row for row in db.session().execute(
        select(ContractorTerm.user_id, ContractorTerm.firm_name, ContractorTerm.licence_no,
               ContractorTerm.licence_seen_on, ContractorTerm.first_day, ContractorTerm.last_day)
        .where(ContractorTerm.unit_id == unit_id, ContractorTerm.user_id.in_(ids), ContractorTerm.ended_at.is_(None)))}


def choices_of_people(by: Visitor) -> list[tuple[int, str]]:
    """The unit's people to choose from (id, name)."""
    return [(row.id, row.name) for row in db.session().execute(
        select(User.id, User.name).where(User.id.in_(
            select(Membership.user_id).where(Membership.organisation_id == by.organisation_id)))
        .order_by(User.name, User.id))]


def leavers(by: Visitor) -> Sequence[Columns]:
    """Who left lately, with roles and reason."""
    return db.session().execute(
        select(UnitLeaver.id, UnitLeaver.roles, UnitLeaver.reason, UnitLeaver.ended_at, User.name)
        .join(User, User.id == UnitLeaver.user_id).where(UnitLeaver.unit_id == by.organisation_id)
        .order_by(UnitLeaver.id.desc()).limit(MOST_LEAVERS)).all()


def newcomers(by: Visitor) -> int:
    """How many people of the unit and its sub-units have not chosen a password yet."""
    return db.session().scalar(
        select(func.count(func.distinct(User.id))).join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(families.is_within(by.organisation_id), Organisation.kind == "unit",
               User.password_hash == passwords.NONE_YET)) or 0


# ---- doors, places --------------------------------------------------------------------------------------------------


def doors(by: Visitor) -> Sequence[Columns]:
    """The unit's doors, closed ones last."""
    return db.session().execute(
        select(DeliveryPoint.id, DeliveryPoint.name, DeliveryPoint.address, DeliveryPoint.contact,
               DeliveryPoint.phone, DeliveryPoint.window_note, DeliveryPoint.closed_at, DeliveryPoint.division_id,
               Division.path.label("place"))
        .outerjoin(Division, Division.id == DeliveryPoint.division_id)
        .where(DeliveryPoint.unit_id == by.organisation_id)
        .order_by(case((DeliveryPoint.closed_at.is_(None), 0), else_=1), DeliveryPoint.id)).all()


def door(door_id: int, by: Visitor) -> Columns:
    """One of the unit's doors. Raises NotFound for another's."""
    found = next((row for row in doors(by) if row.id == door_id), None)
    if found is None:
        raise NotFound()
    return found


def counties() -> list[tuple[int, str]]:
    """The counties of today, by code."""
    return [(row.id, row.name) for row in db.session().execute(
        select(Division.id, Division.name).where(Division.level == "county", Division.valid_to.is_(None))
        .order_by(Division.code))]


def places_of(by: Visitor) -> list[tuple[int, str]]:
    """Counties and townships around the unit, to say where a door lies."""
    return [(row.id, row.path) for row in db.session().execute(
        select(Division.id, Division.path).where(
            Division.level.in_(("county", "township")), Division.valid_to.is_(None),
            (Division.level == "county") | places.lies_in(by.division_id)).order_by(Division.code))]


# ---- hand-overs, applications ---------------------------------------------------------------------------------------


def handovers(by: Visitor, page: int) -> paging.Page:
    """The unit's hand-overs, the newest first."""
    from_, to = db.table(User).alias("giver"), db.table(User).alias("taker")
    total = db.session().scalar(select(func.count(UnitHandover.id)).where(
        UnitHandover.unit_id == by.organisation_id)) or 0
    return paging.read(
        select(UnitHandover.id, UnitHandover.from_day, UnitHandover.state, from_.c.name.label("from_name"),
               to.c.name.label("to_name"))
        .join(from_, from_.c.id == UnitHandover.from_user_id).join(to, to.c.id == UnitHandover.to_user_id)
        .where(UnitHandover.unit_id == by.organisation_id).order_by(UnitHandover.id.desc()), total, page)


def applications(by: Visitor, state: str, page: int) -> paging.Page:
    """Units that this visitor may let in, the longest waiting first."""
    query = _applications().where(UnitApplication.state == state, admission.decided_by(by))
    total = db.session().scalar(select(func.count()).select_from(query.subquery())) or 0
    order = UnitApplication.id if state == "waiting" else UnitApplication.id.desc()
    return paging.read(query.order_by(order), total, page)


def application(application_id: int, by: Visitor) -> Columns:
    """Raises NotFound where this visitor has nothing to say about it."""
    found = db.session().execute(_applications().where(UnitApplication.id == application_id,
                                                       admission.decided_by(by))).first()
    if found is None:
        raise NotFound()
    return found


def waiting_applications(by: Visitor) -> int:
    """How many units wait for this visitor's yes."""
    query = _applications().where(UnitApplication.state == "waiting", admission.decided_by(by))
    return db.session().scalar(select(func.count()).select_from(query.subquery())) or 0


def due_terms(by: Visitor, days: int = 30) -> int:
    """How many contracts with contractors end within so many days."""
    today = clock.today()
    return db.session().scalar(select(func.count(ContractorTerm.id)).where(
        ContractorTerm.unit_id == by.organisation_id, ContractorTerm.ended_at.is_(None),
        ContractorTerm.last_day <= clock.days_after(today, days))) or 0


def _applications() -> Any:
    return (
        select(UnitApplication.id, UnitApplication.unit_id, UnitApplication.state, UnitApplication.credit_code,
               UnitApplication.supervising_code, UnitApplication.sent_at, UnitApplication.reason,
               UnitApplication.mobile, Organisation.name, Organisation.unit_type, Organisation.contact_name,
               Organisation.phone, Division.path.label("place"), _above.c.name.label("parent_name"))
        .join(Organisation, Organisation.id == UnitApplication.unit_id)
        .join(Division, Division.id == Organisation.division_id)
        .outerjoin(_above, _above.c.id == Organisation.parent_id))
