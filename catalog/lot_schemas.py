"""Input about lots, for form and JSON alike."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validates_schema

from catalog.lot_models import REASONS, TESTS
from market import money
from market.errors import N_
from market.schemas import REQUIRED, Choice, Day, Fen, Grams, Input, Milli, Whole, Words

MOST_ROWS = 300


class FilledRows(Input):
    """A form brings empty rows along: they say nothing."""

    rows, needs = "", ""

    @pre_load
    def leave_empty_rows_out(self, source: Any, **_: Any) -> Any:
        if not isinstance(source, Mapping):
            return source
        rows = source.get(self.rows)
        if not isinstance(rows, list):
            return dict(source)
        filled = [row for row in rows if not isinstance(row, dict) or row.get(self.needs) not in ("", None)]
        return {**source, self.rows: filled[:MOST_ROWS + 1]}


class Mu(Fen):
    """An area: JSON integer hundredths of a mu; typed mu with at most two decimals. 0.01 to 100,000 mu."""

    low, high = 1, 10_000_000
    from_text = staticmethod(money.parse_fen)
    refusal = N_("An area in mu, plain digits with at most two decimals, such as 2.5.")


class ContributionSchema(Input):
    """Who brought how much: a member (number, or name where only one has it), or a village.

    Alone a village means the own base; with `unsplit` its households, whose names follow from the notebook.
    """

    member = Words(longest=40, load_default="")
    village = Words(longest=12, load_default="", metadata={"description": "a village's 12-digit code"})
    unsplit = fields.Boolean(load_default=False)
    grams = Grams(required=True)

    @validates_schema
    def names_one_origin(self, values: dict[str, Any], **_: Any) -> None:
        if bool(values.get("member")) == bool(values.get("village")):
            raise ValidationError({"member": [N_("Name a member, or the village of your own base.")]})
        if values.get("unsplit") and not values.get("village"):
            raise ValidationError({"village": [N_("Please choose one of the list.")]})


class DetailsSchema(Input):
    """How goods were received, as far as anybody wants to say it."""

    received_at = Words(longest=60, load_default="")
    plot = Words(longest=60, load_default="")
    area_mu_hundredths = Mu(load_default=None)
    test = Choice(TESTS, load_default="none")
    test_note = Words(longest=200, load_default="")
    notebook_id = Whole(load_default=None, metadata={"description": "a stored photo of the notebook's page"})


class BookSchema(FilledRows, DetailsSchema):
    """A harvest: fen per kg up to ¥10,000, 1 to 300 contributions. Goods sold by weight need no quantity."""

    rows, needs = "contributions", "grams"

    product_id = Whole(required=True)
    harvested_on = Day(required=True)
    best_before = Day(load_default=None)
    milli = Milli(load_default=None)
    farm_gate_fen_per_kg = Fen(low=0, high=1_000_000, required=True)
    contributions = fields.List(fields.Nested(ContributionSchema), required=True)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "best_before", "milli", "area_mu_hundredths", "test", "notebook_id")

    @validates_schema
    def has_rows(self, values: dict[str, Any], **_: Any) -> None:
        check_rows(values["contributions"], "contributions")


class IngredientSchema(Input):
    """How much of an input lot is used up, in thousandths of its sales unit."""

    lot_id = Whole(required=True)
    milli = Milli(required=True)


class ProcessSchema(FilledRows):
    """Goods made out of own confirmed lots: 1 to 300 inputs, the weight that came out."""

    rows, needs = "ingredients", "milli"

    product_id = Whole(required=True)
    made_on = Day(required=True)
    best_before = Day(load_default=None)
    milli = Milli(load_default=None)
    grams = Grams(required=True)
    ingredients = fields.List(fields.Nested(IngredientSchema), required=True)
    yield_reason = Words(longest=200, load_default="")
    plant_village = Words(longest=12, load_default="", metadata={"description": "the plant's village, 12 digits"})
    wage_fen = Fen(low=0, load_default=0)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "best_before", "milli", "wage_fen")

    @validates_schema
    def has_rows(self, values: dict[str, Any], **_: Any) -> None:
        check_rows(values["ingredients"], "ingredients")


class SplitSchema(FilledRows):
    """Who brought how much of goods that were weighed by village."""

    rows, needs = "contributions", "grams"

    contributions = fields.List(fields.Nested(ContributionSchema), required=True)

    @validates_schema
    def has_rows(self, values: dict[str, Any], **_: Any) -> None:
        check_rows(values["contributions"], "contributions")


class ExpectSchema(FilledRows):
    """What a harvest will bring, by village or member; fen per kg up to ¥10,000."""

    rows, needs = "contributions", "grams"

    product_id = Whole(required=True)
    expected_on = Day(required=True)
    best_before = Day(load_default=None)
    milli = Milli(load_default=None)
    farm_gate_fen_per_kg = Fen(low=0, high=1_000_000, required=True)
    contributions = fields.List(fields.Nested(ContributionSchema), required=True)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "best_before", "milli")

    @validates_schema
    def has_rows(self, values: dict[str, Any], **_: Any) -> None:
        check_rows(values["contributions"], "contributions")


class ArrivalSchema(Input):
    """The real lot that takes an expected one's promises over."""

    real_lot_id = Whole(required=True)


class WriteOffSchema(Input):
    """Goods that are gone, in thousandths of the lot's unit, and why."""

    milli = Milli(required=True)
    reason = Choice(REASONS, required=True)
    note = Words(longest=200, load_default="")


def without_blanks(source: Any, *names: str) -> Any:
    """A form sends optional fields empty; then they count as not sent. What is no row, the schema refuses."""
    if not isinstance(source, Mapping):
        return source
    return {name: value for name, value in source.items() if name not in names or value not in ("", None)}


def check_rows(rows: list[Any], name: str) -> None:
    """1 to 300 rows."""
    if not 1 <= len(rows) <= MOST_ROWS:
        raise ValidationError({name: [REQUIRED if not rows else N_("At most 300 rows at once.")]})
