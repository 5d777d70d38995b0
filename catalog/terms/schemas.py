"""Input of delivery terms: an area's row, a break."""

from collections.abc import Sequence
from typing import Any

from marshmallow import ValidationError, fields, post_load, pre_load

from catalog.lot_schemas import without_blanks
from catalog.terms.reach import WINDOWS
from market.errors import N_
from market.schemas import Choice, Day, Fen, Input, Whole, Words

WEEKDAYS = tuple("1234567")


def _some(values: Sequence[str]) -> None:
    if not values:
        raise ValidationError(N_("Choose at least one."))


class TermsSchema(Input):
    """How one area is served. Blank amounts are none; the hour is the one at which orders close."""

    weekdays = fields.List(Choice(WEEKDAYS), data_key="weekdays[]", load_default=list, validate=_some)
    windows = fields.List(Choice(WINDOWS), data_key="windows[]", load_default=list, validate=_some)
    cut_off_hour = Whole(low=1, high=24, required=True)
    cut_off_days = Whole(low=1, high=14, required=True)
    minimum_fen = Fen(low=0, load_default=0)
    freight_fen = Fen(low=0, load_default=0)
    free_from_fen = Fen(load_default=None)

    @pre_load
    def leave_blanks_out(self, source: Any, **_: Any) -> Any:
        said = {"weekdays[]": [], "windows[]": [], **source} if isinstance(source, dict) else source
        return without_blanks(said, "minimum_fen", "freight_fen", "free_from_fen")

    @post_load
    def in_order(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Weekdays and windows as they are kept, in the order of week and day."""
        return {**values, "weekdays": ",".join(day for day in WEEKDAYS if day in values["weekdays"]),
                "windows": ",".join(window for window in WINDOWS if window in values["windows"])}


class NewTermsSchema(TermsSchema):
    """The same for an area that was not served before, by its code."""

    area = Words(required=True, longest=12)


class BreakSchema(Input):
    """Days on which nothing is delivered."""

    first_day = Day(required=True)
    last_day = Day(required=True)
    reason = Words(longest=100, load_default="")


class ChoiceSchema(Input):
    """For which door, day and window a unit looks at the shelf."""

    delivery_point_id = Whole(required=True)
    delivery_day = Day(required=True)
    delivery_window = Choice(WINDOWS, required=True)
    next = Words(longest=500, load_default="")
