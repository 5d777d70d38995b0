"""Input of the acceptance screen."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load

from market.errors import N_
from market.schemas import Choice, Fen, Grams, Input, Milli, Number, Secret, Whole, Words
from orders.delivering.reasons import REASONS

_DEGREES = re.compile(r"(-?)(0|[1-9][0-9]?)(?:\.([0-9]))?", re.ASCII)


def _tenths(text: str) -> int:
    match = _DEGREES.fullmatch(text.replace("−", "-"))
    if match is None:
        raise ValueError("plain digits")
    tenths = int(match[2]) * 10 + int(match[3] or 0)
    return -tenths if match[1] else tenths


class Degrees(Number):
    """A temperature: JSON integer tenths of a degree Celsius; typed degrees with at most one decimal. −60 to 60 °C."""

    low, high = -600, 600
    from_text = staticmethod(_tenths)
    refusal = N_("A temperature in °C with at most one decimal, such as 4.5 or -18.")


class Given(Input):
    """A form sends what was left empty as empty text; here it is not said at all."""

    @pre_load
    def blank_is_unsaid(self, values: Any, **_: Any) -> Any:
        return {n: v for n, v in values.items() if v != ""} if isinstance(values, Mapping) else values


class LineSchema(Given):
    """What the receivers say of one line: grams for goods sold by weight, milli for counted goods; blank is unsaid."""

    line_id = Whole(required=True)
    grams = Grams(low=0, load_default=None)
    milli = Milli(low=0, load_default=None)
    price_fen = Fen(load_default=None)
    refused = fields.Boolean(load_default=False)
    reason = Choice(REASONS, load_default="")
    short_shipment_line_id = Whole(load_default=None)


class DoorSchema(Given):
    """What is said of the whole delivery."""

    note = Words(longest=500, lines=True, load_default="")
    chilled_tenths = Degrees(load_default=None)
    frozen_tenths = Degrees(load_default=None)
    warm_taken = fields.Boolean(load_default=False)
    documents_seen = fields.Boolean(load_default=False)
    documents_note = Words(longest=200, load_default="")


class AcceptanceSchema(DoorSchema):
    """A whole hand-over, with the second receiver's own PIN, or password where no PIN is set."""

    lines = fields.List(fields.Nested(LineSchema), load_default=list)
    second_id = Whole(required=True)
    second_password = Secret(required=True)
