"""Input of the village desk's goods pages, for form and JSON alike."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from catalog.drawings import DRAWINGS
from catalog.models import SUPPLY
from market.errors import N_
from market.schemas import Choice, Day, Fen, Grams, Input, Milli, Words

# sales units that are weights, and their grams: these settle by weighed grams, all others by count
WEIGHT_UNITS: Mapping[str, int] = {"斤": 500, "公斤": 1000}
UNITS_EN: Mapping[str, str] = {"斤": "jin", "公斤": "kg", "箱": "box", "袋": "bag", "瓶": "bottle", "桶": "can",
                               "盒": "pack", "只": "head", "枚": "egg", "份": "portion"}


class Months(fields.Field[str]):
    """Months of harvest, 1 to 12, as a list or '10,11,12'; none or all of them is 'all'."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        if value in ("", "all", None):
            return "all"
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or any(str(part) not in map(str, range(1, 13)) for part in parts):
            raise ValidationError(N_("Please choose one of the list."))
        months = sorted({int(part) for part in parts})
        return "all" if len(months) in (0, 12) else ",".join(map(str, months))


class VillageCode(Words):
    """The twelve digits of a village."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if not (len(text) == 12 and text.isascii() and text.isdigit()):
            raise ValidationError(N_("Please choose one of the list."))
        return text


class ProductSchema(Input):
    """What a co-operative says about its goods. Names up to 60 characters, descriptions up to 2,000."""

    name = Words(longest=60, required=True)
    name_en = Words(longest=80, load_default="")
    category = Words(longest=32, required=True)
    village = VillageCode(longest=12, required=True)
    aliases = Words(longest=200, load_default="")
    description = Words(longest=2000, lines=True, load_default="")
    description_en = Words(longest=2000, lines=True, load_default="")
    supply = Choice(SUPPLY, required=True)
    unit = Words(longest=4, required=True)
    grams_per_unit = Grams(high=1_000_000, required=True)  # 1 g to 1 t
    minimum_milli = Milli(high=100_000_000, required=True)
    step_milli = Milli(high=100_000_000, required=True)
    harvest_months = Months(load_default="all", data_key="harvest_months[]")
    daily_capacity_milli = Milli(low=0, load_default=0)
    picture = Choice(DRAWINGS, load_default="basket")

    @validates_schema
    def weights_weigh_what_they_say(self, values: dict[str, Any], **_: Any) -> None:
        grams = WEIGHT_UNITS.get(values["unit"])
        if grams is not None and values["grams_per_unit"] != grams:
            raise ValidationError({"grams_per_unit": [N_("A 斤 weighs 0.5 kg and a 公斤 1 kg.")]})

    @validates_schema
    def minimum_is_whole_steps(self, values: dict[str, Any], **_: Any) -> None:
        if values["minimum_milli"] % values["step_milli"]:
            raise ValidationError({"minimum_milli": [N_("The smallest order must be a whole number of steps.")]})


class NewProductSchema(ProductSchema):
    """A new product comes with its price; up to ¥1 million a unit."""

    price_fen = Fen(high=100_000_000, required=True)


class PriceSchema(Input):
    """A new price per sales unit."""

    price_fen = Fen(high=100_000_000, required=True)


class DaySchema(Input):
    """What one day yields."""

    day = Day(required=True)
    capacity_milli = Milli(low=0, required=True)


class AvailabilitySchema(Input):
    """What the coming days yield."""

    days = fields.List(fields.Nested(DaySchema), required=True)


class StateSchema(Input):
    """Whether goods are on the shelf."""

    state = Choice(("listed", "hidden"), required=True)
