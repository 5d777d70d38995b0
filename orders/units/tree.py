"""The tree of units: a unit's own facts, and the sub-units it makes."""

from typing import Any

from sqlalchemy import select

from market import clock, credentials, db, journal, passwords
from market.access import Visitor
from market.errors import NotFound
from market.parties import Organisation
from orders.units import admission, people
from orders.units.people import Person

FACTS = ("short_name", "contact_name", "phone")  # the manager's; name and credit code are what somebody vouched for


def set_facts(said: dict[str, Any], by: Visitor) -> None:
    """Other facts about the visitor's own unit; the journal keeps both. Raises NotFound."""
    unit = db.session().scalar(select(Organisation).where(
        Organisation.id == by.organisation_id, Organisation.kind == "unit")
        .with_for_update().execution_options(populate_existing=True))
    if unit is None:
        raise NotFound()
    before = {name: getattr(unit, name) for name in FACTS}
    for name in FACTS:
        setattr(unit, name, said[name])
    db.session().flush()
    journal.record("unit.facts_set", "organisation", unit.id, by, before=before,
                   after={name: said[name] for name in FACTS})


def add_sub_unit(said: dict[str, Any], manager: Person, by: Visitor) -> int:
    """A unit below the visitor's own, with its first manager; it orders once it is admitted. Returns its id.

    Raises NotYetAdmitted, InvalidInput for a credit code, mobile number or address that is somebody else's.
    """
    people.need_admitted(by)
    admission.refuse_known(said["credit_code"])
    credentials.refuse_taken(manager.mobile, manager.email)
    unit = Organisation(kind="unit", name=said["name"], short_name=said["name"], unit_type=said["unit_type"],
                        parent_id=by.organisation_id, division_id=by.division_id, contact_name=manager.name,
                        phone=manager.mobile, status="applying", created_at=clock.now())
    db.session().add(unit)
    db.session().flush()
    user_id = credentials.add_person(credentials.free_logins([manager.name])[0], manager.name, passwords.NONE_YET,
                                     manager.mobile, manager.email, by)
    admission.first_person(user_id, unit.id, ["manager"])
    admission.apply(unit.id, said["credit_code"], by, applicant_id=user_id)
    journal.record("unit.made", "organisation", unit.id, by, name=unit.name, parent_id=by.organisation_id)
    return unit.id
