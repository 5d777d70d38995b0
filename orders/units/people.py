"""Who acts for a unit: added, given other roles, ended by its manager. Nobody is ever deleted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from market import clock, credentials, db, journal, passwords, resets
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Membership, Organisation
from market.resets import Sheet
from market.users import ApiToken, User, UserSession
from orders import families
from orders.units.models import ContractorTerm, UnitHandover, UnitLeaver

TRADING = ("requester", "approver", "leader", "receiver", "finance")
GIVEN = ("manager", *TRADING)  # a contractor is added with firm, licence and period: contractors.py
NOT_FOR_CONTRACTORS = frozenset({"approver", "leader", "receiver", "finance", "manager"})
CODE_HOURS = 7 * 24  # of the first code, handed over on paper
MOST_CODES = 200
CONTRACTOR_ELSE = N_("Whoever runs the canteen for the unit may not approve, receive, pay or manage there.")
NO_ROLE = N_("Please choose at least one role.")


@dataclass(frozen=True)
class Person:
    """Somebody to be added. `login` is given where that person has a login already, for another unit perhaps."""

    name: str
    mobile: str
    email: str = ""
    login: str = ""


class LastManager(Conflict):
    """Without one nobody could add the next."""

    code = "last_manager"
    text = N_("This is the unit's only manager. Please make somebody else a manager first.")


class NotYetAdmitted(Conflict):
    """Else a stranger who registers a unit could keep mobile numbers and addresses from those they belong to."""

    code = "not_yet_admitted"
    text = N_("Your unit has to be admitted before it adds people and sub-units.")


def need_admitted(by: Visitor) -> None:
    """Raises NotYetAdmitted while nobody has vouched for the visitor's unit."""
    if db.session().scalar(select(Organisation.status).where(Organisation.id == by.organisation_id)) == "applying":
        raise NotYetAdmitted()


def add(person: Person, roles: Collection[str], by: Visitor) -> int:
    """Let somebody act for the visitor's own unit; returns the user's id.

    Raises NotYetAdmitted, InvalidInput where the mobile number or address belongs to another login, or the roles do
    not go together.
    """
    unit_id = _lock(by)
    need_admitted(by)
    check_roles(roles)
    user_id = find(person) if person.login else _new(person, by)
    before = roles_of(user_id, unit_id)
    if before:
        raise InvalidInput({"login": [N_("This person is among your people already; change the roles there.")]})
    give(user_id, unit_id, roles)
    journal.record("person.added", "user", user_id, by, unit_id=unit_id, roles=sorted(roles))
    return user_id


def find(person: Person) -> int:
    """The id of a login; name and mobile number have to fit, so that nobody is found by guessing one of them.

    Not one without a password: the first code is for the unit to print that made the login, and for no other.
    """
    found = db.session().execute(select(User.id, User.password_hash).where(
        User.login == person.login.lower(), User.mobile == person.mobile)).first()
    if found is None:
        raise InvalidInput({"login": [N_("Nobody has this login name together with this mobile number.")]})
    if found.password_hash == passwords.NONE_YET:
        raise InvalidInput({"login": [N_("This person has not chosen a password yet. Please add them after that.")]})
    return int(found.id)


def _new(person: Person, by: Visitor) -> int:
    credentials.refuse_taken(person.mobile, person.email)
    login = credentials.free_logins([person.name])[0]
    return credentials.add_person(login, person.name, passwords.NONE_YET, person.mobile, person.email, by)


def set_roles(user_id: int, roles: Collection[str], by: Visitor) -> None:
    """The roles a person has from now on, a contractor's apart. Raises NotFound, InvalidInput, LastManager."""
    unit_id = _lock(by)
    before = roles_of(user_id, unit_id)
    if not before:
        raise NotFound()
    after = set(roles) | (before & {"contractor"})
    check_roles(after)
    if "manager" in before - after:
        _need_another_manager(user_id, unit_id)
    take(user_id, unit_id, before - after)
    give(user_id, unit_id, after - before)
    journal.record("person.roles_set", "user", user_id, by, unit_id=unit_id, before=sorted(before),
                   after=sorted(after))


