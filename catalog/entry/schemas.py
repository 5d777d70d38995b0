"""Input of entry: registration, the sections of an application, decisions of offices."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validates

from catalog.entry.models import LINKAGE_KINDS
from catalog.schemas import Months, VillageCode
from market import money
from market.errors import N_
from market.parties import SUPPLIER_TYPES
from market.schemas import Choice, CreditCode, Day, Grams, Input, Mobile, Number, Secret, Whole, Words

BANK_ACCOUNT = re.compile(r"[0-9][0-9 -]{6,38}[0-9]", re.ASCII)


class Percent(Number):
    """A share in percent with at most two decimals, 0 to 100, as hundredths of a percent."""

    low, high = 0, 10_000
    from_text = staticmethod(money.parse_fen)
    refusal = N_("A percentage, plain digits with at most two decimals, such as 8.5.")


class RegistrationSchema(Input):
    organisation = Words(required=True, longest=60)
    name = Words(required=True, longest=20)
    mobile = Mobile(required=True, longest=11)
    password = Secret(required=True)


class WhoSchema(Input):
    supplier_type = Choice(SUPPLIER_TYPES, required=True)
    name = Words(required=True, longest=60)
    short_name = Words(longest=20, load_default="")
    credit_code = CreditCode(required=True)


class VillageSchema(Input):
    village = VillageCode(required=True)


class ContactSchema(Input):
    legal_person = Words(required=True, longest=20)
    mobile = Mobile(required=True, longest=11)
    bank_name = Words(required=True, longest=60)
    bank_account = Words(required=True, longest=40)

    @validates("bank_account")
    def looks_like_an_account(self, value: str, **_: Any) -> None:
        if BANK_ACCOUNT.fullmatch(value) is None:
            raise ValidationError(N_("An account number has 8 to 40 digits, nothing else."))


class GoodSchema(Input):
    """Up to 10,000 t a year."""

    name = Words(required=True, longest=40)
    category = Words(required=True, longest=32)
    villages = fields.List(VillageCode(), required=True, data_key="villages[]")
    harvest_months = Months(load_default="all", data_key="harvest_months[]")
    yearly_grams = Grams(required=True)


class CapacitySchema(Input):
    capacity = Words(required=True, longest=1000, lines=True)


class LinkageSchema(Input):
    kind = Choice(LINKAGE_KINDS, required=True)
    households = Whole(required=True, high=99_999)
    note = Words(required=True, longest=300, lines=True)


class PaperSchema(Input):
    kind = Choice(("licence", "capacity", "product_certificate", "other"), required=True)


class ProducerSchema(Input):
    producer_name = Words(required=True, longest=60)
    markup_points = Percent(required=True)


class ProofSchema(Input):
    proof_kind = Choice(("platform_832", "certified"), required=True)
    proof_no = Words(required=True, longest=60)


class RemovalSchema(Input):
    """Which row of a list is taken out."""

    id = Whole(required=True)


class DecisionSchema(Input):
    step_id = Whole(required=True)
    decision = Choice(("passed", "returned", "refused"), required=True)
    reason = Words(required=True, longest=500, lines=True)


class StandingSchema(Input):
    status = Choice(("active", "suspended", "left"), required=True)
    from_day = Day(required=True)
    reason = Words(required=True, longest=300)
