"""Input of the certificate vault."""

from collections.abc import Mapping
from typing import Any

from marshmallow import pre_load

from catalog.papers.kinds import KINDS
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


class RefusalSchema(Input):
    """Why a paper does not count."""

    reason = Words(required=True, longest=200)
