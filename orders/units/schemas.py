"""Input of a unit's pages, for form and JSON alike."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from market.errors import N_
from market.parties import UNIT_TYPES
from market.schemas import Choice, CreditCode, Day, EmailAddress, Input, LeftEmpty, Mobile, Secret, Whole, Words
from orders.units.people import GIVEN


class MaybeCode(CreditCode):
    """A credit code, or nothing."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        return "" if value in ("", None) else super()._deserialize(value, attr, data, **options)


class MaybePlace(LeftEmpty, Whole):
    """A place's id, or nothing."""


def _roles(data_key: str | None = None) -> fields.List[Any]:
    one = fields.String(validate=validate.OneOf(GIVEN, error=N_("Please choose one of the list.")))
    return fields.List(one, load_default=list, data_key=data_key)


class FactsSchema(Input):
    short_name = Words(required=True, longest=30)
    contact_name = Words(load_default="", longest=20)
    phone = Words(load_default="", longest=30)


class PersonSchema(Input):
    """A person to add; `login` names one who has a login already."""

    name = Words(required=True, longest=20)
    mobile = Mobile(required=True, longest=11)
    email = EmailAddress(load_default="", longest=254)
    login = Words(load_default="", longest=64)


class NewPersonSchema(PersonSchema):
    """As the form sends it."""

    roles = _roles(data_key="roles[]")


class ApiPersonSchema(PersonSchema):
    """As a program sends it."""

    roles = _roles()


class RolesSchema(Input):
    roles = _roles(data_key="roles[]")


class EndingSchema(Input):
    reason = Words(required=True, longest=200)


class ContractorSchema(PersonSchema):
    firm_name = Words(required=True, longest=60)
    licence_no = Words(required=True, longest=40)
    licence_seen_on = Day(required=True)
    first_day = Day(required=True)
    last_day = Day(required=True)


class SubUnitSchema(Input):
    unit_name = Words(required=True, longest=60)
    credit_code = CreditCode(required=True)
    unit_type = Choice(UNIT_TYPES, required=True)
    name = Words(required=True, longest=20)
    mobile = Mobile(required=True, longest=11)
    email = EmailAddress(load_default="", longest=254)


class DoorSchema(Input):
    name = Words(required=True, longest=40)
    address = Words(load_default="", longest=120)
    contact = Words(load_default="", longest=20)
    phone = Words(load_default="", longest=30)
    window_note = Words(load_default="", longest=120)
    division_id = MaybePlace(load_default=None)


class HandoverSchema(Input):
    from_user_id = Whole(required=True)
    to_user_id = Whole(required=True)
    from_day = Day(required=True)
    reason = Words(load_default="", longest=200)


class ApplicationSchema(Input):
    name = Words(required=True, longest=60)
    credit_code = CreditCode(required=True)
    unit_type = Choice(UNIT_TYPES, required=True)
    supervising_code = MaybeCode(load_default="", longest=18)


class RegistrationSchema(Input):
    unit = Words(required=True, longest=60)
    unit_type = Choice(UNIT_TYPES, required=True)
    credit_code = CreditCode(required=True)
    county_id = Whole(required=True)
    supervising_code = MaybeCode(load_default="", longest=18)
    name = Words(required=True, longest=20)
    mobile = Mobile(required=True, longest=11)
    password = Secret(required=True)


class AdmissionSchema(Input):
    decision = Choice(("admit", "return"), required=True)
    reason = Words(load_default="", longest=300, lines=True)
