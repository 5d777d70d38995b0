"""Input of ordering: a draft with its deliveries and lines, a weekly list, a text."""

from typing import Any

from marshmallow import fields, pre_load, validate

from market.schemas import Choice, Day, Input, Milli, Whole, Words, check_encodable
from orders.ordering.models import LONGEST_NAME, LONGEST_WORD
from orders.ordering.parsing import LONGEST_TEXT
from orders.ordering.reading import TOO_LONG
from orders.states import FUND_SOURCES, WINDOWS

NOTHING = ("", "0", None)


class MaybeMilli(Milli):
    """A quantity; nothing, or 0, leaves the good out."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = value.strip() if isinstance(value, str) else value
        return None if text in NOTHING or text == 0 else super()._deserialize(value, attr, data, **options)


class WantSchema(Input):
    """A good of a draft; where a word may mean several, `q<product id>` holds the quantity of each."""

    product_id = Whole(required=True)
    quantity_milli = MaybeMilli(load_default=None, allow_none=True)
    part = Whole(low=0, load_default=0)
    word = Words(longest=LONGEST_WORD * 5, load_default="")
    remember = fields.Boolean(load_default=False)

    @pre_load
    def of_the_chosen(self, told: Any, **_: Any) -> Any:
        if not isinstance(told, dict):
            return told
        return {**told, "quantity_milli": told.get(f"q{told.get('product_id')}", told.get("quantity_milli"))}


class PartSchema(Input):
    """Where, when and for whose money."""

    delivery_point_id = Whole(required=True)
    delivery_day = Day(required=True)
    delivery_window = Choice(WINDOWS, required=True)
    fund_source = Choice(FUND_SOURCES, required=True)
    budget_unit_id = Whole(load_default=None)


class DraftSchema(Input):
    """A draft as it stands in the form; `expected_total_fen` is the total that was shown."""

    lines = fields.List(fields.Nested(WantSchema), load_default=list)
    parts = fields.List(fields.Nested(PartSchema), load_default=list)
    note = Words(longest=500, lines=True, load_default="")
    expected_total_fen = Whole(low=0, load_default=None)


class ListNameSchema(Input):
    name = Words(longest=LONGEST_NAME, required=True)


class EntrySchema(Input):
    product_id = Whole(required=True)
    quantity_milli = MaybeMilli(load_default=None, allow_none=True)
    weekday = Whole(low=0, high=7, load_default=0)


class ListSchema(ListNameSchema):
    """A weekly list as its form holds it; `text` names goods that are added."""

    text = fields.String(load_default="", validate=[validate.Length(max=LONGEST_TEXT, error=TOO_LONG), check_encodable])
    lines = fields.List(fields.Nested(EntrySchema), load_default=list)


class TextSchema(Input):
    """A text as it stands in a chat."""

    text = fields.String(required=True, validate=[validate.Length(max=LONGEST_TEXT, error=TOO_LONG), check_encodable])
