"""Input of the reserved share's forms."""

from marshmallow import fields

from market.parties import UNIT_TYPES
from market.schemas import Choice, Day, Fen, Input, LeftEmpty, Whole, Words
from orders.quota.models import CANTEENS, COUNTS, DUTIES
from orders.quota.outside import Percent
from orders.states import FUND_SOURCES


class MaybeFen(LeftEmpty, Fen):
    """An amount, or nothing."""


class MaybePercent(LeftEmpty, Percent):
    """A percentage, or nothing."""


class FilingSchema(Input):
    year = Whole(low=2015, high=2099, required=True)
    canteen = Choice(CANTEENS, required=True)
    union_demand = fields.Boolean(load_default=False)
    canteen_base_fen = MaybeFen(data_key="canteen_base", load_default=None)
    canteen_points = MaybePercent(data_key="canteen_ratio", load_default=None)
    union_base_fen = MaybeFen(data_key="union_base", load_default=None)
    union_points = MaybePercent(data_key="union_ratio", load_default=None)
    representative = Words(load_default="")
    contractor = Words(load_default="")
    contact = Words(longest=60, load_default="")
    phone = Words(longest=30, load_default="")
    remark = Words(longest=500, load_default="")
    submit = fields.Boolean(load_default=False)


class DecisionSchema(Input):
    revision = Whole(required=True)
    decision = Choice(("approve", "return"), required=True)
    reason = Words(longest=500, lines=True, load_default="")


class SuccessionSchema(Input):
    kind = Choice(("merged", "renamed"), required=True)
    successor = Words(required=True)
    from_day = Day(required=True)


class SuccessionDecisionSchema(Input):
    decision = Choice(("approve", "return"), required=True)
    reason = Words(longest=500, load_default="")


class UploadSchema(Input):
    kind = Choice(("orders", "filing"), required=True)


class TermSchema(Input):
    year = Whole(low=2015, high=2099, required=True)
    deadline = Day(required=True)


class RuleSchema(Input):
    """A rule; its document must be named."""

    replaces = Whole(load_default=None, allow_none=True)
    year = Whole(low=2015, high=2099, required=True)
    unit_type = Choice(("any", *UNIT_TYPES), required=True)
    fund_source = Choice(FUND_SOURCES, required=True)
    duty = Choice(DUTIES, required=True)
    counts = Choice(COUNTS, required=True)
    min_points = Percent(data_key="least", required=True)
    encouraged_points = Percent(data_key="encouraged", required=True)
    base = Words(required=True)
    document_name = Words(required=True)
    document_number = Words(longest=80, required=True)
    remark = Words(longest=500, load_default="")
    with_union = fields.Boolean(load_default=False)
    with_staff = fields.Boolean(load_default=False)
