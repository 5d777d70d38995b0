"""Input about standing orders."""

from typing import Any

from marshmallow import ValidationError, fields, pre_load, validates_schema

from catalog.lot_schemas import without_blanks
from market.schemas import REQUIRED, Choice, Day, Fen, Input, Milli, Whole, Words
from orders.buying.schemas import ApprovalSchema as ApprovalSchema
from orders.buying.schemas import CartLineSchema
from orders.standing.labels import WEEKDAYS
from orders.states import FUND_SOURCES, WINDOWS


class Hour(Whole):
    """A full hour of the day, 0 to 23."""

    low, high = 0, 23


class DraftSchema(Input):
    """What a new plan begins with: nothing, a past purchase, or goods as a cart or a list holds them."""

    name = Words(longest=80, load_default="")
    purchase_id = Whole(load_default=None)
    lines = fields.List(fields.Nested(CartLineSchema), load_default=list)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "purchase_id")


class PlanLineSchema(Input):
    """A good: its ceiling per unit, and how much on which weekday; an empty field is a day without it."""

    product_id = Whole(required=True)
    ceiling_fen = Fen(required=True)
    substitutes = fields.Boolean(load_default=False)
    mon = Milli(load_default=0)
    tue = Milli(load_default=0)
    wed = Milli(load_default=0)
    thu = Milli(load_default=0)
    fri = Milli(load_default=0)
    sat = Milli(load_default=0)
    sun = Milli(load_default=0)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, *WEEKDAYS)


class PlanSchema(Input):
    """A whole plan. Without a yearly maximum it is what the plan comes to at its ceilings."""

    name = Words(longest=80, required=True)
    budget_unit_id = Whole(load_default=None)
    delivery_point_id = Whole(required=True)
    delivery_window = Choice(WINDOWS, required=True)
    fund_source = Choice(FUND_SOURCES, required=True)
    days_ahead = Whole(required=True, high=14)
    cut_off_hour = Hour(required=True)
    first_day = Day(required=True)
    last_day = Day(required=True)
    skip_holidays = fields.Boolean(load_default=False)
    year_limit_fen = Fen(load_default=None)
    lines = fields.List(fields.Nested(PlanLineSchema), load_default=list)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "year_limit_fen", "budget_unit_id")


class GoodSchema(Input):
    """A good that joins a plan, the same quantity on each of its weekdays."""

    product_id = Whole(required=True)
    quantity_milli = Milli(required=True)
    ceiling_fen = Fen(required=True)


class DaySchema(Input):
    """A day of delivery."""

    day = Day(required=True)


class AnswerSchema(Input):
    """What becomes of a good whose price is above its ceiling; the price is the one that was shown."""

    product_id = Whole(required=True)
    answer = Choice(("raise", "once", "drop"), required=True)
    price_fen = Fen(load_default=None)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "price_fen")

    @validates_schema
    def a_price_is_named(self, values: dict[str, Any], **_: Any) -> None:
        if values["answer"] != "drop" and not values["price_fen"]:
            raise ValidationError({"price_fen": [REQUIRED]})
