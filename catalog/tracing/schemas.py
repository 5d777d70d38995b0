"""Input about certificates."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from catalog.tracing.rules import BASES
from market.errors import N_
from market.schemas import Choice, Input, Whole, Words

MOST_LABELS = 200


class IssueSchema(Input):
    """On what the promise stands."""

    bases = fields.List(Choice(BASES), load_default=list, data_key="bases[]")

    @validates_schema
    def stands_on_something(self, values: dict[str, Any], **_: Any) -> None:
        if not values.get("bases"):
            raise ValidationError({"bases[]": [N_("Say on what the promise stands.")]})


class VoidSchema(Input):
    """Why a certificate no longer holds."""

    reason = Words(longest=200, required=True)


class LabelsSchema(Input):
    """How many boxes."""

    copies = Whole(low=1, high=MOST_LABELS, load_default=8)
