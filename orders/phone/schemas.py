"""Input about phone orders."""

from typing import Any

from marshmallow import fields, pre_load

from catalog.lot_schemas import FilledRows, without_blanks
from market.schemas import Choice, Day, Input, Whole, Words
from orders.buying.schemas import CartLineSchema
from orders.states import FUND_SOURCES, WINDOWS


class PhoneOrderSchema(FilledRows):
    """What the canteen said; goods without a quantity were not asked for."""

    rows, needs = "lines", "quantity_milli"

    unit_id = Whole(required=True)
    delivery_day = Day(required=True)
    delivery_window = Choice(WINDOWS, required=True)
    note = Words(longest=500, lines=True, load_default="")
    lines = fields.List(fields.Nested(CartLineSchema), load_default=list)


class ConfirmationSchema(Input):
    """Where to and out of which money; `expected_total_fen` is the sum that was shown, in whole fen."""

    delivery_point_id = Whole(required=True)
    fund_source = Choice(FUND_SOURCES, load_default="canteen")
    expected_total_fen = Whole(required=True)


class RefusalSchema(Input):
    """Why it is declined."""

    reason = Words(longest=200, load_default="")

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "reason")
