"""Input about collective income and the rules of an area."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from market.schemas import Choice, Day, Fen, Input, Whole, Words
from orders.collective.dated import KINDS
from orders.collective.models import INCOME_KINDS


class DeclaredSchema(Input):
    """What a collective earned elsewhere in a year; 0 says that there was nothing."""

    year = Whole(required=True, low=2015, high=2099)
    kind = Choice(INCOME_KINDS, required=True)
    amount_fen = Fen(required=True, low=0)
    note = Words(longest=200, load_default="")


class CorrectionSchema(Input):
    """What would have been right, and why."""

    right_fen = Fen(required=True, low=0)
    reason = Words(required=True, longest=200)


class RefusalSchema(Input):
    """Why not."""

    reason = Words(required=True, longest=200)


class DecisionSchema(Input):
    """The record of a village's decision."""

    year = Whole(required=True, low=2015, high=2099)
    number = Words(required=True, longest=60)
    decided_on = Day(required=True)


class RuleSchema(Input):
    """A rule from a day on; a share is typed in percent."""

    name = Choice(KINDS, required=True)
    since = Day(required=True)
    value = Fen(required=True, high=100_000)  # hundredths, as an amount in yuan is typed
    document = Words(required=True, longest=200)

    @validates_schema
    def whole_months_and_days(self, values: Mapping[str, Any], **_: Any) -> None:
        if KINDS[values["name"]].unit != "percent" and values["value"] % 100:
            raise ValidationError({"value": [Whole.refusal]})
