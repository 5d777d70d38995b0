"""Input about capacity."""

from typing import Any

from marshmallow import pre_load

from catalog.lot_schemas import without_blanks
from market.schemas import Choice, Day, Grams, Input, Milli, Whole, Words


class AskSchema(Input):
    """How much a village can bring, kilograms when typed; area in mu and yield in kg per mu, both or neither."""

    grams = Grams(required=True)
    area = Milli(load_default=None)
    yield_per_mu = Grams(load_default=None)
    basis = Words(required=True, longest=500, lines=True)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "area", "yield_per_mu")


class DeclareSchema(AskSchema):
    """For which good, village and season."""

    product_id = Whole(required=True)
    village = Words(required=True, longest=12)
    season = Words(required=True, longest=40)
    first_day = Day(required=True)
    last_day = Day(required=True)


class DecideSchema(Input):
    """The county's answer. The figure counts for approvals only."""

    decision = Choice(("approved", "refused"), required=True)
    grams = Grams(load_default=None)
    reason = Words(longest=500, lines=True, load_default="")

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        return without_blanks(source, "grams")
