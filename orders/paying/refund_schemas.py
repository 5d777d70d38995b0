"""Input of the refund pages."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load

from market.schemas import Choice, Day, Fen, Input, LeftEmpty, Milli, Whole, Words


class MaybeFen(LeftEmpty, Fen):
    """An amount that may be left empty."""


class MaybeWhole(LeftEmpty, Whole):
    """An id that may be left empty."""


class RefundLineSchema(Input):
    """How much of a line; empty means none of it."""

    line_id = Whole(required=True)
    milli = Milli(low=0, load_default=0)

    @pre_load
    def blank_is_none_of_it(self, values: Any, **_: Any) -> Any:
        return {n: v for n, v in values.items() if v != ""} if isinstance(values, Mapping) else values


class RefundSchema(Input):
    """All that is owed back, an amount of it, or so much of some lines; by bank unless a card payment is named."""

    what = Choice(("whole", "amount", "lines"), required=True)
    amount_fen = MaybeFen(load_default=None)
    card_payment_id = MaybeWhole(load_default=None)
    reason = Words(longest=200, required=True)
    lines = fields.List(fields.Nested(RefundLineSchema), load_default=list)


class WholeSchema(Input):
    """All that is owed back, asked for from the list."""

    reason = Words(longest=200, load_default="")


class TransferSchema(Input):
    """The day of a bank transfer; its slip comes as a file."""

    paid_on = Day(required=True)


class RefusalSchema(Input):
    """Why it is not to be given."""

    reason = Words(longest=200, required=True)
