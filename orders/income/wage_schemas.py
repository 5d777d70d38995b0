"""Input about wages for making goods."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validates_schema

from market.schemas import REQUIRED, Fen, Input, Month, Whole


class WageLineSchema(Input):
    """What one household earned."""

    household_id = Whole(required=True)
    amount_fen = Fen(required=True)


class WagesSchema(Input):
    """Wages of one month; rows without an amount say nothing."""

    month = Month(required=True)
    lines = fields.List(fields.Nested(WageLineSchema), required=True)

    @pre_load
    def leave_empty_rows_out(self, source: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        rows = source.get("lines")
        if not isinstance(rows, list):
            return dict(source)
        return {**source, "lines": [
            row for row in rows if not isinstance(row, dict) or row.get("amount_fen") not in ("", None)]}

    @validates_schema
    def has_rows(self, values: dict[str, Any], **_: Any) -> None:
        if not values["lines"]:
            raise ValidationError({"lines": [REQUIRED]})
