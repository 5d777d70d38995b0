"""Input of the certificate vault."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, pre_load, validates_schema

from catalog.papers.kinds import KINDS, LOT
from market.errors import N_
from market.schemas import Choice, Day, Input, Whole, Words


class PaperSchema(Input):
    """A paper; its photo or PDF comes beside it."""

    kind = Choice(KINDS, required=True)
    product_id = Whole(load_default=None, allow_none=True)
    lot_id = Whole(load_default=None, allow_none=True)
    number = Words(longest=60, load_default="")
    issuer = Words(longest=80, required=True)
    issued_on = Day(required=True)
    valid_until = Day(load_default=None, allow_none=True)

    @pre_load
    def _empty_is_none(self, sent: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """An empty choice or day of a form means none."""
        return {name: None if value == "" and name in {"product_id", "lot_id", "valid_until"} else value
                for name, value in sent.items()}

    @validates_schema
    def _ends(self, values: Mapping[str, Any], **_: Any) -> None:
        kind = KINDS[values["kind"]]
        of_lot = LOT in kind.scopes and values["lot_id"] is not None
        if values["valid_until"] is None and not (kind.endless or of_lot):
            raise ValidationError(N_("A paper of this kind ends: say the last day on which it holds."), "valid_until")


class RefusalSchema(Input):
    """Why a paper does not count."""

    reason = Words(required=True, longest=200)
