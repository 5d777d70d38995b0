"""Input of packing, for form and JSON alike."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load

from market.schemas import Day, Fen, Grams, Input, Milli, Whole, Words


class PackedSchema(Input):
    """A lot packed for a line: thousandths of the sales unit, and grams where the box was weighed."""

    line_id = Whole(required=True)
    lot_id = Whole(required=True)
    packed_milli = Milli(required=True)
    packed_grams = Grams(load_default=None)

    @pre_load
    def blank_is_unsaid(self, values: Any, **_: Any) -> Any:
        return {n: v for n, v in values.items() if v != ""} if isinstance(values, Mapping) else values


class ShipmentSchema(Input):
    """A whole order as it was packed. A form offers lots that were not used: their quantity is empty or 0."""

    lines = fields.List(fields.Nested(PackedSchema), required=True)
    note = Words(longest=300, load_default="")
    rest_on = Day(load_default=None, allow_none=True)  # what is not packed follows on this day; none: it is short

    @pre_load
    def leave_unused_lots_out(self, source: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        rows = source.get("lines")
        if source.get("rest_on") == "":
            source = {name: value for name, value in source.items() if name != "rest_on"}
        if not isinstance(rows, list):
            return {"lines": [], **source}
        return {**source, "lines": [row for row in rows if not isinstance(row, dict)
                                    or row.get("packed_milli") not in ("", "0", None)]}


class FreightSchema(Input):
    """What the way of one order costs from now on."""

    freight_fen = Fen(low=0, required=True)
