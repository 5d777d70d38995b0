"""Input of the acceptance screen."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load

from market.schemas import Choice, Fen, Grams, Input, Milli, Secret, Whole, Words
from orders.delivering.reasons import REASONS


class LineSchema(Input):
    """What the receivers say of one line: grams for goods sold by weight, milli for counted goods; blank is unsaid."""

    line_id = Whole(required=True)
    grams = Grams(low=0, load_default=None)
    milli = Milli(low=0, load_default=None)
    price_fen = Fen(load_default=None)
    refused = fields.Boolean(load_default=False)
    reason = Choice(REASONS, load_default="")
    short_shipment_line_id = Whole(load_default=None)

    @pre_load
    def blank_is_unsaid(self, values: Any, **_: Any) -> Any:
        return {n: v for n, v in values.items() if v != ""} if isinstance(values, Mapping) else values


class AcceptanceSchema(Input):
    """A whole hand-over, with the second receiver's own password."""

    lines = fields.List(fields.Nested(LineSchema), load_default=list)
    second_id = Whole(required=True)
    second_password = Secret(required=True)
    note = Words(longest=500, lines=True, load_default="")
