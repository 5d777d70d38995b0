"""Letting a new unit in: it registers itself or a supervising unit makes it, the county or that unit says yes.

[832] Only real units enter statistics. Until then it may look, fill a cart and file, and order nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, insert, or_, select

from market import clock, credentials, db, journal, offices, outbox, places
from market.access import Visitor
from market.credentials import AlreadyRegistered
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Membership, Organisation
from market.places import Division
from market.users import User
from orders.units.models import UnitApplication

DECIDES = ("finance", "revitalisation")  # of the county; where it has neither, the city office
CHANGED = "unit.application"  # the outbox message: {"application_id", "state"}
CODE_TAKEN = N_("A unit with this credit code takes part already. Please ask its manager to add you.")


class UnitNotAdmitted(Conflict):
    """A unit that is not, or no longer, let in wants to order."""

    code = "unit_not_admitted"
    text = N_("%(unit)s is not admitted yet: %(office)s decides. Until then you can look, fill the cart and file, "
              "but not order.")


@dataclass(frozen=True)
class Newcomer:
    """What a stranger says at the door; the password's slow hash is made before the transaction."""

    unit: str
    unit_type: str
    credit_code: str
    county_id: int
    supervising_code: str
    name: str
    mobile: str
    password_hash: str


def register(newcomer: Newcomer, token: str | None) -> int:
    """A login, a unit that only applies, an application; returns the user's id.

    Raises AlreadyRegistered for a used token, InvalidInput for a credit code that takes part or a place elsewhere.
    """
    if token is not None and (earlier := user_of(token)) is not None:
        raise AlreadyRegistered(earlier)
    refuse_known(newcomer.credit_code)
    if db.session().scalar(select(Division.id).where(Division.id == newcomer.county_id,
                                                     Division.level == "county")) is None:
        raise InvalidInput({"county_id": [N_("Please choose one of the list.")]})
    user_id = credentials.add_person(credentials.free_logins([newcomer.name])[0], newcomer.name,
                                     newcomer.password_hash)
    unit = Organisation(kind="unit", name=newcomer.unit, short_name=newcomer.unit, unit_type=newcomer.unit_type,
                        division_id=newcomer.county_id, contact_name=newcomer.name, phone=newcomer.mobile,
                        status="applying", created_at=clock.now())
    db.session().add(unit)
    db.session().flush()
    credentials.add_role(user_id, unit.id, "manager")
    made = apply(unit.id, newcomer.credit_code, None, newcomer.supervising_code, user_id, newcomer.mobile, token)
    if made is None:
        raise AlreadyRegistered(user_of(token or "") or 0)
    return user_id


def apply(unit_id: int, credit_code: str, by: Visitor | None, supervising_code: str = "",
          applicant_id: int | None = None, mobile: str = "", token: str | None = None) -> int | None:
    """A unit that applies asks to be let in; returns the application's id, None where a rival used the token."""
    made = db.session().execute(db.insert_new(UnitApplication).returning(UnitApplication.id), [{
        "unit_id": unit_id, "state": "waiting", "credit_code": credit_code, "supervising_code": supervising_code,
        "applicant_id": applicant_id, "mobile": mobile, "registration_token": token, "sent_at": clock.now(),
        "reason": ""}]).scalar()
    if made is None:
        return None
    journal.record("unit.applied", "organisation", unit_id, by, credit_code=credit_code)
    outbox.enqueue(CHANGED, {"application_id": made, "state": "waiting"})
    return int(made)


def user_of(token: str) -> int | None:
    """Who registered with a form of this token."""
    return db.session().scalar(select(UnitApplication.applicant_id)
                               .where(UnitApplication.registration_token == token))


def refuse_known(credit_code: str, but: int = 0) -> None:
    """Raises InvalidInput where an organisation that takes part has this credit code."""
    if db.session().scalar(select(Organisation.id).where(Organisation.credit_code == credit_code,
                                                         Organisation.id != but)) is not None:
        raise InvalidInput({"credit_code": [CODE_TAKEN]})


def send_again(said: dict[str, Any], by: Visitor) -> None:
    """The unit mends what came back, or while it waits, and asks once more. Raises NotFound, InvalidInput."""
    application = _locked(UnitApplication.unit_id == by.organisation_id, ("waiting", "returned"))
    unit = db.session().get_one(Organisation, application.unit_id, with_for_update=True)
    refuse_known(said["credit_code"], unit.id)
    unit.name = unit.short_name = said["name"]
    unit.unit_type = said["unit_type"]
    application.credit_code, application.supervising_code = said["credit_code"], said["supervising_code"]
    application.state, application.sent_at, application.reason = "waiting", clock.now(), ""
    db.session().flush()
    journal.record("unit.applied_again", "organisation", unit.id, by, credit_code=said["credit_code"])
    outbox.enqueue(CHANGED, {"application_id": application.id, "state": "waiting"})