def end(user_id: int, reason: str, by: Visitor | None, unit_id: int | None = None) -> set[str]:
    """From now on this person does not act for the unit; returns the roles that end. Raises NotFound, LastManager."""
    unit_id = _lock(by) if unit_id is None and by is not None else unit_id or 0
    roles = roles_of(user_id, unit_id)
    if not roles:
        raise NotFound()
    if "manager" in roles:
        _need_another_manager(user_id, unit_id)
    take(user_id, unit_id, roles)
    _shut_doors(user_id, unit_id)
    session = db.session()
    session.execute(update(ContractorTerm).where(
        ContractorTerm.unit_id == unit_id, ContractorTerm.user_id == user_id, ContractorTerm.ended_at.is_(None))
        .values(ended_at=clock.now()))
    session.execute(update(UnitHandover).where(
        UnitHandover.unit_id == unit_id, UnitHandover.state == "planned",
        (UnitHandover.from_user_id == user_id) | (UnitHandover.to_user_id == user_id)).values(state="cancelled"))
    session.execute(insert(UnitLeaver), [{
        "unit_id": unit_id, "user_id": user_id, "roles": sorted(roles), "reason": reason,
        "ended_by": by.id if by else None, "ended_at": clock.now()}])
    journal.record("person.ended", "user", user_id, by, unit_id=unit_id, roles=sorted(roles), reason=reason)
    return roles


def _shut_doors(user_id: int, unit_id: int) -> None:
    """Sessions and tokens that act for this unit end; those for another unit stay."""
    for door in (UserSession, ApiToken):
        db.session().execute(update(door).where(door.user_id == user_id, door.organisation_id == unit_id,
                                                door.ended_at.is_(None)).values(ended_at=clock.now()))


def check_roles(roles: Collection[str]) -> None:
    """Raises InvalidInput for none at all, or for a contractor's with a controlling one."""
    if not roles:
        raise InvalidInput({"roles": [NO_ROLE]})
    if "contractor" in roles and NOT_FOR_CONTRACTORS & set(roles):
        raise InvalidInput({"roles": [CONTRACTOR_ELSE]})


def roles_of(user_id: int, unit_id: int) -> set[str]:
    """What a person does in a unit; nothing where they do not belong to it."""
    return set(db.session().scalars(select(Membership.role).where(Membership.user_id == user_id,
                                                                  Membership.organisation_id == unit_id)))


def give(user_id: int, unit_id: int, roles: Collection[str]) -> None:
    """Further roles; one that is held already stays as it is."""
    if roles:
        db.session().execute(db.insert_new(Membership), [
            {"user_id": user_id, "organisation_id": unit_id, "role": role} for role in sorted(roles)])


def take(user_id: int, unit_id: int, roles: Collection[str]) -> None:
    """Fewer roles."""
    db.session().execute(delete(Membership).where(Membership.user_id == user_id, Membership.role.in_(roles),
                                                  Membership.organisation_id == unit_id))


def lock(unit_id: int) -> None:
    """Whoever changes the people of a unit stands in line: two managers cannot end one another at one moment."""
    db.session().execute(select(Organisation.id).where(Organisation.id == unit_id).with_for_update())


def _lock(by: Visitor | None) -> int:
    unit_id = (by.organisation_id if by else None) or 0
    lock(unit_id)
    return unit_id


def _need_another_manager(user_id: int, unit_id: int) -> None:
    if db.session().scalar(select(Membership.id).where(
            Membership.organisation_id == unit_id, Membership.role == "manager", Membership.user_id != user_id)
            .limit(1)) is None:
        raise LastManager()


# ---- the first code -------------------------------------------------------------------------------------------------


def newcomers(by: Visitor, user_id: int | None = None) -> Sequence[Row[*tuple[Any, ...]]]:
    """People of the unit and its sub-units who have not chosen a password yet (id, name, login, organisation_name).

    Nobody else is handed a code here: a manager who could set an approver's password would be two pairs of eyes.
    """
    query = (
        select(User.id, User.name, User.login, Organisation.short_name.label("organisation_name"))
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(families.is_within(by.organisation_id), Organisation.kind == "unit",
               User.password_hash == passwords.NONE_YET)
        .distinct().order_by(Organisation.short_name, User.id).limit(MOST_CODES))
    return db.session().execute(query if user_id is None else query.where(User.id == user_id)).all()


def print_codes(by: Visitor, user_id: int | None = None) -> list[tuple[Row[Any], Sheet]]:
    """A code good once and for a week for one newcomer, or each of them. Raises NotFound where there is none."""
    people = {person.id: person for person in newcomers(by, user_id)}
    if not people:
        raise NotFound()
    return [(person, resets.hand_out(person, by, CODE_HOURS)) for person in people.values()]
