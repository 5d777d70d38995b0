"""Input of what follows an acceptance."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load

from market.schemas import Choice, Day, Input, Milli, Whole, Words
from orders.aftersale.states import KINDS
from orders.delivering.reasons import REASONS


class CaseLineSchema(Input):
    """How much of a line; empty means none of it."""

    line_id = Whole(required=True)
    quantity_milli = Milli(low=0, load_default=0)

    @pre_load
    def blank_is_none_of_it(self, values: Any, **_: Any) -> Any:
        return {n: v for n, v in values.items() if v != ""} if isinstance(values, Mapping) else values


class CaseSchema(Input):
    """What the unit asks for."""

    kind = Choice(KINDS, required=True)
    reason = Choice(REASONS, required=True)
    words = Words(longest=500, lines=True, load_default="")
    lines = fields.List(fields.Nested(CaseLineSchema), load_default=list)


class AnswerSchema(Input):
    """What the co-operative answers; a replacement needs its day of delivery."""

    decision = Choice(("agree", "refuse"), required=True)
    words = Words(longest=500, lines=True, load_default="")
    delivery_day = Day(load_default=None)
    restock = fields.Boolean(load_default=False)  # what goes back is sound

    @pre_load
    def blank_is_unsaid(self, values: Any, **_: Any) -> Any:
        return {n: v for n, v in values.items() if v != ""} if isinstance(values, Mapping) else values


class WordsSchema(Input):
    """What the county proposes."""

    words = Words(longest=1000, lines=True, load_default="")


class RatingSchema(Input):
    """Stars, and words if there are any."""

    goods_stars = Whole(required=True)
    delivery_stars = Whole(required=True)
    words = Words(longest=300, lines=True, load_default="")


class CreditSchema(Input):
    """Which unit the order is to count for, and why."""

    to_unit_id = Whole(required=True)
    reason = Words(required=True, longest=300)


class CreditDecisionSchema(Input):
    decision = Choice(("approve", "decline"), required=True)
    remark = Words(longest=300, load_default="")
