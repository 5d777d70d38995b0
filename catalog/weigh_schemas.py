"""Input of the weigh-in page: weights in 斤 as they stand in the notebook, gross and tare, prices per 斤."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validates_schema

from catalog.lot_schemas import MOST_ROWS, without_blanks
from market import money
from market.errors import N_
from market.schemas import REQUIRED, Day, Fen, Grams, Input, Milli, Whole, Words


class Jin(Grams):
    """A weight: JSON integer grams; typed 斤 with at most two decimals. 0.01 to 100,000 斤."""

    low, high = 5, 50_000_000
    from_text = staticmethod(money.parse_jin)
    refusal = N_("A weight in jin, plain digits with at most two decimals, such as 12.5.")


class JinPrice(Fen):
    """What a kilo costs: JSON integer fen per kg; typed yuan per 斤. Up to ¥5,000 a 斤."""

    low, high = 0, 1_000_000
    from_text = staticmethod(money.parse_jin_price)
    refusal = N_("A price per jin in yuan, plain digits with at most two decimals, such as 0.60.")


class Weighed(Input):
    """One weighing: what the scale said and what of it the basket weighs."""

    gross = Jin(load_default=None)
    tare = Jin(low=0, load_default=0)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "gross", "tare")


class RowSchema(Weighed):
    """A line of the notebook. Without a weight it says nothing: the names of last time wait in empty lines."""

    member = Words(longest=60, load_default="")

    @validates_schema
    def is_whole(self, values: dict[str, Any], **_: Any) -> None:
        check_net(values)
        if values.get("gross") is not None and not values.get("member"):
            raise ValidationError({"member": [N_("Whose goods are these? A name, number or pinyin.")]})


def check_net(values: Mapping[str, Any]) -> None:
    """The basket weighs less than the basket with goods in it."""
    if values.get("gross") is not None and values.get("tare", 0) >= values["gross"]:
        raise ValidationError({"tare": [N_("The basket weighs as much as all of it.")]})


class _WeighIn(Input):
    product_id = Whole(required=True)
    harvested_on = Day(required=True)
    farm_gate_fen_per_kg = JinPrice(required=True)
    milli = Milli(load_default=None)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "milli", "gross", "tare")


class WeighInSchema(_WeighIn):
    """Many members, one lot: 1 to 300 weights."""

    contributions = fields.List(fields.Nested(RowSchema), required=True)

    @validates_schema
    def has_weights(self, values: dict[str, Any], **_: Any) -> None:
        weights = sum(row["gross"] is not None for row in values["contributions"])
        if not weights:
            raise ValidationError({"contributions": [N_("No weight has been written yet.")]})
        if len(values["contributions"]) > MOST_ROWS:
            raise ValidationError({"contributions": [N_("At most 300 rows at once.")]})


class NotebookSchema(_WeighIn):
    """One weight for the members of a village; their names follow from the photographed page."""

    village = Words(longest=12, required=True)
    gross = Jin(load_default=None)
    tare = Jin(low=0, load_default=0)

    @validates_schema
    def is_whole(self, values: dict[str, Any], **_: Any) -> None:
        if values.get("gross") is None:
            raise ValidationError({"gross": [REQUIRED]})
        check_net(values)
