"""A small unit declares that who orders may be one of the two receivers; never approver or payer."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput
from market.parties import Organisation
from market.users import User
from orders import families
from orders.approving.models import SchemeDeclaration


class SameScheme(Conflict):
    """The unit receives like this already."""

    code = "same_scheme"
    text = N_("The unit receives like this already.")


def declare(scheme: str, reason: str, decided_on: date, by: Visitor) -> None:
    """The manager declares how the unit receives from now on, 'reduced' or 'two_receivers', with the day on which it
    was decided. Raises SameScheme, InvalidInput."""
    if decided_on > clock.today():
        raise InvalidInput({"decided_on": [N_("This day lies in the future.")]})
    unit = db.session().scalars(select(Organisation).where(Organisation.id == by.organisation_id).with_for_update(
        key_share=True)).one()
    if unit.receiving_scheme == scheme:
        raise SameScheme()
    before, unit.receiving_scheme = unit.receiving_scheme, scheme
    db.session().flush()
    db.insert_rows(SchemeDeclaration, [{
        "unit_id": unit.id, "scheme": scheme, "reason": reason, "decided_on": decided_on, "declared_by": by.id,
        "declared_at": clock.now()}])
    journal.record("unit.receiving_scheme", "organisation", unit.id, by, before=before, after=scheme, reason=reason)


def declared(by: Visitor, most: int = 50) -> Sequence[Any]:
    """What this unit and those it supervises have declared, the newest first."""
    return db.session().execute(
        select(db.table(SchemeDeclaration), Organisation.short_name.label("unit_name"), User.name.label("who"))
        .join(Organisation, Organisation.id == SchemeDeclaration.unit_id)
        .join(User, User.id == SchemeDeclaration.declared_by)
        .where(families.is_within(by.organisation_id))
        .order_by(SchemeDeclaration.id.desc()).limit(most)).all()


def of_unit(unit_id: int | None) -> str:
    """How a unit receives now."""
    return db.session().scalars(select(Organisation.receiving_scheme).where(Organisation.id == unit_id)).one()
