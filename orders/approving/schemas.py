"""Input of approving: who approves what, a paper, a changed order, a scheme, a limit."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load

from market.schemas import Choice, Day, Fen, Input, Milli, Whole, Words
from orders.approving.models import STEP_ROLES
from orders.states import FUND_SOURCES


class RuleSchema(Input):
    """One step: above how much, by whom."""

    fund_source = Choice(("any", *FUND_SOURCES), required=True)
    from_fen = Fen(low=0, required=True)
    role = Choice(STEP_ROLES, required=True)


class RulesSchema(Input):
    """All steps of a unit; rows without an amount are not meant."""

    lines = fields.List(fields.Nested(RuleSchema), load_default=list)

    @pre_load
    def leave_blank_rows_out(self, source: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        rows = source.get("lines")
        if not isinstance(rows, list):
            return {"lines": [], **source}
        return {**source, "lines": [row for row in rows if not isinstance(row, dict)
                                    or row.get("from_fen") not in ("", None)]}


class SchemeSchema(Input):
    """How the unit receives from now on."""

    scheme = Choice(("two_receivers", "reduced"), required=True)
    reason = Words(longest=300, required=True)
    decided_on = Day(required=True)


class PaperSchema(Input):
    """An approval given elsewhere: who signed it and when, and for which step."""

    step_no = Whole(high=9, required=True)
    signed_by = Words(longest=60, required=True)
    signed_on = Day(required=True)


class ChangedLineSchema(Input):
    """A line and how much of it is wanted now; 0 cancels it."""

    line_id = Whole(required=True)
    ordered_milli = Milli(low=0, required=True)


class NewLineSchema(Input):
    """A good that comes to the order."""

    product_id = Whole(required=True)
    ordered_milli = Milli(required=True)


class AmendmentSchema(Input):
    """A changed order: lines that are not named stay as they are."""

    lines = fields.List(fields.Nested(ChangedLineSchema), load_default=list)
    new = fields.List(fields.Nested(NewLineSchema), load_default=list)
    reason = Words(longest=200, load_default="")

    @pre_load
    def leave_blank_rows_out(self, source: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        rows = source.get("new")
        if not isinstance(rows, list):
            return dict(source)
        return {**source, "new": [row for row in rows if not isinstance(row, dict)
                                  or row.get("ordered_milli") not in ("", None)]}


class TenderLimitSchema(Input):
    """From which yearly amount on a category must be put out to tender."""

    division_id = Whole(required=True)
    year = Whole(low=2015, high=2099, required=True)
    category = Words(longest=40, load_default="")
    limit_fen = Fen(required=True)
    document = Words(longest=300, required=True)