# ---- deciding -------------------------------------------------------------------------------------------------------


def decided_by(by: Visitor) -> ColumnElement[bool]:
    """The condition on Organisation and Division that this visitor may decide about a unit that applies."""
    if by.organisation_kind == "unit":
        if "manager" not in by.roles:
            return false()
        own_code = select(Organisation.credit_code).where(Organisation.id == by.organisation_id,
                                                          Organisation.status == "active").scalar_subquery()
        return and_(exists(select(1).where(_own.c.id == by.organisation_id, _own.c.status == "active")),
                    or_(Organisation.parent_id == by.organisation_id, UnitApplication.supervising_code == own_code),
                    Organisation.id != by.organisation_id)
    if "official" not in by.roles:
        return false()
    county = func.coalesce(Division.county_id, Division.id)
    if by.office_kind in DECIDES:
        return county == by.division_id
    if by.office_kind == "city":
        return and_(places.lies_in(by.division_id) | (Division.id == by.division_id), ~exists(
            select(1).where(_own.c.kind == "office", _own.c.status == "active", _own.c.office_kind.in_(DECIDES),
                            _own.c.division_id == county)))
    return false()


_own = db.table(Organisation).alias("decider")


def admit(application_id: int, by: Visitor) -> None:
    """The unit may order from now on. Raises NotFound, InvalidInput where its credit code takes part meanwhile."""
    application = _to_decide(application_id, by)
    refuse_known(application.credit_code, application.unit_id)
    unit = db.session().get_one(Organisation, application.unit_id, with_for_update=True)
    unit.status, unit.credit_code = "active", application.credit_code
    if unit.parent_id is None and application.supervising_code:
        unit.parent_id = db.session().scalar(select(Organisation.id).where(
            Organisation.kind == "unit", Organisation.credit_code == application.supervising_code,
            Organisation.id != unit.id))
    _decide(application, "admitted", "", by)
    _let_in_by_mobile(application)


def give_back(application_id: int, reason: str, by: Visitor) -> None:
    """Something has to be mended first; the unit hears what. Raises NotFound."""
    _decide(_to_decide(application_id, by), "returned", reason, by)


def _to_decide(application_id: int, by: Visitor) -> UnitApplication:
    unit_id = db.session().scalar(
        select(UnitApplication.unit_id).join(Organisation, Organisation.id == UnitApplication.unit_id)
        .join(Division, Division.id == Organisation.division_id)
        .where(UnitApplication.id == application_id, decided_by(by)))
    return _locked(UnitApplication.unit_id == unit_id, ("waiting",))


def _locked(whose: ColumnElement[bool], states: Sequence[str]) -> UnitApplication:
    found = db.session().scalar(select(UnitApplication).where(whose, UnitApplication.state.in_(states))
                                .with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound()
    return found


def _decide(application: UnitApplication, state: str, reason: str, by: Visitor) -> None:
    application.state, application.reason = state, reason
    application.decided_by, application.decided_at = by.id, clock.now()
    db.session().flush()
    journal.record(f"unit.{state}", "organisation", application.unit_id, by, reason=reason)
    outbox.enqueue(CHANGED, {"application_id": application.id, "state": state})


def _let_in_by_mobile(application: UnitApplication) -> None:
    """Somebody has seen whose number it is: from now on it logs in too, unless it is somebody else's already."""
    if not application.applicant_id or not application.mobile:
        return
    user = db.session().get_one(User, application.applicant_id)
    if user.mobile is None and db.session().scalar(
            select(User.id).where(User.mobile == application.mobile)) is None:
        user.mobile = application.mobile
        db.session().flush()


# ---- who decides ----------------------------------------------------------------------------------------------------


def deciders(division_id: int | None, parent_id: int | None) -> list[int]:
    """Ids of the offices that may let a unit in, and of the supervising unit."""
    found: Sequence[int] = ()
    if division_id is not None:
        found = offices.over(division_id, *DECIDES) or offices.over(division_id, "city")
    return [*found, *([parent_id] if parent_id is not None else ())]


def refusal(unit_id: int) -> UnitNotAdmitted:
    """Why a unit that is not active cannot order, with the names of those who decide."""
    unit = db.session().execute(select(Organisation.short_name, Organisation.division_id, Organisation.parent_id)
                                .where(Organisation.id == unit_id)).one()
    names = db.session().scalars(select(Organisation.short_name).where(
        Organisation.id.in_(deciders(unit.division_id, unit.parent_id))).order_by(Organisation.id)).all()
    return UnitNotAdmitted(unit=unit.short_name, office="、".join(names) or "–")


def first_person(user_id: int, unit_id: int, roles: Sequence[str]) -> None:
    """The people of a unit that is made by another, in one statement."""
    db.session().execute(insert(Membership), [
        {"user_id": user_id, "organisation_id": unit_id, "role": role} for role in roles])
